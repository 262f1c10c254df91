#include "client/cli/values.h"

#include <fmt/format.h>

#include "wire/transcode.h"

namespace ringcast::cli {
namespace {

using client::Failure;

std::optional<Failure> encode_part(wire::Serializer serializer, const Json& value,
                                   std::string& out) {
  if (value.is_null() || value.empty()) return std::nullopt;
  std::string text;
  try {
    text = value.dump();
  } catch (const Json::type_error&) {  // what dump() throws for strings that are not UTF-8
    return Failure{Failure::Kind::input, "an argument is not valid UTF-8",
                   "send binary data as the JSON string \"\\u0000\" followed by its base64"};
  }
  if (serializer == wire::Serializer::json) {
    out = std::move(text);
  } else if (!wire::transcode(wire::Serializer::json, serializer, text, out)) {
    return Failure{Failure::Kind::input, fmt::format("cannot encode {}", text),
                   "nest less deeply or use --serializer json"};
  }
  return std::nullopt;
}

std::optional<Failure> decode_part(wire::Serializer serializer, wire::Bytes bytes, Json& out) {
  if (bytes.empty()) return std::nullopt;
  std::string text;
  if (serializer == wire::Serializer::json) {
    text = bytes;
  } else if (!wire::transcode(serializer, wire::Serializer::json, bytes, text)) {
    text.clear();
  }
  out = Json::parse(text, nullptr, false);
  if (!out.is_discarded()) return std::nullopt;
  return Failure{Failure::Kind::protocol, "an event's payload cannot be shown as JSON",
                 "subscribe with --serializer json, or see what the publisher sends"};
}

}  // namespace

Json value_of_argument(std::string_view text) {
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) return std::string(text);
  return value;
}

Json value_of_cell(std::string_view text) {
  const bool may_be_number =
      !text.empty() && (text.front() == '-' || (text.front() >= '0' && text.front() <= '9'));
  if (!may_be_number) return std::string(text);
  Json value = Json::parse(text, nullptr, false);
  const bool whole_digits = text.find_first_of(".eE") == std::string_view::npos;
  const bool lost_digits = whole_digits && value.is_number_float();  // an integer beyond 64 bits
  if (!value.is_number() || lost_digits) return std::string(text);
  return value;
}

Publication publication_of(Json value) {
  if (value.is_array()) return {std::move(value), nullptr};
  if (value.is_object()) return {nullptr, std::move(value)};
  Json args = Json::array();
  args.push_back(std::move(value));
  return {std::move(args), nullptr};
}

std::variant<EncodedPayload, Failure> encode(wire::Serializer serializer,
                                             const Publication& publication) {
  EncodedPayload payload;
  if (auto failure = encode_part(serializer, publication.args, payload.args)) return *failure;
  if (auto failure = encode_part(serializer, publication.kwargs, payload.kwargs)) return *failure;
  return payload;
}

std::variant<Publication, Failure> decode(wire::Serializer serializer,
                                          const wire::Payload& payload) {
  Publication publication;
  if (auto failure = decode_part(serializer, payload.args, publication.args)) return *failure;
  if (auto failure = decode_part(serializer, payload.kwargs, publication.kwargs)) return *failure;
  return publication;
}

}  // namespace ringcast::cli
