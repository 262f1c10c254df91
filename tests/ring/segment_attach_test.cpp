// What Segment::attach() must refuse: a file that is no segment, one of another build, and one
// whose sizes contradict each other. Each is a segment that is right but for the one thing.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <functional>

#include "tests/ring/support.h"

namespace ringcast::ring {
namespace {

using testing::HasSubstr;

constexpr SegmentSizes kSizes{.workers = 2, .slots_per_worker = 100, .arena_bytes = 8192};
constexpr int kAllSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

class SegmentAttachTest : public testing::Test {
 protected:
  using Change = std::function<void(SegmentHeader&)>;

  void SetUp() override {
    original_ = test::segment_or_fail(Segment::create(kSizes));
    ASSERT_TRUE(original_);
    struct stat status {};
    ASSERT_EQ(fstat(original_->fd(), &status), 0);
    bytes_ = static_cast<std::size_t>(status.st_size);
  }
  void TearDown() override { close_fd(); }

  // A copy of the segment's header, changed, in a file of `bytes`.
  int forge(const Change& change, std::size_t bytes, int seals = kAllSeals) {
    close_fd();
    fd_ = memfd_create("forged", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    EXPECT_EQ(ftruncate(fd_, static_cast<off_t>(bytes)), 0);
    alignas(SegmentHeader) char header[sizeof(SegmentHeader)];
    std::memcpy(header, reinterpret_cast<const char*>(&original_->header()), sizeof header);
    change(*reinterpret_cast<SegmentHeader*>(header));
    const std::size_t written = std::min(bytes, sizeof header);
    EXPECT_EQ(pwrite(fd_, header, written, 0), static_cast<ssize_t>(written));
    EXPECT_EQ(fcntl(fd_, F_ADD_SEALS, seals), 0);
    return fd_;
  }
  std::string refusal(const Change& change) { return refusal(change, bytes_); }
  std::string refusal(const Change& change, std::size_t bytes, int seals = kAllSeals) {
    return test::error_of(Segment::attach(forge(change, bytes, seals)));
  }
  static void nothing(SegmentHeader&) {}

  std::unique_ptr<Segment> original_;
  std::size_t bytes_ = 0;

 private:
  void close_fd() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  int fd_ = -1;
};

TEST_F(SegmentAttachTest, TakesACopyThatIsRight) { EXPECT_EQ(refusal(nothing), ""); }

TEST_F(SegmentAttachTest, RefusesAnotherMagic) {
  EXPECT_THAT(refusal([](auto& h) { h.magic ^= 1; }), HasSubstr("no Ringcast segment"));
  EXPECT_THAT(refusal([](auto& h) { h.magic = 0; }), HasSubstr("no Ringcast segment"));
}

TEST_F(SegmentAttachTest, RefusesAnotherVersionAndNamesBoth) {
  const std::string message = refusal([](auto& h) { h.version = 77; });
  EXPECT_THAT(message, HasSubstr("version 77"));
  EXPECT_THAT(message, HasSubstr("knows " + std::to_string(kSegmentVersion)));
  EXPECT_THAT(message, HasSubstr("same build"));
}

TEST_F(SegmentAttachTest, RefusesABuildThatLaysThingsOutDifferently) {
  EXPECT_THAT(refusal([](auto& h) { h.header_bytes += 64; }), HasSubstr("same build"));
  EXPECT_THAT(refusal([](auto& h) { h.block_bytes -= 64; }), HasSubstr("same build"));
  EXPECT_THAT(refusal([](auto& h) { h.ring_bytes += 1; }), HasSubstr("same build"));
}

TEST_F(SegmentAttachTest, RefusesSizesOutOfRange) {
  const std::string expected = "size does not match";
  for (std::uint32_t workers : {0u, kWorkersMax + 1, 0xFFFFFFFFu}) {
    EXPECT_THAT(refusal([&](auto& h) { h.sizes.workers = workers; }), HasSubstr(expected));
  }
  for (std::uint32_t slots : {0u, kRouterSlot + 1, 0xFFFFFFFFu}) {
    EXPECT_THAT(refusal([&](auto& h) { h.sizes.slots_per_worker = slots; }), HasSubstr(expected));
  }
  for (std::uint64_t arena : {std::uint64_t{0}, std::uint64_t{32}, std::uint64_t{8193},
                              (std::uint64_t{1} << 32) + 4096, ~std::uint64_t{4095}}) {
    EXPECT_THAT(refusal([&](auto& h) { h.sizes.arena_bytes = arena; }), HasSubstr(expected));
  }
}

TEST_F(SegmentAttachTest, RefusesSizesThatDoNotAddUp) {
  EXPECT_THAT(refusal([](auto& h) { h.sizes.workers = 1; }), HasSubstr("size does not match"));
  EXPECT_THAT(refusal([](auto& h) { h.sizes.workers = kWorkersMax; }),
              HasSubstr("size does not match"));
  EXPECT_THAT(refusal([](auto& h) { h.sizes.slots_per_worker = 5000; }),
              HasSubstr("size does not match"));
  EXPECT_THAT(refusal([](auto& h) { h.sizes.arena_bytes += 4096; }),
              HasSubstr("size does not match"));
  EXPECT_THAT(refusal([](auto& h) { h.total_bytes += 4096; }), HasSubstr("size does not match"));
}

TEST_F(SegmentAttachTest, RefusesSizesOutOfRangeEvenIfTheyAddUp) {
  // Arenas that begin in the middle of a page, and no slots at all: with a file of just that size.
  const std::size_t odd_arenas = bytes_ + kSizes.workers * 32;
  EXPECT_THAT(refusal(
                  [&](auto& h) {
                    h.sizes.arena_bytes += 32;
                    h.total_bytes = odd_arenas;
                  },
                  odd_arenas),
              HasSubstr("size does not match"));
  const std::size_t no_slots = bytes_ - kSizes.workers * 4096;
  EXPECT_THAT(refusal(
                  [&](auto& h) {
                    h.sizes.slots_per_worker = 0;
                    h.total_bytes = no_slots;
                  },
                  no_slots),
              HasSubstr("size does not match"));
}

TEST_F(SegmentAttachTest, RefusesAFileOfAnotherSize) {
  EXPECT_THAT(refusal(nothing, 0), HasSubstr("too small"));
  EXPECT_THAT(refusal(nothing, 10), HasSubstr("too small"));
  EXPECT_THAT(refusal(nothing, sizeof(SegmentHeader) - 1), HasSubstr("too small"));
  for (std::size_t bytes : {sizeof(SegmentHeader), std::size_t{4096}, bytes_ - 4096, bytes_ - 1,
                            bytes_ + 1, bytes_ + 4096}) {
    EXPECT_THAT(refusal(nothing, bytes), HasSubstr("size does not match")) << bytes;
    // The header agrees with the file, but not with itself.
    EXPECT_THAT(refusal([&](auto& h) { h.total_bytes = bytes; }, bytes),
                HasSubstr("size does not match"))
        << bytes;
  }
}

TEST_F(SegmentAttachTest, RefusesAFileThatCouldShrinkUnderTheMapping) {
  EXPECT_THAT(refusal(nothing, bytes_, 0), HasSubstr("no sealed memory file"));
  EXPECT_THAT(refusal(nothing, bytes_, F_SEAL_GROW | F_SEAL_SEAL),
              HasSubstr("no sealed memory file"));
}

TEST_F(SegmentAttachTest, RefusesWhatIsNoMemoryFile) {
  EXPECT_THAT(test::error_of(Segment::attach(-1)), HasSubstr("fd -1"));
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  EXPECT_THAT(test::error_of(Segment::attach(null)), HasSubstr("no sealed memory file"));
  close(null);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_THAT(test::error_of(Segment::attach(ends[0])), HasSubstr("no sealed memory file"));
  close(ends[0]);
  close(ends[1]);
}

TEST_F(SegmentAttachTest, AHeaderScribbledLaterMovesNoPartOfThoseWhoJoined) {
  auto joined = test::segment_or_fail(Segment::attach(original_->fd()));
  char* const arena = joined->arena(1);
  DescriptorRing* const ring = &joined->ring(1, 1);
  original_->header().sizes = {.workers = 60, .slots_per_worker = 1, .arena_bytes = 1u << 30};
  EXPECT_EQ(joined->workers(), kSizes.workers);
  EXPECT_EQ(joined->arena_bytes(), kSizes.arena_bytes);
  EXPECT_EQ(joined->arena(1), arena);
  EXPECT_EQ(&joined->ring(1, 1), ring);
  EXPECT_EQ(joined->generations(1).size(), kSizes.slots_per_worker);
}

}  // namespace
}  // namespace ringcast::ring
