"""Starting, failing to start, stopping, and losing a worker: what an operator sees."""

import os
import re
import signal
import socket
import subprocess
import time

import pytest

import broker as broker_module
import wamp
import wsraw
from wamp import GOODBYE, Session


def failed_start(*flags, **options):
    """The exit code and the log of a broker that must refuse to start."""
    broker = broker_module.Broker(*flags, wait=False, **options)
    try:
        code = broker.wait_exit()
    finally:
        broker.kill()
    broker.check_log()
    log = broker.log.text()
    assert code > 0, f"exit code {code}:\n{log}"
    assert "ready pid=" not in log
    return code, log


def test_version_and_help():
    def run(flag):
        command = [broker_module.executable("ringcast"), flag]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=broker_module.PATIENCE_S)

    assert re.fullmatch(r"ringcast \d+\.\d+\.\d+\n", run("--version").stdout)
    flags = ("listen", "path", "realm", "processes", "threads", "echo-path", "allow-anonymous", "log-level")
    for flag in flags:
        assert f"--{flag}" in run("--help").stdout


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_port_in_use(taken_port):
    _, log = failed_start(listen=f"127.0.0.1:{taken_port}")
    assert str(taken_port) in log, log
    assert re.search(r"in use|already", log), log
    assert "--listen" in log, f"no remedy: {log}"


@pytest.mark.parametrize("flags", [
    ["--no-such-flag"], ["--processes", "many"], ["--processes", "0"], ["--processes", "-1"], ["--threads", "0"],
    ["--log-level", "loudest"], ["--path", "no-slash"], ["--ping-interval", "soon"], ["stray"],
    ["--busy-poll", "100001"],
], ids=lambda flags: " ".join(flags))
def test_invalid_flag(flags):
    _, log = failed_start(*flags)
    assert flags[0] in log, f"the message does not name {flags[0]}:\n{log}"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:", ":::", "127.0.0.1:99999", "127.0.0.1:http", ""])
def test_invalid_address(address):
    _, log = failed_start(listen=address)
    assert "--listen" in log or "listen" in log, log


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_anonymous_access_from_elsewhere_must_be_allowed_explicitly(address):
    _, log = failed_start(listen=address)
    assert "--allow-anonymous" in log, f"no remedy: {log}"


def test_anonymous_access_from_elsewhere_when_allowed(start_broker):
    broker = start_broker("--processes", 1, "--allow-anonymous", listen="0.0.0.0:0")
    session = Session.open(f"ws://127.0.0.1:{broker.port}/ws")
    session.join()
    session.drop()


def test_too_few_file_descriptors():
    _, log = failed_start("--worker-connections-max", 1000, before_exec=broker_module.fd_limit(64))
    assert "64" in log, f"the limit that was found is not named: {log}"
    assert re.search(r"LimitNOFILE|ulimit|RLIMIT_NOFILE|nofile", log), f"no remedy: {log}"


def test_io_uring_refused_by_a_seccomp_filter():
    _, log = failed_start("--processes", 2, before_exec=broker_module.refuse_io_uring)
    assert "io_uring" in log and "seccomp" in log, log
    assert "io_uring_setup" in log, f"no remedy: {log}"


def test_failures_have_exit_codes_of_their_own(taken_port):
    codes = {
        "port": failed_start(listen=f"127.0.0.1:{taken_port}")[0],
        "flag": failed_start("--no-such-flag")[0],
        "anonymous": failed_start(listen="0.0.0.0:0")[0],
        "io_uring": failed_start(before_exec=broker_module.refuse_io_uring)[0],
        "fds": failed_start("--worker-connections-max", 1000, before_exec=broker_module.fd_limit(64))[0],
    }
    assert len(set(codes.values())) == len(codes), codes


