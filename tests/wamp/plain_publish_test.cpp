// The short way that most PUBLISH messages are decoded by, beside the long one: whatever the bytes,
// both come to the same. Written as a list with a 16-bit count a message takes the long way, as no
// client writes it so.

#include "wire/plain_publish.h"

#include <gtest/gtest.h>

#include <cctype>
#include <random>

#include "samples.h"

namespace ringcast::wire::test {
namespace {

using namespace std::string_literals;

// What the decoder says, without the positions of bytes, which differ by the longer head.
std::string verdict(const std::string& bytes, const DecodeLimits& limits) {
  const Exact exact(bytes);
  Decoder decoder(Serializer::msgpack, limits);
  const DecodeResult& result = decoder.decode(exact);
  if (const auto* violation = std::get_if<Violation>(&result)) {
    std::string text;
    for (const char c : violation->message) {
      if (std::isdigit(static_cast<unsigned char>(c)) == 0) text += c;
    }
    return text;
  }
  const auto* publish = std::get_if<Publish>(&std::get<Message>(result));
  if (publish == nullptr) return "another message";
  std::string text = std::to_string(publish->request);
  text += publish->options.acknowledge ? " acknowledge" : "";
  text += publish->options.exclude_me ? " exclude_me" : "";
  text += publish->options.disclose_me ? " disclose_me" : "";
  text += publish->options.retain ? " retain" : "";
  const ReceiverFilter receivers = publish->options.receivers.value_or(ReceiverFilter{});
  const Passthru passthru = publish->options.passthru.value_or(Passthru{});
  for (const Bytes part : {publish->raw_options, publish->topic, publish->payload.args,
                           publish->payload.kwargs, receivers.eligible, passthru.scheme}) {
    text.append("|").append(part);
  }
  return text;
}

bool takes_short_way(const std::string& bytes, const DecodeLimits& limits = {}) {
  const Exact exact(bytes);
  MsgpackScanner scanner(limits);
  scanner.reset(exact);
  Publish publish;
  return read_plain_publish(scanner, exact, publish);
}

void expect_same_both_ways(const std::string& bytes, const DecodeLimits& limits = {}) {
  ASSERT_EQ(static_cast<unsigned char>(bytes[0]) & 0xF0, 0x90);
  const std::string wide = "\xDC\0"s + static_cast<char>(bytes[0] & 0x0F) + bytes.substr(1);
  ASSERT_FALSE(takes_short_way(wide));
  ASSERT_EQ(verdict(bytes, limits), verdict(wide, limits)) << testing::PrintToString(bytes);
}

const std::string kTopic =
    "\xB1"
    "com.example.topic"s;

std::vector<std::string> publications() {
  return {
      "\x94\x10\x01\x80"s + kTopic,
      "\x95\x10\x7F\x80"s + kTopic +
          "\x91\xC4\x03"
          "abc"s,
      "\x95\x10\xCC\x80\x80"s + kTopic + "\x90"s,
      "\x96\x10\xCD\x01\x00\x81\xAB"
      "acknowledge\xC3"s +
          kTopic + "\x91\xD9\x02hi\x81\xA1k\x01"s,
      "\x96\x10\xCE\x00\x01\x00\x00\x81\xAA"
      "exclude_me\xC2"s +
          kTopic + "\x91\x92\x01\x02\x80"s,
      "\x95\x10\xCF\x00\x1F\xFF\xFF\xFF\xFF\xFF\xFF\x82\xAB"
      "acknowledge\xC3\xAA"
      "exclude_me\xC3"s +
          "\xD9\x11"
          "com.example.topic\x91\xC0"s,
      "\x95\x10\x05\x80\xA7gr\xC3\xBC\xC3\x9F"
      "e\x91\xA2\xC3\xBC"s,
      "\x95\x10\x05\x80\xA0\x91\x81\xA1"
      "a\x81\xA1"
      "b\x93\x01\x02\x03"s,
  };
}

// Those that must be left to the long way, or are wrong.
std::vector<std::string> others() {
  const std::string head = "\x95\x10\x05\x80"s;
  return {
      "\x93\x10\x05\x80"s,
      "\x97\x10\x05\x80"s + kTopic + "\x90\x80\x01"s,
      "\x95\x10\x00\x80"s + kTopic + "\x90"s,
      "\x95\x10\xCF\x00\x20\x00\x00\x00\x00\x00\x01\x80"s + kTopic + "\x90"s,
      "\x95\x10\xCB\x40\x14\x00\x00\x00\x00\x00\x00\x80"s + kTopic + "\x90"s,
      "\x95\x10\x05\x81\xAB"
      "acknowledge\xC0"s +
          kTopic + "\x90"s,
      "\x95\x10\x05\x81\xAB"
      "acknowledge\x01"s +
          kTopic + "\x90"s,
      "\x95\x10\x05\x81\xA6retain\xC3"s + kTopic + "\x90"s,
      "\x95\x10\x05\x81\xAB"
      "disclose_me\xC2"s +
          kTopic + "\x90"s,
      "\x95\x10\x05\x81\xA8"
      "eligible\x91\x07"s +
          kTopic + "\x90"s,
      "\x95\x10\x05\x81\xAAppt_scheme\xA1x"s + kTopic + "\x90"s,
      "\x95\x10\x05\x81\x01\xC3"s + kTopic + "\x90"s,
      head + "\xA2\xC3\x28\x90"s,
      head + "\x01\x90"s,
      head + kTopic + "\xC0"s,
      head + kTopic + "\x80"s,
      head + kTopic + "\x91\xD9\x02\xC3\x28"s,
      head + kTopic + "\x90 behind"s,
      head + kTopic + "\x92\x01"s,
      "\x96\x10\x05\x80"s + kTopic + "\x90\x90"s,
      "\x94\x11\x05\x80"s + kTopic,
  };
}

TEST(PlainPublish, is_what_clients_send) {
  for (const std::string& bytes : publications()) {
    EXPECT_TRUE(takes_short_way(bytes)) << testing::PrintToString(bytes);
  }
  for (const std::string& bytes : others()) {
    EXPECT_FALSE(takes_short_way(bytes)) << testing::PrintToString(bytes);
  }
}

TEST(PlainPublish, comes_to_the_same_as_the_long_way) {
  for (const auto& list : {publications(), others()}) {
    for (const std::string& bytes : list) expect_same_both_ways(bytes);
  }
}

TEST(PlainPublish, comes_to_the_same_when_cut_anywhere) {
  for (const std::string& bytes : publications()) {
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      expect_same_both_ways(bytes.substr(0, size));
    }
  }
}

TEST(PlainPublish, comes_to_the_same_with_bytes_changed) {
  std::mt19937_64 random(17);
  const std::vector<std::string> originals = publications();
  int short_way = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string bytes = originals[random() % originals.size()];
    for (std::size_t changes = 1 + random() % 3; changes > 0; --changes) {
      bytes[1 + random() % (bytes.size() - 1)] = static_cast<char>(random());
    }
    if (random() % 4 == 0) bytes.erase(1 + random() % (bytes.size() - 1), 1 + random() % 3);
    short_way += takes_short_way(bytes) ? 1 : 0;
    ASSERT_NO_FATAL_FAILURE(expect_same_both_ways(bytes));
  }
  EXPECT_GT(short_way, 10'000);
}

TEST(PlainPublish, keeps_to_the_limits) {
  for (const std::string& bytes : publications()) {
    for (std::size_t limit = 1; limit < 14; ++limit) {
      expect_same_both_ways(bytes, {.depth_max = 64, .elements_max = limit});
      expect_same_both_ways(bytes, {.depth_max = limit, .elements_max = 100});
    }
  }
}

}  // namespace
}  // namespace ringcast::wire::test
