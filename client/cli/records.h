// A stream of bytes cut into the records that are to be published: JSON lines, one JSON array, or
// CSV with a header line. Push bytes in, pull records out; no I/O. One parser per input, one
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "client/cli/values.h"
#include "client/failure.h"

namespace ringcast::cli {

enum class InputFormat : std::uint8_t { jsonl, json, csv };

// By the ending of the file's name: .csv, .json; JSON lines for all others.
InputFormat format_for_file(std::string_view name);

class RecordParser {
 public:
  // `name` is what messages call the input.
  static std::unique_ptr<RecordParser> create(InputFormat format, std::string name);
  virtual ~RecordParser() = default;

  void feed(std::string_view bytes);
  // No more bytes will come: a last line without its newline counts.
  void finish();

  // The next record, or why the input is broken (then stop), or nothing: feed more, or, after
  // finish(), that was all.
  using Next = std::variant<std::monostate, Publication, client::Failure>;
  virtual Next next() = 0;

 protected:
  explicit RecordParser(std::string name) : name_(std::move(name)) {}

  client::Failure broken(std::size_t line, std::string_view why) const;

  std::string name_;
  std::string bytes_;  // what was fed; everything before read_ is done with
  std::size_t read_ = 0;
  bool finished_ = false;
};

}  // namespace ringcast::cli
