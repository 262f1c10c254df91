// The procedures wamp.registration.* (WAMP, "Registration Meta API"): asked by the caller's worker,
// answered by the one that has the realm's dealer.
//
// One per worker thread, used by that thread only, part of its Router.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ring/session_id.h"
#include "worker/meta_procedures.h"
#include "worker/meta_question.h"
#include "worker/queries.h"
#include "worker/rpc_router.h"

namespace ringcast::worker {

class RegistrationMeta {
 public:
  // Adds the procedures. All of these outlive this.
  RegistrationMeta(MetaProcedures& procedures, Queries& queries, RpcRouter& rpc,
                   const ring::SessionKey& session_key);

  // Answers QueryKind::registrations; see QueryServer.
  bool serve(std::uint16_t realm, std::string_view request, std::string& reply);

 private:
  enum class What : std::uint8_t { list, lookup, match, get, list_callees, count_callees, remove };

  Taken ask(const MetaCaller& caller, const MetaQuestion& question);
  Taken ask_by_id(const MetaCall& call, What what);
  Taken lookup(const MetaCall& call);
  Taken match(const MetaCall& call);
  Taken remove_callee(const MetaCall& call);
  void serve_list(std::uint16_t realm, std::string& reply);
  void serve_remove(const Registration& registration, const MetaQuestion& question,
                    std::string& reply);
  void serve_one(What what, const Registration& registration, std::string& reply);

  MetaProcedures& procedures_;
  Queries& queries_;
  RpcRouter& rpc_;
  ring::SessionKey session_key_;
};

}  // namespace ringcast::worker
