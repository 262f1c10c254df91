// Every WAMP message once, as a value of the JSON library, which also writes and reads MessagePack:
// what the tests of the decoder and encoder hold the project's own code against.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "wire/decode.h"

namespace ringcast::wire::test {

using Json = nlohmann::json;

enum class FieldKind { id, id_or_zero, text, dict, args, kwargs };

struct Field {
  std::string name;  // as a Violation names it
  FieldKind kind;
};

struct Sample {
  // With the code, with all optional elements but those of a revocation, with every option.
  Json elements;
  std::vector<Field> fields;  // of the elements behind the code
  std::size_t elements_min;
};

const std::vector<Sample>& samples();
// The sample of this type.
const Sample& sample(MessageType type);

inline constexpr Serializer kSerializers[] = {Serializer::json, Serializer::msgpack};

std::string serialize(const Json& value, Serializer serializer);
Json parse(Bytes bytes, Serializer serializer);
// The same bytes in memory of exactly their size, so that AddressSanitizer sees every read behind
// them.
class Exact {
 public:
  explicit Exact(std::string_view bytes);
  operator Bytes() const { return Bytes(data_.get(), size_); }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_;
};

// What was decoded, as elements again.
Json elements_of(const Message& message, Serializer serializer);

// The text of the violation; "" if `bytes` are a message.
std::string violation_of(Bytes bytes, Serializer serializer, DecodeLimits limits = {});
std::string violation_in(const Json& elements, Serializer serializer, DecodeLimits limits = {});

// Decodes what must be a message of type M. `decoder` keeps the views alive.
template <class M>
M decode_as(Decoder& decoder, Bytes bytes) {
  DecodeResult result = decoder.decode(bytes);
  if (const auto* violation = std::get_if<Violation>(&result))
    throw std::runtime_error(violation->message);
  return std::get<M>(std::get<Message>(result));
}

// What `append` appends behind something else, as senders do, which must be a message, read by the
// library.
template <class Append>
Json written(Serializer serializer, Append append) {
  std::string out = "before";
  append(out);
  const Bytes message = Bytes(out).substr(6);
  if (!out.starts_with("before") || !violation_of(message, serializer).empty())
    throw std::runtime_error("no message was appended: " + violation_of(message, serializer));
  return parse(message, serializer);
}

std::string to_string(Serializer serializer);

}  // namespace ringcast::wire::test
