"""Starts the real broker for a test and stops it again.

A Broker owns one supervisor process. Everything a test learns about it comes from its standard error:
the ready lines, and the counters that SIGUSR1 makes it log. Processes are ended by pid, never by name.
"""

import ctypes
import errno
import os
import pathlib
import re
import resource
import signal
import struct
import subprocess
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("RINGCAST_BIN", REPOSITORY / "build/release/bin"))

# How long to wait for what must happen: generous, so that a loaded machine or a sanitizer's slowness
# never decides a test. Nothing waits this long unless it fails.
PATIENCE_S = float(os.environ.get("RINGCAST_TEST_PATIENCE_S", 60))

SANITIZER_REPORT = re.compile(
    r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|UndefinedBehaviorSanitizer|runtime error:"
)
WORKER_READY = re.compile(r"\bworker ready worker=(\d+) pid=(\d+)")
ALL_READY = re.compile(r"(?<!worker )\bready pid=(\d+) workers=(\d+)\b.*?\blisten=(\S+)")
COUNTERS = re.compile(r"\bcounters (worker=.*)$")
COUNTERS_END = re.compile(r"\bcounters end\b")


class Failure(AssertionError):
    """The broker did not do what was waited for; carries its log."""


def executable(name):
    path = BIN / name
    if not path.exists():
        raise Failure(f"{path} is missing: build the project, or set RINGCAST_BIN to its bin directory")
    return str(path)


def fd_limit(count):
    """For a child before exec: the limit of file descriptors."""
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def refuse_io_uring():
    """For a child before exec: a seccomp filter that answers EPERM to io_uring_setup, as containers have it."""
    io_uring_setup = 425
    load_number, if_equal, give = 0x20, 0x15, 0x06
    allow, fail = 0x7FFF0000, 0x00050000 | errno.EPERM
    code = b"".join(
        struct.pack("HBBI", *instruction)
        for instruction in ((load_number, 0, 0, 0), (if_equal, 0, 1, io_uring_setup), (give, 0, 0, fail),
                            (give, 0, 0, allow))
    )
    filter_code = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(filter_code))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) or libc.prctl(set_seccomp, filter_mode, program, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


class Log:
    """The lines that a process wrote to a stream, read by a thread of its own."""

    def __init__(self, stream):
        self.lines = []
        self.ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        with stream:
            for raw in stream:
                with self._changed:
                    self.lines.append(raw.decode(errors="replace").rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def mark(self):
        with self._changed:
            return len(self.lines)

    def wait_for(self, pattern, since=0, timeout=PATIENCE_S):
        """The first match of `pattern` in a line from number `since` on, and that line's number."""
        deadline = time.monotonic() + timeout
        with self._changed:
            at = since
            while True:
                while at < len(self.lines):
                    found = pattern.search(self.lines[at])
                    if found:
                        return found, at
                    at += 1
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    why = "it ended" if self.ended else f"waited {timeout} s"
                    raise Failure(f"no line matches {pattern.pattern!r} ({why}):\n{self.text()}")
                self._changed.wait(left)

    def join(self):
        self._thread.join(PATIENCE_S)

    def text(self):
        return "\n".join(self.lines)


class Broker:
    def __init__(self, *flags, listen="127.0.0.1:0", before_exec=None, wait=True):
        """`before_exec` is called in the child; see fd_limit() and refuse_io_uring()."""
        command = [executable("ringcast"), "--listen", listen, *map(str, flags)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=before_exec,
        )
        self.log = Log(self.process.stderr)
        self.url = None
        if wait:
            try:
                self.wait_ready()
            except BaseException:
                self.kill()
                raise

    def wait_ready(self):
        found, _ = self.log.wait_for(ALL_READY)
        self.pid = int(found[1])
        self.worker_count = int(found[2])
        self.url = found[3].split(",")[0]
        address = re.match(r"ws://([^/]+):(\d+)(/.*)$", self.url)
        self.host, self.port, self.path = address[1], int(address[2]), address[3]

    @property
    def workers(self):
        """Worker number -> pid, as last announced."""
        pids = {}
        for line in list(self.log.lines):
            found = WORKER_READY.search(line)
            if found:
                pids[int(found[1])] = int(found[2])
        return pids

    def wait_worker(self, worker, since, timeout=PATIENCE_S):
        """Waits for a line that announces `worker` from line `since` on; its new pid."""
        pattern = re.compile(rf"\bworker ready worker={worker} pid=(\d+)")
        return int(self.log.wait_for(pattern, since, timeout)[0][1])

    def kill_worker(self, worker):
        """As a crash would: kill -9 by pid, and the next incarnation is there."""
        since = self.log.mark()
        os.kill(self.workers[worker], signal.SIGKILL)
        return self.wait_worker(worker, since)

    def counters(self):
        """Worker number -> {name: value}, as of now."""
        since = self.log.mark()
        os.kill(self.process.pid, signal.SIGUSR1)
        _, end = self.log.wait_for(COUNTERS_END, since)
        result = {}
        for line in self.log.lines[since:end]:
            found = COUNTERS.search(line)
            if found:
                pairs = dict(item.split("=", 1) for item in found[1].split() if "=" in item)
                values = {k: int(v) if re.fullmatch(r"-?\d+", v) else v for k, v in pairs.items()}
                result[values.pop("worker")] = values
        return result

    def total(self, name):
        return sum(values[name] for values in self.counters().values())

    def wait_total(self, name, expected):
        """Waits until a counter, summed over the workers, is `expected`: what ends is settled soon, not at once."""
        deadline = time.monotonic() + PATIENCE_S
        while (seen := self.total(name)) != expected:
            if time.monotonic() > deadline:
                raise Failure(f"{name} is {seen}, not {expected}, after {PATIENCE_S} s:\n{self.log.text()}")
            time.sleep(0.05)

    def signal(self, number):
        self.process.send_signal(number)

    def wait_exit(self, timeout=PATIENCE_S):
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"the broker did not exit within {timeout} s:\n{self.log.text()}") from None
        self.log.join()
        return code

    def check_log(self):
        found = SANITIZER_REPORT.search(self.log.text())
        assert not found, f"a sanitizer reported:\n{self.log.text()}"

    def stop(self):
        """Graceful stop; it must succeed, and no worker may have died before."""
        self.signal(signal.SIGTERM)
        code = self.wait_exit()
        self.check_log()
        assert code == 0, f"exit code {code} after SIGTERM:\n{self.log.text()}"

    def kill(self):
        """For the way out of a failed test: ends what this object started, by pid."""
        pids = list(self.workers.values())
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            for pid in pids:
                try:
                    if "ringcast" in pathlib.Path(f"/proc/{pid}/comm").read_text():
                        os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
