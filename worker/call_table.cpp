#include "worker/call_table.h"

namespace ringcast::worker {

std::uint32_t CallTable::create(ring::ConnectionId caller, std::uint64_t request) {
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(records_.size());
    records_.emplace_back().generation = 1;
  } else {
    index = free_.back();
    free_.pop_back();
  }
  CallRecord& record = records_[index];
  record.caller = caller;
  record.request = request;
  record.open = true;
  [[maybe_unused]] const bool fresh = open_.emplace(Key{caller.packed(), request}, index).second;
  assert(fresh);
  return index;
}

void CallTable::destroy(std::uint32_t index) {
  assert(!records_[index].open && !records_[index].held && !records_[index].queued);
  const std::uint32_t generation = records_[index].generation + 1;
  records_[index] = {};
  records_[index].generation = generation == 0 ? 1 : generation;
  free_.push_back(index);
}

std::uint32_t CallTable::find(ring::ConnectionId caller, std::uint64_t request) const {
  const auto found = open_.find({caller.packed(), request});
  return found == open_.end() ? kNoCall : found->second;
}

void CallTable::close(std::uint32_t index) {
  CallRecord& record = records_[index];
  record.open = false;
  [[maybe_unused]] const std::size_t erased = open_.erase({record.caller.packed(), record.request});
  assert(erased == 1);
}

std::uint32_t CallTable::named(std::uint64_t name) const {
  const auto index = static_cast<std::uint32_t>(name);
  if (index >= records_.size() || records_[index].generation != name >> 32) return kNoCall;
  return index;
}

void CallTable::append(CallList& list, Chain chain, std::uint32_t index) {
  const auto which = static_cast<std::size_t>(chain);
  records_[index].links[which] = {.next = kNoCall, .previous = list.last};
  (list.last == kNoCall ? list.first : records_[list.last].links[which].next) = index;
  list.last = index;
  ++list.size;
}

void CallTable::remove(CallList& list, Chain chain, std::uint32_t index) {
  const auto which = static_cast<std::size_t>(chain);
  const CallRecord::Links links = records_[index].links[which];
  (links.previous == kNoCall ? list.first : records_[links.previous].links[which].next) =
      links.next;
  (links.next == kNoCall ? list.last : records_[links.next].links[which].previous) = links.previous;
  --list.size;
}

}  // namespace ringcast::worker
