// To which of its topics a publisher sends next: each in turn, or by a Zipf law, where topic number
// n (from 1) is chosen in proportion to 1/n^s. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "client/bench/fanout_options.h"

namespace ringcast::bench {

class TopicChoice {
 public:
  TopicChoice(const FanoutOptions& options, std::uint32_t process);

  // The place among the `topics` topics of this publisher; `sent` counts what it published before.
  std::size_t next(std::uint32_t publisher, std::uint64_t sent, std::size_t topics) {
    if (topics == 1) return 0;
    if (sums_.empty()) return static_cast<std::size_t>(sent % topics);
    return by_zipf(publisher);
  }

 private:
  std::size_t by_zipf(std::uint32_t publisher);
  double random();

  std::uint32_t processes_;
  std::vector<std::vector<double>> sums_;  // by publisher of this process: cumulated weights
  std::uint64_t state_;
};

}  // namespace ringcast::bench
