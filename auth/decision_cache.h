// What dynamic authorizers (WAMP procedures) answered, for as long as that may be believed.
//
// Bounded in entries and bytes: where it is full, what was not asked for longest makes room. One
// owner, one thread. Time is a parameter, in milliseconds of any clock that never runs backwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/permissions.h"

namespace ringcast::auth {

class DecisionCache {
 public:
  struct Options {
    std::size_t entries_max = 16'384;
    std::size_t bytes_max = std::size_t{4} * 1024 * 1024;  // of names and URIs
  };

  // Who asks for what. `principal` is whatever answers hang on: a role, an authid, a session; the
  // caller takes the same for each of them.
  struct Question {
    std::string_view principal;
    Action action = Action::publish;
    UriPattern uri;
  };

  explicit DecisionCache(const Options& options) : options_(options) {}
  DecisionCache(const DecisionCache&) = delete;
  DecisionCache& operator=(const DecisionCache&) = delete;

  // The answer, unless none is known or it has expired: then ask.
  std::optional<Grant> find(const Question& question, std::uint64_t now_ms);

  // Takes the place of an answer that is there. One that alone is larger than the cache is not
  // kept.
  void store(const Question& question, Grant grant, std::uint64_t expires_ms);

  // Forgets what was answered about a principal, because it has changed. Looks at every entry.
  void forget(std::string_view principal);
  void clear();  // the authorizer has changed

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    std::size_t principal_size = 0;  // the key ends with the principal
    Grant grant;
    std::uint64_t expires_ms = 0;
  };
  using Entries = std::list<Entry>;

  const std::string& key_of(const Question& question);
  void erase(Entries::iterator entry);

  Options options_;
  Entries entries_;                                                 // asked for most recently first
  std::unordered_map<std::string_view, Entries::iterator> by_key_;  // views of the entries' keys
  std::size_t bytes_ = 0;
  std::string scratch_;
};

}  // namespace ringcast::auth
