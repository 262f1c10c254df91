"""What tests of authentication share: principals with their secrets, as configurations and clients know them, and
tokens. Written with Python's own libraries, so nothing of the broker vouches for itself."""

import base64
import hashlib
import hmac
import json
import time

import argon2
import argon2.low_level
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from wamp import AUTHENTICATE, CHALLENGE, HELLO, ROLES

PASSWORD = "correct horse battery staple"
PRIVATE_KEY = "4ffddd896a530ce5ee8c86b83b0d31835490a97a9cd718cb2f09c9fd31c4a7d7"


def b64(data):
    return base64.b64encode(data).decode()


def unpadded(data):
    return b64(data).rstrip("=")


def public_key(private_key=PRIVATE_KEY):
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private_key))
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    return key.public_key().public_bytes(*raw).hex()


# ---- Secrets as the configuration has them (auth/credential.h)


def plain(secret=PASSWORD):
    return f"$plain${unpadded(secret.encode())}"


def argon2id(secret=PASSWORD):
    return argon2.PasswordHasher(time_cost=2, memory_cost=1024, parallelism=1).hash(secret)


def pbkdf2(secret=PASSWORD, iterations=1000):
    hashed = hashlib.pbkdf2_hmac("sha256", secret.encode(), b"salt-of-16-bytes", iterations)
    return f"$pbkdf2-sha256$i={iterations},l=32${unpadded(b'salt-of-16-bytes')}${unpadded(hashed)}"


def wampcra(secret=PASSWORD, salt="c2FsdCBvZiBhIHByaW5jaXBhbA==", iterations=1000):
    key = hashlib.pbkdf2_hmac("sha256", secret.encode(), salt.encode(), iterations)
    return f"$wampcra$i={iterations},l=32${unpadded(salt.encode())}${unpadded(key)}"


def _stored_and_server_key(salted):
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hashlib.sha256(client_key).digest() + hmac.digest(salted, b"Server Key", "sha256")


def _argon2_raw(secret, salt, memory, iterations):
    kind = argon2.low_level.Type.ID
    return argon2.low_level.hash_secret_raw(secret.encode(), salt, iterations, memory, 1, 32, kind)


def scram_argon2id(secret=PASSWORD, salt=b"salt-of-16-bytes", memory=4096, iterations=2):
    raw = _argon2_raw(secret, salt, memory, iterations)
    keys = _stored_and_server_key(raw) + _stored_and_server_key(unpadded(raw).encode())
    return f"$scram-argon2id$v=19$m={memory},t={iterations},p=1${unpadded(salt)}${unpadded(keys)}"


def scram_pbkdf2(secret=PASSWORD, salt=b"salt-of-16-bytes", iterations=4096):
    raw = hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, iterations)
    return f"$scram-pbkdf2-sha256$i={iterations}${unpadded(salt)}${unpadded(_stored_and_server_key(raw))}"


# ---- Answers to challenges, by hand


def answer_wampcra(extra, secret=PASSWORD):
    key = secret.encode()
    if "salt" in extra:
        key = b64(
            hashlib.pbkdf2_hmac("sha256", key, extra["salt"].encode(), extra["iterations"], extra["keylen"])
        ).encode()
    return b64(hmac.digest(key, extra["challenge"].encode(), "sha256")), {}


def answer_cryptosign(extra, private_key=PRIVATE_KEY):
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private_key))
    message = bytes.fromhex(extra["challenge"])
    return (key.sign(message) + message).hex(), {}


def salted_password(extra, secret):
    salt = base64.b64decode(extra["salt"])
    if extra["kdf"] == "pbkdf2":
        return hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, extra["iterations"])
    assert extra["kdf"] == "argon2id13"
    return _argon2_raw(secret, salt, extra["memory"], extra["iterations"])


def answer_scram(extra, authid, nonce, secret=PASSWORD):
    """wamp-scram as the specification has it: the answer, and the verifier to expect in WELCOME."""
    salted = salted_password(extra, secret)
    message = (
        f"n={authid},r={nonce},r={extra['nonce']},s={extra['salt']},i={extra['iterations']},"
        f"c={b64(b'n,,')},r={extra['nonce']}"
    ).encode()
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature))
    verifier = b64(hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256"))
    return (b64(proof), {"nonce": extra["nonce"], "channel_binding": None, "cbind_data": None}), verifier


# ---- Tokens


def jwk(secret, kid="one"):
    return json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "kid": kid, "k": base64.urlsafe_b64encode(
        secret.encode()).decode().rstrip("=")}]})


def token(secret, kid="one", expires_in_s=600, **claims):
    claims = {"sub": "tess", "role": "user", "exp": int(time.time()) + expires_in_s, **claims}
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, secret, "HS256", headers={"kid": kid})


# ---- Frames


def hello(session, realm, methods, authid=None, authextra=None):
    details = {"roles": ROLES}
    if methods is not None:
        details["authmethods"] = methods
    if authid is not None:
        details["authid"] = authid
    if authextra is not None:
        details["authextra"] = authextra
    session.send([HELLO, realm, details])


def challenged(session, realm, method, authid=None, authextra=None):
    """CHALLENGE.Extra of a HELLO for this method."""
    hello(session, realm, [method], authid, authextra)
    message = session.expect(CHALLENGE, method)
    assert len(message) == 3 and isinstance(message[2], dict), message
    return message[2]


def authenticate(session, signature, extra=None):
    session.send([AUTHENTICATE, signature, extra or {}])
