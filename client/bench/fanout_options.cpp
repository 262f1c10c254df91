#include "client/bench/fanout_options.h"

#include <fmt/format.h>
#include <sys/resource.h>

namespace ringcast::bench {

using client::Failure;

std::optional<Failure> check(const FanoutOptions& options) {
  const auto bad = [](std::string cause, std::string remedy) {
    return Failure{Failure::Kind::input, std::move(cause), std::move(remedy)};
  };
  const std::size_t least = stamp_bytes(stamp_form(options.protocol));
  if (options.payload_bytes < least) {
    return bad(fmt::format("--payload {} is too small", options.payload_bytes),
               fmt::format("the check of each delivery needs {} bytes with this protocol", least));
  }
  if (options.subscribers > 0 && options.topics > options.subscribers) {
    return bad(fmt::format("{} topics for {} subscribers: some would have none", options.topics,
                           options.subscribers),
               "give at most as many --topics as --subscribers");
  }
  if (options.protocol == Protocol::raw && options.topics > options.publishers) {
    return bad(
        "with --protocol raw a publisher has one topic, and there are fewer publishers than topics",
        "give at least as many --publishers as --topics");
  }
  if (options.subscribers == 0 && options.rate_per_s > 0) {
    return bad("--rate needs subscribers, whose deliveries it times",
               "use --window with --subscribers 0");
  }
  // What the program itself has open: standard streams, epoll, /proc while it samples.
  constexpr rlim_t kOwnFiles = 16;
  const rlim_t needed = rlim_t{options.subscribers} + options.publishers + kOwnFiles;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < needed) {
    limit.rlim_cur =
        limit.rlim_max == RLIM_INFINITY || limit.rlim_max > needed ? needed : limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur < needed) {
    return bad(
        fmt::format("{} connections need {} file descriptors, the limit is {}",
                    options.subscribers + options.publishers, needed, limit.rlim_max),
        "raise it (ulimit -Hn, LimitNOFILE=), or share the load between several ringcast-bench");
  }
  return std::nullopt;
}

}  // namespace ringcast::bench
