#include "worker/realms.h"

#include <array>
#include <cassert>
#include <cstring>

#include "auth/crypto.h"
#include "wire/uri.h"

namespace ringcast::worker {
namespace {

// What comes before the next '.', which is taken away with it.
std::string_view take_component(std::string_view& uri) {
  const std::size_t end = uri.find('.');
  const std::string_view component = uri.substr(0, end);
  uri = end == std::string_view::npos ? std::string_view() : uri.substr(end + 1);
  return component;
}

// '*' stands for any characters. Goes back to the last '*' only, which is enough.
bool component_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// Nobody can choose names that have the same: it is cut from a MAC under the node's key.
std::uint64_t name_hash(const ring::SessionKey& key, std::string_view name) {
  std::array<char, sizeof key> bytes{};
  std::memcpy(bytes.data(), key.data(), sizeof key);
  const auth::Bytes32 mac = auth::hmac_sha256(auth::view(bytes), "realm:" + std::string(name));
  std::uint64_t hash = 0;
  std::memcpy(&hash, mac.data(), sizeof hash);
  return hash;
}

}  // namespace

bool realm_name_matches(std::string_view pattern, std::string_view name) {
  while (!pattern.empty() && !name.empty()) {
    if (!component_matches(take_component(pattern), take_component(name))) return false;
  }
  return pattern.empty() && name.empty();
}

Realms::Realms(const WorkerOptions& options, const ring::Segment& segment)
    : configured_(options.realms),
      templates_(options.realm_templates),
      on_demand_(segment.realms()),
      key_(segment.header().session_key) {
  assert(configured_.size() <= ring::kRealmsConfiguredMax && templates_.size() <= UINT8_MAX);
}

std::optional<std::uint16_t> Realms::find_configured(std::string_view name) const {
  for (std::size_t at = 0; at < configured_.size(); ++at) {
    if (configured_[at]->name == name) return static_cast<std::uint16_t>(at);
  }
  return std::nullopt;
}

std::size_t Realms::find_template(std::string_view name) const {
  std::size_t at = 0;
  while (at < templates_.size() && !realm_name_matches(templates_[at]->name, name)) ++at;
  return at;
}

const Realm* Realms::serving(std::string_view name) const {
  if (const auto configured = find_configured(name)) return configured_[*configured].get();
  if (templates_.empty() || !wire::uri_valid(name, wire::UriRule::loose)) return nullptr;
  const std::size_t at = find_template(name);
  return at < templates_.size() ? templates_[at].get() : nullptr;
}

std::optional<std::uint16_t> Realms::number(std::string_view name) {
  if (const auto configured = find_configured(name)) return configured;
  const std::size_t at = find_template(name);
  assert(at < templates_.size());
  const auto place = on_demand_.claim(name_hash(key_, name), static_cast<std::uint8_t>(at + 1));
  if (!place) return std::nullopt;
  const auto number = static_cast<std::uint16_t>(configured_.size() + *place);
  names_.try_emplace(number, name);
  return number;
}

const Realm* Realms::template_of(std::uint16_t number) const {
  assert(number >= configured_.size());
  const auto place = static_cast<std::uint32_t>(number - configured_.size());
  const std::uint8_t kind = on_demand_.kind_at(place);
  return kind != 0 && kind <= templates_.size() ? templates_[kind - 1u].get() : nullptr;
}

std::string_view Realms::name(std::uint16_t number) const {
  const auto found = names_.find(number);
  return found != names_.end() ? std::string_view(found->second) : (*this)[number].name;
}

}  // namespace ringcast::worker
