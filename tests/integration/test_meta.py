"""The router's own procedures and events, below "wamp.": hand-written frames, both serializers, two worker processes."""

import itertools
import re
import time

import pytest

import wamp
import wsraw
from wamp import (
    CALL,
    ERROR,
    EVENT,
    GOODBYE,
    INVOCATION,
    PUBLISH,
    REGISTER,
    REGISTERED,
    RESULT,
    SUBSCRIBE,
    SUBSCRIBED,
    UNREGISTER,
    UNREGISTERED,
    UNSUBSCRIBE,
    UNSUBSCRIBED,
    YIELD,
)

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)
all_pairs = pytest.mark.parametrize(("one", "other"), list(itertools.product(wamp.SERIALIZERS, wamp.SERIALIZERS)))
ISO_8601 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


@pytest.fixture
def broker(start_broker):
    return start_broker("--processes", 2, "--threads", 1)


class Workers:
    """Sessions by the worker that has them: several on each, so that any two meet on one and on two."""

    def __init__(self, broker):
        self.broker = broker

    def join_on(self, worker, serializer, roles=None):
        others = []  # open meanwhile: the worker with fewer connections gets the next one
        try:
            for _ in range(64):
                before = self.broker.counters()
                session = joined(self.broker, serializer, roles)
                after = self.broker.counters()
                if after[worker]["connections_accepted"] > before[worker]["connections_accepted"]:
                    return session
                others.append(session)
        finally:
            for session in others:
                session.goodbye()  # and who watches from now on hears nothing of it
                session.drop()
        raise AssertionError(f"no connection reached worker {worker}")


@pytest.fixture
def workers(broker):
    return Workers(broker)


def joined(broker, serializer, roles=None):
    session = wamp.Session.open(broker.url, serializer)
    session.join(details={"roles": {**wamp.ROLES, **(roles or {})}})
    return session


def meta(session, procedure, *args, **kwargs):
    """The only result of a call, or None if it has none."""
    request = session.next_request()
    session.send([CALL, request, {}, procedure, list(args), *([kwargs] if kwargs else [])])
    answer = session.expect(RESULT, request)
    assert len(answer) <= 4, answer
    return answer[3][0] if len(answer) == 4 else None


def meta_error(session, procedure, *args, **kwargs):
    """The URI of the ERROR that answers a call."""
    request = session.next_request()
    session.send([CALL, request, {}, procedure, list(args), *([kwargs] if kwargs else [])])
    answer = session.expect(ERROR, CALL, request)
    assert answer[5:] and isinstance(answer[5][0], str), f"it does not say why: {answer}"
    return answer[4]


def register(session, procedure, **options):
    request = session.next_request()
    session.send([REGISTER, request, options, procedure])
    return session.expect(REGISTERED, request)[2]


# --- dispatch


@both_serializers
def test_procedures_that_the_router_does_not_have(broker, serializer):
    session = joined(broker, serializer)
    for procedure in ("wamp", "wamp.", "wamp.session", "wamp.session.nothing", "wamp.registration.lists"):
        assert meta_error(session, procedure) == "wamp.error.no_such_procedure"
    assert meta(session, "wamp.registration.list") == {"exact": [], "prefix": [], "wildcard": []}


@both_serializers
def test_arguments_of_the_wrong_type(broker, serializer):
    session = joined(broker, serializer)
    for procedure in ("get", "list_callees", "count_callees"):
        for args in ([], ["text"], [None], [0], [-1], [2**53 + 1], [1.5], [[1]], [{}], [True]):
            assert meta_error(session, f"wamp.registration.{procedure}", *args) == "wamp.error.invalid_argument", args
    for procedure in ("lookup", "match"):
        for args in ([], [1], [None], [["x"]], [{}]):
            assert meta_error(session, f"wamp.registration.{procedure}", *args) == "wamp.error.invalid_argument", args
    for options in ("text", [], 1, {"match": "fuzzy"}, {"match": 1}):
        assert meta_error(session, "wamp.registration.lookup", "a.b", options) == "wamp.error.invalid_argument"
    assert meta(session, "wamp.registration.lookup", "a.b", None) is None


# --- registrations


