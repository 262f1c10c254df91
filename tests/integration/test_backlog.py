"""What readers have still to get: nobody who keeps up has more of it than its bound allows, and it stays what it is
while the broker, once it is quiet, gives memory back."""

import socket
import subprocess
import time

import wamp
from broker import executable
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


def test_who_keeps_up_is_no_slow_reader(start_broker):
    """What is in flight, 512 KiB for each reader, is more than a queue may hold and less than a socket takes. So only
    a broker that reads more from the publisher before everybody was served would find slow readers here."""
    broker = start_broker("--processes", 1, "--threads", 1, "--queue-bytes-max", 256 << 10)
    subprocess.run([executable("ringcast-bench"), "fanout", "--url", broker.url, "--protocol", "msgpack",
                    "--subscribers", "100", "--window", "16", "--payload", "32768", "--warmup", "0", "--duration", "2"],
                   check=True, timeout=100)
    assert broker.total("slow_readers_closed") == 0
