// Typed reading of the tables of a configuration file (TOML), and what is wrong with them. A reader
// asks each table for the keys it knows and then says finish(): a key that nobody asked for is an
// error that names the nearest one that was.
//
// Nothing here throws or stops at the first mistake: values that are missing or wrong are reported
// and replaced by their fallback, so that a file's mistakes are all seen at once. Main thread only.
#pragma once

#include <toml++/toml.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringcast::broker {

struct ConfigError {
  std::uint32_t line = 0;  // from 1; 0: of the file as a whole
  std::string key;         // "realm[0].role[1].name"; empty: none
  std::string message;     // what is wrong, and what is allowed
};

// Of one file, in the order found; at most kShownMax, the rest is counted.
class ConfigErrors {
 public:
  void add(std::uint32_t line, std::string key, std::string message);
  bool empty() const { return errors_.empty(); }
  const std::vector<ConfigError>& all() const { return errors_; }
  // One line each, "FILE:LINE: KEY: MESSAGE".
  std::string to_text(std::string_view file) const;

 private:
  static constexpr std::size_t kShownMax = 50;
  std::vector<ConfigError> errors_;
  std::size_t left_out_ = 0;
};

class ConfigTable {
 public:
  // `path` is the table's key in the file, empty for the file itself. All three outlive this.
  ConfigTable(const toml::table& table, std::string path, ConfigErrors& errors)
      : table_(&table), path_(std::move(path)), errors_(&errors) {}

  bool has(std::string_view key) const { return table_->contains(key); }

  // A key that may be absent.
  std::string text(std::string_view key, std::string_view fallback = {});
  bool boolean(std::string_view key, bool fallback);
  std::uint64_t integer(std::string_view key, std::uint64_t fallback, std::uint64_t min,
                        std::uint64_t max);
  std::vector<std::string> texts(std::string_view key);
  // The tables of an array of tables, [[key]] or key = [{…}], and the one of [key]; none if absent.
  std::vector<ConfigTable> tables(std::string_view key);
  std::vector<ConfigTable> table(std::string_view key);

  // A key that has to be there and not empty.
  std::string required_text(std::string_view key);

  // Reports every key that was not asked for. Call last.
  void finish();

  // Something is wrong with what `key` says (or, where it is empty, with the table as a whole).
  void error(std::string_view key, std::string message);
  // The same of the element of a list.
  void error(std::string_view key, std::size_t element, std::string message);

 private:
  const toml::node* find(std::string_view key);
  void wrong_type(std::string_view key, const toml::node& found, std::string_view wanted);
  std::string path_of(std::string_view key) const;

  const toml::table* table_;
  std::string path_;
  ConfigErrors* errors_;
  std::vector<std::string_view> known_;  // what was asked for; string literals of the readers
};

// The one of `known` that `word` was probably meant to be; empty if none is near.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);

// "a, b, c".
std::string listed(const std::vector<std::string_view>& words);

}  // namespace ringcast::broker
