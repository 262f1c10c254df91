"""ringcast-cli logs in by every method, with secrets that it made itself, and the broker answers for who it is."""

import re

import pytest

from cli import Cli, result, run

PASSWORD = "correct horse battery"


def made(*words, input=None):
    code, out, err = run(*words, input=input)
    assert code == 0, err
    return out.strip()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A broker's configuration and the files with which clients log in."""
    path = tmp_path_factory.mktemp("login")
    hashed = {method: made("genhash", "--method", method, *cheap, input=PASSWORD) for method, cheap in (
        ("argon2id", ["--memory-kib", "8192", "--iterations", "1"]), ("wampcra", []), ("plain", []),
        ("scram-argon2id", ["--memory-kib", "8192", "--iterations", "2"]), ("scram-pbkdf2", ["--iterations", "4096"]))}
    device = made("genkey", "cryptosign", "--out", path / "device.key")
    (path / "issuer.pub").write_text(made("genkey", "es256", "--out", path / "issuer.key") + "\n")
    for name, text in (("right", PASSWORD), ("wrong", PASSWORD + "!"), ("token", made(
            "gentoken", "--key", path / "issuer.key", "--sub", "tina", "--role", "user"))):
        (path / name).write_text(text + "\n")
        (path / name).chmod(0o600)
    made("genkey", "cryptosign", "--out", path / "stranger.key")
    principals = "\n".join(
        f'[[realm.principal]]\nauthid = "{method}"\nrole = "user"\nsecrets = ["{text}"]\n' for method, text in hashed.items())
    (path / "broker.toml").write_text(f"""
[[realm]]
name = "realm1"

[[realm.role]]
name = "user"
rules = [{{ uri = "", match = "prefix", allow = ["publish", "subscribe", "call", "register"] }}]

{principals}
[[realm.principal]]
authid = "device"
role = "user"
public_keys = ["{device}"]

[realm.jwt]
key_files = ["{path / 'issuer.pub'}"]
""")
    return path


@pytest.fixture
def broker(start_broker, house):
    return start_broker("--processes", 2, "--threads", 1, "--config", house / "broker.toml")


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
@pytest.mark.parametrize(("authid", "words"), [
    ("argon2id", ["--ticket-file", "right"]),
    ("plain", ["--ticket-file", "right"]),
    ("plain", ["--secret-file", "right", "--authmethod", "wampcra"]),
    ("wampcra", ["--secret-file", "right", "--authmethod", "wampcra"]),
    ("scram-argon2id", ["--secret-file", "right"]),
    ("scram-argon2id", ["--secret-file", "right", "--authmethod", "scram"]),
    ("scram-pbkdf2", ["--secret-file", "right", "--authmethod", "wamp-scram"]),
    ("device", ["--key-file", "device.key"]),
    ("tina", ["--ticket-file", "token"]),
], ids=lambda value: "-".join(value).replace("--", "") if isinstance(value, list) else value)
def test_who_has_the_secret_is_let_in(broker, house, authid, words, serializer):
    """The callee is told who calls, by the router."""
    login = [str(house / word) if (house / word).exists() else word for word in words]
    common = ["--url", broker.url, "--serializer", serializer, "--authid", authid, *login]
    callee = Cli("register", "login.who", *common, "--", "cat")
    try:
        callee.errors.wait_for(re.compile(r"^registered login\.who \d+$"))
        got = result("call", "login.who", "--disclose", *common)
        assert (got["caller_authid"], got["caller_authrole"]) == (authid, "user"), got
    finally:
        callee.end()


@pytest.mark.parametrize(("authid", "words"), [
    ("argon2id", ["--ticket-file", "wrong"]),
    ("wampcra", ["--secret-file", "wrong", "--authmethod", "wampcra"]),
    ("scram-argon2id", ["--secret-file", "wrong"]),
    ("nobody", ["--secret-file", "right"]),
    ("device", ["--key-file", "stranger.key"]),
], ids=lambda value: "-".join(value).replace("--", "") if isinstance(value, list) else value)
def test_who_has_not_is_refused(broker, house, authid, words):
    login = [str(house / word) if (house / word).exists() else word for word in words]
    code, out, err = run("call", "login.who", "--url", broker.url, "--authid", authid, *login)
    assert (code, out) == (3, "") and "wamp.error." in err, (code, err)


def test_who_does_not_log_in_is_refused(broker):
    code, _, err = run("publish", "login.topic", "1", "--url", broker.url)
    assert code == 3 and "wamp.error." in err, err
