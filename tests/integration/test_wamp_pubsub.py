"""The broker role on the wire: ids, URIs, acknowledgements, order, and what both serializers make of a payload."""

import json
import struct
import threading

import msgpack
import pytest

import wamp
import wsraw
from wamp import ERROR, EVENT, GOODBYE, HELLO, PUBLISH, PUBLISHED, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED, WELCOME

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)


# Ids

@both_serializers
@pytest.mark.parametrize("start", [1, 2, 77, 2**32, 2**53 - 5])
def test_request_ids_may_start_anywhere_and_go_up_by_one(join, serializer, start):
    session = join(serializer)
    session._request = start - 1
    subscription = session.subscribe("ids.topic")
    session.publish("ids.topic", 1)
    session.unsubscribe(subscription)


@both_serializers
@pytest.mark.parametrize("second", [5, 4, 7, 1, 2**53])
def test_request_ids_out_of_order(join, serializer, second):
    session = join(serializer)
    session._request = 4
    session.publish("ids.topic", 1)
    session.send([SUBSCRIBE, second, {}, "ids.topic"])
    session.expect_abort()


@both_serializers
def test_requests_that_fail_count_as_well(join, serializer):
    session = join(serializer)
    session.send([SUBSCRIBE, 1, {}, "not..valid"], [UNSUBSCRIBE, 2, 12345], [PUBLISH, 3, {}, "wamp.no"],
                 [PUBLISH, 4, {"acknowledge": True}, "yes"])
    session.expect(ERROR, SUBSCRIBE, 1)
    session.expect(ERROR, UNSUBSCRIBE, 2)
    session.expect(PUBLISHED, 4)


@pytest.mark.parametrize("encoded", [
    b"\xcb" + struct.pack(">d", 1.0), b"\xca" + struct.pack(">f", 1.0), b"\xd3" + struct.pack(">q", 1),
    b"\xd0\x01", b"\xcf" + struct.pack(">Q", 1), b"\xcc\x01",
])
def test_ids_in_other_encodings(join, encoded):
    """Clients send integral floats and signed forms; map16 and str32 where short forms would do."""
    session = join("msgpack")
    topic = b"\xdb" + struct.pack(">I", 8) + b"id.forms"
    session.send_bytes(b"\xdc\x00\x04\x20" + encoded + b"\xde\x00\x00" + topic)
    session.expect(SUBSCRIBED, 1)


@pytest.mark.parametrize("text", ["1.0", "1e0", "10e-1"])
def test_ids_as_json_fractions(join, text):
    session = join("json")
    session.send_bytes(b'[32, %s, {}, "id.forms"]' % text.encode())
    session.expect(SUBSCRIBED, 1)


def test_undefined_stands_for_an_absent_option(join):
    """wampy sends undefined (ext 0 of one zero byte) for options that were not given."""
    session = join("msgpack")
    undefined = msgpack.ExtType(0, b"\0")
    session.send([SUBSCRIBE, 1, {"match": undefined, "get_retained": undefined}, "undefined.options"])
    session.expect(SUBSCRIBED, 1)
    session.send([PUBLISH, 2, {"acknowledge": True, "exclude_me": undefined}, "undefined.options"])
    session.expect(PUBLISHED, 2)


def test_all_subscribers_have_the_same_subscription_id(on_each_worker):
    sessions = on_each_worker("json") + on_each_worker("msgpack")
    ids = {}
    for topic in [f"same.id.{number}" for number in range(50)]:
        seen = {session.subscribe(topic) for session in sessions}
        assert len(seen) == 1, f"{topic}: {seen}"
        ids[topic] = seen.pop()
    assert len(set(ids.values())) == len(ids), "two topics share an id"
    assert all(1 <= number < 2**32 for number in ids.values()), ids


def test_subscription_ids_are_not_reused(join):
    session = join()
    seen = {}
    for number in range(30):
        topic = f"reuse.{number}"
        subscription = session.subscribe(topic)
        assert subscription not in seen, f"{topic} has the id of {seen[subscription]}"
        seen[subscription] = topic
        session.unsubscribe(subscription)


