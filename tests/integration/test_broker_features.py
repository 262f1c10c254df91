"""The broker's advanced features: hand-written frames, both serializers, publishers and subscribers on the same worker
and on another."""

import os
import signal

import pytest

import wamp
from wamp import ERROR, EVENT, PUBLISHED, SUBSCRIBE, SUBSCRIBED

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)


def expect_nothing(publisher, *sessions):
    """Nothing of what the publisher has sent so far comes to these: the next event is the one that is sent now."""
    markers = {session: session.subscribe("marker") for session in sessions}
    publisher.publish("marker", "end")
    for session, marker in markers.items():
        session.expect_event(marker, "end")
        session.unsubscribe(marker)


def expect_events(session, count):
    """So many EVENTs, whatever their order: those of one publication come in no defined one."""
    return sorted((session.expect(EVENT) for _ in range(count)), key=lambda event: event[1])


# Pattern-based subscriptions

MATCHES = [
    ("prefix", "pat.a", ["pat.a", "pat.a.b", "pat.ab"], ["pat.b", "pat", "x.pat.a"]),
    ("prefix", "pat.a.", ["pat.a.b", "pat.a.b.c"], ["pat.a", "pat.ab"]),
    ("wildcard", "pat..c", ["pat.b.c", "pat.x.c"], ["pat.c", "pat.b.d", "pat.b.c.d", "pat.b.x.c"]),
    ("wildcard", "pat.b.", ["pat.b.c"], ["pat.b", "pat.b.c.d", "pat.c.c"]),
    ("wildcard", ".b.", ["pat.b.c", "x.b.y"], ["b.c", "pat.c.c"]),
]


@both_serializers
@pytest.mark.parametrize(("match", "pattern", "yes", "no"), MATCHES)
def test_a_pattern_gets_what_it_matches_and_nothing_else(on_each_worker, join, serializer, match, pattern, yes, no):
    """Topics that match frame those that don't, so that an event too many would come in between."""
    subscribers = on_each_worker(serializer)
    subscriptions = {session: session.subscribe(pattern, {"match": match}) for session in subscribers}
    assert len(set(subscriptions.values())) == 1, "one subscription for all, on both workers"
    for other in wamp.SERIALIZERS:
        publisher = join(other)
        for topic in [yes[0], *no, *yes]:
            publisher.publish(topic, topic, {"k": [1]})
        for session, subscription in subscriptions.items():
            for topic in [yes[0], *yes]:
                event = session.expect_event(subscription, topic, {"k": [1]})
                assert event[3] == {"topic": topic}, event


@both_serializers
def test_the_empty_prefix_matches_everything(on_each_worker, join, serializer):
    subscriptions = {s: s.subscribe("", {"match": "prefix"}) for s in on_each_worker(serializer)}
    publisher = join(serializer)
    publication = publisher.publish("any.topic.at.all", 7)
    for session, subscription in subscriptions.items():
        event = session.expect_event(subscription, 7)
        assert event[2:4] == [publication, {"topic": "any.topic.at.all"}], event


@both_serializers
def test_each_subscription_that_matches_gets_an_event_of_its_own(on_each_worker, join, serializer):
    publisher = join(serializer)
    for session in on_each_worker(serializer):
        exact = session.subscribe("multi.a.b")
        prefix = session.subscribe("multi.", {"match": "prefix"})
        longer = session.subscribe("multi.a", {"match": "prefix"})
        wildcard = session.subscribe("multi..b", {"match": "wildcard"})
        assert len({exact, prefix, longer, wildcard}) == 4
        publication = publisher.publish("multi.a.b", "x")
        events = expect_events(session, 4)
        details = {event[1]: event[3] for event in events}
        assert details == {exact: {}, prefix: {"topic": "multi.a.b"}, longer: {"topic": "multi.a.b"},
                           wildcard: {"topic": "multi.a.b"}}
        assert {event[2] for event in events} == {publication} and all(event[4] == ["x"] for event in events)
        session.drop()


