#include "worker/memberships.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace ringcast::worker {

std::size_t Memberships::find(std::uint64_t subscription) const {
  if (!many_) return !empty() && one_.subscription == subscription ? 0 : kNone;
  if (!many_->index.empty()) {
    const auto found = many_->index.find(subscription);
    return found == many_->index.end() ? kNone : found->second;
  }
  const auto& list = many_->list;
  const auto found =
      std::find_if(list.begin(), list.end(), [subscription](const Membership& membership) {
        return membership.subscription == subscription;
      });
  return found == list.end() ? kNone : static_cast<std::size_t>(found - list.begin());
}

void Memberships::push_back(const Membership& membership) {
  assert(membership.subscription != 0);
  if (!many_ && empty()) {
    one_ = membership;
    return;
  }
  if (!many_) {
    many_ = std::make_unique<Many>();
    many_->list.push_back(std::exchange(one_, {}));
  }
  auto& [list, index] = *many_;
  list.push_back(membership);
  if (!index.empty()) {
    index.emplace(membership.subscription, list.size() - 1);
  } else if (list.size() > kScanMax) {
    for (std::size_t i = 0; i < list.size(); ++i) index.emplace(list[i].subscription, i);
  }
}

void Memberships::erase(std::size_t at) {
  assert(at < size());
  if (!many_) {
    one_ = {};
    return;
  }
  auto& [list, index] = *many_;
  if (list.size() == 1) {
    many_.reset();
    return;
  }
  if (!index.empty()) index.erase(list[at].subscription);
  if (at + 1 != list.size()) {
    list[at] = list.back();
    if (!index.empty()) index[list[at].subscription] = at;
  }
  list.pop_back();
}

}  // namespace ringcast::worker