@both_serializers
def test_publication_ids(on_each_worker, serializer):
    first, second = on_each_worker(serializer)
    subscriptions = first.subscribe("publication.ids"), second.subscribe("publication.ids")
    publisher = on_each_worker("json")[0]
    ids = []
    for number in range(20):
        ids.append(publisher.publish("publication.ids", number))
        for session, subscription in zip((first, second), subscriptions):
            assert session.expect_event(subscription, number)[2] == ids[-1]
    assert len(set(ids)) == len(ids)
    assert all(wamp.is_id(number) and number < 2**53 for number in ids)
    assert ids != sorted(ids), "publication ids must not tell how much is published"


# URIs

INVALID_URIS = ["", ".", "a.", ".a", "a..b", "a b", "a.b c", "a#b", "#", "a\tb", "a\nb", "a.\u00a0b", "a\u2003b",
                "x" * 1025]
VALID_URIS = ["a", "com.example.topic", "ä.ö.ü", "日本.トピック", "😀.😀", "A-B/C+d:e", "a.1.2", "x" * 1024, "wampire.topic"]


@both_serializers
@pytest.mark.parametrize("uri", INVALID_URIS, ids=lambda uri: ascii(uri)[:24])
def test_invalid_uri(join, serializer, uri):
    session = join(serializer)
    session.send([SUBSCRIBE, 1, {}, uri], [PUBLISH, 2, {"acknowledge": True}, uri, [1]], [PUBLISH, 3, {}, uri, [1]])
    for request_type, request in ((SUBSCRIBE, 1), (PUBLISH, 2)):
        message = session.expect(ERROR, request_type, request, None, "wamp.error.invalid_uri")
        assert isinstance(message[3], dict)
    session._request = 3
    session.publish("still.alive")  # and nothing came for the third


@both_serializers
@pytest.mark.parametrize("uri", VALID_URIS, ids=lambda uri: ascii(uri)[:24])
def test_valid_uri(join, serializer, uri):
    session, other = join(serializer), join("json")
    subscription = session.subscribe(uri)
    other.publish(uri, 1)
    session.expect_event(subscription, 1)


@both_serializers
@pytest.mark.parametrize("uri", ["wamp.session.on_join", "wamp.x", "wamp.error.no_such_realm"])
def test_the_routers_topics_may_not_be_published_to(join, serializer, uri):
    session, witness = join(serializer), join()
    witness.subscribe(uri)
    own = witness.subscribe("not.reserved")
    session.send([PUBLISH, 1, {}, uri, [1]], [PUBLISH, 2, {"acknowledge": True}, uri, [1]])
    session.expect(ERROR, PUBLISH, 2, None, "wamp.error.invalid_uri")
    session._request = 2
    session.publish("not.reserved", 2)
    witness.expect_event(own, 2)


# Subscribing and unsubscribing

@both_serializers
def test_subscribing_twice_is_one_subscription(join, serializer):
    session, other = join(serializer), join()
    subscription = session.subscribe("twice")
    assert session.subscribe("twice") == subscription
    last = session.subscribe("last")
    other.publish("twice", 1)
    other.publish("last", 2)
    session.expect_event(subscription, 1)
    session.expect_event(last, 2)
    session.unsubscribe(subscription)
    other.publish("twice", 3)
    other.publish("last", 4)
    session.expect_event(last, 4)


@both_serializers
def test_subscribing_twice_at_once_is_one_subscription(join, serializer):
    """The second request comes before the first is answered."""
    for number in range(10):
        session, other, topic = join(serializer), join(), f"at.once.{number}"
        session.send([SUBSCRIBE, 1, {}, topic], [SUBSCRIBE, 2, {}, topic], [SUBSCRIBE, 3, {}, "at.once.end"])
        session._request = 3
        first, second, end = session.expect_subscribed([1, 2, 3])
        assert first == second != end
        other.publish(topic, 1)
        other.publish("at.once.end", 2)
        session.expect_event(first, 1)
        session.expect_event(end, 2)
        session.unsubscribe(first)
        other.publish(topic, 3)
        other.publish("at.once.end", 4)
        session.expect_event(end, 4)


