"""Routed calls: hand-written frames, both serializers, callers and callees on the same worker and on others."""

import itertools
import os
import signal
import time

import pytest

import wamp
import wsraw
from wamp import CALL, CANCEL, ERROR, INTERRUPT, INVOCATION, REGISTER, REGISTERED, RESULT, UNREGISTER, UNREGISTERED, YIELD

PAIRS = list(itertools.product(wamp.SERIALIZERS, wamp.SERIALIZERS))
both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)
all_pairs = pytest.mark.parametrize(("caller_serializer", "callee_serializer"), PAIRS, ids=["-".join(p) for p in PAIRS])
CANCELS = {"callee": {"features": {"call_canceling": True, "progressive_call_results": True}}}


@pytest.fixture
def two_workers(start_broker):
    return start_broker("--processes", 2, "--threads", 1)


def joined(broker, serializer, roles=None):
    session = wamp.Session.open(broker.url, serializer)
    session.join(details={"roles": {**wamp.ROLES, **(roles or {})}})
    return session


def register(session, procedure, **options):
    request = session.next_request()
    session.send([REGISTER, request, options, procedure])
    return session.expect(REGISTERED, request)[2]


def call(session, procedure, *args, kwargs=None, **options):
    request = session.next_request()
    session.send([CALL, request, options, procedure, list(args), *([kwargs] if kwargs else [])])
    return request


def expect_nothing_open(broker):
    """The dealers' tables, once what is on its way has arrived."""
    deadline = time.monotonic() + 30
    while broker.total("calls_open") != 0:
        assert time.monotonic() < deadline, f"{broker.total('calls_open')} calls are left"
        time.sleep(0.05)


@all_pairs
def test_a_call_between_any_two_sessions(two_workers, caller_serializer, callee_serializer):
    """A few sessions of each kind, so that each meets one of its own worker and one of the other."""
    callees = [joined(two_workers, callee_serializer) for _ in range(4)]
    callers = [joined(two_workers, caller_serializer) for _ in range(4)]
    value = ["text \u00e4\u20ac\U0001f600", 1, -1, 2**40, 1.5, True, None, [1, [2]], {"a": {"b": "c"}}]
    for n, callee in enumerate(callees):
        registration = register(callee, f"rpc.add.{n}")
        for caller in callers:
            request = call(caller, f"rpc.add.{n}", *value, kwargs={"key": value})
            invocation = callee.expect(INVOCATION, None, registration)
            assert invocation[3] == {}
            assert invocation[4:] == [value, {"key": value}]
            callee.send([YIELD, invocation[1], {}, value, {"result": value}])
            assert caller.expect(RESULT, request) == [RESULT, request, {}, value, {"result": value}]
    expect_nothing_open(two_workers)


@both_serializers
def test_invocations_count_from_one_and_empty_payloads_are_left_out(two_workers, serializer):
    callee, caller = joined(two_workers, serializer), joined(two_workers, serializer)
    registration = register(callee, "rpc.empty")
    for n in (1, 2, 3):
        request = caller.next_request()
        caller.send([CALL, request, {}, "rpc.empty"])
        assert callee.receive() == [INVOCATION, n, registration, {}]
        callee.send([YIELD, n, {}])
        assert caller.receive() == [RESULT, request, {}]


@both_serializers
def test_errors_reach_the_caller(two_workers, serializer):
    callee, caller = joined(two_workers, serializer), joined(two_workers, serializer)
    register(callee, "rpc.error")
    request = call(caller, "rpc.error")
    invocation = callee.expect(INVOCATION)
    callee.send([ERROR, INVOCATION, invocation[1], {}, "app.error.some", ["a"], {"b": 1}])
    assert caller.receive() == [ERROR, CALL, request, {}, "app.error.some", ["a"], {"b": 1}]


