// A WAMP router for tests that does what the test tells it: routes, refuses, falls silent, hangs
// up.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "tests/client/ws_server.h"
#include "wire/decode.h"
#include "wire/message.h"

namespace ringcast::test {

struct RouterScript {
  unsigned http_status = 0;              // refuse the upgrade with this
  std::string subprotocol;               // answer with this instead of the one offered
  std::string abort_reason;              // answer HELLO with ABORT
  std::string subscribe_error;           // answer SUBSCRIBE with ERROR
  std::string publish_error;             // answer PUBLISH with ERROR
  std::uint64_t hang_up_at_publish = 0;  // drop the connection at this PUBLISH, counted from 1
  std::uint64_t close_at_publish = 0;    // close it with 1008 "too fast"
  bool silent_hello = false;             // never answer HELLO
  bool acknowledge_after_pong = false;   // collect PUBLISH, ping, acknowledge them at the pong
  bool silent_goodbye = false;           // never answer GOODBYE
  std::string event_on_subscribe;  // send this payload (a JSON list) as an event to each subscriber
  std::string goodbye_on_subscribe;  // end the session with this reason after SUBSCRIBED
};

class FakeRouter {
 public:
  explicit FakeRouter(RouterScript script = {});

  std::string url() const { return server_->url(); }

  struct Published {
    std::string topic;
    std::string args;    // as JSON text
    std::string kwargs;  // as JSON text
    bool acknowledge = false;
    bool operator==(const Published&) const = default;
    friend void PrintTo(const Published& p, std::ostream* out) {
      *out << p.topic << ' ' << p.args << ' ' << p.kwargs << (p.acknowledge ? " acknowledged" : "");
    }
  };
  std::vector<Published> published() const;
  // The most that one session ever had unacknowledged.
  std::uint64_t unacknowledged_max() const;
  // Sessions that said GOODBYE.
  std::uint64_t goodbyes() const;

 private:
  struct Session {
    wire::Serializer serializer = wire::Serializer::json;
    std::unique_ptr<wire::Decoder> decoder;
    std::set<std::uint64_t> subscriptions;
    std::vector<std::uint64_t> unacknowledged;  // requests, while acknowledge_after_pong
  };

  void take(WsServer::Peer& peer, wire::Bytes bytes);
  void on_hello(WsServer::Peer& peer, Session& session);
  void on_subscribe(WsServer::Peer& peer, Session& session, const wire::Subscribe& subscribe);
  void on_publish(WsServer& server, WsServer::Peer& peer, Session& session,
                  const wire::Publish& publish);
  void acknowledge(WsServer::Peer& peer, const Session& session, std::uint64_t request);
  void send(WsServer::Peer& peer, const Session& session, const std::string& message);

  const RouterScript script_;
  std::map<std::uint64_t, Session> sessions_;           // by peer
  std::map<std::string, std::uint64_t> subscriptions_;  // id by topic
  std::uint64_t publishes_ = 0;
  mutable std::mutex mutex_;
  std::vector<Published> published_;
  std::uint64_t goodbyes_ = 0;
  std::uint64_t unacknowledged_max_ = 0;
  std::unique_ptr<WsServer> server_;  // last: its thread uses the rest
};

}  // namespace ringcast::test
