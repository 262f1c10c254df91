// One call of a procedure below "wamp.", which the router answers itself: its arguments, and what
// is kept of it until the answer. Used by the caller's worker thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ring/connection_id.h"
#include "wire/message.h"
#include "worker/connection.h"

namespace ringcast::worker {

// Arguments of a call, in any of their types. Views of the message.
class MetaArguments {
 public:
  static constexpr std::size_t kPositionalMax = 8;  // those behind are not looked at

  MetaArguments(wire::Serializer serializer, const wire::Payload& payload);

  // An id from 1 to 2^53; nothing if the argument is absent or anything else.
  std::optional<std::uint64_t> id(std::size_t at) const;
  std::optional<std::string> text(std::size_t at) const;
  // As it is written; empty if it is absent or null.
  wire::Bytes raw(std::size_t at) const;
  wire::Bytes raw(std::string_view keyword) const;
  // Whether the keyword is absent or null, or text, which is then in `text`.
  bool optional_text(std::string_view keyword, std::optional<std::string>& text) const;

  wire::Serializer serializer() const { return serializer_; }

 private:
  wire::Serializer serializer_;
  std::vector<wire::Bytes> positional_;
  wire::Bytes kwargs_;
};

// Whom to answer. It may be gone by then.
struct MetaCaller {
  ring::ConnectionId who;
  std::uint64_t request = 0;
  std::uint16_t realm = 0;
};

// Gone when its handler returns, but for the caller.
struct MetaCall {
  Connection& connection;
  MetaCaller caller;
  MetaArguments arguments;
};

}  // namespace ringcast::worker
