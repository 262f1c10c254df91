// Calls that a worker makes itself, of procedures that sessions have registered (a dynamic
// authorizer, say): which are open, until when, and how they have ended.
//
// Part of an RpcRouter, which sends them and hears what becomes of them; one per worker, used by
// its thread only. It does no I/O and has no clock.
//
// A call ends exactly once, by whatever comes first: its answer, its deadline, or the end of the
// worker that keeps it. Its callback runs in run_finished() alone, never inside of what began or
// ended the call; so it may do anything, other calls included.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wire/message.h"
#include "wire/serializer.h"
#include "worker/clock.h"
#include "worker/deadlines.h"

namespace ringcast::worker {

struct OwnCall {
  std::uint16_t realm = 0;
  std::string_view procedure;    // a valid URI
  std::uint64_t timeout_ms = 0;  // from 1
  wire::Serializer serializer = wire::Serializer::json;
  wire::Payload payload = {};
};

class RouterCalls {
 public:
  static constexpr std::size_t kOpenMax = 16'384;  // of a worker

  // How a call has ended. Views, valid while the callback runs. The payload is what a session has
  // sent: any value, of which only the form was checked.
  struct End {
    std::string_view error = {};    // its URI; empty: there is a result
    std::string_view message = {};  // of an error that the broker has found, for a log
    wire::Serializer serializer = wire::Serializer::json;
    wire::Payload payload = {};

    bool succeeded() const { return error.empty(); }
  };
  using Callback = std::function<void(const End&)>;

  // `first` names the first call: at random, so that answers to an earlier incarnation of the
  // worker name none.
  explicit RouterCalls(std::uint64_t first) : next_(first) {}

  bool full() const { return open_.size() >= kOpenMax; }
  std::size_t open() const { return open_.size(); }

  // The call's name, until it ends. REQUIRES: not full().
  std::uint64_t begin(std::uint16_t realm, TimeMs deadline, Callback callback);

  // --- ends. False: no such call is open. `frame` is an RpcFrame, from shared memory.
  bool answered(std::uint64_t call, bool error, std::string_view frame);
  bool failed(std::uint64_t call, std::string_view error, std::string_view message);
  // Ends those of all realms for which `lost(realm)`.
  template <typename Lost>
  void fail_realms(Lost lost, std::string_view error, std::string_view message);
  // Ends one call whose deadline has come.
  struct Expired {
    std::uint64_t call = 0;
    std::uint16_t realm = 0;
  };
  std::optional<Expired> expire_one(TimeMs now);
  TimeMs next_deadline() const { return deadlines_.next(); }  // UINT64_MAX: none

  // Runs the callbacks of the calls that have ended up to now; false if there were none. What they
  // begin that ends at once is left for the next time.
  bool run_finished();

 private:
  struct Open {
    std::uint16_t realm = 0;
    TimeMs deadline = 0;
    Callback callback;
  };
  // The frame of the answer; or an error of the broker's own.
  struct Finished {
    Callback callback;
    std::string frame;
    std::string error;
    std::string message;
    bool is_error = false;
  };
  using Calls = std::unordered_map<std::uint64_t, Open>;

  Callback take(Calls::iterator call);
  static void run(const Finished& finished);

  Calls open_;
  Deadlines deadlines_;
  std::vector<Finished> finished_;
  std::uint64_t next_;
};

template <typename Lost>
void RouterCalls::fail_realms(Lost lost, std::string_view error, std::string_view message) {
  std::vector<std::uint64_t> gone;
  for (const auto& [call, open] : open_) {
    if (lost(open.realm)) gone.push_back(call);
  }
  for (const std::uint64_t call : gone) failed(call, error, message);
}

}  // namespace ringcast::worker
