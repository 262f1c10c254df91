// A session that calls, cancels, and demands that each of its calls ends exactly once, by an answer
// that is its own, with all that its callee said before. Same thread as its Engine.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "tests/stress/rpc_peer.h"

namespace ringcast::stress {

class Caller : public RpcPeer {
 public:
  Caller(Engine& engine, RpcWorld& world);
  ~Caller() override;

  void call(const CallPlan& plan);
  std::size_t open() const { return open_.size(); }
  // Sends parts and cancels that are due.
  void tick(std::int64_t now);
  // A callee has just been given the call of that request.
  void invoked(std::uint64_t request);
  // Cancels it if its plan has that in mind; nothing if it has ended.
  void cancel(std::uint64_t request);
  // Fails if a call has waited for longer, and says which.
  void expect_answered_within(std::int64_t ms, std::int64_t now) const;

 private:
  Caller(Engine& engine, RpcWorld& world, std::uint64_t uid);

  struct Open {
    CallPlan plan;
    std::uint8_t parts_sent = 0;
    std::uint8_t progress = 0;  // progressive results that came
    bool canceled = false;
    std::int64_t made_ms = 0;
  };
  struct Due {
    std::uint64_t request;
    std::int64_t at_ms;
  };

  void on_open() override;
  void on_other(const wire::Message& message) override;
  void on_gone() override;
  void on_result(const wire::Result& result);
  void on_error(const wire::Error& error);

  Open& open_call(std::uint64_t request, const char* what);
  void check_note(std::uint64_t request, const Open& open, const wire::Payload& payload,
                  std::uint8_t part) const;
  void check_error(const Open& open, std::uint64_t request, std::string_view uri) const;
  void send_part(std::uint64_t request, CallPlan plan, std::uint8_t part);
  void end(std::uint64_t request, std::string_view how, bool by_callee);

  std::unordered_map<std::uint64_t, Open> open_;  // by request
  std::vector<std::uint64_t> in_parts_;           // requests of which there is more to send
  std::vector<Due> cancels_due_;
  std::uint64_t first_request_;
};

}  // namespace ringcast::stress
