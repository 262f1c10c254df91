#include "wire/frame_reader.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "wire/frame_state.h"
#include "wire/mask.h"
#include "wire/whole_frame.h"

namespace ringcast::wire {
namespace {

constexpr std::uint16_t kProtocolError = 1002;
constexpr std::uint16_t kNoStatus = 1005;
constexpr std::uint16_t kBadText = 1007;
constexpr std::uint16_t kPolicy = 1008;
constexpr std::uint16_t kTooLarge = 1009;

// A pooled state keeps no more message memory than this, or a few large messages would be paid for
// by every state of the pool.
constexpr std::size_t kKeptMessageBytesMax = 64u << 10;

FrameEvent violation(FrameState& state, std::uint16_t code, std::string text) {
  state.broken = true;
  state.violation = std::move(text);
  return {FrameEvent::Kind::violation, code, state.violation};
}

FrameEvent need_more() { return {}; }

bool is_known(unsigned opcode) { return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xA); }

// The codes that may stand in a close frame (RFC 6455 section 7.4 and the IANA registry): not the
// ones that are for local use only (1005, 1006, 1015), not the unassigned ones.
bool may_be_sent(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

std::string hex_digit(unsigned value) { return std::string(1, "0123456789ABCDEF"[value & 15]); }

// What is wrong with the first two bytes of a header, empty if nothing is.
std::string fault_of_start(const FrameHeader& header, Role role, bool in_message) {
  const unsigned opcode = header.opcode();
  if (header.rsv() != 0) return "reserved bits are set, but no extension was negotiated";
  if (!is_known(opcode)) return "opcode 0x" + hex_digit(opcode) + " is reserved";
  if (role == Role::server && !header.masked()) return "a frame from a client must be masked";
  if (role == Role::client && header.masked()) return "a frame from a server must not be masked";
  if (header.is_control()) {
    if (!header.fin()) return "a control frame must not be fragmented";
    if (header.short_length() > 125) return "a control frame has more than 125 bytes of payload";
    return {};
  }
  if (opcode == 0 && !in_message) return "a continuation frame without a message to continue";
  if (opcode != 0 && in_message)
    return "a new message begins before the last fragment of the present one";
  return {};
}

// Why wslay refused a header whose first two bytes are in order: that leaves its length.
const char* fault_of_length(const FrameHeader& header) {
  if (header.length() >> 63 != 0) return "the top bit of a 64-bit frame length is set";
  return "a frame length is not encoded in the shortest form";
}

FrameEvent close_event(FrameState& state) {
  const Bytes payload(state.control.data(), state.control_size);
  if (payload.empty()) return {FrameEvent::Kind::close, kNoStatus, {}};
  if (payload.size() == 1)
    return violation(state, kProtocolError,
                     "a close frame has one byte of payload, not 0 or 2 to 125");
  const unsigned code = static_cast<unsigned>(static_cast<unsigned char>(payload[0])) << 8 |
                        static_cast<unsigned char>(payload[1]);
  if (!may_be_sent(code))
    return violation(state, kProtocolError,
                     "close code " + std::to_string(code) + " must not be sent");
  const Bytes reason = payload.substr(2);
  if (!utf8_valid(reason))
    return violation(state, kBadText, "the reason of a close frame is not valid UTF-8");
  return {FrameEvent::Kind::close, static_cast<std::uint16_t>(code), reason};
}

FrameEvent control_event(FrameState& state, Opcode opcode) {
  if (opcode == Opcode::close) return close_event(state);
  const auto kind = opcode == Opcode::ping ? FrameEvent::Kind::ping : FrameEvent::Kind::pong;
  return {kind, 0, Bytes(state.control.data(), state.control_size)};
}

FrameEvent message_event(FrameState& state) {
  const bool is_text = state.message_opcode == Opcode::text;
  if (is_text && !state.utf8.complete())
    return violation(state, kBadText, "a text message ends inside a UTF-8 code point");
  state.fragments = 0;
  return {is_text ? FrameEvent::Kind::text : FrameEvent::Kind::binary, 0, state.message.message()};
}

// The frame in progress is whole. need_more if its message is not.
FrameEvent end_frame(FrameState& state) {
  state.in_frame = false;
  const FrameHeader header = std::exchange(state.header, FrameHeader());
  if (header.is_control()) return control_event(state, static_cast<Opcode>(header.opcode()));
  return header.fin() ? message_event(state) : need_more();
}

// Unmasks a piece of payload into where it belongs. False if it makes a text invalid.
bool take_payload(FrameState& state, const wslay_frame_iocb& frame) {
  const std::size_t size = frame.data_length;
  if (size == 0) return true;
  char* place;
  if (state.header.is_control()) {
    place = state.control.data() + state.control_size;
    state.control_size += size;
  } else {
    place = state.message.extend(size);
  }
  const char* const data = reinterpret_cast<const char*>(frame.data);
  mask_bytes(place, data, size, state.mask_key, state.mask_offset);
  state.mask_offset = static_cast<std::uint32_t>((state.mask_offset + size) % 4);
  state.frame_left -= size;
  if (state.header.is_control() || state.message_opcode != Opcode::text) return true;
  return state.utf8.feed(Bytes(place, size));
}

// Checks a whole header and readies the state for its payload. `event` is set if it breaks a rule.
bool begin_frame(FrameState& state, const FrameLimits& limits, FrameEvent& event) {
  const FrameHeader& header = state.header;
  // wslay sees the frame without its mask: mask_bytes() takes that off, many times faster.
  std::array<char, FrameHeader::kSizeMax> plain;
  const std::size_t plain_size = 2 + header.length_size();
  std::memcpy(plain.data(), header.bytes.data(), plain_size);
  plain[1] = static_cast<char>(header.short_length());
  Bytes bytes(plain.data(), plain_size);
  wslay_frame_iocb frame{};
  if (state.pass(bytes, frame) == WSLAY_ERR_PROTO) {
    event = violation(state, kProtocolError, fault_of_length(header));
    return false;
  }
  state.in_frame = true;
  state.frame_left = header.length();
  state.mask_key = header.mask_key();
  state.mask_offset = 0;
  if (header.is_control()) {
    state.control_size = 0;
    return true;
  }
  if (state.fragments == 0) {
    state.message_opcode = static_cast<Opcode>(header.opcode());
    state.message.clear(kKeptMessageBytesMax);
    state.utf8.reset();
  }
  if (++state.fragments > limits.fragments_max) {
    event =
        violation(state, kPolicy,
                  "a message has more than " + std::to_string(limits.fragments_max) + " frames");
    return false;
  }
  if (state.frame_left > limits.message_size_max - state.message.size()) {
    event =
        violation(state, kTooLarge,
                  "a message is larger than " + std::to_string(limits.message_size_max) + " bytes");
    return false;
  }
  return true;
}

// Takes header bytes from the input. False if the header is not whole afterwards, with `event`
// saying why.
bool take_header(FrameState& state, Role role, Bytes& input, FrameEvent& event) {
  FrameHeader& header = state.header;
  while (header.size < header.needed) {
    if (input.empty()) return false;
    const std::size_t taken = std::min<std::size_t>(header.needed - header.size, input.size());
    std::memcpy(header.bytes.data() + header.size, input.data(), taken);
    input.remove_prefix(taken);
    header.size = static_cast<std::uint8_t>(header.size + taken);
    if (header.size != 2) continue;
    std::string fault = fault_of_start(header, role, state.fragments != 0);
    if (!fault.empty()) {
      event = violation(state, kProtocolError, std::move(fault));
      return false;
    }
    header.needed = static_cast<std::uint8_t>(2 + header.length_size() + (header.masked() ? 4 : 0));
  }
  return true;
}

// Takes payload from the input until the frame is whole. False if it is not, with `event` saying
// why.
bool take_frame(FrameState& state, Bytes& input, FrameEvent& event) {
  if (!state.header.is_control())
    state.message.reserve(std::min<std::uint64_t>(state.frame_left, input.size()));
  while (state.frame_left > 0) {
    if (input.empty()) return false;
    Bytes piece = input.substr(0, std::min<std::uint64_t>(state.frame_left, input.size()));
    const std::size_t offered = piece.size();
    wslay_frame_iocb frame{};
    const ssize_t result = state.pass(piece, frame);
    // The header was taken whole, so wslay has nothing left to refuse and returns what it was
    // given.
    assert(result > 0);
    static_cast<void>(result);
    input.remove_prefix(offered - piece.size());
    if (!take_payload(state, frame)) {
      event = violation(state, kBadText, "a text message is not valid UTF-8");
      return false;
    }
  }
  return true;
}

FrameEvent read_event(FrameState& state, Role role, const FrameLimits& limits, Bytes& input) {
  FrameEvent event;
  while (true) {
    if (!state.in_frame && !take_header(state, role, input, event)) return event;
    if (!state.in_frame && !begin_frame(state, limits, event)) return event;
    if (!take_frame(state, input, event)) return event;
    event = end_frame(state);
    if (event.kind != FrameEvent::Kind::need_more) return event;
  }
}

}  // namespace

FrameStatePool::FrameStatePool(std::size_t kept_max) : kept_max_(kept_max) {}

FrameStatePool::~FrameStatePool() = default;

std::unique_ptr<FrameState> FrameStatePool::take() {
  if (kept_.empty()) return std::make_unique<FrameState>();
  std::unique_ptr<FrameState> state = std::move(kept_.back());
  kept_.pop_back();
  return state;
}

void FrameStatePool::give_back(std::unique_ptr<FrameState> state) {
  if (state == nullptr || !state->reusable() || kept_.size() >= kept_max_) return;
  state->message.clear(kKeptMessageBytesMax);
  kept_.push_back(std::move(state));
}

char* FrameStatePool::scratch() {
  if (scratch_ == nullptr) scratch_ = std::make_unique_for_overwrite<char[]>(kWholePayloadMax);
  return scratch_.get();
}

FrameReader::FrameReader(Role role, const FrameLimits& limits, FrameStatePool& pool)
    : limits_(&limits), pool_(&pool), role_(role) {}

FrameReader::~FrameReader() {
  if (state_ != nullptr) pool_->give_back(std::move(state_));
}

FrameReader::FrameReader(FrameReader&&) noexcept = default;

FrameReader& FrameReader::operator=(FrameReader&& other) noexcept {
  // The state that was held here goes back to the pool with `other`.
  std::swap(limits_, other.limits_);
  std::swap(pool_, other.pool_);
  std::swap(state_, other.state_);
  std::swap(role_, other.role_);
  std::swap(ended_, other.ended_);
  return *this;
}

bool FrameReader::idle() const { return state_ == nullptr; }

void FrameReader::rest() {
  if (state_ != nullptr && state_->reusable()) pool_->give_back(std::move(state_));
}

FrameEvent FrameReader::read(Bytes& input) {
  assert(!ended_);
  rest();
  if (input.empty()) return need_more();
  FrameEvent whole;
  if (state_ == nullptr && take_whole_frame(role_, *limits_, pool_->scratch(), input, whole))
    return whole;
  if (state_ == nullptr) state_ = pool_->take();
  const FrameEvent event = read_event(*state_, role_, *limits_, input);
  ended_ = event.kind == FrameEvent::Kind::close || event.kind == FrameEvent::Kind::violation;
  return event;
}

}  // namespace ringcast::wire