@both_serializers
def test_what_is_refused(two_workers, serializer):
    session, other = joined(two_workers, serializer), joined(two_workers, serializer)
    request = call(session, "rpc.nobody")
    session.expect(ERROR, CALL, request, {}, "wamp.error.no_such_procedure")
    request = call(session, "rpc..nobody")
    session.expect(ERROR, CALL, request, {}, "wamp.error.invalid_uri")
    for procedure, options, error in (
            ("wamp.mine", {}, "wamp.error.invalid_uri"),
            ("rpc..mine", {}, "wamp.error.invalid_uri"),
            ("rpc.mine", {"match": "fuzzy"}, "wamp.error.option_not_allowed"),
            ("rpc.mine", {"invoke": "everybody"}, "wamp.error.option_not_allowed")):
        request = session.next_request()
        session.send([REGISTER, request, options, procedure])
        session.expect(ERROR, REGISTER, request, {}, error)
    register(session, "rpc.mine")
    for who in (session, other):
        request = who.next_request()
        who.send([REGISTER, request, {}, "rpc.mine"])
        who.expect(ERROR, REGISTER, request, {}, "wamp.error.procedure_already_exists")
    request = other.next_request()
    other.send([UNREGISTER, request, 12345])
    other.expect(ERROR, UNREGISTER, request, {}, "wamp.error.no_such_registration")


@both_serializers
def test_nothing_comes_after_unregistered(two_workers, serializer):
    callee, caller = joined(two_workers, serializer), joined(two_workers, serializer)
    registration = register(callee, "rpc.gone")
    request = callee.next_request()
    callee.send([UNREGISTER, request, registration])
    assert callee.receive() == [UNREGISTERED, request]
    request = call(caller, "rpc.gone")
    caller.expect(ERROR, CALL, request, {}, "wamp.error.no_such_procedure")
    assert register(callee, "rpc.gone") != registration


@both_serializers
def test_progressive_results(two_workers, serializer):
    callee, caller = joined(two_workers, serializer), joined(two_workers, serializer)
    register(callee, "rpc.progress")
    request = call(caller, "rpc.progress", receive_progress=True)
    invocation = callee.expect(INVOCATION)
    assert invocation[3] == {"receive_progress": True}
    for n in range(3):
        callee.send([YIELD, invocation[1], {"progress": True}, [n]])
        assert caller.receive() == [RESULT, request, {"progress": True}, [n]]
    callee.send([YIELD, invocation[1], {}, ["end"]])
    assert caller.receive() == [RESULT, request, {}, ["end"]]
    expect_nothing_open(two_workers)


@both_serializers
def test_a_call_in_parts(two_workers, serializer):
    callee, caller = joined(two_workers, serializer), joined(two_workers, serializer)
    register(callee, "rpc.parts")
    request = call(caller, "rpc.parts", 0, progress=True)
    first = callee.expect(INVOCATION)
    assert (first[3], first[4]) == ({"progress": True}, [0])
    caller.send([CALL, request, {"progress": True}, "rpc.parts", [1]], [CALL, request, {}, "rpc.parts", [2]])
    assert callee.receive()[1:] == [first[1], first[2], {"progress": True}, [1]]
    assert callee.receive()[1:] == [first[1], first[2], {}, [2]]
    callee.send([YIELD, first[1], {}, ["done"]])
    caller.expect(RESULT, request)
    caller.send([CALL, request, {}, "rpc.parts", [3]])
    caller.expect_abort()


@both_serializers
def test_parts_that_come_after_the_end_are_dropped(two_workers, serializer):
    """Their caller could not know; the callee hears nothing more of it, and the caller is not thrown out."""
    callee, caller = joined(two_workers, serializer), joined(two_workers, serializer)
    register(callee, "rpc.parts")
    request = call(caller, "rpc.parts", 0, progress=True)
    invocation = callee.expect(INVOCATION)
    callee.send([ERROR, INVOCATION, invocation[1], {}, "app.error.enough"])
    caller.expect(ERROR, CALL, request, {}, "app.error.enough")
    caller.send([CALL, request, {"progress": True}, "rpc.parts", [1]], [CALL, request, {}, "rpc.parts", [2]])
    whole = call(caller, "rpc.parts", "another")
    invocation = callee.expect(INVOCATION, invocation[1] + 1)
    assert invocation[4] == ["another"]
    callee.send([YIELD, invocation[1], {}])
    caller.expect(RESULT, whole)
    for procedure in ("rpc..parts", "rpc.nobody", "wamp.registration.count_callees"):
        request = call(caller, procedure, 0, progress=True)
        caller.expect(ERROR, CALL, request)
        caller.send([CALL, request, {"progress": True}, procedure, [1]], [CALL, request, {}, procedure, [2]])
    caller.send([CALL, request, {}, "rpc.parts", [3]])  # behind the last part
    caller.expect_abort()
    expect_nothing_open(two_workers)


