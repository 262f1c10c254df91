#include "worker/peers.h"

#include <bit>
#include <cassert>

#include "ring/wakeup.h"

namespace ringcast::worker {
namespace {

constexpr std::uint64_t bit(std::uint32_t worker) { return std::uint64_t{1} << worker; }

}  // namespace

Peers::Peers(ring::Segment& segment, std::uint32_t self, std::vector<int> wake_fds)
    : segment_(segment),
      self_(self),
      epoch_(segment.state(self).epoch),
      wake_fds_(std::move(wake_fds)),
      counters_(segment.block(self).counters),
      arena_(segment.arena(self), segment.arena_bytes()),
      peers_(segment.workers()) {}

bool Peers::publish(const Publication& publication, std::uint64_t topic_hash,
                    std::uint64_t targets) {
  assert((targets & ~live_) == 0);
  for (std::uint64_t left = targets; left != 0; left &= left - 1) {
    // A full stage is not yet a full ring: many publications may have come in one turn.
    const auto to = static_cast<std::uint32_t>(std::countr_zero(left));
    if (peers_[to].staged.size() >= kStagedMax) push(to);
    if (peers_[to].staged.size() >= kStagedMax) return false;
  }
  const std::size_t size = publication_size(publication);
  const auto slot = arena_.allocate(size);
  if (!slot) {
    counters_.add(ring::Counter::arena_full);
    return false;
  }
  write_publication(slot->data, publication);
  arena_.commit(*slot, size, targets);
  ring::Descriptor descriptor{.kind = ring::DescriptorKind::publication,
                              .realm = publication.realm,
                              .topic_hash = topic_hash,
                              .frame = slot->offset,
                              .frame_size = static_cast<std::uint32_t>(size)};
  for (std::uint64_t left = targets; left != 0; left &= left - 1) {
    stage(static_cast<std::uint32_t>(std::countr_zero(left)), descriptor);
  }
  return true;
}

void Peers::stage(std::uint32_t to, ring::Descriptor descriptor) {
  descriptor.consumer_epoch = peers_[to].known.epoch;
  ring::seal(descriptor);
  peers_[to].staged.push_back(descriptor);
}

void Peers::send(std::uint32_t to, ring::Descriptor descriptor, std::string body) {
  assert(to != self_);
  if ((live_ & bit(to)) == 0) return;
  control_bytes_ += peers_[to].control.emplace_back(descriptor, std::move(body)).bytes();
}

// Moves control messages behind what is staged; false if the arena has no room for a body now.
bool Peers::stage_control(std::uint32_t to) {
  Peer& peer = peers_[to];
  // A few places are for these alone: publishers that fill the stage every turn must not hold them
  // up.
  while (!peer.control.empty() && peer.staged.size() < kStagedMax + kStagedControlMax) {
    Control& control = peer.control.front();
    if (!control.body.empty()) {
      const auto slot = arena_.allocate(control.body.size());
      if (!slot) {
        counters_.add(ring::Counter::arena_full);
        return false;
      }
      control.body.copy(slot->data, control.body.size());
      arena_.commit(*slot, control.body.size(), bit(to));
      control.descriptor.frame = slot->offset;
      control.descriptor.frame_size = static_cast<std::uint32_t>(control.body.size());
    }
    stage(to, control.descriptor);
    control_bytes_ -= control.bytes();
    peer.control.pop_front();
  }
  return true;
}

void Peers::push(std::uint32_t to) {
  std::vector<ring::Descriptor>& staged = peers_[to].staged;
  if (staged.empty()) return;
  const std::size_t pushed = segment_.ring(self_, to).push(staged);
  staged.erase(staged.begin(), staged.begin() + static_cast<std::ptrdiff_t>(pushed));
  if (!staged.empty()) counters_.add(ring::Counter::ring_full);
  if (pushed != 0 && ring::must_wake(segment_.block(to).sleeping)) {
    ring::wake(wake_fds_[to]);
    counters_.add(ring::Counter::wakeups_sent);
  }
}

void Peers::flush() {
  congested_ = false;
  // Every turn, so that an arena that has emptied begins again where the cache is warm.
  if (arena_.frames() != 0) arena_.reclaim();
  for (std::uint64_t left = live_; left != 0; left &= left - 1) {
    const auto to = static_cast<std::uint32_t>(std::countr_zero(left));
    Peer& peer = peers_[to];
    if (peer.staged.empty() && peer.control.empty()) continue;
    const bool room = stage_control(to);
    push(to);
    if (!room || !peer.staged.empty() || !peer.control.empty()) congested_ = true;
  }
}

// The next producer in turn that has something, so that a busy one does not keep the others
// waiting.
void Peers::fill_inbox() {
  inbox_begin_ = inbox_end_ = 0;
  const std::uint32_t workers = segment_.workers();
  for (std::uint32_t i = 0; i < workers && inbox_end_ == 0; ++i) {
    const std::uint32_t from = (next_producer_ + i) % workers;
    if (from == self_) continue;
    inbox_end_ = segment_.ring(from, self_).pop(inbox_);
    inbox_from_ = from;
  }
  if (inbox_end_ != 0) next_producer_ = (inbox_from_ + 1) % workers;
}

void Peers::take(PeerUser& user, std::uint32_t from, const ring::Descriptor& descriptor) {
  if (!ring::descriptor_intact(descriptor)) {
    counters_.add(ring::Counter::corrupt_descriptors_dropped);
    return;
  }
  // Meant for an earlier incarnation of this worker: its frame has been taken back or will be.
  if (descriptor.consumer_epoch != epoch_) {
    counters_.add(ring::Counter::stale_descriptors_dropped);
    return;
  }
  if (descriptor.frame_size == 0) {
    user.on_descriptor(from, descriptor, {});
    return;
  }
  char* arena = segment_.arena(from);
  const auto frame =
      ring::read_frame(arena, segment_.arena_bytes(), descriptor.frame, descriptor.frame_size);
  if (!frame) {
    counters_.add(ring::Counter::corrupt_frames_dropped);
    return;
  }
  user.on_descriptor(from, descriptor, *frame);
  ring::release_frame(arena, descriptor.frame, self_);
}

bool Peers::inbound_empty() const {
  if (inbox_begin_ != inbox_end_) return false;
  for (std::uint32_t from = 0; from < segment_.workers(); ++from) {
    if (from != self_ && !segment_.ring(from, self_).empty()) return false;
  }
  return true;
}

void Peers::refresh(PeerUser& user) {
  // Acquire pairs with the release in Segment::set_state(): the states counted are seen below.
  const std::uint64_t version =
      segment_.header().membership_version.load(std::memory_order_acquire);
  if (version == membership_seen_) return;
  membership_seen_ = version;
  for (std::uint32_t worker = 0; worker < segment_.workers(); ++worker) {
    if (worker == self_) continue;
    const ring::StateWord now = segment_.state(worker);
    if (now != peers_[worker].known) change(user, worker, now);
  }
}

void Peers::change(PeerUser& user, std::uint32_t worker, ring::StateWord now) {
  Peer& peer = peers_[worker];
  // An incarnation has ended since the last look; it may have lived and pushed without ever having
  // been seen live here.
  const bool ended = peer.known.epoch != 0 &&
                     (peer.known.epoch != now.epoch || now.state == ring::WorkerState::dead);
  if (ended) {
    // Its process is gone, so it pushes nothing more; what it did push was published and is
    // delivered.
    drain_wholly(user, worker);
    live_ &= ~bit(worker);
    peer.staged.clear();
    for (const Control& control : peer.control) control_bytes_ -= control.bytes();
    peer.control.clear();
    arena_.forget_worker(worker);
    user.on_worker_lost(worker);
  }
  peer.known = now;
  // This worker copies what it needs as it pops, and has popped all: it holds nothing of before
  // `epoch`. Release pairs with the acquire in own_arena_free().
  segment_.block(self_).drained_epoch[worker].store(now.epoch, std::memory_order_release);
  if (now.state == ring::WorkerState::live) {
    live_ |= bit(worker);
    user.on_worker_live(worker);
  }
}

void Peers::drain_wholly(PeerUser& user, std::uint32_t from) {
  while (inbox_begin_ < inbox_end_) take(user, inbox_from_, inbox_[inbox_begin_++]);
  std::array<ring::Descriptor, kInboxSize> batch;
  while (const std::size_t count = segment_.ring(from, self_).pop(batch)) {
    for (std::size_t i = 0; i < count; ++i) take(user, from, batch[i]);
  }
}

std::uint64_t Peers::live_in_segment() const {
  std::uint64_t live = 0;
  for (std::uint32_t worker = 0; worker < segment_.workers(); ++worker) {
    if (worker != self_ && segment_.state(worker).state == ring::WorkerState::live) {
      live |= bit(worker);
    }
  }
  return live;
}

bool Peers::own_arena_free(std::uint32_t epoch) const {
  for (std::uint64_t left = live_in_segment(); left != 0; left &= left - 1) {
    const auto worker = static_cast<std::uint32_t>(std::countr_zero(left));
    // Acquire pairs with the release in change(): its reads of the old frames are over.
    if (segment_.block(worker).drained_epoch[self_].load(std::memory_order_acquire) < epoch) {
      return false;
    }
  }
  return true;
}

void Peers::report() {
  arena_.reclaim();
  counters_.set(ring::Counter::arena_free_bytes, arena_.free_bytes());
  counters_.set(ring::Counter::arena_frames, arena_.frames());
}

}  // namespace ringcast::worker
