"""Whole messages that come in a wrong state, out of order, for what is another's, or too many at a time.

A defined answer each time, and nobody else notices.
"""

import itertools

import pytest

import hostile
import wamp
from provoke import assert_defined, provoke
from wamp import ABORT, ERROR, EVENT, GOODBYE, PUBLISHED, REGISTERED, SUBSCRIBED, Session

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)
each_message = pytest.mark.parametrize("name", hostile.MESSAGES)


HELLO_MESSAGE = [wamp.HELLO, "realm1", {"roles": wamp.ROLES}]
GOODBYE_MESSAGE = [wamp.GOODBYE, {}, "wamp.close.close_realm"]
ANSWERS = {
    "HELLO": (), "ABORT": (), "AUTHENTICATE": (), "YIELD": (), "GOODBYE": (GOODBYE,), "PUBLISH": (PUBLISHED,),
    "SUBSCRIBE": (SUBSCRIBED, ERROR), "UNSUBSCRIBE": (ERROR,), "CALL": (ERROR,), "CANCEL": (),
    "REGISTER": (REGISTERED,), "UNREGISTER": (ERROR,), "ERROR": (),
}
ENDS_A_SESSION = ("HELLO", "AUTHENTICATE", "YIELD", "ERROR")  # violations there


def as_in_a_session(name, outcome, before=0):
    """Whether the answer, behind `before` others, is that of the message with all its options in a session."""
    answers = [message[0] for message in outcome.messages[before:]]
    if name in ENDS_A_SESSION:
        return outcome.close == 1002 and answers == [ABORT]
    if name == "ABORT":
        return outcome.close == 1000 and answers == []
    return outcome.close is None and all(answer in ANSWERS[name] for answer in answers)


@both_serializers
@each_message
def test_every_message_in_every_state(shared_broker, witnesses, serializer, name):
    """With every option it has."""
    data = wamp.encode(serializer, hostile.all_options(name))
    first = provoke(shared_broker, serializer, data, False)
    if name == "HELLO":
        assert first.close is None and [message[0] for message in first.messages] == [wamp.WELCOME], first
    elif name == "ABORT":
        assert (first.messages, first.close) == ([], 1000), first
    elif name == "GOODBYE":
        assert [message[0] for message in first.messages] == [GOODBYE] and first.close == 1000, first
    else:
        assert first.violation, first
    inside = provoke(shared_broker, serializer, data, True)
    assert as_in_a_session(name, inside), inside
    behind_hello = provoke(shared_broker, serializer, data, False, HELLO_MESSAGE)
    assert behind_hello.messages[0][0] == wamp.WELCOME and as_in_a_session(name, behind_hello, 1), behind_hello
    # The session is over, and the next one has not begun.
    behind_goodbye = provoke(shared_broker, serializer, data, True, GOODBYE_MESSAGE)
    assert behind_goodbye.messages[0][0] == GOODBYE
    assert behind_goodbye.close == first.close
    assert [message[0] for message in behind_goodbye.messages[1:]] == [message[0] for message in first.messages]
    behind_abort = provoke(shared_broker, serializer, data, True, [ABORT, {}, "wamp.error.x"])
    assert (behind_abort.messages, behind_abort.close) == ([], 1000), behind_abort


# Requests by what they are, made from an id: each is answered with something that has the id in it.
REQUESTS = {
    "PUBLISH": lambda id: [wamp.PUBLISH, id, {"acknowledge": True}, "order.x"],
    "SUBSCRIBE": lambda id: [wamp.SUBSCRIBE, id, {}, "order.x"],
    "UNSUBSCRIBE": lambda id: [wamp.UNSUBSCRIBE, id, 4000000000],
    "CALL": lambda id: [wamp.CALL, id, {}, "order.nobody"],
    "REGISTER": lambda id: [wamp.REGISTER, id, {"invoke": "random"}, "order.x"],
    "UNREGISTER": lambda id: [wamp.UNREGISTER, id, 4000000000],
}


@both_serializers
@pytest.mark.parametrize("name", REQUESTS)
def test_request_ids_out_of_order(shared_broker, witnesses, serializer, name):
    """After any other request: the count is one for all types."""
    for before in REQUESTS.values():
        for second in (1, 2, 4, 2**53):
            session = Session.open(shared_broker.url, serializer)
            session.join()
            session.send(before(2))
            session.receive()
            session.send(REQUESTS[name](second), REQUESTS[name](3))
            session.expect_abort()
        session = Session.open(shared_broker.url, serializer)
        session.join()
        session.send(before(2))
        session.receive()
        session.send(REQUESTS[name](3))
        answer = session.receive()
        assert (answer[2] if answer[0] == ERROR else answer[1]) == 3, answer
        session.drop()


