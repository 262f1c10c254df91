"""Event history: what the configuration names is kept from the start, and wamp.subscription.get_events tells it, in both
serializers, wherever the subscription's home is."""

import datetime
import os
import signal
import time

import pytest

import wamp
from wamp import CALL, ERROR, RESULT

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)

CONFIGURATION = """
[[realm]]
name = "realm1"
anonymous = "guest"
[[realm.role]]
name = "guest"
unrestricted = true
""" + "".join(f"""
[[realm.history]]
uri = "kept.{n}"
[[realm.history]]
uri = "kept.{n}."
match = "prefix"
""" for n in range(4)) + """
[[realm.history]]
uri = "kept..few"
match = "wildcard"
events_max = 3

[[realm]]
name = "realm2"
anonymous = "guest"
[[realm.role]]
name = "guest"
rules = [
  { uri = "", match = "prefix", allow = ["publish"] },
  { uri = "open", allow = ["publish", "subscribe"] },
  { uri = "wamp.", match = "prefix", allow = ["call"] },
]
[[realm.history]]
uri = "shut"
[[realm.history]]
uri = "open"
"""


@pytest.fixture
def broker(start_broker, tmp_path):
    path = tmp_path / "ringcast.toml"
    path.write_text(CONFIGURATION)
    return start_broker("--processes", 2, "--threads", 1, "--config", path)


def joined(broker, serializer, realm="realm1"):
    session = wamp.Session.open(broker.url, serializer)
    session.join(realm)
    return session


def ask(session, subscription, **keywords):
    request = session.next_request()
    session.send([CALL, request, {}, "wamp.subscription.get_events", [subscription], keywords])
    message = session.receive()
    assert message[1:2] == [request] or message[2] == request, message
    return message


def get_events(session, subscription, **keywords):
    message = ask(session, subscription, **keywords)
    assert message[0] == RESULT and len(message) == 4 and len(message[3]) == 1, message
    return message[3][0]


def error_of(session, subscription, **keywords):
    message = ask(session, subscription, **keywords)
    assert message[0] == ERROR, message
    return message[4]


def wait_events(session, subscription, count):
    """What was published by way of another worker comes to the home soon, not at once."""
    deadline = time.monotonic() + 60
    while len(events := get_events(session, subscription)) != count:
        assert len(events) < count and time.monotonic() < deadline, events
        time.sleep(0.01)
    return events


