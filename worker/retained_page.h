// What workers say to each other about retained events: which are asked for, and some of them at a
// time. Both are frames of worker/retention.h.
//
// Values; any thread. Read from shared memory, so nothing is believed before it has been checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/options.h"

namespace ringcast::worker {

// The retained events that a subscription is for, behind the topic `after` in the order of topics.
struct RetainedQuery {
  std::uint16_t realm = 0;
  wire::MatchPolicy match = wire::MatchPolicy::exact;
  std::string_view uri{};
  std::optional<std::string_view> after{};
};
std::string write_retained_query(const RetainedQuery& query);
// Views into `frame`.
std::optional<RetainedQuery> parse_retained_query(std::string_view frame);

// Publications one behind the other, as frames of worker/publication.h.
class RetainedPageWriter {
 public:
  RetainedPageWriter();
  // Bytes so far.
  std::size_t size() const { return page_.size(); }
  // Room for one publication's frame of so many bytes. Valid until the next call.
  char* add(std::size_t frame_size);
  // `after`: there may be more, behind this topic.
  std::string finish(std::optional<std::string_view> after);

 private:
  std::string page_;
};

struct RetainedPage {
  std::optional<std::string_view> after{};
  std::string_view frames{};
  // The next publication's frame; nothing at the end, and where the sizes contradict each other.
  std::optional<std::string_view> next();
};
// Views into `frame`.
std::optional<RetainedPage> parse_retained_page(std::string_view frame);

}  // namespace ringcast::worker
