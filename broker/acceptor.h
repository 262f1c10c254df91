// The acceptor thread: io_uring multishot accept on every listener; each accepted fd goes to the
// least loaded live worker over that worker's control socket, with others that came at the same
// time in one message. It parses no byte from the network.
//
// Made and stopped by the supervisor's main thread. The control sockets are shared with it: each
// message is one system call, and both only send.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "broker/listener.h"
#include "ring/segment.h"
#include "worker/clock.h"
#include "worker/control.h"
#include "worker/io_ring.h"

namespace ringcast::broker {

class Acceptor {
 public:
  // `control_sockets[w]` is the supervisor's end of worker w's control socket. The listeners are
  // owned from here on.
  Acceptor(ring::Segment& segment, std::vector<Listener> listeners,
           std::vector<int> control_sockets);
  ~Acceptor();  // stops
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Why the thread could not set up its io_uring; empty if it runs.
  std::string start();
  // Stops accepting and closes the listeners; synchronous.
  void stop();

 private:
  static constexpr std::size_t kPendingMax =
      1024;  // accepted sockets that no worker could take yet

  // Handed to a worker and not yet taken: a worker that is stopped keeps no more of them from the
  // others. Two messages, so that one that a worker has died with does not close its door.
  static constexpr std::uint64_t kUntakenMax = 2 * worker::kPassedFdsMax;

  void run();
  void wait();
  io_uring_sqe* prepare(std::uint64_t tag);
  void arm_accept(std::size_t listener);
  void handle(std::uint64_t tag, int result, unsigned flags);
  void take(int fd);
  void hand_over();
  bool pass_on(std::uint32_t worker);
  std::uint32_t least_loaded(std::uint64_t refusing) const;
  void rearm_exhausted();
  std::uint64_t load_of(std::uint32_t worker) const;
  bool takes_more(std::uint32_t worker) const;

  ring::Segment& segment_;
  std::vector<Listener> listeners_;
  std::vector<int> control_sockets_;
  int stop_fd_ = -1;
  std::thread thread_;
  io_uring ring_{};
  bool stopping_ = false;              // the thread only
  std::vector<std::uint64_t> handed_;  // connections given to each worker, staged ones included
  std::vector<std::vector<int>>
      staged_;  // of each worker, for its next message; empty between turns
  std::size_t accepted_in_turn_ = 0;
  worker::TimeMs rearm_at_ms_ = 0;
  std::vector<std::size_t> exhausted_;  // listeners whose accept ended for lack of fds
  std::deque<int> pending_;             // accepted, oldest first
  std::uint32_t next_ = 0;              // where the search for the least loaded begins
};

}  // namespace ringcast::broker
