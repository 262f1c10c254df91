// WAMP sessions and routing of one worker: what a message means, who gets a publication, and this
// worker's side of the home protocol.
//
// One per worker thread, used by that thread only. Above it nobody; below it a Transport
// (connections) and a Peers (other workers). WAMP.md of the documentation says which rule is
// decided how.
//
// A SUBSCRIBE to a topic that this worker does not hold yet goes to the topic's home worker with a
// token; the session is subscribed, and told so, when the answer comes. Where the session is gone
// by then the answer is dropped and counted (invariant I2).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wire/decode.h"
#include "worker/authorizer.h"
#include "worker/event_forms.h"
#include "worker/history.h"
#include "worker/history_meta.h"
#include "worker/home_service.h"
#include "worker/login.h"
#include "worker/meta_events.h"
#include "worker/meta_procedures.h"
#include "worker/options.h"
#include "worker/peers.h"
#include "worker/publication_ids.h"
#include "worker/queries.h"
#include "worker/realms.h"
#include "worker/receiver_filter.h"
#include "worker/registration_meta.h"
#include "worker/retention.h"
#include "worker/rpc_router.h"
#include "worker/session_meta.h"
#include "worker/subscription_meta.h"
#include "worker/testaments.h"
#include "worker/topics.h"
#include "worker/transport.h"

