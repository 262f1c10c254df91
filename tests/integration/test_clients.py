"""Third-party clients, unchanged, publish, subscribe and call towards each other over two worker processes."""

import base64
import itertools
import os
import signal

import pytest

import wamp
from drivers import DEFAULTS, KINDS, Driver, DriverError

PAYLOADS = {
    "text": (["hello", ""], {}),
    "unicode": (["Grüße, 世界 👋🏽 \u0001\u2028 \"quoted\\\"", "Ωμέγα"], {"schlüssel": "naïve 𝄞"}),
    "numbers": ([0, 1, -1, 2**31, 2**53 - 1, -(2**53) + 1, 0.5, -1.25e-3, 1e300], {}),
    "nested": (
        [[], {}, [[["deep"]], {"a": [1, {"b": [None, True, False]}]}]],
        {"list": [1, [2, [3]]], "dict": {"x": {"y": {"z": "end"}}}, "none": None},
    ),
    "binary": ([bytes(range(256)), {"inner": [b"\x00\xff", b""]}], {"key": b"ringcast"}),
    "arguments only": (["one"], {}),
    "keywords only": ([], {"only": "keywords"}),
    "nothing": ([], {}),
    "long": (["x" * 70000], {"tail": "y" * 300}),
}


class Fleet:
    """One driver per kind of client; for each kind two sessions, one on each worker."""

    def __init__(self, broker):
        self.broker = broker
        self.drivers = {kind: Driver(kind) for kind in KINDS}
        self.sessions = {}  # (kind, worker) -> session name
        self.ids = {}
        numbers = itertools.count(1)
        for kind in KINDS:
            for _ in range(8):
                name = f"session {next(numbers)}"
                worker = self._open(kind, name)
                self.sessions.setdefault((kind, worker), name)
                if all((kind, w) in self.sessions for w in (0, 1)):
                    break
            assert all((kind, w) in self.sessions for w in (0, 1)), f"8 sessions of {kind} on one worker"

    def _accepted(self):
        return {worker: values["connections_accepted"] for worker, values in self.broker.counters().items()}

    def _open(self, kind, name):
        """Opens a session and says which worker got it."""
        before = self._accepted()
        opened = self.drivers[kind].call("open", name, url=self.broker.url, realm="realm1")
        assert opened["protocol"] == f"wamp.2.{self.drivers[kind].serializer}"
        self.ids[name] = opened["session_id"]
        after = self._accepted()
        grown = [worker for worker in after if after[worker] > before[worker]]
        assert len(grown) == 1, f"{before} -> {after}"
        return grown[0]

    def subscribe_all(self, topic):
        waiting = []
        for (kind, _), name in self.sessions.items():
            waiting.append((self.drivers[kind], self.drivers[kind].send("subscribe", name, topic=topic)))
        return [driver.answer(number)["subscription"] for driver, number in waiting]

    def end(self):
        for driver in self.drivers.values():
            driver.end()


@pytest.fixture(scope="module")
def fleet(shared_broker):
    fleet = Fleet(shared_broker)
    yield fleet
    fleet.end()


def as_seen_by(kind, value):
    """Binary values reach JavaScript's JSON clients as the convention's string, all others as bytes."""
    if isinstance(value, bytes):
        if kind in ("autobahn-js json", "wampy json"):
            return "\0" + base64.b64encode(value).decode()
        return value
    if isinstance(value, list):
        return [as_seen_by(kind, item) for item in value]
    if isinstance(value, dict):
        return {key: as_seen_by(kind, item) for key, item in value.items()}
    return value


def test_sessions_have_distinct_ids(fleet):
    assert len(set(fleet.ids.values())) == len(fleet.ids)


@pytest.mark.parametrize("publisher", KINDS)
def test_every_client_understands_every_other(fleet, publisher):
    """One publisher kind, on each worker, towards every kind of subscriber on each worker."""
    topic = "matrix." + publisher.replace(" ", "_").replace("-", "_")
    ids = fleet.subscribe_all(topic)
    assert len(set(ids)) == 1, f"subscription ids of one topic differ: {ids}"
    driver = fleet.drivers[publisher]
    for worker in (0, 1):
        source = fleet.sessions[publisher, worker]
        for name, (args, kwargs) in PAYLOADS.items():
            answer = driver.publish(source, topic, args, kwargs, acknowledge=True)
            assert answer["publication"], answer
        for (kind, at), session in fleet.sessions.items():
            if session == source:
                continue
            for name, (args, kwargs) in PAYLOADS.items():
                got = fleet.drivers[kind].next_event(session, topic)
                want = (as_seen_by(kind, args), as_seen_by(kind, kwargs))
                assert got == want, f"{name}: {publisher} on worker {worker} -> {kind} on worker {at}"


