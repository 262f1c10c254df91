"""What roles may do: by rules, and by what a procedure answers; on two workers, in both serializers."""

import itertools

import pytest

import wamp
from wamp import CALL, ERROR, EVENT, INVOCATION, PUBLISH, PUBLISHED, REGISTER, REGISTERED, RESULT, SUBSCRIBE, SUBSCRIBED, YIELD

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)
NOT_AUTHORIZED = "wamp.error.not_authorized"
CONCEALED = "wamp.error.option_disallowed.disclose_me"

RULES = """
[[realm]]
name = "ruled"
anonymous = "guest"
[[realm.role]]
name = "guest"
rules = [
  { uri = "com.app.", match = "prefix", allow = ["publish", "subscribe", "call", "register"] },
  { uri = "com.app.secret", allow = [] },
  { uri = "com.app.news", allow = ["subscribe"] },
  { uri = "com.app..only", match = "wildcard", allow = ["call"] },
  { uri = "com.app.known", allow = ["publish", "subscribe", "call", "register"], disclose = true },
  { uri = "com.app.hidden", allow = ["publish", "subscribe", "call", "register"], disclose = false },
]

[[realm]]
name = "without"
anonymous = "nobody"
[[realm.role]]
name = "nobody"

[[realm]]
name = "open"
anonymous = "anybody"
[[realm.role]]
name = "anybody"
unrestricted = true
"""


@pytest.fixture
def configured(start_broker, tmp_path):
    """Starts a broker of two worker processes with a configuration file of this text."""

    def start(text, *flags):
        path = tmp_path / "ringcast.toml"
        path.write_text(text)
        return start_broker("--processes", 2, "--threads", 1, "--config", path, *flags)

    return start


def joined(broker, realm, serializer="json"):
    session = wamp.Session.open(broker.url, serializer)
    session.join(realm)
    return session


def on_each_worker(broker, realm, serializer="json"):
    """A session on each of the workers: the least loaded one gets the next connection."""
    return [joined(broker, realm, serializer) for _ in range(4)]


def ask(session, code, options, uri, *payload):
    """Sends a request; the answer to it."""
    request = session.next_request()
    session.send([code, request, options, uri, *payload])
    answer = session.receive()
    assert answer[2 if answer[0] == ERROR else 1] == request, answer
    return answer


def refusal(session, code, uri, options=None):
    """The error that a request is answered with."""
    answer = ask(session, code, options or {}, uri)
    assert answer[0] == ERROR and answer[1] == code, answer
    assert isinstance(answer[5][0], str) and answer[5][0], answer
    return answer[4]


ACKNOWLEDGE = {"acknowledge": True}


@both_serializers
def test_a_role_without_rules_may_do_nothing(configured, serializer):
    broker = configured(RULES)
    for session in on_each_worker(broker, "without", serializer):
        assert refusal(session, PUBLISH, "com.app.a", ACKNOWLEDGE) == NOT_AUTHORIZED
        assert refusal(session, SUBSCRIBE, "com.app.a") == NOT_AUTHORIZED
        assert refusal(session, CALL, "com.app.a") == NOT_AUTHORIZED
        assert refusal(session, CALL, "wamp.session.count") == NOT_AUTHORIZED
        assert refusal(session, REGISTER, "com.app.a") == NOT_AUTHORIZED
        assert refusal(session, SUBSCRIBE, "wamp.session.on_join") == NOT_AUTHORIZED
    assert broker.total("authorizations_denied") == 4 * 6


@both_serializers
def test_the_most_specific_rule_decides(configured, serializer):
    broker = configured(RULES)
    session = joined(broker, "ruled", serializer)
    assert ask(session, SUBSCRIBE, {}, "com.app.news")[0] == SUBSCRIBED
    assert refusal(session, PUBLISH, "com.app.news", ACKNOWLEDGE) == NOT_AUTHORIZED
    for code in (SUBSCRIBE, CALL, REGISTER):
        assert refusal(session, code, "com.app.secret") == NOT_AUTHORIZED
        assert refusal(session, code, "com.other") == NOT_AUTHORIZED
    assert refusal(session, REGISTER, "com.app.x.only") == NOT_AUTHORIZED
    assert refusal(session, CALL, "com.app.x.only") == "wamp.error.no_such_procedure"
    assert ask(session, REGISTER, {}, "com.app.mine")[0] == REGISTERED
    assert refusal(session, CALL, "no uri") == "wamp.error.invalid_uri"
    assert refusal(session, REGISTER, "no uri") == "wamp.error.invalid_uri"


@both_serializers
def test_a_pattern_may_not_cover_more_than_is_allowed(configured, serializer):
    broker = configured(RULES)
    session = joined(broker, "ruled", serializer)
    for match, uri in (("prefix", "com."), ("prefix", "com.app."), ("prefix", "com.app.secre"), ("prefix", ""),
                       ("wildcard", "com.."), ("wildcard", "com.app."), ("wildcard", "..secret"),
                       ("wildcard", "com.app..only")):
        for code in (SUBSCRIBE, REGISTER):
            assert refusal(session, code, uri, {"match": match}) == NOT_AUTHORIZED, (match, uri)
    assert ask(session, SUBSCRIBE, {"match": "prefix"}, "com.app.x.y.")[0] == SUBSCRIBED
    assert ask(session, REGISTER, {"match": "prefix"}, "com.app.x.y.")[0] == REGISTERED


