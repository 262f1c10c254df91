// A broker with two worker processes and the peers on each of them, for the checks that do
// something to one worker. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/stress/broker_process.h"
#include "tests/stress/pub_sub_peer.h"

namespace ringcast::stress {

class Fleet {
 public:
  static constexpr std::size_t kWorkers = 2;
  static constexpr std::int64_t kSettleMs = 30'000;

  Fleet(const std::string& broker_binary, std::vector<std::string> arguments);

  Engine engine;
  PeerWorld world;
  BrokerProcess broker;
  std::vector<std::unique_ptr<Peer>> peers;
  CounterSets counters;  // as wait_quiet() saw them last

  // One more peer, subscribed to everything. Which worker took it shows in the workers' counts of
  // sessions. `busy` is called while it is waited for, and turns the engine.
  Peer& open_peer(const BrokerProcess::Busy& busy, const Link::Target& target = {});
  std::size_t count_on(std::size_t worker) const;
  Peer* any_on(std::size_t worker) const;  // nullptr: none

  // The number of the last note that has reached all who must get it. The pace of a publisher is
  // that of those who listen: an acknowledgement says nothing of them, and whoever is a megabyte
  // behind is a slow reader.
  std::uint64_t heard_by_all(const Run& run) const;

  // Until no frame is held in an arena and every byte is free that was free the first time; then
  // nothing may have been corrupt either.
  void wait_quiet(const BrokerProcess::Busy& busy);
  std::uint64_t arena_free_at_first(std::size_t worker) const { return free_at_first_[worker]; }

  // SIGTERM; all that is said to peers then is fine.
  void stop();

 private:
  bool arenas_whole() const;

  std::array<std::uint64_t, kWorkers> free_at_first_{};
};

}  // namespace ringcast::stress