@both_serializers
def test_unknown_values_of_enumerations(join, serializer):
    session, callee = join(serializer), join(serializer)
    for kind, option in ((wamp.SUBSCRIBE, "match"), (wamp.REGISTER, "match"), (wamp.REGISTER, "invoke")):
        for value in ("", "EXACT", "exact ", "exactly", "é", "x" * 5000):
            request = session.next_request()
            session.send([kind, request, {option: value}, "enum.x"])
            session.expect(ERROR, kind, request, {}, "wamp.error.option_not_allowed")
    callee.send([wamp.REGISTER, callee.next_request(), {}, "enum.called"])
    callee.expect(REGISTERED)
    request = session.next_request()
    session.send([wamp.CALL, request, {}, "enum.called"])
    invocation = callee.expect(wamp.INVOCATION)
    for value in ("", "KILL", "kill ", "é", "x" * 5000):
        session.send([wamp.CANCEL, request, {"mode": value}])  # it has no answer of its own: the call goes on
    session.publish("enum.behind.it")
    callee.send([wamp.YIELD, invocation[1], {}])
    session.expect(wamp.RESULT, request)


@both_serializers
def test_what_belongs_to_others(on_each_worker, serializer):
    """Ids of another session's subscription, registration, call and invocation are nobody's here."""
    for victim, thief in itertools.permutations(on_each_worker(serializer)):
        caller = thief  # whose request number the victim's call has, too
        subscription = victim.subscribe("belongs.topic")
        victim.send([wamp.REGISTER, victim.next_request(), {}, "belongs.called"])
        registration = victim.expect(REGISTERED)[2]
        request = thief.next_request()
        thief.send([wamp.UNSUBSCRIBE, request, subscription])
        thief.expect(ERROR, wamp.UNSUBSCRIBE, request, {}, "wamp.error.no_such_subscription")
        request = thief.next_request()
        thief.send([wamp.UNREGISTER, request, registration])
        thief.expect(ERROR, wamp.UNREGISTER, request, {}, "wamp.error.no_such_registration")
        request = victim.next_request()
        victim.send([wamp.CALL, request, {}, "belongs.called"])
        invocation = victim.expect(wamp.INVOCATION, None, registration)
        thief.send(*[[wamp.CANCEL, number, {"mode": "kill"}] for number in range(1, request + 20)])
        thief.publish("belongs.topic", "still there")
        victim.expect_event(subscription, "still there")
        victim.send([wamp.YIELD, invocation[1], {}, ["mine"]], [wamp.YIELD, invocation[1], {}, ["twice"]])
        assert victim.expect(wamp.RESULT, request)[3:] == [["mine"]]
        request = victim.next_request()
        victim.send([wamp.UNREGISTER, request, registration])
        victim.expect(wamp.UNREGISTERED, request)
        victim.unsubscribe(subscription)
        assert caller.publish("belongs.topic")  # and nobody has heard more


@both_serializers
@pytest.mark.parametrize("answer", [
    lambda number: [wamp.YIELD, number, {}], lambda number: [wamp.YIELD, number, {"progress": True}],
    lambda number: [ERROR, wamp.INVOCATION, number, {}, "a.b"],
], ids=["yield", "progress", "error"])
def test_answers_to_invocations_of_others_and_of_the_future(shared_broker, join, serializer, answer):
    """Invocations are numbered in each session, so those of others are among those that never were."""
    callee, caller = join(serializer), join(serializer)
    callee.send([wamp.REGISTER, callee.next_request(), {}, "future.called"])
    callee.expect(REGISTERED)
    requests = []
    for _ in range(3):
        requests.append(caller.next_request())
        caller.send([wamp.CALL, requests[-1], {}, "future.called"])
        callee.expect(wamp.INVOCATION)
    for number in (1, 3, 2**53):
        thief = join(serializer)
        thief.send(answer(number))
        thief.expect_abort()
    for number in (4, 2**32 + 1, 2**53):
        future = join(serializer)
        request = future.next_request()
        future.send([wamp.REGISTER, request, {}, "future.own"])
        future.expect(REGISTERED)
        caller.send([wamp.CALL, caller.next_request(), {}, "future.own"])
        assert future.expect(wamp.INVOCATION)[1] == 1
        future.send(answer(number))
        future.expect_abort()
        caller.expect(ERROR, wamp.CALL, None, {}, "wamp.error.canceled")
    callee.send(*[[wamp.YIELD, number, {}, [number]] for number in (1, 2, 3)])
    assert [caller.expect(wamp.RESULT)[1] for _ in requests] == requests


