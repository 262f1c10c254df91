// A publication on its way between workers: comes back as it was written, and no header that
// contradicts its frame is believed.
#include "worker/publication.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "tests/ring/support.h"

namespace ringcast::worker {
namespace {

Publication sample() {
  Publication p;
  p.id = (std::uint64_t{1} << 53) - 1;
  p.realm = 3;
  p.serializer = wire::Serializer::msgpack;
  p.topic = "com.example.topic";
  p.payload = {.args = "\x91\x01", .kwargs = "\x80"};
  return p;
}

std::string written(const Publication& p) {
  std::string out(publication_size(p), '\0');
  write_publication(out.data(), p);
  return out;
}

PublicationHeader header_of(const std::string& frame) {
  PublicationHeader header{};
  std::memcpy(&header, frame.data(), sizeof header);
  return header;
}

std::string with_header(std::string frame, const PublicationHeader& header) {
  std::memcpy(frame.data(), &header, sizeof header);
  return frame;
}

TEST(Publication, ComesBackAsItWasWritten) {
  for (const bool with_topic : {false, true}) {
    for (const bool with_args : {false, true}) {
      for (const bool with_kwargs : {false, true}) {
        Publication p = sample();
        if (!with_topic) p.topic = {};
        if (!with_args) p.payload.args = {};
        if (!with_kwargs) p.payload.kwargs = {};
        const std::string frame = written(p);
        const auto back = parse_publication(frame);
        ASSERT_TRUE(back);
        EXPECT_EQ(back->id, p.id);
        EXPECT_EQ(back->realm, p.realm);
        EXPECT_EQ(back->serializer, p.serializer);
        EXPECT_EQ(back->topic, p.topic);
        EXPECT_EQ(back->payload.args, p.payload.args);
        EXPECT_EQ(back->payload.kwargs, p.payload.kwargs);
      }
    }
  }
}

Publication with_extras() {
  Publication p = sample();
  p.extras = PublicationExtras{
      .publisher = 77,
      .publisher_authid = "joe",
      .publisher_authrole = "user",
      .passthru = {.scheme = "x_s", .serializer = "cbor", .cipher = "c", .keyid = "key"},
      .receivers = "a filter",
      .retain = true,
      .excluded_session = 99};
  return p;
}

TEST(Publication, ExtrasComeBackAsTheyWereWritten) {
  const std::string frame = written(with_extras());
  const auto back = parse_publication(frame);
  ASSERT_TRUE(back && back->extras);
  EXPECT_EQ(back->topic, "com.example.topic");
  EXPECT_EQ(back->payload.kwargs, "\x80");
  EXPECT_EQ(back->extras->publisher, 77u);
  EXPECT_EQ(back->extras->publisher_authid, "joe");
  EXPECT_EQ(back->extras->publisher_authrole, "user");
  EXPECT_EQ(back->extras->passthru.scheme, "x_s");
  EXPECT_EQ(back->extras->passthru.serializer, "cbor");
  EXPECT_EQ(back->extras->passthru.cipher, "c");
  EXPECT_EQ(back->extras->passthru.keyid, "key");
  EXPECT_EQ(back->extras->receivers, "a filter");
  EXPECT_TRUE(back->extras->retain);
  EXPECT_EQ(back->extras->excluded_session, 99u);
  Publication bare = sample();
  bare.extras.emplace();
  ASSERT_TRUE(parse_publication(written(bare)));
  EXPECT_TRUE(parse_publication(written(bare))->extras);
}

TEST(Publication, ExtrasCutAnywhereOrTooLongAreRefused) {
  const std::string frame = written(with_extras());
  for (std::size_t size = 0; size < frame.size(); ++size) {
    const std::vector<char> cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(parse_publication({cut.data(), cut.size()})) << size;
  }
  EXPECT_FALSE(parse_publication(frame + "x"));
  PublicationHeader header = header_of(frame);
  header.has_extras = 2;
  EXPECT_FALSE(parse_publication(with_header(frame, header)));
  header.has_extras = 0;
  EXPECT_FALSE(parse_publication(with_header(frame, header)));
}

TEST(Publication, AFrameCutAnywhereOrTooLongIsRefused) {
  const std::string frame = written(sample());
  for (std::size_t size = 0; size < frame.size(); ++size) {
    // A copy of exactly that size, so that a read beyond it is seen by AddressSanitizer.
    const std::vector<char> cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(parse_publication({cut.data(), cut.size()})) << size;
  }
  EXPECT_FALSE(parse_publication(frame + "x"));
}

TEST(Publication, AHeaderThatContradictsTheFrameIsRefused) {
  const std::string frame = written(sample());
  const auto refused = [&](auto change) {
    PublicationHeader header = header_of(frame);
    change(header);
    return !parse_publication(with_header(frame, header));
  };
  EXPECT_FALSE(refused([](auto&) {}));
  EXPECT_TRUE(refused([](auto& h) { ++h.topic_size; }));
  EXPECT_TRUE(refused([](auto& h) { --h.topic_size; }));
  EXPECT_TRUE(refused([](auto& h) { ++h.args_size; }));
  EXPECT_TRUE(refused([](auto& h) { ++h.kwargs_size; }));
  EXPECT_TRUE(refused([](auto& h) { h.serializer = wire::kSerializerCount; }));
  EXPECT_TRUE(refused([](auto& h) { h.serializer = 0xFF; }));
}

TEST(Publication, SizesWhoseSumWouldWrapIn32BitsAreRefused) {
  const std::string frame = written(sample());
  PublicationHeader header = header_of(frame);
  const std::uint32_t sum = header.topic_size + header.args_size + header.kwargs_size;
  header.topic_size = 0x80000000u;
  header.args_size = 0x80000000u;
  header.kwargs_size = sum;
  EXPECT_FALSE(parse_publication(with_header(frame, header)));
  header.topic_size = UINT32_MAX;
  header.args_size = 1;
  EXPECT_FALSE(parse_publication(with_header(frame, header)));
}

TEST(Publication, RandomBytesGiveNothingOrViewsInsideTheFrame) {
  ring::test::Random random(11);
  std::size_t accepted = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string frame = written(i % 2 == 0 ? sample() : with_extras());
    for (std::uint64_t n = ring::test::below(random, 4); n != 0; --n) {
      frame[ring::test::below(random, frame.size())] = static_cast<char>(random());
    }
    const auto back = parse_publication(frame);
    if (!back) continue;
    ++accepted;
    std::vector<std::string_view> parts = {back->topic, back->payload.args, back->payload.kwargs};
    if (const auto& extras = back->extras) {
      parts.insert(parts.end(),
                   {extras->publisher_authid, extras->publisher_authrole, extras->passthru.scheme,
                    extras->passthru.keyid, extras->receivers});
    }
    for (const std::string_view part : parts) {
      ASSERT_GE(part.data(), frame.data());
      ASSERT_LE(part.data() + part.size(), frame.data() + frame.size());
    }
  }
  EXPECT_GT(accepted, 0u);
}

}  // namespace
}  // namespace ringcast::worker