@both_serializers
def test_what_is_registered_is_told_on_every_worker(workers, serializer):
    callee = workers.join_on(0, serializer)
    ids = {
        "exact": register(callee, "meta.exact"),
        "prefix": register(callee, "meta.pre", match="prefix", invoke="roundrobin"),
        "wildcard": register(callee, "meta..wild", match="wildcard"),
    }
    for caller in (workers.join_on(0, serializer), workers.join_on(1, serializer)):
        assert meta(caller, "wamp.registration.list") == {policy: [id] for policy, id in ids.items()}
        assert meta(caller, "wamp.registration.lookup", "meta.exact") == ids["exact"]
        assert meta(caller, "wamp.registration.lookup", "meta.exact", {"match": "exact"}) == ids["exact"]
        assert meta(caller, "wamp.registration.lookup", "meta.exact", {"match": "prefix"}) is None
        assert meta(caller, "wamp.registration.lookup", "meta.pre", {"match": "prefix"}) == ids["prefix"]
        assert meta(caller, "wamp.registration.lookup", "meta..wild", {"match": "wildcard"}) == ids["wildcard"]
        assert meta(caller, "wamp.registration.match", "meta.exact") == ids["exact"]
        assert meta(caller, "wamp.registration.match", "meta.prefixed") == ids["prefix"]
        assert meta(caller, "wamp.registration.match", "meta.x.wild") == ids["wildcard"]
        assert meta(caller, "wamp.registration.match", "other") is None
        details = meta(caller, "wamp.registration.get", ids["prefix"])
        assert ISO_8601.match(details.pop("created"))
        assert details == {"id": ids["prefix"], "uri": "meta.pre", "match": "prefix", "invoke": "roundrobin"}
        assert meta(caller, "wamp.registration.list_callees", ids["exact"]) == [callee.id]
        assert meta(caller, "wamp.registration.count_callees", ids["exact"]) == 1
        for procedure in ("get", "list_callees", "count_callees"):
            for unknown in (ids["wildcard"] + 2, 2**32 + ids["exact"], 2**53):
                assert (
                    meta_error(caller, f"wamp.registration.{procedure}", unknown) == "wamp.error.no_such_registration"
                )


@both_serializers
def test_callees_of_a_shared_registration(workers, serializer):
    callees = [workers.join_on(worker, serializer) for worker in (0, 1, 0)]
    ids = {register(callee, "meta.shared", invoke="random") for callee in callees}
    assert len(ids) == 1
    (registration,) = ids
    caller = workers.join_on(1, serializer)
    assert meta(caller, "wamp.registration.list_callees", registration) == [callee.id for callee in callees]
    assert meta(caller, "wamp.registration.count_callees", registration) == 3
    request = callees[0].next_request()
    callees[0].send([UNREGISTER, request, registration])
    callees[0].expect(UNREGISTERED, request)
    assert meta(callees[0], "wamp.registration.count_callees", registration) == 2
    callees[1].goodbye()
    deadline = time.monotonic() + 30
    while meta(caller, "wamp.registration.list_callees", registration) != [callees[2].id]:
        assert time.monotonic() < deadline


@both_serializers
def test_registrations_are_told_when_their_worker_is_back(broker, workers, serializer):
    """Whichever worker has the realm's dealer: what sessions of the other have registered is known again."""
    for killed in (0, 1):
        callee = workers.join_on(1 - killed, serializer)
        lost = workers.join_on(killed, serializer)
        registration = register(callee, "meta.stays")
        register(lost, "meta.goes")
        broker.kill_worker(killed)
        deadline = time.monotonic() + 30
        while True:
            request = callee.next_request()
            callee.send([CALL, request, {}, "wamp.registration.list"])
            answer = callee.receive()
            if answer[0] == RESULT:
                break
            assert answer[4] == "wamp.error.network_failure", answer
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert answer[3][0]["exact"] == [registration]
        assert meta(callee, "wamp.registration.list_callees", registration) == [callee.id]
        callee.goodbye()


# --- sessions


def expect_meta_event(session, subscription, *args):
    message = session.expect(EVENT, subscription)
    assert message[3] == {}, message
    assert message[4] == list(args), f"{message}, not {list(args)}"


