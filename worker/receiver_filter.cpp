#include "worker/receiver_filter.h"

#include <algorithm>
#include <cassert>
#include <type_traits>

#include "wire/list_reader.h"

namespace ringcast::worker {
namespace {

// Whether `key` is one of at(0) to at(count - 1), which ascend.
template <typename Key, typename At>
bool sorted_contains(std::size_t count, Key key, At at) {
  std::size_t begin = 0;
  std::size_t end = count;
  while (begin < end) {
    const std::size_t middle = begin + (end - begin) / 2;
    if (at(middle) < key) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin < count && at(begin) == key;
}

template <typename List>
void sort_and_unite(std::optional<List>& list) {
  if (!list) return;
  std::sort(list->begin(), list->end());
  list->erase(std::unique(list->begin(), list->end()), list->end());
}

void append_bytes(std::string& out, const void* from, std::size_t size) {
  out.append(static_cast<const char*>(from), size);
}

std::uint32_t to_u32(std::size_t size) {
  assert(size <= UINT32_MAX);  // what came in one message is far below
  return static_cast<std::uint32_t>(size);
}

std::uint32_t text_size(const std::vector<std::string>& names) {
  std::size_t size = 0;
  for (const std::string& name : names) size += name.size();
  return to_u32(size);
}

// False if there are more than `left` elements, which goes down by those that were read.
template <typename Element, typename Read>
bool read_list(wire::ListReader& reader, std::optional<std::vector<Element>>& out,
               std::size_t& left) {
  out.emplace();
  Read element{};
  while (reader.next(element)) {
    if (left-- == 0) return false;
    out->emplace_back(element);
  }
  return true;
}

}  // namespace

std::optional<ReceiverLists> read_receiver_lists(wire::Serializer serializer,
                                                 const wire::ReceiverFilter& options) {
  ReceiverLists lists;
  wire::ListReader reader;
  std::size_t left = kReceiversMax;
  const auto read = [&](wire::Bytes list, auto& out, auto kind) {
    if (list.empty()) return true;
    reader.open(serializer, list);
    using List = typename std::remove_reference_t<decltype(out)>::value_type;
    return read_list<typename List::value_type, decltype(kind)>(reader, out, left);
  };
  const bool all = read(options.eligible, lists.eligible, std::uint64_t{}) &&
                   read(options.exclude, lists.exclude, std::uint64_t{}) &&
                   read(options.eligible_authid, lists.eligible_authid, wire::Bytes{}) &&
                   read(options.exclude_authid, lists.exclude_authid, wire::Bytes{}) &&
                   read(options.eligible_authrole, lists.eligible_authrole, wire::Bytes{}) &&
                   read(options.exclude_authrole, lists.exclude_authrole, wire::Bytes{});
  if (!all) return std::nullopt;
  return lists;
}

std::string write_receiver_filter(ReceiverLists lists) {
  std::optional<std::vector<std::uint64_t>>* const sessions[] = {&lists.eligible, &lists.exclude};
  std::optional<std::vector<std::string>>* const names[] = {
      &lists.eligible_authid, &lists.exclude_authid, &lists.eligible_authrole,
      &lists.exclude_authrole};
  ReceiverFilter::Header header{};
  const auto describe = [&header](std::size_t list, auto& of) {
    sort_and_unite(of);
    if (!of) return;
    header.present |= 1u << list;
    header.counts[list] = to_u32(of->size());
  };
  for (std::size_t i = 0; i < ReceiverFilter::kSessionLists; ++i) describe(i, *sessions[i]);
  for (std::size_t i = 0; i < ReceiverFilter::kNameLists; ++i) {
    describe(ReceiverFilter::kSessionLists + i, *names[i]);
    if (*names[i]) header.text_sizes[i] = text_size(**names[i]);
  }
  std::string out;
  append_bytes(out, &header, sizeof header);
  for (const auto* of : sessions) {
    if (*of) append_bytes(out, (*of)->data(), (*of)->size() * sizeof(std::uint64_t));
  }
  for (const auto* of : names) {
    if (!*of) continue;
    std::uint32_t end = 0;
    for (const std::string& name : **of) {
      end += to_u32(name.size());
      append_bytes(out, &end, sizeof end);
    }
    for (const std::string& name : **of) out += name;
  }
  return out;
}

bool ReceiverFilter::Sessions::contains(std::uint64_t session) const {
  return sorted_contains(count_, session, [this](std::size_t i) { return (*this)[i]; });
}

bool ReceiverFilter::Sessions::ascend() const {
  for (std::size_t i = 1; i < count_; ++i) {
    if ((*this)[i - 1] >= (*this)[i]) return false;
  }
  return true;
}

bool ReceiverFilter::Names::contains(std::string_view name) const {
  return sorted_contains(count_, name, [this](std::size_t i) { return at(i); });
}

std::string_view ReceiverFilter::Names::at(std::size_t index) const {
  const std::uint32_t begin = index == 0 ? 0 : end(index - 1);
  const std::uint32_t past = end(index);
  if (begin > past || past > text_.size()) return {};
  return text_.substr(begin, past - begin);
}

bool ReceiverFilter::Names::ascend() const {
  std::uint32_t begin = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    if (end(i) < begin || end(i) > text_.size()) return false;
    begin = end(i);
    if (i != 0 && at(i - 1) >= at(i)) return false;
  }
  return begin == text_.size();
}

std::optional<ReceiverFilter> ReceiverFilter::parse(std::string_view bytes) {
  Header header;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.present >> kLists != 0) return std::nullopt;
  // 64 bits, so no sum wraps.
  std::uint64_t expected = sizeof header;
  for (std::size_t list = 0; list < kLists; ++list) {
    if ((header.present >> list & 1) == 0 && header.counts[list] != 0) return std::nullopt;
    expected += std::uint64_t{header.counts[list]} *
                (list < kSessionLists ? sizeof(std::uint64_t) : sizeof(std::uint32_t));
  }
  for (const std::uint32_t size : header.text_sizes) expected += size;
  if (expected != bytes.size()) return std::nullopt;

  ReceiverFilter filter;
  filter.present_ = header.present;
  const char* at = bytes.data() + sizeof header;
  for (std::size_t i = 0; i < kSessionLists; ++i) {
    filter.sessions_[i] = Sessions(at, header.counts[i]);
    if (!filter.sessions_[i].ascend()) return std::nullopt;
    at += std::size_t{header.counts[i]} * sizeof(std::uint64_t);
  }
  for (std::size_t i = 0; i < kNameLists; ++i) {
    const std::size_t count = header.counts[kSessionLists + i];
    const char* const text = at + count * sizeof(std::uint32_t);
    filter.names_[i] = Names(at, count, {text, header.text_sizes[i]});
    if (!filter.names_[i].ascend()) return std::nullopt;
    at = text + header.text_sizes[i];
  }
  return filter;
}

bool ReceiverFilter::allows(std::uint64_t session, std::string_view authid,
                            std::string_view authrole) const {
  // A list that is absent is empty, which is right for what excludes.
  const auto pass = [](bool only, const auto& eligible, const auto& exclude, auto key) {
    return (!only || eligible.contains(key)) && !exclude.contains(key);
  };
  return pass(has(4), names_[2], names_[3], authrole) &&
         pass(has(2), names_[0], names_[1], authid) &&
         pass(has(0), sessions_[0], sessions_[1], session);
}

std::optional<ReceiverFilter::Sessions> ReceiverFilter::eligible_sessions() const {
  if (!has(0)) return std::nullopt;
  return sessions_[0];
}

}  // namespace ringcast::worker
