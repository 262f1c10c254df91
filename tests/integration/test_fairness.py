"""No client holds up the others, a stopped or restarted worker costs no one else, and last answers arrive.

Where one client's input must not stand before another's, the worker is stopped while both send. So it finds
all of it at once, and the order of its answers, seen in one stream, shows whom it served when; no clock does.
"""

import array
import fcntl
import os
import selectors
import signal
import socket
import termios
import threading
import time

import pytest

import broker as broker_module
import wamp
import wsraw
from wamp import ERROR, EVENT, GOODBYE, HELLO, PUBLISH, PUBLISHED, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, WELCOME, Session

# As many bytes as a receive buffer of default size takes from a sender while nobody reads.
FLOOD_BYTES_MAX = 60_000
SUBSCRIPTIONS = 16300  # just below what a session may have
UNKNOWN_SUBSCRIPTION = 99_999_999
NO_SUCH_SUBSCRIPTION = "wamp.error.no_such_subscription"


@pytest.fixture
def one_worker(start_broker):
    return start_broker("--processes", 1, "--threads", 1)


@pytest.fixture
def two_workers(start_broker):
    return start_broker("--processes", 2, "--threads", 1)


def joined(broker, serializer="json"):
    session = Session.open(broker.url, serializer)
    session.join()
    return session


def joined_on_each_worker(broker):
    """worker -> a session on it. New connections go to the least loaded, so a few do."""
    found, others = {}, []
    while len(found) < broker.worker_count:
        assert len(found) + len(others) < 32, f"all on {list(found)}"
        before = broker.counters()
        session = joined(broker)
        after = broker.counters()
        worker = next(w for w in after if after[w]["connections_accepted"] > before[w]["connections_accepted"])
        others.append(session) if worker in found else found.setdefault(worker, session)
    for session in others:
        session.drop()
    return found


def subscribe_many(session, name, count):
    for begin in range(0, count, 1000):
        requests = [session.next_request() for _ in range(begin, min(begin + 1000, count))]
        session.send(*([SUBSCRIBE, request, {}, f"{name}.{request}"] for request in requests))
        session.expect_subscribed(requests)


def wait_delivered(session):
    """Until all that was sent lies in the receive buffer of the peer."""
    unsent = array.array("i", [0])
    deadline = time.monotonic() + broker_module.PATIENCE_S
    while True:
        fcntl.ioctl(session.connection.socket, termios.TIOCOUTQ, unsent)
        if unsent[0] == 0:
            return
        assert time.monotonic() < deadline, f"{unsent[0]} bytes do not fit the receive buffer"
        time.sleep(0.001)