def details_of(session):
    return {
        "session": session.id,
        "authid": f"anonymous-{session.id}",
        "authrole": "anonymous",
        "authmethod": "anonymous",
        "authprovider": "static",
    }


def left(session):
    return session.id, f"anonymous-{session.id}", "anonymous"


@both_serializers
def test_features_are_announced(broker, serializer):
    session = wamp.Session.open(broker.url, serializer)
    roles = session.join()[2]["roles"]
    for feature in ("session_meta_api", "subscription_meta_api", "subscription_revocation"):
        assert roles["broker"]["features"][feature] is True
    for feature in ("session_meta_api", "registration_meta_api", "registration_revocation", "testament_meta_api"):
        assert roles["dealer"]["features"][feature] is True


@both_serializers
def test_sessions_are_counted_listed_and_described(workers, serializer):
    sessions = [workers.join_on(worker, serializer) for worker in (0, 1, 0, 1)]
    workers.broker.wait_total("sessions", 4)
    ids = sorted(session.id for session in sessions)
    for caller in sessions[:2]:
        assert meta(caller, "wamp.session.count") == 4
        assert sorted(meta(caller, "wamp.session.list")) == ids
        assert meta(caller, "wamp.session.count", ["anonymous", "nobody"]) == 4
        assert meta(caller, "wamp.session.count", ["nobody"]) == 0
        assert sorted(meta(caller, "wamp.session.list", ["anonymous"])) == ids
        assert meta(caller, "wamp.session.list", []) == []
        for session in sessions:
            assert meta(caller, "wamp.session.get", session.id) == details_of(session)
    caller = sessions[0]
    for wrong in ("anonymous", {"a": 1}, [1], ["anonymous", None], ["x"] * 257):
        assert meta_error(caller, "wamp.session.count", wrong) == "wamp.error.invalid_argument"
        assert meta_error(caller, "wamp.session.list", wrong) == "wamp.error.invalid_argument"
    for wrong in ("text", None, 0, -1, 2**53 + 1):
        assert meta_error(caller, "wamp.session.get", wrong) == "wamp.error.invalid_argument"
    gone = sessions[3]
    gone.goodbye()
    for unknown in (1, 2**53, gone.id):
        assert meta_error(caller, "wamp.session.get", unknown) == "wamp.error.no_such_session"
    assert meta(caller, "wamp.session.count") == 3


@all_pairs
def test_who_joins_and_leaves_is_told(workers, one, other):
    watchers = [workers.join_on(worker, serializer) for worker, serializer in ((0, one), (1, other))]
    joins = [watcher.subscribe("wamp.session.on_join") for watcher in watchers]
    leaves = [watcher.subscribe("wamp.session.on_leave") for watcher in watchers]
    for end in ("goodbye", "drop"):
        session = joined(workers.broker, one)
        for watcher, join in zip(watchers, joins):
            expect_meta_event(watcher, join, details_of(session))
        getattr(session, end)()
        for watcher, leave in zip(watchers, leaves):
            expect_meta_event(watcher, leave, *left(session))
    # Two sessions on one transport are two.
    session = joined(workers.broker, one)
    first = session.id
    session.goodbye()
    session.join()
    assert session.id != first
    for watcher, join, leave in zip(watchers, joins, leaves):
        assert [watcher.receive()[1] for _ in range(3)] == [join, leave, join]


@both_serializers
def test_events_by_pattern_carry_their_topic(workers, serializer):
    watcher = workers.join_on(0, serializer)
    subscription = watcher.subscribe("wamp.session.", {"match": "prefix"})
    session = workers.join_on(1, serializer)
    seen = []
    while not seen or seen[-1][4][0] != {**details_of(session)}:
        seen.append(watcher.expect(EVENT, subscription))
        assert seen[-1][3] == {"topic": "wamp.session.on_join"} or seen[-1][3] == {"topic": "wamp.session.on_leave"}


