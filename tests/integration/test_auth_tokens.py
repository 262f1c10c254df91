"""JSON Web Tokens as tickets: who they let in and for how long, and keys that change while the broker runs."""

import os
import re
import signal

import pytest

import logins
import wamp
from drivers import KINDS, Driver
from logins import authenticate, challenged, token
from test_realms import refused
from wamp import GOODBYE, WELCOME, Session

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)

DENIED = "wamp.error.authentication_denied"
SECRET = "a secret of thirty-two bytes, or more"
OTHER_SECRET = "another secret of thirty-two bytes, or more"

REALM = """
[authentication]
attempts_burst = 0
refusal_delay_ms = 20
[[realm]]
name = "tokens"
[[realm.role]]
name = "user"
unrestricted = true
[[realm.role]]
name = "operator"
unrestricted = true
[realm.jwt]
jwks_file = "keys.json"
issuer = "tests"
leeway_s = 0
"""


@pytest.fixture
def broker(configured, tmp_path):
    (tmp_path / "keys.json").write_text(logins.jwk(SECRET))
    return configured(REALM)


def claims(**changed):
    return token(changed.pop("secret", SECRET), iss=changed.pop("iss", "tests"), **changed)


def present(broker, ticket, serializer="json", authid=None):
    session = Session.open(broker.url, serializer)
    assert challenged(session, "tokens", "ticket", authid) == {}
    authenticate(session, ticket)
    return session, session.receive()


@both_serializers
def test_claims_say_who_one_is(broker, serializer):
    for authid in (None, "tess"):
        session, message = present(broker, claims(role="operator"), serializer, authid)
        assert message[0] == WELCOME, message
        details = message[2]
        assert (details["authid"], details["authrole"]) == ("tess", "operator")
        assert (details["authmethod"], details["authprovider"]) == ("ticket", "jwt")
        session.goodbye()
        session.drop()


REFUSED = {
    "an expired one": dict(expires_in_s=-1),
    "one of another key": dict(secret=OTHER_SECRET),
    "one of another issuer": dict(iss="others"),
    "one without a subject": dict(sub=None),
    "one without a role": dict(role=None),
    "one of a role that there is not": dict(role="king"),
    "one without an end": dict(exp=None),
}


@both_serializers
@pytest.mark.parametrize("name", REFUSED)
def test_tokens_that_let_nobody_in(broker, serializer, name):
    session, message = present(broker, claims(**REFUSED[name]), serializer)
    assert message[2] == DENIED, message
    session.drop()


@both_serializers
@pytest.mark.parametrize("ticket", ["", "no token", "eyJ..", "eyJhbGciOiJub25lIn0.e30.", "x" * 20000])
def test_tickets_that_are_no_tokens(broker, serializer, ticket):
    session, message = present(broker, ticket, serializer)
    assert message[2] == DENIED, message
    session.drop()


def test_a_token_of_somebody_else(broker):
    session, message = present(broker, claims(), authid="other")
    assert message[2] == DENIED, message
    session.drop()


@both_serializers
def test_the_session_ends_with_its_token(broker, serializer):
    session, message = present(broker, claims(expires_in_s=2), serializer)
    assert message[0] == WELCOME, message
    session.subscribe("com.example.topic")
    message = session.expect(GOODBYE)
    assert message[2] == "ringcast.close.identity_expired", message
    session.connection.expect_close(1008)
    session.drop()
    for gauge in ("sessions", "connections", "subscriptions"):
        broker.wait_total(gauge, 0)


@both_serializers
def test_a_session_that_left_is_not_ended_again(broker, serializer):
    session, message = present(broker, claims(expires_in_s=2), serializer)
    session.goodbye()
    challenged(session, "tokens", "ticket")
    authenticate(session, claims())
    session.expect(WELCOME)
    lasting, _ = present(broker, claims(expires_in_s=3), serializer)
    lasting.expect(GOODBYE)  # a second after the other would have been
    session.subscribe("com.example.topic")
    session.drop()
    lasting.drop()


def test_new_keys_are_taken_and_a_broken_file_is_not(broker, tmp_path):
    keys = tmp_path / "keys.json"
    since = broker.log.mark()
    keys.write_text(logins.jwk(OTHER_SECRET))
    os.kill(broker.process.pid, signal.SIGHUP)
    for _ in broker.workers:  # each worker says so
        _, at = broker.log.wait_for(re.compile("new keys for tokens realm=tokens"), since)
        since = at + 1
    for _ in range(4):
        session, message = present(broker, claims())
        assert message[2] == DENIED, message
        session.drop()
        session, message = present(broker, claims(secret=OTHER_SECRET))
        assert message[0] == WELCOME, message
        session.drop()
    keys.write_text("{")
    os.kill(broker.process.pid, signal.SIGHUP)
    broker.log.wait_for(re.compile(r"keys\.json: .*the keys known before stay in use"), since)
    session, message = present(broker, claims(secret=OTHER_SECRET))
    assert message[0] == WELCOME, message
    session.drop()


def test_changed_keys_are_noticed_without_a_signal(broker, tmp_path):
    since = broker.log.mark()
    (tmp_path / "keys.json").write_text(logins.jwk(OTHER_SECRET))
    broker.log.wait_for(re.compile("new keys for tokens realm=tokens"), since)


def test_a_start_without_keys_is_refused(tmp_path):
    code, log = refused(tmp_path, REALM)
    assert code == 2 and "keys.json" in log, log
    (tmp_path / "keys.json").write_text("{}")
    code, log = refused(tmp_path, REALM)
    assert code == 2 and "keys.json" in log, log


@pytest.mark.parametrize("kind", KINDS)
def test_real_clients(broker, kind):
    driver = Driver(kind)
    try:
        auth = {"method": "ticket", "authid": "tess", "secret": claims()}
        opened = driver.call("open", "one", url=broker.url, realm="tokens", auth=auth)
        assert (opened["authid"], opened["authrole"]) == ("tess", "user")
        driver.call("close", "one")
    finally:
        driver.end()
