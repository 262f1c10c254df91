"""autobahn-python, PyJWT and argon2-cffi, asked by the tests of auth/.

Standard input is a JSON list of requests, each {"op": NAME, ...}; standard output the list of answers.
"""

import asyncio
import json
import sys

import argon2
import jwt
import txaio

txaio.use_asyncio()
txaio.config.loop = asyncio.new_event_loop()

from autobahn.wamp import auth, cryptosign, types  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: E402


def cra(request):
    authenticator = auth.AuthWampCra(authid=request["authid"], secret=request["secret"])
    return authenticator.on_challenge(None, types.Challenge("wampcra", request["extra"]))


def sign(request):
    key = cryptosign.CryptosignKey.from_bytes(bytes.fromhex(request["private_key"]))
    channel_id = request.get("channel_id")
    reply = key.sign_challenge(
        types.Challenge("cryptosign", {"challenge": request["challenge"]}),
        channel_id=bytes.fromhex(channel_id) if channel_id else None,
        channel_id_type="tls-unique" if channel_id else None,
    )
    return {"public_key": key.public_key(), "reply": txaio.config.loop.run_until_complete(reply)}


class Quiet:
    def __getattr__(self, name):
        return lambda *args, **kwargs: None


class Session:
    log = Quiet()


def scram(request):
    """Answers a challenge and judges both verifiers: the right one and a wrong one."""
    authenticator = auth.AuthScram(authid=request["authid"], password=request["password"])
    authenticator._client_nonce = request["nonce"]
    proof = authenticator.on_challenge(Session(), types.Challenge("scram", request["extra"]))
    return {
        "proof": proof.decode(),
        "takes": {
            verifier: authenticator.on_welcome(Session(), {"scram_server_signature": verifier}) is None
            for verifier in request["verifiers"]
        },
    }


def jwt_sign(request):
    """A token of each algorithm, and the keys in PEM and as a JWK Set."""
    keys = {
        "RS256": rsa.generate_private_key(65537, 2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }
    algorithms = jwt.algorithms.get_default_algorithms()
    tokens = {"HS256": jwt.encode(request["claims"], request["secret"], "HS256")}
    pems, jwks = {}, []
    for name, key in keys.items():
        tokens[name] = jwt.encode(request["claims"], key, name, headers={"kid": name})
        pems[name] = (
            key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )
        # PyJWT 2.6 writes no EC keys as JWK.
        if name != "ES256":
            jwk = json.loads(algorithms[name].to_jwk(key.public_key()))
            jwks.append({**jwk, "kid": name})
    return {"tokens": tokens, "pems": pems, "jwks": json.dumps({"keys": jwks})}


def jwt_read(request):
    return jwt.decode(request["token"], request["key"], [request["algorithm"]])


def argon2_hash(request):
    hasher = argon2.PasswordHasher(time_cost=2, memory_cost=256, parallelism=2)
    return hasher.hash(request["password"])


def argon2_verify(request):
    try:
        return argon2.PasswordHasher().verify(request["hash"], request["password"])
    except argon2.exceptions.VerifyMismatchError:
        return False


OPERATIONS = [cra, sign, scram, jwt_sign, jwt_read, argon2_hash, argon2_verify]

by_name = {operation.__name__: operation for operation in OPERATIONS}
print(json.dumps([by_name[request["op"]](request) for request in json.load(sys.stdin)]))