@both_serializers
def test_sessions_of_a_killed_worker_are_told_as_gone(workers, serializer):
    """By its next incarnation, before what that has itself."""
    broker = workers.broker
    for killed in (0, 1):
        watcher = workers.join_on(1 - killed, serializer)
        lost = [workers.join_on(killed, serializer) for _ in range(3)]
        staying = workers.join_on(1 - killed, serializer)
        leave = watcher.subscribe("wamp.session.on_leave")
        broker.kill_worker(killed)
        seen = [watcher.expect(EVENT, leave)[4] for _ in lost]
        assert sorted(seen) == sorted(list(left(session)) for session in lost)
        assert sorted(meta(watcher, "wamp.session.list")) == sorted([watcher.id, staying.id])
        for session in lost:
            assert meta_error(watcher, "wamp.session.get", session.id) == "wamp.error.no_such_session"
            assert meta_error(watcher, "wamp.session.kill", session.id) == "wamp.error.no_such_session"
        staying.goodbye()
        expect_meta_event(watcher, leave, *left(staying))
        watcher.goodbye()


# --- killing


@all_pairs
def test_a_session_is_killed(workers, one, other):
    for worker in (0, 1):
        killer = workers.join_on(0, one)
        leave = killer.subscribe("wamp.session.on_leave")
        victim = workers.join_on(worker, other)
        request = killer.next_request()
        killer.send([CALL, request, {}, "wamp.session.kill", [victim.id], {"reason": "app.why", "message": "because"}])
        answers = []
        while len(answers) < 2:
            message = killer.receive()
            if message[0] == RESULT or message[4] == list(left(victim)):
                answers.append(message)
        assert [RESULT, request, {}] in answers and any(answer[0] == EVENT for answer in answers)
        assert victim.receive() == [GOODBYE, {"message": "because"}, "app.why"]
        # What it sent before it knew is ignored; then it may begin anew.
        victim.send([SUBSCRIBE, 1, {}, "a"], [PUBLISH, 77, {"acknowledge": True}, "a"], [YIELD, 5, {}])
        victim.send([GOODBYE, {}, "wamp.close.goodbye_and_out"])
        killed = victim.id
        victim.join()
        assert victim.id != killed
        assert meta_error_in(killer, "wamp.session.kill", killed) == "wamp.error.no_such_session"
        killer.drop()
        victim.drop()


def meta_error_in(session, procedure, *args):
    """meta_error() where events may come first."""
    request = session.next_request()
    session.send([CALL, request, {}, procedure, list(args)])
    while (message := session.receive())[0] == EVENT:
        pass
    assert message[:3] == [ERROR, CALL, request], message
    return message[4]


@both_serializers
def test_killing_by_authid_by_role_and_all(workers, serializer):
    killer = workers.join_on(0, serializer)
    victims = [workers.join_on(worker, serializer) for worker in (0, 1, 1)]
    workers.broker.wait_total("sessions", 4)
    assert meta(killer, "wamp.session.kill_by_authid", f"anonymous-{victims[0].id}") == [victims[0].id]
    assert victims[0].receive() == [GOODBYE, {}, "wamp.close.killed"]
    assert meta(killer, "wamp.session.kill_by_authid", f"anonymous-{victims[0].id}") == []
    assert meta(killer, "wamp.session.kill_by_authid", f"anonymous-{killer.id}") == []
    assert meta(killer, "wamp.session.kill_by_authrole", "nobody") == 0
    assert meta(killer, "wamp.session.kill_by_authrole", "anonymous", reason="a.b") == 2
    for victim in victims[1:]:
        assert victim.receive() == [GOODBYE, {}, "a.b"]
    others = [workers.join_on(worker, serializer) for worker in (0, 1)]
    workers.broker.wait_total("sessions", 3)
    assert meta(killer, "wamp.session.kill_all", message="all of you") == 2
    for victim in others:
        assert victim.receive() == [GOODBYE, {"message": "all of you"}, "wamp.close.killed"]
    assert meta(killer, "wamp.session.list") == [killer.id]


