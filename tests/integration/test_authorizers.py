"""What roles may do by what a procedure answers: hand-written and real authorizers, on two workers, in both serializers."""

import os
import re
import signal
import subprocess
import time

import pytest

import wamp
from broker import REPOSITORY
from drivers import Driver
from logins import PASSWORD, authenticate, challenged, plain
from wamp import CALL, ERROR, INVOCATION, PUBLISH, PUBLISHED, REGISTER, REGISTERED, SUBSCRIBE, SUBSCRIBED, WELCOME, YIELD

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)
AUTHORIZE = "com.app.authorize"
NOT_AUTHORIZED = "wamp.error.not_authorized"
FAILED = "wamp.error.authorization_failed"
KEPT = {"allow": True, "cache": True}
REAL = ["autobahn-python json", "autobahn-python msgpack", "autobahn-js json", "autobahn-js msgpack"]


def config(**settings):
    """Guests are decided about by a procedure that a session of another role registers."""
    more = "".join(f", {key} = {value!r}" for key, value in settings.items()).replace("'", '"')
    return f"""
[[realm]]
name = "asked"
anonymous = "guest"
[[realm.role]]
name = "guest"
authorizer = {{ procedure = "{AUTHORIZE}"{more} }}
[[realm.role]]
name = "authority"
rules = [
  {{ uri = "{AUTHORIZE}", allow = ["register"] }},
  {{ uri = "com.app.", match = "prefix", allow = ["publish", "subscribe", "call"] }},
]
[[realm.principal]]
authid = "judge"
role = "authority"
secrets = ["{plain()}"]
"""


def guest(broker, serializer="json"):
    session = wamp.Session.open(broker.url, serializer)
    session.join("asked")
    return session


def guests(broker, serializer="json"):
    """Of both workers: the least loaded one gets the next connection."""
    return [guest(broker, serializer) for _ in range(4)]


def judge(broker, serializer="json", register=True):
    session = wamp.Session.open(broker.url, serializer)
    challenged(session, "asked", "ticket", "judge")
    authenticate(session, PASSWORD)
    session.id = session.expect(WELCOME)[1]
    if register:
        request = session.next_request()
        session.send([REGISTER, request, {}, AUTHORIZE])
        session.expect(REGISTERED, request)
    return session


def send(session, code, uri, options=None):
    request = session.next_request()
    session.send([code, request, {"acknowledge": True} if code == PUBLISH else options or {}, uri])
    return request


def answer(session, invocation, value):
    session.send([YIELD, invocation[1], {}, [value]])


def asked(session, value):
    """What the authorizer is asked next; it answers at once."""
    invocation = session.expect(INVOCATION)
    answer(session, invocation, value)
    return invocation[4]


def refused(session, code, request):
    return session.expect(ERROR, code, request)[4]


@both_serializers
def test_what_is_asked_and_what_becomes_of_the_answer(configured, serializer):
    broker = configured(config())
    authorizer = judge(broker, serializer)
    for session in guests(broker, "json") + guests(broker, "msgpack"):
        request = send(session, SUBSCRIBE, "com.any.", {"match": "prefix"})
        details, uri, action, options = asked(authorizer, True)
        assert (uri, action, options) == ("com.any.", "subscribe", {"match": "prefix"})
        assert details == {
            "session": session.id, "realm": "asked", "authid": f"anonymous-{session.id}", "authrole": "guest",
            "authmethod": "anonymous", "authprovider": "static",
        }
        session.expect(SUBSCRIBED, request)
        for code, action in ((PUBLISH, "publish"), (CALL, "call"), (REGISTER, "register")):
            request = send(session, code, "com.other")
            assert asked(authorizer, {"allow": False})[1:3] == ["com.other", action]
            assert refused(session, code, request) == NOT_AUTHORIZED
        request = send(session, CALL, "wamp.registration.count_callees")
        assert asked(authorizer, False)[1:3] == ["wamp.registration.count_callees", "call"]
        assert refused(session, CALL, request) == NOT_AUTHORIZED
    assert broker.total("authorizer_calls") == 8 * 5


@both_serializers
def test_a_session_waits_in_order_and_nobody_else_does(configured, serializer):
    broker = configured(config())
    authorizer = judge(broker, serializer)
    waiting, other = guest(broker, serializer), guest(broker, serializer)
    first = send(waiting, PUBLISH, "com.one")
    held = authorizer.expect(INVOCATION)
    second = send(waiting, PUBLISH, "com.two")
    request = send(other, PUBLISH, "com.three")
    assert asked(authorizer, True)[1] == "com.three"
    other.expect(PUBLISHED, request)
    answer(authorizer, held, True)
    assert asked(authorizer, True)[1] == "com.two"
    waiting.expect(PUBLISHED, first)
    waiting.expect(PUBLISHED, second)


