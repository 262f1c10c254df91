#include "worker/retention.h"

#include <bit>
#include <utility>

#include "worker/kept_event.h"
#include "worker/random_seed.h"

namespace ringcast::worker {

Retention::Retention(ring::Segment& segment, std::uint32_t self, Peers& peers,
                     RetentionClient& client)
    : segment_(segment),
      self_(self),
      peers_(peers),
      client_(client),
      counters_(segment.block(self).counters),
      next_token_(random_seed()) {}

void Retention::keep(const Publication& publication) {
  // Which was retained last is told by the order in which they come, not by a time.
  events_.put(publication.realm, EventToKeep(publication, 0).view());
  report();
}

void Retention::report() {
  counters_.set(ring::Counter::retained_events, events_.size());
  counters_.set(ring::Counter::retained_bytes, events_.bytes());
}

RetainedQuery Retention::Fetch::query() const {
  RetainedQuery query{.realm = realm, .match = match, .uri = uri};
  if (begun) query.after = after;
  return query;
}

void Retention::fetch(const RetainedReceiver& receiver, const TopicKey& key) {
  // An exact topic has one home; a pattern is for topics of any.
  std::uint64_t workers = peers_.live() | std::uint64_t{1} << self_;
  if (key.match == wire::MatchPolicy::exact) {
    workers &= std::uint64_t{1} << home_of(key.hash, segment_.workers());
  }
  for (; workers != 0; workers &= workers - 1) {
    const std::uint64_t token = next_token_++;
    Fetch& fetch = fetches_[token];
    fetch.receiver = receiver;
    fetch.from = static_cast<std::uint32_t>(std::countr_zero(workers));
    fetch.realm = key.realm;
    fetch.match = key.match;
    fetch.uri = key.uri;
    sessions_[receiver.who.packed()].waiting.push_back(token);
  }
  begin_next(receiver.who);
}

bool Retention::full(ring::ConnectionId who) const {
  if (fetches_.size() >= kFetchesMax) return true;
  const auto found = sessions_.find(who.packed());
  return found != sessions_.end() && found->second.waiting.size() >= kFetchesOfSessionMax;
}

// What nobody waits for any more, or nobody can answer, is passed over.
void Retention::begin_next(ring::ConnectionId who) {
  const auto found = sessions_.find(who.packed());
  Fetching& fetching = found->second;
  while (fetching.under_way < kUnderWayMax && !fetching.waiting.empty()) {
    const auto next = fetches_.find(fetching.waiting.front());
    fetching.waiting.pop_front();
    Fetch& fetch = next->second;
    const bool answers = fetch.from == self_ || (peers_.live() >> fetch.from & 1) != 0;
    if (!answers || client_.receiver_state(fetch.receiver) == RetentionClient::State::gone) {
      fetches_.erase(next);
      continue;
    }
    ++fetching.under_way;
    fetch.under_way = true;
    begin(next->first, fetch);
  }
  if (fetching.under_way == 0 && fetching.waiting.empty()) sessions_.erase(found);
}

void Retention::begin(std::uint64_t token, Fetch& fetch) {
  if (client_.receiver_state(fetch.receiver) == RetentionClient::State::busy) {
    fetch.waits = true;
  } else if (fetch.from == self_) {
    due_.push_back(token);
  } else {
    ask(token, fetch);
  }
}

// REQUIRES: it is under way.
void Retention::finish(Fetches::iterator fetch) {
  const ring::ConnectionId who = fetch->second.receiver.who;
  fetches_.erase(fetch);
  --sessions_.at(who.packed()).under_way;
  begin_next(who);
}

// REQUIRES: it is in fetches_, and may be erased.
void Retention::ask(std::uint64_t token, Fetch& fetch) {
  fetch.waits = false;
  if (fetch.from != self_) {
    peers_.send(fetch.from, {.kind = ring::DescriptorKind::retained_request, .token = token},
                write_retained_query(fetch.query()));
    return;
  }
  for (unsigned pages = 0; pages < kPagesAtOnce; ++pages) {
    if (client_.receiver_state(fetch.receiver) == RetentionClient::State::busy) break;
    const Left left = deliver(fetch, page(fetch.query(), 0));
    if (left == Left::nothing) return finish(fetches_.find(token));
    if (left == Left::later) break;
  }
  fetch.waits = true;
}

std::string Retention::page(const RetainedQuery& query, std::size_t waiting_bytes) const {
  RetainedPageWriter page;
  // Who does not take what it has asked for asks again.
  if (waiting_bytes >= kWaitingBytesMax) return page.finish(query.after.value_or(""));
  const auto add = [&](const Event& event) {
    const KeptPublication kept(query.realm, event);
    const Publication& publication = kept.view();
    write_publication(page.add(publication_size(publication)), publication);
    return page.size() < kPageBytes;
  };
  if (query.match == wire::MatchPolicy::exact) {
    if (const auto event = events_.find(query.realm, query.uri)) add(*event);
    return page.finish(std::nullopt);
  }
  const auto after =
      events_.for_each_match(query.realm, query.match, query.uri, query.after, kLookedAtMax, add);
  return page.finish(after);
}

void Retention::on_request(std::uint32_t from, std::uint64_t token, std::string_view frame) {
  if (!parse_retained_query(frame)) return counters_.add(ring::Counter::corrupt_frames_dropped);
  requests_.push_back({.from = from, .token = token, .query = std::string(frame)});
}

void Retention::end_turn() {
  for (const std::uint64_t token : std::exchange(due_, {})) {
    const auto found = fetches_.find(token);
    if (found != fetches_.end()) ask(token, found->second);
  }
  for (const Request& request : std::exchange(requests_, {})) {
    peers_.send(request.from, {.kind = ring::DescriptorKind::retained_page, .token = request.token},
                page(*parse_retained_query(request.query), peers_.control_bytes()));
  }
}

void Retention::on_page(std::uint32_t from, std::uint64_t token, std::string_view frame) {
  const auto found = fetches_.find(token);
  if (found == fetches_.end() || found->second.from != from) {
    return counters_.add(ring::Counter::stale_frames_dropped);
  }
  Fetch& fetch = found->second;
  switch (deliver(fetch, frame)) {
    case Left::nothing:
      return finish(found);
    case Left::more:
      return ask(token, fetch);
    case Left::later:
      fetch.waits = true;
  }
}

Retention::Left Retention::deliver(Fetch& fetch, std::string_view frame) {
  auto page = parse_retained_page(frame);
  if (!page) {
    counters_.add(ring::Counter::corrupt_frames_dropped);
    return Left::nothing;
  }
  using State = RetentionClient::State;
  if (client_.receiver_state(fetch.receiver) == State::gone) return Left::nothing;
  while (const auto bytes = page->next()) {
    const auto publication = parse_publication(*bytes);
    if (!publication || !publication->extras || publication->realm != fetch.realm) {
      counters_.add(ring::Counter::corrupt_frames_dropped);
      continue;
    }
    client_.on_retained(fetch.receiver, *publication);
  }
  if (!page->after) return Left::nothing;
  const bool moved = !fetch.begun || fetch.after != *page->after;
  fetch.begun = true;
  fetch.after = *page->after;
  const bool ready = client_.receiver_state(fetch.receiver) == State::ready;
  return moved && ready ? Left::more : Left::later;
}

void Retention::on_worker_lost(std::uint32_t worker) {
  std::vector<std::uint64_t> lost;
  for (const auto& [token, fetch] : fetches_) {
    if (fetch.from == worker && fetch.under_way) lost.push_back(token);
  }
  for (const std::uint64_t token : lost) finish(fetches_.find(token));
}

void Retention::resume() {
  if (fetches_.empty()) return;
  using State = RetentionClient::State;
  std::vector<std::uint64_t> waiting;
  for (const auto& [token, fetch] : fetches_) {
    if (fetch.waits) waiting.push_back(token);
  }
  for (const std::uint64_t token : waiting) {
    const auto found = fetches_.find(token);
    const State state = client_.receiver_state(found->second.receiver);
    if (state == State::gone) finish(found);
    if (state == State::ready) ask(token, found->second);
  }
}

}  // namespace ringcast::worker
