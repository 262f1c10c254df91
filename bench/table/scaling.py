"""How the cost of a delivery changes with workers and with subscribers, into bench/SCALING.md.

The figure is CPU time, with the broker's own counters beside it: hardware counters are often not to be had in virtual
machines, and Valgrind does not know io_uring. All workers share one core, so that CPU time stays comparable when
there are more of them than cores; what they lose by being switched between is in the figure.
"""

import datetime
import statistics

from table.environment import look_around
from table.failure import Failure
from table.plot import lines
from table.report import spread, table_of
from table.rows import Floor
from table.runner import Generator, Runner, check_programs, counted
from table.servers import RingcastProcess

LOADS = (("S=100 K=1", "-S 100 -K 1"), ("S=100 K=8", "-S 100 -K 8"), ("S=100 K=64", "-S 100 -K 64"),
         ("S=1000 K=16", "-S 1000 -K 16"))
WORKER_COUNTS = (1, 2, 4, 16, 64)
WORKERS_SUBSCRIBERS = 960  # 15 for each of 64 workers
SUBSCRIBER_COUNTS = (1, 10, 100, 1000, 5000, 15_000)
WINDOW = 16
SUBSCRIBERS_WINDOWS = (1, 16)
FLAT_FROM = 100  # subscribers; below, the publication itself is a good part of what a delivery costs
PAYLOAD = 128
FRAME_BYTES = 148  # of an event with that payload, in WAMP's MessagePack
TWO_WORKERS_MAX = 1.15
FLAT_WITHIN = 1.2


class Scaling:
    def __init__(self, settings, log):
        self.settings = settings
        self.generator = Generator(settings)
        self.runner = Runner(settings, log)
        self.log = log
        self.times = ["--duration", f"{settings.duration_s:g}", "--warmup", f"{settings.warmup_s:g}"]

    def measure(self, workers, arguments, mode="fanout"):
        with RingcastProcess([self.settings.server_core], f"{self.settings.bin}/bin/ringcast", workers) as process:
            figures = self.generator.run(mode, "msgpack", process, [*arguments.split(), "-B", str(PAYLOAD)],
                                         self.times)
            counters = process.counters()
        figures |= counted(counters)
        publications = max(1, counters["publications"])
        figures["wakeups"] = counters["wakeups_sent"] / publications
        figures["descriptors"] = counters["publications_received"] / publications
        return figures

    def rounds(self, takes):
        """Each of the named measurements in turn, round after round: the figures by name."""
        found = {name: [] for name in takes}
        for number in range(self.settings.rounds):
            order = list(takes.items())
            for name, take in order[::-1] if number % 2 else order:
                found[name].append(take())
                shown = ", ".join(f"{key} {value:.3f}" for key, value in found[name][-1].items()
                                  if key in ("us", "us_per_publication", "per_send", "wakeups"))
                self.log(f"round {number + 1}  {name}: {shown}")
        return found

    def two_workers(self):
        return self.rounds({f"{name}, {workers} worker(s)": lambda load=load, workers=workers:
                            self.measure(workers, load) for name, load in LOADS for workers in (1, 2)})

    def workers(self):
        load = f"-S {WORKERS_SUBSCRIBERS} -K {WINDOW}"
        return self.rounds({workers: lambda workers=workers: self.measure(workers, load)
                            for workers in WORKER_COUNTS})

    def subscribers(self, window):
        """Beside the floor of the same shape, and what a publication costs that nobody receives."""
        takes = {"publication alone": lambda: self.measure(1, f"-P 1 -K {window}", "ingest")}
        for count in SUBSCRIBER_COUNTS:
            takes[f"S={count} K={window}"] = lambda count=count: self.measure(1, f"-S {count} -K {window}")
            takes[f"S={count} K={window} floor"] = lambda count=count: self.runner.floor(
                Floor(count, PAYLOAD, window), FRAME_BYTES)
        return self.rounds(takes)


def values(rounds, key):
    return [figures[key] for figures in rounds]


def median(rounds, key):
    return statistics.median(values(rounds, key))


def per_send_cell(rounds):
    known = [figures["per_send"] for figures in rounds if "per_send" in figures]
    return f"{statistics.median(known):.1f}" if known else "–"


def two_workers_table(found):
    table = []
    for name, _ in LOADS:
        one, two = found[f"{name}, 1 worker(s)"], found[f"{name}, 2 worker(s)"]
        ratios = [b / a for a, b in zip(values(one, "us"), values(two, "us"))]
        table.append([name, spread(values(one, "us"), 3), spread(values(two, "us"), 3), spread(ratios, 2),
                      f"≤ {TWO_WORKERS_MAX}", "yes" if statistics.median(ratios) <= TWO_WORKERS_MAX else "**no**"])
    return table_of(["load", "1 worker, µs per delivery", "2 workers", "2 ÷ 1", "target", "met"], table)