@pytest.mark.parametrize("callee", KINDS)
def test_every_client_calls_every_other(fleet, callee):
    """One kind of callee, on each worker, called by every kind of caller on each worker; it returns its arguments."""
    driver = fleet.drivers[callee]
    for worker in (0, 1):
        procedure = f"echo.{callee.replace(' ', '_').replace('-', '_')}.{worker}"
        driver.call("register", fleet.sessions[callee, worker], procedure=procedure)
        for (kind, at), session in fleet.sessions.items():
            caller = fleet.drivers[kind]
            for name in ("text", "unicode", "nested", "nothing", "long"):
                args, kwargs = PAYLOADS[name]
                got = caller.rpc(session, procedure, args, kwargs)[:2]
                assert got == (args, kwargs), f"{name}: {kind} on worker {at} -> {callee} on worker {worker}"
            with pytest.raises(DriverError, match="app.error.asked"):
                caller.rpc(session, procedure, ["fail", "why"], {})
            with pytest.raises(DriverError, match="wamp.error.no_such_procedure"):
                caller.rpc(session, procedure + ".not", [], {})


@pytest.mark.parametrize("callee", KINDS)
def test_progressive_results_between_clients(fleet, callee):
    driver = fleet.drivers[callee]
    procedure = f"progress.{callee.replace(' ', '_').replace('-', '_')}"
    driver.call("register", fleet.sessions[callee, 0], procedure=procedure)
    for (kind, at), session in fleet.sessions.items():
        got = fleet.drivers[kind].rpc(session, procedure, ["progress", 3], {}, receive_progress=True)
        assert got == (["progress", 3], {}, [0, 1, 2]), f"{kind} on worker {at} -> {callee}"


@pytest.mark.parametrize("mode", ["skip", "kill", "killnowait", None])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("autobahn-js")])
def test_a_client_that_forgets_what_it_cancels_keeps_its_connection(fleet, kind, mode):
    """autobahn-js waits for the end of a canceled call only with mode "kill"; an answer otherwise makes it leave."""
    driver, session = fleet.drivers[kind], fleet.sessions[kind, 0]
    callee = wamp.Session.open(fleet.broker.url)
    callee.join(details={"roles": {"callee": {"features": {"call_canceling": True}}}})
    procedure = f"slow.{kind.replace(' ', '_').replace('-', '_')}.{mode}"
    callee.send([wamp.REGISTER, callee.next_request(), {}, procedure])
    callee.expect(wamp.REGISTERED)
    number = driver.send("call_to_cancel", session, procedure=procedure)
    invocation = callee.expect(wamp.INVOCATION)
    driver.call("cancel", session, mode=mode)
    if mode != "skip":
        callee.expect(wamp.INTERRUPT, invocation[1])
    callee.send([wamp.ERROR, wamp.INVOCATION, invocation[1], {}, "wamp.error.canceled"])
    assert driver.answer(number)["ended"] == ("wamp.error.canceled" if mode == "kill" else "Cancelled")
    # Whatever was sent to the caller for it has come before this ERROR, and the connection lives on.
    with pytest.raises(DriverError, match="wamp.error.no_such_procedure"):
        driver.rpc(session, procedure + ".not", [], {})
    callee.drop()


