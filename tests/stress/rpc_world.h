// What a check of calls knows as a whole: which calls are to be made, who makes them, who has been
// given what, and how they ended. One thread.
//
// A call carries a Note: `addressee` is its caller, `publisher` its request, `sequence` its serial
// number, by which it is made again under another request if it failed; `topic` is a CallOrder. Its
// answers carry the same Note, so that whoever gets one can tell whether it is his.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "wire/options.h"

namespace ringcast::stress {

inline constexpr std::uint32_t kProcedures = 8;
// Requests of callers are numbered in ranges that do not touch, so one names a call of the check.
inline constexpr unsigned kRequestBits = 24;

enum class Wish : std::uint8_t {
  answer,       // at once
  later,        // in another turn
  fail,         // with an ERROR, at the first part
  unavailable,  // every second callee refuses it
  hold,         // after some 20 ms, unless interrupted
  count_,
};

// What a call's callee is to do with it, and which part this is of one in parts.
struct CallOrder {
  std::uint8_t procedure = 0;
  Wish wish = Wish::answer;
  std::uint8_t progress = 0;  // how many progressive results come before the last one
  std::uint8_t part = 0;      // from 0; of an answer: the number of a progressive result, from 1
};

inline std::uint32_t pack(const CallOrder& order) {
  return order.procedure | std::uint32_t{static_cast<std::uint8_t>(order.wish)} << 8 |
         std::uint32_t{order.progress} << 16 | std::uint32_t{order.part} << 24;
}
inline std::optional<CallOrder> unpack(std::uint32_t topic) {
  const auto byte = [topic](unsigned i) { return static_cast<std::uint8_t>(topic >> (8 * i)); };
  if (byte(0) >= kProcedures || byte(1) >= static_cast<std::uint8_t>(Wish::count_)) {
    return std::nullopt;
  }
  return CallOrder{byte(0), static_cast<Wish>(byte(1)), byte(2), byte(3)};
}

enum class CancelAt : std::uint8_t { never, once_made, once_invoked, a_moment_later };

struct CallPlan {
  std::uint64_t serial = 0;
  CallOrder order = {};
  std::uint8_t parts = 1;
  std::uint64_t timeout_ms = 0;
  CancelAt cancel_at = CancelAt::never;
  wire::CancelMode mode = wire::CancelMode::skip;
  bool callee_dies = false;  // so it may end without the callee's answer
  bool again = false;        // made again until its callee has answered
};

class Caller;

class RpcWorld {
 public:
  explicit RpcWorld(std::uint64_t seed) : random_(seed) {}

  std::uint64_t random(std::uint64_t bound) { return random_() % bound; }
  std::uint64_t next_uid() { return ++last_uid_; }
  static std::string procedure_name(std::uint32_t procedure) {
    return "stress.rpc." + std::to_string(procedure);
  }

  // Workers are being killed: connections end at any time, and calls with network_failure.
  bool workers_die = false;

  std::unordered_map<std::uint64_t, Caller*> callers;  // by uid
  std::deque<std::uint64_t> again;                     // serials of calls that failed

  // A callee has been given the call of that request; fails if another has it, or had.
  void invoked(std::uint64_t request);
  // It has refused it, so another may be given it.
  void refused(std::uint64_t request) { given_.erase(request); }
  // None of the calls made so far can come any more.
  void forget_given() { given_.clear(); }

  // By what the caller got: "result", or the URI of the ERROR.
  std::map<std::string, std::uint64_t, std::less<>> endings;
  std::uint64_t calls = 0;
  std::uint64_t settled = 0;  // that are not made again
  std::uint64_t answers = 0;  // final ones, one for each call but those whose connection ended
  std::uint64_t progressive = 0;
  std::uint64_t parts = 0;
  std::uint64_t late_parts = 0;
  std::uint64_t cancels = 0;
  std::uint64_t lost_with_connection = 0;
  std::uint64_t invocations = 0;
  std::uint64_t interrupts = 0;
  std::uint64_t callees = 0;

 private:
  std::mt19937_64 random_;
  std::uint64_t last_uid_ = 0;
  std::unordered_set<std::uint64_t> given_;  // requests
};

}  // namespace ringcast::stress
