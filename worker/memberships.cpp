#include "worker/memberships.h"

#include <algorithm>

namespace ringcast::worker {

std::size_t Memberships::find(std::uint64_t subscription) const {
  if (index_) {
    const auto found = index_->find(subscription);
    return found == index_->end() ? kNone : found->second;
  }
  const auto found =
      std::find_if(list_.begin(), list_.end(), [subscription](const Membership& membership) {
        return membership.subscription == subscription;
      });
  return found == list_.end() ? kNone : static_cast<std::size_t>(found - list_.begin());
}

void Memberships::push_back(const Membership& membership) {
  list_.push_back(membership);
  if (index_) {
    index_->emplace(membership.subscription, list_.size() - 1);
  } else if (list_.size() > kScanMax) {
    index_ = std::make_unique<std::unordered_map<std::uint64_t, std::size_t>>();
    for (std::size_t i = 0; i < list_.size(); ++i) index_->emplace(list_[i].subscription, i);
  }
}

void Memberships::erase(std::size_t index) {
  if (index_) index_->erase(list_[index].subscription);
  if (index + 1 != list_.size()) {
    list_[index] = list_.back();
    if (index_) (*index_)[list_[index].subscription] = index;
  }
  list_.pop_back();
}

}  // namespace ringcast::worker
