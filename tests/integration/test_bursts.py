"""Publications that come in one segment are fanned out together. What comes between them keeps its place.

The broker reads such a segment in one go, so each of these tests meets the same interleaving every time.
"""

import os
import signal
from contextlib import contextmanager

import pytest

import wamp
import wsraw
from wamp import EVENT, PUBLISH, PUBLISHED, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)


def publish(request, topic, value, **options):
    return [PUBLISH, request, options, topic, [value]]


def values(session, subscription, count):
    return [session.expect(EVENT, subscription)[4][0] for _ in range(count)]


@contextmanager
def in_one_turn(broker):
    """What clients send meanwhile, the broker's only worker finds all at once when it goes on."""
    os.kill(broker.workers[0], signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker.workers[0], signal.SIGCONT)


@pytest.fixture
def one_worker(start_broker):
    return start_broker("--processes", 1, "--threads", 1)


def joined(broker, serializer):
    session = wamp.Session.open(broker.url, serializer)
    session.join()
    return session


@both_serializers
def test_who_subscribes_within_a_burst_gets_what_follows(join, on_each_worker, serializer):
    """Its worker holds the topic already: it need not ask the topic's home worker, so the order is certain."""
    others, session = on_each_worker(serializer), join(serializer)
    subscription = [other.subscribe("burst.join") for other in others][0]
    session.send(*[publish(n, "burst.join", n, exclude_me=False) for n in (1, 2, 3)],
                 [SUBSCRIBE, 4, {}, "burst.join"],
                 *[publish(n, "burst.join", n, exclude_me=False) for n in (5, 6, 7)])
    session.expect(SUBSCRIBED, 4)
    assert values(session, subscription, 3) == [5, 6, 7]
    for other in others:
        assert values(other, subscription, 6) == [1, 2, 3, 5, 6, 7]


@both_serializers
def test_who_unsubscribes_within_a_burst_gets_what_came_before(join, serializer):
    session, other = join(serializer), join(serializer)
    subscription = session.subscribe("burst.leave")
    other.subscribe("burst.leave")
    session.send(*[publish(n, "burst.leave", n, exclude_me=False) for n in (2, 3)],
                 [UNSUBSCRIBE, 4, subscription],
                 *[publish(n, "burst.leave", n, exclude_me=False) for n in (5, 6)],
                 publish(7, "burst.leave", 7, acknowledge=True))
    assert values(session, subscription, 2) == [2, 3]
    session.expect(UNSUBSCRIBED, 4)
    session.expect(PUBLISHED, 7)
    assert values(other, subscription, 5) == [2, 3, 5, 6, 7]


@both_serializers
def test_order_over_topics_and_answers(join, serializer):
    publisher, reader = join(serializer), join(serializer)
    first, second = reader.subscribe("burst.first"), reader.subscribe("burst.second")
    topics = ["burst.first", "burst.first", "burst.second", "burst.first", "burst.second", "burst.second"] * 20
    publisher.send(*[publish(n, topic, n, acknowledge=n % 7 == 0) for n, topic in enumerate(topics, 1)])
    for n, topic in enumerate(topics, 1):
        reader.expect_event(first if topic == "burst.first" else second, n)
    for n in range(7, len(topics) + 1, 7):
        publisher.expect(PUBLISHED, n)


@both_serializers
def test_a_publisher_is_left_out_of_its_own_events_only(one_worker, serializer):
    session, other = joined(one_worker, serializer), joined(one_worker, serializer)
    subscription = session.subscribe("burst.exclude")
    other.subscribe("burst.exclude")
    session.send(*[publish(n, "burst.exclude", n, exclude_me=n % 3 == 0) for n in range(2, 20)])
    assert values(session, subscription, 12) == [n for n in range(2, 20) if n % 3 != 0]
    assert values(other, subscription, 18) == list(range(2, 20))


@both_serializers
def test_frames_of_the_transport_keep_their_place(join, serializer):
    """A pong, too, is behind the events that were published before its ping."""
    session = join(serializer)
    subscription = session.subscribe("burst.ping")
    session.connection.send(
        b"".join(session.frame(publish(n, "burst.ping", n, exclude_me=False)) for n in (2, 3))
        + wsraw.frame(wsraw.PING, b"between")
        + session.frame(publish(4, "burst.ping", 4, exclude_me=False)))
    assert values(session, subscription, 2) == [2, 3]
    pong = session.connection.receive_frame()
    assert (pong.opcode, pong.payload) == (wsraw.PONG, b"between")
    assert values(session, subscription, 1) == [4]


@both_serializers
def test_an_end_within_a_burst(join, serializer):
    """What a session published before it broke the protocol is delivered; the others go on."""
    session, other, third = join(serializer), join(serializer), join(serializer)
    subscription = session.subscribe("burst.end")
    other.subscribe("burst.end")
    session.send(publish(2, "burst.end", 2), publish(3, "burst.end", 3), [SUBSCRIBED, 4, 5],
                 publish(4, "burst.end", 4))
    session.expect_abort()
    third.publish("burst.end", "after")
    assert values(other, subscription, 3) == [2, 3, "after"]


