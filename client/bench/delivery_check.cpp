#include "client/bench/delivery_check.h"

#include <algorithm>

namespace ringcast::bench {

void SequenceCheck::arrive_unexpected(std::uint64_t sequence, CheckCounts& counts) {
  if (sequence >= next_) {
    if (sequence > next_) {
      if (!gaps_) gaps_ = std::make_unique<std::vector<Gap>>();
      gaps_->push_back({next_, sequence});
    }
    next_ = sequence + 1;
    return;
  }
  if (gaps_) {
    const auto gap = std::find_if(gaps_->begin(), gaps_->end(), [sequence](const Gap& g) {
      return g.first <= sequence && sequence < g.end;
    });
    if (gap != gaps_->end()) {
      ++counts.out_of_order;
      const Gap whole = *gap;
      auto at = gaps_->erase(gap);
      if (sequence + 1 < whole.end) at = gaps_->insert(at, {sequence + 1, whole.end});
      if (whole.first < sequence) gaps_->insert(at, {whole.first, sequence});
      return;
    }
  }
  ++counts.duplicate;
}

void SequenceCheck::finish(std::uint64_t sent, CheckCounts& counts) const {
  if (gaps_) {
    for (const Gap& gap : *gaps_) counts.lost += gap.end - gap.first;
  }
  if (sent > next_) counts.lost += sent - next_;
}

}  // namespace ringcast::bench
