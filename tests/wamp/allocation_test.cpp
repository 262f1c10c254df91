// The routing path (decode a PUBLISH, read whom it is for, write its EVENT) must not allocate once
// its decoder, reader and strings are in use.
// Every operator new of this program is counted.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "samples.h"
#include "wire/encode.h"
#include "wire/list_reader.h"

namespace {
std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace ringcast::wire::test {
namespace {

TEST(Allocation, is_counted_at_all) {
  const std::size_t before = allocations;
  violation_of(Bytes("["), Serializer::json);
  EXPECT_GT(allocations, before);
}

// What a worker keeps from publication to publication.
struct Route {
  explicit Route(Serializer with) : serializer(with), decoder(with) {}

  // The size of the EVENT, 0 if something is wrong.
  std::size_t publish(const std::string& bytes) {
    const DecodeResult& result = decoder.decode(bytes);
    const auto* message = std::get_if<Message>(&result);
    const auto* publish = message == nullptr ? nullptr : std::get_if<Publish>(message);
    if (publish == nullptr) return 0;
    if (publish->options.receivers) read(*publish->options.receivers);
    details.clear();
    if (publish->options.disclose_me) {
      append_event_details(
          details, serializer,
          {.topic = publish->topic, .publisher = kIdMax, .passthru = publish->options.passthru});
    }
    const std::size_t size = event_size(serializer, 5, kIdMax, publish->payload, details);
    if (size > out.size()) return 0;
    write_event(out.data(), serializer, 5, kIdMax, publish->payload, details);
    return size;
  }
  void read(const ReceiverFilter& receivers) {
    reader.open(serializer, receivers.eligible);
    for (std::uint64_t id = 0; reader.next(id);) seen += id;
    reader.open(serializer, receivers.exclude_authid);
    for (Bytes text; reader.next(text);) seen += text.size();
  }

  Serializer serializer;
  Decoder decoder;
  ListReader reader;
  std::string details;
  std::string out = std::string(1u << 20, '\0');
  std::uint64_t seen = 0;
};

void expect_no_allocation(Serializer serializer, const std::string& publish_bytes) {
  Route route(serializer);
  ASSERT_GT(route.publish(publish_bytes), 0u);  // warms up: an escape in a string takes memory once
  const std::size_t before = allocations;
  std::size_t routed = 0;
  for (int i = 0; i < 100; ++i) routed += route.publish(publish_bytes) > 0 ? 1 : 0;
  const std::size_t after = allocations;
  EXPECT_EQ(after - before, 0u) << to_string(serializer);
  EXPECT_EQ(routed, 100u);
}

TEST(Allocation, none_on_the_routing_path) {
  for (const Serializer serializer : kSerializers) {
    expect_no_allocation(serializer, serialize(sample(MessageType::publish).elements, serializer));
    Json large = sample(MessageType::publish).elements;
    for (int i = 0; i < 2000; ++i)
      large[4].push_back({{"k", i}, {"text", "Grüße, long enough not to be short"}});
    expect_no_allocation(serializer, serialize(large, serializer));
    large[2] = Json::object();
    expect_no_allocation(serializer, serialize(large, serializer));
  }
  expect_no_allocation(
      Serializer::json,
      R"([16,1,{"acknowledg\u0065":true},"com.\u0074opic.long.enough.not.to.be.short",["\n"]])");
}

}  // namespace
}  // namespace ringcast::wire::test
