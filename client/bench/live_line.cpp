#include "client/bench/live_line.h"

#include <fmt/format.h>

#include <iterator>
#include <vector>

#include "client/bench/figures.h"

namespace ringcast::bench {

std::string as_text(const LiveLine& line, std::size_t columns) {
  std::vector<std::string> parts;
  parts.push_back(fmt::format("{:.0f} s{}", line.t_s, line.measuring ? "" : " (warm-up)"));
  if (line.mode == Mode::fanout) {
    parts.push_back(amount_text(line.deliveries_per_s) + " deliveries/s");
  }
  if (line.mode == Mode::fanout || line.mode == Mode::ingest) {
    parts.push_back(amount_text(line.publications_per_s) + " publications/s");
  }
  if (line.mode == Mode::rpc) parts.push_back(amount_text(line.deliveries_per_s) + " calls/s");
  if (line.mode == Mode::connect) {
    parts.push_back(amount_text(line.connects_per_s) + " connects/s");
  }
  if (line.p99_us) parts.push_back("p99 " + duration_text(*line.p99_us * 1e3));
  if (line.mode == Mode::fanout || line.mode == Mode::ingest) {
    parts.push_back(fmt::format("{} in flight", line.totals.in_flight));
  }
  if (line.server_cores) parts.push_back(fmt::format("server {:.0f} %", *line.server_cores * 100));
  parts.push_back(line.totals.errors == 0 ? "no errors"
                                          : fmt::format("{} ERRORS", line.totals.errors));
  // A line that wraps could not be written over. What does not fit goes as a whole, the errors
  // last.
  std::string text;
  for (;;) {
    text = fmt::format("{}", fmt::join(parts, ", "));
    // Characters, not bytes: µ has two.
    std::size_t width = 0;
    for (const char c : text) width += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    if (width < columns || parts.size() == 1) return text;
    parts.erase(parts.size() > 2 ? parts.end() - 2 : parts.begin());
  }
}

}  // namespace ringcast::bench
