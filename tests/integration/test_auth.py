"""Logging in: every method, by real clients and by hand-written frames, and what is answered to who may not."""

import base64
import re

import argon2
import pytest

import logins
import wamp
from broker import Broker
from drivers import KINDS, Driver, DriverError
from logins import PASSWORD, PRIVATE_KEY, authenticate, challenged, hello
from wamp import ABORT, AUTHENTICATE, CHALLENGE, GOODBYE, HELLO, ROLES, SUBSCRIBE, WELCOME, Session
from wsraw import TIMEOUT_S

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)

DENIED = "wamp.error.authentication_denied"
FAILED = "wamp.error.authentication_failed"
NO_METHOD = "wamp.error.no_matching_auth_method"
NONCE = base64.b64encode(b"sixteen byte non").decode()

# One realm where everything is offered, and one of a single method for each.
PRINCIPALS = {
    "argon2id": logins.argon2id(),
    "pbkdf2": logins.pbkdf2(),
    "plain": logins.plain(),
    "salted": logins.wampcra(),
    "scram-argon2id": logins.scram_argon2id(),
    "scram-pbkdf2": logins.scram_pbkdf2(),
}
REALM = """
[[realm]]
name = "{name}"
[[realm.role]]
name = "user"
unrestricted = true
[[realm.role]]
name = "operator"
unrestricted = true
"""
PRINCIPAL = """
[[realm.principal]]
authid = "{authid}"
role = "{role}"
secrets = ["{secret}"]
"""
KEY = f"""
[[realm.principal]]
authid = "key"
role = "operator"
public_keys = ["{logins.public_key()}"]
"""


def configuration():
    text = "[authentication]\nattempts_burst = 0\nrefusal_delay_ms = 20\n" + REALM.format(name="all") + KEY
    for authid, secret in PRINCIPALS.items():
        text += PRINCIPAL.format(authid=authid, role="user", secret=secret)
    for authid, secret in PRINCIPALS.items():
        text += REALM.format(name=f"only.{authid}") + PRINCIPAL.format(authid=authid, role="user", secret=secret)
    return text + REALM.format(name="only.key") + KEY


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    path = tmp_path_factory.mktemp("auth") / "ringcast.toml"
    path.write_text(configuration())
    running = Broker("--processes", 2, "--threads", 1, "--config", path)
    try:
        yield running
        for gauge in ("connections", "sessions"):
            running.wait_total(gauge, 0)
        log = running.log.text()
        assert "login refused" in log
        for secret in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode().rstrip("="), "wrong secret"):
            assert secret not in log, log
        running.stop()
    finally:
        running.kill()


@pytest.fixture
def connect(broker):
    opened = []

    def open_session(serializer="json"):
        opened.append(Session.open(broker.url, serializer))
        return opened[-1]

    yield open_session
    for session in opened:
        session.drop()


def log_in(session, realm, method, authid, secret=PASSWORD):
    """HELLO to what follows AUTHENTICATE, as somebody would who has this secret."""
    if method == "ticket":
        assert challenged(session, realm, method, authid) == {}
        authenticate(session, secret)
    elif method == "wampcra":
        extra = challenged(session, realm, method, authid)
        authenticate(session, *logins.answer_wampcra(extra, secret))
    elif method == "wamp-scram":
        extra = challenged(session, realm, method, authid, {"nonce": NONCE, "channel_binding": None})
        assert extra["nonce"].startswith(NONCE) and len(extra["nonce"]) > len(NONCE)
        answer, verifier = logins.answer_scram(extra, authid, NONCE, secret)
        authenticate(session, *answer)
        message = session.receive()
        if message[0] == WELCOME:
            assert message[2]["authextra"] == {"verifier": verifier}
        return message
    else:
        private_key = secret if secret != PASSWORD else PRIVATE_KEY
        authextra = {"pubkey": logins.public_key(private_key), "channel_binding": None}
        extra = challenged(session, realm, method, authid, authextra)
        authenticate(session, *logins.answer_cryptosign(extra, private_key))
    return session.receive()


METHODS = [
    ("ticket", "argon2id"),
    ("ticket", "pbkdf2"),
    ("ticket", "plain"),
    ("ticket", "salted"),
    ("ticket", "scram-argon2id"),
    ("wampcra", "plain"),
    ("wampcra", "salted"),
    ("wamp-scram", "scram-argon2id"),
    ("wamp-scram", "scram-pbkdf2"),
    ("cryptosign", "key"),
]
each_method = pytest.mark.parametrize("method,authid", METHODS, ids=lambda value: value)