@both_serializers
def test_parts_that_cross_the_answer_begin_no_call(two_workers, serializer):
    callee, caller = joined(two_workers, serializer), joined(two_workers, serializer)
    register(callee, "rpc.parts")
    for _ in range(200):
        request = call(caller, "rpc.parts", "first", progress=True)
        while (invocation := callee.expect(INVOCATION))[4] != ["first"]:
            pass  # of the call before; it came in time
        callee.send([YIELD, invocation[1], {}])
        caller.send([CALL, request, {"progress": True}, "rpc.parts", ["more"]], [CALL, request, {}, "rpc.parts", ["last"]])
        caller.expect(RESULT, request)
    request = call(caller, "rpc.parts", "end")
    while (invocation := callee.expect(INVOCATION))[4] != ["end"]:
        assert invocation[1] <= 200
    assert invocation[1] == 201
    callee.send([YIELD, invocation[1], {}])
    caller.expect(RESULT, request)
    expect_nothing_open(two_workers)


@both_serializers
def test_the_options_of_the_first_part_count(two_workers, serializer):
    """And its procedure: a callee of many would take another for what the caller was allowed to call."""
    callee, caller = joined(two_workers, serializer), joined(two_workers, serializer)
    register(callee, "rpc.many.", match="prefix")
    first = {"progress": True, "receive_progress": True, "disclose_me": True, "ppt_scheme": "x_my"}
    request = call(caller, "rpc.many.a", 0, **first)
    details = callee.expect(INVOCATION)[3]
    assert details["procedure"] == "rpc.many.a" and details["caller"] == caller.id and details["receive_progress"]
    caller.send([CALL, request, {"progress": True, "ppt_scheme": "x_other"}, "rpc.many.b", [1]],
                [CALL, request, {}, "not..a.uri", [2]])
    assert callee.expect(INVOCATION)[3:] == [details, [1]]
    last = callee.expect(INVOCATION)
    assert last[3:] == [{key: value for key, value in details.items() if key != "progress"}, [2]]
    callee.send([YIELD, last[1], {}])
    caller.expect(RESULT, request)
    request = call(caller, "rpc.many.a", 0, progress=True, ppt_scheme="x_" + "y" * 1024)
    caller.expect(ERROR, CALL, request, {}, "ringcast.error.limit_exceeded")
    expect_nothing_open(two_workers)


def test_a_part_without_a_form_ends_the_call(two_workers):
    """Its callee is told so, as nothing more will come."""
    callee, caller = joined(two_workers, "json", CANCELS), joined(two_workers, "msgpack")
    register(callee, "rpc.parts")
    request = call(caller, "rpc.parts", 0, progress=True)
    invocation = callee.expect(INVOCATION)
    odd = b"\x95\x30" + bytes([request]) + b"\x81\xa8progress\xc3" + b"\xa9rpc.parts" + b"\x91\x81\x90\x01"
    caller.send_bytes(odd)  # [CALL, request, {progress: true}, "rpc.parts", [{[]: 1}]]
    caller.expect(ERROR, CALL, request, {}, "ringcast.error.payload_not_transcodable")
    callee.expect(INTERRUPT, invocation[1])
    caller.send([CALL, request, {}, "rpc.parts", [2]])
    request = call(caller, "rpc.parts", "whole")
    invocation = callee.expect(INVOCATION, invocation[1] + 1)
    callee.send([YIELD, invocation[1], {}])
    caller.expect(RESULT, request)
    expect_nothing_open(two_workers)


