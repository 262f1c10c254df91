#include "tests/stress/churn_member.h"

#include <algorithm>
#include <cstring>

#include "tests/stress/verdict.h"

namespace ringcast::stress {

Member::Member(Engine& engine, World& world) : Session(engine, 0), world_(world) { be_reborn(); }

Member::~Member() { withdraw(); }

void Member::be_reborn() {
  withdraw();
  uid_ = world_.next_uid();
  number_from(world_.first_request(uid_));
  welcome_ = false;
  held_.clear();
  unanswered_ = 0;
  unacknowledged_.clear();
  private_sent_ = 0;
}

void Member::enlist() {
  place_ = world_.addressees.size();
  world_.addressees.push_back(this);
}

void Member::withdraw() {
  if (place_ == SIZE_MAX) return;
  auto& all = world_.addressees;
  all[place_] = all.back();
  all[place_]->place_ = place_;
  all.pop_back();
  place_ = SIZE_MAX;
}

void Member::join(std::uint32_t topic) {
  Held held;
  held.topic = topic;
  held.request = subscribe(World::topic_name(topic, uid_));
  held_.push_back(held);
  ++unanswered_;
}

void Member::leave_any() {
  const auto found = std::find_if(held_.begin(), held_.end(), [](const Held& held) {
    return held.topic < kSharedTopics && held.subscription != 0 && !held.leaving;
  });
  if (found == held_.end()) return;
  found->leaving = true;
  found->request = unsubscribe(found->subscription);
}

void Member::tell(std::uint32_t topic, std::uint64_t sequence, bool acknowledge) {
  const Note note{.topic = topic, .addressee = 0, .publisher = uid_, .sequence = sequence};
  const std::uint64_t request = publish(World::topic_name(topic, 0), note, acknowledge);
  if (acknowledge) unacknowledged_.push_back({request, topic, sequence});
}

void Member::tell_privately(Member& addressee, bool acknowledge) {
  const Note note{.topic = kPrivate,
                  .addressee = addressee.uid_,
                  .publisher = uid_,
                  .sequence = ++addressee.private_sent_};
  const std::uint64_t request =
      publish(World::topic_name(kPrivate, addressee.uid_), note, acknowledge);
  if (acknowledge) unacknowledged_.push_back({request, kPrivate, note.sequence});
}

void Member::on_welcome(std::uint64_t session) {
  if (welcome_) misdelivered("session {} gets a second WELCOME", uid_);
  welcome_ = true;
  world_.learn_session(session);
  ++checked_[kReplies];
}

void Member::on_subscribed(std::uint64_t request, std::uint64_t subscription) {
  const auto found = std::find_if(held_.begin(), held_.end(), [&](const Held& held) {
    return held.request == request && held.subscription == 0;
  });
  if (found == held_.end()) {
    misdelivered("session {} gets SUBSCRIBED for request {} (of session {}), which it never made",
                 uid_, request, request >> 20);
  }
  world_.learn_subscription(found->topic, uid_, subscription);
  found->subscription = subscription;
  --unanswered_;
  if (found->topic == kPrivate) enlist();
  ++checked_[kReplies];
}

void Member::on_unsubscribed(std::uint64_t request) {
  const auto found = std::find_if(held_.begin(), held_.end(), [&](const Held& held) {
    return held.leaving && held.request == request;
  });
  if (found == held_.end()) {
    misdelivered("session {} gets UNSUBSCRIBED for request {} (of session {}), which it never made",
                 uid_, request, request >> 20);
  }
  held_.erase(found);  // an event of it after this is one of nobody's
  ++checked_[kReplies];
}

void Member::on_published(std::uint64_t request, std::uint64_t publication) {
  if (unacknowledged_.empty() || unacknowledged_.front().request != request) {
    misdelivered("session {} gets PUBLISHED for request {} (of session {}), awaiting {}", uid_,
                 request, request >> 20,
                 unacknowledged_.empty() ? 0 : unacknowledged_.front().request);
  }
  const Unacknowledged told = unacknowledged_.front();
  unacknowledged_.pop_front();
  if (told.topic < kSharedTopics) {
    world_.learn_publication(uid_ - 1, told.topic, told.sequence, publication);
  }
  ++checked_[kReplies];
}

void Member::on_event(std::uint64_t subscription, std::uint64_t publication, const Note& note) {
  const auto found = std::find_if(held_.begin(), held_.end(), [&](const Held& held) {
    return held.subscription == subscription;
  });
  if (subscription == 0 || found == held_.end()) {
    misdelivered(
        "session {} gets an event of subscription {}, which it does not hold (topic {}, "
        "addressee {}, publisher {}, number {})",
        uid_, subscription, note.topic, note.addressee, note.publisher, note.sequence);
  }
  const std::uint64_t addressee = found->topic == kPrivate ? uid_ : 0;
  if (note.topic != found->topic || note.addressee != addressee || note.publisher == uid_ ||
      note.publisher == 0 || note.publisher > world_.last_uid()) {
    misdelivered(
        "session {} gets a note for session {} on topic {} by session {} (number {}) as "
        "one of its topic {}",
        uid_, note.addressee, note.topic, note.publisher, note.sequence, found->topic);
  }
  if (found->topic == kGossip) return check_gossip(note);
  check_order(*found, publication, note);
}

void Member::check_order(Held& held, std::uint64_t publication, const Note& note) {
  if (note.publisher > kPublishers) {
    misdelivered("session {} gets a note of session {}, which publishes nothing on topic {}", uid_,
                 note.publisher, note.topic);
  }
  const std::size_t publisher = note.publisher - 1;
  std::uint64_t& last = held.last[publisher];
  const bool first = last == 0 && !from_the_beginning();
  if (first ? note.sequence == 0 : note.sequence != last + 1) {
    fail("session {} gets note {} of publisher {} on topic {} after note {}", uid_, note.sequence,
         publisher, note.topic, last);
  }
  last = note.sequence;
  if (held.topic == kPrivate) {
    if (note.sequence > private_sent_) fail("session {} gets a note that nobody sent", uid_);
    ++checked_[kPrivates];
    return;
  }
  if (note.sequence > world_.sequence(publisher, note.topic)) {
    fail("session {} gets note {} of publisher {}, which has only sent {}", uid_, note.sequence,
         publisher, world_.sequence(publisher, note.topic));
  }
  world_.learn_publication(publisher, note.topic, note.sequence, publication);
  ++checked_[kShared];
  on_shared();
}

void Member::check_gossip(const Note& note) {
  std::uint64_t& last = gossip_last_[note.publisher];
  if (note.sequence != last + 1) {
    fail("session {} gets gossip {} of session {} after gossip {}", uid_, note.sequence,
         note.publisher, last);
  }
  last = note.sequence;
  ++checked_[kGossips];
}

std::uint64_t Steady::shared_due() const {
  std::uint64_t due = 0;
  for (std::size_t p = 0; p < kPublishers; ++p) {
    if (uid() != p + 1) due += world_.published(p);
  }
  return due;
}

void Steady::on_close(std::uint16_t code, wire::Bytes reason) {
  if (!ending_) fail("steady session {} is closed with code {}: {}", uid(), code, reason);
}

void Steady::on_end(int error) {
  if (!ending_ || error != 0) {
    fail("steady session {} loses its connection: {}", uid(),
         error == 0 ? "end of stream" : std::strerror(error));
  }
}

}  // namespace ringcast::stress