@pytest.mark.parametrize("kind", KINDS)
def test_exclude_me(fleet, kind):
    """A publisher gets its own event only if it says so. wampy never sends exclude_me=false."""
    topic = "exclude." + kind.replace(" ", "_").replace("-", "_")
    driver, session = fleet.drivers[kind], fleet.sessions[kind, 0]
    driver.call("subscribe", session, topic=topic)
    driver.publish(session, topic, ["unseen"], {}, acknowledge=True)
    if kind.startswith("wampy"):
        other = "autobahn-python msgpack"
        fleet.drivers[other].publish(fleet.sessions[other, 1], topic, ["seen"], {}, acknowledge=True)
    else:
        driver.publish(session, topic, ["unseen too"], {}, acknowledge=True, exclude_me=True)
        driver.publish(session, topic, ["seen"], {}, acknowledge=True, exclude_me=False)
    assert driver.next_event(session, topic)[0] == ["seen"]
    assert driver.pending(session, topic) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_no_event_after_unsubscribe(fleet, kind):
    driver, session = fleet.drivers[kind], fleet.sessions[kind, 1]
    suffix = kind.replace(" ", "_").replace("-", "_")
    left, kept = f"left.{suffix}", f"kept.{suffix}"
    for topic in (left, kept):
        driver.call("subscribe", session, topic=topic)
    source = fleet.drivers["autobahn-js json"], fleet.sessions["autobahn-js json", 0]
    source[0].publish(source[1], left, [1], {}, acknowledge=True)
    assert driver.next_event(session, left)[0] == [1]
    driver.call("unsubscribe", session, topic=left)
    for topic in (left, kept):
        source[0].publish(source[1], topic, [2], {}, acknowledge=True)
    assert driver.next_event(session, kept)[0] == [2]
    assert driver.pending(session, left) == 0
    assert session not in driver.closed


@pytest.mark.parametrize("kind", KINDS)
def test_unacknowledged_publications_arrive_in_order(fleet, kind):
    topic = "order." + kind.replace(" ", "_").replace("-", "_")
    fleet.subscribe_all(topic)
    driver, session = fleet.drivers[kind], fleet.sessions[kind, 1]
    count = 50
    for number in range(count):
        driver.send("publish", session, topic=topic, args=[number], kwargs={}, options={})
    for (other, _), name in fleet.sessions.items():
        if name != session:
            got = [fleet.drivers[other].next_event(name, topic)[0][0] for _ in range(count)]
            assert got == list(range(count)), f"{kind} -> {other}"


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_reaches_the_client_and_the_session_lives_on(fleet, kind):
    """The router's own topics may not be published to. wampy refuses such topics itself."""
    driver, session = fleet.drivers[kind], fleet.sessions[kind, 0]
    with pytest.raises(DriverError) as caught:
        driver.publish(session, "wamp.metatopic", [1], {}, acknowledge=True)
    if not kind.startswith("wampy"):
        assert "wamp.error.invalid_uri" in str(caught.value)
    topic = "after.error." + kind.replace(" ", "_").replace("-", "_")
    driver.call("subscribe", session, topic=topic)
    other = fleet.drivers["wampy msgpack"], fleet.sessions["wampy msgpack", 1]
    other[0].publish(other[1], topic, ["alive"], {})
    assert driver.next_event(session, topic)[0] == ["alive"]


@pytest.mark.parametrize("kind", KINDS)
def test_leaving_closes_cleanly(shared_broker, fleet, kind):
    driver = fleet.drivers[kind]
    name = f"leaving {kind}"
    driver.call("open", name, url=shared_broker.url, realm="realm1")
    driver.call("close", name)
    reason = driver.wait_closed(name)
    # autobahn-js and autobahn-python name the router's answer to their GOODBYE, wampy only that it ended.
    assert reason in ("wamp.close.normal", "wamp.close.goodbye_and_out", "closed"), reason


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_realm_is_refused(shared_broker, fleet, kind):
    with pytest.raises(DriverError):
        fleet.drivers[kind].call("open", f"nowhere {kind}", url=shared_broker.url, realm="nowhere")


@pytest.fixture
def new_driver():
    started = []

    def start(kind):
        started.append(Driver(kind))
        return started[-1]

    yield start
    for driver in started:
        driver.end()


@pytest.mark.parametrize("kind", DEFAULTS)
def test_what_clients_offer_by_default(shared_broker, fleet, new_driver, kind):
    """autobahn-python offers batched subprotocols and others that are not supported, too."""
    driver, session, topic = new_driver(kind), f"session of {kind}", kind.replace(" ", ".").replace("-", ".")
    opened = driver.call("open", session, url=shared_broker.url, realm="realm1")
    assert opened["protocol"] in ("wamp.2.json", "wamp.2.msgpack")
    driver.call("subscribe", session, topic=topic)
    for other in KINDS:
        fleet.drivers[other].publish(fleet.sessions[other, 0], topic, ["by default"], {}, acknowledge=True)
        assert driver.next_event(session, topic)[0] == ["by default"]


