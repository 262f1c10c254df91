#include "worker/meta_call.h"

#include "wire/arguments.h"
#include "wire/members.h"

namespace ringcast::worker {

MetaArguments::MetaArguments(wire::Serializer serializer, const wire::Payload& payload)
    : serializer_(serializer),
      positional_(wire::list_elements(serializer, payload.args, kPositionalMax)),
      kwargs_(payload.kwargs) {}

wire::Bytes MetaArguments::raw(std::size_t at) const {
  if (at >= positional_.size()) return {};
  const bool absent = wire::value_kind(serializer_, positional_[at]) == wire::ValueKind::absent;
  return absent ? wire::Bytes() : positional_[at];
}

wire::Bytes MetaArguments::raw(std::string_view keyword) const {
  return wire::raw_member(serializer_, kwargs_, keyword);
}

std::optional<std::uint64_t> MetaArguments::id(std::size_t at) const {
  const auto id = wire::integer_value(serializer_, raw(at));
  if (!id || *id == 0 || *id > wire::kIdMax) return std::nullopt;
  return id;
}

std::optional<std::string> MetaArguments::text(std::size_t at) const {
  return wire::text_value(serializer_, raw(at));
}

bool MetaArguments::optional_text(std::string_view keyword,
                                  std::optional<std::string>& text) const {
  const wire::Bytes value = raw(keyword);
  text = wire::text_value(serializer_, value);
  return value.empty() || text.has_value();
}

}  // namespace ringcast::worker
