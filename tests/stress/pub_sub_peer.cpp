#include "tests/stress/pub_sub_peer.h"

#include <algorithm>
#include <cstring>

#include "tests/stress/verdict.h"

namespace ringcast::stress {
namespace {

std::string topic_name(std::uint32_t topic) { return fmt::format("stress.peer.{}", topic); }

}  // namespace

void Peer::join() {
  for (std::uint32_t topic = 0; topic < kPeerTopics; ++topic) {
    const std::uint64_t request = subscribe(topic_name(topic));
    if (topic == 0) first_request_ = request;
  }
}

void Peer::speak(Run& run, std::size_t size) {
  const std::uint64_t sequence = ++run.sent;
  world_.sent[run.id] = sequence;
  const auto topic = static_cast<std::uint32_t>(sequence % kPeerTopics);
  const Note note{.topic = topic, .addressee = 0, .publisher = run.id, .sequence = sequence};
  run_speaking_ = run.id;
  unacknowledged_.push_back({publish(topic_name(topic), note, true, size), &run});
}

std::uint64_t Peer::heard(const Run& run) const {
  const auto found = last_.find(run.id);
  return std::max(found == last_.end() ? 0 : found->second, sent_before(run.id));
}

bool Peer::expects(const Run& run) const { return subscribed() && run.id != run_speaking_; }

void Peer::on_welcome(std::uint64_t session) {
  if (welcome_) misdelivered("a second WELCOME, for session {}", session);
  welcome_ = true;
}

void Peer::on_subscribed(std::uint64_t request, std::uint64_t subscription) {
  // Topics have different homes, so their answers come in any order.
  const std::uint64_t topic = request - first_request_;
  if (first_request_ == 0 || topic >= kPeerTopics) {
    misdelivered("SUBSCRIBED for request {}, which this session never made", request);
  }
  std::uint64_t& known = world_.subscriptions[topic];
  if (known == 0) known = subscription;
  if (known != subscription) {
    fail("topic {} had subscription id {} and now has {}, though it was held all the time", topic,
         known, subscription);
  }
  if (++subscribed_ == kPeerTopics) sent_before_ = world_.sent;
}

void Peer::on_published(std::uint64_t request, std::uint64_t publication) {
  if (unacknowledged_.empty() || unacknowledged_.front().request != request) {
    misdelivered("PUBLISHED {} ({}) comes out of turn or to another session", request, publication);
  }
  ++unacknowledged_.front().run->acknowledged;
  unacknowledged_.pop_front();
}

void Peer::on_event(std::uint64_t subscription, std::uint64_t, const Note& note) {
  if (note.topic >= kPeerTopics || note.publisher >= world_.sent.size() ||
      note.sequence > world_.sent[note.publisher] ||
      world_.subscriptions[note.topic] != subscription) {
    misdelivered("note {} of run {} on topic {} comes as one of subscription {}", note.sequence,
                 note.publisher, note.topic, subscription);
  }
  if (note.publisher == run_speaking_) misdelivered("a publisher gets its own note");
  std::uint64_t& last = last_[note.publisher];
  // Before all SUBSCRIBED are there, only some of the topics are heard.
  const bool gap_allowed = !subscribed() || note.sequence <= sent_before(note.publisher) + 1;
  if (note.sequence != last + 1 && (note.sequence <= last || !gap_allowed)) {
    fail("a session on worker {} gets note {} of run {} after note {}", worker, note.sequence,
         note.publisher, last);
  }
  last = note.sequence;
  ++world_.events;
}

void Peer::on_goodbye(wire::Bytes reason) {
  if (!end_expected_) Session::on_goodbye(reason);
}

void Peer::on_close(std::uint16_t code, wire::Bytes reason) {
  if (!end_expected_) Session::on_close(code, reason);
  close_code_ = code;
  close_frame();  // its answer: the broker need not wait for it
}

void Peer::on_end(int error) {
  if (!end_expected_) {
    fail("a session on worker {} loses its connection: {}", worker,
         error == 0 ? "end of stream" : std::strerror(error));
  }
}

}  // namespace ringcast::stress
