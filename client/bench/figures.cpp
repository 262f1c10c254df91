#include "client/bench/figures.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace ringcast::bench {
namespace {

// Three digits, without an exponent, and the largest unit that keeps the number at 1 or above.
std::string scaled(double value, std::array<std::string_view, 4> units) {
  if (value == 0) return "0";
  if (value < 0) return "-" + scaled(-value, units);
  std::size_t unit = 0;
  // 999.5 would be printed as 1000.
  for (; unit + 1 < units.size() && value >= 999.5; ++unit) value /= 1e3;
  const int decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  std::string number = fmt::format("{:.{}f}", value, decimals);
  if (number.find('.') != std::string::npos) {
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
  }
  return units[unit].empty() ? number : fmt::format("{} {}", number, units[unit]);
}

}  // namespace

std::string duration_text(double ns) { return scaled(ns, {"ns", "µs", "ms", "s"}); }
std::string amount_text(double value) { return scaled(value, {"", "k", "M", "G"}); }
std::string bytes_text(double bytes) { return scaled(bytes, {"B", "kB", "MB", "GB"}); }

}  // namespace ringcast::bench
