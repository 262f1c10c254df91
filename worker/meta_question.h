// What the workers ask one another for the procedures below "wamp.": a few fields and a text, as
// the request of a query (worker/queries.h).
//
// Values; any thread. Read from shared memory, so parse() believes no length before it has checked
// it.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "wire/options.h"

namespace ringcast::worker {

struct MetaQuestion {
  std::uint8_t what = 0;  // of an enumeration of who serves it
  wire::MatchPolicy match = wire::MatchPolicy::exact;
  std::uint64_t id = 0;       // of a registration or subscription
  std::uint64_t session = 0;  // packed ConnectionId
  std::string_view text = {};
};

namespace meta_question_detail {
struct Header {
  std::uint64_t id;
  std::uint64_t session;
  std::uint8_t what;
  std::uint8_t match;
  std::uint8_t reserved[6];
};
static_assert(sizeof(Header) == 24);
}  // namespace meta_question_detail

inline std::string write_meta_question(const MetaQuestion& question) {
  meta_question_detail::Header header{};
  header.id = question.id;
  header.session = question.session;
  header.what = question.what;
  header.match = static_cast<std::uint8_t>(question.match);
  std::string out;
  out.reserve(sizeof header + question.text.size());
  return out.append(reinterpret_cast<const char*>(&header), sizeof header).append(question.text);
}

// The text is a view of `bytes`.
inline std::optional<MetaQuestion> parse_meta_question(std::string_view bytes) {
  meta_question_detail::Header header{};
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.match >= static_cast<std::uint8_t>(wire::MatchPolicy::unknown)) return std::nullopt;
  return MetaQuestion{.what = header.what,
                      .match = static_cast<wire::MatchPolicy>(header.match),
                      .id = header.id,
                      .session = header.session,
                      .text = bytes.substr(sizeof header)};
}

}  // namespace ringcast::worker
