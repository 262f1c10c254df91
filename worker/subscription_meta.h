// The procedures wamp.subscription.* (WAMP, "Subscriptions Meta API"), but for those about history.
// What a subscription is its home worker knows, who has it each worker of its own sessions.
//
// One per worker thread, used by that thread only, part of its Router.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ring/segment.h"
#include "worker/home_service.h"
#include "worker/meta_procedures.h"
#include "worker/meta_question.h"
#include "worker/queries.h"
#include "worker/topics.h"
#include "worker/transport.h"

namespace ringcast::worker {

// Takes subscriptions of this worker's sessions away.
class SubscriptionRevoker {
 public:
  virtual ~SubscriptionRevoker() = default;
  // `reason` is a URI or empty. False: the session does not have this subscription. REQUIRES: the
  // session is established.
  virtual bool revoke_subscription(Connection& connection, std::uint32_t subscription,
                                   std::string_view reason) = 0;
};

class SubscriptionMeta {
 public:
  // Adds the procedures. All of these outlive this.
  SubscriptionMeta(MetaProcedures& procedures, Queries& queries, ring::Segment& segment,
                   std::uint32_t self, Transport& transport, Topics& topics, HomeService& home,
                   SubscriptionRevoker& revoker);

  // Answers QueryKind::subscriptions; see QueryServer.
  bool serve(std::uint16_t realm, std::string_view request, std::string& reply);

 private:
  // What is asked, and of whom.
  enum class What : std::uint8_t {
    list,     // everybody: ids with their match policies, of what it is home to
    lookup,   // the home worker: the result
    match,    // everybody: ids of what its sessions have
    get,      // the home worker: the result
    locate,   // the home worker: match policy and URI
    holders,  // everybody: sessions that have it, by match policy and URI
    remove,   // the session's worker: the result
  };
  enum class Wanted : std::uint8_t { list, count };

  Taken list(const MetaCall& call);
  Taken lookup(const MetaCall& call);
  Taken match(const MetaCall& call);
  Taken get(const MetaCall& call);
  Taken subscribers(const MetaCall& call, Wanted wanted);
  Taken remove_subscriber(const MetaCall& call);

  Taken ask(const MetaCaller& caller, std::uint64_t workers, const MetaQuestion& question,
            Queries::Done done);
  Taken ask_one(const MetaCaller& caller, std::uint32_t worker, const MetaQuestion& question);
  void ask_holders(const MetaCaller& caller, Wanted wanted, const QueryReply& located);
  void answer_holders(const MetaCaller& caller, Wanted wanted,
                      const std::vector<QueryReply>& replies);
  void answer_list(const MetaCaller& caller, const std::vector<QueryReply>& replies);
  void answer_match(const MetaCaller& caller, const std::vector<QueryReply>& replies);

  void serve_at_home(std::uint16_t realm, const MetaQuestion& question, std::string& reply);
  void serve_match(std::uint16_t realm, const MetaQuestion& question, std::string& reply);
  void serve_holders(std::uint16_t realm, const MetaQuestion& question, std::string& reply);
  void serve_remove(std::uint16_t realm, const MetaQuestion& question, std::string& reply);
  TopicKey key(std::uint16_t realm, const MetaQuestion& question) const;
  // Who gave this id, if anybody did.
  std::uint32_t home_of_id(std::uint64_t id) const {
    return static_cast<std::uint32_t>((id - 1) % segment_.workers());
  }

  MetaProcedures& procedures_;
  Queries& queries_;
  ring::Segment& segment_;
  std::uint32_t self_;
  Transport& transport_;
  Topics& topics_;
  HomeService& home_;
  SubscriptionRevoker& revoker_;
};

}  // namespace ringcast::worker