@both_serializers
def test_what_can_not_be_killed(workers, serializer):
    killer, victim = workers.join_on(0, serializer), workers.join_on(1, serializer)
    assert meta_error(killer, "wamp.session.kill", killer.id) == "wamp.error.no_such_session"
    assert meta_error(killer, "wamp.session.kill", 12345) == "wamp.error.no_such_session"
    for procedure, args in (("kill", [victim.id]), ("kill_by_authid", ["x"]), ("kill_by_authrole", ["x"]), ("kill_all", [])):
        for reason in ("", "not a uri", "a..b", 7):
            assert meta_error(killer, f"wamp.session.{procedure}", *args, reason=reason) == "wamp.error.invalid_uri"
        assert meta_error(killer, f"wamp.session.{procedure}", *args, message=7) == "wamp.error.invalid_argument"
    for procedure in ("kill", "kill_by_authid", "kill_by_authrole"):
        for wrong in ([], [None], [[]]):
            assert meta_error(killer, f"wamp.session.{procedure}", *wrong) == "wamp.error.invalid_argument"
    assert meta(victim, "wamp.session.count") == 2


# --- testaments


@all_pairs
def test_testaments_are_published_at_every_end(workers, one, other):
    heir = workers.join_on(0, other)
    subscription = heir.subscribe("will.of.mine")
    killer = workers.join_on(0, one)
    for end in ("goodbye", "drop", "kill"):
        session = workers.join_on(1, one)
        assert meta(session, "wamp.session.add_testament", "will.of.mine", ["destroyed"], {"n": 1}) is None
        assert meta(session, "wamp.session.add_testament", "will.of.mine", ["flushed"], {}, scope="detached") is None
        assert meta(session, "wamp.session.flush_testaments", scope="detached") is None
        assert meta(session, "wamp.session.add_testament", "will.of.mine", ["detached"], None, scope="detached") is None
        assert (
            meta(session, "wamp.session.add_testament", "will.of.mine", [], {}, publish_options={"acknowledge": True})
            is None
        )
        if end == "kill":
            assert meta(killer, "wamp.session.kill", session.id) is None
        else:
            getattr(session, end)()
        assert heir.expect(EVENT, subscription)[4:] == [["detached"]]
        assert heir.expect(EVENT, subscription)[4:] == [["destroyed"], {"n": 1}]
        assert heir.expect(EVENT, subscription)[4:] == []
    # Each of them once.
    heir.send([PUBLISH, heir.next_request(), {"exclude_me": False}, "will.of.mine", ["end"]])
    heir.expect_event(subscription, "end")


@all_pairs
def test_testaments_are_published_with_their_options(workers, one, other):
    heirs = [workers.join_on(worker, other) for worker in (0, 1)]
    subscriptions = [heir.subscribe("will.for.one") for heir in heirs]
    session = workers.join_on(1, one)
    options = {"disclose_me": True, "retain": True, "eligible": [heirs[0].id]}
    assert meta(session, "wamp.session.add_testament", "will.for.one", [1], {}, publish_options=options) is None
    session.drop()
    event = heirs[0].expect(EVENT, subscriptions[0])
    assert event[3] == {
        "publisher": session.id,
        "publisher_authid": f"anonymous-{session.id}",
        "publisher_authrole": "anonymous",
    }
    assert event[4] == [1]
    heirs[0].publish("will.for.one", "all")
    heirs[1].expect_event(subscriptions[1], "all")


@both_serializers
def test_wrong_testaments(workers, serializer):
    session = workers.join_on(0, serializer)
    for args in ([], [7], [None]):
        assert meta_error(session, "wamp.session.add_testament", *args) == "wamp.error.invalid_argument"
    for uri in ("", "not a uri", "a..b", "wamp.session.on_join", "wamp"):
        assert meta_error(session, "wamp.session.add_testament", uri, [], {}) == "wamp.error.invalid_uri"
    for args, kwargs in (
        (["a.b", "text", {}], {}),
        (["a.b", [], []], {}),
        (["a.b", [], {}], {"publish_options": []}),
        (["a.b", [], {}], {"publish_options": {"exclude_me": 7}}),
        (["a.b", [], {}], {"scope": "never"}),
        (["a.b", [], {}], {"scope": 1}),
    ):
        assert meta_error(session, "wamp.session.add_testament", *args, **kwargs) == "wamp.error.invalid_argument"
    assert meta_error(session, "wamp.session.flush_testaments", scope="x") == "wamp.error.invalid_argument"


