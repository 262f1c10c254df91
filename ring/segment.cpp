#include "ring/segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

namespace ringcast::ring {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kInterestWords = kInterestBuckets + kPatternInterestBuckets;
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

constexpr std::size_t page_up(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

bool sizes_valid(const SegmentSizes& sizes) {
  return sizes.workers >= 1 && sizes.workers <= kWorkersMax && sizes.slots_per_worker >= 1 &&
         sizes.slots_per_worker <= kRouterSlot && sizes.arena_bytes >= kPage &&
         sizes.arena_bytes % kPage == 0 && sizes.arena_bytes <= (std::uint64_t{1} << 32);
}

SegmentError failed(const std::string& what) { return {what + ": " + std::strerror(errno)}; }

template <typename T>
T* at(char* base, std::size_t offset) {
  return reinterpret_cast<T*>(base + offset);
}

SegmentError size_mismatch() { return {"the shared segment's size does not match its header"}; }

// Why a segment of `size` bytes with this header cannot be joined, if it cannot.
std::optional<SegmentError> mismatch(const SegmentHeader& header, const SegmentSizes& sizes,
                                     std::size_t size) {
  if (header.magic != kSegmentMagic) return SegmentError{"what was passed is no Ringcast segment"};
  if (header.version != kSegmentVersion || header.header_bytes != sizeof(SegmentHeader) ||
      header.block_bytes != sizeof(WorkerBlock) || header.ring_bytes != sizeof(DescriptorRing)) {
    return SegmentError{"the shared segment has layout version " + std::to_string(header.version) +
                        ", this binary knows " + std::to_string(kSegmentVersion) +
                        "; supervisor and workers must be the same build"};
  }
  if (!sizes_valid(sizes) || header.total_bytes != size) return size_mismatch();
  return std::nullopt;
}

bool draw_keys(SegmentHeader& header) {
  std::uint64_t words[3];
  if (getrandom(words, sizeof words, 0) != static_cast<ssize_t>(sizeof words)) return false;
  header.session_key = {words[0], words[1]};
  header.topic_seed = words[2];
  return true;
}

}  // namespace

Segment::Offsets::Offsets(const SegmentSizes& sizes) {
  const std::size_t workers = sizes.workers;
  interest = page_up(sizeof(SegmentHeader));
  realms = interest + page_up(kInterestWords * sizeof(std::uint64_t));
  realm_sessions = realms + page_up(sizeof(RealmTable));
  realm_sessions_stride = page_up(kRealmsMax * sizeof(std::uint32_t));
  blocks = realm_sessions + workers * realm_sessions_stride;
  generations = blocks + page_up(workers * sizeof(WorkerBlock));
  generations_stride = page_up(sizes.slots_per_worker * sizeof(std::uint32_t));
  sessions = generations + workers * generations_stride;
  sessions_stride = page_up((std::size_t{sizes.slots_per_worker} + 1) * sizeof(std::uint64_t));
  texts = sessions + workers * sessions_stride;
  texts_stride = page_up(sizes.slots_per_worker * SessionTable::kTextsBytes);
  rings = texts + workers * texts_stride;
  arenas = rings + page_up(workers * workers * sizeof(DescriptorRing));
  total = arenas + workers * sizes.arena_bytes;
}

Segment::Segment(int fd, bool owns_fd, char* base, const SegmentSizes& sizes,
                 const Offsets& offsets)
    : fd_(fd),
      owns_fd_(owns_fd),
      base_(base),
      header_(at<SegmentHeader>(base, 0)),
      sizes_(sizes),
      offsets_(offsets) {}

Segment::~Segment() {
  munmap(base_, offsets_.total);
  if (owns_fd_) close(fd_);
}

void Segment::build(char* base, const SegmentSizes& sizes, const Offsets& offsets) {
  auto* header = new (base) SegmentHeader;
  header->version = kSegmentVersion;
  header->header_bytes = sizeof(SegmentHeader);
  header->block_bytes = sizeof(WorkerBlock);
  header->ring_bytes = sizeof(DescriptorRing);
  header->total_bytes = offsets.total;
  header->sizes = sizes;
  for (std::uint32_t w = 0; w < sizes.workers; ++w) {
    new (base + offsets.blocks + w * sizeof(WorkerBlock)) WorkerBlock;
  }
  for (std::size_t r = 0; r < std::size_t{sizes.workers} * sizes.workers; ++r) {
    new (base + offsets.rings + r * sizeof(DescriptorRing)) DescriptorRing;
  }
  // Interest words, generations, numbers of sessions and sessions are atomics of which the all-zero
  // page is a valid beginning.
  new (base + offsets.realms) RealmTable;
  header->magic = kSegmentMagic;
}

Segment::Result Segment::create(const SegmentSizes& sizes) {
  assert(sizes_valid(sizes));
  const Offsets offsets(sizes);
  const int fd = memfd_create("ringcast", MFD_ALLOW_SEALING | MFD_CLOEXEC);
  if (fd < 0) return failed("cannot create the shared segment (memfd_create)");
  if (ftruncate(fd, static_cast<off_t>(offsets.total)) != 0 ||
      fcntl(fd, F_ADD_SEALS, kSeals) != 0) {
    SegmentError error = failed("cannot size and seal the shared segment of " +
                                std::to_string(offsets.total) + " bytes");
    close(fd);
    return error;
  }
  void* base = mmap(nullptr, offsets.total, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) {
    SegmentError error = failed("cannot map the shared segment of " +
                                std::to_string(offsets.total) + " bytes; fewer workers need less");
    close(fd);
    return error;
  }
  build(static_cast<char*>(base), sizes, offsets);
  std::unique_ptr<Segment> segment(new Segment(fd, true, static_cast<char*>(base), sizes, offsets));
  if (!draw_keys(segment->header())) return failed("cannot draw random keys (getrandom)");
  return segment;
}

Segment::Result Segment::attach(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return failed("no shared segment behind fd " + std::to_string(fd));
  // Sealed first: nobody can take a page away under the mapping, which would be a SIGBUS.
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) {
    return SegmentError{"fd " + std::to_string(fd) +
                        " is no sealed memory file; pass the one that the supervisor created"};
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < sizeof(SegmentHeader))
    return SegmentError{"the shared segment is too small for its header"};
  void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) return failed("cannot map the shared segment");
  char* base = static_cast<char*>(mapped);
  const SegmentSizes sizes = at<SegmentHeader>(base, 0)->sizes;
  if (std::optional<SegmentError> error = mismatch(*at<SegmentHeader>(base, 0), sizes, size)) {
    munmap(base, size);
    return *std::move(error);
  }
  const Offsets offsets(sizes);
  if (offsets.total != size) {
    munmap(base, size);
    return size_mismatch();
  }
  return std::unique_ptr<Segment>(new Segment(fd, false, base, sizes, offsets));
}