@both_serializers
def test_calls_that_wait_go_to_a_new_callee(two_workers, serializer):
    """In the order made: what is called after it has come waits behind them."""
    callees = [joined(two_workers, serializer) for _ in range(2)]
    caller = joined(two_workers, serializer)
    shared = {"invoke": "first", "concurrency": 1}
    register(callees[0], "rpc.queue", **shared)
    requests = [call(caller, "rpc.queue", n) for n in range(3)]
    first = callees[0].expect(INVOCATION)
    register(callees[1], "rpc.queue", **shared)
    requests.append(call(caller, "rpc.queue", 3))
    for n in (1, 2, 3):
        invocation = callees[1].expect(INVOCATION)
        assert invocation[4] == [n]
        callees[1].send([YIELD, invocation[1], {}])
        caller.expect(RESULT, requests[n])
    callees[0].send([YIELD, first[1], {}])
    caller.expect(RESULT, requests[0])


@both_serializers
def test_who_calls_is_told_when_one_side_asks(two_workers, serializer):
    callee, caller = joined(two_workers, serializer), joined(two_workers, serializer)
    register(callee, "rpc.shy")
    register(callee, "rpc.curious", disclose_caller=True)
    for procedure, options, told in (("rpc.shy", {}, False), ("rpc.shy", {"disclose_me": True}, True),
                                     ("rpc.curious", {}, True)):
        call(caller, procedure, **options)
        details = callee.expect(INVOCATION)[3]
        assert ("caller" in details) == told
        if told:
            assert details["caller"] == caller.id
            assert details["caller_authrole"] == "anonymous"
            assert details["caller_authid"] == f"anonymous-{caller.id}"


@both_serializers
def test_patterns(two_workers, serializer):
    callee, caller = joined(two_workers, serializer), joined(two_workers, serializer)
    by_name = {register(callee, uri, match=match): uri for uri, match in
               (("pat.a.b", "exact"), ("pat.", "prefix"), ("pat.a.", "prefix"), ("wild..x", "wildcard"))}
    for procedure, uri in (("pat.a.b", "pat.a.b"), ("pat.a.c", "pat.a."), ("pat.z", "pat."), ("wild.q.x", "wild..x")):
        call(caller, procedure)
        invocation = callee.expect(INVOCATION)
        assert by_name[invocation[2]] == uri
        assert invocation[3] == ({} if uri == "pat.a.b" else {"procedure": procedure})


@both_serializers
def test_shared_registrations_take_turns(two_workers, serializer):
    callees = [joined(two_workers, serializer) for _ in range(3)]
    caller = joined(two_workers, serializer)
    assert len({register(callee, "rpc.shared", invoke="roundrobin") for callee in callees}) == 1
    for callee in callees * 2:
        request = call(caller, "rpc.shared")
        invocation = callee.expect(INVOCATION)
        callee.send([YIELD, invocation[1], {}])
        caller.expect(RESULT, request)


@both_serializers
def test_an_unavailable_callee_is_passed_over(two_workers, serializer):
    callees = [joined(two_workers, serializer) for _ in range(2)]
    caller = joined(two_workers, serializer)
    for callee in callees:
        register(callee, "rpc.reroute", invoke="first")
    request = call(caller, "rpc.reroute", "again")
    for callee in callees:
        invocation = callee.expect(INVOCATION)
        assert invocation[4] == ["again"]
        callee.send([ERROR, INVOCATION, invocation[1], {}, "wamp.error.unavailable"])
    caller.expect(ERROR, CALL, request, {}, "wamp.error.no_available_callee")


@both_serializers
def test_beyond_the_concurrency_calls_wait(two_workers, serializer):
    callee, caller = joined(two_workers, serializer), joined(two_workers, serializer)
    register(callee, "rpc.one", concurrency=1)
    requests = [call(caller, "rpc.one", n) for n in range(5)]
    for n, request in enumerate(requests):
        invocation = callee.expect(INVOCATION)
        assert invocation[4] == [n]
        callee.send([YIELD, invocation[1], {}, [n]])
        caller.expect(RESULT, request, {}, [n])
    expect_nothing_open(two_workers)


