// Records that are found by (realm, URI, match policy): a worker's topics, and what a home worker
// knows of its topics. Each record is one piece of memory with its URI behind it, and costs the
// table about ten bytes more: there may be as many topics as connections.
//
// Owned and used by one worker thread. A record stays where it is until it is erased.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/options.h"

namespace ringcast::worker {

// Hash of (realm, URI, match policy), the same in every worker of a node; keyed, so that clients
// can't choose collisions.
std::uint64_t topic_hash(std::uint64_t seed, std::uint16_t realm, std::string_view uri,
                         wire::MatchPolicy match = wire::MatchPolicy::exact);

struct TopicKey {
  std::uint64_t hash = 0;
  std::uint16_t realm = 0;
  std::string_view uri;
  wire::MatchPolicy match = wire::MatchPolicy::exact;
  bool operator==(const TopicKey&) const = default;
};

// What a record of a UriTable derives from.
template <typename Record>
struct UriRecord {
  std::uint64_t hash = 0;
  std::uint32_t uri_size = 0;
  std::uint16_t realm = 0;
  wire::MatchPolicy match = wire::MatchPolicy::exact;

  std::string_view uri() const {
    return {reinterpret_cast<const char*>(static_cast<const Record*>(this) + 1), uri_size};
  }
  TopicKey key() const { return {hash, realm, uri(), match}; }

 protected:
  UriRecord() = default;
  ~UriRecord() = default;
};

// Open addressing with linear probing; beside each record's address lies a byte of its hash, so
// that a probe seldom touches a record that is another one.
template <typename Record>
class UriTable {
 public:
  UriTable() = default;
  ~UriTable() {
    for_each([](Record& record) { release(&record); });
  }
  UriTable(const UriTable&) = delete;
  UriTable& operator=(const UriTable&) = delete;

  std::size_t size() const { return size_; }

  Record* find(const TopicKey& key) {
    return find_if(key.hash, [&key](const Record& record) { return record.key() == key; });
  }

  // The first record with this hash that `matches`; null if there is none.
  template <typename Matches>
  Record* find_if(std::uint64_t hash, Matches matches) {
    if (size_ == 0) return nullptr;
    for (std::size_t at = hash & mask(); tags_[at] != kEmpty; at = (at + 1) & mask()) {
      if (tags_[at] != tag_of(hash) || records_[at]->hash != hash) continue;
      if (matches(*records_[at])) return records_[at];
    }
    return nullptr;
  }

  // REQUIRES: the key is not in the table.
  Record& insert(const TopicKey& key) {
    if ((size_ + 1) * 8 > tags_.size() * 7) resize(tags_.empty() ? kSizeMin : 2 * tags_.size());
    void* memory = ::operator new(sizeof(Record) + key.uri.size());
    auto* record = new (memory) Record;
    record->hash = key.hash;
    record->realm = key.realm;
    record->match = key.match;
    record->uri_size = static_cast<std::uint32_t>(key.uri.size());
    if (!key.uri.empty())
      std::memcpy(static_cast<char*>(memory) + sizeof(Record), key.uri.data(), key.uri.size());
    place(record);
    ++size_;
    return *record;
  }

  void erase(Record& record) {
    std::size_t at = record.hash & mask();
    while (records_[at] != &record) at = (at + 1) & mask();
    // Those behind it that would not be found over a gap move up, one after the other.
    for (std::size_t next = (at + 1) & mask(); tags_[next] != kEmpty; next = (next + 1) & mask()) {
      const std::size_t begin = records_[next]->hash & mask();
      if (((next - begin) & mask()) < ((next - at) & mask())) continue;
      tags_[at] = tags_[next];
      records_[at] = records_[next];
      at = next;
    }
    tags_[at] = kEmpty;
    --size_;
    release(&record);
    if (tags_.size() > kSizeMin && size_ * 8 < tags_.size()) resize(tags_.size() / 4);
  }

  // `visit` may not insert or erase.
  template <typename Visit>
  void for_each(Visit visit) {
    for (std::size_t at = 0; at < tags_.size(); ++at) {
      if (tags_[at] != kEmpty) visit(*records_[at]);
    }
  }

 private:
  static constexpr std::uint8_t kEmpty = 0;
  static constexpr std::size_t kSizeMin = 64;  // a power of 2

  static std::uint8_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint8_t>(hash >> 56 | 1);
  }
  static void release(Record* record) {
    record->~Record();
    ::operator delete(record);
  }
  std::size_t mask() const { return tags_.size() - 1; }

  void place(Record* record) {
    std::size_t at = record->hash & mask();
    while (tags_[at] != kEmpty) at = (at + 1) & mask();
    tags_[at] = tag_of(record->hash);
    records_[at] = record;
  }

  void resize(std::size_t size) {
    assert((size & (size - 1)) == 0 && size > size_);
    const std::vector<std::uint8_t> tags =
        std::exchange(tags_, std::vector<std::uint8_t>(size, kEmpty));
    const std::vector<Record*> records = std::exchange(records_, std::vector<Record*>(size));
    for (std::size_t at = 0; at < tags.size(); ++at) {
      if (tags[at] != kEmpty) place(records[at]);
    }
  }

  std::vector<std::uint8_t> tags_;  // kEmpty, or a byte of the record's hash
  std::vector<Record*> records_;
  std::size_t size_ = 0;
};

}  // namespace ringcast::worker
