// EVENT, straight to where it is sent from. Those without details, which nearly all are, have
// functions of their own: what is empty is then known when they are compiled.
#include <cstring>

#include "wire/encode.h"
#include "wire/message_writer.h"
#include "wire/value_writer.h"

namespace ringcast::wire {
namespace {

char* write_bytes(char* out, Bytes bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

// [36,<subscription>,<publication>,<details><,args><,kwargs>]
constexpr Bytes kJsonEventHead = "[36,";
constexpr Bytes kJsonNoDetails = "{}";

[[gnu::always_inline]] inline std::size_t json_event_size(std::uint64_t subscription,
                                                          std::uint64_t publication,
                                                          const Payload& payload, Bytes details) {
  std::size_t size = kJsonEventHead.size() + json_integer_size(subscription) + 1 +
                     json_integer_size(publication) + 1 + 1;
  size += details.empty() ? kJsonNoDetails.size() : details.size();
  if (!payload.args.empty()) size += 1 + payload.args.size();
  if (!payload.kwargs.empty()) size += 1 + payload.kwargs.size() + (payload.args.empty() ? 3 : 0);
  return size;
}

[[gnu::always_inline]] inline char* write_json_event(char* out, std::uint64_t subscription,
                                                     std::uint64_t publication,
                                                     const Payload& payload, Bytes details) {
  out = write_bytes(out, kJsonEventHead);
  out = write_json_integer(out, subscription);
  *out++ = ',';
  out = write_json_integer(out, publication);
  *out++ = ',';
  out = details.empty() ? write_bytes(out, kJsonNoDetails) : write_bytes(out, details);
  if (!payload.args.empty()) {
    *out++ = ',';
    out = write_bytes(out, payload.args);
  } else if (!payload.kwargs.empty()) {
    out = write_bytes(out, ",[]");
  }
  if (!payload.kwargs.empty()) {
    *out++ = ',';
    out = write_bytes(out, payload.kwargs);
  }
  *out++ = ']';
  return out;
}

[[gnu::always_inline]] inline std::size_t msgpack_event_size(std::uint64_t subscription,
                                                             std::uint64_t publication,
                                                             const Payload& payload,
                                                             Bytes details) {
  const bool filler = payload.args.empty() && !payload.kwargs.empty();
  return 2 + (details.empty() ? 1 : details.size()) + msgpack_integer_size(subscription) +
         msgpack_integer_size(publication) + payload.args.size() + payload.kwargs.size() +
         (filler ? 1 : 0);
}

[[gnu::always_inline]] inline char* write_msgpack_event(char* out, std::uint64_t subscription,
                                                        std::uint64_t publication,
                                                        const Payload& payload, Bytes details) {
  *out++ = static_cast<char>(0x94 + payload_elements(payload));
  *out++ = static_cast<char>(MessageType::event);
  out = write_msgpack_integer(out, subscription);
  out = write_msgpack_integer(out, publication);
  if (details.empty()) {
    *out++ = static_cast<char>(0x80);
  } else {
    out = write_bytes(out, details);
  }
  if (payload.args.empty() && !payload.kwargs.empty()) *out++ = static_cast<char>(0x90);
  out = write_bytes(out, payload.args);
  return write_bytes(out, payload.kwargs);
}

}  // namespace

std::size_t event_size(Serializer serializer, std::uint64_t subscription, std::uint64_t publication,
                       const Payload& payload) {
  return serializer == Serializer::json
             ? json_event_size(subscription, publication, payload, {})
             : msgpack_event_size(subscription, publication, payload, {});
}

std::size_t event_size(Serializer serializer, std::uint64_t subscription, std::uint64_t publication,
                       const Payload& payload, Bytes details) {
  return serializer == Serializer::json
             ? json_event_size(subscription, publication, payload, details)
             : msgpack_event_size(subscription, publication, payload, details);
}

char* write_event(char* out, Serializer serializer, std::uint64_t subscription,
                  std::uint64_t publication, const Payload& payload) {
  return serializer == Serializer::json
             ? write_json_event(out, subscription, publication, payload, {})
             : write_msgpack_event(out, subscription, publication, payload, {});
}

char* write_event(char* out, Serializer serializer, std::uint64_t subscription,
                  std::uint64_t publication, const Payload& payload, Bytes details) {
  return serializer == Serializer::json
             ? write_json_event(out, subscription, publication, payload, details)
             : write_msgpack_event(out, subscription, publication, payload, details);
}

}  // namespace ringcast::wire
