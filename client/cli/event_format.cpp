#include "client/cli/event_format.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <iterator>

namespace ringcast::cli {
namespace {

// A binary value in JSON is "\0" followed by base64 (WAMP specification).
bool is_binary(const Json& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return !text.empty() && text.front() == '\0';
}

std::string shown(const Json& value) {
  if (!is_binary(value)) return value.dump();
  const auto& text = value.get_ref<const std::string&>();
  std::size_t padding = 0;
  while (padding < 2 && text.size() > padding + 1 && text[text.size() - 1 - padding] == '=')
    ++padding;
  return fmt::format("<{} bytes>", (text.size() - 1) / 4 * 3 - padding);
}

void append_pretty(std::string& out, const ReceivedEvent& event) {
  const auto since_epoch = event.at.time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count() % 1000;
  const std::tm local = fmt::localtime(std::chrono::system_clock::to_time_t(event.at));
  fmt::format_to(std::back_inserter(out), "{:%H:%M:%S}.{:03}  {}", local, ms, event.topic);
  std::string_view separator = "  ";
  for (const Json& value : event.content.args) {
    out.append(separator).append(shown(value));
    separator = " ";
  }
  separator = "  ";
  for (const auto& [name, value] : event.content.kwargs.items()) {
    out.append(separator).append(name).append("=").append(shown(value));
    separator = " ";
  }
  out += '\n';
}

void append_json(std::string& out, const ReceivedEvent& event) {
  Json line;
  line["topic"] = event.topic;
  line["publication"] = event.publication;
  line["args"] = event.content.args.is_null() ? Json::array() : event.content.args;
  line["kwargs"] = event.content.kwargs.is_null() ? Json::object() : event.content.kwargs;
  out.append(line.dump()).append("\n");
}

}  // namespace

void append_raw(std::string& out, const Publication& content) {
  for (const Json& value : content.args) {
    if (is_binary(value)) {
      out.append(value.get_ref<const std::string&>(), 1);
    } else {
      out.append(value.is_string() ? value.get_ref<const std::string&>() : value.dump());
    }
    out += '\n';
  }
  if (!content.kwargs.empty()) out.append(content.kwargs.dump()).append("\n");
}

void append_event(std::string& out, OutputStyle style, const ReceivedEvent& event) {
  switch (style) {
    case OutputStyle::pretty:
      return append_pretty(out, event);
    case OutputStyle::raw:
      return append_raw(out, event.content);
    case OutputStyle::json:
      return append_json(out, event);
  }
}

}  // namespace ringcast::cli
