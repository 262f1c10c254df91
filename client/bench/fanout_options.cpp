#include "client/bench/fanout_options.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "client/bench/replay.h"
#include "client/bench/result.h"

namespace ringcast::bench {

using client::Failure;

namespace {

Failure bad(std::string cause, std::string remedy) {
  return Failure{Failure::Kind::input, std::move(cause), std::move(remedy)};
}

std::optional<Failure> check_payload(const FanoutOptions& options) {
  if (!options.replay.empty()) {
    const auto records = read_records(options.replay, options.protocol);
    if (const auto* failure = std::get_if<Failure>(&records)) return *failure;
    return std::nullopt;
  }
  const std::size_t least = stamp_bytes(stamp_form(options.protocol));
  if (options.payload_bytes >= least) return std::nullopt;
  return bad(fmt::format("--payload {} is too small", options.payload_bytes),
             fmt::format("the check of each delivery needs {} bytes with this protocol", least));
}

std::optional<Failure> check_topics(const FanoutOptions& options) {
  if (options.subscribers > 0 && options.topics > options.subscribers) {
    return bad(fmt::format("{} topics for {} subscribers: some would have none", options.topics,
                           options.subscribers),
               "give at most as many --topics as --subscribers");
  }
  if (options.protocol == Protocol::raw && options.topics > options.publishers &&
      options.publishers > 0) {
    return bad(
        "with --protocol raw a publisher has one topic, and there are fewer publishers than topics",
        "give at least as many --publishers as --topics");
  }
  if (options.zipf > 0 && options.topics <= options.publishers) {
    return bad("with --zipf a publisher chooses among its topics, and each has but one",
               "give more --topics than --publishers");
  }
  return std::nullopt;
}

// The limit of open files is raised as far as it may be.
std::optional<Failure> check_files(std::uint64_t connections) {
  // What the program itself has open: standard streams, epoll, /proc while it samples.
  constexpr rlim_t kOwnFiles = 32;
  const rlim_t needed = connections + kOwnFiles;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < needed) {
    limit.rlim_cur =
        limit.rlim_max == RLIM_INFINITY || limit.rlim_max > needed ? needed : limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= needed) return std::nullopt;
  return bad(fmt::format("{} connections of a process need {} file descriptors, the limit is {}",
                         connections, needed, limit.rlim_max),
             "raise it (ulimit -Hn, LimitNOFILE=), or share the load between --processes");
}

}  // namespace

std::optional<Failure> check(const FanoutOptions& options, Mode mode) {
  if (mode == Mode::connect) return check_files(options.concurrency);
  if (mode == Mode::rpc) {
    if (!is_wamp(options.protocol)) {
      return bad(fmt::format("--protocol {} has no calls", protocol_name(options.protocol)),
                 "take msgpack or json, and a WAMP router");
    }
    if (auto failure = check_payload(options)) return failure;
    return check_files(std::uint64_t{options.callers} + options.callees);
  }
  if (mode != Mode::idle) {
    if (auto failure = check_payload(options)) return failure;
  }
  if (auto failure = check_topics(options)) return failure;
  const std::uint64_t load =
      std::uint64_t{options.subscribers} + options.publishers + options.processes - 1;
  const std::uint32_t churners = options.churn_rate > 0 ? options.churners : 0;
  return check_files(load / options.processes + options.stalled + churners);
}

}  // namespace ringcast::bench
