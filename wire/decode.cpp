#include "wire/decode.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "wire/json_scanner.h"
#include "wire/message_reader.h"
#include "wire/msgpack_scanner.h"
#include "wire/plain_publish.h"

namespace ringcast::wire {

std::string describe_failure(const ScanFailure& failure, Serializer serializer) {
  switch (failure.fault) {
    case ScanFault::depth:
      return "lists and dicts are nested too deeply";
    case ScanFault::elements:
      return "too many list elements and dict entries in one message";
    case ScanFault::none:
    case ScanFault::malformed:
      break;
  }
  std::string text = serializer == Serializer::json ? "malformed JSON" : "malformed MessagePack";
  return text.append(" at byte ")
      .append(std::to_string(failure.offset))
      .append(": ")
      .append(failure.reason);
}

class Decoder::Impl {
 public:
  virtual ~Impl() = default;
  virtual const DecodeResult& decode(Bytes bytes) = 0;
};

template <class Scanner>
class Decoder::ScannerImpl final : public Decoder::Impl {
 public:
  ScannerImpl(Serializer serializer, DecodeLimits limits)
      : scanner_(limits), serializer_(serializer) {}

  const DecodeResult& decode(Bytes bytes) override {
    Message* message = std::get_if<Message>(&result_);
    if (message == nullptr) message = &result_.emplace<Message>();
    if constexpr (std::is_same_v<Scanner, MsgpackScanner>) {
      scanner_.reset(bytes);
      if (read_plain_publish(scanner_, bytes, message->emplace<Publish>())) return result_;
    }
    scanner_.reset(bytes);
    MessageReader<Scanner> reader(scanner_, serializer_);
    if (!reader.read(*message)) result_ = Violation{reader.take_violation()};
    return result_;
  }

 private:
  DecodeResult result_;
  Scanner scanner_;
  Serializer serializer_;
};

Decoder::Decoder(Serializer serializer, DecodeLimits limits) {
  limits.depth_max = std::min(limits.depth_max, kDepthCeiling);
  if (serializer == Serializer::json) {
    impl_ = std::make_unique<ScannerImpl<JsonScanner>>(serializer, limits);
  } else {
    impl_ = std::make_unique<ScannerImpl<MsgpackScanner>>(serializer, limits);
  }
}

Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

const DecodeResult& Decoder::decode(Bytes bytes) { return impl_->decode(bytes); }

}  // namespace ringcast::wire