@both_serializers
@each_method
def test_welcome_says_who_one_is(connect, serializer, method, authid):
    for _ in range(4):  # connections go to the workers in turn
        session = connect(serializer)
        message = log_in(session, "all", method, authid)
        assert message[0] == WELCOME and wamp.is_id(message[1]), message
        details = message[2]
        assert (details["realm"], details["authid"], details["authmethod"]) == ("all", authid, method)
        assert details["authrole"] == ("operator" if authid == "key" else "user")
        assert details["authprovider"] == "static"
        subscription = session.subscribe("com.example.topic")
        session.unsubscribe(subscription)
        session.goodbye()


CLIENTS = [(kind, method) for kind in KINDS for method in ("ticket", "wampcra", "cryptosign")]
CLIENTS += [(kind, "scram") for kind in KINDS if kind.startswith("autobahn-python")]
OF_METHOD = {
    "ticket": ["argon2id", "plain"],
    "wampcra": ["plain", "salted"],
    "scram": ["scram-argon2id"],  # with PBKDF2 this client fails by itself: it hands its own function a text
    "cryptosign": ["key"],
}


@pytest.mark.parametrize("kind,method", CLIENTS, ids=lambda value: value)
def test_real_clients(broker, kind, method):
    driver = Driver(kind)
    try:
        for authid in OF_METHOD[method]:
            proof = {"private_key": PRIVATE_KEY} if method == "cryptosign" else {"secret": PASSWORD}
            auth = {"method": method, "authid": authid, **proof}
            opened = driver.call("open", authid, url=broker.url, realm="all", auth=auth)
            assert (opened["authid"], opened["authmethod"]) == (authid, method)
            assert opened["authrole"] == ("operator" if method == "cryptosign" else "user")
            driver.call("subscribe", authid, topic=f"com.example.{authid}")
            driver.call("close", authid)
        wrong = {"private_key": "11" * 32} if method == "cryptosign" else {"secret": "wrong secret"}
        auth = {"method": method, "authid": OF_METHOD[method][0], **wrong}
        with pytest.raises(DriverError):
            driver.call("open", "wrong", url=broker.url, realm="all", auth=auth)
    finally:
        driver.end()


# ---- Who may not


@both_serializers
@each_method
def test_a_wrong_secret_and_an_unknown_principal_look_the_same(connect, serializer, method, authid):
    """Same messages, same shape of challenge; the realm has one principal, so what is unknown is like it."""
    wrong = "11" * 32 if method == "cryptosign" else "wrong secret"
    aborts, shapes = [], []
    for name in (authid, "nobody", "nobody"):
        session = connect(serializer)
        hello(session, f"only.{authid}", [method], name, authextra(method, wrong))
        extra = session.expect(CHALLENGE, method)[2]
        shapes.append(shape(extra))
        authenticate(session, *answer(method, extra, name, wrong))
        aborts.append(session.expect_abort(DENIED))
    assert aborts[0] == aborts[1] == aborts[2]
    assert shapes[0] == shapes[1] == shapes[2]


@both_serializers
@pytest.mark.parametrize("method,authid", [m for m in METHODS if m[0] in ("wampcra", "wamp-scram")])
def test_the_salt_of_an_unknown_principal_stays(broker, connect, serializer, method, authid):
    """Also at another worker: a principal's does."""
    salts = set()
    for _ in range(4):
        extra = challenged(connect(serializer), f"only.{authid}", method, "nobody", authextra(method, ""))
        salts.add(extra.get("salt"))
        other = challenged(connect(serializer), f"only.{authid}", method, "nobody2", authextra(method, ""))
        assert "salt" not in extra or other["salt"] != extra["salt"]
    assert len(salts) == 1, salts


@both_serializers
@each_method
def test_the_right_secret_of_nobody_is_refused(connect, serializer, method, authid):
    """Whatever the method verifies, somebody has to be there whom it proves."""
    session = connect(serializer)
    secret = "22" * 32 if method == "cryptosign" else PASSWORD
    message = log_in(session, f"only.{authid}", method, "nobody", secret)
    assert (message[0], message[2]) == (ABORT, DENIED)


def authextra(method, secret):
    if method == "wamp-scram":
        return {"nonce": NONCE}
    if method == "cryptosign":
        return {"pubkey": logins.public_key(secret or PRIVATE_KEY)}
    return None


