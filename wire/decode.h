// Serialized bytes to WAMP messages, bounded. Nothing in a message is trusted: nesting, lengths,
// numbers of elements and the types of every element and every known option are checked; the
// payload is checked for well-formedness and sliced, not decoded.
//
// One Decoder per thread and serializer; not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "wire/decode_limits.h"
#include "wire/message.h"

namespace ringcast::wire {

// Why bytes are not a message: text for ABORT.Details.message, e.g. "PUBLISH.Topic must be a
// string".
struct Violation {
  std::string message;
};

using DecodeResult = std::variant<Message, Violation>;

class Decoder {
 public:
  explicit Decoder(Serializer serializer, DecodeLimits limits = {});
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  // The result is valid until the next decode(). Views in it point into `bytes` or into this
  // decoder. `bytes` need not be padded.
  const DecodeResult& decode(Bytes bytes);

 private:
  class Impl;
  template <class Scanner>
  class ScannerImpl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ringcast::wire
