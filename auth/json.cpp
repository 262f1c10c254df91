#include "auth/json.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ringcast::auth {

std::optional<nlohmann::json> parse_json_object(std::string_view text) {
  using Event = nlohmann::json::parse_event_t;
  bool sound = true;
  std::vector<std::set<std::string>> names;  // of the objects that are open
  const auto watch = [&](int depth, Event event, nlohmann::json& parsed) {
    if (static_cast<std::size_t>(depth) > kJsonDepthMax) sound = false;
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end) names.pop_back();
    if (event == Event::key && !names.back().insert(parsed.get<std::string>()).second)
      sound = false;
    return true;
  };
  auto document = nlohmann::json::parse(text.begin(), text.end(), watch, false);
  if (!sound || !document.is_object()) return std::nullopt;  // a discarded document is no object
  return document;
}

const std::string* string_member(const nlohmann::json& object, const char* name) {
  const auto member = object.find(name);
  return member == object.end() ? nullptr : member->get_ptr<const std::string*>();
}

}  // namespace ringcast::auth
