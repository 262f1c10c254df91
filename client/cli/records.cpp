#include "client/cli/records.h"

#include <fmt/format.h>

#include <vector>

namespace ringcast::cli {
namespace {

using client::Failure;

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

class JsonLines final : public RecordParser {
 public:
  explicit JsonLines(std::string name) : RecordParser(std::move(name)) {}

  Next next() override {
    for (;;) {
      const std::string_view rest = std::string_view(bytes_).substr(read_);
      const std::size_t newline = rest.find('\n');
      if (newline == std::string_view::npos && (!finished_ || rest.empty())) return {};
      const std::string_view line = rest.substr(0, newline);
      read_ += newline == std::string_view::npos ? line.size() : newline + 1;
      ++line_;
      if (blank(line)) continue;
      Json value = Json::parse(line, nullptr, false);
      if (value.is_discarded()) return broken(line_, "is not a JSON value");
      return publication_of(std::move(value));
    }
  }

 private:
  std::size_t line_ = 0;
};

class JsonArray final : public RecordParser {
 public:
  explicit JsonArray(std::string name) : RecordParser(std::move(name)) {}

  Next next() override {
    if (!finished_) return {};
    if (!parsed_) {
      records_ = Json::parse(bytes_, nullptr, false);
      parsed_ = true;
      bytes_.clear();
      if (!records_.is_array()) {
        return Failure{Failure::Kind::input, fmt::format("{} is not one JSON array", name_),
                       "use --format jsonl if it holds one JSON value per line"};
      }
    }
    if (position_ == records_.size()) return {};
    return publication_of(std::move(records_[position_++]));
  }

 private:
  Json records_;
  std::size_t position_ = 0;
  bool parsed_ = false;
};

// RFC 4180: cells may be quoted, quoted cells may hold commas, newlines and doubled quotes.
class Csv final : public RecordParser {
 public:
  explicit Csv(std::string name) : RecordParser(std::move(name)) {}

  Next next() override {
    for (;;) {
      const std::size_t first_line = line_;
      std::vector<std::string> cells;
      switch (read_row(cells)) {
        case Row::none:
          return {};
        case Row::unclosed:
          return broken(first_line, "begins a quoted cell that is not closed");
        case Row::whole:
          break;
      }
      if (cells.size() == 1 && blank(cells[0])) continue;
      if (header_.empty()) {
        constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // spreadsheets write one
        if (cells[0].compare(0, kByteOrderMark.size(), kByteOrderMark) == 0) {
          cells[0].erase(0, kByteOrderMark.size());
        }
        header_ = std::move(cells);
        continue;
      }
      if (cells.size() != header_.size()) {
        return broken(first_line, fmt::format("has {} cells where the header has {}", cells.size(),
                                              header_.size()));
      }
      Json record = Json::object();
      for (std::size_t i = 0; i < cells.size(); ++i) record[header_[i]] = value_of_cell(cells[i]);
      return publication_of(std::move(record));
    }
  }

 private:
  enum class Row : std::uint8_t { none, whole, unclosed };

  // Takes one row off the input; leaves the input alone unless the row is whole.
  Row read_row(std::vector<std::string>& cells) {
    if (read_ == bytes_.size()) return Row::none;
    std::string cell;
    bool quoted = false;
    std::size_t lines = 0;
    std::size_t at = read_;
    for (; at < bytes_.size(); ++at) {
      const char c = bytes_[at];
      if (c == '\n') ++lines;
      if (quoted) {
        if (c != '"') {
          cell += c;
        } else if (at + 1 == bytes_.size() && !finished_) {
          return Row::none;  // whether this quote is doubled is not known yet
        } else if (at + 1 < bytes_.size() && bytes_[at + 1] == '"') {
          cell += bytes_[++at];
        } else {
          quoted = false;
        }
      } else if (c == '"' && cell.empty()) {
        quoted = true;
      } else if (c == ',') {
        cells.push_back(std::exchange(cell, {}));
      } else if (c == '\n') {
        break;
      } else {
        cell += c;
      }
    }
    if (at == bytes_.size() && !finished_) return Row::none;
    if (quoted) return Row::unclosed;
    if (!cell.empty() && cell.back() == '\r') cell.pop_back();
    cells.push_back(std::move(cell));
    read_ = std::min(at + 1, bytes_.size());
    line_ += std::max<std::size_t>(lines, 1);
    return Row::whole;
  }

  std::vector<std::string> header_;
  std::size_t line_ = 1;
};

}  // namespace

InputFormat format_for_file(std::string_view name) {
  const auto ends_with = [name](std::string_view ending) {
    return name.size() >= ending.size() && name.substr(name.size() - ending.size()) == ending;
  };
  if (ends_with(".csv")) return InputFormat::csv;
  if (ends_with(".json")) return InputFormat::json;
  return InputFormat::jsonl;
}

std::unique_ptr<RecordParser> RecordParser::create(InputFormat format, std::string name) {
  switch (format) {
    case InputFormat::json:
      return std::make_unique<JsonArray>(std::move(name));
    case InputFormat::csv:
      return std::make_unique<Csv>(std::move(name));
    case InputFormat::jsonl:
      break;
  }
  return std::make_unique<JsonLines>(std::move(name));
}

void RecordParser::feed(std::string_view bytes) {
  if (read_ > 0) bytes_.erase(0, std::exchange(read_, 0));
  bytes_.append(bytes);
}

void RecordParser::finish() { finished_ = true; }

Failure RecordParser::broken(std::size_t line, std::string_view why) const {
  return {Failure::Kind::input, fmt::format("{}: line {} {}", name_, line, why),
          "correct the line, or say with --format what the input is (jsonl, json, csv)"};
}

}  // namespace ringcast::cli
