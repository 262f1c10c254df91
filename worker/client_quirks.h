// What a widespread client cannot bear although the specification asks for it, and how such a
// client is known. Stateless; any thread. Each has a test with the real client; a rule here goes
// when its client has been mended.
#pragma once

#include <initializer_list>

#include "wire/options.h"

namespace ringcast::worker {

namespace client_quirks_detail {

inline bool announces_exactly(const wire::ClientRole& role,
                              std::initializer_list<wire::Feature> features) {
  wire::Features expected;
  for (const wire::Feature feature : features) expected.set(feature);
  return role.announced && role.features == expected;
}

}  // namespace client_quirks_detail

// Of who cancels a call in another mode than "kill": autobahn-js (22.11 to 26.3) forgets the call
// at once, and takes the ERROR that the specification has the router answer with ("Call Canceling")
// for a breach of the protocol, upon which it drops its connection. It does not give its name; no
// other client announces the same features.
inline bool forgets_canceled_calls(const wire::HelloDetails& hello) {
  using client_quirks_detail::announces_exactly;
  using enum wire::Feature;
  return announces_exactly(hello.caller,
                           {caller_identification, call_canceling, progressive_call_results}) &&
         announces_exactly(hello.callee,
                           {caller_identification, pattern_based_registration, shared_registration,
                            progressive_call_results, registration_revocation}) &&
         announces_exactly(hello.publisher, {publisher_identification,
                                             subscriber_blackwhite_listing, publisher_exclusion}) &&
         announces_exactly(hello.subscriber, {publisher_identification, pattern_based_subscription,
                                              subscription_revocation});
}

}  // namespace ringcast::worker
