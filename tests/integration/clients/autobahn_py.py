"""Drives python3-autobahn, unchanged. Argument: json or msgpack, or default for what it offers by itself.

See drivers.py for the lines it speaks.
"""

import asyncio
import base64
import json
import sys

from autobahn.asyncio.wamp import ApplicationRunner, ApplicationSession, Session
from autobahn.wamp.auth import create_authenticator
from autobahn.wamp.serializer import JsonSerializer, MsgPackSerializer
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import CallOptions, CallResult, PublishOptions, RegisterOptions, SubscribeOptions

SERIALIZER = {"json": JsonSerializer, "msgpack": MsgPackSerializer, "default": None}[sys.argv[1]]
sessions = {}
subscriptions = {}


def report(**fields):
    print(json.dumps(fields), flush=True)


def unwrap(value):
    if isinstance(value, list):
        return [unwrap(item) for item in value]
    if isinstance(value, dict):
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        return {k: unwrap(v) for k, v in value.items()}
    return value


def wrap(value):
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, (list, tuple)):
        return [wrap(item) for item in value]
    if isinstance(value, dict):
        return {k: wrap(v) for k, v in value.items()}
    return value


def authenticator(method, authid, secret=None, private_key=None):
    """The client's own for this method; see drivers.py."""
    if method == "cryptosign":
        return create_authenticator(method, authid=authid, privkey=private_key)
    return create_authenticator(method, authid=authid, **{SECRET_NAMES[method]: secret})


SECRET_NAMES = {"ticket": "ticket", "wampcra": "secret", "scram": "password"}


async def open_session(session, url, realm, auth=None):
    joined = asyncio.get_running_loop().create_future()

    # Only Session knows authenticators.
    class Driven(Session if auth else ApplicationSession):
        def onJoin(self, details):
            joined.set_result(details)

        def onLeave(self, details):
            report(closed=session, reason=details.reason)
            if not joined.done():
                joined.set_exception(RuntimeError(f"{details.reason}: {details.message}"))
            self.disconnect()

    # The runner's coroutine connects; the session that it makes is the one that we drive.
    made = []

    def make(config):
        made.append(Driven(config))
        if auth:
            made[0].add_authenticator(authenticator(**auth))
        return made[0]

    runner = ApplicationRunner(url, realm, serializers=SERIALIZER and [SERIALIZER()])
    await runner.run(make, start_loop=False)
    details = await joined
    sessions[session] = made[0]
    return {
        "session_id": str(details.session),
        "protocol": made[0]._transport.websocket_protocol_in_use,
        "authid": details.authid,
        "authrole": details.authrole,
        "authmethod": details.authmethod,
    }


async def subscribe(session, topic, options=None):
    def handler(*args, details=None, **kwargs):
        names = ("publisher", "publisher_authid", "publisher_authrole", "topic", "retained")
        told = {name: getattr(details, name) for name in names}
        report(event=session, topic=topic, args=wrap(args), kwargs=wrap(kwargs), details=told)

    options = SubscribeOptions(details_arg="details", **(options or {}))
    subscription = await sessions[session].subscribe(handler, topic, options=options)
    subscriptions[session, topic] = subscription
    return {"subscription": subscription.id}


async def unsubscribe(session, topic):
    await subscriptions.pop((session, topic)).unsubscribe()
    return {}


async def publish(session, topic, args=(), kwargs=None, options=None):
    published = sessions[session].publish(
        topic, *unwrap(list(args)), options=PublishOptions(**(options or {})), **unwrap(kwargs or {})
    )
    publication = await published if published is not None else None
    return {"publication": str(publication.id) if publication else None}


async def register(session, procedure, options=None, answers=None):
    """The endpoint returns what it is called with; "progress" first sends so many progressive results.

    With `answers` it reports what it is called with as an event, and returns the answer for its second argument,
    or else the one for "".
    """

    def decider(*args):
        report(event=session, topic=procedure, args=wrap(list(args)), kwargs={}, details={})
        return answers.get(args[1], answers[""])

    if answers is not None:
        return {"registration": (await sessions[session].register(decider, procedure)).id}

    def endpoint(*args, details=None, **kwargs):
        if args and args[0] == "fail":
            raise ApplicationError("app.error.asked", *args[1:], **kwargs)
        if args and args[0] == "progress":
            for n in range(args[1]):
                details.progress(n)
        return CallResult(*args, **kwargs)

    options = RegisterOptions(details_arg="details", **(options or {}))
    registration = await sessions[session].register(endpoint, procedure, options=options)
    return {"registration": registration.id}


async def call(session, procedure, args=(), kwargs=None, options=None):
    progress = []
    options = dict(options or {})
    if options.pop("receive_progress", False):
        options["on_progress"] = lambda *some, **_: progress.append(wrap(some[0]))
    result = await sessions[session].call(
        procedure, *unwrap(list(args)), options=CallOptions(**options), **unwrap(kwargs or {})
    )
    if isinstance(result, CallResult):
        return {"args": wrap(result.results), "kwargs": wrap(result.kwresults), "progress": progress}
    return {"args": [] if result is None else [wrap(result)], "kwargs": {}, "progress": progress}


async def close(session):
    sessions[session].leave()
    return {}


OPERATIONS = {
    "open": open_session,
    "subscribe": subscribe,
    "unsubscribe": unsubscribe,
    "publish": publish,
    "register": register,
    "call": call,
    "close": close,
}


async def answer(command):
    number, operation = command.pop("id"), command.pop("op")
    try:
        report(id=number, **await OPERATIONS[operation](**command))
    except Exception as error:
        report(id=number, error=str(getattr(error, "error", None) or error))


async def main():
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    running = set()
    while line := await lines.readline():
        task = loop.create_task(answer(json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


asyncio.run(main())
