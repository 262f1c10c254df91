// A call, and what comes back of it, as they travel between workers: a frame in the producer's
// arena, a fixed header and the parts behind it, among them the peer's own serialized arguments,
// which nobody decodes on the way.
//
// Values; any thread. Read from shared memory, so parse() believes no length before it has checked
// it.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "wire/message.h"
#include "wire/serializer.h"

namespace ringcast::worker {

struct RpcFrame {
  wire::Serializer serializer = wire::Serializer::json;  // of the payload
  bool wants_progress = false;    // of a call: the caller takes progressive results
  bool continues = false;         // of a call: more of it follows
  bool discloses_caller = false;  // of a call: its callee is told who calls
  bool conceals_caller = false;   // of a call: not even if the callee asks for it
  std::uint64_t caller = 0;       // session id
  std::uint64_t timeout_ms = 0;   // 0: none
  std::string_view uri = {};      // the procedure, or the error
  std::string_view caller_authid = {};
  std::string_view caller_authrole = {};
  std::optional<wire::Passthru> passthru = std::nullopt;
  wire::Payload payload = {};
};

namespace rpc_frame_detail {

enum Flag : std::uint8_t {
  kWantsProgress = 1,
  kContinues = 2,
  kDisclosesCaller = 4,
  kConcealsCaller = 8
};

inline constexpr std::size_t kParts = 9;

struct Header {
  std::uint64_t caller;
  std::uint64_t timeout_ms;
  std::array<std::uint32_t, kParts> sizes;
  std::uint8_t serializer;
  std::uint8_t flags;
  std::uint16_t reserved;
};
static_assert(sizeof(Header) == 56);

inline std::array<std::string_view, kParts> parts(const RpcFrame& frame) {
  const wire::Passthru passthru = frame.passthru.value_or(wire::Passthru{});
  return {frame.uri,       frame.caller_authid, frame.caller_authrole,
          passthru.scheme, passthru.serializer, passthru.cipher,
          passthru.keyid,  frame.payload.args,  frame.payload.kwargs};
}

// The mode is in use exactly if there is a scheme.
inline std::optional<wire::Passthru> passthru(const std::array<std::string_view, kParts>& parts) {
  if (parts[3].empty()) return std::nullopt;
  return wire::Passthru{
      .scheme = parts[3], .serializer = parts[4], .cipher = parts[5], .keyid = parts[6]};
}

}  // namespace rpc_frame_detail

inline std::string write_rpc_frame(const RpcFrame& frame) {
  namespace detail = rpc_frame_detail;
  detail::Header header{};
  header.caller = frame.caller;
  header.timeout_ms = frame.timeout_ms;
  header.serializer = static_cast<std::uint8_t>(frame.serializer);
  header.flags = static_cast<std::uint8_t>((frame.wants_progress ? detail::kWantsProgress : 0) |
                                           (frame.continues ? detail::kContinues : 0) |
                                           (frame.discloses_caller ? detail::kDisclosesCaller : 0) |
                                           (frame.conceals_caller ? detail::kConcealsCaller : 0));
  const auto parts = detail::parts(frame);
  std::size_t size = sizeof header;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    header.sizes[i] = static_cast<std::uint32_t>(parts[i].size());
    size += parts[i].size();
  }
  std::string out;
  out.reserve(size);
  out.append(reinterpret_cast<const char*>(&header), sizeof header);
  for (const std::string_view part : parts) out.append(part);
  return out;
}

// Views into `bytes`; nothing if the header contradicts their number.
inline std::optional<RpcFrame> parse_rpc_frame(std::string_view bytes) {
  namespace detail = rpc_frame_detail;
  detail::Header header{};
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::uint64_t expected = sizeof header;
  for (const std::uint32_t size : header.sizes) expected += size;
  if (expected != bytes.size() || header.serializer >= wire::kSerializerCount) return std::nullopt;
  std::array<std::string_view, detail::kParts> parts;
  std::size_t at = sizeof header;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i] = bytes.substr(at, header.sizes[i]);
    at += header.sizes[i];
  }
  return RpcFrame{.serializer = static_cast<wire::Serializer>(header.serializer),
                  .wants_progress = (header.flags & detail::kWantsProgress) != 0,
                  .continues = (header.flags & detail::kContinues) != 0,
                  .discloses_caller = (header.flags & detail::kDisclosesCaller) != 0,
                  .conceals_caller = (header.flags & detail::kConcealsCaller) != 0,
                  .caller = header.caller,
                  .timeout_ms = header.timeout_ms,
                  .uri = parts[0],
                  .caller_authid = parts[1],
                  .caller_authrole = parts[2],
                  .passthru = detail::passthru(parts),
                  .payload = {.args = parts[7], .kwargs = parts[8]}};
}

}  // namespace ringcast::worker