@both_serializers
def test_order_holds_across_a_pattern_and_exact_topics(on_each_worker, join, serializer):
    subscribers = on_each_worker(serializer)
    subscriptions = {}
    for session in subscribers:
        subscriptions[session] = (session.subscribe("order.", {"match": "prefix"}), session.subscribe("other"))
    publisher = join(serializer)
    for n in range(300):
        publisher.publish_unacknowledged("other" if n % 3 == 0 else f"order.{n % 7}", n)
    for session in subscribers:
        prefix, other = subscriptions[session]
        for n in range(300):
            session.expect_event(other if n % 3 == 0 else prefix, n)


@both_serializers
def test_exclude_me_holds_for_every_subscription(on_each_worker, serializer):
    first, second = on_each_worker(serializer)
    for session in (first, second):
        session.subscribe("mine.topic")
        session.subscribe("mine.", {"match": "prefix"})
        session.subscribe(".topic", {"match": "wildcard"})
    first.publish("mine.topic", 1)
    assert len(expect_events(second, 3)) == 3
    request = first.next_request()
    first.send([wamp.PUBLISH, request, {"acknowledge": True, "exclude_me": False}, "mine.topic", [2]])
    kinds = sorted(first.receive()[0] for _ in range(4))
    assert kinds == [PUBLISHED, EVENT, EVENT, EVENT]


@both_serializers
def test_nothing_of_a_pattern_after_unsubscribed(on_each_worker, join, serializer):
    publisher = join(serializer)
    for session in on_each_worker(serializer):
        subscription = session.subscribe("gone.", {"match": "prefix"})
        kept = session.subscribe("gone..", {"match": "wildcard"})
        publisher.publish("gone.a.b", 1)
        assert {event[1] for event in expect_events(session, 2)} >= {subscription}
        session.unsubscribe(subscription)
        publisher.publish("gone.a.b", 2)
        session.expect_event(kept, 2)
        session.unsubscribe(kept)
        publisher.publish("gone.a.b", 3)
        expect_nothing(publisher, session)
        again = session.subscribe("gone.", {"match": "prefix"})
        publisher.publish("gone.a.b", 4)
        session.expect_event(again, 4)
        session.unsubscribe(again)


@both_serializers
def test_patterns_that_are_refused(join, serializer):
    session = join(serializer)
    for options, topic, error in (
            ({"match": "regex"}, "a.b", "wamp.error.option_not_allowed"),
            ({"match": "exact"}, "a..b", "wamp.error.invalid_uri"),
            ({"match": "prefix"}, "a..b", "wamp.error.invalid_uri"),
            ({"match": "wildcard"}, "a.#.b", "wamp.error.invalid_uri"),
            ({"match": "wildcard"}, "." * 64, "ringcast.error.limit_exceeded")):
        request = session.next_request()
        session.send([SUBSCRIBE, request, options, topic])
        assert session.expect(ERROR, SUBSCRIBE, request)[4] == error
    request = session.next_request()
    session.send([SUBSCRIBE, request, {"match": 1}, "a.b"])
    session.expect_abort()


@both_serializers
def test_a_pattern_keeps_its_id_when_its_home_worker_restarts(start_broker, serializer):
    """Subscribers of each worker; whichever of the two is home to a pattern, its restart changes nothing for those who
    are left, and who comes new gets the same id."""
    broker = start_broker("--processes", 2, "--threads", 1)
    sessions = [wamp.Session.open(broker.url, serializer) for _ in range(4)]
    for session in sessions:
        session.join()
    patterns = [f"home.{n}." for n in range(8)]
    ids = {}
    for session in sessions:
        for pattern in patterns:
            for match in ("prefix", "wildcard"):
                ids.setdefault((pattern, match), session.subscribe(pattern, {"match": match}))
    since = broker.log.mark()
    os.kill(broker.workers[0], signal.SIGKILL)
    broker.wait_worker(0, since)
    left = []
    for session in sessions:
        try:
            session.publish("fence.nobody", 1)
            left.append(session)
        except (AssertionError, OSError):
            pass
    assert left and len(left) < len(sessions)
    fresh = [wamp.Session.open(broker.url, serializer) for _ in range(4)]
    for session in fresh:
        session.join()
        for (pattern, match), subscription in ids.items():
            assert session.subscribe(pattern, {"match": match}) == subscription
    fresh[0].publish("home.3.x", 1)
    for session in left + fresh[1:]:
        assert {event[1] for event in expect_events(session, 2)} == {ids["home.3.", "prefix"], ids["home.3.", "wildcard"]}