def milliseconds(event):
    return datetime.datetime.strptime(event["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000


@both_serializers
def test_what_was_published_before_anybody_subscribed_is_told(broker, serializer):
    publishers = [joined(broker, kind) for kind in wamp.SERIALIZERS for _ in range(2)]
    session = joined(broker, serializer)
    for n in range(4):
        publications = []
        for publisher in publishers:
            publications.append(publisher.publish(f"kept.{n}", n, {"k": [1.5, None]}))
            publisher.publish(f"kept.{n}", "to some", eligible_authrole=["guest"])  # has a list: not kept
        request = publishers[0].next_request()
        publishers[0].send([wamp.PUBLISH, request, {"acknowledge": True, "disclose_me": True, "ppt_scheme": "x_s"},
                            f"kept.{n}", [], {"only": "keywords"}])
        publications.append(publishers[0].expect(wamp.PUBLISHED, request)[2])
        subscription = session.subscribe(f"kept.{n}")
        events = wait_events(session, subscription, len(publications))
        by_id = {event["publication"]: event for event in events}
        assert sorted(by_id) == sorted(publications)
        last = by_id[publications[-1]]
        assert last["details"] == {"publisher": publishers[0].id, "publisher_authrole": "guest", "ppt_scheme": "x_s",
                                   "publisher_authid": f"anonymous-{publishers[0].id}"}
        assert last["kwargs"] == {"only": "keywords"} and "args" not in last
        for publication in publications[:-1]:
            event = by_id[publication]
            assert event["args"] == [n, {"k": [1.5, None]}] and "kwargs" not in event
            assert event["details"] == {} and event["subscription"] == subscription
        times = [milliseconds(event) for event in events]
        assert times == sorted(times) and abs(times[0] / 1000 - time.time()) < 600


@both_serializers
def test_conditions_choose_among_the_events(broker, serializer):
    publisher, session = joined(broker, "json"), joined(broker, serializer)
    topics = ["kept.1.a", "kept.1.b"]
    ids = []
    for n in range(20):
        ids.append(publisher.publish(topics[n % 2], n))
        time.sleep(0.002)
    subscription = session.subscribe("kept.1.", {"match": "prefix"})
    events = wait_events(session, subscription, 20)

    def numbers(**keywords):
        return [event["args"][0] for event in get_events(session, subscription, **keywords)]

    assert [event["publication"] for event in events] == ids
    assert [event["details"] for event in events] == [{"topic": topics[n % 2]} for n in range(20)]
    assert numbers() == list(range(20))
    assert numbers(reverse=True) == list(range(19, -1, -1))
    assert numbers(limit=3) == [0, 1, 2] and numbers(limit=3, reverse=True) == [19, 18, 17]
    assert numbers(from_publication=ids[17]) == [17, 18, 19]
    assert numbers(after_publication=ids[17]) == [18, 19] and numbers(after_publication=ids[19]) == []
    assert numbers(before_publication=ids[2]) == [0, 1] and numbers(until_publication=ids[2]) == [0, 1, 2]
    assert numbers(after_publication=ids[4], until_publication=ids[8], topic=topics[1], reverse=True) == [7, 5]
    assert numbers(topic="kept.1.none") == []
    # Several may have the same millisecond: so the events themselves say what to expect.
    stamps = [milliseconds(event) for event in events]
    at, text = stamps[10], events[10]["timestamp"]
    for name, holds in (("from_time", lambda t: t >= at), ("after_time", lambda t: t > at),
                        ("before_time", lambda t: t < at), ("until_time", lambda t: t <= at)):
        assert numbers(**{name: text}) == [n for n in range(20) if holds(stamps[n])], name
    # Page by page, as the specification has it.
    got, last = [], {}
    while page := get_events(session, subscription, limit=6, **last):
        got += [event["args"][0] for event in page]
        last = {"after_publication": page[-1]["publication"]}
    assert got == list(range(20))


@both_serializers
def test_a_history_is_bounded_and_says_what_it_has_lost(broker, serializer):
    publisher, session = joined(broker, "msgpack"), joined(broker, serializer)
    ids = [publisher.publish(f"kept.{n % 2}.few", n) for n in range(6)]
    subscription = session.subscribe("kept..few", {"match": "wildcard"})
    deadline = time.monotonic() + 60
    while [e["publication"] for e in get_events(session, subscription)] != ids[3:]:
        assert time.monotonic() < deadline
    assert error_of(session, subscription, after_publication=ids[0]) == "ringcast.error.unknown_publication"
    assert error_of(session, subscription, from_publication=4711) == "ringcast.error.unknown_publication"
    assert [e["publication"] for e in get_events(session, subscription, after_publication=ids[3])] == ids[4:]


@both_serializers
def test_queries_that_are_refused(broker, serializer):
    session = joined(broker, serializer)
    subscription = session.subscribe("kept.0")
    plain = session.subscribe("not.kept")
    for wrong in ({"limit": 0}, {"limit": -1}, {"limit": "x"}, {"reverse": 1}, {"from_time": "yesterday"},
                  {"until_time": 5}, {"from_publication": 0}, {"after_publication": "x"}, {"topic": 7}):
        assert error_of(session, subscription, **wrong) == "wamp.error.invalid_argument", wrong
    assert error_of(session, "x") == "wamp.error.invalid_argument"
    assert error_of(session, None) == "wamp.error.invalid_argument"
    for unknown in (plain, 2**32, 2**53, 4_000_000_000):
        assert error_of(session, unknown) == "wamp.error.no_such_subscription"
    assert get_events(session, subscription, limit=None, reverse=None, topic=None) == []


@both_serializers
def test_realms_and_roles_are_kept_apart(broker, serializer):
    session, stranger = joined(broker, serializer), joined(broker, serializer, "realm2")
    subscription = session.subscribe("kept.0")
    assert error_of(stranger, subscription) == "wamp.error.no_such_subscription"
    stranger.publish("open", 1)
    stranger.publish("shut", 1)
    # Ids count up from 1 on each of the two workers: eleven subscriptions are named above.
    answers = [ask(stranger, number) for number in range(1, 30)]
    errors = [message[4] for message in answers if message[0] == ERROR]
    assert errors.count("wamp.error.not_authorized") == 1, errors
    assert len([message for message in answers if message[0] == RESULT]) == 1


@both_serializers
def test_after_its_home_worker_has_died_a_history_begins_anew_under_its_id(broker, serializer):
    sessions = [joined(broker, serializer) for _ in range(4)]
    ids = {n: {s.subscribe(f"kept.{n}") for s in sessions} for n in range(4)}
    assert all(len(found) == 1 for found in ids.values())
    for n in range(4):
        sessions[0].publish(f"kept.{n}", "before")
    since = broker.log.mark()
    os.kill(broker.workers[0], signal.SIGKILL)
    broker.wait_worker(0, since)
    fresh, publisher = joined(broker, serializer), joined(broker, serializer)
    for n in range(4):
        publication = publisher.publish(f"kept.{n}", "after")
        subscription = fresh.subscribe(f"kept.{n}")
        assert {subscription} == ids[n]
        deadline = time.monotonic() + 60
        while publication not in [e["publication"] for e in get_events(fresh, subscription)]:
            assert time.monotonic() < deadline
        fresh.unsubscribe(subscription)