@both_serializers
def test_what_is_not_allowed_does_not_happen(configured, serializer):
    """A PUBLISH that did not ask for an answer gets none, and reaches nobody on any worker."""
    broker = configured(RULES)
    subscribers = on_each_worker(broker, "ruled", serializer)
    subscriptions = [session.subscribe("com.app.news") for session in subscribers]
    others = [session.subscribe("com.app.open") for session in subscribers]
    publisher = joined(broker, "ruled", serializer)
    publisher.publish_unacknowledged("com.app.news", "forged")
    publisher.publish("com.app.open", "allowed")
    for session, news, other in zip(subscribers, subscriptions, others):
        assert session.expect(EVENT)[1] == other != news


@pytest.mark.parametrize(("caller_serializer", "callee_serializer"), list(itertools.product(wamp.SERIALIZERS, repeat=2)))
def test_a_rule_discloses_the_caller_or_conceals_it(configured, caller_serializer, callee_serializer):
    broker = configured(RULES)
    callee = joined(broker, "ruled", callee_serializer)
    for options, uri in (({}, "com.app.known"), ({"disclose_caller": True}, "com.app.hidden"), ({}, "com.app.plain")):
        assert ask(callee, REGISTER, options, uri)[0] == REGISTERED
    for caller in on_each_worker(broker, "ruled", caller_serializer):
        def details(uri, **options):
            request = caller.next_request()
            caller.send([CALL, request, options, uri])
            invocation = callee.expect(INVOCATION)
            callee.send([YIELD, invocation[1], {}])
            caller.expect(RESULT, request)
            return invocation[3]

        known = details("com.app.known")
        assert known["caller"] == caller.id and known["caller_authrole"] == "guest", known
        assert details("com.app.plain") == {}
        assert details("com.app.plain", disclose_me=True)["caller"] == caller.id
        assert details("com.app.hidden") == {}
        assert refusal(caller, CALL, "com.app.hidden", {"disclose_me": True}) == CONCEALED
        assert refusal(caller, PUBLISH, "com.app.hidden", {"disclose_me": True, **ACKNOWLEDGE}) == CONCEALED


@both_serializers
def test_a_rule_discloses_the_publisher_or_conceals_it(configured, serializer):
    broker = configured(RULES)
    subscribers = on_each_worker(broker, "ruled", serializer)
    for session in subscribers:
        session.subscribe("com.app.known")
        session.subscribe("com.app.hidden")
    publisher = joined(broker, "ruled", serializer)
    publisher.publish("com.app.known", 1)
    publisher.publish("com.app.hidden", 2)
    for session in subscribers:
        known, hidden = session.expect(EVENT), session.expect(EVENT)
        assert known[3]["publisher"] == publisher.id and known[3]["publisher_authrole"] == "guest", known
        assert hidden[3] == {}, hidden


@both_serializers
def test_the_parts_of_a_call_stand_under_its_first_one(configured, serializer):
    """What was allowed, and asked for, with the first part holds for the rest, whatever that names."""
    broker = configured(RULES)
    callee, caller = joined(broker, "ruled", serializer), joined(broker, "ruled", serializer)
    assert ask(callee, REGISTER, {"match": "prefix"}, "com.app.parts.of.")[0] == REGISTERED
    request = caller.next_request()
    caller.send([CALL, request, {"progress": True, "disclose_me": True}, "com.app.parts.of.a", [1]],
                [CALL, request, {"progress": True}, "com.app.secret", ["smuggled"]],
                [CALL, request, {}, "com.app.parts.of.a", [2]])
    parts = [callee.expect(INVOCATION) for _ in range(3)]
    assert [part[4] for part in parts] == [[1], ["smuggled"], [2]], parts
    for part in parts:
        assert part[3]["procedure"] == "com.app.parts.of.a" and part[3]["caller"] == caller.id, part
    callee.send([YIELD, parts[0][1], {}, ["done"]])
    assert caller.expect(RESULT, request)[3] == ["done"]
    request = caller.next_request()
    caller.send([CALL, request, {"progress": True}, "com.app.secret"], [CALL, request, {}, "com.app.secret"])
    assert caller.expect(ERROR, CALL, request)[4] == NOT_AUTHORIZED
    assert refusal(caller, CALL, "com.app.secret") == NOT_AUTHORIZED


@both_serializers
def test_an_unrestricted_role_may_do_everything(configured, serializer):
    broker = configured(RULES)
    session = joined(broker, "open", serializer)
    assert ask(session, SUBSCRIBE, {}, "com.any")[0] == SUBSCRIBED
    assert ask(session, REGISTER, {"match": "prefix"}, "com.")[0] == REGISTERED
    assert ask(session, PUBLISH, ACKNOWLEDGE, "com.app.secret")[0] == PUBLISHED
    assert broker.total("authorizations_denied") == 0
