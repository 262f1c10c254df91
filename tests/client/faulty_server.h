// A publish-subscribe server that wrongs its first subscriber on purpose, and counts how often:
// what ringcast-bench is to find out, no more and no less. Speaks plain WebSocket as bench does, or
// WAMP.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/bench/stamp.h"
#include "tests/client/ws_server.h"
#include "wire/decode.h"
#include "wire/serializer.h"

namespace ringcast::test {

enum class Dialect { raw, msgpack, json };
std::string name_of(Dialect dialect);  // as ringcast-bench's --protocol has it

enum class Fault {
  none,
  // To one message in ten, five times in all, so that each is made good or forgotten long before
  // the run ends:
  drop,
  duplicate,
  swap,                // with the one behind it
  late,                // comes after the nine behind it
  other_topic,         // one that it did not subscribe to, besides its own
  other_subscription,  // WAMP: its own, under another topic's id
  anothers_copy,       // WAMP, ids being each session's own: the first subscriber's event
  stray_answer,        // WAMP: besides its own, an answer to somebody else's request
  garbage,             // WAMP: besides its own, a frame that holds no message
  wrong_type,          // text for binary, binary for text
  echo,                // the publisher gets it too
  flip_payload,        // a bit of the padding
  flip_sequence,       // a bit of that field
  flip_topic,
  flip_publisher,
  truncate,
  forge_sequence,  // the field is another one, and the checksum right
  forge_topic,
  forge_publisher,
  forge_publisher_within,  // in the name of another publisher that exists
  replay,  // in a later run: the first message of the first run, besides the right one
  // Once:
  drop_then_close,  // the one behind the dropped one still comes
  reserved_bit,     // a frame that no client may accept
  close,            // with a close frame
  cut,              // without
  cut_in_frame,     // in the middle of a frame
  fall_silent,      // nothing more for this subscriber
  pause,            // for a second, of the whole server
};

// Who is wronged. Bench compares what a topic's later subscribers get with what the first got; the
// newest is one that comes and goes, and is wronged without end.
enum class Victim { first, second, newest };

// What the server has seen.
struct Seen {
  std::uint64_t opened = 0;                           // connections
  std::uint64_t open_most = 0;                        // at a time
  std::map<std::string, std::uint64_t> addresses;     // connections from each
  std::map<std::string, std::uint64_t> publications;  // to each topic
  std::vector<std::string> texts;  // of the first publications: what stands behind the stamp
};

// How it treats everybody.
struct Manners {
  std::size_t connection_bytes = 0;  // memory that it takes for each
  std::size_t queue_bytes_max = 0;   // who has more due is closed as a slow reader; 0: no bound
  std::uint64_t spared = 0;          // so many, the first to connect, are never wronged
};

class FaultyServer {
 public:
  FaultyServer(Dialect dialect, Fault fault, Victim victim = Victim::first, Manners manners = {});

  std::string url() const { return server_->url("/"); }
  // How often it has done wrong.
  std::uint64_t faults() const { return faults_; }
  Seen seen() const;

 private:
  struct Client {
    std::string ballast;
    bool subscriber = false;
    std::string topic;
    std::uint64_t subscription = 0;  // WAMP
  };

  void on_open(const WsServer::Peer& peer);
  void note(const std::string& topic, const std::string& payload);
  void on_message(WsServer::Peer& from, wire::Bytes message);
  void on_wamp(WsServer::Peer& from, wire::Bytes bytes);
  void on_publication(WsServer::Peer& from, const std::string& topic, const std::string& payload);
  WsServer::Peer* find_victim();
  void serve_victim(WsServer::Peer& from, WsServer::Peer& victim, const std::string& payload);
  void do_wrong(WsServer::Peer& from, WsServer::Peer& victim, const std::string& payload);
  void damage(WsServer::Peer& victim, std::string payload);
  std::uint64_t times() const;
  bool due(std::uint64_t times);
  bool of_another_run(const std::string& payload) const;
  void deliver(WsServer::Peer& to, const std::string& payload);
  void deliver_as(WsServer::Peer& to, const std::string& payload, std::uint64_t subscription);

  const Dialect dialect_;
  const Fault fault_;
  const Victim victim_;
  const Manners manners_;
  const bench::StampForm form_;
  const wire::Serializer serializer_;
  wire::Decoder decoder_;
  std::map<std::uint64_t, Client> clients_;             // by peer
  std::map<std::string, std::uint64_t> subscriptions_;  // id by topic
  std::uint64_t publications_ = 0;
  std::uint64_t considered_ = 0;  // messages that due() was asked about
  std::uint64_t held_until_ = 0;  // considered_, when held_ is let go
  std::string held_;
  std::optional<std::uint64_t> closes_at_;  // considered_, when a victim is closed
  std::string first_;                       // ever
  std::uint64_t first_subscription_ = 0;    // of the first subscriber
  bool silent_ = false;
  mutable std::mutex mutex_;
  Seen seen_;
  std::uint64_t open_ = 0;
  std::atomic<std::uint64_t> faults_ = 0;
  std::unique_ptr<WsServer> server_;  // last: its thread uses the rest
};

}  // namespace ringcast::test
