#include "client/cli/results.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "client/cli/event_format.h"
#include "client/cli/exit_code.h"

namespace ringcast::cli {
namespace {

Json whole(const Publication& content) {
  Json all;
  all["args"] = content.args.is_null() ? Json::array() : content.args;
  all["kwargs"] = content.kwargs.is_null() ? Json::object() : content.kwargs;
  return all;
}

}  // namespace

void append_result(std::string& out, ResultStyle style, const Publication& content) {
  if (style == ResultStyle::raw) return append_raw(out, content);
  const std::size_t values = content.args.size();
  if (style == ResultStyle::full || values > 1 || !content.kwargs.empty()) {
    out.append(whole(content).dump());
  } else {
    out.append(values == 0 ? "null" : content.args[0].dump());
  }
  out += '\n';
}

std::string error_text(std::string_view uri, const Publication& content) {
  const bool has_text = !content.args.empty() && content.args[0].is_string();
  std::string text(uri);
  if (has_text) text.append(": ").append(content.args[0].get_ref<const std::string&>());
  const bool more = content.args.size() > (has_text ? 1 : 0) || !content.kwargs.empty();
  if (more) text.append("\n  ").append(whole(content).dump());
  return text;
}

bool write_output(std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(STDOUT_FILENO, text.data(), text.size());
    if (size > 0) {
      text.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno == EPIPE) {
      return false;
    } else if (errno != EINTR && errno != EAGAIN) {
      report({client::Failure::Kind::network,
              fmt::format("cannot write to standard output: {}", std::strerror(errno)),
              "check the disk or program it goes to"});
      return false;
    }
  }
  return true;
}

}  // namespace ringcast::cli
