#include "worker/retained_page.h"

#include <cstring>
#include <utility>

namespace ringcast::worker {
namespace {

struct QueryHeader {
  std::uint16_t realm;
  std::uint8_t match;
  std::uint8_t goes_on;  // 0 or 1: `after` is there
  std::uint32_t uri_size;
};
static_assert(sizeof(QueryHeader) == 8);

// Behind it `after`, then the frames, each with its size in 32 bits in front.
struct PageHeader {
  std::uint32_t goes_on;  // 0 or 1: `after` is there
  std::uint32_t after_size;
};

void append(std::string& out, const void* from, std::size_t size) {
  out.append(static_cast<const char*>(from), size);
}

}  // namespace

std::string write_retained_query(const RetainedQuery& query) {
  const QueryHeader header{.realm = query.realm,
                           .match = static_cast<std::uint8_t>(query.match),
                           .goes_on = query.after ? std::uint8_t{1} : std::uint8_t{0},
                           .uri_size = static_cast<std::uint32_t>(query.uri.size())};
  std::string out;
  append(out, &header, sizeof header);
  out += query.uri;
  if (query.after) out += *query.after;
  return out;
}

std::optional<RetainedQuery> parse_retained_query(std::string_view frame) {
  QueryHeader header;
  if (frame.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, frame.data(), sizeof header);
  frame.remove_prefix(sizeof header);
  if (header.uri_size > frame.size() || header.goes_on > 1 ||
      header.match >= static_cast<std::uint8_t>(wire::MatchPolicy::unknown)) {
    return std::nullopt;
  }
  RetainedQuery query{.realm = header.realm,
                      .match = static_cast<wire::MatchPolicy>(header.match),
                      .uri = frame.substr(0, header.uri_size)};
  frame.remove_prefix(header.uri_size);
  if (header.goes_on != 0) query.after = frame;
  if (header.goes_on == 0 && !frame.empty()) return std::nullopt;
  return query;
}

RetainedPageWriter::RetainedPageWriter() : page_(sizeof(PageHeader), '\0') {}

char* RetainedPageWriter::add(std::size_t frame_size) {
  const auto size = static_cast<std::uint32_t>(frame_size);
  append(page_, &size, sizeof size);
  page_.resize(page_.size() + frame_size);
  return page_.data() + page_.size() - frame_size;
}

std::string RetainedPageWriter::finish(std::optional<std::string_view> after) {
  const PageHeader header{.goes_on = after ? 1u : 0u,
                          .after_size = after ? static_cast<std::uint32_t>(after->size()) : 0};
  std::memcpy(page_.data(), &header, sizeof header);
  if (after) page_.insert(sizeof header, *after);
  return std::move(page_);
}

std::optional<RetainedPage> parse_retained_page(std::string_view frame) {
  PageHeader header;
  if (frame.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, frame.data(), sizeof header);
  frame.remove_prefix(sizeof header);
  if (header.after_size > frame.size() || header.goes_on > 1) return std::nullopt;
  RetainedPage page;
  if (header.goes_on != 0) page.after = frame.substr(0, header.after_size);
  page.frames = frame.substr(header.after_size);
  return page;
}

std::optional<std::string_view> RetainedPage::next() {
  std::uint32_t size = 0;
  if (frames.size() < sizeof size) return std::nullopt;
  std::memcpy(&size, frames.data(), sizeof size);
  if (size > frames.size() - sizeof size) return std::nullopt;
  const std::string_view frame = frames.substr(sizeof size, size);
  frames.remove_prefix(sizeof size + size);
  return frame;
}

}  // namespace ringcast::worker
