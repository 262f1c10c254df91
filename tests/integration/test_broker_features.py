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
        while (event := session.expect(EVENT, subscription))[3]["topic"].startswith("wamp."):
            pass  # what the router tells of these subscriptions themselves
        assert event[4] == [7]
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


# Who may get a publication

def authid(session):
    return f"anonymous-{session.id}"


LISTS = {
    "eligible": lambda chosen, others: {"eligible": [s.id for s in chosen]},
    "exclude": lambda chosen, others: {"exclude": [s.id for s in others]},
    "eligible_authid": lambda chosen, others: {"eligible_authid": [authid(s) for s in chosen]},
    "exclude_authid": lambda chosen, others: {"exclude_authid": [authid(s) for s in others]},
    "eligible_authrole, all": lambda chosen, others: {"eligible_authrole": ["nobody", "anonymous"],
                                                      "exclude": [s.id for s in others]},
    "exclude_authrole, none": lambda chosen, others: {"exclude_authrole": ["somebody else"],
                                                      "exclude_authid": [authid(s) for s in others]},
    "all must agree": lambda chosen, others: {"eligible": [s.id for s in chosen + others],
                                              "exclude": [s.id for s in others[:1]],
                                              "exclude_authid": [authid(s) for s in others[1:]],
                                              "eligible_authrole": ["anonymous"]},
}


@both_serializers
@pytest.mark.parametrize("lists", LISTS.values(), ids=LISTS)
def test_lists_choose_among_all_subscribers(on_each_worker, join, serializer, lists):
    """Two subscribers of each serializer and worker, one of which is chosen, by an exact and a pattern subscription."""
    subscribers = [s for kind in wamp.SERIALIZERS for _ in range(2) for s in on_each_worker(kind)]
    exact = {s: s.subscribe("list.topic") for s in subscribers}
    prefix = {s: s.subscribe("list.", {"match": "prefix"}) for s in subscribers}
    chosen, others = subscribers[::2], subscribers[1::2]
    publisher = join(serializer)
    publication = publisher.publish("list.topic", "chosen", **lists(chosen, others))
    publisher.publish("list.topic", "all")
    for session in subscribers:
        events = expect_events(session, 4 if session in chosen else 2)
        wanted = [exact[session], prefix[session]]
        assert sorted(e[1] for e in events if e[4] == ["all"]) == sorted(wanted)
        got = [e for e in events if e[4] == ["chosen"]]
        assert sorted(e[1] for e in got) == (sorted(wanted) if session in chosen else [])
        assert all(e[2] == publication for e in got)


@both_serializers
@pytest.mark.parametrize("options", [
    {"eligible": []}, {"eligible_authid": []}, {"eligible_authrole": []}, {"exclude_authrole": ["anonymous"]},
    {"eligible": [2**53 - 7, 1, 12345]}, {"eligible_authid": ["nobody"]}, {"eligible_authrole": ["nobody"]}])
def test_lists_that_let_nobody_through(on_each_worker, join, serializer, options):
    subscribers = on_each_worker(serializer)
    for session in subscribers:
        session.subscribe("nobody.topic")
    publisher = join(serializer)
    publisher.publish("nobody.topic", 1, **options)
    expect_nothing(publisher, *subscribers)


@both_serializers
def test_exclude_me_and_lists_agree(on_each_worker, serializer):
    """Who is eligible does not get its own publication but on request."""
    for session in on_each_worker(serializer):
        subscription = session.subscribe("me.topic")
        session.publish("me.topic", 1, eligible=[session.id])
        request = session.next_request()
        session.send([wamp.PUBLISH, request, {"acknowledge": True, "eligible": [session.id], "exclude_me": False},
                      "me.topic", [2]])
        kinds = {message[0]: message for message in (session.receive(), session.receive())}
        assert kinds[EVENT][1] == subscription and kinds[EVENT][4] == [2] and PUBLISHED in kinds


@both_serializers
def test_a_list_beyond_the_bound_is_refused(join, serializer):
    publisher = join(serializer)
    most = list(range(1, 65537))
    publisher.publish("big.list", 1, eligible=most)
    request = publisher.next_request()
    publisher.send([wamp.PUBLISH, request, {"acknowledge": True, "eligible": most, "exclude_authid": ["x"]}, "big.list"])
    assert publisher.expect(ERROR, wamp.PUBLISH, request)[4] == "ringcast.error.limit_exceeded"
    publisher.publish("big.list", 2)


@both_serializers
@pytest.mark.parametrize("options", [{"eligible": 5}, {"exclude": ["x"]}, {"eligible_authid": [7]}, {"disclose_me": "yes"}])
def test_lists_of_the_wrong_type_break_the_protocol(join, serializer, options):
    session = join(serializer)
    session.send([wamp.PUBLISH, 1, options, "bad.list"])
    session.expect_abort()


# Publisher identification and payload passthru

@both_serializers
def test_a_publisher_is_named_when_it_asks_for_it(on_each_worker, join, serializer):
    subscribers = [s for kind in wamp.SERIALIZERS for s in on_each_worker(kind)]
    exact = {s: s.subscribe("who.is.it") for s in subscribers}
    wildcard = {s: s.subscribe("who..it", {"match": "wildcard"}) for s in subscribers}
    publisher = join(serializer)
    named = {"publisher": publisher.id, "publisher_authid": authid(publisher), "publisher_authrole": "anonymous"}
    for options, details in (({"disclose_me": True}, named), ({"disclose_me": False}, {}), ({}, {}),
                             ({"disclose_me": True, "exclude": [1]}, named)):
        publisher.publish("who.is.it", 1, **options)
        for session in subscribers:
            got = {event[1]: event[3] for event in expect_events(session, 2)}
            assert got == {exact[session]: details, wildcard[session]: {**details, "topic": "who.is.it"}}


