"""What a reader has still to get stays what it is while the broker, once it is quiet, gives memory back."""

import socket
import time

import wamp
from wamp import EVENT

EVENTS = 700
PAYLOAD = 10_000


def test_a_backlog_outlives_the_quiet(start_broker):
    broker = start_broker("--processes", 1, "--threads", 1, "--queue-bytes-max", 16 << 20)
    reader, publisher = (wamp.Session.open(broker.url, "msgpack") for _ in range(2))
    for session in (reader, publisher):
        session.join()
    reader.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    subscription = reader.subscribe("backlog")
    for n in range(EVENTS):
        publisher.publish("backlog", f"{n}:".ljust(PAYLOAD, "x"))
    assert broker.total("events_queued") == EVENTS
    assert broker.total("bytes_sent") < EVENTS * PAYLOAD, "the reader has no backlog"
    time.sleep(3)  # longer than it takes to be quiet; the test holds however long it is
    for n in range(EVENTS):
        assert reader.expect(EVENT, subscription)[4] == [f"{n}:".ljust(PAYLOAD, "x")]
    # And goes on, behind a log that was given back.
    time.sleep(3)
    publisher.publish("backlog", "after")
    assert reader.expect(EVENT, subscription)[4] == ["after"]
