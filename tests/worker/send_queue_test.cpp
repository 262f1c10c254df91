// A connection's send queue: whatever is appended, gathered, consumed in part, copied out of the
// log or dropped, what it gathers is what is still to be sent, and the rest of a frame that has
// begun to leave is never lost. Checked beside an oracle that holds plain bytes.
#include "worker/send_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "tests/ring/support.h"
#include "wire/frame_writer.h"

namespace ringcast::worker {
namespace {

using ring::test::below;
using ring::test::Random;

LogRange write_bytes(FanoutLog& log, std::string_view bytes) {
  bytes.copy(log.write_pointer(bytes.size()), bytes.size());
  return log.commit(bytes.size());
}

std::string frame(std::size_t payload, char letter) {
  std::string out;
  wire::append_frame(out, wire::Opcode::binary, std::string(payload, letter));
  return out;
}

std::string gathered(const SendQueue& queue, const FanoutLog& log, std::size_t pieces_max = 256,
                     std::size_t bytes_max = SIZE_MAX) {
  std::vector<iovec> pieces(pieces_max);
  const std::size_t count = queue.gather(log, pieces.data(), pieces_max, bytes_max);
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_NE(pieces[i].iov_len, 0u);
    out.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  }
  return out;
}

std::size_t piece_count(const SendQueue& queue, const FanoutLog& log) {
  std::array<iovec, 256> pieces;
  return queue.gather(log, pieces.data(), pieces.size(), SIZE_MAX);
}

// Three frames whose lengths take 7, 16 and 64 bits, in ranges that do not touch.
struct ThreeFrames {
  ThreeFrames() : log(1u << 18) {
    for (const std::string& f : frames) {
      queue.append(write_bytes(log, f), log);
      write_bytes(log, "for somebody else");
      all += f;
    }
  }
  // How much of the frame that `sent` bytes end in is still to come.
  std::size_t left_of_frame(std::size_t sent) const {
    std::size_t boundary = 0;
    for (const std::string& f : frames) {
      if (sent <= boundary) break;
      boundary += f.size();
    }
    return boundary - sent;
  }

  const std::vector<std::string> frames = {frame(3, 'a'), frame(300, 'b'), frame(66000, 'c')};
  FanoutLog log;
  SendQueue queue;
  std::string all;
};

// Every split point is worth a look near the boundaries; in the middle of the long frame they are
// all alike.
std::vector<std::size_t> split_points(std::size_t total) {
  std::vector<std::size_t> points;
  for (std::size_t at = 0; at < total; at += at < 400 || total - at < 40 ? 1 : 997) {
    points.push_back(at);
  }
  return points;
}

TEST(SendQueue, BeginsEmpty) {
  FanoutLog log(4096);
  SendQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0u);
  EXPECT_EQ(queue.oldest_position(), UINT64_MAX);
  EXPECT_EQ(gathered(queue, log), "");
}

TEST(SendQueue, AdjacentRangesMergeAndOthersKeepTheirOrder) {
  FanoutLog log(4096);
  SendQueue queue;
  queue.append(write_bytes(log, frame(2, 'a')), log);
  queue.append(write_bytes(log, frame(2, 'b')), log);
  EXPECT_EQ(piece_count(queue, log), 1u);
  write_bytes(log, "not for this one");
  queue.append(write_bytes(log, frame(2, 'c')), log);
  queue.append(write_bytes(log, frame(2, 'd')), log);
  EXPECT_EQ(piece_count(queue, log), 2u);
  EXPECT_EQ(gathered(queue, log), frame(2, 'a') + frame(2, 'b') + frame(2, 'c') + frame(2, 'd'));
  EXPECT_EQ(queue.bytes(), 16u);
  EXPECT_EQ(queue.oldest_position(), 0u);
}