@both_serializers
def test_passthru_attributes_are_forwarded(on_each_worker, join, serializer):
    subscribers = [s for kind in wamp.SERIALIZERS for s in on_each_worker(kind)]
    subscriptions = {s: s.subscribe("ppt.topic") for s in subscribers}
    publisher = join(serializer)
    full = {"ppt_scheme": "x_mine", "ppt_serializer": "cbor", "ppt_cipher": "xsalsa20poly1305", "ppt_keyid": "key-1"}
    for options, details in ((full, full), ({"ppt_scheme": "mqtt"}, {"ppt_scheme": "mqtt"}),
                             ({"ppt_cipher": "without a scheme"}, {})):
        publisher.publish("ppt.topic", "opaque", **options)
        for session in subscribers:
            assert session.expect_event(subscriptions[session], "opaque")[3] == details


# Retained events

def get_retained(session, topic, **options):
    return session.subscribe(topic, {"get_retained": True, **options})


@both_serializers
def test_a_retained_event_comes_to_who_asks(on_each_worker, join, serializer):
    publisher = join(serializer)
    topics = [f"retained.{serializer}.{n}" for n in range(6)]  # of both homes
    for topic in topics:
        publisher.publish(topic, "old", retain=True)
        publisher.publish(topic, "kept", {"k": 1}, retain=True, disclose_me=True, ppt_scheme="x_a")
        publisher.publish(topic, "not kept")
    for kind in wamp.SERIALIZERS:
        for session in on_each_worker(kind):
            for topic in topics:
                subscription = get_retained(session, topic)
                event = session.expect_event(subscription, "kept", {"k": 1})
                assert event[3] == {"retained": True, "publisher": publisher.id, "publisher_authid": authid(publisher),
                                    "publisher_authrole": "anonymous", "ppt_scheme": "x_a"}
                again = get_retained(session, topic)
                assert again == subscription
                session.expect_event(subscription, "kept", {"k": 1})
                publisher.publish(topic, "live")
                assert session.expect_event(subscription, "live")[3] == {}
                session.unsubscribe(subscription)
            plain = session.subscribe(topics[0])
            publisher.publish(topics[0], "live")
            assert session.expect_event(plain, "live")[3] == {}


@both_serializers
def test_retained_events_by_pattern(on_each_worker, join, serializer):
    """Those of all homes, each once, many pages of them; nothing of other topics."""
    publisher = join(serializer)
    root = f"pages.{serializer}"
    text = "x" * 2000
    for n in range(600):
        publisher.publish_unacknowledged(f"{root}.a.{n}", n, text, retain=True)
    for n in range(20):
        publisher.publish_unacknowledged(f"{root}.b.{n}", n, retain=True)
    publisher.publish(f"{root}.end", "end", retain=True)
    for kind in wamp.SERIALIZERS:
        for session in on_each_worker(kind):
            subscription = get_retained(session, f"{root}.a.", match="prefix")
            events = expect_events(session, 600)
            assert {e[1] for e in events} == {subscription}
            assert {e[3]["topic"]: e[4] for e in events} == {f"{root}.a.{n}": [n, text] for n in range(600)}
            assert all(e[3]["retained"] is True for e in events)
            session.unsubscribe(subscription)
            wildcard = get_retained(session, f"{root}..7", match="wildcard")
            events = expect_events(session, 2)
            assert sorted(e[3]["topic"] for e in events) == [f"{root}.a.7", f"{root}.b.7"]
            session.unsubscribe(wildcard)
            get_retained(session, f"{root}.none.", match="prefix")
            expect_nothing(publisher, session)


@both_serializers
def test_a_retained_event_never_comes_to_whom_it_was_not_for(on_each_worker, join, serializer):
    """The publisher itself, unless it said otherwise; and nothing that had lists is retained at all."""
    first, second = on_each_worker(serializer)
    topic = f"private.{serializer}"
    first.publish(topic, "mine", retain=True)
    get_retained(first, topic)
    mine = get_retained(second, topic)
    second.expect_event(mine, "mine")
    second.unsubscribe(mine)
    first.publish(topic, "for the other", retain=True, eligible=[second.id])
    second.expect_event(get_retained(second, topic), "mine")
    first.publish(f"{topic}.me", "to me too", retain=True, exclude_me=False)
    first.expect_event(get_retained(first, f"{topic}.me"), "to me too")


@both_serializers
def test_retained_events_after_a_worker_has_restarted(start_broker, serializer):
    """What the other worker is home to is still there; what was at the one that died is lost, and nobody waits."""
    broker = start_broker("--processes", 2, "--threads", 1)
    sessions = [wamp.Session.open(broker.url, serializer) for _ in range(2)]
    for session in sessions:
        session.join()
    for n in range(20):
        sessions[0].publish(f"lost.{n}", n, retain=True)
    since = broker.log.mark()
    os.kill(broker.workers[0], signal.SIGKILL)
    broker.wait_worker(0, since)
    session = wamp.Session.open(broker.url, serializer)
    session.join()
    subscription = get_retained(session, "lost.", match="prefix")
    left = broker.total("retained_events")
    assert 0 < left < 20
    events = expect_events(session, left)
    assert {e[1] for e in events} == {subscription} and len({e[4][0] for e in events}) == left
