// Between what people type and read (JSON) and what travels (a payload in the session's
// serializer). Stateless; any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "client/failure.h"
#include "wire/message.h"
#include "wire/serializer.h"

namespace ringcast::cli {

using Json = nlohmann::ordered_json;  // keeps the order in which keys were written

// What one publication carries. Args is an array or null, kwargs an object or null.
struct Publication {
  Json args;
  Json kwargs;
};

// A payload that owns its bytes.
struct EncodedPayload {
  std::string args;
  std::string kwargs;
  wire::Payload view() const { return {args, kwargs}; }
};

// A JSON value if the text is one, else the text as a string.
Json value_of_argument(std::string_view text);

// A number if the text is a JSON number that a double or 64 bits hold exactly enough, else a
// string.
Json value_of_cell(std::string_view text);

// An array becomes args, an object kwargs, anything else the only argument.
Publication publication_of(Json value);

std::variant<EncodedPayload, client::Failure> encode(wire::Serializer serializer,
                                                     const Publication& publication);

// Null args and kwargs where the payload has none.
std::variant<Publication, client::Failure> decode(wire::Serializer serializer,
                                                  const wire::Payload& payload);

}  // namespace ringcast::cli
