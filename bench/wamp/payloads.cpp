#include "payloads.h"

#include <nlohmann/json.hpp>

namespace ringcast::wire::bench {
namespace {

using Json = nlohmann::json;

std::string serialize(const Json& value, Serializer serializer) {
  if (serializer == Serializer::json) return value.dump();
  const std::vector<std::uint8_t> bytes = Json::to_msgpack(value);
  return std::string(bytes.begin(), bytes.end());
}

}  // namespace

std::string records(Serializer serializer, std::size_t size) {
  Json list = Json::array();
  constexpr std::size_t kRecordSize = 90;  // bytes in JSON
  for (std::size_t i = 0; i * kRecordSize < size; ++i) {
    list.push_back({{"date", "2001-01-14 21:55"},
                    {"delay", static_cast<int>(i % 60)},
                    {"distance", 480 + i},
                    {"origin", "SMF"},
                    {"destination", "SAN"},
                    {"price", 1.25 * static_cast<double>(i + 1)}});
  }
  return serialize(list, serializer);
}

std::string text(Serializer serializer, std::size_t size) {
  return serialize(Json::array({std::string(size, 'x')}), serializer);
}

}  // namespace ringcast::wire::bench
