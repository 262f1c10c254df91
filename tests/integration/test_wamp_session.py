"""Opening and closing WAMP sessions: HELLO first, WELCOME, GOODBYE, ABORT (broker role)."""

import pytest

import wamp
from wamp import (ABORT, AUTHENTICATE, CALL, CANCEL, CHALLENGE, ERROR, EVENT, GOODBYE, HELLO, INTERRUPT, INVOCATION,
                  PUBLISH, PUBLISHED, REGISTER, REGISTERED, RESULT, ROLES, SUBSCRIBE, SUBSCRIBED, UNREGISTER,
                  UNREGISTERED, UNSUBSCRIBE, UNSUBSCRIBED, WELCOME, YIELD, Session)

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)

FROM_CLIENTS = {
    "AUTHENTICATE": [AUTHENTICATE, "signature", {}],
    "ERROR": [ERROR, INVOCATION, 1, {}, "com.example.error"],
    "PUBLISH": [PUBLISH, 1, {}, "a.topic", [1]],
    "SUBSCRIBE": [SUBSCRIBE, 1, {}, "a.topic"],
    "UNSUBSCRIBE": [UNSUBSCRIBE, 1, 1],
    "CALL": [CALL, 1, {}, "a.procedure"],
    "CANCEL": [CANCEL, 1, {}],
    "REGISTER": [REGISTER, 1, {}, "a.procedure"],
    "UNREGISTER": [UNREGISTER, 1, 1],
    "YIELD": [YIELD, 1, {}],
}
FROM_ROUTERS = {
    "WELCOME": [WELCOME, 1, {}],
    "CHALLENGE": [CHALLENGE, "ticket", {}],
    "PUBLISHED": [PUBLISHED, 1, 1],
    "SUBSCRIBED": [SUBSCRIBED, 1, 1],
    "UNSUBSCRIBED": [UNSUBSCRIBED, 1],
    "EVENT": [EVENT, 1, 1, {}],
    "RESULT": [RESULT, 1, {}],
    "REGISTERED": [REGISTERED, 1, 1],
    "UNREGISTERED": [UNREGISTERED, 1],
    "INVOCATION": [INVOCATION, 1, 1, {}],
    "INTERRUPT": [INTERRUPT, 1, {}],
}


@both_serializers
def test_welcome(join, serializer):
    session = join(serializer)
    session.goodbye()
    message = session.join()
    assert len(message) == 3
    _, session_id, details = message
    assert wamp.is_id(session_id) and session_id < 2**53
    for role in ("broker", "dealer"):
        features = details["roles"][role]["features"]
        assert isinstance(features, dict)
        assert all(value is True or value is False for value in features.values()), features
    assert details["agent"].startswith("ringcast-")
    assert details["realm"] == "realm1"
    assert details["authmethod"] == "anonymous"
    assert isinstance(details["authid"], str) and details["authid"]
    assert isinstance(details["authrole"], str) and details["authrole"]


def test_session_ids_look_random(join):
    ids = [join("msgpack").id for _ in range(100)]
    assert len(set(ids)) == len(ids)
    assert all(1 <= number < 2**53 for number in ids)
    # A hundred uniform numbers: the odds against each of these are below 2^-90.
    assert max(ids) > 2**52 and min(ids) < 2**52
    assert ids != sorted(ids)
    steps = {later - earlier for earlier, later in zip(ids, ids[1:])}
    assert len(steps) == len(ids) - 1


@both_serializers
@pytest.mark.parametrize("name", [*FROM_CLIENTS, *FROM_ROUTERS])
def test_hello_first(shared_broker, serializer, name):
    session = Session.open(shared_broker.url, serializer)
    session.send({**FROM_CLIENTS, **FROM_ROUTERS}[name])
    session.expect_abort()
    session.drop()


@both_serializers
@pytest.mark.parametrize("name", FROM_ROUTERS)
def test_messages_of_routers_are_violations(join, serializer, name):
    session = join(serializer)
    session.send(FROM_ROUTERS[name])
    session.expect_abort()


@both_serializers
def test_second_hello(join, serializer):
    session = join(serializer)
    session.send([HELLO, "realm1", {"roles": ROLES}])
    session.expect_abort()


@both_serializers
@pytest.mark.parametrize("name", ["AUTHENTICATE", "YIELD", "ERROR"])
def test_replies_to_nothing_are_violations(join, serializer, name):
    session = join(serializer)
    session.send(FROM_CLIENTS[name])
    session.expect_abort()


@both_serializers
def test_error_for_another_type_than_invocation(join, serializer):
    session = join(serializer)
    session.send([ERROR, PUBLISH, 1, {}, "com.example.error"])
    session.expect_abort()


