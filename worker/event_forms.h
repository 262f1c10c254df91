// One publication in the forms in which its receivers get it: the payload in each serializer, and
// the details of an EVENT, which are not the same for all subscriptions. Each is made when it is
// first asked for, once, however many subscriptions it is for.
//
// Owned and used by one worker thread, which keeps it for the next publication: so the steady state
// allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "wire/message.h"
#include "worker/publication.h"

namespace ringcast::worker {

// An EVENT as one WebSocket frame. Its size is known before it is written, so that it is written
// straight to where it is sent from.
class EventFrame {
 public:
  // Views of payload and details are kept; details empty: none.
  EventFrame(wire::Serializer serializer, std::uint32_t subscription, std::uint64_t publication,
             const wire::Payload& payload, wire::Bytes details);
  std::size_t size() const { return size_; }
  // Writes size() bytes.
  void write(char* out) const;

 private:
  wire::Serializer serializer_;
  std::uint32_t subscription_;
  std::uint64_t publication_;
  const wire::Payload& payload_;
  wire::Bytes details_;
  std::size_t event_size_;
  std::size_t size_;
};

class EventForms {
 public:
  // What follows is about this publication, which outlives its use here.
  void begin(const Publication& publication) {
    publication_ = &publication;
    for (Form& form : forms_) form.payload_state = PayloadState::not_asked;
    if (details_made_) forget_details();
  }

  const Publication& publication() const { return *publication_; }

  // Null if it has no form in this serializer (a MessagePack map with lists as keys has none in
  // JSON): then it can't be shown to its sessions. Valid until the next begin().
  const wire::Payload* payload(wire::Serializer serializer);

  // `retained`: it was published before the subscriber asked for it ("Event Retention"). REQUIRES:
  // `payload` is what payload() gave for this serializer. Valid until the next begin().
  EventFrame frame(wire::Serializer serializer, const wire::Payload& payload,
                   std::uint32_t subscription, wire::MatchPolicy match, bool retained = false);

 private:
  enum class PayloadState : std::uint8_t { not_asked, there, none };
  struct Form {
    PayloadState payload_state = PayloadState::not_asked;
    wire::Payload payload;  // of the members below; set while payload_state is `there`
    std::string args;
    std::string kwargs;
    // Without and with the topic, serialized; empty: not asked for yet, or there are none.
    std::array<std::string, 2> details;
  };

  wire::Bytes details(wire::Serializer serializer, bool with_topic, bool retained);
  void forget_details();

  const Publication* publication_ = nullptr;
  bool details_made_ = false;      // true exactly while some details are not empty
  bool details_retained_ = false;  // of those that are not empty
  std::array<Form, wire::kSerializerCount> forms_;
};

}  // namespace ringcast::worker