TEST(SendQueue, GathersNoMoreThanItIsAllowed) {
  ThreeFrames t;
  for (std::size_t bytes = 1; bytes < 400; ++bytes) {
    EXPECT_EQ(gathered(t.queue, t.log, 16, bytes), t.all.substr(0, bytes));
  }
  EXPECT_EQ(gathered(t.queue, t.log, 1), t.frames[0]);
  EXPECT_EQ(gathered(t.queue, t.log, 2), t.frames[0] + t.frames[1]);
  t.queue.make_private(t.log);
  write_bytes(t.log, "between");
  t.queue.append(write_bytes(t.log, frame(1, 'z')), t.log);
  EXPECT_EQ(gathered(t.queue, t.log, 1), t.all);
  EXPECT_EQ(gathered(t.queue, t.log), t.all + frame(1, 'z'));
}

TEST(SendQueue, ConsumedAtEverySplitPointTheRestIsLeft) {
  for (const std::size_t sent : split_points(ThreeFrames().all.size())) {
    ThreeFrames t;
    t.queue.consume(sent, t.log);
    ASSERT_EQ(gathered(t.queue, t.log), t.all.substr(sent)) << sent;
    ASSERT_EQ(t.queue.bytes(), t.all.size() - sent);
    ASSERT_EQ(t.queue.front_left(), t.left_of_frame(sent)) << sent;
  }
  ThreeFrames t;
  t.queue.consume(t.all.size(), t.log);
  EXPECT_TRUE(t.queue.empty());
  EXPECT_EQ(t.queue.front_left(), 0u);
}

TEST(SendQueue, ConsumedByteByByteItKnowsEveryFrameBoundary) {
  FanoutLog log(8192);
  SendQueue queue;
  std::string all;
  std::vector<bool> boundary(1, true);
  for (const std::size_t payload : {0, 1, 125, 126, 127, 300}) {
    const std::string f = frame(payload, 'x');
    queue.append(write_bytes(log, f), log);
    all += f;
    boundary.resize(all.size(), false);
    boundary.push_back(true);
  }
  for (std::size_t sent = 1; sent < all.size(); ++sent) {
    queue.consume(1, log);
    EXPECT_EQ(queue.front_left() == 0, boundary[sent]) << sent;
    EXPECT_EQ(gathered(queue, log), all.substr(sent));
  }
}

TEST(SendQueue, MadePrivateAtEveryPointItSendsTheSameWithoutTheLog) {
  for (const std::size_t sent : split_points(ThreeFrames().all.size())) {
    ThreeFrames t;
    t.queue.consume(sent, t.log);
    t.queue.make_private(t.log);
    ASSERT_EQ(t.queue.oldest_position(), UINT64_MAX);
    t.log.raise_floor(t.log.end());
    for (int i = 0; i < 5; ++i) {  // all over the log
      write_bytes(t.log, std::string(t.log.capacity() / 5, '?'));
      t.log.raise_floor(t.log.end());
    }
    ASSERT_EQ(gathered(t.queue, t.log), t.all.substr(sent)) << sent;
    ASSERT_EQ(t.queue.front_left(), t.left_of_frame(sent));
  }
}

TEST(SendQueue, ConsumesAcrossThePrivateCopyIntoTheLogAtEveryPoint) {
  const std::string late = frame(20, 'l');
  const std::size_t total = ThreeFrames().all.size() + late.size();
  for (const std::size_t sent : split_points(total)) {
    ThreeFrames t;
    t.queue.make_private(t.log);
    t.queue.append(write_bytes(t.log, late), t.log);
    t.queue.consume(sent, t.log);
    ASSERT_EQ(gathered(t.queue, t.log), (t.all + late).substr(sent)) << sent;
    ASSERT_EQ(t.queue.bytes(), total - sent);
  }
}

TEST(SendQueue, DropsAllButTheFrameThatHasBegunAtEveryPoint) {
  for (const bool made_private : {false, true}) {
    for (const std::size_t sent : split_points(ThreeFrames().all.size())) {
      ThreeFrames t;
      if (made_private) t.queue.make_private(t.log);
      t.queue.consume(sent, t.log);
      const std::size_t left = t.left_of_frame(sent);
      ASSERT_EQ(t.queue.drop_unsent(t.log), t.all.size() - sent - left) << sent;
      ASSERT_EQ(gathered(t.queue, t.log), t.all.substr(sent, left)) << sent;
      ASSERT_EQ(t.queue.bytes(), left);
      ASSERT_EQ(t.queue.oldest_position(), UINT64_MAX);
      // A close frame comes behind it.
      t.queue.append(write_bytes(t.log, frame(2, 'q')), t.log);
      ASSERT_EQ(gathered(t.queue, t.log), t.all.substr(sent, left) + frame(2, 'q'));
    }
  }
}

