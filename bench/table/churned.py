"""Does a broker that has seen much churn still do as it did at first? Into bench/CHURN.md.

One broker goes through key rows of the table, 10,000 connections that come and go, minutes of churn, and the same rows
again; each time a fresh broker beside it, in the same rounds, shows what the machine alone has changed.
"""

import datetime
import pathlib
import statistics
import time

from table.environment import look_around
from table.failure import Failure
from table.report import name_of, spread, table_of
from table.rows import ROWS_BY_NAME
from table.runner import Generator, check_programs
from table.servers import RingcastProcess

KEY_ROWS = ("fanout-k1", "fanout-k8", "fanout-k64", "fanout-s1000", "one-to-one", "ping-pong", "rate-100")
CHURN = "-S 50 -B 128 -K 4 --churn 2000 --churners 200"
CHURN_STEP_S = 60  # a run of the generator; one after the other
CONNECTIONS = 10_000
SETTLE_S = 4  # idle memory goes back after a second or two of quiet
MIB = 1 << 20
SAME_WITHIN = 1.1


def pss_bytes(root):
    """Proportional share of memory of a process and its descendants."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass  # it ended meanwhile
    tree, grew = {root}, True
    while grew:
        children = {pid for pid, parent in parents.items() if parent in tree} - tree
        tree |= children
        grew = bool(children)
    total = 0
    for pid in tree:
        rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
    return total


class Churned:
    def __init__(self, settings, log):
        self.settings = settings
        self.generator = Generator(settings)
        self.log = log

    def broker(self):
        return RingcastProcess([self.settings.server_core], f"{self.settings.bin}/bin/ringcast", 1)

    def row(self, row, process):
        return self.generator.run(row.mode, "msgpack", process, row.arguments.split(), self.generator.times(row))

    def table(self, old, when):
        """The key rows on this broker and on a fresh one: per row, (old, fresh) figures of each round."""
        found = {}
        for number in range(self.settings.rounds):
            for row in map(ROWS_BY_NAME.get, KEY_ROWS):
                pair = []
                for turn in (0, 1) if number % 2 == 0 else (1, 0):
                    if turn == 0:
                        pair.append(("old", self.row(row, old)))
                    else:
                        with self.broker() as fresh:
                            pair.append(("fresh", self.row(row, fresh)))
                found.setdefault(row.name, []).append(dict(pair))
                metric = row.metrics[0]
                self.log(f"{when} round {number + 1} {row.name}: " + ", ".join(
                    f"{name} {figures[metric.key]:.{metric.digits}f} {metric.unit}" for name, figures in sorted(pair)))
        return found

    def memory(self, process, when):
        time.sleep(SETTLE_S)
        figures = {"when": when, "pss": pss_bytes(process.pid)}
        self.log(f"memory {when}: {figures['pss'] / MIB:.2f} MiB")
        return figures

    def crowd(self, process):
        figures = self.generator.run("idle", "msgpack", process, ["-S", str(CONNECTIONS)],
                                     ["--duration", "0.5", "--warmup", "3"])
        return {"when": f"with {CONNECTIONS} idle connections", "pss": figures["connected_bytes"]}

    def churn(self, process, minutes):
        end = time.monotonic() + minutes * 60
        wrong = checked = 0
        while (left := end - time.monotonic()) > 1:
            figures = self.generator.run("fanout", "msgpack", process, CHURN.split(),
                                         ["--duration", f"{min(left, CHURN_STEP_S):.0f}", "--warmup", "0.2"])
            wrong, checked = wrong + figures["wrong"], checked + figures["checked"]
            self.log(f"churn: {checked} deliveries checked, {wrong} wrong, {max(0, end - time.monotonic()):.0f} s to go")
        return {"wrong": wrong, "checked": checked}


def rows_table(before, after):
    lines = []
    for row in map(ROWS_BY_NAME.get, KEY_ROWS):
        for metric in row.metrics:
            key, digits = metric.key, metric.digits
            first, last = before[row.name], after[row.name]
            ratios = [(late["old"][key] / late["fresh"][key]) for late in last]
            lines.append([f"{row.title}: {name_of(metric)}",
                          spread([one["old"][key] for one in first], digits),
                          spread([one["fresh"][key] for one in first], digits),
                          spread([one["old"][key] for one in last], digits),
                          spread([one["fresh"][key] for one in last], digits),
                          spread(ratios, 2), "yes" if statistics.median(ratios) <= SAME_WITHIN else "**no**"])
    return table_of(["work", "before", "a fresh broker then", "after churn", "a fresh broker then",
                     "after churn ÷ fresh", f"≤ {SAME_WITHIN}"], lines)


def markdown(settings, minutes, environment, before, after, memory, churn, counters):
    table = table_of(["memory of the broker (PSS)", "MiB"],
                     [[entry["when"], f"{entry['pss'] / MIB:.2f}"] for entry in memory])
    return f"""# The same broker before and after churn

Written by `bench/run --after-churn {minutes:g}` on {datetime.date.today().isoformat()}. One broker (one worker) went through {settings.rounds} rounds of the rows below,
{CONNECTIONS} connections that came and went, {minutes:g} minutes of churn, and the rows again. The fresh broker beside it, measured in the
same rounds, shows what the machine alone has changed.

{rows_table(before, after)}

The broker saw {counters['connections_accepted']} connections in all; those of the churn ended by close handshake, FIN, RST, GOODBYE or in the middle of a frame;
{churn['checked']} deliveries to those who stayed and those who came and went were checked, {churn['wrong']} wrong. Frames dropped because their
connection was gone: {counters['stale_frames_dropped']}; completions of an earlier generation: {counters['stale_completions_dropped']}.

{table}

The first crowd left {(memory[2]['pss'] - memory[0]['pss']) / MIB:+.2f} MiB behind, the second {(memory[-1]['pss'] - memory[-3]['pss']) / MIB:+.2f} MiB.

Machine: {environment.machine}; load average before the run {environment.load_before:.1f}{environment.noise}. {environment.ringcast}.
"""


def run(settings, minutes, output, log):
    check_programs(settings, [])
    environment = look_around(settings.bin, [])
    churned = Churned(settings, log)
    with churned.broker() as process:
        memory = [churned.memory(process, "fresh, nothing connected yet")]
        memory.append(churned.crowd(process))
        memory.append(churned.memory(process, f"after {CONNECTIONS} connections went"))
        before = churned.table(process, "before")
        memory.append(churned.memory(process, "after the rows"))
        churn = churned.churn(process, minutes)
        memory.append(churned.memory(process, "after churn"))
        after = churned.table(process, "after")
        memory.append(churned.crowd(process) | {"when": f"with {CONNECTIONS} idle connections again"})
        memory.append(churned.memory(process, f"after {CONNECTIONS} connections went again"))
        counters = process.counters()
    output.mkdir(parents=True, exist_ok=True)
    (output / "CHURN.md").write_text(markdown(settings, minutes, environment, before, after, memory, churn, counters))
    log(f"written to {output / 'CHURN.md'}")
    if churn["wrong"]:
        raise Failure(f"{churn['wrong']} of {churn['checked']} deliveries were wrong during churn")
    return 0
