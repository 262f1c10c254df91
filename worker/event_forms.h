// One publication in the forms in which its receivers get it: the payload in each serializer, and
// the details of an EVENT, which are not the same for all subscriptions. Each is made when it is
// first asked for, once, however many subscriptions it is for.
//
// Owned and used by one worker thread, which keeps it for the next publication: so the steady state
// allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "wire/message.h"
#include "worker/publication.h"

namespace ringcast::worker {

class EventForms {
 public:
  // What follows is about this publication, which outlives its use here.
  void begin(const Publication& publication) {
    publication_ = &publication;
    for (Form& form : forms_) form.payload_state = PayloadState::not_asked;
    for (Form& form : forms_) form.topic_details.clear();
  }

  const Publication& publication() const { return *publication_; }

  // Null if it has no form in this serializer (a MessagePack map with lists as keys has none in
  // JSON): then it can't be shown to its sessions. Valid until the next begin().
  const wire::Payload* payload(wire::Serializer serializer);

  // The details for a subscription of this policy, serialized; empty if there are none. Valid until
  // the next begin().
  wire::Bytes details(wire::Serializer serializer, wire::MatchPolicy match);

 private:
  enum class PayloadState : std::uint8_t { not_asked, there, none };
  struct Form {
    PayloadState payload_state = PayloadState::not_asked;
    wire::Payload payload;  // of the members below; set while payload_state is `there`
    std::string args;
    std::string kwargs;
    std::string topic_details;  // with the topic; empty: not asked for yet
  };

  const Publication* publication_ = nullptr;
  std::array<Form, wire::kSerializerCount> forms_;
};

}  // namespace ringcast::worker
