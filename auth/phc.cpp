#include "auth/phc.h"

#include <charconv>

#include "auth/encoding.h"

namespace ringcast::auth {
namespace {

// Up to the next `separator`, which is taken too.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

// Decimal, without sign or leading zeros.
std::optional<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return value;
}

bool parse_parameters(Phc& phc, std::string_view text) {
  for (;;) {
    const bool last = text.find(',') == std::string_view::npos;
    std::string_view value = take_until(text, ',');
    const std::string_view name = take_until(value, '=');
    const auto number = parse_number(value);
    if (name.empty() || !number) return false;
    phc.parameters.emplace_back(name, *number);
    if (last) return true;
  }
}

}  // namespace

std::optional<std::vector<std::uint32_t>> Phc::values(
    std::initializer_list<std::string_view> names) const {
  if (parameters.size() != names.size()) return std::nullopt;
  std::vector<std::uint32_t> out;
  for (const std::string_view name : names) {
    const auto& [have, value] = parameters[out.size()];
    if (have != name) return std::nullopt;
    out.push_back(value);
  }
  return out;
}

std::optional<Phc> parse_phc(std::string_view text) {
  if (text.size() > kPhcSizeMax || !text.starts_with('$') || text.ends_with('$'))
    return std::nullopt;
  text.remove_prefix(1);
  Phc phc;
  phc.id = take_until(text, '$');
  if (text.starts_with("v=")) {
    phc.version = parse_number(take_until(text, '$').substr(2));
    if (!phc.version) return std::nullopt;
  }
  // Base64 without padding has no '=', so only parameters do.
  if (text.substr(0, text.find('$')).find('=') != std::string_view::npos) {
    if (!parse_parameters(phc, take_until(text, '$'))) return std::nullopt;
  }
  while (!text.empty()) {
    auto field = from_base64(take_until(text, '$'), Base64::standard_unpadded);
    if (!field) return std::nullopt;
    phc.fields.push_back(*std::move(field));
  }
  return phc;
}

std::string format_phc(const Phc& phc) {
  std::string out = "$";
  out.append(phc.id);
  if (phc.version) out.append("$v=").append(std::to_string(*phc.version));
  char separator = '$';
  for (const auto& [name, value] : phc.parameters) {
    out += separator;
    out.append(name).append("=").append(std::to_string(value));
    separator = ',';
  }
  for (const std::string& field : phc.fields)
    out.append("$").append(to_base64(field, Base64::standard_unpadded));
  return out;
}

}  // namespace ringcast::auth