@pytest.mark.parametrize("mode", ["skip", "kill", "killnowait", None])
@both_serializers
def test_cancel(two_workers, serializer, mode):
    callee, caller = joined(two_workers, serializer, CANCELS), joined(two_workers, serializer)
    register(callee, "rpc.slow")
    request = call(caller, "rpc.slow")
    invocation = callee.expect(INVOCATION)
    caller.send([CANCEL, request, {"mode": mode} if mode else {}])
    if mode != "kill":
        caller.expect(ERROR, CALL, request, {}, "wamp.error.canceled")
    if mode != "skip":
        interrupt = callee.expect(INTERRUPT, invocation[1])
        assert interrupt[2]["mode"] == (mode or "killnowait")
    callee.send([ERROR, INVOCATION, invocation[1], {}, "wamp.error.canceled", ["stopped"]])
    if mode == "kill":
        caller.expect(ERROR, CALL, request, {}, "wamp.error.canceled", ["stopped"])
    expect_nothing_open(two_workers)
    request = call(caller, "rpc.slow")
    invocation = callee.expect(INVOCATION)  # and nothing in between
    callee.send([YIELD, invocation[1], {}])
    caller.expect(RESULT, request)


@both_serializers
def test_who_is_told_not_to_answer_has_room_for_the_next_call(two_workers, serializer):
    callee, caller = joined(two_workers, serializer, CANCELS), joined(two_workers, serializer)
    register(callee, "rpc.one", concurrency=1)
    requests = [call(caller, "rpc.one", n, timeout=200 if n == 1 else 0) for n in range(3)]
    caller.send([CANCEL, requests[0], {"mode": "killnowait"}])
    caller.expect(ERROR, CALL, requests[0], {}, "wamp.error.canceled")
    caller.expect(ERROR, CALL, requests[1], {}, "wamp.error.timeout")
    for n in range(2):
        assert callee.expect(INVOCATION)[4] == [n]
        assert callee.expect(INTERRUPT, n + 1)[2]["mode"] == "killnowait"
    invocation = callee.expect(INVOCATION)
    callee.send([YIELD, 1, {}], [YIELD, invocation[1], {}])
    caller.expect(RESULT, requests[2])
    expect_nothing_open(two_workers)


@both_serializers
def test_interrupt_is_for_those_who_know_it(two_workers, serializer):
    callee, caller = joined(two_workers, serializer), joined(two_workers, serializer)
    register(callee, "rpc.deaf")
    request = call(caller, "rpc.deaf")
    first = callee.expect(INVOCATION)
    caller.send([CANCEL, request, {"mode": "kill"}])
    caller.expect(ERROR, CALL, request, {}, "wamp.error.canceled")
    call(caller, "rpc.deaf")
    assert callee.expect(INVOCATION)[1] == first[1] + 1
    callee.send([YIELD, first[1], {}, ["too late"]])
    caller.send([CANCEL, 999, {}])  # nothing of that number is open: no answer
    request = call(caller, "rpc.nobody")
    caller.expect(ERROR, CALL, request)


@both_serializers
def test_timeout(two_workers, serializer):
    callee, caller = joined(two_workers, serializer, CANCELS), joined(two_workers, serializer)
    register(callee, "rpc.late")
    began = time.monotonic()
    request = call(caller, "rpc.late", timeout=300)
    invocation = callee.expect(INVOCATION)
    assert invocation[3] == {}
    caller.expect(ERROR, CALL, request, {}, "wamp.error.timeout")
    assert time.monotonic() - began >= 0.3
    callee.expect(INTERRUPT, invocation[1])
    callee.send([YIELD, invocation[1], {}])
    expect_nothing_open(two_workers)


@both_serializers
def test_a_forwarded_timeout(two_workers, serializer):
    knows = {"callee": {"features": {"call_timeout": True}}}
    callee, caller = joined(two_workers, serializer, knows), joined(two_workers, serializer)
    register(callee, "rpc.own", forward_timeout=True)
    call(caller, "rpc.own", timeout=100)
    invocation = callee.expect(INVOCATION)
    assert invocation[3] == {"timeout": 100}
    time.sleep(0.4)
    callee.send([YIELD, invocation[1], {}, ["mine"]])
    caller.expect(RESULT, 1, {}, ["mine"])