def test_several_addresses(start_broker):
    broker = start_broker("--processes", 1, "--listen", "127.0.0.1:0")
    found = re.findall(r"ws://127\.0\.0\.1:(\d+)/ws", broker.log.text())
    assert len(set(found)) == 2, broker.log.text()
    sessions = [Session.open(f"ws://127.0.0.1:{port}/ws") for port in sorted(set(found))]
    for session in sessions:
        session.join()
    subscription = sessions[0].subscribe("two.addresses")
    sessions[1].publish("two.addresses", 1)
    sessions[0].expect_event(subscription, 1)
    for session in sessions:
        session.drop()


def test_ipv6(start_broker):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    broker = start_broker("--processes", 1, listen="[::1]:0")
    assert broker.host == "[::1]"
    connection = wsraw.Connection("::1", broker.port)
    assert connection.upgrade("/ws", ["wamp.2.json"]).status == 101
    connection.drop()


def test_ready_lines_name_the_processes(start_broker):
    broker = start_broker("--processes", 2, "--threads", 2)
    assert broker.pid == broker.process.pid
    assert broker.worker_count == 4
    assert sorted(broker.workers) == [0, 1, 2, 3]
    assert len(set(broker.workers.values())) == 2
    counters = broker.counters()
    assert sorted(counters) == [0, 1, 2, 3]
    assert all(values["pid"] == broker.workers[worker] for worker, values in counters.items())


# Stopping

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_graceful_stop(start_broker, number):
    """Sessions get GOODBYE and 1001, transports without a session 1001; then the port is free and the exit is 0."""
    broker = start_broker("--processes", 2, "--echo-path", "/echo")
    sessions = [Session.open(broker.url, serializer) for serializer in wamp.SERIALIZERS * 3]
    for session in sessions:
        session.join()
    echo = wsraw.Connection.open(broker.url, path="/echo")
    upgraded = Session.open(broker.url)
    broker.signal(number)
    for session in sessions:
        message = session.expect(GOODBYE)
        assert len(message) == 3 and message[2] == "wamp.close.system_shutdown", message
        session.send([GOODBYE, {}, "wamp.close.goodbye_and_out"])
        session.connection.expect_close(1001)
    echo.expect_close(1001)
    upgraded.connection.expect_close(1001)
    assert broker.wait_exit() == 0, broker.log.text()
    broker.check_log()
    with pytest.raises(OSError):
        socket.create_connection((broker.host, broker.port), 1)


def test_the_port_is_free_after_stopping(start_broker):
    """A restart on the same address must not fail because the old one is still going."""
    broker = start_broker("--processes", 1)
    for _ in range(10):
        broker.stop()
        broker = start_broker("--processes", 1, listen=f"127.0.0.1:{broker.port}")


def test_stopping_does_not_wait_for_peers_that_do_not_answer(start_broker):
    broker = start_broker("--processes", 2, "--drain-timeout", 1)
    silent = [Session.open(broker.url) for _ in range(4)]
    for session in silent[:2]:
        session.join()
    half = wsraw.Connection(broker.host, broker.port)
    half.send(b"GET /ws HT")
    broker.signal(signal.SIGTERM)
    assert broker.wait_exit() == 0, broker.log.text()
    for session in silent:
        session.drop()


def test_stopping_delivers_what_was_queued(start_broker):
    broker = start_broker("--processes", 2)
    subscribers = [Session.open(broker.url, serializer) for serializer in wamp.SERIALIZERS * 2]
    for subscriber in subscribers:
        subscriber.join()
        subscriber.subscribe("last.words")
    publisher = Session.open(broker.url)
    publisher.join()
    publisher.send(*([wamp.PUBLISH, number + 1, {}, "last.words", [number]] for number in range(199)))
    publisher._request = 199
    publisher.publish("last.words", 199)
    for subscriber in subscribers:  # all workers have seen the first
        assert subscriber.expect(wamp.EVENT)[4] == [0]
    broker.signal(signal.SIGTERM)
    for subscriber in subscribers:
        numbers = []
        while (message := subscriber.receive())[0] == wamp.EVENT:
            numbers.append(message[4][0])
        assert message[0] == GOODBYE
        assert numbers == list(range(1, len(numbers) + 1)), numbers
        subscriber.drop()
    publisher.drop()
    assert broker.wait_exit() == 0