@both_serializers
def test_leaving_while_subscribing(join, serializer):
    """What was asked for by one session is not answered to the next one on the same transport, and not subscribed."""
    other = join()
    for _ in range(20):
        session = join(serializer)
        topics = [f"leaving.{number}" for number in range(20)]
        session.send(*([SUBSCRIBE, number + 1, {}, topic] for number, topic in enumerate(topics)),
                     [GOODBYE, {}, "wamp.close.close_realm"], [HELLO, "realm1", {"roles": wamp.ROLES}],
                     [SUBSCRIBE, 1, {}, "leaving.new"])
        while (message := session.receive())[0] == SUBSCRIBED:
            pass
        assert message[0] == GOODBYE, message
        session.expect(WELCOME)
        subscription = session.expect(SUBSCRIBED, 1)[2]
        for topic in topics + ["leaving.new"]:
            other.publish(topic, topic)
        session.expect_event(subscription, "leaving.new")


@both_serializers
def test_unsubscribing_what_is_not_subscribed(join, serializer):
    session, other = join(serializer), join()
    mine = session.subscribe("mine")
    others = other.subscribe("others")
    session.unsubscribe(mine)
    for subscription in (mine, others, 1, 2**32 - 1, 2**32, 2**53):
        request = session.next_request()
        session.send([UNSUBSCRIBE, request, subscription])
        session.expect(ERROR, UNSUBSCRIBE, request, None, "wamp.error.no_such_subscription")
    session.publish("others", "still subscribed")
    other.expect_event(others, "still subscribed")


@both_serializers
def test_unknown_match_policy(join, serializer):
    session = join(serializer)
    session.send([SUBSCRIBE, 1, {"match": "telepathy"}, "a.b"])
    message = session.receive()
    if message[0] == ERROR:
        assert message[1:3] == [SUBSCRIBE, 1] and message[4].startswith("wamp.error."), message
    else:
        assert message[0] == wamp.ABORT and message[2] == wamp.VIOLATION, message


@both_serializers
def test_explicit_exact_match_is_the_same_subscription(join, serializer):
    session = join(serializer)
    assert session.subscribe("exact.topic", {"match": "exact"}) == session.subscribe("exact.topic")


@both_serializers
def test_many_subscriptions_of_one_session(join, serializer):
    session, other = join(serializer), join("msgpack")
    topics = [f"many.{number}" for number in range(1000)]
    session.send(*([SUBSCRIBE, number + 1, {}, topic] for number, topic in enumerate(topics)))
    ids = session.expect_subscribed(range(1, 1001))
    assert len(set(ids)) == 1000
    for number in (0, 499, 999):
        other.publish(topics[number], number)
        session.expect_event(ids[number], number)


def test_subscriptions_of_one_session_are_bounded(join):
    """By an ERROR, and the session goes on with those it has."""
    session, other = join("msgpack"), join()
    count = 20000
    answers = {}
    for start in range(1, count + 1, 1000):
        session.send(*([SUBSCRIBE, number, {}, f"bounded.{number}"] for number in range(start, start + 1000)))
        for _ in range(1000):
            message = session.receive()
            answers[message[2] if message[0] == ERROR else message[1]] = message
    assert sorted(answers) == list(range(1, count + 1))
    kinds = [answers[number][0] for number in range(1, count + 1)]
    granted = kinds.count(SUBSCRIBED)
    assert 1000 < granted < count and kinds == [SUBSCRIBED] * granted + [ERROR] * (count - granted)
    session._request = count
    other.publish(f"bounded.{granted}", "the last")
    session.expect_event(answers[granted][2], "the last")
    session.unsubscribe(answers[1][2])
    session.subscribe("bounded.after")


# Publishing

@both_serializers
@pytest.mark.parametrize("other_serializer", wamp.SERIALIZERS)
def test_absent_and_empty_payloads(join, serializer, other_serializer):
    session, other = join(serializer), join(other_serializer)
    subscription = session.subscribe("payloads")
    cases = [
        ([], []),
        ([[]], []),
        ([[], {}], []),
        ([[1]], [[1]]),
        ([[1], {}], [[1]]),
        ([[], {"a": 1}], [[], {"a": 1}]),
        ([[1], {"a": 1}], [[1], {"a": 1}]),
    ]
    for number, (sent, expected) in enumerate(cases):
        other.send([PUBLISH, number + 1, {"acknowledge": True}, "payloads", *sent])
        publication = other.expect(PUBLISHED, number + 1)[2]
        assert session.receive() == [EVENT, subscription, publication, {}, *expected], sent


