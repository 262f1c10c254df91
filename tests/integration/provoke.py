"""One message that should not be, or that comes when it should not, and what the broker says to it."""

import wamp
import wsraw
from wamp import ABORT, ERROR, EVENT, GOODBYE, PUBLISHED, REGISTERED, SUBSCRIBED, Session


class Outcome:
    """What came back for one message: messages up to the answer to a ping, or up to the close frame."""

    def __init__(self, session):
        self.messages, self.close = [], None
        while True:
            got = session.connection.receive_frame()
            if got.opcode == wsraw.PONG:
                return
            if got.opcode == wsraw.CLOSE:
                self.close = got.code
                session.connection.send_close(got.code if got.code != 1005 else 1000)
                session.connection.receive_end()
                return
            assert got.opcode == wamp.opcode_for(session.serializer), got
            self.messages.append(wamp.decode(session.serializer, got.payload))

    def __repr__(self):
        return f"messages {self.messages}, close code {self.close}"

    @property
    def violation(self):
        """ABORT with the reason, three elements and a text, then 1002."""
        return (
            self.close == 1002
            and len(self.messages) == 1
            and self.messages[0][0] == ABORT
            and len(self.messages[0]) == 3
            and self.messages[0][2] == wamp.VIOLATION
            and bool(self.messages[0][1].get("message"))
        )

    @property
    def defined(self):
        """Anything that the specification lets a router answer."""
        kinds = [message[0] for message in self.messages]
        if self.close is None:
            return all(kind in (ERROR, GOODBYE, SUBSCRIBED, REGISTERED, PUBLISHED, EVENT, wamp.WELCOME) for kind in kinds)
        return self.violation or self.close in (1000, 1002, 1007, 1008) and all(
            kind in (ABORT, GOODBYE, ERROR, EVENT, PUBLISHED) for kind in kinds)


def provoke(broker, serializer, data, joined, *before):
    """Sends `data` as one message on a connection of its own, behind the messages `before`, then a ping."""
    session = Session.open(broker.url, serializer)
    try:
        if joined:
            session.join()
        if before:
            session.send(*before)
        frames = wsraw.frame(wamp.opcode_for(serializer), data) + wsraw.frame(wsraw.PING, b"end")
        session.connection.send(frames)
        return Outcome(session)
    finally:
        session.drop()


def assert_defined(failures):
    assert not failures, f"{len(failures)} undefined answers:\n" + "\n".join(failures[:20])
