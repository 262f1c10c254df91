"""The router's own procedures and events, as third-party clients call and hear them."""

import pytest

from drivers import KINDS, Driver, DriverError


@pytest.fixture(params=KINDS)
def driver(request):
    driver = Driver(request.param)
    yield driver
    driver.end()


@pytest.fixture
def broker(start_broker):
    return start_broker("--processes", 2, "--threads", 1)


def opened(driver, broker, name):
    """Opens a session; its id."""
    return int(driver.call("open", name, url=broker.url, realm="realm1")["session_id"])


def meta(driver, session, procedure, *args, **kwargs):
    """The only result of a call, or None."""
    found, _, _ = driver.rpc(session, procedure, list(args), kwargs)
    return found[0] if found else None


def test_sessions_are_listed_described_and_killed(broker, driver):
    watcher = opened(driver, broker, "watcher")
    driver.call("subscribe", "watcher", topic="wamp.session.on_join")
    driver.call("subscribe", "watcher", topic="wamp.session.on_leave")
    victim = opened(driver, broker, "victim")
    (details,), _ = driver.next_event("watcher", "wamp.session.on_join")
    assert details["session"] == victim
    assert meta(driver, "watcher", "wamp.session.count") == 2
    assert sorted(meta(driver, "watcher", "wamp.session.list")) == sorted([watcher, victim])
    assert meta(driver, "watcher", "wamp.session.get", victim) == details
    with pytest.raises(DriverError, match="wamp.error.no_such_session"):
        meta(driver, "watcher", "wamp.session.kill", watcher)
    assert meta(driver, "watcher", "wamp.session.kill", victim, reason="app.enough") is None
    args, _ = driver.next_event("watcher", "wamp.session.on_leave")
    assert args == [victim, details["authid"], details["authrole"]]
    broker.wait_total("sessions", 1)


def test_a_testament_is_published(broker, driver):
    for name in ("heir", "deceased"):
        driver.call("open", name, url=broker.url, realm="realm1")
    driver.call("subscribe", "heir", topic="my.will")
    meta(driver, "deceased", "wamp.session.add_testament", "my.will", ["all", 1.5], {"to": "you"})
    driver.call("close", "deceased")
    assert driver.next_event("heir", "my.will") == (["all", 1.5], {"to": "you"})


def test_subscriptions_and_registrations_are_described(broker, driver):
    ids = [opened(driver, broker, name) for name in ("one", "other")]
    driver.call("subscribe", "one", topic="the.topic")
    driver.call("register", "one", procedure="the.procedure")
    for kind, uri, members in (
        ("subscription", "the.topic", "subscribers"),
        ("registration", "the.procedure", "callees"),
    ):
        found = meta(driver, "other", f"wamp.{kind}.lookup", uri)
        assert meta(driver, "other", f"wamp.{kind}.list") == {"exact": [found], "prefix": [], "wildcard": []}
        assert meta(driver, "other", f"wamp.{kind}.get", found)["uri"] == uri
        assert meta(driver, "other", f"wamp.{kind}.list_{members}", found) == [ids[0]]
        assert meta(driver, "other", f"wamp.{kind}.count_{members}", found) == 1
    with pytest.raises(DriverError, match="wamp.error.no_such_procedure"):
        meta(driver, "other", "wamp.session.nothing")
