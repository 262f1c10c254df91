// Who has registered which procedure, and who of several is to get the next call. Part of a Dealer;
// used by its worker's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ring/connection_id.h"
#include "wire/message.h"
#include "worker/call_table.h"
#include "worker/pattern_index.h"
#include "worker/uri_table.h"

namespace ringcast::worker {

struct ProcedureKey {
  std::uint16_t realm = 0;
  wire::MatchPolicy match = wire::MatchPolicy::exact;
  std::string_view uri;
};

// What a callee asked for in its REGISTER, and what its session can do.
struct RegistrationTerms {
  wire::InvokePolicy invoke = wire::InvokePolicy::single;
  std::uint32_t concurrency = 0;  // calls at a time to this callee; 0: any number
  bool discloses_caller = false;
  bool forwards_timeout = false;
  bool understands_interrupt = false;
};

struct Callee {
  ring::ConnectionId session;
  RegistrationTerms terms;
  std::uint64_t order = 0;  // in which they have registered, with anything at this dealer
  std::uint32_t busy = 0;   // calls it has got by this registration and is not done with

  bool has_room() const { return terms.concurrency == 0 || busy < terms.concurrency; }
};

struct Registration {
  std::uint32_t id = 0;
  std::uint16_t realm = 0;
  wire::MatchPolicy match = wire::MatchPolicy::exact;
  wire::InvokePolicy invoke = wire::InvokePolicy::single;
  std::uint32_t created_s =
      0;  // wall clock, since 1970; after a restart of the dealer's worker, that
  std::string uri;
  std::vector<Callee> callees;  // in the order in which they registered
  std::size_t next = 0;         // whose turn it is (roundrobin)
  CallList queue;

  Callee* find(ring::ConnectionId session);
};

struct Choice {
  Callee* callee = nullptr;  // who gets the call; null: nobody has room
  bool untried = false;      // somebody is left who has not refused it, with room or without
};

class Registrations {
 public:
  // `hash_seed` is secret, so that clients can't choose collisions.
  explicit Registrations(std::uint64_t hash_seed)
      : exact_(64, ExactHash{hash_seed}), patterns_(hash_seed) {}

  std::size_t size() const { return by_id_.size(); }

  Registration* find(const ProcedureKey& key);
  Registration* find(std::uint32_t id);
  // `refused` says why there is none: a pattern beyond the limits of worker/pattern_index.h.
  // REQUIRES: neither key nor id is there yet.
  struct Created {
    Registration* registration = nullptr;
    std::string_view refused = {};
  };
  Created create(const ProcedureKey& key, wire::InvokePolicy invoke, std::uint32_t id);
  // REQUIRES: it has no callees and an empty queue.
  void erase(Registration& registration);

  // Which registration a call of `procedure` is for: an exact one, else the longest prefix, else
  // the best wildcard (WAMP, "Pattern-based Registrations"); null if there is none.
  Registration* match(std::uint16_t realm, std::string_view procedure);

  // In no particular order.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& [id, registration] : by_id_) visit(*registration);
  }

  // By the registration's policy, among those who have not been tried.
  Choice choose(Registration& registration, const std::vector<ring::ConnectionId>& tried);

 private:
  // The URI lies in the registration.
  struct ExactKey {
    std::uint16_t realm;
    std::string_view uri;
    bool operator==(const ExactKey&) const = default;
  };
  struct ExactHash {
    std::uint64_t seed;
    std::size_t operator()(const ExactKey& key) const {
      return topic_hash(seed, key.realm, key.uri);
    }
  };

  std::unordered_map<std::uint32_t, std::unique_ptr<Registration>> by_id_;
  std::unordered_map<ExactKey, Registration*, ExactHash> exact_;
  PatternIndex<Registration*> patterns_;
  std::minstd_rand random_;
};

}  // namespace ringcast::worker
