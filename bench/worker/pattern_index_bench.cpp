// Which patterns a published topic matches: among as many patterns as clients may have, of forms
// that people write, and against sets made to cost the most.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "worker/pattern_index.h"

namespace ringcast::worker {
namespace {

using wire::MatchPolicy;
using Index = PatternIndex<void*>;

constexpr std::uint64_t kSeed = 0x2545F4914F6CDD1D;

std::string topic(std::size_t i) {
  return fmt::format("com.example.site{}.device{}.temperature", i % 1000, i);
}

// Prefixes and wildcards in turn; pattern i matches topic i and no other.
void add_patterns(Index& index, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 2 == 0) {
      index.insert(0, MatchPolicy::prefix,
                   fmt::format("com.example.site{}.device{}.", i % 1000, i));
    } else {
      index.insert(0, MatchPolicy::wildcard, fmt::format("com.example..device{}.", i));
    }
  }
}

void report(benchmark::State& state, std::size_t matched) {
  state.SetItemsProcessed(state.iterations());
  state.counters["matched"] =
      benchmark::Counter(static_cast<double>(matched), benchmark::Counter::kAvgIterations);
}

// Topics `first` to `first + count`, one behind the other in memory in the order in which they are
// asked about, as what has just been received is in the cache. Each is far from the one before, by
// a stride that is coprime to their number, so that with many patterns the memory of the index is
// cold.
class Topics {
 public:
  Topics(std::size_t first, std::size_t count) : topics_(count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string uri = topic(first + i * 7919 % count);
      topics_[i].size = uri.copy(topics_[i].text, sizeof topics_[i].text);
    }
  }
  std::string_view next() {
    const Topic& found = topics_[at_];
    if (++at_ == topics_.size()) at_ = 0;
    return {found.text, found.size};
  }

 private:
  struct Topic {
    std::size_t size;
    char text[56];
  };
  std::vector<Topic> topics_;
  std::size_t at_ = 0;
};

void match_topics(benchmark::State& state, Index& index, Topics topics) {
  std::size_t matched = 0;
  for (auto _ : state) {
    index.match(0, topics.next(), [&matched](Index::Entry& entry) {
      benchmark::DoNotOptimize(entry.value);
      ++matched;
    });
  }
  report(state, matched);
}

void match_one(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Index index(kSeed);
  add_patterns(index, count);
  match_topics(state, index, Topics(0, count));
}
BENCHMARK(match_one)->Arg(1)->Arg(1000)->Arg(100'000);

void match_none(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Index index(kSeed);
  add_patterns(index, count);
  match_topics(state, index, Topics(1'000'000, 100'000));
}
BENCHMARK(match_none)->Arg(0)->Arg(1)->Arg(1000)->Arg(100'000);

void best_of(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Index index(kSeed);
  add_patterns(index, count);
  Topics topics(0, count);
  for (auto _ : state) benchmark::DoNotOptimize(index.best(0, topics.next()));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(best_of)->Arg(1)->Arg(1000)->Arg(100'000);

// Every shape that is let in, none of which matches: sixteen components, the last one another.
void hostile_wildcards(benchmark::State& state) {
  Index index(kSeed);
  for (unsigned bits = 0; bits < 1u << 14; ++bits) {
    std::string pattern;
    for (unsigned i = 0; i < 15; ++i) pattern += (bits >> i & 1) != 0 ? "." : "a.";
    index.insert(0, MatchPolicy::wildcard, pattern + "x");
  }
  std::string uri;
  for (unsigned i = 0; i < 15; ++i) uri += "a.";
  uri += "y";
  std::size_t matched = 0;
  for (auto _ : state) index.match(0, uri, [&matched](Index::Entry&) { ++matched; });
  report(state, matched);
}
BENCHMARK(hostile_wildcards);

// A prefix of each length, none of which matches a URI of that length.
void hostile_prefixes(benchmark::State& state) {
  Index index(kSeed);
  std::string uri;
  for (std::size_t i = 0; i < wire::kUriSizeMax; ++i) {
    index.insert(0, MatchPolicy::prefix, uri + '#');
    uri += static_cast<char>('a' + i % 26);
  }
  uri.resize(static_cast<std::size_t>(state.range(0)));
  std::size_t matched = 0;
  for (auto _ : state) index.match(0, uri, [&matched](Index::Entry&) { ++matched; });
  report(state, matched);
}
BENCHMARK(hostile_prefixes)->Arg(40)->Arg(wire::kUriSizeMax);

void subscribe_and_leave(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Index index(kSeed);
  add_patterns(index, count);
  std::size_t i = count;
  for (auto _ : state) {
    const std::string pattern = fmt::format("com.example..device{}.", i++);
    Index::Entry* entry = index.insert(0, MatchPolicy::wildcard, pattern).entry;
    if (entry == nullptr) return state.SkipWithError("the pattern was refused");
    index.erase(*entry);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(subscribe_and_leave)->Arg(1)->Arg(1000)->Arg(100'000);

}  // namespace
}  // namespace ringcast::worker