@both_serializers
@pytest.mark.parametrize("name", ["CALL", "REGISTER", "UNREGISTER"])
def test_requests_of_the_dealer_role_are_answered(join, serializer, name):
    """No session waits for ever: whatever the router does not do is an ERROR, and the session lives on."""
    session = join(serializer)
    session.send(FROM_CLIENTS[name])
    session._request = 1
    message = session.receive()
    if message[0] == ERROR:
        assert message[1:3] == FROM_CLIENTS[name][:2], message
        assert message[4].startswith("wamp.error."), message
    else:
        assert (name, message[0]) == ("REGISTER", REGISTERED), message
    session.publish("still.alive", 1)


@both_serializers
def test_goodbye_and_another_session_on_the_same_transport(join, serializer):
    session, other = join(serializer), join()
    first_id = session.id
    session.subscribe("of.the.first.session")
    session.goodbye()
    session.join()
    assert session.id != first_id
    subscription = session.subscribe("of.the.second.session")  # request ids start again
    other.publish("of.the.first.session", "for nobody")
    other.publish("of.the.second.session", "for us")
    session.expect_event(subscription, "for us")
    session.goodbye()
    session.connection.send_close(1000)
    session.connection.expect_close(1000)


@both_serializers
def test_nothing_is_accepted_after_goodbye_but_hello(join, serializer):
    session = join(serializer)
    session.send([GOODBYE, {}, "wamp.close.close_realm"], [PUBLISH, 1, {}, "too.late", [1]])
    session.expect(GOODBYE, None, "wamp.close.goodbye_and_out")
    session.expect_abort()


@both_serializers
def test_goodbye_before_a_session(shared_broker, serializer):
    session = Session.open(shared_broker.url, serializer)
    session.send([GOODBYE, {}, "wamp.close.normal"])
    session.connection.send_close(1000)
    got = session.connection.receive_frame()
    if got.opcode != wamp.wsraw.CLOSE:
        message = wamp.decode(serializer, got.payload)
        assert message[0] in (GOODBYE, ABORT), message
        got = session.connection.receive_frame()
    assert got.code in (1000, 1002), got
    session.connection.receive_end()
    session.drop()


@both_serializers
@pytest.mark.parametrize("joined", [False, True])
def test_abort_is_not_answered(shared_broker, serializer, joined):
    session = Session.open(shared_broker.url, serializer)
    if joined:
        session.join()
    session.send([ABORT, {"message": "enough"}, "wamp.error.system_shutdown"])
    session.connection.expect_close(1000, 1002)
    session.drop()


@both_serializers
@pytest.mark.parametrize("realm", ["nowhere", "realm1.sub", "REALM1", "", "not a uri", "realm1\0"])
def test_unknown_realm(shared_broker, serializer, realm):
    session = Session.open(shared_broker.url, serializer)
    session.send([HELLO, realm, {"roles": ROLES}])
    session.expect_abort("wamp.error.no_such_realm", "wamp.error.invalid_uri")
    session.drop()


def test_configured_realm(start_broker):
    broker = start_broker("--processes", 1, "--realm", "com.example.prod")
    session = Session.open(broker.url)
    session.join("com.example.prod")
    session.drop()
    session = Session.open(broker.url)
    session.send([HELLO, "realm1", {"roles": ROLES}])
    session.expect_abort("wamp.error.no_such_realm")
    session.drop()


@both_serializers
def test_unknown_details_are_ignored(join, serializer):
    details = {
        "roles": {**ROLES, "x_role": {"features": {"x": True}}},
        "x_custom": [1, {"deep": None}],
        "agent": "test",
        "transport": {"a": 1},
    }
    join(serializer, details=details).publish("alive", 1)


@both_serializers
@pytest.mark.parametrize("ending", ["drop", "reset", "close frame", "half a frame", "shut"])
def test_every_way_of_ending_releases_the_connection(join, shared_broker, serializer, ending):
    """The shared broker's counters are checked at the end of the file, too."""
    shared_broker.wait_total("connections", 0)
    witness = join(serializer)
    witness_id = witness.subscribe("ending.topic")
    for _ in range(5):
        session = Session.open(shared_broker.url, serializer)
        session.join()
        session.subscribe("ending.topic")
        session.publish_unacknowledged("ending.topic", "last words")
        if ending == "close frame":
            session.connection.send_close(1000)
            session.connection.expect_close(1000)
            session.drop()
        elif ending == "half a frame":
            session.connection.send(session.frame([PUBLISH, 2, {}, "ending.topic", ["x" * 100]])[:50])
            session.drop()
        elif ending == "shut":
            session.connection.shut()
            session.connection._fill()
            session.drop()
        else:
            getattr(session.connection, ending)()
    if ending != "reset":  # a reset may overtake what was sent before it
        for _ in range(5):
            witness.expect_event(witness_id, "last words")
    shared_broker.wait_total("connections", 1)
