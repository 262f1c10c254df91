// What it costs to know whether a session may publish: by rules, and by an answer of a dynamic
// authorizer that is kept.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "worker/authorizer.h"

namespace ringcast::worker {
namespace {

struct Answers final : AuthorizerUser {
  bool call_procedure(const OwnCall&, RouterCalls::Callback end) override {
    end_ = std::move(end);
    return true;
  }
  void on_decided(ring::ConnectionId) override {}
  void warn(std::string) override {}
  RouterCalls::Callback end_;
};

auth::RoleRules rules(std::size_t count) {
  std::vector<auth::Rule> list;
  for (std::size_t i = 0; i < count; ++i) {
    list.push_back({.uri = "com.example.part" + std::to_string(i) + ".",
                    .match = auth::UriMatch::prefix,
                    .allow = auth::Actions::all()});
  }
  return *auth::RoleRules::build(std::move(list));
}

// One session of one role.
struct Place {
  explicit Place(Role role) {
    auto realm = std::make_shared<Realm>();
    realm->name = "realm1";
    realm->roles.push_back(std::move(role));
    realm->anonymous_role = 0;
    WorkerOptions options;
    options.realms = {realm};
    realms = std::make_unique<Realms>(options, *segment);
    authorizer = std::make_unique<Authorizer>(*realms, ring::SessionKey{1, 2}, counters, user);
    connection.session.emplace();
  }
  Intent intent() {
    return {.kind = auth::Action::publish, .uri = "com.example.part7.topic", .request = ++request};
  }
  void check(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(authorizer->check(connection, intent()));
  }

  std::unique_ptr<ring::Segment> segment = std::get<std::unique_ptr<ring::Segment>>(
      ring::Segment::create({.workers = 1, .slots_per_worker = 16, .arena_bytes = 4096}));
  std::unique_ptr<Realms> realms;
  ring::Counters counters;
  Answers user;
  std::unique_ptr<Authorizer> authorizer;
  wire::FrameLimits limits;
  wire::FrameStatePool pool;
  Connection connection{{.worker = 0, .slot = 1, .generation = 1}, limits, pool};
  std::uint64_t request = 0;
};

void by_rules(benchmark::State& state) {
  Role role;
  role.rules = rules(static_cast<std::size_t>(state.range(0)));
  Place(std::move(role)).check(state);
}
BENCHMARK(by_rules)->Arg(10)->Arg(1000)->Arg(16'000);

void by_kept_answer(benchmark::State& state) {
  Role role;
  role.authorizer = DynamicAuthorizer{.procedure = "com.example.authorize", .cache_ms = 60'000};
  Place place(std::move(role));
  place.authorizer->check(place.connection, place.intent());
  place.user.end_({.payload = {.args = R"([{"allow":true,"cache":true}])", .kwargs = {}}});
  place.check(state);
}
BENCHMARK(by_kept_answer);

}  // namespace
}  // namespace ringcast::worker
