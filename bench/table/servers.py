"""The servers that are measured: how each is started, which protocol it speaks, and its life as a process."""

import collections
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from typing import Callable

from table.failure import Failure
from table.paths import PEERS, REPOSITORY

PATIENCE_S = 60  # for what must happen: a server that starts, one that ends
RINGCAST_READY = r"(?<!worker )\bready pid=.*\blisten=(\S+)"

BUN = PEERS / "node_modules/.bin/bun"


# Whatever becomes of this program, SIGKILL included, what it started gets SIGTERM.
ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM")


class Process:
    """One server process, pinned to cores with all its children, from its ready line to its end.

    What it writes is read all the time, so that it never blocks on a full pipe.
    """

    def __init__(self, cores, command, ready):
        self.command = ["taskset", "-c", ",".join(map(str, cores)), *map(str, command)]
        self.unread = collections.deque(maxlen=1000)
        self.tail = collections.deque(maxlen=20)  # for an error
        self.news = threading.Condition()
        self.ended = False
        try:
            self.process = subprocess.Popen([*ENDS_WITH_US, *self.command], cwd=REPOSITORY, stdin=subprocess.DEVNULL, text=True,
                                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
        except OSError as error:
            raise Failure(f"{' '.join(self.command)}: {error}") from None
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.ready = self.wait_for(ready)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self):  # setpriv and taskset have become the server
        return self.process.pid

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.unread.append(line)
                self.tail.append(line)
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def wait_for(self, pattern):
        """The match of the first line since the last wait that has the pattern."""
        found = None

        def seen():
            nonlocal found
            while self.unread and not found:
                found = re.search(pattern, self.unread.popleft())
            return found or self.ended

        with self.news:
            self.news.wait_for(seen, PATIENCE_S)
            lines = list(self.tail)
            ended = self.ended
        if not found:
            what = "it ended" if ended else f"in {PATIENCE_S} s it wrote no line like {pattern!r}"
            last = f"; its last words: {lines[-1].strip()}" if lines else ""
            raise Failure(f"{' '.join(self.command)}: {what}{last}\n{''.join(lines[:-1])}".strip())
        return found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class RingcastProcess(Process):
    """The broker, which also tells its counters."""

    def __init__(self, cores, binary, workers, arguments=()):
        command = [binary, "--processes", 1, "--threads", workers, "--listen", "127.0.0.1:0", *arguments]
        super().__init__(cores, command, RINGCAST_READY)
        self.url = self.ready[1]

    def counters(self):
        """The sum of each counter over all workers."""
        self.process.send_signal(signal.SIGUSR1)
        total = collections.Counter()
        while True:
            line = self.wait_for(r"\bcounters (?:worker=\d+ (.*)|end)")
            if line[1] is None:
                return total
            total.update({name: int(value) for name, value in re.findall(r"(\w+)=(\d+)\b", line[1])})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class MosquittoProcess(Process):
    """It takes no port 0, so free ones are looked for and written into its configuration."""

    def __init__(self, cores):
        port = free_port()
        text = (PEERS / "mosquitto.conf").read_text()
        self.directory = tempfile.TemporaryDirectory(prefix="ringcast-bench-")
        configuration = pathlib.Path(self.directory.name) / "mosquitto.conf"
        configuration.write_text(text.replace("{port}", str(port)).replace("{plain_port}", str(free_port())))
        super().__init__(cores, ["mosquitto", "-c", configuration], r"mosquitto version \S+ running")
        self.url = f"ws://127.0.0.1:{port}/mqtt"

    def stop(self):
        super().stop()
        self.directory.cleanup()


class PortProcess(Process):
    """A server that writes its port on a line of its own, or in its log."""

    def __init__(self, cores, command, ready=r"^(\d+)$"):
        super().__init__(cores, command, ready)
        self.url = f"ws://127.0.0.1:{self.ready[1]}/"


@dataclass(frozen=True)
class Peer:
    name: str
    protocol: str  # of ringcast-bench
    start: Callable  # cores -> Process with url
    version: Callable  # -> text
    needs: tuple  # programs that must be there
    speaks: str
    command: str  # as shown in the report


def _node(script):
    return lambda cores: PortProcess(cores, ["node", PEERS / script])


def _output(*command):
    try:
        done = subprocess.run([str(part) for part in command], cwd=PEERS, capture_output=True, text=True,
                              timeout=PATIENCE_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(f"{command[0]}: {error}") from None
    return done.stdout + done.stderr


def _npm_version(package):
    return lambda: _output("node", "-p", f"require('{package}/package.json').version").strip() + \
        " on Node.js " + _output("node", "--version").strip().removeprefix("v")


def _matched_version(*command):
    return lambda: (re.search(r"\d+\.\d+[\w.+-]*", _output(*command)) or ["unknown"])[0]


def _nats(cores):
    return PortProcess(cores, ["nats-server", "-c", PEERS / "nats.conf"], r"websocket clients on ws://127\.0\.0\.1:(\d+)")


PEER_LIST = (
    Peer("Bun", "raw", lambda cores: PortProcess(cores, [BUN, PEERS / "bun-server.js"]),
         _matched_version(BUN, "--version"), (str(BUN),), "plain WebSocket messages, by uWebSockets' topics",
         "bench/peers/node_modules/.bin/bun bench/peers/bun-server.js"),
    Peer("nats-server", "nats", _nats, _matched_version("nats-server", "--version"), ("nats-server",),
         "NATS over WebSocket", "nats-server -c bench/peers/nats.conf"),
    Peer("mosquitto", "mqtt", MosquittoProcess, _matched_version("mosquitto", "-h"), ("mosquitto",),
         "MQTT 3.1.1 QoS 0 over WebSocket", "mosquitto -c bench/peers/mosquitto.conf (with ports filled in)"),
    Peer("ws", "raw", _node("ws-server.js"), _npm_version("ws"), ("node",), "plain WebSocket messages",
         "node bench/peers/ws-server.js"),
    Peer("fox-wamp", "json", _node("fox-wamp-server.js"), _npm_version("fox-wamp"), ("node",), "WAMP in JSON",
         "node bench/peers/fox-wamp-server.js"),
)
PEERS_BY_NAME = {peer.name: peer for peer in PEER_LIST}