TEST(SendQueue, ManyRangesFoldIntoOneCopyAndTheirNumberStaysBounded) {
  FanoutLog log(1u << 16);
  SendQueue queue;
  std::string all;
  for (std::size_t i = 0; i < 5 * SendQueue::kRangesMax; ++i) {
    const std::string f = frame(i % 7, static_cast<char>('a' + i % 26));
    queue.append(write_bytes(log, f), log);
    write_bytes(log, "x");
    all += f;
    ASSERT_LE(piece_count(queue, log), SendQueue::kRangesMax + 1);
    ASSERT_EQ(queue.bytes(), all.size());
  }
  EXPECT_EQ(gathered(queue, log), all);
}

TEST(SendQueue, RawBytesAreOnePieceThatHasBegunAndFramesFollow) {
  const std::string response = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
  const std::string follower = frame(9, 'f');
  for (std::size_t sent = 0; sent < response.size() + follower.size(); ++sent) {
    FanoutLog log(4096);
    SendQueue queue;
    queue.append_raw(write_bytes(log, response));
    queue.append(write_bytes(log, follower), log);
    queue.consume(sent, log);
    ASSERT_EQ(gathered(queue, log), (response + follower).substr(sent));
    const std::size_t end = sent <= response.size() ? response.size() : response.size() + 11;
    ASSERT_EQ(queue.front_left(), end - sent) << sent;
    queue.drop_unsent(log);
    ASSERT_EQ(gathered(queue, log), (response + follower).substr(sent, end - sent)) << sent;
  }
}

// The oracle: what is still to be sent, and where in it frames begin.
class Oracle {
 public:
  void append(const std::string& f) {
    bytes += f;
    frames.push_back(f.size());
  }
  void consume(std::size_t sent) {
    bytes.erase(0, sent);
    while (sent != 0) {
      const std::size_t taken = std::min(sent, frames.front());
      frames.front() -= taken;
      sent -= taken;
      begun = frames.front() != 0;
      if (!begun) frames.erase(frames.begin());
    }
  }
  void drop_unsent() {
    frames.resize(begun ? 1 : 0);
    bytes.resize(front_left());
  }
  std::size_t front_left() const { return begun ? frames.front() : 0; }

  std::string bytes;
  std::vector<std::size_t> frames;
  bool begun = false;
};

TEST(SendQueue, AgreesWithPlainBytesOverRandomOperations) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    FanoutLog log(1u << 15);
    SendQueue queue;
    Oracle oracle;
    const auto make_room = [&](std::size_t size) {
      const std::uint64_t floor = std::max(log.floor(), log.floor_needed(size));
      if (queue.oldest_position() < floor) queue.make_private(log);
      log.raise_floor(floor);
    };
    for (int step = 0; step < 3000; ++step) {
      const std::uint64_t dice = below(random, 40);
      if (dice < 16) {
        const std::string f = frame(below(random, below(random, 8) == 0 ? 4000 : 140),
                                    static_cast<char>(below(random, 256)));
        make_room(f.size());
        queue.append(write_bytes(log, f), log);
        oracle.append(f);
      } else if (dice < 24) {
        make_room(50);
        write_bytes(log, std::string(50, '\xFF'));
      } else if (dice < 38) {
        const std::size_t most = below(random, 3) == 0 ? queue.bytes() : queue.bytes() / 2;
        const std::size_t sent = most == 0 ? 0 : below(random, most + 1);
        queue.consume(sent, log);
        oracle.consume(sent);
      } else if (dice == 38) {
        queue.make_private(log);
      } else {
        queue.drop_unsent(log);
        oracle.drop_unsent();
      }
      ASSERT_EQ(queue.bytes(), oracle.bytes.size()) << "seed " << seed << " step " << step;
      ASSERT_EQ(queue.front_left(), oracle.front_left()) << "seed " << seed << " step " << step;
      ASSERT_EQ(gathered(queue, log), oracle.bytes) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace ringcast::worker
