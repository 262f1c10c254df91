// The routing path (decode a PUBLISH, write its EVENT) must not allocate once a decoder is in use.
// Every operator new of this program is counted.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "samples.h"
#include "wire/encode.h"

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

void expect_no_allocation(Serializer serializer, const std::string& publish_bytes) {
  Decoder decoder(serializer);
  std::string out(publish_bytes.size() + 64, '\0');
  const auto route = [&]() -> std::size_t {
    const DecodeResult result = decoder.decode(publish_bytes);
    const auto* message = std::get_if<Message>(&result);
    if (message == nullptr || !std::holds_alternative<Publish>(*message)) return 0;
    const Payload& payload = std::get<Publish>(*message).payload;
    const std::size_t size = event_size(serializer, 5, kIdMax, payload);
    if (size > out.size()) return 0;
    return static_cast<std::size_t>(write_event(out.data(), serializer, 5, kIdMax, payload) -
                                    out.data());
  };
  ASSERT_GT(route(), 0u);  // warms up: an escape in a string takes memory once
  const std::size_t before = allocations;
  std::size_t routed = 0;
  for (int i = 0; i < 100; ++i) routed += route() > 0 ? 1 : 0;
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
  }
  expect_no_allocation(
      Serializer::json,
      R"([16,1,{"acknowledg\u0065":true},"com.\u0074opic.long.enough.not.to.be.short",["\n"]])");
}

}  // namespace
}  // namespace ringcast::wire::test