def answer(method, extra, authid, secret):
    if method == "ticket":
        return secret, {}
    if method == "wampcra":
        return logins.answer_wampcra(extra, secret)
    if method == "wamp-scram":
        return logins.answer_scram(extra, authid, NONCE, secret)[0]
    return logins.answer_cryptosign(extra, secret)


def shape(extra):
    """What somebody sees who does not know the secret."""

    def of(name, value):
        if name == "challenge" and value.startswith("{"):
            return re.sub(r'"(authid|nonce|timestamp)":"[^"]*"|"session":\d+', "", value)
        return len(value) if isinstance(value, str) else value

    return {name: of(name, value) for name, value in extra.items()}


@both_serializers
def test_the_first_method_of_the_client_that_the_realm_offers_decides(connect, serializer):
    session = connect(serializer)
    hello(session, "all", ["anonymous", "tls", "unheard-of", "wampcra", "ticket"], "plain")
    assert session.expect(CHALLENGE)[1] == "wampcra"
    for realm, methods in (
        ("all", None),
        ("all", []),
        ("all", ["anonymous"]),
        ("only.key", ["ticket", "wampcra", "scram", "wamp-scram"]),
        ("only.argon2id", ["wampcra"]),
    ):
        session = connect(serializer)
        hello(session, realm, methods, "plain")
        session.expect_abort(NO_METHOD)


BROKEN_HELLOS = {
    "cryptosign without a key": ("cryptosign", "key", {}),
    "cryptosign with half a key": ("cryptosign", "key", {"pubkey": "12" * 16}),
    "cryptosign with a binding": (
        "cryptosign", "key", {"pubkey": logins.public_key(), "channel_binding": "tls-exporter"}),
    "wampcra without authid": ("wampcra", None, None),
    "scram without a nonce": ("wamp-scram", "scram-pbkdf2", {}),
    "scram with a short nonce": ("wamp-scram", "scram-pbkdf2", {"nonce": "AAAA"}),
    "scram without authid": ("wamp-scram", None, {"nonce": NONCE}),
    "scram with a binding": (
        "wamp-scram", "scram-pbkdf2", {"nonce": NONCE, "channel_binding": "tls-exporter"}),
    "a long authid": ("ticket", "x" * 2000, None),
}


@both_serializers
@pytest.mark.parametrize("name", BROKEN_HELLOS)
def test_a_hello_that_lacks_what_its_method_needs(connect, serializer, name):
    method, authid, extra = BROKEN_HELLOS[name]
    session = connect(serializer)
    hello(session, "all", [method], authid, extra)
    message = session.expect_abort(FAILED)
    assert message[1]["message"], message


@both_serializers
@pytest.mark.parametrize("extra", [{}, {"nonce": "AAAA"}, {"nonce": 7}, {"cbind_data": "AAAA"}], ids=str)
def test_scram_with_another_extra_is_refused(connect, serializer, extra):
    session = connect(serializer)
    challenge = challenged(session, "all", "wamp-scram", "scram-pbkdf2", {"nonce": NONCE})
    (signature, right), _ = logins.answer_scram(challenge, "scram-pbkdf2", NONCE)
    changed = {**right, **extra} if extra else {}
    authenticate(session, signature, changed)
    session.expect_abort(DENIED)


@both_serializers
def test_an_answer_counts_for_its_own_challenge_only(connect, serializer):
    first, second = connect(serializer), connect(serializer)
    extra = challenged(first, "all", "wampcra", "plain")
    challenged(second, "all", "wampcra", "plain")
    authenticate(second, *logins.answer_wampcra(extra))
    second.expect_abort(DENIED)
    authenticate(first, *logins.answer_wampcra(extra))
    welcome = first.expect(WELCOME)
    assert f'"session":{welcome[1]}' in extra["challenge"].replace(" ", "")


# ---- The state between HELLO and WELCOME


@both_serializers
@pytest.mark.parametrize(
    "message",
    [[HELLO, "all", {"roles": ROLES}], [SUBSCRIBE, 1, {}, "a.topic"], [WELCOME, 1, {}], [CHALLENGE, "ticket", {}]],
    ids=lambda message: str(message[0]),
)
def test_nothing_but_authenticate_after_a_challenge(connect, serializer, message):
    session = connect(serializer)
    challenged(session, "all", "ticket", "plain")
    session.send(message)
    session.expect_abort()


@both_serializers
def test_a_second_authenticate_is_a_violation(connect, serializer):
    session = connect(serializer)
    challenged(session, "all", "ticket", "argon2id")
    session.send([AUTHENTICATE, "wrong secret", {}], [AUTHENTICATE, PASSWORD, {}])
    session.expect_abort()


