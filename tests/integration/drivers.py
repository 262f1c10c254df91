"""Third-party WAMP clients, each in a process of its own, driven by JSON lines.

To a driver: {"id": N, "op": "open|subscribe|unsubscribe|publish|register|call|close", "session": NAME, ...}.
To log in, "open" has "auth": {"method", "authid", "secret" or (cryptosign) "private_key", hex}; its answer says authid,
authrole and authmethod.
From it: {"id": N, ...} as the answer ("error" if it failed), {"event": SESSION, "topic", "args", "kwargs", "details"} for
each event ("topic": what was subscribed to), {"closed": SESSION, "reason"} when a session ends, {"reconnected": SESSION} when it is back. Bytes are {"$bytes": base64} on both ways.
"""

import base64
import itertools
import json
import pathlib
import queue
import subprocess
import threading

from wsraw import TIMEOUT_S

HERE = pathlib.Path(__file__).resolve().parent

# Kind -> command.
KINDS = {
    "autobahn-js json": ["node", "clients/autobahn_js.mjs", "json"],
    "autobahn-js msgpack": ["node", "clients/autobahn_js.mjs", "msgpack"],
    "wampy json": ["node", "clients/wampy.mjs", "json"],
    "wampy msgpack": ["node", "clients/wampy.mjs", "msgpack"],
    "autobahn-python json": ["/usr/bin/python3", "clients/autobahn_py.py", "json"],
    "autobahn-python msgpack": ["/usr/bin/python3", "clients/autobahn_py.py", "msgpack"],
}

# What these clients offer unless told otherwise: several subprotocols, among them ones that nobody speaks.
DEFAULTS = {
    "autobahn-js default": ["node", "clients/autobahn_js.mjs", "default"],
    "autobahn-python default": ["/usr/bin/python3", "clients/autobahn_py.py", "default"],
}


def require_package(name):
    """A missing dependency is a failure, not a reason to skip."""
    assert (HERE / "node_modules" / name).is_dir(), (
        f"npm package {name} is not installed in {HERE}/node_modules: run ./dev test, which installs it"
    )


def wrap(value):
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [wrap(item) for item in value]
    if isinstance(value, dict):
        return {k: wrap(v) for k, v in value.items()}
    return value


def unwrap(value):
    if isinstance(value, list):
        return [unwrap(item) for item in value]
    if isinstance(value, dict):
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        if "$bigint" in value:  # wampy's MessagePack decoder turns 64-bit integers into BigInt
            return int(value["$bigint"])
        return {k: unwrap(v) for k, v in value.items()}
    return value


class DriverError(AssertionError):
    """The client answered an operation with an error; its text."""


class Driver:
    def __init__(self, kind):
        if kind.startswith(("autobahn-js", "wampy")):
            require_package("autobahn" if kind.startswith("autobahn") else "wampy")
        self.kind = kind
        self.serializer = kind.split()[1]
        self._numbers = itertools.count(1)
        self._answers = {}
        self._events = {}
        self.closed = {}
        self.reconnected = set()
        self._changed = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(
            {**KINDS, **DEFAULTS}[kind], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            if not line.startswith("{"):
                continue
            got = json.loads(line)
            with self._changed:
                if "event" in got:
                    events = self._queue(got["event"], got["topic"])
                    details = {key: value for key, value in unwrap(got["details"]).items() if value is not None}
                    events.put((unwrap(got["args"]), unwrap(got["kwargs"]), details))
                elif "closed" in got:
                    self.closed[got["closed"]] = got["reason"]
                elif "reconnected" in got:
                    self.reconnected.add(got["reconnected"])
                elif "id" in got:
                    self._answers[got["id"]] = got
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _queue(self, session, topic):
        return self._events.setdefault((session, topic), queue.Queue())

    def send(self, op, session, **fields):
        """Sends a command without waiting; a number for answer()."""
        number = next(self._numbers)
        command = {"id": number, "op": op, "session": session, **fields}
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return number

    def answer(self, number):
        with self._changed:
            done = self._changed.wait_for(lambda: number in self._answers or self._ended, TIMEOUT_S)
            assert done and number in self._answers, f"{self.kind}: no answer to command {number}"
            got = self._answers.pop(number)
        if "error" in got:
            raise DriverError(f"{self.kind}: {got['error']}")
        return got

    def call(self, op, session, **fields):
        return self.answer(self.send(op, session, **fields))

    def publish(self, session, topic, args, kwargs, **options):
        return self.call("publish", session, topic=topic, args=wrap(args), kwargs=wrap(kwargs), options=options)

    def subscribe(self, session, topic, **options):
        return self.call("subscribe", session, topic=topic, options=options)["subscription"]

    def rpc(self, session, procedure, args, kwargs, **options):
        """(args, kwargs, progressive results) of a call."""
        got = self.call("call", session, procedure=procedure, args=wrap(args), kwargs=wrap(kwargs), options=options)
        return unwrap(got["args"]), unwrap(got["kwargs"]), unwrap(got["progress"])

    def next_event(self, session, topic):
        """(args, kwargs) of the next event of that topic that the session received."""
        return self.next_event_and_details(session, topic)[:2]

    def next_event_and_details(self, session, topic):
        """The same with those of the details that the client tells: publisher and its authid and authrole, topic,
        retained."""
        with self._changed:
            events = self._queue(session, topic)
        try:
            return events.get(timeout=TIMEOUT_S)
        except queue.Empty:
            raise AssertionError(f"{self.kind}: {session} got no event of {topic}") from None

    def pending(self, session, topic):
        """How many events of that topic have come in and were not asked for."""
        with self._changed:
            return self._queue(session, topic).qsize()

    def wait_closed(self, session):
        with self._changed:
            assert self._changed.wait_for(lambda: session in self.closed or self._ended, TIMEOUT_S)
            return self.closed.get(session)

    def wait_reconnected(self, session):
        with self._changed:
            done = self._changed.wait_for(lambda: session in self.reconnected or self._ended, TIMEOUT_S)
            assert done and session in self.reconnected, f"{self.kind}: {session} did not come back"

    def end(self):
        """Ends the client process by closing its standard input."""
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
