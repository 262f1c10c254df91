#include "client/bench/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "client/bench/link.h"

namespace ringcast::bench {
namespace {

using client::Failure;

std::string padding(std::size_t size) {
  std::string text(size, '\0');
  MaskSource letters;
  for (char& c : text) c = static_cast<char>('a' + letters.next() % 26);
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
    at = end + 1;
  }
  return lines;
}

}  // namespace

std::variant<std::vector<std::string>, Failure> read_records(const std::string& path,
                                                             Protocol protocol) {
  using Json = nlohmann::json;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Failure{Failure::Kind::input,
                   fmt::format("cannot read {}: {}", path, std::strerror(errno)),
                   "check the path given to --replay"};
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> records;
  const Json array = Json::parse(text, nullptr, false);
  if (array.is_array()) {
    for (const Json& record : array) {
      records.push_back(record.is_string() ? record.get<std::string>() : record.dump());
    }
  } else {
    records = lines_of(text);
  }
  if (records.empty()) {
    return Failure{Failure::Kind::input, fmt::format("{} holds no record", path),
                   "give a JSON array, or a file with a record in each line"};
  }
  if (protocol == Protocol::json) {
    for (std::string& record : records) {
      const std::string quoted = Json(record).dump(-1, ' ', false, Json::error_handler_t::replace);
      record = quoted.substr(1, quoted.size() - 2);
    }
  }
  return records;
}

std::size_t mean_payload_bytes(const std::vector<std::string>& records, Protocol protocol) {
  std::size_t sum = 0;
  for (const std::string& record : records) sum += record.size();
  return stamp_bytes(stamp_form(protocol)) + sum / records.size();
}

ReplayFeed::ReplayFeed(const FanoutOptions& options) {
  if (options.replay.empty()) {
    payloads_.push_back(padding(options.payload_bytes));
    return;
  }
  auto records = read_records(options.replay, options.protocol);
  const std::string room(stamp_bytes(stamp_form(options.protocol)), '\0');
  if (auto* good = std::get_if<std::vector<std::string>>(&records)) {
    for (const std::string& record : *good) payloads_.push_back(room + record);
  }
}

}  // namespace ringcast::bench
