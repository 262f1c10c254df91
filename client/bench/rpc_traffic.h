// The traffic of mode rpc: callers that call procedures, callees that answer each with its own
// payload, and the check of every call. A LinkPool sink for the time after the set-up: of its
// links, the first are callers and the others callees. One thread.
//
// Each call carries a stamp (stamp.h), the caller being its publisher and the callee its topic. A
// callee holds each invocation against it, and so does the caller each answer, which has to be of
// the very call that its request id names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "client/bench/codec.h"
#include "client/bench/delivery_check.h"
#include "client/bench/fanout_options.h"
#include "client/bench/histogram.h"
#include "client/bench/link_pool.h"
#include "client/failure.h"
#include "wire/decode.h"
#include "wire/message.h"

namespace ringcast::bench {

class RpcTraffic {
 public:
  // `run` tells this run's messages, and its procedures, from others'.
  RpcTraffic(const FanoutOptions& options, LinkPool& pool, MaskSource& masks, std::uint32_t callers,
             std::uint32_t callees, std::uint32_t run);

  void register_procedures();
  bool registered() const { return registered_ == callees_.size(); }

  void start(std::int64_t now);
  // No more calls.
  void stop() { running_ = false; }
  // Makes the calls that are due by rate.
  void call_due();
  // When call_due() wants to be called again if nothing arrives; the far future with a window.
  std::int64_t next_due_ns() const;
  // Latencies of calls that were due from here on are recorded.
  void measure(std::int64_t from_ns, std::int64_t to_ns);
  bool settled() const { return open_ == 0; }
  // What has not been answered is lost.
  void finish();

  // What has become of a set-up that failed, or of a connection that was lost.
  const std::optional<client::Failure>& failure() const { return failure_; }
  std::uint64_t disconnects() const { return disconnects_; }
  const std::string& first_disconnect() const { return first_disconnect_; }
  bool alive() const { return live_callers_ > 0 || callers_.empty(); }

  const CheckCounts& counts() const { return counts_; }
  const Histogram& latency() const { return latency_; }
  std::uint64_t answered() const { return answered_; }
  std::uint64_t open() const { return open_; }
  std::uint64_t errors() const { return errors_; }  // calls answered with ERROR
  const std::string& first_error() const { return first_error_; }
  std::int64_t last_progress_ns() const { return last_progress_ns_; }

  std::size_t on_bytes(Link& link, wire::Bytes bytes, std::int64_t now);
  void on_writable(Link& link) { link.flush(); }
  void on_gone(Link& link, const std::string& why);
  void on_wakeup() {}

 private:
  struct Call {
    std::int64_t intended_ns = 0;
    std::uint64_t sequence = 0;  // of this caller to this callee
    std::uint32_t callee = 0;
    bool answered = false;
  };
  struct Caller {
    std::uint64_t first_open = 1;  // request id of open.front()
    std::deque<Call> open;         // from the oldest that is not answered on
    std::uint64_t in_flight = 0;
    std::uint64_t made = 0;
    std::vector<std::uint64_t> sequences;  // the next, by callee
    bool dead = false;
  };
  struct Callee {
    std::vector<SequenceCheck> order;  // by caller
  };

  bool is_caller(const Link& link) const { return link.index < callers_.size(); }
  // A callee's number in the whole run: each process has all callers or all callees, or both.
  std::uint32_t callee_of(const Link& link) const {
    return link.index - static_cast<std::uint32_t>(callers_.size());
  }
  void call(std::uint32_t caller, std::int64_t intended_ns);
  void fill_window(std::uint32_t caller, std::int64_t now);
  void on_message(Link& link, wire::Opcode opcode, wire::Bytes payload, std::int64_t now);
  void on_wamp(Link& link, wire::Bytes message, std::int64_t now);
  void on_registered(Link& link);
  void on_invocation(Link& link, const wire::Invocation& invocation);
  void on_result(Caller& caller, const wire::Result& result, std::int64_t now);
  void on_error(Link& link, const wire::Error& error, std::int64_t now);
  // The open call of this request id, which is answered by this; otherwise counts what is wrong.
  std::optional<Call> settle(Caller& caller, std::uint64_t request, std::int64_t now);
  bool check_stamp(wire::Bytes args, Stamp& stamp);
  void send(Link& link);
  void end(Link& link, const std::string& why);

  const FanoutOptions& options_;
  LinkPool& pool_;
  MaskSource& masks_;
  const std::uint32_t run_;
  const wire::Serializer serializer_;
  Codec codec_;
  wire::Decoder decoder_;
  std::vector<Caller> callers_;
  std::vector<Callee> callees_;
  std::vector<std::string> procedures_;  // of all callees
  std::string args_;                     // of the next call; the payload is from payload_at_ on
  std::size_t payload_at_ = 0;
  std::string message_;  // being encoded
  std::size_t registered_ = 0;
  std::uint32_t live_callers_;
  bool running_ = false;
  std::int64_t started_ns_ = 0;
  std::uint64_t rate_index_ = 0;  // rate mode: calls made
  std::int64_t measured_from_ns_ = 0;
  std::int64_t measured_to_ns_ = 0;
  Histogram latency_;
  CheckCounts counts_;
  std::uint64_t answered_ = 0;
  std::uint64_t open_ = 0;
  std::uint64_t errors_ = 0;
  std::string first_error_;
  std::uint64_t disconnects_ = 0;
  std::string first_disconnect_;
  std::int64_t last_progress_ns_ = 0;
  std::optional<client::Failure> failure_;
};

}  // namespace ringcast::bench