def test_stopping_twice_is_stopping(start_broker):
    broker = start_broker("--processes", 1)
    broker.signal(signal.SIGTERM)
    broker.signal(signal.SIGTERM)
    assert broker.wait_exit() in (0, 128 + signal.SIGTERM)


@pytest.mark.parametrize("processes, threads", [(1, 1), (1, 2), (2, 2), (4, 1)])
def test_processes_and_threads_make_no_difference(start_broker, processes, threads):
    """One publisher on each worker, one subscriber on each: every publisher's events in its order."""
    broker = start_broker("--processes", processes, "--threads", threads)
    found = sessions_by_worker(broker)
    subscribers = [sessions[0] for sessions in found.values()]
    publishers = [sessions[1] for sessions in found.values()]
    assert len(subscribers) == processes * threads
    ids = {tuple(subscriber.subscribe(topic) for topic in TOPICS) for subscriber in subscribers}
    assert len(ids) == 1
    for number in range(200):
        for name, publisher in enumerate(publishers):
            publisher.publish_unacknowledged(TOPICS[number % len(TOPICS)], name, number)
    for subscriber in subscribers:
        seen = {name: [] for name in range(len(publishers))}
        for _ in range(200 * len(publishers)):
            name, number = subscriber.expect(wamp.EVENT)[4]
            seen[name].append(number)
        assert all(numbers == list(range(200)) for numbers in seen.values())


# Losing a worker

def sessions_by_worker(broker, at_least=2):
    """worker -> sessions on it, at least so many on each."""
    found = {worker: [] for worker in broker.counters()}
    for _ in range(32):
        before = broker.counters()
        session = Session.open(broker.url)
        session.join()
        after = broker.counters()
        for worker in after:
            if after[worker]["connections_accepted"] > before[worker]["connections_accepted"]:
                found[worker].append(session)
        if all(len(sessions) >= at_least for sessions in found.values()):
            return found
    raise AssertionError(f"32 sessions: {({w: len(s) for w, s in found.items()})}")


def drain(connection):
    while connection._fill():
        pass


TOPICS = [f"worker.loss.{number}" for number in range(8)]  # some have their home on either worker


def publish_all(publisher, numbers):
    for number in numbers:
        publisher.publish(TOPICS[number % len(TOPICS)], number)


def expect_all(subscriber, ids, numbers):
    for number in numbers:
        subscriber.expect_event(ids[number % len(TOPICS)], number)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_killed_worker_costs_its_own_connections_only_and_comes_back(start_broker, lost):
    broker = start_broker("--processes", 2, "--threads", 1)
    found = sessions_by_worker(broker)
    publisher, survivor = found[1 - lost][:2]
    victims = found[lost]
    ids = [survivor.subscribe(topic) for topic in TOPICS]
    for victim in victims:
        assert [victim.subscribe(topic) for topic in TOPICS] == ids
    publish_all(publisher, range(50))
    since = broker.log.mark()
    os.kill(broker.workers[lost], signal.SIGKILL)
    publish_all(publisher, range(50, 300))
    for victim in victims:
        drain(victim.connection)
        victim.drop()
    broker.wait_worker(lost, since)
    publish_all(publisher, range(300, 350))
    expect_all(survivor, ids, range(350))

    # The new worker takes part: it accepts, knows the same subscription ids, sends and receives.
    new = sessions_by_worker(broker, at_least=1)[lost][0]
    assert [new.subscribe(topic) for topic in TOPICS] == ids
    publish_all(publisher, range(350, 400))
    expect_all(new, ids, range(350, 400))
    publish_all(new, range(400, 450))
    expect_all(survivor, ids, range(350, 450))
    assert broker.process.poll() is None