@both_serializers
def test_acknowledgements_of_a_burst(join, serializer):
    """Two publishers; each gets its PUBLISHED in order, and what it subscribed to before or behind them."""
    first, second, reader = join(serializer), join(serializer), join(serializer)
    subscription = reader.subscribe("burst.acknowledged")
    first.subscribe("burst.acknowledged")
    for publisher, start in ((first, 2), (second, 1)):
        publisher.send(*[publish(n, "burst.acknowledged", n, acknowledge=True) for n in range(start, start + 200)],
                       publish(start + 200, "burst.nobody", 0, acknowledge=True))
    got = values(reader, subscription, 400)
    assert sorted(got) == sorted([*range(2, 202), *range(1, 201)])
    answers, events = [], []
    while len(answers) < 201 or len(events) < 200:
        message = first.receive()
        (answers if message[0] == PUBLISHED else events).append(message)
    assert [message[1] for message in answers] == list(range(2, 203))
    assert [message[4][0] for message in events] == list(range(1, 201))
    for n in range(1, 202):
        second.expect(PUBLISHED, n)


@both_serializers
def test_whose_acknowledgement_is_whose(one_worker, serializer):
    reader, first, second = (joined(one_worker, serializer) for _ in range(3))
    reader.subscribe("burst.whose")
    with in_one_turn(one_worker):
        first.send(*[publish(n, "burst.whose", n, acknowledge=True) for n in (1, 2, 3)])
        second.send(*[publish(n, "burst.whose", n, acknowledge=True) for n in (101, 102, 103)])
    assert [first.expect(PUBLISHED)[1] for _ in range(3)] == [1, 2, 3]
    assert [second.expect(PUBLISHED)[1] for _ in range(3)] == [101, 102, 103]


@both_serializers
def test_acknowledgements_follow_the_events_they_are_for(one_worker, serializer):
    session = joined(one_worker, serializer)
    session.subscribe("burst.own")
    session.send(*[publish(n, "burst.own", n, exclude_me=False, acknowledge=True) for n in (2, 3, 4, 5)])
    assert [session.receive()[0] for _ in range(8)] == [EVENT] * 4 + [PUBLISHED] * 4


@both_serializers
@pytest.mark.parametrize("end", ["close frame", "end of the stream"])
def test_who_ends_right_behind_a_burst_gets_its_answers(one_worker, serializer, end):
    reader = joined(one_worker, serializer)
    subscription = reader.subscribe("burst.last")
    for _ in range(5):
        publisher = joined(one_worker, serializer)
        with in_one_turn(one_worker):
            publisher.send(*[publish(n, "burst.last", n, acknowledge=True) for n in (1, 2, 3)])
            publisher.connection.send_close() if end == "close frame" else publisher.connection.shut()
        assert [publisher.expect(PUBLISHED)[1] for _ in range(3)] == [1, 2, 3]
        publisher.drop()
        assert values(reader, subscription, 3) == [1, 2, 3]
    # The log, written around, meets nothing that they have left behind.
    publisher = joined(one_worker, serializer)
    for n in range(60):
        publisher.publish("burst.last", "y" * 300_000)
        reader.receive()
    assert one_worker.total("connections_lost") == 0


@pytest.mark.parametrize("microseconds", [50, 100_000])
def test_a_worker_that_looks_for_work_before_it_sleeps(start_broker, microseconds):
    """Work from sockets, from the other worker, and from the supervisor is found, soon and after a while."""
    broker = start_broker("--processes", 2, "--threads", 1, "--busy-poll", microseconds)
    sessions = [joined(broker, "msgpack") for _ in range(4)]
    subscription = [session.subscribe("burst.poll") for session in sessions][0]
    for n in range(300):
        sessions[n % 4].publish_unacknowledged("burst.poll", n, exclude_me=False)
        for session in sessions:
            assert session.expect(EVENT, subscription)[4] == [n]
    sessions.append(joined(broker, "json"))
    assert sessions[-1].subscribe("burst.poll") == subscription


@pytest.mark.parametrize("size", [1, 200, 20_000])
def test_a_long_burst_to_both_serializers(join, size):
    publisher, json_reader, msgpack_reader = join("msgpack"), join("json"), join("msgpack")
    subscription = json_reader.subscribe("burst.long")
    msgpack_reader.subscribe("burst.long")
    count = 100
    publisher.send(*[publish(n, "burst.long", f"{n}:".ljust(size, "x")) for n in range(1, count + 1)])
    for reader in (json_reader, msgpack_reader):
        assert [int(value.split(":")[0]) for value in values(reader, subscription, count)] == list(range(1, count + 1))
