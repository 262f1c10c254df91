#include "wire/plain_publish.h"

#include <cstddef>
#include <cstdint>

#include "wire/utf8.h"

namespace ringcast::wire {
namespace {

// The bytes from `at` on, of which there are `left`.
struct Place {
  const char* at;
  std::size_t left;

  std::uint8_t head() const { return static_cast<std::uint8_t>(*at); }
  Bytes take(std::size_t size) {
    const Bytes taken(at, size);
    at += size;
    left -= size;
    return taken;
  }
};

bool read_id(Place& place, std::uint64_t& out) {
  if (place.left < 9) return false;  // a PUBLISH goes on behind it, so this refuses tiny ones only
  const std::uint8_t head = place.head();
  std::size_t width = 0;
  if (head < 0x80) {
    out = head;
  } else if (head >= 0xCC && head <= 0xCF) {  // uint 8, 16, 32, 64
    width = std::size_t{1} << (head - 0xCC);
    out = 0;
    for (std::size_t i = 1; i <= width; ++i) {
      out = out << 8 | static_cast<std::uint8_t>(place.at[i]);
    }
  } else {
    return false;
  }
  place.take(1 + width);
  return out >= 1 && out <= kIdMax;
}

// A fixstr, or a str of up to 255 bytes.
bool read_text(Place& place, Bytes& out) {
  if (place.left < 2) return false;
  const std::uint8_t head = place.head();
  std::size_t size = head & 0x1Fu;
  if ((head & 0xE0) == 0xA0) {
    place.take(1);
  } else if (head == 0xD9) {  // str 8
    size = static_cast<std::uint8_t>(place.at[1]);
    place.take(2);
  } else {
    return false;
  }
  if (place.left < size) return false;
  out = place.take(size);
  return is_ascii(out) || utf8_valid(out);
}

bool read_options(Place& place, PublishOptions& out, std::size_t& entries) {
  if (place.left == 0 || (place.head() & 0xF0) != 0x80) return false;  // fixmap
  entries = place.head() & 0x0Fu;
  place.take(1);
  for (std::size_t i = 0; i < entries; ++i) {
    Bytes key;
    if (!read_text(place, key) || place.left == 0) return false;
    if ((place.head() & 0xFE) != 0xC2) return false;  // false, true
    const bool value = place.head() == 0xC3;
    place.take(1);
    if (key == "acknowledge") {
      out.acknowledge = value;
    } else if (key == "exclude_me") {
      out.exclude_me = value;
    } else {
      return false;
    }
  }
  return true;
}

bool read_payload(MsgpackScanner& scanner, std::size_t elements, Payload& out) {
  bool empty = false;
  if (elements > 0) {
    if (scanner.peek() != ValueKind::list || !scanner.slice(out.args, empty)) return false;
    if (empty) out.args = {};
  }
  if (elements > 1) {
    if (scanner.peek() != ValueKind::dict || !scanner.slice(out.kwargs, empty)) return false;
    if (empty) out.kwargs = {};
  }
  return scanner.at_end();
}

}  // namespace

bool read_plain_publish(MsgpackScanner& scanner, Bytes bytes, Publish& out) {
  constexpr std::uint8_t kCode = static_cast<std::uint8_t>(MessageType::publish);
  Place place{bytes.data(), bytes.size()};
  // A fixarray of four to six elements.
  if (place.left < 2 || place.head() < 0x94 || place.head() > 0x96) return false;
  const std::size_t elements = place.head() & 0x0Fu;
  if (static_cast<std::uint8_t>(place.at[1]) != kCode) return false;
  place.take(2);
  if (!read_id(place, out.request)) return false;
  const char* const options = place.at;
  std::size_t entries = 0;
  if (!read_options(place, out.options, entries)) return false;
  out.raw_options = Bytes(options, static_cast<std::size_t>(place.at - options));
  if (!read_text(place, out.topic)) return false;
  return scanner.resume(place.at, elements + entries) &&
         read_payload(scanner, elements - 4, out.payload);
}

}  // namespace ringcast::wire