@both_serializers
def test_what_may_be_kept_is_asked_once_by_each_worker_and_what_may_not_each_time(configured, serializer):
    broker = configured(config(cache_ms=600000, scope="role"))
    authorizer = judge(broker, serializer)
    sessions = guests(broker, serializer)
    requests = [send(session, PUBLISH, "com.kept") for session in sessions]
    for _ in broker.workers:
        asked(authorizer, KEPT)
    for session, request in zip(sessions, requests):
        session.expect(PUBLISHED, request)
    for _ in range(20):
        for session in sessions:
            session.expect(PUBLISHED, send(session, PUBLISH, "com.kept"))
    assert broker.total("authorizer_calls") == 2
    for session in sessions * 2:
        request = send(session, PUBLISH, "com.fresh")
        asked(authorizer, {"allow": True, "cache": False})
        session.expect(PUBLISHED, request)
    assert broker.total("authorizer_calls") == 2 + 8


@both_serializers
def test_nothing_is_believed_for_longer_than_it_may_be(configured, serializer):
    broker = configured(config(cache_ms=300))
    authorizer = judge(broker, serializer)
    session = guest(broker, serializer)
    for calls in (1, 2, 3):
        request = send(session, PUBLISH, "com.kept")
        asked(authorizer, KEPT)
        session.expect(PUBLISHED, request)
        assert broker.total("authorizer_calls") == calls
        known = time.monotonic()
        while time.monotonic() < known + 0.4:  # by now it is over, however slow everybody is
            time.sleep(0.1)


@both_serializers
def test_who_shared_a_call_whose_answer_may_not_be_kept_asks_for_itself(configured, serializer):
    broker = configured(config(cache_ms=600000, scope="role"))
    authorizer = judge(broker, serializer)
    sessions = guests(broker, serializer)
    requests = [send(session, PUBLISH, "com.shared") for session in sessions]
    for _ in sessions:
        asked(authorizer, True)
    for session, request in zip(sessions, requests):
        session.expect(PUBLISHED, request)
    assert broker.total("authorizer_calls") == len(sessions)


@both_serializers
def test_nobody_has_registered_it(configured, serializer):
    broker = configured(config())
    session = guest(broker, serializer)
    for code in (PUBLISH, SUBSCRIBE, CALL, REGISTER):
        assert refused(session, code, send(session, code, "com.any")) == FAILED
    broker.log.wait_for(re.compile(rf"authorizer {AUTHORIZE} of realm asked gave no decision.*nobody has registered"))
    assert broker.total("authorizations_failed") == 4


@both_serializers
def test_no_answer_in_time_is_a_no(configured, serializer):
    broker = configured(config(timeout_ms=200))
    authorizer = judge(broker, serializer)
    session = guest(broker, serializer)
    request = send(session, PUBLISH, "com.any")
    late = authorizer.expect(INVOCATION)
    assert refused(session, PUBLISH, request) == FAILED
    answer(authorizer, late, True)
    request = send(session, PUBLISH, "com.any")
    assert asked(authorizer, True)[1] == "com.any"
    session.expect(PUBLISHED, request)


@both_serializers
def test_the_authorizer_goes_in_the_middle(configured, serializer):
    broker = configured(config())
    authorizer = judge(broker, serializer)
    sessions = guests(broker, serializer)
    requests = [send(session, PUBLISH, "com.any") for session in sessions]
    for _ in sessions:
        authorizer.expect(INVOCATION)
    authorizer.drop()
    for session, request in zip(sessions, requests):
        assert refused(session, PUBLISH, request) == FAILED
    authorizer = judge(broker, serializer)
    for session in sessions:
        request = send(session, PUBLISH, "com.any")
        asked(authorizer, True)
        session.expect(PUBLISHED, request)


@both_serializers
def test_the_worker_of_the_realms_dealer_dies_in_the_middle(configured, serializer):
    broker = configured(config())
    authorizers = [judge(broker, serializer)]
    sessions = guests(broker, serializer)
    requests = [send(session, PUBLISH, "com.any") for session in sessions]
    for _ in sessions:
        authorizers[0].expect(INVOCATION)
    broker.wait_total("calls_open", len(sessions))
    dealer = next(worker for worker, values in broker.counters().items() if values["calls_open"] != 0)
    since = broker.log.mark()
    os.kill(broker.workers[dealer], signal.SIGKILL)
    survivors = []
    for session, request in zip(sessions, requests):
        try:
            assert refused(session, PUBLISH, request) == FAILED
            survivors.append(session)
        except (OSError, wamp.wsraw.Ended):
            pass  # it was at the worker that died
    assert survivors and len(survivors) < len(sessions)
    broker.wait_worker(dealer, since)
    # The authorizer's session may have been there too.
    try:
        authorizer = judge(broker, serializer)
    except AssertionError:
        authorizer = authorizers[0]
    for session in survivors + [guest(broker, serializer)]:
        request = send(session, PUBLISH, "com.any")
        asked(authorizer, True)
        session.expect(PUBLISHED, request)