@both_serializers
def test_the_client_may_give_up(connect, serializer):
    session = connect(serializer)
    challenged(session, "all", "ticket", "plain")
    session.send([ABORT, {}, "wamp.error.cannot_authenticate"])
    session.connection.expect_close(1000)
    session = connect(serializer)
    challenged(session, "all", "ticket", "plain")
    session.send([GOODBYE, {}, "wamp.close.close_realm"])
    assert session.expect(GOODBYE)[2] == "wamp.close.goodbye_and_out"


@both_serializers
def test_another_session_on_the_same_connection_logs_in_anew(connect, serializer):
    session = connect(serializer)
    first = log_in(session, "all", "wampcra", "plain")
    session.goodbye()
    second = log_in(session, "all", "cryptosign", "key")
    assert second[2]["authid"] == "key" and second[1] != first[1]
    session.goodbye()
    message = log_in(session, "all", "wampcra", "plain", "wrong secret")
    assert (message[0], message[2]) == (ABORT, DENIED)


def test_a_challenge_that_is_not_answered_in_time(configured):
    broker = configured(configuration(), "--handshake-timeout", 0.3)
    session = Session.open(broker.url)
    challenged(session, "all", "ticket", "plain")
    session.expect_abort(FAILED)
    session.drop()
    broker.wait_total("connections", 0)


# ---- Work that takes its time


def test_a_worker_goes_on_while_a_key_is_derived(start_broker, tmp_path):
    slow = argon2.PasswordHasher(time_cost=24, memory_cost=65536, parallelism=1).hash(PASSWORD)
    path = tmp_path / "ringcast.toml"
    realm = REALM.format(name="all").replace('"all"\n', '"all"\nanonymous = "user"\n')
    path.write_text(realm + PRINCIPAL.format(authid="slow", role="user", secret=slow))
    broker = start_broker("--processes", 1, "--threads", 1, "--config", path)
    busy, other = Session.open(broker.url), Session.open(broker.url)
    other.join("all")
    challenged(busy, "all", "ticket", "slow")
    authenticate(busy, PASSWORD)
    acknowledged = 0
    busy.connection.socket.setblocking(False)
    while True:
        other.publish("com.example.topic", acknowledged)
        acknowledged += 1
        try:
            if busy.connection.socket.recv(1, 2):  # MSG_PEEK
                break
        except BlockingIOError:
            pass
    busy.connection.socket.settimeout(TIMEOUT_S)
    busy.expect(WELCOME)
    assert acknowledged >= 10
    for session in (busy, other):
        session.drop()


def test_a_connection_that_goes_while_its_key_is_derived(broker, connect):
    for _ in range(20):
        session = connect()
        challenged(session, "all", "ticket", "argon2id")
        authenticate(session, PASSWORD)
        session.drop()
    assert log_in(connect(), "all", "ticket", "argon2id")[0] == WELCOME


# ---- Attempts are limited


def test_attempts_of_an_address_are_limited(start_broker, tmp_path):
    path = tmp_path / "ringcast.toml"
    path.write_text(
        "[authentication]\nattempts_burst = 3\nattempt_interval_ms = 3600000\nrefusal_delay_ms = 0\n"
        + REALM.format(name="all") + PRINCIPAL.format(authid="plain", role="user", secret=logins.plain())
    )
    broker = start_broker("--processes", 1, "--threads", 1, "--config", path)

    def attempt(secret):
        session = Session.open(broker.url)
        message = log_in(session, "all", "wampcra", "plain", secret)
        session.drop()
        return message

    for _ in range(10):  # who succeeds is never limited
        assert attempt(PASSWORD)[0] == WELCOME
    for _ in range(3):
        assert attempt("wrong secret")[2] == DENIED
    for secret in ("wrong secret", PASSWORD):
        message = attempt(secret)
        assert (message[0], message[2]) == (ABORT, "ringcast.error.limit_exceeded")
        assert "try again in" in message[1]["message"]
    broker.log.wait_for(re.compile("login refused .*too many failed attempts"))


def test_log_lines_are_not_a_strangers_to_write(configured):
    broker = configured(configuration())
    session = Session.open(broker.url)
    message = log_in(session, "all", "wampcra", "x\ninfo ready pid=1\x1b[31m", "wrong secret")
    assert message[2] == DENIED
    found, _ = broker.log.wait_for(re.compile(r"login refused (.*)"))
    assert 'realm="all" method=wampcra authid="x?info?ready?pid=1?[31m" address=127.0.0.1:' in found[1], found[1]
    session.drop()
