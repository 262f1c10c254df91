#include "worker/router_calls.h"

#include <cassert>
#include <utility>

#include "wire/uri.h"
#include "worker/rpc_frame.h"

namespace ringcast::worker {

std::uint64_t RouterCalls::begin(std::uint16_t realm, TimeMs deadline, Callback callback) {
  assert(!full());
  if (next_ == 0) ++next_;  // Deadlines says 0 for none
  const std::uint64_t call = next_++;
  open_.emplace(call, Open{.realm = realm, .deadline = deadline, .callback = std::move(callback)});
  deadlines_.set(deadline, call);
  return call;
}

RouterCalls::Callback RouterCalls::take(Calls::iterator call) {
  Callback callback = std::move(call->second.callback);
  deadlines_.clear(call->second.deadline, call->first);
  open_.erase(call);
  return callback;
}

bool RouterCalls::answered(std::uint64_t call, bool error, std::string_view frame) {
  const auto found = open_.find(call);
  if (found == open_.end()) return false;
  finished_.push_back({.callback = take(found),
                       .frame = std::string(frame),
                       .error = {},
                       .message = {},
                       .is_error = error});
  return true;
}

bool RouterCalls::failed(std::uint64_t call, std::string_view error, std::string_view message) {
  const auto found = open_.find(call);
  if (found == open_.end()) return false;
  finished_.push_back({.callback = take(found),
                       .frame = {},
                       .error = std::string(error),
                       .message = std::string(message),
                       .is_error = true});
  return true;
}

std::optional<RouterCalls::Expired> RouterCalls::expire_one(TimeMs now) {
  const std::uint64_t call = deadlines_.take_due(now);
  if (call == 0) return std::nullopt;
  const Expired expired{.call = call, .realm = open_.at(call).realm};
  failed(call, wire::uri::kTimeout, "no answer came in time");
  return expired;
}

bool RouterCalls::run_finished() {
  if (finished_.empty()) return false;
  const std::vector<Finished> ended = std::exchange(finished_, {});
  for (const Finished& finished : ended) run(finished);
  return true;
}

void RouterCalls::run(const Finished& finished) {
  if (!finished.error.empty()) {
    return finished.callback({.error = finished.error, .message = finished.message});
  }
  const auto frame = parse_rpc_frame(finished.frame);
  if (!frame) {
    return finished.callback(
        {.error = wire::uri::kNetworkFailure, .message = "the answer came in a damaged frame"});
  }
  // An ERROR without a URI can't come from a session, but from a frame that somebody has scribbled
  // on; it is an error all the same.
  const bool nameless = finished.is_error && frame->uri.empty();
  finished.callback({.error = !finished.is_error ? std::string_view()
                              : nameless         ? wire::uri::kNetworkFailure
                                                 : frame->uri,
                     .message = {},
                     .serializer = frame->serializer,
                     .payload = frame->payload});
}

}  // namespace ringcast::worker
