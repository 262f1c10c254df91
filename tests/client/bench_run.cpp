#include "tests/client/bench_run.h"

#include <algorithm>

namespace ringcast::test {

std::vector<std::string> with_options(std::vector<std::string> options,
                                      const std::vector<std::string>& more) {
  for (std::size_t i = 0; i < more.size(); ++i) {
    const auto same = std::find(options.begin(), options.end(), more[i]);
    const bool has_value = i + 1 < more.size() && more[i + 1].compare(0, 2, "--") != 0;
    if (same != options.end()) options.erase(same, same + (has_value ? 2 : 1));
    options.push_back(more[i]);
    if (has_value) options.push_back(more[++i]);
  }
  return options;
}

Outcome bench(const std::string& mode, const std::string& url,
              const std::vector<std::string>& options) {
  std::vector<std::string> args{mode, "--url", url, "--json"};
  args.insert(args.end(), options.begin(), options.end());
  return run_program(RINGCAST_BENCH, args);
}

nlohmann::json report_of(const Outcome& outcome) {
  return nlohmann::json::parse(outcome.out, nullptr, false);
}

std::map<std::string, std::uint64_t> failed_checks(const Outcome& outcome) {
  std::map<std::string, std::uint64_t> failed;
  const nlohmann::json report = report_of(outcome);
  if (!report.is_object()) return failed;
  for (const auto& [name, value] : report["checks"].items()) {
    if (value.is_number() && name != "deliveries" && value != 0) failed[name] = value;
  }
  return failed;
}

}  // namespace ringcast::test
