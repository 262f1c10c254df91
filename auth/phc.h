// The text form of hashed secrets: the PHC string format
// (https://github.com/P-H-C/phc-string-format), $id[$v=version][$name=value,…]$field[$field].
// Fields are base64 without padding. Private to auth/; stateless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringcast::auth {

struct Phc {
  std::string_view id;
  std::optional<std::uint32_t> version;
  std::vector<std::pair<std::string_view, std::uint32_t>> parameters;
  std::vector<std::string> fields;  // decoded

  // The values of exactly these parameters, in exactly this order.
  std::optional<std::vector<std::uint32_t>> values(
      std::initializer_list<std::string_view> names) const;
};

inline constexpr std::size_t kPhcSizeMax = 4096;  // bytes of text

// Nothing if `text` has not that form or is longer than kPhcSizeMax. Views into `text`.
std::optional<Phc> parse_phc(std::string_view text);
std::string format_phc(const Phc& phc);

}  // namespace ringcast::auth
