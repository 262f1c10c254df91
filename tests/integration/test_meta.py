"""The router's own procedures and events, below "wamp.": hand-written frames, both serializers, two worker processes."""

import re
import time

import pytest

import wamp
from wamp import CALL, ERROR, REGISTER, REGISTERED, RESULT, UNREGISTER, UNREGISTERED

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)
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