@both_serializers
def test_testaments_are_bounded(workers, serializer):
    session = workers.join_on(0, serializer)
    for _ in range(256):
        assert meta(session, "wamp.session.add_testament", "a.b", [1], {}) is None
    assert meta_error(session, "wamp.session.add_testament", "a.b", [1], {}) == "ringcast.error.limit_exceeded"
    assert meta(session, "wamp.session.flush_testaments") is None
    assert meta(session, "wamp.session.add_testament", "a.b", [1], {}) is None


# --- subscriptions


@all_pairs
def test_subscriptions_are_told_on_every_worker(workers, one, other):
    first, second = workers.join_on(0, one), workers.join_on(1, other)
    ids = {
        "exact": first.subscribe("meta.exact"),
        "prefix": second.subscribe("meta.ex", {"match": "prefix"}),
        "wildcard": first.subscribe("meta..", {"match": "wildcard"}),
    }
    assert second.subscribe("meta.exact") == ids["exact"]
    for caller in (first, second):
        assert meta(caller, "wamp.subscription.list") == {policy: [id] for policy, id in ids.items()}
        assert meta(caller, "wamp.subscription.lookup", "meta.exact") == ids["exact"]
        assert meta(caller, "wamp.subscription.lookup", "meta.ex", {"match": "prefix"}) == ids["prefix"]
        assert meta(caller, "wamp.subscription.lookup", "meta.ex") is None
        assert sorted(meta(caller, "wamp.subscription.match", "meta.exact")) == sorted([ids["exact"], ids["prefix"]])
        assert meta(caller, "wamp.subscription.match", "meta.x.y") == [ids["wildcard"]]
        assert meta(caller, "wamp.subscription.match", "nothing") is None
        for policy, uri in (("exact", "meta.exact"), ("prefix", "meta.ex"), ("wildcard", "meta..")):
            details = meta(caller, "wamp.subscription.get", ids[policy])
            assert ISO_8601.match(details.pop("created"))
            assert details == {"id": ids[policy], "uri": uri, "match": policy}
        subscribers = meta(caller, "wamp.subscription.list_subscribers", ids["exact"])
        assert sorted(subscribers) == sorted([first.id, second.id])
        assert meta(caller, "wamp.subscription.count_subscribers", ids["exact"]) == 2
        assert meta(caller, "wamp.subscription.list_subscribers", ids["prefix"]) == [second.id]
    second.unsubscribe(ids["exact"])
    assert meta(second, "wamp.subscription.list_subscribers", ids["exact"]) == [first.id]
    first.unsubscribe(ids["exact"])
    for procedure in ("get", "list_subscribers", "count_subscribers"):
        for unknown in (ids["exact"], 4_000_000_000, 2**32 + ids["prefix"], 2**53):
            assert meta_error(first, f"wamp.subscription.{procedure}", unknown) == "wamp.error.no_such_subscription"
        for wrong in ([], ["text"], [0], [None]):
            assert meta_error(first, f"wamp.subscription.{procedure}", *wrong) == "wamp.error.invalid_argument"
    for procedure in ("lookup", "match"):
        for wrong in ([], [1], [None], [[]]):
            assert meta_error(first, f"wamp.subscription.{procedure}", *wrong) == "wamp.error.invalid_argument"
    assert meta_error(first, "wamp.subscription.lookup", "a", {"match": "x"}) == "wamp.error.invalid_argument"


TOPICS = {kind: [f"wamp.{kind}.on_{change}" for change in changes] for kind, changes in (
    ("subscription", ("create", "subscribe", "unsubscribe", "delete")),
    ("registration", ("create", "register", "unregister", "delete")),
)}


def watch(session, kind):
    """Subscribes to all four events about `kind`; a function that waits for the next one: (number, arguments)."""
    numbers = {session.subscribe(topic): number for number, topic in enumerate(TOPICS[kind])}

    def next_event():
        message = session.expect(EVENT)
        return numbers[message[1]], message[4]

    return next_event


