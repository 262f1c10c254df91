"""ringcast-cli genhash, genkey and gentoken: what they make, judged by other implementations."""

import base64
import hashlib
import json
import os
import pty
import stat
import subprocess
import time

import argon2
import jwt
import pytest

import broker as broker_module
from cli import run

PASSWORD = "correct horse ä€"


def raw(text):
    return base64.b64decode(text + "=" * (-len(text) % 4))


def genhash(*words):
    code, out, err = run("genhash", *words, input=PASSWORD + "\n")
    assert code == 0, err
    return out.rstrip("\n")


def test_argon2id_verifies_elsewhere():
    text = genhash("--memory-kib", 1024)
    assert text.startswith("$argon2id$v=19$m=1024,t=3,p=1$")
    assert argon2.PasswordHasher().verify(text, PASSWORD)
    assert genhash("--memory-kib", 1024) != text  # a salt of its own


def test_pbkdf2_verifies_elsewhere():
    _, name, cost, salt, digest = genhash("--method", "pbkdf2", "--iterations", 1000).split("$")
    assert (name, cost) == ("pbkdf2-sha256", "i=1000,l=32")
    assert hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), raw(salt), 1000) == raw(digest)


def test_wampcra_keeps_the_key_that_clients_derive():
    _, name, cost, salt, key = genhash("--method", "wampcra").split("$")
    assert (name, cost) == ("wampcra", "i=10000,l=32")
    raw(salt).decode()  # travels as text
    assert hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), raw(salt), 10000) == raw(key)


def test_scram_keeps_stored_and_server_key():
    _, name, cost, salt, keys = genhash("--method", "scram-pbkdf2", "--iterations", 5000).split("$")
    assert (name, cost) == ("scram-pbkdf2-sha256", "i=5000")
    import hmac
    salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), raw(salt), 5000)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    assert raw(keys) == stored + hmac.digest(salted, b"Server Key", "sha256")
    assert genhash("--method", "scram-argon2id", "--memory-kib", 1024).startswith("$scram-argon2id$v=19$m=1024,t=3,p=1$")


def test_plain_is_the_password_itself():
    assert raw(genhash("--method", "plain").removeprefix("$plain$")).decode() == PASSWORD


def type_into_terminal(*typed):
    """What ringcast-cli genhash shows on a terminal where this is typed, one line per prompt, and its exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        program = broker_module.executable("ringcast-cli")
        os.execv(program, [program, "genhash", "--method", "plain"])
    shown = b""
    prompts = 0
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
            if prompts < len(typed) and shown.count(b": ") > prompts:
                os.write(terminal, typed[prompts].encode() + b"\n")
                prompts += 1
    except OSError:  # what a terminal answers once the program has ended
        pass
    os.close(terminal)
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_the_terminal_is_asked_twice_and_shows_nothing():
    shown, code = type_into_terminal("sesame-sesame", "sesame-sesame")
    assert code == 0 and "sesame" not in shown, shown
    assert base64.b64encode(b"sesame-sesame").decode().rstrip("=") in shown
    shown, code = type_into_terminal("sesame-sesame", "sesame-sesamo")
    assert code == 2 and "differ" in shown and "$plain$" not in shown, shown


@pytest.mark.parametrize(("kind", "algorithm"), [("es256", "ES256"), ("eddsa", "EdDSA"), ("rs256", "RS256")])
def test_a_token_verifies_with_the_public_key(tmp_path, kind, algorithm):
    key = tmp_path / "key.pem"
    code, public, err = run("genkey", kind, "--out", key)
    assert code == 0, err
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    code, token, err = run("gentoken", "--key", key, "--kid", "k1", "--sub", "joe", "--role", "user", "--iss", "me",
                           "--aud", "you", "--ttl", 100, "--claim", "n=5", "--claim", "t=text")
    assert (code, err) == (0, ""), err
    assert jwt.get_unverified_header(token.strip())["kid"] == "k1"
    claims = jwt.decode(token.strip(), public, algorithms=[algorithm], audience="you", issuer="me")
    assert claims.pop("exp") - claims["iat"] == 100 and abs(claims.pop("iat") - time.time()) < 60
    assert claims == {"sub": "joe", "role": "user", "iss": "me", "aud": "you", "n": 5, "t": "text"}


def test_a_shared_secret_is_a_jwk_set(tmp_path):
    key = tmp_path / "hs.jwks"
    code, public, err = run("genkey", "hs256", "--out", key, "--kid", "k9")
    assert (code, public) == (0, "") and "share" in err
    jwk = json.loads(key.read_text())["keys"][0]
    code, token, err = run("gentoken", "--key", key, "--sub", "joe", "--exp", 4102444800)
    assert code == 0, err
    secret = base64.urlsafe_b64decode(jwk["k"] + "=")
    assert len(secret) == 32
    assert jwt.decode(token.strip(), secret, algorithms=["HS256"])["exp"] == 4102444800
    single = tmp_path / "hs.jwk"
    single.write_text(json.dumps(jwk))
    assert run("gentoken", "--key", single, "--sub", "joe")[0] == 0


def test_a_cryptosign_key_is_one_that_others_read(tmp_path):
    key = tmp_path / "key"
    code, public, err = run("genkey", "cryptosign", "--out", key)
    assert code == 0 and len(public.strip()) == 64, err
    told = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], capture_output=True, check=True)
    assert told.stdout[-32:].hex() == public.strip()


def test_a_key_is_never_overwritten(tmp_path):
    key = tmp_path / "key"
    assert run("genkey", "eddsa", "--out", key)[0] == 0
    before = key.read_text()
    code, out, err = run("genkey", "eddsa", "--out", key)
    assert code == 2 and not out and "exist" in err
    assert key.read_text() == before


def test_unusable_input_is_exit_code_two(tmp_path):
    public = tmp_path / "public.pem"
    public.write_text(run("genkey", "eddsa", "--out", tmp_path / "key")[1])
    for words in (["genhash", "--method", "md5"], ["genhash", "--memory-kib", 1], ["genkey", "dsa", "--out", tmp_path / "x"],
                  ["genkey", "eddsa", "--out", "/no/such/directory/x"], ["gentoken", "--sub", "x"],
                  ["gentoken", "--key", public, "--sub", "x"], ["gentoken", "--key", "/dev/null", "--sub", "x"],
                  ["gentoken", "--key", tmp_path / "key", "--sub", "x", "--claim", "sub=y"]):
        code, out, err = run(*words, input="secret\n")
        assert code == 2 and err and not out, (words, code, err)
    assert run("genhash", input="")[0] == 2
