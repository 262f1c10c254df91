"""What connections cost in memory, and that it comes back when they go. The bounds are wide: they decide between
a connection that is a few hundred bytes and one that owns a buffer, not between one build and the next."""

import pathlib
import resource
import time

import pytest

import broker as broker_module
import wamp

CONNECTIONS = 8000  # this process and the broker hold a descriptor for each
AT_ONCE = 100


@pytest.fixture(autouse=True, scope="module")
def room_for_descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = CONNECTIONS + 1000
    if before[1] < needed:
        pytest.skip(f"the hard limit of descriptors is {before[1]}, this needs {needed}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], needed), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture(autouse=True, scope="module")
def plain_build():
    program = pathlib.Path(broker_module.executable("ringcast")).read_bytes()
    if b"__asan_init" in program or b"__tsan_init" in program:
        pytest.skip("a sanitizer keeps what was freed, and more for everything that was not")


def processes(pid):
    yield pid
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from processes(int(child))


def memory_bytes(broker):
    """What the supervisor and its workers have written to, each page once. Not the pages of files: a broker of another
    test, which shares those of the program and its libraries, makes them cheaper while it runs, by megabytes."""
    total = 0
    for pid in processes(broker.pid):
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, value = line.split(":", 1) if ":" in line else ("", "")
            if name in ("Pss_Anon", "Pss_Shmem"):
                total += 1024 * int(value.split()[0])
    return total


def settled_memory(broker, enough):
    """Memory once it is at most `enough` bytes, or what it is after a patient while: it goes back when it is quiet."""
    deadline = time.monotonic() + broker_module.PATIENCE_S / 3
    while (seen := memory_bytes(broker)) > enough and time.monotonic() < deadline:
        time.sleep(0.2)
    return seen


def open_sessions(broker, count, own_topics=True):
    """Sessions with one subscription each, opened many at once: what they wait for is underway for all of them."""
    sessions = []
    for begin in range(0, count, AT_ONCE):
        some = [wamp.Session.open(broker.url, "msgpack") for _ in range(min(AT_ONCE, count - begin))]
        for session in some:
            session.join()
        for number, session in enumerate(some, begin):
            session.subscribe(f"com.example.memory.{number if own_topics else 0}")
        sessions += some
    return sessions


@pytest.fixture
def quiet_broker(start_broker):
    """One worker that has served before, so that what a first connection loads is there already."""
    broker = start_broker("--processes", 1, "--threads", 1, "--ping-interval", 600, "--handshake-timeout", 600)
    for session in open_sessions(broker, 10):
        session.drop()
    broker.wait_total("connections", 0)
    return broker


@pytest.mark.parametrize("own_topics", [True, False], ids=["a topic each", "one topic for all"])
def test_an_idle_connection_owns_no_buffer_and_its_memory_comes_back(quiet_broker, own_topics):
    before = memory_bytes(quiet_broker)
    sessions = open_sessions(quiet_broker, CONNECTIONS, own_topics)
    try:
        assert quiet_broker.total("subscriptions") == CONNECTIONS
        enough = before + CONNECTIONS * 1000
        connected = settled_memory(quiet_broker, enough)
        assert connected <= enough, f"{(connected - before) / CONNECTIONS:.0f} bytes for each connection"
    finally:
        for session in sessions:
            session.drop()
    for gauge in ("connections", "subscriptions", "topics", "home_topics"):
        quiet_broker.wait_total(gauge, 0)
    # What is left of all of them is less than 200 bytes for each that was there.
    enough = before + CONNECTIONS * 200
    assert settled_memory(quiet_broker, enough) <= enough, (
        f"{before} bytes before, {connected} with connections, {memory_bytes(quiet_broker)} after them"
    )