@all_pairs
def test_the_life_of_a_subscription_is_told_in_order(workers, one, other):
    """Wherever its home worker is: eight topics."""
    next_event = watch(workers.join_on(0, one), "subscription")
    first, second = workers.join_on(0, other), workers.join_on(1, one)
    for n in range(8):
        topic = f"life.{n}"
        subscription = first.subscribe(topic)
        number, args = next_event()
        assert number == 0 and args[0] == first.id
        assert ISO_8601.match(args[1].pop("created"))
        assert args[1] == {"id": subscription, "uri": topic, "match": "exact"}
        assert next_event() == (1, [first.id, subscription])
        assert first.subscribe(topic) == subscription  # again: nothing new
        second.subscribe(topic)
        assert next_event() == (1, [second.id, subscription])
        first.unsubscribe(subscription)
        assert next_event() == (2, [first.id, subscription])
        second.unsubscribe(subscription)
        assert next_event() == (2, [second.id, subscription])
        assert next_event() == (3, [second.id, subscription])
    subscription = second.subscribe("at.the.end", {"match": "prefix"})
    assert [next_event()[0], next_event()[0]] == [0, 1]
    second.drop()
    assert next_event() == (2, [second.id, subscription])
    assert next_event() == (3, [second.id, subscription])


@both_serializers
def test_subscriptions_after_a_worker_has_died(workers, serializer):
    """What the other worker's sessions have is known again; what only the dead one's had is told as deleted, if its home
    lives."""
    broker = workers.broker
    for killed in (0, 1):
        watcher, staying = (workers.join_on(1 - killed, serializer) for _ in range(2))
        lost = workers.join_on(killed, serializer)
        kept = {n: staying.subscribe(f"kept.{n}") for n in range(8)}
        for n in range(8):
            assert lost.subscribe(f"kept.{n}") == kept[n]
        gone = [lost.subscribe(f"gone.{n}") for n in range(8)]
        living_home = [id for id in gone if (id - 1) % 2 == 1 - killed]
        assert living_home, "eight topics, two homes"
        delete = watcher.subscribe("wamp.subscription.on_delete")
        broker.kill_worker(killed)
        told = sorted(watcher.expect(EVENT, delete)[4][1] for _ in living_home)
        assert told == living_home
        deadline = time.monotonic() + 30
        while True:
            request = staying.next_request()
            staying.send([CALL, request, {}, "wamp.subscription.list"])
            answer = staying.receive()
            if answer[0] == RESULT and not set(gone) & set(answer[3][0]["exact"]):
                break
            assert time.monotonic() < deadline, answer
            time.sleep(0.01)
        assert set(kept.values()) <= set(answer[3][0]["exact"])
        for n, id in kept.items():
            assert meta(staying, "wamp.subscription.lookup", f"kept.{n}") == id
            assert meta(staying, "wamp.subscription.list_subscribers", id) == [staying.id]
            assert meta(staying, "wamp.subscription.get", id)["uri"] == f"kept.{n}"
        watcher.drop()
        staying.goodbye()


# --- the life of registrations


@all_pairs
def test_the_life_of_a_registration_is_told_in_order(workers, one, other):
    for watching in (0, 1):
        watcher = workers.join_on(watching, one)
        next_event = watch(watcher, "registration")
        first, second = workers.join_on(0, other), workers.join_on(1, one)
        registration = register(first, "life", match="prefix", invoke="last")
        number, args = next_event()
        assert number == 0 and args[0] == first.id
        assert ISO_8601.match(args[1].pop("created"))
        assert args[1] == {"id": registration, "uri": "life", "match": "prefix", "invoke": "last"}
        assert next_event() == (1, [first.id, registration])
        assert register(second, "life", match="prefix", invoke="last") == registration
        assert next_event() == (1, [second.id, registration])
        request = first.next_request()
        first.send([UNREGISTER, request, registration])
        first.expect(UNREGISTERED, request)
        assert next_event() == (2, [first.id, registration])
        second.drop()
        assert next_event() == (2, [second.id, registration])
        assert next_event() == (3, [second.id, registration])
        watcher.drop()
        first.drop()


@both_serializers
def test_registrations_of_a_killed_workers_sessions_are_told_as_gone(workers, serializer):
    """By the dealer, if it is not its worker that has died."""
    broker = workers.broker
    for killed in (0, 1):
        watcher = workers.join_on(1 - killed, serializer)
        probe = joined(broker, serializer)
        dealer = (register(probe, "whose") - 1) % 2  # ids say who gave them
        probe.goodbye()
        if dealer == killed:
            continue
        lost = workers.join_on(killed, serializer)
        registration = register(lost, "meta.lost")
        next_event = watch(watcher, "registration")
        broker.kill_worker(killed)
        assert next_event() == (2, [lost.id, registration])
        assert next_event() == (3, [lost.id, registration])
        return
    raise AssertionError("a realm has one dealer")


