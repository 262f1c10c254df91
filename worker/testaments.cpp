#include "worker/testaments.h"

#include <cassert>
#include <iterator>
#include <utility>

namespace ringcast::worker {
namespace {

std::size_t size_of(const OwnPublication& publication) {
  return sizeof publication + publication.message.size();
}

}  // namespace

bool Testaments::add(ring::ConnectionId session, Scope scope, OwnPublication publication) {
  const std::size_t size = size_of(publication);
  Will& will = wills_[session.slot];
  assert((will.bytes == 0 || will.session == session) && "every session's end is told");
  const bool room = will.by_scope[0].size() + will.by_scope[1].size() < kPerSessionMax &&
                    will.bytes + size <= kSessionBytesMax && bytes_ + size <= kBytesMax;
  if (room) {
    will.session = session;
    will.bytes += size;
    bytes_ += size;
    will.by_scope[static_cast<std::size_t>(scope)].push_back(std::move(publication));
  }
  drop_if_empty(session.slot);
  return room;
}

void Testaments::flush(ring::ConnectionId session, Scope scope) {
  const auto found = wills_.find(session.slot);
  if (found == wills_.end()) return;
  auto& gone = found->second.by_scope[static_cast<std::size_t>(scope)];
  for (const OwnPublication& publication : gone) {
    found->second.bytes -= size_of(publication);
    bytes_ -= size_of(publication);
  }
  gone.clear();
  drop_if_empty(session.slot);
}

std::vector<OwnPublication> Testaments::take(ring::ConnectionId session) {
  const auto found = wills_.find(session.slot);
  if (found == wills_.end()) return {};
  assert(found->second.session == session);
  std::vector<OwnPublication> all = std::move(found->second.by_scope[0]);
  auto& destroyed = found->second.by_scope[1];
  all.insert(all.end(), std::move_iterator(destroyed.begin()), std::move_iterator(destroyed.end()));
  bytes_ -= found->second.bytes;
  wills_.erase(found);
  return all;
}

void Testaments::drop_if_empty(std::uint32_t slot) {
  const auto found = wills_.find(slot);
  if (found != wills_.end() && found->second.bytes == 0) wills_.erase(found);
}

}  // namespace ringcast::worker
