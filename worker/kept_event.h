// Between publications and the events that a home worker keeps of them (worker/event_store.h).
// Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "worker/event_store.h"
#include "worker/publication.h"

namespace ringcast::worker {

// A publication as it is to be kept. Views of the publication and of its own text.
class EventToKeep {
 public:
  // `time_ms`: since 1970.
  EventToKeep(const Publication& publication, std::int64_t time_ms);
  EventToKeep(const EventToKeep&) = delete;
  EventToKeep& operator=(const EventToKeep&) = delete;
  const Event& view() const { return event_; }

 private:
  std::string details_;
  Event event_;
};

// A kept event as the publication that it was. Views of the event and of its own texts.
class KeptPublication {
 public:
  KeptPublication(std::uint16_t realm, const Event& event);
  KeptPublication(const KeptPublication&) = delete;
  KeptPublication& operator=(const KeptPublication&) = delete;
  // Always with extras.
  const Publication& view() const { return publication_; }

 private:
  std::array<std::string, 4> passthru_;
  Publication publication_;
};

}  // namespace ringcast::worker