# --- revocation

REVOCABLE = {
    "callee": {"features": {"registration_revocation": True}},
    "subscriber": {"features": {"subscription_revocation": True}},
}


@all_pairs
def test_a_registration_is_taken_away(workers, one, other):
    caller = workers.join_on(0, one)
    for worker, roles in itertools.product((0, 1), (REVOCABLE, None)):
        callee = workers.join_on(worker, other, roles)
        registration = register(callee, "meta.revoked")
        request = caller.next_request()
        caller.send([CALL, request, {}, "meta.revoked"])
        invocation = callee.expect(INVOCATION)
        assert meta(caller, "wamp.registration.remove_callee", registration, callee.id, "app.because") is None
        if roles:
            assert callee.receive() == [UNREGISTERED, 0, {"registration": registration, "reason": "app.because"}]
        callee.send([YIELD, invocation[1], {}, ["still answered"]])
        assert caller.expect(RESULT, request)[3] == ["still answered"]
        assert meta(caller, "wamp.registration.lookup", "meta.revoked") is None
        request = callee.next_request()
        callee.send([UNREGISTER, request, registration])
        assert callee.expect(ERROR, UNREGISTER, request)[4] == "wamp.error.no_such_registration"
        register(callee, "meta.revoked")
        callee.goodbye()


@all_pairs
def test_a_subscription_is_taken_away(workers, one, other):
    caller = workers.join_on(0, one)
    for worker, roles in itertools.product((0, 1), (REVOCABLE, None)):
        subscriber = workers.join_on(worker, other, roles)
        subscription = subscriber.subscribe("meta.revoked")
        assert meta(caller, "wamp.subscription.remove_subscriber", subscription, subscriber.id) is None
        if roles:
            assert subscriber.receive() == [UNSUBSCRIBED, 0, {"subscription": subscription}]
        caller.publish("meta.revoked", "nobody hears it")
        request = subscriber.next_request()
        subscriber.send([UNSUBSCRIBE, request, subscription])
        assert subscriber.expect(ERROR, UNSUBSCRIBE, request)[4] == "wamp.error.no_such_subscription"
        again = subscriber.subscribe("meta.revoked")
        caller.publish("meta.revoked", "heard")
        subscriber.expect_event(again, "heard")
        subscriber.goodbye()


@both_serializers
def test_what_can_not_be_taken_away(workers, serializer):
    caller, other = workers.join_on(0, serializer), workers.join_on(1, serializer)
    registration = register(other, "meta.stays")
    subscription = other.subscribe("meta.stays")
    for procedure, id, unknown in (
        ("registration.remove_callee", registration, "wamp.error.no_such_registration"),
        ("subscription.remove_subscriber", subscription, "wamp.error.no_such_subscription"),
    ):
        for args in ([], [id], ["x", other.id], [id, "x"], [id, None]):
            assert meta_error(caller, f"wamp.{procedure}", *args) == "wamp.error.invalid_argument"
        for reason in ("not a uri", "", 7):
            assert meta_error(caller, f"wamp.{procedure}", id, other.id, reason) == "wamp.error.invalid_uri"
            assert meta_error(caller, f"wamp.{procedure}", id, other.id, reason=reason) == "wamp.error.invalid_uri"
        for session in (7, 2**53):
            assert meta_error(caller, f"wamp.{procedure}", id, session) == "wamp.error.no_such_session"
        assert meta_error(caller, f"wamp.{procedure}", 2**40, other.id) == unknown
    assert meta_error(caller, "wamp.registration.remove_callee", registration, caller.id) == "wamp.error.no_such_session"
    assert meta_error(caller, "wamp.subscription.remove_subscriber", subscription, caller.id) == (
        "wamp.error.no_such_subscription"
    )
    assert meta(caller, "wamp.registration.count_callees", registration) == 1
    assert meta(caller, "wamp.subscription.count_subscribers", subscription) == 1
