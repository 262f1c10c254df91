// The shared segment: one memfd that the supervisor creates, seals against resizing and hands to
// every worker process. Everything that workers share lies in it, addressed by offsets: it is
// mapped elsewhere in every process.
//
// A Segment is one mapping; it may be used by every thread of its process. What lies in it says for
// itself who may write it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>

#include "ring/descriptor_ring.h"
#include "ring/realm_table.h"
#include "ring/session_id.h"
#include "ring/session_table.h"
#include "ring/worker_block.h"

namespace ringcast::ring {

inline constexpr std::uint64_t kSegmentMagic = 0x74736163676E6972;  // "ringcast"
inline constexpr std::uint32_t kSegmentVersion = 3;  // changes with any layout in ring/
inline constexpr std::size_t kInterestBuckets = 16384;
inline constexpr std::size_t kPatternInterestBuckets = 512;
// Realms have numbers below this: configured ones first, then those that come into being on demand.
inline constexpr std::uint32_t kRealmsConfiguredMax = 1024;
inline constexpr std::uint32_t kRealmsMax = kRealmsConfiguredMax + kRealmPlaces;

struct SegmentSizes {
  std::uint32_t workers = 1;              // 1 … kWorkersMax
  std::uint32_t slots_per_worker = 1024;  // 1 … kRouterSlot
  std::uint64_t arena_bytes = 16u << 20;  // of each worker; a multiple of 4096
};

// First in the segment. Written by the supervisor before any worker attaches, but for
// membership_version.
struct SegmentHeader {
  std::uint64_t magic = 0;
  std::uint32_t version = 0;
  std::uint32_t header_bytes =
      0;  // sizeof(SegmentHeader), sizeof(WorkerBlock), sizeof(DescriptorRing):
  std::uint32_t block_bytes = 0;  // a second guard against binaries that disagree
  std::uint32_t ring_bytes = 0;
  std::uint64_t total_bytes = 0;
  SegmentSizes sizes;
  SessionKey session_key{};
  std::uint64_t topic_seed = 0;

  // Counts changes of any worker's state, so that a worker looks at the states only when there was
  // one.
  alignas(64) std::atomic<std::uint64_t> membership_version{0};
};

// Why a segment could not be made or joined: cause and remedy, for a person.
struct SegmentError {
  std::string message;
};

class Segment {
 public:
  using Result = std::variant<std::unique_ptr<Segment>, SegmentError>;

  // Makes a new one, all workers dead, with random keys.
  static Result create(const SegmentSizes& sizes);

  // Maps the one behind `fd` (which stays the caller's). Checks seals, magic, version, layout and
  // size.
  static Result attach(int fd);

  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  int fd() const { return fd_; }  // owned if created, the caller's if attached
  SegmentHeader& header() const { return *header_; }
  std::uint32_t workers() const { return sizes_.workers; }
  std::size_t arena_bytes() const { return sizes_.arena_bytes; }

  WorkerBlock& block(std::uint32_t worker) const;
  DescriptorRing& ring(std::uint32_t producer, std::uint32_t consumer) const;
  char* arena(std::uint32_t worker) const;
  // The generation of each slot: here, because a restarted worker must not reuse one. Written by
  // the worker.
  std::span<std::atomic<std::uint32_t>> generations(std::uint32_t worker) const;

  RealmTable& realms() const;
  // How many sessions the worker has in each realm whose sessions are limited, by number,
  // kRealmsMax of them. Written by the worker, and by the supervisor once its process is reaped.
  std::span<std::atomic<std::uint32_t>> realm_sessions(std::uint32_t worker) const;

  // Who has a session; written by the worker. What it had when it died stays for its next
  // incarnation.
  SessionTable sessions(std::uint32_t worker) const;

  StateWord state(std::uint32_t worker) const;
  // Sets the state and makes every worker look.
  void set_state(std::uint32_t worker, StateWord state);

  // Interest bits: bit w of a topic's bucket is set while worker w may have a subscriber of a topic
  // that hashes there. Set before SUBSCRIBED leaves, cleared after the last subscriber is gone; a
  // bit too many costs a descriptor, never a delivery. Each worker writes its own bit. A bucket is
  // shared by topics: clear the bit after the last subscriber of all topics of the bucket is gone.
  std::uint64_t interested_workers(std::uint64_t topic_hash) const;
  void set_interest(std::uint64_t topic_hash, std::uint32_t worker);
  void clear_interest(std::uint64_t topic_hash, std::uint32_t worker);
  static std::size_t interest_bucket(std::uint64_t topic_hash) {
    return topic_hash % kInterestBuckets;
  }

  // The same for subscriptions by pattern, by realm: bit w is set while worker w may have one in a
  // realm of this bucket.
  std::uint64_t pattern_interested_workers(std::uint16_t realm) const;
  void set_pattern_interest(std::uint16_t realm, std::uint32_t worker);
  void clear_pattern_interest(std::uint16_t realm, std::uint32_t worker);
  static std::size_t pattern_interest_bucket(std::uint16_t realm) {
    return realm % kPatternInterestBuckets;
  }

  // For the supervisor, once worker's process is reaped: nobody is interested on its behalf any
  // more.
  void clear_all_interest(std::uint32_t worker);

 private:
  // Where each part begins, in bytes from the start of the segment.
  struct Offsets {
    explicit Offsets(const SegmentSizes& sizes);
    std::size_t interest, realms, realm_sessions, realm_sessions_stride, blocks, generations,
        generations_stride, sessions, sessions_stride, texts, texts_stride, rings, arenas, total;
  };

  Segment(int fd, bool owns_fd, char* base, const SegmentSizes& sizes, const Offsets& offsets);
  static void build(char* base, const SegmentSizes& sizes, const Offsets& offsets);
  // First the buckets of topics, then those of patterns.
  std::atomic<std::uint64_t>& interest_word(std::size_t index) const;
  std::atomic<std::uint64_t>& pattern_interest_word(std::uint16_t realm) const;

  int fd_;
  bool owns_fd_;
  char* base_;
  SegmentHeader* header_;
  // Private copies, checked once: no address is ever computed from what lies in shared memory.
  SegmentSizes sizes_;
  Offsets offsets_;
};

}  // namespace ringcast::ring
