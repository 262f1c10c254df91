#include "wire/string_list.h"

#include <nlohmann/json.hpp>

#include "wire/transcode.h"

namespace ringcast::wire {

std::vector<std::string> decode_string_list(Serializer serializer, Bytes list) {
  std::string json;
  if (!transcode(serializer, Serializer::json, list, json)) return {};
  std::vector<std::string> strings;
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_array()) return strings;
  for (const auto& element : parsed) {
    if (element.is_string()) strings.push_back(element.get<std::string>());
  }
  return strings;
}

}  // namespace ringcast::wire