def workers_table(found):
    table = []
    for workers, rounds in found.items():
        table.append([str(workers), spread(values(rounds, "us"), 3), f"{median(rounds, 'us') * WORKERS_SUBSCRIBERS:.0f}",
                      f"{median(rounds, 'us') / median(found[1], 'us'):.2f}", per_send_cell(rounds),
                      f"{median(rounds, 'descriptors'):.1f}", f"{median(rounds, 'wakeups'):.2f}"])
    return table_of(["workers", "µs per delivery", "µs per broadcast", "÷ 1 worker", "deliveries per send",
                     "descriptors per broadcast", "wake-ups per broadcast"], table)


def subscribers_table(found, window):
    alone = median(found["publication alone"], "us_per_publication")
    table = []
    for count in SUBSCRIBER_COUNTS:
        rounds, floor = found[f"S={count} K={window}"], found[f"S={count} K={window} floor"]
        per_delivery = median(rounds, "us")
        table.append([str(window), str(count), spread(values(rounds, "us"), 3), f"{per_delivery * count:.1f}",
                      f"{per_delivery - alone / count:.3f}", per_send_cell(rounds),
                      f"{median(floor, 'us'):.3f}", f"{per_delivery / median(floor, 'us'):.2f}"])
    return table


def flatness(found, window):
    """The costliest delivery by the cheapest, from FLAT_FROM subscribers on: ours, and the floor's."""
    counts = [count for count in SUBSCRIBER_COUNTS if count >= FLAT_FROM]
    ours = [median(found[f"S={count} K={window}"], "us") for count in counts]
    floor = [median(found[f"S={count} K={window} floor"], "us") for count in counts]
    return max(ours) / min(ours), max(floor) / min(floor)


def draw(directory, by_workers, by_subscribers):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "scaling-workers.svg").write_text(lines(
        f"Server CPU per delivery, µs, as workers grow (S={WORKERS_SUBSCRIBERS}, K={WINDOW}, one core)", "workers",
        [("Ringcast", [(count, median(rounds, "us")) for count, rounds in by_workers.items()])]))
    series = [(f"K={window}{kind}", [(count, median(found[f"S={count} K={window}{kind}"], "us"))
                                     for count in SUBSCRIBER_COUNTS])
              for window, found in by_subscribers.items() for kind in ("", " floor")]
    (directory / "scaling-subscribers.svg").write_text(lines(
        "Server CPU per delivery, µs, as subscribers grow (one worker)", "subscribers", series))


def markdown(settings, environment, two, by_workers, by_subscribers):
    header = ["K", "subscribers", "µs per delivery", "µs per broadcast", "µs per delivery without the publication",
              "deliveries per send", "floor, µs per delivery", "÷ floor"]
    by_count = table_of(header, [line for window, found in by_subscribers.items()
                                 for line in subscribers_table(found, window)])
    flat = "; ".join(f"K={window}: {ours:.2f}, the floor {floor:.2f}"
                     for window, (ours, floor) in ((w, flatness(f, w)) for w, f in by_subscribers.items()))
    return f"""# How the cost of a delivery scales

Written by `bench/run --scaling` on {datetime.date.today().isoformat()}. {settings.rounds} rounds of {settings.duration_s:g} s; medians (least–most). B={PAYLOAD}, one publisher, CPU of
the server with all its threads. All workers share core {settings.server_core}, the generator has core {settings.generator_core}.

CPU time is the figure because instructions can't be counted here: the machine offers no hardware counters, and
Valgrind does not know io_uring. With more workers than cores it includes the switches between them.
The counters of the broker beside it show why it moves.

## The same load on two workers

{two_workers_table(two)}

## One broadcast, more workers

{WORKERS_SUBSCRIBERS} subscribers in all, K={WINDOW}; the publisher's worker sends one descriptor to each other worker.

{workers_table(by_workers)}

![Cost per delivery as workers grow](plots/scaling-workers.svg)

## One worker, more subscribers

With few subscribers a publication is most of what a delivery costs, so it is taken off in a column of its own. The
costliest delivery by the cheapest, from {FLAT_FROM} subscribers on (target: ≤ {FLAT_WITHIN}): {flat}. The floor is a bare sender of the
same bytes and shows what of the growth is the kernel's own. Deliveries per send fall where K × S passes what the broker
does in one stage of a turn (docs/architecture.md, back-pressure).

{by_count}

![Cost per delivery as subscribers grow](plots/scaling-subscribers.svg)

Machine: {environment.machine}; load average before the run {environment.load_before:.1f}{environment.noise}. {environment.ringcast}.
"""


def run(settings, output, log):
    check_programs(settings, [])
    environment = look_around(settings.bin, [])
    scaling = Scaling(settings, log)
    try:
        two, by_workers = scaling.two_workers(), scaling.workers()
        by_subscribers = {window: scaling.subscribers(window) for window in SUBSCRIBERS_WINDOWS}
    except Failure as failure:
        raise Failure(f"scaling: {failure}") from None
    draw(output / "plots", by_workers, by_subscribers)
    (output / "SCALING.md").write_text(markdown(settings, environment, two, by_workers, by_subscribers))
    log(f"written to {output / 'SCALING.md'}")
    return 0
