#include "client/bench/topic_choice.h"

#include <algorithm>
#include <cmath>

namespace ringcast::bench {

TopicChoice::TopicChoice(const FanoutOptions& options, std::uint32_t process)
    : processes_(options.processes), state_(0x9E3779B97F4A7C15u * (process + 1)) {
  if (options.zipf <= 0) return;
  for (std::uint32_t p = process; p < options.publishers; p += options.processes) {
    std::vector<double>& sums = sums_.emplace_back();
    double sum = 0;
    for (std::uint32_t topic = p; topic < options.topics; topic += options.publishers) {
      sum += std::pow(topic + 1.0, -options.zipf);
      sums.push_back(sum);
    }
  }
}

std::size_t TopicChoice::by_zipf(std::uint32_t publisher) {
  const std::vector<double>& sums = sums_[publisher / processes_];
  const auto found = std::upper_bound(sums.begin(), sums.end() - 1, random() * sums.back());
  return static_cast<std::size_t>(found - sums.begin());
}

// In [0, 1): xorshift64*, as many bits as a double has.
double TopicChoice::random() {
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return static_cast<double>((state_ * 0x2545F4914F6CDD1Du) >> 11) * 0x1p-53;
}

}  // namespace ringcast::bench
