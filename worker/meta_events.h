// The meta events of the specification (WAMP, "Session Meta API", "Subscription Meta API",
// "Registration Meta API"), from whoever knows that something has happened into the outbox. Where
// nobody on any worker has subscribed to an event, telling of it costs a look at the interest bits.
//
// One per worker thread, used by that thread only. Each event is told by one worker, so that those
// about one thing arrive in order: of a session by its own, of a registration by the one with the
// realm's dealer, of a subscription by its home worker.
#pragma once

#include <cstdint>
#include <string_view>

#include "ring/segment.h"
#include "wire/writer.h"
#include "worker/home.h"
#include "worker/identity.h"
#include "worker/membership_change.h"
#include "worker/outbox.h"
#include "worker/registrations.h"

namespace ringcast::worker {

class MetaEvents {
 public:
  MetaEvents(ring::Segment& segment, Outbox& outbox) : segment_(segment), outbox_(outbox) {}

  void session_joined(std::uint16_t realm, std::uint64_t session, const IdentityView& identity);
  void session_left(std::uint16_t realm, std::uint64_t session, std::string_view authid,
                    std::string_view authrole);

  // What a session has to do with a registration or subscription. One that nobody knows any more,
  // because its worker has died, is told as 0.
  void registration(MembershipChange change, ring::ConnectionId session,
                    const Registration& registration);
  void subscription(MembershipChange change, ring::ConnectionId session, const HomeTopic& topic);

  // Whether anybody wants to hear of sessions that join or leave subscriptions: only then their
  // home workers are told.
  bool subscriber_wanted(std::uint16_t realm, MembershipChange change) const;

 private:
  bool wanted(std::uint16_t realm, std::string_view topic) const;
  template <typename WriteArgs>
  void tell(std::uint16_t realm, std::string_view topic, WriteArgs write_args);
  std::uint64_t session_id(ring::ConnectionId session) const;

  ring::Segment& segment_;
  Outbox& outbox_;
};

}  // namespace ringcast::worker
