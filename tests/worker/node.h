// A whole node in one process: real workers as threads over one segment, with the channels that a
// supervisor makes for them, and accepted loopback sockets handed to the worker of the test's
// choice. Threads on one mapping, because ThreadSanitizer sees no race between two.
//
// A worker may be a puppet: the test holds its end of the rings and decides when they are drained,
// which is how back-pressure and late answers are made to happen without a clock.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/worker/recorder.h"
#include "tests/worker/test_client.h"
#include "worker/worker.h"

namespace ringcast::worker::test {

struct NodeSettings {
  std::uint32_t workers = 2;
  std::uint64_t puppets = 0;  // bit per worker
  std::uint32_t slots = 256;
  std::size_t arena_bytes = 8u << 20;
  WorkerOptions options = {};
};

// Looks again and again until it holds; false, and a failure, if it never does.
bool eventually(const char* what, const std::function<bool()>& holds);

class Node {
 public:
  // Returns when every worker is live and knows of the puppets.
  explicit Node(NodeSettings settings = {});
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  ring::Segment& segment() { return *segment_; }
  std::uint64_t count(std::uint32_t worker, ring::Counter counter) const {
    return segment_->block(worker).counters.get(counter);
  }
  std::uint64_t total(ring::Counter counter) const;

  // A connected socket whose other end the worker has been handed. Any thread.
  int connect(std::uint32_t worker);
  // Upgraded and greeted.
  std::unique_ptr<TestClient> client(std::uint32_t worker,
                                     wire::Serializer serializer = wire::Serializer::json);

  // Ends a worker as a crash would, all its memory with it, and tells the others.
  void kill(std::uint32_t worker);
  void start(std::uint32_t worker);
  void wait_live(std::uint32_t worker);
  void drain(std::uint32_t worker, std::uint32_t timeout_ms);
  void join(std::uint32_t worker);

  Peers& puppet(std::uint32_t worker) { return *places_[worker].puppet; }
  Recorder& told(std::uint32_t worker) { return places_[worker].told; }
  // Lets the puppet look at its rings once.
  void drain_puppet(std::uint32_t worker);
  // The puppet dies with all it had in hand, and its next incarnation turns live.
  void restart_puppet(std::uint32_t worker);

  std::uint64_t hash(std::string_view topic) const;
  // A topic whose home is that worker.
  std::string topic_at(std::uint32_t home, std::string_view prefix = "com.example") const;

 private:
  struct Place {
    int control = -1;
    int control_worker = -1;
    std::thread thread;
    std::unique_ptr<Peers> puppet;
    Recorder told;
  };
  void start_puppet(std::uint32_t worker);
  void run(std::uint32_t worker);
  void wake_all();
  bool is_puppet(std::uint32_t worker) const { return (settings_.puppets >> worker & 1) != 0; }

  NodeSettings settings_;
  std::unique_ptr<ring::Segment> segment_;
  std::vector<int> wake_fds_;
  std::vector<Place> places_;
  int listener_ = -1;
  std::mutex connecting_;
};

}  // namespace ringcast::worker::test