class StoppedWorker:
    """A worker process that stands still within the block: what is sent then, it finds all at once."""

    def __init__(self, broker, worker=0):
        self.pid = broker.workers[worker]

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)
        deadline = time.monotonic() + broker_module.PATIENCE_S
        while self._state() != "T":
            assert time.monotonic() < deadline, f"worker {self.pid} is {self._state()}, not stopped"
            time.sleep(0.001)

    def __exit__(self, *_):
        try:
            os.kill(self.pid, signal.SIGCONT)
        except ProcessLookupError:  # the supervisor gave it up; what failed in the block says more
            pass

    def _state(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(") ", 1)[1][0]


def send_flood_then_publish(broker, flooder, flood, other):
    """`flood` is in the worker's hands before `other` publishes, acknowledged; the request of that."""
    data = b"".join(map(flooder.frame, flood))
    assert len(data) <= FLOOD_BYTES_MAX, len(data)
    request = other.next_request()
    with StoppedWorker(broker):
        flooder.connection.send(data)
        wait_delivered(flooder)
        other.send([PUBLISH, request, {"acknowledge": True}, "fair.other", ["other"]])
        wait_delivered(other)
    return request


# What one client sends at once

def test_many_unsubscribes_do_not_stand_before_the_others(one_worker):
    """A session with all the subscriptions it may have takes back one it never had, again and again."""
    flooder, other = joined(one_worker, "msgpack"), joined(one_worker)
    watched = flooder.subscribe("fair.other")
    subscribe_many(flooder, "t", SUBSCRIPTIONS)
    count = 3500
    requests = [flooder.next_request() for _ in range(count)]
    flood = [[UNSUBSCRIBE, request, UNKNOWN_SUBSCRIPTION] for request in requests]
    request = send_flood_then_publish(one_worker, flooder, flood, other)

    answered = []
    events_after = None
    for _ in range(count + 1):
        message = flooder.receive()
        if message[0] == EVENT:
            assert message[1] == watched and events_after is None, message
            events_after = len(answered)
        else:
            assert message[:2] == [ERROR, UNSUBSCRIBE] and message[4] == NO_SUCH_SUBSCRIPTION, message
            answered.append(message[2])
    assert answered == requests
    assert events_after < count, "the other's publication came after the whole flood"
    other.expect(PUBLISHED, request)
    flooder.drop()
    other.drop()


def test_publications_to_many_do_not_stand_before_the_others(one_worker):
    """Each of the flood goes to many subscribers, so it is worth much more work than its bytes: a hundred megabytes
    for the kernel to copy, which is more than one stage may cause."""
    subscribers = [joined(one_worker) for _ in range(1000)]
    for subscriber in subscribers:
        subscriber.subscribe("f")
    flooder, other = joined(one_worker, "msgpack"), joined(one_worker)
    watched = flooder.subscribe("fair.other")
    numbers = [flooder.next_request() for _ in range(3500)]
    asked = numbers[49::50]  # every so often an acknowledgement shows how far it is; the last one is asked, too
    options = {number: {"acknowledge": True} for number in asked}
    flood = [[PUBLISH, number, options.get(number, {}), "f"] for number in numbers]
    request = send_flood_then_publish(one_worker, flooder, flood, other)

    answered = []
    events_after = None
    for _ in range(len(asked) + 1):
        message = flooder.receive()
        if message[0] == EVENT:
            assert message[1] == watched and events_after is None, message
            events_after = len(answered)
        else:
            assert message[0] == PUBLISHED, message
            answered.append(message[1])
    assert answered == asked
    assert events_after < len(asked), "the other's publication came after the whole flood"
    other.expect(PUBLISHED, request)
    for session in (flooder, other, *subscribers):
        session.drop()


def test_subscribing_and_leaving_in_a_loop_leaves_nothing_behind(two_workers):
    """SUBSCRIBEs whose session ends before their home workers have answered, for as long as others work."""
    others = joined_on_each_worker(two_workers)
    looper = joined(two_workers)
    done = threading.Event()
    loops = []
    topics = 8000

    def send_loops():
        end = [looper.frame([GOODBYE, {}, "wamp.close.normal"]), looper.frame([HELLO, "realm1", {"roles": wamp.ROLES}])]
        while len(loops) < 4 or not done.is_set():
            frames = [looper.frame([SUBSCRIBE, n + 1, {}, f"loop.{len(loops)}.{n}"]) for n in range(topics)]
            loops.append(topics)
            looper.connection.send(b"".join(frames + end))
        looper.send([PUBLISH, 1, {"acknowledge": True}, "loop.over"])

    def read_answers():
        seen = []
        while PUBLISHED not in seen[-1:]:
            seen.append(looper.receive()[0])
        assert seen.count(WELCOME) == seen.count(GOODBYE) == len(loops)
        assert set(seen) <= {SUBSCRIBED, GOODBYE, WELCOME, PUBLISHED}, set(seen)

    failures = []

    def run(work):
        try:
            work()
        except Exception as failure:  # shown by the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(work,)) for work in (send_loops, read_answers)]
    for thread in threads:
        thread.start()
    try:
        for number in range(20):
            for worker, session in others.items():
                subscription = session.subscribe(f"others.{worker}.{number}")
                session.publish(f"others.{worker}.{number}", number, exclude_me=True)
                session.unsubscribe(subscription)
    finally:
        done.set()
        for thread in threads:
            thread.join(broker_module.PATIENCE_S)
    assert not failures and not any(thread.is_alive() for thread in threads), failures
    looper.drop()
    for session in others.values():
        session.drop()
    for gauge in ("connections", "sessions", "subscriptions", "topics", "home_topics", "publishers_paused"):
        two_workers.wait_total(gauge, 0)


# A worker that is stopped, or has just come back

def test_subscribing_as_soon_as_a_worker_is_back(start_broker):
    """The other worker is busy, so it learns late that its peer is back: with its requests, not before them."""
    # The client that keeps it busy reads its answers more slowly than the broker gives them; that is not the matter.
    two_workers = start_broker("--processes", 2, "--threads", 1, "--queue-bytes-max", 1 << 30)
    sessions = joined_on_each_worker(two_workers)
    busy, lost = 0, 1
    flooder = sessions[busy]
    sessions[lost].drop()
    subscribe_many(flooder, "t", SUBSCRIPTIONS)
    stop = threading.Event()

    def flood():
        while not stop.is_set():
            requests = [flooder.next_request() for _ in range(1000)]
            flooder.send(*([UNSUBSCRIBE, request, UNKNOWN_SUBSCRIPTION] for request in requests))

    def discard_answers():
        while flooder.connection.socket.recv(1 << 20):
            pass

    flooder.connection.socket.settimeout(wsraw.TIMEOUT_S)
    threads = [threading.Thread(target=work) for work in (flood, discard_answers)]
    for thread in threads:
        thread.start()
    try:
        for loss in range(3):
            since = two_workers.log.mark()
            os.kill(two_workers.workers[lost], signal.SIGKILL)
            two_workers.wait_worker(lost, since)
            clients = [joined(two_workers) for _ in range(8)]
            for number, client in enumerate(clients):
                requests = [client.next_request() for _ in range(20)]
                client.send(*([SUBSCRIBE, request, {}, f"back.{loss}.{number}.{request}"] for request in requests))
            for client in clients:
                client.expect_subscribed(range(1, 21))
                client.drop()
    finally:
        stop.set()
        threads[0].join(broker_module.PATIENCE_S)
        flooder.connection.socket.shutdown(socket.SHUT_RDWR)  # ends the other thread's receive, too
        threads[1].join(broker_module.PATIENCE_S)
    flooder.drop()


def test_a_stopped_worker_does_not_keep_new_connections_from_the_other(two_workers):
    """It may keep the few that it was handed; they are served when it goes on."""
    count, kept_max = 100, 40
    established = joined_on_each_worker(two_workers)
    selector = selectors.DefaultSelector()
    request = wsraw.upgrade_request(two_workers.path, ["wamp.2.json"])
    waiting = set()

    def serve(at_most):
        """Until at most so many wait."""
        deadline = time.monotonic() + broker_module.PATIENCE_S
        while len(waiting) > at_most:
            for key, _ in selector.select(1):
                response = key.data.receive_response()
                assert response.status == 101, response
                waiting.remove(key.data)
                selector.unregister(key.fileobj)
            assert time.monotonic() < deadline, f"{len(waiting)} of {count} connections wait, not {at_most}"

    connections = []
    with StoppedWorker(two_workers, 1):
        for _ in range(count):
            connection = wsraw.Connection(two_workers.host, two_workers.port)
            connection.send(request)
            connections.append(connection)
            waiting.add(connection)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        serve(at_most=kept_max)
    serve(at_most=0)
    selector.close()
    for session in established.values():
        session.publish("still.there")
        session.drop()
    for connection in connections:
        connection.drop()


# The last answers

def test_who_says_no_more_still_gets_its_refusal(one_worker):
    for _ in range(20):
        connection = wsraw.Connection(one_worker.host, one_worker.port)
        connection.send(wsraw.upgrade_request("/nowhere", ["wamp.2.json"]))
        connection.shut()
        response = connection.receive_response()
        assert response.status == 404 and response.body, response
        connection.receive_end()
        connection.drop()


def test_who_says_goodbye_and_no_more_still_gets_its_answers(one_worker):
    for _ in range(20):
        session = joined(one_worker)
        goodbye = session.frame([GOODBYE, {}, "wamp.close.normal"])
        session.connection.send(goodbye + wsraw.frame(wsraw.CLOSE, wsraw.close_payload(1000)))
        session.connection.shut()
        session.expect(GOODBYE, None, "wamp.close.goodbye_and_out")
        answer = session.connection.receive_frame()
        assert answer.opcode == wsraw.CLOSE and answer.code == 1000, answer
        session.connection.receive_end()
        session.drop()


def test_stopping_delivers_all_to_who_reads_steadily(start_broker):
    """However long it reads within the drain timeout: the time that a close handshake has is not meant."""
    broker = start_broker(
        "--processes", 1, "--threads", 1, "--drain-timeout", 60, "--queue-bytes-max", 50_000_000)
    reader = joined(broker)
    reader.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    subscription = reader.subscribe("drain")
    publisher = joined(broker)
    payload = "a" * 500_000
    for number in range(24):
        publisher.publish("drain", number, payload)
    broker.signal(signal.SIGTERM)
    for number in range(24):
        time.sleep(0.15)  # an application at work: only the pace of reading, nothing is measured by it
        reader.expect_event(subscription, number, payload)
    reader.expect(GOODBYE, None, "wamp.close.system_shutdown")
    reader.connection.expect_close(1001)
    reader.drop()
    publisher.drop()
    assert broker.wait_exit() == 0, broker.log.text()


def test_stopping_does_not_wait_for_who_said_nothing(start_broker):
    broker = start_broker("--processes", 1, "--threads", 1, "--drain-timeout", 60)
    silent = wsraw.Connection(broker.host, broker.port)
    broker.wait_total("connections", 1)
    broker.signal(signal.SIGTERM)
    silent.receive_end()
    assert broker.wait_exit(timeout=30) == 0, broker.log.text()
    silent.drop()