@both_serializers
def test_exclude_me(join, serializer):
    session, other = join(serializer), join(serializer)
    subscription = session.subscribe("exclude")
    others = other.subscribe("exclude")
    session.publish_unacknowledged("exclude", "by default")
    session.publish_unacknowledged("exclude", "explicitly", exclude_me=True)
    session.publish_unacknowledged("exclude", "not", exclude_me=False)
    session.expect_event(subscription, "not")
    for text in ("by default", "explicitly", "not"):
        other.expect_event(others, text)


@both_serializers
def test_unknown_options_are_ignored(join, serializer):
    session = join(serializer)
    subscription = session.subscribe("options", {"x_custom": {"a": [1]}, "nonsense": None})
    session.publish_unacknowledged("options", 1, exclude_me=False, x_other=[], y={"z": 1.5})
    session.expect_event(subscription, 1)


@both_serializers
def test_publishing_to_nobody(join, serializer):
    assert wamp.is_id(join(serializer).publish("nobody.listens", 1))


@both_serializers
@pytest.mark.parametrize("size", [100, 5000, 70000, 900000])
def test_payload_sizes_across_workers(on_each_worker, serializer, size):
    publisher = on_each_worker(serializer)[0]
    subscribers = on_each_worker("json") + on_each_worker("msgpack")
    subscriptions = [subscriber.subscribe("sizes") for subscriber in subscribers]
    text = "".join(chr(97 + number % 26) for number in range(1000)) * (size // 1000 + 1)
    for number in range(3):
        publisher.publish("sizes", number, text[:size])
        for subscriber, subscription in zip(subscribers, subscriptions):
            subscriber.expect_event(subscription, number, text[:size])


# Order

def flood(publisher, topics, stop, sent):
    """Publishes numbers over all topics in turn, acknowledged now and then so as not to run away."""
    number = 0
    while not stop.is_set():
        request = publisher.next_request()
        acknowledge = number % 20 == 19
        publisher.send([PUBLISH, request, {"acknowledge": acknowledge}, topics[number % len(topics)], [number]])
        if acknowledge:
            publisher.expect(PUBLISHED, request)
        number += 1
    sent.append(number)


@pytest.fixture
def flooding():
    threads = []

    def start(publisher, topics):
        stop, sent = threading.Event(), []
        thread = threading.Thread(target=flood, args=(publisher, topics, stop, sent), daemon=True)
        thread.start()
        threads.append((stop, thread))

        def finish():
            stop.set()
            thread.join(wsraw.TIMEOUT_S)
            assert sent, "the publisher failed"
            return sent[0]

        return finish

    yield start
    for stop, thread in threads:
        stop.set()
        thread.join(wsraw.TIMEOUT_S)


@both_serializers
@pytest.mark.parametrize("worker", [0, 1])
def test_subscribed_before_the_first_event_and_nothing_after_unsubscribed(
        on_each_worker, flooding, serializer, worker):
    """While another session publishes without a pause; `worker` says whose sessions cross the workers."""
    subscriber = on_each_worker(serializer)[worker]
    publisher = on_each_worker(serializer)[0]
    finish = flooding(publisher, ["stormy"])
    events = 0
    for _ in range(100):
        subscription = subscriber.subscribe("stormy")  # the very next message, or this fails
        previous = None
        for _ in range(5):
            number = subscriber.expect(EVENT, subscription)[4][0]
            assert previous is None or number == previous + 1, f"{number} after {previous}"
            previous = number
        request = subscriber.next_request()
        subscriber.send([UNSUBSCRIBE, request, subscription])
        while (message := subscriber.receive())[0] == EVENT:
            assert message[4][0] == previous + 1
            previous += 1
            events += 1
        assert message == [UNSUBSCRIBED, request], message
    assert finish() > 500


@pytest.mark.parametrize("topic_count", [1, 10])
def test_order_across_topics_and_workers(on_each_worker, topic_count):
    """Two publishers, one on each worker; every subscriber sees each one's numbers in the order published."""
    topics = [f"across.{number}" for number in range(topic_count)]
    subscribers = on_each_worker("json") + on_each_worker("msgpack")
    for subscriber in subscribers:
        for topic in topics:
            subscriber.subscribe(topic)
    publishers = on_each_worker("msgpack")
    count = 400
    for number in range(count):
        for name, publisher in enumerate(publishers):
            publisher.publish_unacknowledged(topics[number % topic_count], name, number)
    for subscriber in subscribers:
        seen = {0: [], 1: []}
        for _ in range(count * len(publishers)):
            name, number = subscriber.expect(EVENT)[4]
            seen[name].append(number)
        assert seen == {0: list(range(count)), 1: list(range(count))}


@both_serializers
def test_a_publishers_own_events_keep_its_order(join, serializer):
    session = join(serializer)
    ids = [session.subscribe(f"own.{number}") for number in range(3)]
    session.send(*([PUBLISH, 4 + number, {"exclude_me": False}, f"own.{number % 3}", [number]] for number in range(90)))
    for number in range(90):
        session.expect_event(ids[number % 3], number)


# Payloads between the serializers

BINARY = bytes(range(256))


def transferred(join, source, target, data):
    """Publishes raw serialized arguments `data` from `source`; the decoded arguments at `target`."""
    publisher, subscriber = join(source), join(target)
    subscriber.subscribe("transfer")
    if source == "json":
        publisher.send_bytes(b'[16,1,{},"transfer",' + data + b"]")
    else:
        publisher.send_bytes(b"\x95\x10\x01\x80\xa8transfer" + data)
    return subscriber.expect(EVENT)[4]


@pytest.mark.parametrize("target", wamp.SERIALIZERS)
@pytest.mark.parametrize("text, value", [
    ('[ 1 , -1 , 0 , 1.5 , -0.25e-3 , 1E5 ]', [1, -1, 0, 1.5, -0.25e-3, 1e5]),
    ('[18446744073709551615, -9223372036854775808]', [2**64 - 1, -(2**63)]),
    ('[true, false, null, [], {}, [[[]]], {"a": {"b": [{}]}}]',
     [True, False, None, [], {}, [[[]]], {"a": {"b": [{}]}}]),
    (r'["\u00e9\n\t\"\\\/\b\f\r \ud834\udd1e", "é𝄞", ""]', ['é\n\t"\\/\b\f\r 𝄞', "é𝄞", ""]),
    (r'[{"\u00e9": 1, "": 2, "a\"b": 3}]', [{"é": 1, "": 2, 'a"b': 3}]),
    (r'["not binary \u0000", "a\u0000b"]', ["not binary \0", "a\0b"]),
])
def test_from_json(join, target, text, value):
    assert transferred(join, "json", target, text.encode()) == value


@pytest.mark.parametrize("target", wamp.SERIALIZERS)
@pytest.mark.parametrize("value", [
    [0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**53, 2**63, 2**64 - 1],
    [-1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**63)],
    [0.5, -1.25, 1e300, 5e-324, 0.1],
    [True, False, None, [], {}, [[[]]], {"a": {"b": [{}]}}],
    ["", "é", "𝄞" * 100, 'quote " backslash \\ slash / control \x01\x1f\x7f\n', "\u2028\u2029"],
    [{"é": 1, "": 2, 'a"b\\': 3, "x" * 40: 4}],
    [list(range(70)), {str(number): number for number in range(70)}, "x" * 300, "y" * 70000],
])
def test_from_msgpack(join, target, value):
    assert transferred(join, "msgpack", target, msgpack.packb(value)) == value


def test_binary_between_the_serializers(join):
    import base64
    value = [BINARY, b"", {"k": b"\0"}]
    text = json.dumps(["\0" + base64.b64encode(BINARY).decode(), "\0", {"k": "\0AA=="}])
    assert transferred(join, "msgpack", "msgpack", msgpack.packb(value)) == value
    assert transferred(join, "msgpack", "json", msgpack.packb(value)) == json.loads(text)
    assert transferred(join, "json", "json", text.encode()) == json.loads(text)
    assert transferred(join, "json", "msgpack", text.encode()) == value


def test_what_json_cannot_hold(join):
    """Integer keys become their decimal text, NaN and infinities null, ext its data as binary."""
    value = [{1: "a", -5: "b"}, float("nan"), float("inf"), msgpack.ExtType(42, b"ext")]
    assert transferred(join, "msgpack", "json", msgpack.packb(value)) == [
        {"1": "a", "-5": "b"}, None, None, "\0ZXh0"]


def test_broken_base64_is_text(join):
    assert transferred(join, "json", "msgpack", rb'["\u0000not base64!"]') == ["\0not base64!"]