@both_serializers
def test_dead_invocations_are_dropped(join, serializer):
    """Answered, canceled, and of a caller that is gone: what is still said of them costs nobody anything."""
    callee, caller, leaver = join(serializer), join(serializer), join(serializer)
    callee.send([wamp.REGISTER, callee.next_request(), {}, "dead.called"])
    callee.expect(REGISTERED)
    for session in (caller, caller, leaver):
        session.send([wamp.CALL, session.next_request(), {}, "dead.called"])
        callee.expect(wamp.INVOCATION)
    callee.send([wamp.YIELD, 1, {}, ["first"]])
    caller.expect(wamp.RESULT, 1)
    caller.send([wamp.CANCEL, 2, {"mode": "skip"}])
    caller.expect(ERROR, wamp.CALL, 2, {}, "wamp.error.canceled")
    leaver.drop()
    for number in (1, 2, 3):
        callee.send([wamp.YIELD, number, {"progress": True}], [wamp.YIELD, number, {}, ["late"]],
                    [ERROR, wamp.INVOCATION, number, {}, "a.b"], [wamp.YIELD, number, {}])
    request = caller.next_request()
    caller.send([wamp.CALL, request, {}, "dead.called"])
    callee.send([wamp.YIELD, callee.expect(wamp.INVOCATION, 4)[1], {}, ["alive"]])
    assert caller.expect(wamp.RESULT, request)[3:] == [["alive"]]


@both_serializers
@pytest.mark.parametrize("procedure", hostile.META_PROCEDURES)
def test_arguments_of_the_routers_procedures(shared_broker, witnesses, join, serializer, procedure):
    """An ERROR or a RESULT for each, and the caller keeps its session whatever it asks for."""
    session = join(serializer)
    failures = []
    for args, kwargs in hostile.meta_arguments(serializer):
        if procedure == "wamp.session.kill" and args and args[0] == session.id:
            continue
        for options in ({}, {"progress": True}, {"receive_progress": True, "disclose_me": True, "timeout": 1}):
            request = session.next_request()
            session.send([wamp.CALL, request, options, procedure, args, kwargs])
            answer = session.receive()
            named = answer[2] if answer[0] == ERROR else answer[1]
            if answer[0] not in (wamp.RESULT, ERROR) or named != request:
                failures.append(f"{args!r} {kwargs!r}: {answer}")
    assert_defined(failures)
    session.publish("witness.other", "still here")
    session.drop()


@both_serializers
def test_a_flood_of_questions_holds_nobody_up(on_each_worker, join, serializer):
    """Long answers of the dealer's worker, asked for faster than anybody could take them."""
    callee, caller = join(serializer), join(serializer)
    callee.send([wamp.REGISTER, callee.next_request(), {}, "flood.called"])
    callee.expect(REGISTERED)
    flooders = on_each_worker(serializer)
    for flooder in flooders:
        count = 8000
        flooder.send(*[[wamp.REGISTER, flooder.next_request(), {}, f"flood.{flooder.id}.{n}"] for n in range(count)])
        for _ in range(count):
            flooder.expect(REGISTERED)
    for flooder in flooders:
        flooder.send(*[[wamp.CALL, flooder.next_request(), {}, "wamp.registration.list"] for _ in range(3000)])
    for n in range(200):
        request = caller.next_request()
        caller.send([wamp.CALL, request, {}, "flood.called", [n]])
        callee.send([wamp.YIELD, callee.expect(wamp.INVOCATION)[1], {}, [n]])
        caller.expect(wamp.RESULT, request, {}, [n])


@both_serializers
def test_subscribing_to_much_that_is_retained_at_once(on_each_worker, join, serializer):
    """A client that reads gets all of it, however many subscriptions it is for: it is no slow reader."""
    publisher = join(serializer)
    begin = f"{serializer}.retained.topic."
    topics = [f"{begin}{n}" for n in range(24)]
    for topic in topics:
        publisher.publish(topic, "x" * 10_000, retain=True)
    prefixes = [begin[:len(begin) - shorter] for shorter in range(12)]
    for session in on_each_worker(serializer):
        requests = [session.next_request() for _ in prefixes]
        session.send(*[[wamp.SUBSCRIBE, request, {"match": "prefix", "get_retained": True}, prefix]
                       for request, prefix in zip(requests, prefixes)])
        left = {}
        while len(left) < len(prefixes) or any(left.values()):
            message = session.receive()
            if message[0] == SUBSCRIBED:
                left[message[2]] = set(topics)
            else:
                assert message[0] == EVENT and message[3]["retained"] is True, message
                left[message[1]].remove(message[3]["topic"])
