// What one fan-out run is to do, and who publishes what to whom in it.
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
  std::uint32_t subscribers = 100;
  std::uint32_t publishers = 1;
  std::uint32_t topics = 1;
  std::size_t payload_bytes = 128;
  std::uint32_t window = 64;  // broadcasts in flight per publisher
  double rate_per_s = 0;      // of all publishers together; 0: window decides
  double duration_s = 5;
  double warmup_s = 1;
  double stall_s = 5;  // nothing arrives for so long while something is due: the run ends
  double connect_timeout_s = 60;
  std::vector<pid_t> server_pids;
  std::string congestion;  // TCP_CONGESTION of our sockets; empty: the system's
  bool allow_disconnects = false;
  bool spin = false;      // poll without sleeping: the server never pays for waking us
  bool progress = false;  // a live line on standard error

  // With fewer publishers than topics each publisher serves its topics in turn: number p serves p,
  // p+P, p+2P, …; else publisher p serves topic p mod T. Subscriber s has topic s mod T.
  std::uint32_t topics_of_publisher(std::uint32_t publisher) const {
    return publishers >= topics ? 1 : (topics - publisher - 1) / publishers + 1;
  }
  std::uint32_t publishers_of_topic(std::uint32_t topic) const {
    return publishers >= topics ? (publishers - topic - 1) / topics + 1 : 1;
  }
  std::uint32_t topic_of_subscriber(std::uint32_t subscriber) const { return subscriber % topics; }
};

// Why the options contradict each other; nothing if they do not.
std::optional<client::Failure> check(const FanoutOptions& options);

}  // namespace ringcast::bench
