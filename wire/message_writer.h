// What the encoders of all messages share: the opening of a message, and the options that several
// of them have. Internal to wire/.
#pragma once

#include <cassert>
#include <cstddef>
#include <optional>

#include "wire/options.h"
#include "wire/writer.h"

namespace ringcast::wire {

// A message up to its code; the caller writes the elements behind it and closes the list.
class MessageWriter : public Writer {
 public:
  // `elements` counts the code too.
  MessageWriter(std::string& out, Serializer serializer, MessageType type, std::size_t elements)
      : Writer(out, serializer) {
    open_list(elements);
    integer(static_cast<std::uint64_t>(type));
  }
};

inline std::size_t payload_elements(const Payload& payload) {
  if (!payload.kwargs.empty()) return 2;
  return payload.args.empty() ? 0 : 1;
}

// [<type>, <first>, <second>]
inline void append_ids(std::string& out, Serializer serializer, MessageType type,
                       std::uint64_t first, std::uint64_t second) {
  MessageWriter writer(out, serializer, type, 3);
  writer.integer(first);
  writer.integer(second);
  writer.close_list();
}

// [<type>, <request>]
inline void append_done(std::string& out, Serializer serializer, MessageType type,
                        std::uint64_t request) {
  MessageWriter writer(out, serializer, type, 2);
  writer.integer(request);
  writer.close_list();
}

// [<type>, 0, {<what>: <id>, reason?}]
inline void append_revoked(std::string& out, Serializer serializer, MessageType type, Bytes what,
                           std::uint64_t id, Bytes reason) {
  MessageWriter writer(out, serializer, type, 3);
  writer.integer(0);
  DictWriter details(writer);
  details.integer(what, id);
  details.text_if_any("reason", reason);
  details.close();
  writer.close_list();
}

inline void write_passthru(DictWriter& dict, const std::optional<Passthru>& passthru) {
  if (!passthru || passthru->scheme.empty()) return;
  dict.text("ppt_scheme", passthru->scheme);
  dict.text_if_any("ppt_serializer", passthru->serializer);
  dict.text_if_any("ppt_cipher", passthru->cipher);
  dict.text_if_any("ppt_keyid", passthru->keyid);
}

template <class Choice, std::size_t count>
Bytes name_of(Choice choice, const Bytes (&names)[count]) {
  assert(static_cast<std::size_t>(choice) < count);
  return names[static_cast<std::size_t>(choice)];
}

inline void write_match(DictWriter& dict, MatchPolicy match) {
  if (match != MatchPolicy::exact) dict.text("match", name_of(match, kMatchPolicyNames));
}

}  // namespace ringcast::wire
