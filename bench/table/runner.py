"""Runs rows: one server at a time on cores of its own, the load generator on another, round after round.

All sides of a row run one right after the other within a round, so that what else the machine does falls on all of
them; their order is reversed in every other round, so that none profits from its place.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field

from table.failure import Failure
from table.figures import CHECKS, figures_of
from table.paths import REPOSITORY
from table.rows import peers_of
from table.servers import ENDS_WITH_US, PEERS_BY_NAME, RingcastProcess

RINGCAST = "Ringcast"
FLOOR = "floor"
RUN_PATIENCE_S = 60


@dataclass
class Settings:
    bin: str
    server_core: int
    generator_core: int
    rounds: int
    rare_rounds: int
    duration_s: float
    warmup_s: float
    connections: int  # of the idle row
    quick: bool = False


@dataclass
class Results:
    """By row and side: one entry per round, nothing where it was not measured or failed."""

    figures: dict = field(default_factory=dict)
    failures: dict = field(default_factory=dict)

    def add(self, row, side, round_number, figures=None, failure=None):
        entries = self.figures.setdefault(row, {}).setdefault(side, {})
        if figures is not None:
            entries[round_number] = figures
        if failure is not None:
            self.failures.setdefault(row, {}).setdefault(side, []).append(failure)

    def of(self, row, side):
        return self.figures.get(row, {}).get(side, {})


def run_program(command, timeout_s):
    """Standard output, exit code and standard error of a program that must end in time."""
    command = [str(part) for part in command]
    try:
        done = subprocess.run([*ENDS_WITH_US, *command], cwd=REPOSITORY, capture_output=True, text=True, timeout=timeout_s)
    except OSError as error:
        raise Failure(f"{' '.join(command)}: {error}") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"{' '.join(command)}: still running after {timeout_s:.0f} s") from None
    return done


class Generator:
    """ringcast-bench on its core."""

    def __init__(self, settings):
        self.settings = settings

    def command(self, mode, protocol, url, pid, arguments, times):
        spin = [] if mode == "idle" else ["--spin"]
        return ["taskset", "-c", self.settings.generator_core, f"{self.settings.bin}/bin/ringcast-bench", mode,
                "--protocol", protocol, "--url", url, *arguments, *times, *spin, "--pid", pid]

    def times(self, row):
        if not row.timed:
            return []
        return ["--duration", f"{self.settings.duration_s * row.duration_factor:g}", "--warmup",
                f"{self.settings.warmup_s:g}"]

    def run(self, mode, protocol, process, arguments, times, checked=True):
        """The figures; Failure if the run failed or, unless told otherwise, a check did."""
        command = [*self.command(mode, protocol, process.url, process.pid, arguments, times), "--json"]
        done = run_program(command, RUN_PATIENCE_S + 4 * self.settings.duration_s * 2)
        try:
            result = json.loads(done.stdout)
        except ValueError:
            raise Failure(f"exit code {done.returncode}: {done.stderr.strip()}") from None
        if result["interrupted"]:
            raise Failure("it was interrupted")
        bad = {name: result["checks"][name] for name in CHECKS if result.get("checks", {}).get(name)}
        if checked and bad:
            raise Failure("checks failed: " + ", ".join(f"{count} {name}" for name, count in bad.items()))
        if done.returncode != 0 and not bad:
            raise Failure(f"exit code {done.returncode}: {done.stderr.strip()}")
        try:
            return figures_of(mode, result)
        except KeyError as missing:
            raise Failure(f"this ringcast-bench reports no {missing}") from None


class Runner:
    def __init__(self, settings, log):
        self.settings = settings
        self.generator = Generator(settings)
        self.results = Results()
        self.log = log

    def run(self, rows):
        for round_number in range(self.settings.rounds):
            for row in rows:
                self.run_row(row, round_number)
        return self.results

    def run_row(self, row, round_number):
        sides = [RINGCAST, *peers_of(row, self.settings.quick, round_number, self.settings.rare_rounds)]
        if round_number % 2:
            sides.reverse()
        for side in sides:
            self.measure(row, side, round_number, lambda: self.figures(row, side))
        ringcast = self.results.of(row.name, RINGCAST).get(round_number)
        if row.floor and ringcast and "frame_bytes" in ringcast and not self.settings.quick:
            self.measure(row, FLOOR, round_number, lambda: self.floor(row.floor, ringcast["frame_bytes"]))

    def measure(self, row, side, round_number, take):
        try:
            figures = take()
        except Failure as failure:
            self.results.add(row.name, side, round_number, failure=str(failure))
            self.log(f"round {round_number + 1} {row.name:18} {side:12} FAILED: {failure}")
            return
        self.results.add(row.name, side, round_number, figures)
        shown = "  ".join(f"{metric.label} {figures[metric.key]:.{metric.digits}f} {metric.unit}"
                          for metric in row.metrics if metric.key in figures)
        self.log(f"round {round_number + 1} {row.name:18} {side:12} {shown}")

    def figures(self, row, side):
        arguments = row.arguments.format(connections=self.settings.connections).split()
        checked = not any(metric.key == "wrong" for metric in row.metrics)
        cores = [self.settings.server_core]
        times = self.generator.times(row)
        if side != RINGCAST:
            peer = PEERS_BY_NAME[side]
            with peer.start(cores) as process:
                return self.generator.run(row.mode, peer.protocol, process, arguments, times, checked)
        with RingcastProcess(cores, f"{self.settings.bin}/bin/ringcast", row.workers) as process:
            figures = self.generator.run(row.mode, "msgpack", process, arguments, times, checked)
            return figures | counted(process.counters())

    def floor(self, shape, frame_bytes):
        command = [f"{self.settings.bin}/bench/floor/floor_bench", "-S", shape.subscribers, "-B", shape.payload,
                   "--overhead", round(frame_bytes) - shape.payload, "-K", shape.window,
                   "--duration", f"{self.settings.duration_s:g}", "--warmup", f"{self.settings.warmup_s:g}",
                   "--sender-core", self.settings.server_core, "--receiver-core", self.settings.generator_core,
                   "--spin", "--json"]
        done = run_program(command, RUN_PATIENCE_S)
        if done.returncode != 0:
            raise Failure(f"exit code {done.returncode}: {done.stderr.strip()}")
        result = json.loads(done.stdout)
        return {"us": result["sender_cpu"]["us_per_delivery"], "per_s": result["deliveries_per_s"],
                "tcp_congestion": result["config"]["tcp_congestion"]}


# Upgrade, WELCOME, SUBSCRIBED, and the answer to the client's farewell, in a send each.
SENDS_OF_A_CONNECTION = 4


def counted(counters):
    """What the broker's own counters add; the few bytes of the handshakes are in frame_bytes."""
    deliveries = counters["events_queued"]
    if not deliveries:
        return {}
    figures = {"frame_bytes": counters["bytes_sent"] / deliveries, "across_workers": counters["publications_received"]}
    other_sends = SENDS_OF_A_CONNECTION * counters["connections_accepted"]
    if counters["slow_readers_closed"]:
        figures["counted"] = f"counted: {counters['slow_readers_closed']} slow reader closed, " \
                             f"{counters['slow_reader_bytes_dropped']} bytes dropped"
    if other_sends < counters["sends"] / 2:  # else it would say more about connections than about deliveries
        figures["per_send"] = deliveries / (counters["sends"] - other_sends)
    return figures


def check_programs(settings, peers):
    needed = [f"{settings.bin}/bin/ringcast", f"{settings.bin}/bin/ringcast-bench",
              f"{settings.bin}/bench/floor/floor_bench"]
    for program in needed:
        if not os.access(program, os.X_OK):
            raise Failure(f"{program} is missing: ./dev bench builds and installs what is needed")
    for program in ("taskset", "setpriv", *(name for peer in peers for name in peer.needs)):
        if not shutil.which(program):
            raise Failure(f"{program} is missing: ./dev bench installs it")
