// What a worker is told when it starts. Values; copied into every worker thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/realm.h"

namespace ringcast::worker {

enum class LogLevel : std::uint8_t { info, warn };

struct WorkerOptions {
  std::string websocket_path = "/ws";
  std::string echo_path;  // empty: no echo endpoint
  std::vector<std::shared_ptr<const Realm>> realms = {open_realm("realm1")};
  // Of realms that come into being when somebody logs in; their names are patterns. At most 255.
  std::vector<std::shared_ptr<const Realm>> realm_templates;

  // Both.
  std::vector<std::shared_ptr<const Realm>> all_realms() const {
    std::vector<std::shared_ptr<const Realm>> all = realms;
    all.insert(all.end(), realm_templates.begin(), realm_templates.end());
    return all;
  }

  // How often an address may fail to log in at this worker: so many times at once, and then once in
  // each interval. 0: as often as it likes.
  std::uint32_t attempts_burst = 32;
  std::uint32_t attempt_interval_ms = 10'000;
  std::uint64_t refusal_delay_ms = 200;  // from AUTHENTICATE until it is refused, at least
  // Of what principals that do not exist are given (auth/decoy.h); none: drawn when the node
  // starts.
  std::optional<auth::Bytes32> decoy_key;

  // Called by background threads only, for it may take its time.
  std::function<void(LogLevel, const std::string&)> log = [](LogLevel, const std::string&) {};

  std::uint32_t connections_max = 1024;  // of this worker thread; more are answered HTTP 503

  std::uint64_t handshake_timeout_ms =
      10'000;                               // from accept to the upgrade, and from there to HELLO
  std::uint64_t ping_interval_ms = 30'000;  // of silence before a ping is sent
  std::uint64_t ping_timeout_ms = 10'000;   // after the ping, until the connection is given up
  std::uint64_t drain_timeout_ms = 5'000;   // for what is queued, when the broker stops

  std::uint32_t busy_poll_us = 0;  // how long to look for work before sleeping; 0: sleep at once

  std::size_t queue_bytes_max = 1u << 20;  // outbound, per connection, not yet taken by the kernel
  std::size_t message_bytes_max = 1u << 20;  // of one message from a client
};

// Limits that are not settings. Each is counted where it is hit, or answered to its causer.
inline constexpr std::size_t kSubscriptionsPerSessionMax =
    16384;                                                   // ERROR ringcast.error.limit_exceeded
inline constexpr std::size_t kSubscribesPendingMax = 65536;  // of a worker: its clients are paused
inline constexpr std::size_t kControlBacklogMax = 4096;  // messages for one home worker: the same
inline constexpr std::size_t kCallsDeferredMax = 65536;  // while a dealer learns what is registered
inline constexpr std::size_t kDeferredBytesMax = 64u << 20;  // of those: ERROR
inline constexpr std::size_t kControlBytesMax = 64u
                                                << 20;  // of all home workers' messages: no calls
inline constexpr std::size_t kRegistrationsPerSessionMax = 16384;  // ERROR, as above
inline constexpr std::size_t kCallsPerSessionMax = 16384;          // open at a time: the same
// Calls in parts that ended before their last part, remembered while that may be on its way; of
// more, the oldest are forgotten, and what follows of them is out of order.
inline constexpr std::size_t kUnfinishedCallsMax = 1024;
// Of the passthru options of a call in parts, which its callee's worker keeps: ERROR.
inline constexpr std::size_t kPartsPassthruBytesMax = 1024;
// Less than the interval at which an idle worker wakes anyway (Worker::report): longer, and a
// worker without any work would take that for work that came soon.
inline constexpr std::uint32_t kBusyPollMaxUs = 100'000;
inline constexpr std::size_t kLimitedAddressesMax = 16384;  // that failed to log in lately
inline constexpr std::uint64_t kKeyLookIntervalMs = 5'000;  // at the files of keys for tokens
inline constexpr std::size_t kDetailsDepthMax = 64;         // nesting of a message: ABORT
inline constexpr std::uint64_t kCloseTimeoutMs = 2'000;     // for the peer's close frame, then EOF
inline constexpr std::uint64_t kHomeReplyTimeoutMs = 10'000;  // while a home worker is away

}  // namespace ringcast::worker
