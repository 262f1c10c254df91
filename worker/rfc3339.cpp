#include "worker/rfc3339.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace ringcast::worker {
namespace {

constexpr std::int64_t kDay_ms = std::int64_t{24} * 3600 * 1000;

// What is left of the text; each part fails for good where it does not find what it wants.
class Parts {
 public:
  explicit Parts(std::string_view text) : rest_(text) {}

  // Exactly so many digits, from `min` to `max`.
  int number(std::size_t digits, int min, int max) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') return fail();
      value = 10 * value + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value >= min && value <= max ? value : fail();
  }
  // One of these characters, which is given back.
  char one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) {
      fail();
      return 0;
    }
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }
  // ".123456": its milliseconds; 0 without one.
  int fraction_ms() {
    if (rest_.empty() || rest_.front() != '.') return 0;
    rest_.remove_prefix(1);
    int value = number(1, 0, 9) * 100;
    for (int unit = 10; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
         unit /= 10) {
      value += (rest_.front() - '0') * unit;
      rest_.remove_prefix(1);
    }
    return value;
  }
  bool at_end() const { return good_ && rest_.empty(); }

 private:
  int fail() {
    good_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::string to_rfc3339(std::int64_t time_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(time_ms)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int{date.year()},
      unsigned{date.month()}, unsigned{date.day()}, static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
      static_cast<int>(clock.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::optional<std::int64_t> from_rfc3339(std::string_view text) {
  Parts parts(text);
  const int year = parts.number(4, 0, 9999);
  parts.one_of("-");
  const int month = parts.number(2, 1, 12);
  parts.one_of("-");
  const int day = parts.number(2, 1, 31);
  parts.one_of("Tt ");
  const int hour = parts.number(2, 0, 23);
  parts.one_of(":");
  const int minute = parts.number(2, 0, 59);
  parts.one_of(":");
  const int second = parts.number(2, 0, 60);
  const int fraction_ms = parts.fraction_ms();
  std::int64_t offset_min = 0;
  if (const char sign = parts.one_of("Zz+-"); sign == '+' || sign == '-') {
    offset_min = std::int64_t{60} * parts.number(2, 0, 23);
    parts.one_of(":");
    offset_min += parts.number(2, 0, 59);
    if (sign == '-') offset_min = -offset_min;
  }
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!parts.at_end() || !date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * kDay_ms + ((std::int64_t{hour} * 60 + minute - offset_min) * 60 + second) * 1000 +
         fraction_ms;
}

}  // namespace ringcast::worker
