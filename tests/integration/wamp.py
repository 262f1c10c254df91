"""WAMP over a raw WebSocket connection: lists in, lists out, in both serializers, nothing automatic."""

import json
import math

import msgpack

import wsraw

HELLO, WELCOME, ABORT, CHALLENGE, AUTHENTICATE, GOODBYE, ERROR = 1, 2, 3, 4, 5, 6, 8
PUBLISH, PUBLISHED, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED, EVENT = 16, 17, 32, 33, 34, 35, 36
CALL, CANCEL, RESULT, REGISTER, REGISTERED, UNREGISTER, UNREGISTERED = 48, 49, 50, 64, 65, 66, 67
INVOCATION, INTERRUPT, YIELD = 68, 69, 70

SERIALIZERS = ("json", "msgpack")
VIOLATION = "wamp.error.protocol_violation"
ROLES = {"publisher": {}, "subscriber": {}, "caller": {}, "callee": {}}


def encode(serializer, message):
    if serializer == "json":
        return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    return msgpack.packb(message, use_bin_type=True)


def decode(serializer, data):
    if serializer == "json":
        return json.loads(data)
    return msgpack.unpackb(data, raw=False, strict_map_key=False)


def opcode_for(serializer):
    return wsraw.TEXT if serializer == "json" else wsraw.BINARY


class Session:
    """One transport; after join() it carries a session."""

    def __init__(self, connection, serializer):
        self.connection = connection
        self.serializer = serializer
        self.id = None
        self._request = 0

    @classmethod
    def open(cls, url, serializer="json"):
        return cls(wsraw.Connection.open(url, [f"wamp.2.{serializer}"]), serializer)

    def frame(self, message):
        return wsraw.frame(opcode_for(self.serializer), encode(self.serializer, message))

    def send(self, *messages):
        """All in one segment, as far as the kernel lets us."""
        self.connection.send(b"".join(map(self.frame, messages)))

    def send_bytes(self, data):
        self.connection.send_frame(opcode_for(self.serializer), data)

    def receive(self):
        """The next message. Pings are answered, for a session may live long; a close frame is a failure."""
        while True:
            got = self.connection.receive_frame()
            if got.opcode == wsraw.PING:
                self.connection.send_frame(wsraw.PONG, got.payload)
                continue
            if got.opcode == wsraw.CLOSE:
                raise wsraw.Ended(f"closed with {got.code} {got.reason!r} where a message was expected")
            assert got.fin and got.rsv == 0, got
            assert got.opcode == opcode_for(self.serializer), got
            return decode(self.serializer, got.payload)

    def expect(self, *start):
        """The next message, which must begin with these elements (None matches anything)."""
        message = self.receive()
        for want, have in zip(start, message):
            assert want is None or (want == have and type(want) == type(have)), f"{message}, not {start}"
        assert len(message) >= len(start), f"{message}, not {start}"
        return message

    def next_request(self):
        self._request += 1
        return self._request

    def join(self, realm="realm1", details=None):
        self.send([HELLO, realm, {"roles": ROLES} if details is None else details])
        welcome = self.expect(WELCOME)
        self.id = welcome[1]
        self._request = 0
        return welcome

    def subscribe(self, topic, options=None):
        """Sends SUBSCRIBE, expects SUBSCRIBED as the very next message; the subscription id."""
        request = self.next_request()
        self.send([SUBSCRIBE, request, options or {}, topic])
        return self.expect(SUBSCRIBED, request)[2]

    def expect_subscribed(self, requests):
        """SUBSCRIBED for each of these requests; topics have different homes, so the order is theirs."""
        found = {}
        for _ in requests:
            message = self.expect(SUBSCRIBED)
            assert message[1] in requests and message[1] not in found, message
            found[message[1]] = message[2]
        return [found[request] for request in requests]

    def unsubscribe(self, subscription):
        request = self.next_request()
        self.send([UNSUBSCRIBE, request, subscription])
        self.expect(UNSUBSCRIBED, request)

    def publish(self, topic, *args, **options):
        """Acknowledged; the publication id. Expects PUBLISHED as the very next message."""
        request = self.next_request()
        self.send([PUBLISH, request, {"acknowledge": True, **options}, topic, list(args)])
        return self.expect(PUBLISHED, request)[2]

    def publish_unacknowledged(self, topic, *args, **options):
        self.send([PUBLISH, self.next_request(), options, topic, list(args)])

    def expect_event(self, subscription, *args):
        message = self.expect(EVENT, subscription)
        assert message[4] == list(args), message
        return message

    def expect_abort(self, *reasons):
        """ABORT with exactly three elements, then a close frame, then the end. The ABORT."""
        message = self.expect(ABORT)
        assert len(message) == 3, message
        assert isinstance(message[1], dict), message
        assert message[2] in (reasons or (VIOLATION,)), message
        if message[2] == VIOLATION:
            assert isinstance(message[1].get("message"), str) and message[1]["message"], message
            self.connection.expect_close(1002)
        else:
            self.connection.expect_close(1000, 1002, 1008)
        return message

    def goodbye(self):
        self.send([GOODBYE, {}, "wamp.close.close_realm"])
        message = self.expect(GOODBYE)
        assert message[2] == "wamp.close.goodbye_and_out", message

    def drop(self):
        self.connection.drop()


def is_id(value):
    return type(value) is int and 1 <= value <= 2**53


def integral(value):
    return isinstance(value, float) and math.isfinite(value) and value == int(value)
