#include "worker/registrations.h"

#include <algorithm>
#include <cassert>

#include "worker/wall_clock.h"

namespace ringcast::worker {

Callee* Registration::find(ring::ConnectionId session) {
  const auto found = std::find_if(callees.begin(), callees.end(), [session](const Callee& callee) {
    return callee.session == session;
  });
  return found == callees.end() ? nullptr : &*found;
}

Registration* Registrations::find(std::uint32_t id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.get();
}

Registration* Registrations::find(const ProcedureKey& key) {
  if (key.match != wire::MatchPolicy::exact) {
    const auto* entry = patterns_.find(key.realm, key.match, key.uri);
    return entry == nullptr ? nullptr : entry->value;
  }
  const auto found = exact_.find(ExactKey{key.realm, key.uri});
  return found == exact_.end() ? nullptr : found->second;
}

Registrations::Created Registrations::create(const ProcedureKey& key, wire::InvokePolicy invoke,
                                             std::uint32_t id) {
  assert(find(key) == nullptr && find(id) == nullptr);
  auto made = std::make_unique<Registration>();
  Registration& registration = *made;
  registration.id = id;
  registration.realm = key.realm;
  registration.match = key.match;
  registration.invoke = invoke;
  registration.created_s = wall_clock_s();
  registration.uri = key.uri;
  if (key.match == wire::MatchPolicy::exact) {
    exact_.emplace(ExactKey{key.realm, registration.uri}, &registration);
  } else {
    const auto inserted = patterns_.insert(key.realm, key.match, key.uri);
    if (inserted.entry == nullptr) return {.refused = describe(inserted.outcome)};
    inserted.entry->value = &registration;
  }
  by_id_.emplace(id, std::move(made));
  return {.registration = &registration};
}

void Registrations::erase(Registration& registration) {
  assert(registration.callees.empty() && registration.queue.empty());
  if (registration.match == wire::MatchPolicy::exact) {
    exact_.erase(ExactKey{registration.realm, registration.uri});
  } else {
    patterns_.erase(*patterns_.find(registration.realm, registration.match, registration.uri));
  }
  by_id_.erase(registration.id);
}

Registration* Registrations::match(std::uint16_t realm, std::string_view procedure) {
  const auto exact = exact_.find(ExactKey{realm, procedure});
  if (exact != exact_.end()) return exact->second;
  const auto* best = patterns_.best(realm, procedure);
  return best == nullptr ? nullptr : best->value;
}

Choice Registrations::choose(Registration& registration,
                             const std::vector<ring::ConnectionId>& tried) {
  Choice choice;
  const std::size_t count = registration.callees.size();
  std::size_t start = 0;
  switch (registration.invoke) {
    case wire::InvokePolicy::unknown:
      assert(false && "refused before");
      break;
    case wire::InvokePolicy::single:
    case wire::InvokePolicy::first:
      break;
    case wire::InvokePolicy::last:
      start = count;
      break;
    case wire::InvokePolicy::roundrobin:
      start = registration.next % std::max<std::size_t>(count, 1);
      break;
    case wire::InvokePolicy::random:
      start = random_() % std::max<std::size_t>(count, 1);
      break;
  }
  const bool backwards = registration.invoke == wire::InvokePolicy::last;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = backwards ? count - 1 - i : (start + i) % count;
    Callee& callee = registration.callees[at];
    if (std::find(tried.begin(), tried.end(), callee.session) != tried.end()) continue;
    choice.untried = true;
    if (!callee.has_room()) continue;
    choice.callee = &callee;
    registration.next = at + 1;
    break;
  }
  return choice;
}

}  // namespace ringcast::worker