@pytest.mark.parametrize("lost", [0, 1])
def test_what_is_asked_of_a_dead_worker_is_answered_when_it_is_back(start_broker, lost):
    """Subscribing to topics whose home has just died; and no subscription id is ever given to a second topic."""
    broker = start_broker("--processes", 2, "--threads", 1)
    survivor = sessions_by_worker(broker, at_least=1)[1 - lost][0]
    owners = {}
    for number in range(40):
        topic = f"before.{number}"
        owners[survivor.subscribe(topic)] = topic
        if number % 2:
            survivor.unsubscribe(next(reversed(owners)))
    assert len(owners) == 40
    for loss in range(3):
        since = broker.log.mark()
        os.kill(broker.workers[lost], signal.SIGKILL)
        topics = [f"after.{loss}.{number}" for number in range(40)]
        requests = [survivor.next_request() for _ in topics]
        survivor.send(*([wamp.SUBSCRIBE, request, {}, topic] for request, topic in zip(requests, topics)))
        for subscription, topic in zip(survivor.expect_subscribed(requests), topics):
            assert subscription not in owners, f"{topic} got the id of {owners[subscription]}"
            owners[subscription] = topic
        broker.wait_worker(lost, since)
    publisher = Session.open(broker.url)
    publisher.join()
    for subscription, topic in owners.items():
        publisher.publish(topic, topic)
    for subscription, topic in owners.items():
        if topic.startswith("after") or int(topic.split(".")[1]) % 2 == 0:
            survivor.expect_event(subscription, topic)


def test_a_killed_worker_is_back_within_two_seconds(start_broker):
    """Of three losses one counts, so that a loaded machine does not decide."""
    took_s = []
    for _ in range(3):
        broker = start_broker("--processes", 2, "--threads", 1)
        since = broker.log.mark()
        killed_at = time.monotonic()
        os.kill(broker.workers[1], signal.SIGKILL)
        broker.wait_worker(1, since)
        took_s.append(time.monotonic() - killed_at)
        if took_s[-1] < 2:
            return
    raise AssertionError(f"a worker took {took_s} s to come back")


def test_a_worker_that_dies_again_and_again_does_not_take_the_others_along(start_broker):
    broker = start_broker("--processes", 2, "--threads", 1)
    found = sessions_by_worker(broker)
    publisher, survivor = found[0][:2]
    ids = [survivor.subscribe(topic) for topic in TOPICS]
    for loss in range(4):
        since = broker.log.mark()
        os.kill(broker.workers[1], signal.SIGKILL)
        publish_all(publisher, range(40))
        broker.wait_worker(1, since)
        expect_all(survivor, ids, range(40))


def test_a_worker_that_hangs_is_replaced(start_broker):
    """And the others go on meanwhile. Needs the supervisor's time of 10 s without a sign of life."""
    broker = start_broker("--processes", 2, "--threads", 1)
    found = sessions_by_worker(broker)
    publisher, survivor = found[0][:2]
    ids = [survivor.subscribe(topic) for topic in TOPICS]
    for session in found[1]:
        session.subscribe(TOPICS[0])
    since = broker.log.mark()
    os.kill(broker.workers[1], signal.SIGSTOP)
    publish_all(publisher, range(100))
    expect_all(survivor, ids, range(100))
    broker.wait_worker(1, since)
    publish_all(publisher, range(100))
    expect_all(survivor, ids, range(100))
    for session in found[1]:
        drain(session.connection)


def test_killing_the_supervisor_ends_the_workers(start_broker):
    """No worker is left behind to hold the port."""
    broker = start_broker("--processes", 2)
    session = Session.open(broker.url)
    session.join()
    pids = list(broker.workers.values())
    broker.process.kill()
    broker.process.wait()
    deadline = time.monotonic() + broker_module.PATIENCE_S
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
        assert time.monotonic() < deadline, f"workers {pids} outlive their supervisor"
        time.sleep(0.05)
    drain(session.connection)
    session.drop()
