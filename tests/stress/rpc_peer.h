// What callers and callees of the checks of calls have in common: a session that neither subscribes
// nor publishes, and whose end may be asked for. Same thread as its Engine.
#pragma once

#include <cerrno>
#include <cstring>

#include "tests/stress/rpc_world.h"
#include "tests/stress/session.h"
#include "tests/stress/verdict.h"

namespace ringcast::stress {

class RpcPeer : public Session {
 public:
  bool welcome() const { return welcome_; }
  std::uint64_t uid() const { return uid_; }

  // Closes in order; the broker's end is awaited.
  void leave() {
    leaving_ = true;
    close_frame();
  }

 protected:
  RpcPeer(Engine& engine, RpcWorld& world, std::uint64_t uid, std::uint64_t first_request)
      : Session(engine, first_request), world_(world), uid_(uid) {}

  RpcWorld& world_;
  bool leaving_ = false;  // its end has been asked for

  // Another session begins on the same link.
  void be_reborn() { welcome_ = false; }

  // The connection has ended, asked for or because a worker has died.
  virtual void on_gone() {}

  void on_goodbye(wire::Bytes reason) override {
    if (!leaving_) Session::on_goodbye(reason);
  }

  void on_welcome(std::uint64_t session) override {
    if (welcome_) misdelivered("session {} gets a second WELCOME, {}", uid_, session);
    welcome_ = true;
  }

 private:
  void on_event(std::uint64_t subscription, std::uint64_t, const Note&) final {
    misdelivered("session {} gets an event of subscription {}, and has none", uid_, subscription);
  }
  void on_subscribed(std::uint64_t request, std::uint64_t) final {
    misdelivered("session {} gets SUBSCRIBED {}, and has not asked", uid_, request);
  }
  void on_close(std::uint16_t code, wire::Bytes reason) final {
    if (!leaving_) Session::on_close(code, reason);
  }
  void on_refused(unsigned status, const std::string& body) final {
    if (!world_.workers_die) Session::on_refused(status, body);
    close_now();
    on_gone();
  }
  void on_end(int error) final {
    if (!leaving_ && !world_.workers_die) {
      fail("session {} loses its connection: {}", uid_,
           error == 0 ? "end of stream" : std::strerror(error));
    }
    on_gone();
  }

  std::uint64_t uid_;
  bool welcome_ = false;
};

}  // namespace ringcast::stress
