#include "auth/decision_cache.h"

#include <iterator>
#include <utility>

namespace ringcast::auth {

// Action, match, URI and principal. The size keeps the last two apart, whatever they contain.
const std::string& DecisionCache::key_of(const Question& question) {
  scratch_.clear();
  scratch_ += static_cast<char>(question.action);
  scratch_ += static_cast<char>(question.uri.match);
  scratch_.append(std::to_string(question.uri.uri.size())).append(":");
  scratch_.append(question.uri.uri).append(question.principal);
  return scratch_;
}

std::optional<Grant> DecisionCache::find(const Question& question, std::uint64_t now_ms) {
  const auto found = by_key_.find(key_of(question));
  if (found == by_key_.end()) return std::nullopt;
  const auto entry = found->second;
  if (entry->expires_ms <= now_ms) {
    erase(entry);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->grant;
}

void DecisionCache::store(const Question& question, Grant grant, std::uint64_t expires_ms) {
  const std::string& key = key_of(question);
  if (const auto found = by_key_.find(key); found != by_key_.end()) erase(found->second);
  if (key.size() > options_.bytes_max || options_.entries_max == 0) return;
  while (entries_.size() >= options_.entries_max || bytes_ + key.size() > options_.bytes_max)
    erase(std::prev(entries_.end()));
  entries_.push_front({key, question.principal.size(), grant, expires_ms});
  bytes_ += key.size();
  by_key_.emplace(entries_.front().key, entries_.begin());
}

void DecisionCache::forget(std::string_view principal) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto here = entry++;
    if (here->principal_size == principal.size() && here->key.ends_with(principal)) erase(here);
  }
}

void DecisionCache::clear() {
  by_key_.clear();
  entries_.clear();
  bytes_ = 0;
}

void DecisionCache::erase(Entries::iterator entry) {
  by_key_.erase(entry->key);
  bytes_ -= entry->key.size();
  entries_.erase(entry);
}

}  // namespace ringcast::auth
