#include "worker/events_question.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "wire/arguments.h"
#include "wire/message.h"
#include "worker/rfc3339.h"

namespace ringcast::worker {
namespace {

constexpr std::size_t kTimes = 4;
constexpr std::size_t kPublications = 4;
constexpr std::string_view kTimeNames[kTimes] = {"from_time", "after_time", "before_time",
                                                 "until_time"};
constexpr std::string_view kPublicationNames[kPublications] = {
    "from_publication", "after_publication", "before_publication", "until_publication"};

// In the orders of the names.
std::array<std::optional<std::int64_t>*, kTimes> times_of(EventQuery& query) {
  return {&query.from_time_ms, &query.after_time_ms, &query.before_time_ms, &query.until_time_ms};
}
std::array<std::optional<std::uint64_t>*, kPublications> publications_of(EventQuery& query) {
  return {&query.from_publication, &query.after_publication, &query.before_publication,
          &query.until_publication};
}

// Whose bits say what is there: bit i for time i, bit 4 + i for publication i, then the topic.
struct Header {
  std::int64_t times_ms[kTimes];
  std::uint64_t publications[kPublications];
  std::uint32_t subscription;
  std::uint32_t limit;
  std::uint32_t present;
  std::uint16_t role;
  std::uint16_t reverse;
};
static_assert(sizeof(Header) == 80);
constexpr std::uint32_t kTopicPresent = 1u << (kTimes + kPublications);

bool read_boolean(wire::Serializer serializer, wire::Bytes value, bool& out) {
  const bool json = serializer == wire::Serializer::json;
  if (value == (json ? "true" : "\xC3")) {
    out = true;
    return true;
  }
  return value.empty() || value == (json ? "false" : "\xC2");
}

}  // namespace

std::variant<EventsQuestion, std::string_view> read_events_question(
    const MetaArguments& arguments, std::optional<std::string>& topic) {
  const auto subscription = arguments.id(0);
  if (!subscription) return "expected the id of a subscription";
  EventsQuestion question;
  // A larger one is nobody's: there is no subscription 0 either.
  question.subscription =
      *subscription > UINT32_MAX ? 0 : static_cast<std::uint32_t>(*subscription);
  EventQuery& query = question.query;
  const wire::Serializer serializer = arguments.serializer();
  if (!read_boolean(serializer, arguments.raw("reverse"), query.reverse)) {
    return "reverse is true or false";
  }
  if (const wire::Bytes raw = arguments.raw("limit"); !raw.empty()) {
    const auto limit = wire::integer_value(serializer, raw);
    if (!limit || *limit == 0) return "limit is a positive integer";
    query.limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(*limit, UINT32_MAX));
  }
  for (std::size_t i = 0; i < kTimes; ++i) {
    std::optional<std::string> text;
    if (!arguments.optional_text(kTimeNames[i], text)) return "times are texts";
    if (!text) continue;
    *times_of(query)[i] = from_rfc3339(*text);
    if (!*times_of(query)[i]) return "times are as in RFC 3339: 2026-11-21T20:02:45.123Z";
  }
  for (std::size_t i = 0; i < kPublications; ++i) {
    const wire::Bytes raw = arguments.raw(kPublicationNames[i]);
    if (raw.empty()) continue;
    const auto id = wire::integer_value(serializer, raw);
    if (!id || *id == 0 || *id > wire::kIdMax) return "publications are ids";
    *publications_of(query)[i] = id;
  }
  if (!arguments.optional_text("topic", topic)) return "topic is a URI";
  if (topic) query.topic = *topic;
  return question;
}

std::string write_events_question(const EventsQuestion& question) {
  EventQuery query = question.query;
  Header header{};
  header.subscription = question.subscription;
  header.limit = query.limit;
  header.role = question.role;
  header.reverse = query.reverse ? 1 : 0;
  for (std::size_t i = 0; i < kTimes; ++i) {
    const auto& time = *times_of(query)[i];
    if (time) header.present |= 1u << i;
    header.times_ms[i] = time.value_or(0);
  }
  for (std::size_t i = 0; i < kPublications; ++i) {
    const auto& publication = *publications_of(query)[i];
    if (publication) header.present |= 1u << (kTimes + i);
    header.publications[i] = publication.value_or(0);
  }
  if (query.topic) header.present |= kTopicPresent;
  std::string out(reinterpret_cast<const char*>(&header), sizeof header);
  return out.append(query.topic.value_or(""));
}

std::optional<EventsQuestion> parse_events_question(std::string_view bytes) {
  Header header;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::string_view topic = bytes.substr(sizeof header);
  const bool with_topic = (header.present & kTopicPresent) != 0;
  if (header.reverse > 1 || header.present >= 2 * kTopicPresent || (!with_topic && !topic.empty()))
    return std::nullopt;
  EventsQuestion question{.subscription = header.subscription, .role = header.role, .query = {}};
  EventQuery& query = question.query;
  query.reverse = header.reverse != 0;
  query.limit = header.limit;
  for (std::size_t i = 0; i < kTimes; ++i) {
    if ((header.present >> i & 1) != 0) *times_of(query)[i] = header.times_ms[i];
  }
  for (std::size_t i = 0; i < kPublications; ++i) {
    if ((header.present >> (kTimes + i) & 1) != 0)
      *publications_of(query)[i] = header.publications[i];
  }
  if (with_topic) query.topic = topic;
  return question;
}

}  // namespace ringcast::worker
