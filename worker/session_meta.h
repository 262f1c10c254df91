// The procedures wamp.session.* (WAMP, "Session Meta API" and "Session Testament"). What they ask
// is read from every worker's table of sessions in the shared segment; only killing needs a
// message, since a session is ended by its own worker.
//
// One per worker thread, used by that thread only, part of its Router.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ring/segment.h"
#include "worker/authorizer.h"
#include "worker/meta_procedures.h"
#include "worker/meta_question.h"
#include "worker/queries.h"
#include "worker/realms.h"
#include "worker/testaments.h"

namespace ringcast::worker {

// What is to be known of, and done to, sessions of this worker. REQUIRES: they are established.
class SessionKeeper {
 public:
  virtual ~SessionKeeper() = default;
  // GOODBYE with this reason, and with the message if it is not empty. `quietly`: nobody hears of
  // it by events and testaments.
  virtual void kill_session(Connection& connection, std::string_view reason,
                            std::string_view message, bool quietly) = 0;
  // Whether it may publish this when it ends; never waiting or blocked.
  virtual Permission may_leave_testament(const Connection& connection,
                                         const wire::Publish& publish) = 0;
};

class SessionMeta {
 public:
  static constexpr std::size_t kFilterRolesMax = 256;

  // Adds the procedures. All of these outlive this.
  SessionMeta(MetaProcedures& procedures, Queries& queries, ring::Segment& segment,
              std::uint32_t self, Transport& transport, const Realms& realms,
              Testaments& testaments, SessionKeeper& keeper);

  // Answers QueryKind::kill_sessions; see QueryServer.
  bool serve(std::uint16_t realm, std::string_view request, std::string& reply);

 private:
  enum class Victims : std::uint8_t { one, by_authid, by_authrole, all };
  using Roles = std::optional<std::vector<std::string>>;
  struct Found {
    ring::ConnectionId id;
    ring::SessionEntry entry;
  };

  Taken count(const MetaCall& call);
  Taken list(const MetaCall& call);
  Taken get(const MetaCall& call);
  Taken kill_one(const MetaCall& call);
  Taken kill_many(const MetaCall& call, Victims victims);
  Taken ask_to_kill(const MetaCall& call, std::uint64_t workers, Victims victims,
                    ring::ConnectionId session, std::string_view criterion, Queries::Done done);
  void answer_killed(const MetaCaller& caller, Victims victims,
                     const std::vector<QueryReply>& replies);
  Taken add_testament(const MetaCall& call);
  Taken flush_testaments(const MetaCall& call);

  // False, and the caller has been told so: the argument is no list of strings.
  bool read_roles(const MetaCall& call, Roles& roles);
  template <typename Visit>
  void for_each_session(std::uint16_t realm, const Roles& roles, Visit visit);
  std::optional<Found> find(std::uint16_t realm, std::uint64_t session_id) const;
  bool present(std::uint32_t worker) const;
  bool is_victim(const Connection& connection, const MetaQuestion& question) const;
  std::uint64_t session_id(ring::ConnectionId id) const;
  IdentityView identity_of(const Connection& connection) const;
  void answer_integer(const MetaCall& call, std::uint64_t value);

  MetaProcedures& procedures_;
  Queries& queries_;
  ring::Segment& segment_;
  std::uint32_t self_;
  Transport& transport_;
  const Realms& realms_;
  Testaments& testaments_;
  SessionKeeper& keeper_;
};

}  // namespace ringcast::worker
