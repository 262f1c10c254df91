// What one run is to do, and who publishes what to whom in it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/bench/codec.h"
#include "client/failure.h"
#include "client/ws_url.h"

namespace ringcast::bench {

struct FanoutOptions {
  client::WsUrl url;
  std::string realm = "realm1";
  Protocol protocol = Protocol::msgpack;
  std::uint32_t subscribers = 100;  // 0 in ingest
  std::uint32_t publishers = 1;     // 0 in idle
  std::uint32_t topics = 1;
  std::size_t payload_bytes = 128;  // with a replay, on average
  std::uint32_t window = 64;        // broadcasts in flight per publisher, calls per caller
  double rate_per_s = 0;            // of all publishers or callers together; 0: window decides
  double zipf = 0;                  // exponent by which topics are chosen; 0: in turn
  double duration_s = 5;
  double warmup_s = 1;
  std::uint64_t bytes_max = 0;  // of payload published, that end the run; 0: duration decides
  double stall_s = 5;           // nothing arrives for so long while something is due: the run ends
  double connect_timeout_s = 60;
  std::vector<pid_t> server_pids;
  std::string congestion;            // TCP_CONGESTION of our sockets; empty: the system's
  std::vector<std::string> sources;  // addresses that connections are bound to in turn
  std::uint32_t processes = 1;
  std::uint32_t stalled = 0;       // further subscribers that do not read
  double churn_rate = 0;           // further connections per second that come and go
  std::uint32_t churners = 200;    // at a time
  std::uint32_t concurrency = 64;  // mode connect: connections at a time
  std::uint32_t callers = 1;       // mode rpc
  std::uint32_t callees = 1;       // mode rpc: each has a procedure, and callers call them in turn
  bool callees_apart = false;      // mode rpc: in a process of their own
  std::string replay;              // file whose records are the payloads; empty: padding
  bool allow_disconnects = false;
  bool spin = false;      // poll without sleeping: the server never pays for waking us
  bool progress = false;  // a live line on standard error

  bool windowed() const { return rate_per_s <= 0; }

  // With fewer publishers than topics each publisher serves its topics: number p serves p, p+P,
  // p+2P, …; else publisher p serves topic p mod T. Subscriber s has topic s mod T.
  std::uint32_t publishers_of_topic(std::uint32_t topic) const {
    return publishers >= topics ? (publishers - topic - 1) / topics + 1 : 1;
  }
  std::uint32_t topic_of_subscriber(std::uint32_t subscriber) const { return subscriber % topics; }

  // A lane is what one publisher sends to one topic, numbered from 0.
  std::uint32_t lanes() const { return publishers >= topics ? publishers : topics; }
  std::uint32_t publisher_of_lane(std::uint32_t lane) const { return lane % publishers; }
  std::uint32_t topic_of_lane(std::uint32_t lane) const { return lane % topics; }
  std::uint32_t lane_of(std::uint32_t publisher, std::uint32_t topic) const {
    return publishers >= topics ? publisher : topic;
  }
  // Which of its topic's publishers it is.
  std::uint32_t place_of_publisher(std::uint32_t publisher) const {
    return publishers > topics ? publisher / topics : 0;
  }
  // The lanes of a topic are numbers topic, topic+T, topic+2T, …; those of a publisher p, p+P, ….
  std::uint32_t lane_of_topic(std::uint32_t topic, std::uint32_t i) const {
    return topic + i * topics;
  }

  // Connections are shared out over the processes in turn.
  static std::uint32_t share(std::uint32_t count, std::uint32_t processes, std::uint32_t process) {
    return (count + processes - process - 1) / processes;
  }
};

enum class Mode : std::uint8_t;

// Why the options contradict each other; nothing if they do not.
std::optional<client::Failure> check(const FanoutOptions& options, Mode mode);

}  // namespace ringcast::bench
