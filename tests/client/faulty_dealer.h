// A WAMP dealer for the tests of ringcast-bench rpc, which treats one call in ten wrongly, five
// times in all, in a way that the test chooses.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/client/ws_server.h"
#include "wire/decode.h"

namespace ringcast::test {

enum class CallFault : std::uint8_t {
  none,
  drop_call,         // no callee hears of it
  drop_answer,       // no caller hears of it
  duplicate_call,    // the callee is invoked twice
  duplicate_answer,  // the caller is answered twice
  swap_calls,        // the callee gets two in the wrong order
  swap_answers,      // two calls get each other's payload
  flip_call,         // a bit of the payload, to the callee
  flip_answer,       // a bit of the payload, to the caller
  other_callee,      // another callee than the one that is called
  other_caller,      // the answer goes to another caller too, under a request id of that one's own
  stray_answer,      // a RESULT for a call that was never made
  error,             // an ERROR instead of a result
  refuse_register,   // no registration is allowed
  fall_silent,       // from the first time on nobody is answered any more
  pause,             // once, for a second, nothing is done at all
};

class FaultyDealer {
 public:
  FaultyDealer(wire::Serializer serializer, CallFault fault);

  std::string url() const { return server_->url("/"); }
  std::uint64_t faults() const { return faults_; }  // how often it has done wrong

 private:
  struct Open {
    std::uint64_t caller = 0;  // peer
    std::uint64_t request = 0;
  };
  struct Held {
    Open open;
    std::string args;
  };

  void on_message(WsServer::Peer& from, wire::Bytes bytes);
  void on_call(WsServer::Peer& from, const wire::Call& call);
  void on_yield(const wire::Yield& yield);
  void invoke(std::uint64_t callee, std::uint64_t invocation, const std::string& args);
  void answer(const Open& open, const std::string& args);
  void answer_wrongly(const Open& open, const std::string& args);
  bool of_calls() const;
  bool due();
  void send(std::uint64_t peer, const std::string& message);
  std::string flipped(std::string args) const;

  const wire::Serializer serializer_;
  const CallFault fault_;
  wire::Decoder decoder_;
  std::map<std::string, std::uint64_t, std::less<>> procedures_;  // callee's peer
  std::map<std::uint64_t, Open> open_;                            // by invocation
  std::vector<std::uint64_t> callees_;                            // peers
  std::map<std::uint64_t, std::uint64_t> requests_;               // the last of each caller
  std::uint64_t invocations_ = 0;
  std::uint64_t considered_ = 0;
  std::optional<Held> held_;                                        // swap_answers
  std::optional<std::pair<std::uint64_t, std::string>> held_call_;  // swap_calls
  bool silent_ = false;
  std::atomic<std::uint64_t> faults_ = 0;
  std::unique_ptr<WsServer> server_;  // last: its thread uses the rest
};

}  // namespace ringcast::test