@both_serializers
def test_passthru_goes_through(two_workers, serializer):
    callee, caller = joined(two_workers, serializer), joined(two_workers, serializer)
    register(callee, "rpc.ppt")
    ppt = {"ppt_scheme": "x_my", "ppt_serializer": "cbor", "ppt_cipher": "aes256gcm", "ppt_keyid": "k1"}
    request = call(caller, "rpc.ppt", "opaque", **ppt)
    invocation = callee.expect(INVOCATION)
    assert invocation[3] == ppt
    callee.send([YIELD, invocation[1], ppt, ["opaque too"]])
    assert caller.expect(RESULT, request) == [RESULT, request, ppt, ["opaque too"]]


@both_serializers
def test_a_callees_end_answers_its_calls(two_workers, serializer):
    callees = [joined(two_workers, serializer) for _ in range(4)]
    caller = joined(two_workers, serializer)
    for n, callee in enumerate(callees):
        register(callee, f"rpc.end.{n}")
        request = call(caller, f"rpc.end.{n}")
        callee.expect(INVOCATION)
        callee.goodbye() if n % 2 else callee.drop()
        caller.expect(ERROR, CALL, request, {}, "wamp.error.canceled")
        request = call(caller, f"rpc.end.{n}")
        caller.expect(ERROR, CALL, request, {}, "wamp.error.no_such_procedure")
    expect_nothing_open(two_workers)


@both_serializers
def test_a_callers_end_interrupts_its_calls(two_workers, serializer):
    callee, caller = joined(two_workers, serializer, CANCELS), joined(two_workers, serializer)
    register(callee, "rpc.left")
    call(caller, "rpc.left")
    invocation = callee.expect(INVOCATION)
    caller.drop()
    callee.expect(INTERRUPT, invocation[1])
    callee.send([ERROR, INVOCATION, invocation[1], {}, "wamp.error.canceled"])
    expect_nothing_open(two_workers)


@both_serializers
def test_answers_to_what_never_was(two_workers, serializer):
    callee = joined(two_workers, serializer)
    callee.send([YIELD, 1, {}])
    callee.expect_abort()
    callee = joined(two_workers, serializer)
    callee.send([ERROR, INVOCATION, 1, {}, "a.b"])
    callee.expect_abort()
    callee = joined(two_workers, serializer)
    callee.send([ERROR, CALL, 1, {}, "a.b"])
    callee.expect_abort()


@both_serializers
def test_order_from_one_caller_to_one_callee(two_workers, serializer):
    """Across procedures, which would have different homes if each had one of its own."""
    callee = joined(two_workers, serializer)
    callers = [joined(two_workers, serializer) for _ in range(4)]
    for n in range(20):
        register(callee, f"rpc.order.{n}")
    for caller in callers:
        caller.send(*[[CALL, caller.next_request(), {}, f"rpc.order.{n % 20}", [caller.id, n]] for n in range(200)])
    seen = {caller.id: 0 for caller in callers}
    for _ in range(800):
        who, n = callee.expect(INVOCATION)[4]
        assert n == seen[who]
        seen[who] += 1


@both_serializers
def test_a_dead_worker_costs_its_own_sessions_and_calls(two_workers, serializer):
    """Whoever's it was, every call of the others ends once; what is registered elsewhere can be called again."""
    sessions = [joined(two_workers, serializer) for _ in range(8)]
    for n, session in enumerate(sessions):
        register(session, f"rpc.death.{n}")
    for session in sessions:
        for n in range(8):
            call(session, f"rpc.death.{n}")
    for session in sessions:
        for _ in range(8):
            session.expect(INVOCATION)
    os.kill(two_workers.workers[0], signal.SIGKILL)
    for session in sessions:  # all of them first: those who live wait for one another's
        try:
            session.send(*[[YIELD, n, {}] for n in range(1, 9)])
        except OSError:
            pass  # it was the dead worker's
    alive = 0
    for session in sessions:
        try:
            answers = [session.receive() for _ in range(8)]
        except (wsraw.Ended, OSError):
            continue
        alive += 1
        assert sorted(message[2] if message[0] == ERROR else message[1] for message in answers) == list(range(2, 10))
        for message in answers:
            if message[0] == ERROR:
                assert message[4] in ("wamp.error.canceled", "wamp.error.network_failure"), message
            else:
                assert message[0] == RESULT, message
    assert 0 < alive < 8
