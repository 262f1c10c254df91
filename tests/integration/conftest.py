"""Fixtures of the integration tests."""

import sys

import pytest

import broker as broker_module
import wamp
from wamp import Session

sys.dont_write_bytecode = True


@pytest.fixture
def start_broker():
    """Starts brokers with the flags a test needs; each is stopped gracefully, or killed if the test failed."""
    started = []

    def start(*flags, **options):
        started.append(broker_module.Broker(*flags, **options))
        return started[-1]

    yield start
    problems = []
    for broker in started:
        if broker.process.poll() is None:
            try:
                broker.stop()
            except AssertionError as problem:
                problems.append(str(problem))
                broker.kill()
    assert not problems, "\n".join(problems)


@pytest.fixture
def configured(start_broker, tmp_path):
    """Starts a broker of two worker processes with a configuration file of this text."""

    def start(text, *flags, **options):
        path = tmp_path / "ringcast.toml"
        path.write_text(text)
        return start_broker("--processes", 2, "--threads", 1, "--config", path, *flags, **options)

    return start


@pytest.fixture(scope="module")
def shared_broker():
    """One broker of two worker processes for a whole file. At its end no connection may be left over."""
    broker = broker_module.Broker(
        "--processes", 2, "--threads", 1, "--echo-path", "/echo", "--ping-interval", 600
    )
    try:
        yield broker
        for gauge in ("connections", "sessions", "subscriptions", "topics", "publishers_paused"):
            broker.wait_total(gauge, 0)
        for name in ("corrupt_descriptors_dropped", "corrupt_frames_dropped", "connections_refused"):
            assert broker.total(name) == 0, broker.counters()
        announced = [line for line in broker.log.lines if broker_module.WORKER_READY.search(line)]
        assert len(announced) == 2, f"a worker was restarted on the way:\n{broker.log.text()}"
        broker.stop()
    finally:
        broker.kill()


@pytest.fixture
def join(shared_broker):
    """Opens WAMP sessions with the shared broker; they are dropped at the end of the test."""
    opened = []

    def open_session(serializer="json", realm="realm1", details=None):
        session = Session.open(shared_broker.url, serializer)
        opened.append(session)
        session.join(realm, details)
        return session

    yield open_session
    for session in opened:
        session.drop()


@pytest.fixture
def on_each_worker(shared_broker, join):
    """A list of sessions, one for each worker, opened until each worker has one."""

    def open_sessions(serializer="json"):
        found = {}
        for _ in range(16):
            before = shared_broker.counters()
            session = join(serializer)
            after = shared_broker.counters()
            for worker in after:
                if after[worker]["connections_accepted"] > before[worker]["connections_accepted"]:
                    found.setdefault(worker, session)
            if len(found) == len(after):
                return [found[worker] for worker in sorted(found)]
        raise AssertionError(f"16 sessions reached only the workers {sorted(found)}")

    return open_sessions


@pytest.fixture
def witnesses(shared_broker, join):
    """Two sessions per serializer, subscribed to what the broken messages name; checked at the end."""
    sessions = [join(serializer) for serializer in wamp.SERIALIZERS * 2]
    ids = [session.subscribe("witness.topic") for session in sessions]
    yield
    publisher = join()
    publisher.publish("witness.topic", "all is well")
    for session, subscription in zip(sessions, ids):
        session.expect_event(subscription, "all is well")
    for session in [*sessions, publisher]:
        session.drop()
    shared_broker.wait_total("connections", 0)
