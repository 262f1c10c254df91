#include "hostile_values.h"

#include <cmath>
#include <cstdint>

namespace ringcast::wire::test {
namespace {

bool is_undefined(const Json& value) {
  return value.is_binary() && value.get_binary().has_subtype() &&
         value.get_binary().subtype() == 0 && value.get_binary().size() == 1;
}

}  // namespace

std::vector<Json> values_of_every_type(Serializer serializer) {
  std::vector<Json> values = {nullptr,
                              true,
                              false,
                              -1,
                              0,
                              1.5,
                              -0.5,
                              1e300,
                              7,
                              "",
                              "text",
                              Json::array(),
                              Json::array({1}),
                              Json::object(),
                              {{"k", 1}},
                              (std::uint64_t{1} << 53) + 1,
                              UINT64_MAX,
                              INT64_MIN};
  if (serializer == Serializer::msgpack) {
    values.push_back(Json::binary({1, 2}));
    values.push_back(Json::binary({0}, 0));        // ext 0 of one byte: undefined
    values.push_back(Json::binary({1, 2, 3}, 5));  // ext 5
    values.push_back(NAN);
    values.push_back(INFINITY);
  }
  return values;
}

bool is_id(const Json& value, std::uint64_t lowest) {
  return value.is_number_integer() && value >= 0 && value.get<std::uint64_t>() >= lowest &&
         value.get<std::uint64_t>() <= kIdMax;
}

bool is_absent(const Json& value) { return value.is_null() || is_undefined(value); }

}  // namespace ringcast::wire::test
