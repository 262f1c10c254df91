#include "wire/decode.h"

#include <algorithm>
#include <utility>

#include "wire/json_scanner.h"
#include "wire/message_reader.h"
#include "wire/msgpack_scanner.h"

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
  virtual DecodeResult decode(Bytes bytes) = 0;
};

template <class Scanner>
class Decoder::ScannerImpl final : public Decoder::Impl {
 public:
  ScannerImpl(Serializer serializer, DecodeLimits limits)
      : scanner_(limits), serializer_(serializer) {}

  DecodeResult decode(Bytes bytes) override {
    scanner_.reset(bytes);
    MessageReader<Scanner> reader(scanner_, serializer_);
    DecodeResult result;
    if (!reader.read(std::get<Message>(result))) result = Violation{reader.take_violation()};
    return result;
  }

 private:
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

DecodeResult Decoder::decode(Bytes bytes) { return impl_->decode(bytes); }

}  // namespace ringcast::wire
