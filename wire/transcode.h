// Payloads from one serializer to the other. Stateless; any thread.
//
// MessagePack bin  <->  JSON string "\0" + base64 (WAMP specification, "Binary conversion of JSON
// strings"). MessagePack to JSON: ext and non-string map keys have no JSON form: ext becomes the
// binary string of its data (but null for the ext that stands for `undefined`: type 0, one byte), a
// key of another scalar type the text of its JSON form; NaN and infinities become null. JSON to
// MessagePack: numbers without fraction and exponent that fit 64 bits become integers, all others
// float64, those beyond its range an infinity or zero; a lone surrogate escape becomes U+FFFD; keys
// stay strings, binary or not.
#pragma once

#include <optional>
#include <string>

#include "wire/message.h"

namespace ringcast::wire {

// Converts one list or dict (Payload.args or Payload.kwargs) which a Decoder has checked; appends
// to `out`. Empty in, empty out. False if the bytes are not convertible (broken base64 is passed on
// as text, not an error; a list or map as key is); `out` is unspecified then.
bool transcode(Serializer from, Serializer to, Bytes value, std::string& out);

}  // namespace ringcast::wire
