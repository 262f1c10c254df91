#include "broker/config_table.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace ringcast::broker {
namespace {

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

std::uint32_t line_of(const toml::node& node) { return node.source().begin.line; }

// Levenshtein distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

// ---- What is wrong ----

void ConfigErrors::add(std::uint32_t line, std::string key, std::string message) {
  if (errors_.size() == kShownMax) {
    ++left_out_;
    return;
  }
  errors_.push_back({line, std::move(key), std::move(message)});
}

std::string ConfigErrors::to_text(std::string_view file) const {
  std::string text;
  for (const ConfigError& error : errors_) {
    text += file;
    if (error.line != 0) text += ':' + std::to_string(error.line);
    text += ": ";
    if (!error.key.empty()) text += error.key + ": ";
    text += error.message + '\n';
  }
  if (left_out_ != 0) text += "and " + std::to_string(left_out_) + " more\n";
  return text;
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view best;
  std::size_t best_distance = word.size() / 2 + 1;  // further off is another word
  for (const std::string_view candidate : known) {
    const std::size_t d = distance(word.substr(0, 64), candidate);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

std::string listed(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

// ---- Tables ----

std::string ConfigTable::path_of(std::string_view key) const {
  std::string path = path_;
  if (!path.empty() && !key.empty()) path += '.';
  return path.append(key);
}

void ConfigTable::error(std::string_view key, std::string message) {
  const toml::node* node = key.empty() ? nullptr : table_->get(key);
  errors_->add(line_of(node != nullptr ? *node : *table_), path_of(key), std::move(message));
}

void ConfigTable::error(std::string_view key, std::size_t element, std::string message) {
  const toml::node* node = table_->get(key);
  const toml::array* list = node != nullptr ? node->as_array() : nullptr;
  if (list == nullptr || element >= list->size()) return error(key, std::move(message));
  errors_->add(line_of((*list)[element]), path_of(key) + '[' + std::to_string(element) + ']',
               std::move(message));
}

void ConfigTable::wrong_type(std::string_view key, const toml::node& found,
                             std::string_view wanted) {
  errors_->add(line_of(found), path_of(key),
               std::string(type_name(found)).append(" where ").append(wanted).append(" belongs"));
}

const toml::node* ConfigTable::find(std::string_view key) {
  known_.push_back(key);
  return table_->get(key);
}

std::string ConfigTable::text(std::string_view key, std::string_view fallback) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::string(fallback);
  const auto* text = node->as_string();
  if (text != nullptr) return text->get();
  wrong_type(key, *node, "a text");
  return std::string(fallback);
}

std::string ConfigTable::required_text(std::string_view key) {
  const bool there = has(key);
  std::string found = text(key);
  if (!there) {
    error("", "the key " + std::string(key) + " is missing");
  } else if (found.empty() && table_->get(key)->is_string()) {
    error(key, "must not be empty");
  }
  return found;
}

bool ConfigTable::boolean(std::string_view key, bool fallback) {
  const toml::node* node = find(key);
  if (node == nullptr) return fallback;
  const auto* boolean = node->as_boolean();
  if (boolean != nullptr) return boolean->get();
  wrong_type(key, *node, "true or false");
  return fallback;
}

std::uint64_t ConfigTable::integer(std::string_view key, std::uint64_t fallback, std::uint64_t min,
                                   std::uint64_t max) {
  const toml::node* node = find(key);
  if (node == nullptr) return fallback;
  const auto* integer = node->as_integer();
  if (integer == nullptr) {
    wrong_type(key, *node, "an integer");
    return fallback;
  }
  const std::int64_t value = integer->get();
  if (value >= 0 && std::cmp_greater_equal(value, min) && std::cmp_less_equal(value, max)) {
    return static_cast<std::uint64_t>(value);
  }
  error(key, std::to_string(value) + " is not from " + std::to_string(min) + " to " +
                 std::to_string(max));
  return fallback;
}

std::vector<std::string> ConfigTable::texts(std::string_view key) {
  const toml::node* node = find(key);
  std::vector<std::string> found;
  if (node == nullptr) return found;
  const toml::array* list = node->as_array();
  if (list == nullptr) {
    wrong_type(key, *node, "a list of texts");
    return found;
  }
  for (const toml::node& element : *list) {
    const auto* text = element.as_string();
    // A place is kept for what is wrong, so that places are those of the file.
    found.push_back(text != nullptr ? text->get() : std::string());
    if (text == nullptr) wrong_type(key, element, "a text");
  }
  return found;
}

std::vector<ConfigTable> ConfigTable::tables(std::string_view key) {
  const toml::node* node = find(key);
  std::vector<ConfigTable> found;
  if (node == nullptr) return found;
  const toml::array* list = node->as_array();
  if (list == nullptr) {
    wrong_type(key, *node, "a list of tables ([[" + path_of(key) + "]])");
    return found;
  }
  for (std::size_t at = 0; at < list->size(); ++at) {
    const toml::table* table = (*list)[at].as_table();
    if (table == nullptr) {
      wrong_type(key, (*list)[at], "a table");
    } else {
      found.emplace_back(*table, path_of(key) + '[' + std::to_string(at) + ']', *errors_);
    }
  }
  return found;
}

std::vector<ConfigTable> ConfigTable::table(std::string_view key) {
  const toml::node* node = find(key);
  std::vector<ConfigTable> found;
  if (node == nullptr) return found;
  const toml::table* table = node->as_table();
  if (table == nullptr) {
    wrong_type(key, *node, "a table ([" + path_of(key) + "])");
  } else {
    found.emplace_back(*table, path_of(key), *errors_);
  }
  return found;
}

void ConfigTable::finish() {
  for (const auto& [key, node] : *table_) {
    const std::string_view name = key.str();
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    const std::string_view near = nearest(name, known_);
    std::string message = "unknown key";
    message.append(near.empty() ? "." : "; did you mean ")
        .append(near)
        .append(near.empty() ? "" : "?");
    errors_->add(key.source().begin.line, path_of(name),
                 message.append(" Known here: ").append(listed(known_)));
  }
}

}  // namespace ringcast::broker
