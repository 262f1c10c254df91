// The traffic of a run: publishes as window or rate allow, and checks and times every delivery. A
// LinkPool sink for the time after the set-up. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "client/bench/codec.h"
#include "client/bench/delivery_check.h"
#include "client/bench/fanout_options.h"
#include "client/bench/handshake.h"
#include "client/bench/histogram.h"
#include "client/bench/link_pool.h"

namespace ringcast::bench {

class Traffic {
 public:
  Traffic(const FanoutOptions& options, LinkPool& pool, const Handshake& handshake,
          MaskSource& masks);

  // Latencies of messages meant to be sent in [from, to) are recorded.
  void measure(std::int64_t from_ns, std::int64_t to_ns);
  void start(std::int64_t now);
  void publish_due();
  void stop() { stopped_ = true; }

  // True if publish_due() has something to do at once.
  bool has_work() const { return !to_serve_.empty(); }
  // When publish_due() wants to be called again if nothing arrives; the far future in window mode.
  std::int64_t next_due_ns() const;
  // True once every live subscriber has all that live publishers sent it, or later messages in
  // their place.
  bool settled() const;
  bool alive() const { return live_publishers_ > 0 && (live_subscribers_ > 0 || subscriberless_); }

  std::uint64_t deliveries() const { return deliveries_; }
  // Without subscribers: those that a pong has shown to be taken by the server.
  std::uint64_t publications() const { return subscriberless_ ? confirmed_ : published_; }
  std::uint64_t published() const { return published_; }
  // Deliveries, or publications without subscribers, that are due and have not come.
  std::uint64_t in_flight() const { return subscriberless_ ? published_ - confirmed_ : due_; }
  std::int64_t last_progress_ns() const { return last_progress_ns_; }
  std::uint64_t disconnects() const { return disconnects_; }
  const std::string& first_disconnect() const { return first_disconnect_; }
  const Histogram& latency() const { return latency_; }
  // With what is still missing counted as lost.
  CheckCounts final_counts() const;
  const CheckCounts& counts() const { return counts_; }

  std::size_t on_bytes(Link& link, wire::Bytes bytes, std::int64_t now);
  void on_writable(Link& link);
  void on_gone(Link& link, const std::string& why);

 private:
  // A publisher numbers its broadcasts by tickets, over all topics it serves in turn: ticket t is
  // sequence t / topics of its topic number t % topics.
  struct Publisher {
    std::uint32_t topics = 1;
    std::uint64_t sent = 0;      // tickets
    std::uint64_t finished = 0;  // tickets below are with all their subscribers
    std::uint64_t pinged = 0;    // without subscribers: tickets that the last ping stands behind
    std::vector<std::uint32_t> remaining;  // window mode: deliveries due, by ticket & window_mask_
    std::vector<Codec::Publication> publications;  // one for each topic
    bool dead = false;
    bool listed = false;  // in to_serve_
  };
  struct Subscriber {
    std::uint32_t topic = 0;
    bool dead = false;
    std::size_t first_check = 0;  // in checks_, one for each publisher of the topic
  };

  std::uint32_t topic_of(std::uint32_t publisher, std::uint64_t ticket) const;
  std::uint64_t sequences_sent(std::uint32_t publisher, std::uint32_t topic) const;
  void list(std::uint32_t publisher);
  void publish_window(std::uint32_t publisher);
  bool may_publish(std::uint32_t publisher);
  void publish_rate();
  void publish_one(std::uint32_t publisher, std::int64_t intended_ns);
  void send_ping(std::uint32_t publisher);
  bool on_message(Link& link, wire::Opcode opcode, wire::Bytes payload, std::int64_t now);
  void deliver(Link& link, wire::Bytes message, std::int64_t now);
  void settle(std::uint32_t publisher, std::uint64_t ticket);
  void on_control(Link& link, wire::Opcode opcode, wire::Bytes payload);
  template <typename Visit>
  void for_each_check(Visit&& visit) const;

  const FanoutOptions& options_;
  LinkPool& pool_;
  MaskSource& masks_;
  Codec codec_;
  const StampForm form_;
  const bool subscriberless_;
  const std::uint32_t run_;
  std::string padding_;
  std::uint64_t window_mask_ = 0;
  std::vector<Publisher> publishers_;
  std::vector<Subscriber> subscribers_;
  std::vector<std::uint32_t> live_in_topic_;
  std::vector<SequenceCheck> checks_;
  std::vector<std::uint32_t>
      to_serve_;  // publishers that may have something to publish or to flush
  std::uint32_t live_publishers_;
  std::uint32_t live_subscribers_;
  Histogram latency_;
  CheckCounts counts_;
  std::uint64_t deliveries_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t confirmed_ = 0;
  std::uint64_t due_ = 0;
  std::uint64_t disconnects_ = 0;
  std::string first_disconnect_;
  std::int64_t started_ns_ = 0;
  std::int64_t measured_from_ns_ = 0;
  std::int64_t measured_to_ns_ = 0;
  std::int64_t last_progress_ns_ = 0;
  std::uint64_t rate_index_ = 0;  // rate mode: publications made
  bool rate_blocked_ = false;     // rate mode: the next publisher's socket takes nothing
  bool stopped_ = false;
};

}  // namespace ringcast::bench