@both_serializers
def test_who_is_decided_about_may_not_decide(configured, serializer):
    broker = configured(config())
    session = guest(broker, serializer)
    for uri, match in ((AUTHORIZE, "exact"), ("com.app.", "prefix"), ("..authorize", "wildcard")):
        assert refused(session, REGISTER, send(session, REGISTER, uri, {"match": match})) == NOT_AUTHORIZED
    assert broker.total("authorizer_calls") == 0
    judge(broker, serializer)


@both_serializers
def test_an_authorizer_publishes_and_calls_while_it_decides(configured, serializer):
    broker = configured(config())
    authorizer = judge(broker, serializer)
    session = guest(broker, serializer)
    request = send(session, PUBLISH, "com.any")
    invocation = authorizer.expect(INVOCATION)
    authorizer.publish("com.app.audit", "somebody asks")
    assert refused(authorizer, CALL, send(authorizer, CALL, "com.app.nobody")) == "wamp.error.no_such_procedure"
    answer(authorizer, invocation, True)
    session.expect(PUBLISHED, request)


@pytest.mark.parametrize("kind", REAL)
def test_real_authorizers(configured, kind):
    broker = configured(config(cache_ms=600000))
    driver = Driver(kind)
    try:
        driver.call("open", "judge", url=broker.url, realm="asked",
                    auth={"method": "ticket", "authid": "judge", "secret": PASSWORD})
        driver.call("register", "judge", procedure=AUTHORIZE,
                    answers={"": False, "com.yes": True, "com.dict": {"allow": True, "disclose": False},
                             "com.kept": {"allow": True, "cache": True, "disclose": True}, "com.odd": "perhaps"})
        for session in guests(broker, "json") + guests(broker, "msgpack"):
            expected = {"com.yes": None, "com.dict": None, "com.kept": None, "com.odd": FAILED, "com.no": NOT_AUTHORIZED}
            for uri, error in expected.items():
                for _ in range(2):
                    request = send(session, PUBLISH, uri)
                    if error:
                        assert refused(session, PUBLISH, request) == error
                    else:
                        session.expect(PUBLISHED, request)
        asked_for = []
        for _ in range(4 * 16 + 8):
            args, _ = driver.next_event("judge", AUTHORIZE)
            assert args[0]["authrole"] == "guest" and args[2] == "publish" and args[3] == {"acknowledge": True}, args
            asked_for.append(args[1])
        assert asked_for.count("com.yes") == 16 and asked_for.count("com.kept") == 8, asked_for
        assert driver.pending("judge", AUTHORIZE) == 0
    finally:
        driver.end()


def test_the_example_of_the_documentation(configured, tmp_path):
    text = (REPOSITORY / "docs/authorization.md").read_text()
    toml, python = (re.search(rf"```{kind}\n(.*?)```", text, re.S)[1] for kind in ("toml", "python"))
    broker = configured(toml)
    script = tmp_path / "authorizer.py"
    assert "ws://127.0.0.1:8080/ws" in python
    script.write_text(python.replace("ws://127.0.0.1:8080/ws", broker.url))
    process = subprocess.Popen(["/usr/bin/python3", script])
    try:
        session = wamp.Session.open(broker.url)
        session.join("com.example.shop")
        own = f"com.example.customer.anonymous-{session.id}.orders"
        for _ in range(300):  # until it has registered
            request = send(session, PUBLISH, own)
            if session.receive()[0] == PUBLISHED:
                break
            time.sleep(0.1)
        session.expect(PUBLISHED, send(session, PUBLISH, own))
        session.expect(SUBSCRIBED, send(session, SUBSCRIBE, "com.example.news.today"))
        session.expect(SUBSCRIBED, send(session, SUBSCRIBE, "com.example.news.", {"match": "prefix"}))
        assert refused(session, PUBLISH, send(session, PUBLISH, "com.example.news.today")) == NOT_AUTHORIZED
        request = send(session, SUBSCRIBE, f"{own}.", {"match": "prefix"})
        assert refused(session, SUBSCRIBE, request) == NOT_AUTHORIZED
        assert refused(session, CALL, send(session, CALL, "com.example.customer.other.orders")) == NOT_AUTHORIZED
    finally:
        process.kill()
        process.wait()
