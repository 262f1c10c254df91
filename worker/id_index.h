// Records by their subscription id, beside a UriTable that owns them: about ten bytes for each, as
// there may be as many topics as connections. Owned and used by one worker thread.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ringcast::worker {

// Open addressing with linear probing. Record::subscription does not change while it is in here.
template <typename Record>
class IdIndex {
 public:
  // Null if there is none.
  Record* find(std::uint32_t id) const {
    if (size_ == 0) return nullptr;
    for (std::size_t at = home(id); places_[at] != nullptr; at = (at + 1) & mask()) {
      if (places_[at]->subscription == id) return places_[at];
    }
    return nullptr;
  }

  // REQUIRES: no record with this id is there.
  void insert(Record& record) {
    assert(find(record.subscription) == nullptr);
    if ((size_ + 1) * 8 > places_.size() * 7) {
      resize(places_.empty() ? kSizeMin : 2 * places_.size());
    }
    place(&record);
    ++size_;
  }

  // REQUIRES: it is there.
  void erase(const Record& record) {
    std::size_t at = home(record.subscription);
    while (places_[at] != &record) at = (at + 1) & mask();
    // Those behind it that would not be found over a gap move up, one after the other.
    for (std::size_t next = (at + 1) & mask(); places_[next] != nullptr;
         next = (next + 1) & mask()) {
      const std::size_t begin = home(places_[next]->subscription);
      if (((next - begin) & mask()) < ((next - at) & mask())) continue;
      places_[at] = places_[next];
      at = next;
    }
    places_[at] = nullptr;
    --size_;
    if (places_.size() > kSizeMin && size_ * 8 < places_.size()) resize(places_.size() / 4);
  }

 private:
  static constexpr std::size_t kSizeMin = 64;  // a power of 2

  std::size_t mask() const { return places_.size() - 1; }
  // Ids come one after the other; multiplied they lie far apart.
  std::size_t home(std::uint32_t id) const {
    return static_cast<std::size_t>(id * 0x9E3779B97F4A7C15u >> 32) & mask();
  }
  void place(Record* record) {
    std::size_t at = home(record->subscription);
    while (places_[at] != nullptr) at = (at + 1) & mask();
    places_[at] = record;
  }
  void resize(std::size_t size) {
    const std::vector<Record*> old = std::exchange(places_, std::vector<Record*>(size));
    for (Record* record : old) {
      if (record != nullptr) place(record);
    }
  }

  std::vector<Record*> places_;
  std::size_t size_ = 0;
};

}  // namespace ringcast::worker
