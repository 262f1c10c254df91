#include "wire/serializer.h"

namespace ringcast::wire {

Bytes subprotocol_name(Serializer serializer) {
  return serializer == Serializer::json ? "wamp.2.json" : "wamp.2.msgpack";
}

std::optional<Serializer> serializer_for_subprotocol(Bytes name) {
  for (const Serializer serializer : {Serializer::json, Serializer::msgpack}) {
    if (name == subprotocol_name(serializer)) return serializer;
  }
  return std::nullopt;
}

std::optional<Serializer> choose_serializer(const std::vector<std::string>& offered) {
  for (const std::string& name : offered) {
    if (const auto serializer = serializer_for_subprotocol(name)) return serializer;
  }
  return std::nullopt;
}

}  // namespace ringcast::wire