WorkerBlock& Segment::block(std::uint32_t worker) const {
  assert(worker < workers());
  return at<WorkerBlock>(base_, offsets_.blocks)[worker];
}

DescriptorRing& Segment::ring(std::uint32_t producer, std::uint32_t consumer) const {
  assert(producer < workers() && consumer < workers());
  // By consumer first: a worker's inbound rings lie side by side.
  const std::size_t index = std::size_t{consumer} * workers() + producer;
  return at<DescriptorRing>(base_, offsets_.rings)[index];
}

char* Segment::arena(std::uint32_t worker) const {
  assert(worker < workers());
  return base_ + offsets_.arenas + worker * sizes_.arena_bytes;
}

std::span<std::atomic<std::uint32_t>> Segment::generations(std::uint32_t worker) const {
  assert(worker < workers());
  return {at<std::atomic<std::uint32_t>>(
              base_, offsets_.generations + worker * offsets_.generations_stride),
          sizes_.slots_per_worker};
}

RealmTable& Segment::realms() const { return *at<RealmTable>(base_, offsets_.realms); }

std::span<std::atomic<std::uint32_t>> Segment::realm_sessions(std::uint32_t worker) const {
  assert(worker < workers());
  return {at<std::atomic<std::uint32_t>>(
              base_, offsets_.realm_sessions + worker * offsets_.realm_sessions_stride),
          kRealmsMax};
}

SessionTable Segment::sessions(std::uint32_t worker) const {
  assert(worker < workers());
  using Word = std::atomic<std::uint64_t>;
  const std::size_t slots = sizes_.slots_per_worker;
  return {{at<Word>(base_, offsets_.sessions + worker * offsets_.sessions_stride), slots + 1},
          {at<Word>(base_, offsets_.texts + worker * offsets_.texts_stride),
           slots * SessionTable::kTextsBytes / sizeof(Word)}};
}

StateWord Segment::state(std::uint32_t worker) const {
  return StateWord::from_packed(block(worker).state.load(std::memory_order_acquire));
}

void Segment::set_state(std::uint32_t worker, StateWord state) {
  block(worker).state.store(state.packed(), std::memory_order_release);
  // Release pairs with the acquire by which a worker reads the version: it then sees the state too.
  header_->membership_version.fetch_add(1, std::memory_order_release);
}

std::atomic<std::uint64_t>& Segment::interest_word(std::size_t index) const {
  return at<std::atomic<std::uint64_t>>(base_, offsets_.interest)[index];
}

std::atomic<std::uint64_t>& Segment::pattern_interest_word(std::uint16_t realm) const {
  return interest_word(kInterestBuckets + pattern_interest_bucket(realm));
}

std::uint64_t Segment::interested_workers(std::uint64_t topic_hash) const {
  // Acquire: who learned of a SUBSCRIBED by any path sees the bit that was set before it.
  return interest_word(interest_bucket(topic_hash)).load(std::memory_order_acquire);
}

void Segment::set_interest(std::uint64_t topic_hash, std::uint32_t worker) {
  interest_word(interest_bucket(topic_hash))
      .fetch_or(std::uint64_t{1} << worker, std::memory_order_acq_rel);
}

void Segment::clear_interest(std::uint64_t topic_hash, std::uint32_t worker) {
  interest_word(interest_bucket(topic_hash))
      .fetch_and(~(std::uint64_t{1} << worker), std::memory_order_acq_rel);
}

std::uint64_t Segment::pattern_interested_workers(std::uint16_t realm) const {
  // Acquire: as above.
  return pattern_interest_word(realm).load(std::memory_order_acquire);
}

void Segment::set_pattern_interest(std::uint16_t realm, std::uint32_t worker) {
  pattern_interest_word(realm).fetch_or(std::uint64_t{1} << worker, std::memory_order_acq_rel);
}

void Segment::clear_pattern_interest(std::uint16_t realm, std::uint32_t worker) {
  pattern_interest_word(realm).fetch_and(~(std::uint64_t{1} << worker), std::memory_order_acq_rel);
}

void Segment::clear_all_interest(std::uint32_t worker) {
  for (std::size_t index = 0; index < kInterestWords; ++index) {
    interest_word(index).fetch_and(~(std::uint64_t{1} << worker), std::memory_order_acq_rel);
  }
}

}  // namespace ringcast::ring
