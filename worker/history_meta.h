// The procedure wamp.subscription.get_events (WAMP, "Event History"): asked by the caller's worker,
// answered by the one that is home to the subscription.
//
// One per worker thread, used by that thread only, part of its Router.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "worker/history.h"
#include "worker/meta_procedures.h"
#include "worker/queries.h"
#include "worker/realms.h"

namespace ringcast::worker {

class HistoryMeta {
 public:
  // Adds the procedure. All of these outlive this.
  HistoryMeta(MetaProcedures& procedures, Queries& queries, History& history, const Realms& realms,
              std::uint32_t workers);

  // Answers QueryKind::events; see QueryServer.
  bool serve(std::uint16_t realm, std::string_view request, std::string& reply);

 private:
  Taken get_events(const MetaCall& call);
  // What a caller of this role may see: who may subscribe may ask what was published.
  bool may_subscribe(std::uint16_t realm, std::uint16_t role,
                     const History::Subscription& subscription) const;

  MetaProcedures& procedures_;
  Queries& queries_;
  History& history_;
  const Realms& realms_;
  std::uint32_t workers_;
};

}  // namespace ringcast::worker
