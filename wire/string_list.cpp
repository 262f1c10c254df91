#include "wire/string_list.h"

#include "wire/list_reader.h"

namespace ringcast::wire {

std::vector<std::string> decode_string_list(Serializer serializer, Bytes list) {
  ListReader reader;
  reader.open(serializer, list);
  std::vector<std::string> strings;
  for (Bytes text; reader.next(text);) strings.emplace_back(text);
  return strings;
}

}  // namespace ringcast::wire
