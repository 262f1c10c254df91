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
  std::string_view reason = {};   // of a kill or a revocation
  std::string_view message = {};  // of a kill
};

namespace meta_question_detail {
struct Header {
  std::uint64_t id;
  std::uint64_t session;
  std::uint32_t text_size;
  std::uint32_t reason_size;
  std::uint32_t message_size;
  std::uint8_t what;
  std::uint8_t match;
  std::uint16_t reserved;
};
static_assert(sizeof(Header) == 32);
}  // namespace meta_question_detail

inline std::string write_meta_question(const MetaQuestion& question) {
  meta_question_detail::Header header{};
  header.id = question.id;
  header.session = question.session;
  header.what = question.what;
  header.match = static_cast<std::uint8_t>(question.match);
  header.text_size = static_cast<std::uint32_t>(question.text.size());
  header.reason_size = static_cast<std::uint32_t>(question.reason.size());
  header.message_size = static_cast<std::uint32_t>(question.message.size());
  std::string out(reinterpret_cast<const char*>(&header), sizeof header);
  return out.append(question.text).append(question.reason).append(question.message);
}

// The texts are views of `bytes`.
inline std::optional<MetaQuestion> parse_meta_question(std::string_view bytes) {
  meta_question_detail::Header header{};
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::uint64_t expected =
      sizeof header + std::uint64_t{header.text_size} + header.reason_size + header.message_size;
  if (expected != bytes.size()) return std::nullopt;
  if (header.match >= static_cast<std::uint8_t>(wire::MatchPolicy::unknown)) return std::nullopt;
  return MetaQuestion{.what = header.what,
                      .match = static_cast<wire::MatchPolicy>(header.match),
                      .id = header.id,
                      .session = header.session,
                      .text = bytes.substr(sizeof header, header.text_size),
                      .reason = bytes.substr(sizeof header + header.text_size, header.reason_size),
                      .message = bytes.substr(bytes.size() - header.message_size)};
}

}  // namespace ringcast::worker
