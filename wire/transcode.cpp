#include "wire/transcode.h"

namespace ringcast::wire {

bool msgpack_to_json(Bytes value, std::string& out);  // transcode_msgpack.cpp
bool json_to_msgpack(Bytes value, std::string& out);  // transcode_json.cpp

bool transcode(Serializer from, Serializer to, Bytes value, std::string& out) {
  if (value.empty()) return true;
  if (from == to) {
    out.append(value);
    return true;
  }
  return from == Serializer::msgpack ? msgpack_to_json(value, out) : json_to_msgpack(value, out);
}

}  // namespace ringcast::wire
