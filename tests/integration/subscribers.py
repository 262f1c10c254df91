"""Many subscribers in one process, on one selector, that check every byte they are sent.

All subscribers of a topic that use the same serializer get the same bytes (one EVENT, encoded once). So the
stream of whoever is ahead is the reference, every other stream is compared with it byte by byte, and only the
reference is decoded: each event, in order, exactly once, for all of them.
"""

import selectors
import time

import wamp
import wsraw


class Reference:
    """The stream of one serializer's subscribers from the first event on, as far as anyone has received it."""

    def __init__(self, serializer):
        self.serializer = serializer
        self.data = bytearray()
        self.events = []
        self._parsed = 0

    def parse(self):
        """Decodes what is complete."""
        data = self.data
        while len(data) - self._parsed >= 2:
            at, size = self._parsed + 2, data[self._parsed + 1]
            assert not size & 0x80, "a server must not mask"
            extra = {126: 2, 127: 8}.get(size, 0)
            if extra:
                size = int.from_bytes(data[at : at + extra], "big")
                at += extra
            if len(data) < at + size:
                return
            expected = 0x80 | wamp.opcode_for(self.serializer)
            assert data[self._parsed] == expected, f"frame {data[self._parsed]:#x} after {len(self.events)} events"
            self.events.append(wamp.decode(self.serializer, bytes(data[at : at + size])))
            self._parsed = at + size


class Subscriber:
    def __init__(self, session, reference):
        self.session = session
        self.socket = session.connection.socket
        self.reference = reference
        self.position = 0

    def take(self, data):
        """Compares what came with the reference, or extends it."""
        reference = self.reference.data
        known = min(len(reference) - self.position, len(data))
        if reference[self.position : self.position + known] != data[:known]:
            raise AssertionError(
                f"a {self.reference.serializer} subscriber got other bytes than another at {self.position}:\n"
                f"{data[:300]!r}\n{bytes(reference[self.position:self.position + 300])!r}"
            )
        reference += data[known:]
        self.position += len(data)


class Subscribers:
    def __init__(self, url, topics, counts):
        """`counts`: serializer -> how many."""
        self.selector = selectors.DefaultSelector()
        self.references = {serializer: Reference(serializer) for serializer in counts}
        self.all = []
        ids = set()
        sessions = [wamp.Session.open(url, serializer) for serializer, count in counts.items() for _ in range(count)]
        for session in sessions:
            session.send([wamp.HELLO, "realm1", {"roles": wamp.ROLES}],
                         *([wamp.SUBSCRIBE, n + 1, {}, topic] for n, topic in enumerate(topics)))
        for session in sessions:
            session.expect(wamp.WELCOME)
            ids.add(tuple(session.expect_subscribed(range(1, len(topics) + 1))))
            session.connection.socket.setblocking(False)
            subscriber = Subscriber(session, self.references[session.serializer])
            self.all.append(subscriber)
            self.selector.register(subscriber.socket, selectors.EVENT_READ, subscriber)
        assert len(ids) == 1, f"subscription ids differ: {ids}"
        self.subscriptions = dict(zip(topics, ids.pop()))

    def receive_until(self, count, alive=lambda: True):
        """Reads until every subscriber has `count` events in all. `alive` may raise to end the waiting."""
        deadline = time.monotonic() + wsraw.TIMEOUT_S
        while not self._all_have(count):
            ready = self.selector.select(1)
            if ready:
                deadline = time.monotonic() + wsraw.TIMEOUT_S
            alive()
            assert time.monotonic() < deadline, f"no progress: {self.progress()}"
            for key, _ in ready:
                data = key.fileobj.recv(1 << 18)
                assert data, f"a subscriber was disconnected: {self.progress()}"
                key.data.take(data)
            for reference in self.references.values():
                reference.parse()

    def _all_have(self, count):
        if any(len(reference.events) < count for reference in self.references.values()):
            return False
        return all(subscriber.position == len(subscriber.reference.data) for subscriber in self.all)

    def progress(self):
        behind = sum(subscriber.position < len(subscriber.reference.data) for subscriber in self.all)
        return f"{[len(r.events) for r in self.references.values()]} events, {behind} subscribers behind"

    def drop(self):
        self.selector.close()
        for subscriber in self.all:
            subscriber.session.drop()