namespace ringcast::worker {

class Router final : public TransportUser,
                     public PeerUser,
                     public HomeClient,
                     public LoginUser,
                     public QueryServer,
                     public RetentionClient,
                     public AuthorizerUser,
                     public SessionKeeper,
                     public SubscriptionRevoker {
 public:
  Router(ring::Segment& segment, std::uint32_t self, Transport& transport, Peers& peers,
         Background& background, const WorkerOptions& options);

  // TransportUser
  void on_open(Connection& connection) override;
  Taken on_message(Connection& connection, bool binary, wire::Bytes bytes) override;
  void on_handshake_timeout(Connection& connection) override;
  void on_end(Connection& connection) override;
  void settle_fan_out() override;

  // PeerUser
  void on_descriptor(std::uint32_t from, const ring::Descriptor& descriptor,
                     std::string_view frame) override;
  void on_worker_lost(std::uint32_t worker) override;
  void on_worker_live(std::uint32_t worker) override;

  // HomeClient
  void on_home_reply(std::uint64_t token, std::uint32_t subscription) override;
  void on_topic_change(MembershipChange change, ring::ConnectionId session,
                       const HomeTopic& topic) override;

  // LoginUser
  void on_challenged(Connection& connection, std::string_view method, const Extra& extra) override;
  void on_admitted(Connection& connection, Admission admission) override;
  void on_refused(Connection& connection, std::string_view reason,
                  std::string_view message) override;
  void on_identity_expired(Connection& connection) override;

  // QueryServer
  bool serve_query(QueryKind kind, std::uint16_t realm, std::string_view request,
                   std::string& reply) override;

  // RetentionClient
  State receiver_state(const RetainedReceiver& receiver) override;
  void on_retained(const RetainedReceiver& receiver, const Publication& publication) override;

  // AuthorizerUser
  bool call_procedure(const OwnCall& call, RouterCalls::Callback end) override;
  void on_decided(ring::ConnectionId session) override;
  void warn(std::string line) override;

  // SessionKeeper, SubscriptionRevoker
  Permission may_leave_testament(const Connection& connection,
                                 const wire::Publish& publish) override;
  void kill_session(Connection& connection, std::string_view reason, std::string_view message,
                    bool quietly) override;
  bool revoke_subscription(Connection& connection, std::uint32_t subscription,
                           std::string_view reason) override;

  // This worker turns live while those in `expected` (bit per worker) are: what it is home to is
  // not known until they have told.
  void begin(std::uint64_t expected);

  // Says GOODBYE to every session, and 1001 to every connection.
  void begin_drain();

  // Does what is due to the millisecond: calls that time out, refused logins, identities that
  // expire. Call every turn, first.
  void expire(TimeMs now) {
    authorizer_.set_now(now);
    rpc_.expire(now);
    login_.expire(now);
  }
  TimeMs next_deadline() const {  // UINT64_MAX: none
    return std::min(rpc_.next_deadline(), login_.next_deadline());
  }

  // What could not be done when it came, and then those who wait for calls that the router has
  // made. Call every turn, last; true if there were any.
  bool end_turn();
  bool has_waiting() const {  // end_turn() left some
    return queries_.has_deferred() || retention_.has_due() || !outbox_.empty();
  }

  // Files that the configuration names may have changed.
  void reload() { login_.reload_keys(); }

  // Answers SUBSCRIBEs whose home worker has been away for too long. Call a few times a second.
  void expire_pending(TimeMs now);

 private:
  struct PendingSubscribe {
    ring::ConnectionId who;
    std::uint32_t io_generation = 0;  // of the transport, which may carry another session by now
    std::uint64_t request = 0;
    Topic* topic = nullptr;
    TimeMs asked_ms = 0;
    bool get_retained = false;
    // Of a subscription that keeps a history and has no session; else null.
    const HistoryRule* history = nullptr;
    bool given_up = false;  // answered with an ERROR by a timeout; the home worker may still answer
  };

  // Who publishes, for those who may be told.
  struct Publisher {
    std::uint64_t session = 0;
    std::string_view authid;
    std::string_view authrole;
    bool disclosed = false;  // it is named
  };

  // Events that lie behind one another in the log and go to the same subscribers of one topic. They
  // are queued together, so that a burst costs each subscriber what one event costs. No topic:
  // none. Whoever subscribes or leaves, and whatever else is written to the log, settles it first.
  struct FanOutRun {
    const Topic* topic = nullptr;
    wire::Serializer serializer = wire::Serializer::json;
    std::uint32_t excluded_slot = 0;
    LogRange frames;
    std::size_t events = 0;
  };
  // What PUBLISHED frames its publisher is due while a run goes on: they would end it, one by one.
  // Written when the run has been queued. Bounded by the messages of a stage.
  struct HeldReplies {
    Connection* publisher = nullptr;  // null exactly while there are none
    std::string frames;
  };

  // --- sessions (router_session.cpp)
  // -------------------------------------------------------------------
  Taken dispatch(Connection& connection, const wire::Message& message);
  Taken on_first_message(Connection& connection, const wire::Message& message);
  Taken on_session_message(Connection& connection, const wire::Message& message);
  void hello(Connection& connection, const wire::Hello& hello);
  void welcome(Connection& connection, const Extra& extra);
  void goodbye(Connection& connection);
  void settle(Connection& connection, bool quietly = false);
  Taken on_killed_message(Connection& connection, const wire::Message& message);
  void abort(Connection& connection, std::string_view reason, std::string_view message,
             std::uint16_t close_code);
  void violation(Connection& connection, std::string_view message);
  bool request_in_order(Connection& connection, std::uint64_t request);
  void error(Connection& connection, wire::MessageType type, std::uint64_t request,
             std::string_view uri, std::string_view message);
  Taken call(Connection& connection, const wire::Call& call);
  Taken register_procedure(Connection& connection, const wire::Register& message);
  template <typename Request, typename Serve>
  Taken in_order(Connection& connection, const Request& request, Serve serve);
  Taken answered(Connection& connection, Answered answered);
  void send(Connection& connection, const std::string& message);
  std::uint64_t session_id_of(const Connection& connection) const;
  // Valid as long as its session is. REQUIRES: the session is established.
  IdentityView identity_of(const Connection& connection) const;

  // --- what sessions may do (router_authorization.cpp)
  // ------------------------------------------------
  // REQUIRES: its session is not `unrestricted`; the others ask that themselves.
  Permission may_publish(const Connection& connection, const wire::Publish& publish);
  Permission may_subscribe(const Connection& connection, const wire::Subscribe& subscribe);
  Permission may_call(const Connection& connection, const wire::Call& call);
  Permission may_register(const Connection& connection, const wire::Register& message);
  // What becomes of a message whose session may not, or not yet.
  Taken forbid(Connection& connection, wire::MessageType type, std::uint64_t request,
               const Permission& permission, bool answer = true);

  // --- publish and subscribe (router_broker.cpp)
  // -------------------------------------------------------
  Taken publish(Connection& connection, const wire::Publish& publish);
  bool publish_allowed(Connection& connection, const wire::Publish& publish);
  // What the options ask for beyond a plain publication. False if their lists are too long. What is
  // added is valid until the next call, and the publisher's role as long as that.
  bool add_extras(wire::Serializer serializer, const wire::PublishOptions& options,
                  const Publisher& publisher, Publication& publication);
  // But for a publisher that is named.
  static bool is_plain(const wire::PublishOptions& options) {
    return !options.receivers && !options.passthru && !options.retain;
  }
  // To all workers that may have somebody to get it, and to this one's own sessions but for
  // `excluded`, which may be null. Blocked: a ring has no room, and nothing has happened.
  Taken hand_out(const Publication& publication, const Connection* excluded);
  Taken subscribe(Connection& connection, const wire::Subscribe& subscribe);
  void unsubscribe(Connection& connection, const wire::Unsubscribe& unsubscribe);
  void join(Connection& connection, std::uint64_t request, Topic& topic, bool get_retained);
  void leave(Connection& connection, std::size_t membership);

  // --- who gets a publication (router_fan_out.cpp)
  // ---------------------------------------------------
  // Bit per other worker that may have subscribers of what is published to the topic with this
  // hash.
  std::uint64_t interested_workers(std::uint16_t realm, std::uint64_t hash) const;
  // Hands a publication to this worker's subscribers, but for `excluded`, which may be null.
  void fan_out(const Publication& publication, std::uint64_t hash, const Connection* excluded);
  // What forms_ is about, to the subscribers of one subscription, or those of one serializer.
  void fan_out(const Topic& topic, const Connection* excluded);
  void fan_out(const Topic& topic, wire::Serializer serializer, const wire::Payload& payload,
               std::uint32_t excluded_slot);
  // The same for those whom `filter` allows.
  void fan_out(const Topic& topic, const ReceiverFilter& filter, const Connection* excluded);
  void choose(const Topic& topic, const ReceiverFilter& filter, const Connection* excluded);
  Connection* subscriber_of(const Topic& topic, std::uint64_t session);
  Connection* find(const RetainedReceiver& receiver);
  char* reserve_event(const Topic& topic, wire::Serializer serializer, std::uint32_t excluded_slot,
                      std::size_t size);
  void acknowledge(Connection& connection, std::uint64_t request, std::uint64_t publication);
  void send_held_replies();
  void publication_from(const ring::Descriptor& descriptor, std::string_view frame);

  // --- meta events and what else the router publishes (router_meta.cpp)
  // ----------------------------------
  void session_joined(const Connection& connection);
  void session_left(const Connection& connection, bool quietly);
  void announce_lost_sessions();
  void subscriber_changed(MembershipChange change, const Topic& topic, ring::ConnectionId session);
  Taken publish_own(const OwnPublication& publication);

  // --- home protocol, the asking side (router_home.cpp)
  // ------------------------------------------------
  void ask_home(std::uint64_t token, const Topic& topic);
  Session* settle_pending(const PendingSubscribe& pending);
  void drop_given_up(std::uint32_t home);
  // Subscribes to what this worker, as its home, keeps the history of.
  void open_histories();
  void release_if_unused(Topic& topic, ring::ConnectionId last);
  void tell_release(std::uint64_t hash, std::uint32_t subscription, ring::ConnectionId last);

  ring::Segment& segment_;
  std::uint32_t self_;
  Transport& transport_;
  Peers& peers_;
  Background& background_;
  WorkerOptions options_;
  ring::Counters& counters_;
  Realms realms_;
  Topics topics_;
  Outbox outbox_;
  MetaEvents events_;
  HomeService home_;
  Login login_;
  Retention retention_;
  History history_;
  RpcRouter rpc_;
  Authorizer authorizer_;
  Queries queries_;
  MetaProcedures procedures_;
  RegistrationMeta registration_meta_;
  HistoryMeta history_meta_;
  SubscriptionMeta subscription_meta_;
  Testaments testaments_;
  SessionMeta session_meta_;
  std::unordered_map<std::uint64_t, PendingSubscribe> pending_;  // by token
  std::uint64_t next_token_;  // begins at random: answers to an earlier incarnation match nothing
  std::array<wire::Decoder, wire::kSerializerCount> decoders_;
  PublicationIds publication_ids_;
  FanOutRun run_;
  HeldReplies replies_;
  TimeMs now_ = 0;

  // Reused from message to message, so that the steady state allocates nothing.
  std::string out_;
  std::string publisher_authid_;
  std::string receivers_;
  std::array<std::vector<std::uint32_t>, wire::kSerializerCount> chosen_;  // slots
  EventForms forms_;
};

}  // namespace ringcast::worker
