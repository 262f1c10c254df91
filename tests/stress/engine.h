// Many WebSocket connections to the broker under test on one thread: epoll, non-blocking sockets,
// every way of ending a connection that TCP and WebSocket know.
//
// An Engine and its Links belong to one thread. Links are owned by the check; one is not destroyed
// inside a call of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/stress/clock.h"
#include "wire/bytes.h"
#include "wire/frame_writer.h"

namespace ringcast::stress {

class Link;

class Engine {
 public:
  Engine();
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Sends what is queued, waits up to `timeout_ms` for the network, handles what came.
  void turn(int timeout_ms);

  // Until `done` says so, at most `timeout_ms`; false if that passed.
  template <typename Done>
  bool turn_until(std::int64_t timeout_ms, Done&& done);

 private:
  friend class Link;
  struct Slot {
    Link* link = nullptr;
    std::uint32_t generation = 0;  // moves on when the slot is left: events of before are not taken
  };

  std::uint32_t enter(Link& link);
  void leave(std::uint32_t slot);
  void watch(Link& link, bool first);
  void flush_dirty();

  int epoll_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<Link*> dirty_;
  std::vector<char> buffer_;  // what is being received, for one link at a time
  std::uint32_t mask_ = 0x9E3779B9;
};

class Link {
 public:
  enum class State : std::uint8_t { idle, connecting, upgrading, open, ended };

  explicit Link(Engine& engine) : engine_(engine) {}
  virtual ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  struct Target {
    std::uint16_t port = 0;
    std::uint32_t source = 0x7F000001;  // the address to connect from; all of 127/8 is this host
    int receive_buffer_bytes = 0;       // 0: the system's default
  };
  // REQUIRES: idle or ended.
  void connect(const Target& target);

  State state() const { return state_; }
  bool ended() const { return state_ == State::ended; }
  std::size_t unsent() const { return out_.size() - out_begin_; }

  // As one masked frame.
  void send_frame(wire::Opcode opcode, wire::Bytes payload);
  // As they are.
  void send_raw(wire::Bytes bytes);

  // Ends of our own; on_end() is not called.
  void reset();      // RST, at once; what is queued is sent before if the socket takes it
  void close_now();  // close(2): FIN, or RST if something was not read

  // FIN behind what is queued; the link goes on reading until the broker's end.
  void finish();

  // A link that is not read at all, not even by the engine's watching it.
  void stop_reading();
  void resume_reading();

 protected:
  virtual void on_open() = 0;  // the upgrade is done
  virtual void on_frame(wire::Opcode opcode, wire::Bytes payload) = 0;
  // The broker ended it: 0 for an orderly end, else an errno. The socket is closed already.
  virtual void on_end(int error) = 0;
  // The upgrade was answered with another status. Fails by default.
  virtual void on_refused(unsigned status, const std::string& body);
  // What is sent as soon as there is a connection; an upgrade request by default.
  virtual std::string opening() const;

 private:
  friend class Engine;
  void handle(std::uint32_t events);
  void receive();
  std::size_t take(wire::Bytes bytes);
  std::size_t take_frames(wire::Bytes bytes);
  void flush();
  void mark_dirty();
  void release_socket();

  Engine& engine_;
  int fd_ = -1;
  std::uint32_t slot_ = 0;
  State state_ = State::idle;
  bool dirty_ = false;
  bool want_write_ = false;
  bool reading_ = true;
  bool write_broken_ = false;  // sending has failed; what there is to read says why
  bool finish_when_sent_ = false;
  std::string out_;
  std::size_t out_begin_ = 0;
  std::string pending_;  // received bytes of a frame that is not whole yet
};

template <typename Done>
bool Engine::turn_until(std::int64_t timeout_ms, Done&& done) {
  const std::int64_t deadline = now_ms() + timeout_ms;
  while (!done()) {
    if (now_ms() >= deadline) return false;
    turn(1);
  }
  return true;
}

}  // namespace ringcast::stress
