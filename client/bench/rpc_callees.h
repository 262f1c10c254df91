// The callees of mode rpc in a process of their own, so that callers and callees share neither a
// thread nor its delays. Forked before anything is connected, reaped at the end. One thread.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "client/bench/delivery_check.h"
#include "client/bench/fanout_options.h"
#include "client/failure.h"

namespace ringcast::bench {

class RpcCallees {
 public:
  RpcCallees(const FanoutOptions& options, std::uint32_t run);
  ~RpcCallees();  // ends the process if it still runs
  RpcCallees(const RpcCallees&) = delete;
  RpcCallees& operator=(const RpcCallees&) = delete;

  // Returns once all are registered.
  std::optional<client::Failure> start();
  // Ends the process; what it found is in the rest from then on.
  std::optional<client::Failure> stop();

  pid_t pid() const { return pid_; }
  const CheckCounts& counts() const { return shared_->counts; }
  std::uint64_t disconnects() const { return shared_->disconnects; }
  std::string first_disconnect() const { return shared_->first_disconnect; }

 private:
  // A mapping of both processes. The callees' process writes all but `stop`.
  struct Shared {
    std::atomic<bool> ready = false;
    std::atomic<bool> failed = false;  // the texts say why
    std::atomic<bool> stop = false;
    std::atomic<bool> done = false;
    CheckCounts counts;
    std::uint64_t disconnects = 0;
    char first_disconnect[256] = {};
    char failure_cause[384] = {};
    char failure_remedy[384] = {};
  };

  [[noreturn]] void serve();
  void fail(const client::Failure& failure);
  std::optional<client::Failure> wait_for(const std::atomic<bool>& flag);

  const FanoutOptions& options_;
  const std::uint32_t run_;
  Shared* shared_;
  pid_t pid_ = -1;
};

}  // namespace ringcast::bench