@pytest.mark.parametrize("kind", ["wampy json", "wampy msgpack"])
def test_a_client_that_comes_back_by_itself_is_served_again(start_broker, new_driver, kind):
    """wampy reconnects when its worker has died, subscribes again, and goes on counting its request ids."""
    broker = start_broker("--processes", 1)
    driver = new_driver(kind)
    driver.call("open", "lasting", url=broker.url, realm="realm1", reconnect=True)
    driver.call("subscribe", "lasting", topic="before.and.after")
    for number in range(5):
        driver.publish("lasting", f"elsewhere.{number}", [number], {})
    os.kill(broker.workers[0], signal.SIGKILL)
    driver.wait_reconnected("lasting")
    driver.publish("lasting", "elsewhere.again", ["still counting"], {})
    broker.wait_total("subscriptions", 1)
    driver.call("open", "other", url=broker.url, realm="realm1")
    driver.publish("other", "before.and.after", ["back again"], {})
    assert driver.next_event("lasting", "before.and.after")[0] == ["back again"]


@pytest.mark.parametrize("publisher", KINDS)
def test_patterns_and_named_publishers_between_clients(fleet, publisher):
    root = "pattern." + publisher.replace(" ", "_").replace("-", "_")
    driver, source = fleet.drivers[publisher], fleet.sessions[publisher, 0]
    others = {(kind, at): name for (kind, at), name in fleet.sessions.items() if name != source}
    for (kind, _), name in others.items():
        fleet.drivers[kind].subscribe(name, root, match="prefix")  # wampy refuses a dot at the end
        fleet.drivers[kind].subscribe(name, f"{root}..end", match="wildcard")
    names_itself = {} if publisher.startswith("autobahn-python") else {"disclose_me": True}  # which can't ask for it
    driver.publish(source, f"{root}.some.end", ["both"], {}, acknowledge=True, **names_itself)
    driver.publish(source, f"{root}.other", ["prefix"], {}, acknowledge=True)
    for (kind, at), name in others.items():
        for subscribed, topic, text in ((root, "some.end", "both"), (root, "other", "prefix"),
                                        (f"{root}..end", "some.end", "both")):
            args, _, details = fleet.drivers[kind].next_event_and_details(name, subscribed)
            assert args == [text] and details["topic"] == f"{root}.{topic}", (kind, at, args, details)
            named = names_itself and text == "both"
            assert str(details.get("publisher")) == (fleet.ids[source] if named else "None"), (kind, at, details)


@pytest.mark.parametrize("publisher", KINDS)
def test_lists_and_retained_events_between_clients(fleet, publisher):
    topic = "retained." + publisher.replace(" ", "_").replace("-", "_")
    driver, source = fleet.drivers[publisher], fleet.sessions[publisher, 0]
    # wampy has no way to ask for it.
    keeper = "autobahn-python json" if publisher.startswith("wampy") else publisher
    keeping = fleet.sessions[keeper, 0]
    fleet.drivers[keeper].publish(keeping, topic, ["retained"], {}, acknowledge=True, retain=True)
    others = {(kind, at): name for (kind, at), name in fleet.sessions.items() if name != source}
    for (kind, at), name in others.items():
        fleet.drivers[kind].subscribe(name, topic, get_retained=True)
        if name == keeping:
            continue  # its own
        args, _, details = fleet.drivers[kind].next_event_and_details(name, topic)
        assert args == ["retained"] and details.get("retained") is True, (kind, at, args, details)
    chosen = list(others.values())[::2]
    ids = [int(fleet.ids[name]) for name in chosen]
    driver.publish(source, topic, ["to the chosen"], {}, acknowledge=True, eligible=ids)
    driver.publish(source, topic, ["to the others"], {}, acknowledge=True, exclude=ids)
    driver.publish(source, topic, ["to all"], {}, acknowledge=True, eligible_authrole=["anonymous", "x"])
    for (kind, at), name in others.items():
        for text in ("to the chosen" if name in chosen else "to the others", "to all"):
            assert fleet.drivers[kind].next_event(name, topic)[0] == [text], (publisher, kind, at)
