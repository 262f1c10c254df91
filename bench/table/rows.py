"""The rows of the table: what load each puts on a server, what is compared, and what Ringcast must reach.

A target is a ratio to the reference peer's figure of the same round, or a constant.
"""

from dataclasses import dataclass

UWS_IDLE_BYTES = 761  # uWebSockets 20.79, built from source; it comes from no registry, so it is not measured here
MIB = 1 << 20
QUEUE_BYTES_MAX = 1 * MIB  # the broker's default --queue-bytes-max
ARENA_BYTES = 16 * MIB
STALLED_BYTES = 200_000_000


@dataclass(frozen=True)
class Metric:
    key: str  # in the figures of a run (table/figures.py)
    unit: str
    digits: int
    factor: float | None = None  # × the reference's figure: at most so much; at least, if more is better
    limit: float | None = None  # a constant instead of a reference
    limit_name: str = ""
    label: str = ""
    more_is_better: bool = False


@dataclass(frozen=True)
class Floor:
    """The shape for bench/floor, where a bare sender of the same bytes makes sense."""

    subscribers: int
    payload: int
    window: int


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    mode: str
    arguments: str
    metrics: tuple
    reference: str = "Bun"
    peers: tuple = ("nats-server", "mosquitto")  # beside Bun, which has no calls
    rare: tuple = ()  # slow peers, measured in the first rounds only
    floor: Floor | None = None
    workers: int = 1
    timed: bool = True  # runs for the duration of a measurement; else until its work is done
    duration_factor: float = 1.0  # longer where a high percentile needs its samples
    explanation: str = ""


def cost(factor):
    return (Metric("us", "µs", 3, factor=factor, label="CPU"),)


def latency(factor):
    return tuple(Metric(key, "µs", 0, factor=factor, label=label)
                 for key, label in (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9")))


def fanout(name, subscribers, payload, window, factor, **more):
    return Row(name, f"fan-out S={subscribers} B={payload} K={window}", "fanout",
               f"-S {subscribers} -B {payload} -K {window}", cost(factor),
               floor=Floor(subscribers, payload, window), **more)


def calls(callers, workers, where):
    return Row(f"rpc-{callers}" + ("-workers" if workers > 1 else ""), f"calls, {callers} caller{'s' * (callers > 1)}, {where}",
               "rpc", f"-C {callers} -E 4 -B 128 -K 1",
               (Metric("per_s", "/s", 0, factor=5.0, label="calls per second", more_is_better=True),
                Metric("us", "µs", 1, factor=0.2, label="CPU per call"),
                Metric("p99", "µs", 0, factor=0.5, label="p99")),
               reference="fox-wamp", peers=("fox-wamp",), workers=workers)


ROWS = (
    fanout("fanout-k1", 100, 128, 1, 0.85),
    fanout("fanout-k8", 100, 128, 8, 0.85),
    fanout("fanout-k64", 100, 128, 64, 0.55, rare=("ws", "fox-wamp")),
    fanout("fanout-s1000", 1000, 128, 16, 0.75, peers=("nats-server",), rare=("ws",)),
    fanout("fanout-1k", 100, 1024, 64, 0.7),
    fanout("fanout-64k", 10, 65536, 16, 0.9, peers=("nats-server",), rare=("ws",)),
    Row("one-to-one", "1 to 1, B=128 K=256", "fanout", "-S 1 -B 128 -K 256", cost(0.5), reference="nats-server",
        peers=("nats-server",), floor=Floor(1, 128, 256)),
    Row("ping-pong", "1 to 1 ping-pong, one worker", "fanout", "-S 1 -B 128 -K 1",
        (Metric("p50", "µs", 1, factor=1.0, label="p50"), Metric("p99", "µs", 1, factor=1.0, label="p99"))),
    Row("ping-pong-workers", "1 to 1 ping-pong, across two workers", "fanout", "-S 1 -B 128 -K 1",
        (Metric("p50", "µs", 1, factor=1.3, label="p50"), Metric("p99", "µs", 1, factor=1.3, label="p99")),
        peers=(), workers=2,
        explanation="Publisher and subscriber have a worker each; both workers share the server's core."),
    Row("rate-100", "S=100 B=128, 200 publications/s", "fanout", "-S 100 -B 128 --rate 200", latency(0.85),
        duration_factor=2.0),
    Row("rate-1000", "S=1000 B=128, 100 publications/s", "fanout", "-S 1000 -B 128 --rate 100", latency(0.85),
        duration_factor=2.0),
    Row("pairs", "1000 to 1000, a topic each, B=128 K=1", "fanout",
        "-P 1000 -S 1000 -T 1000 -B 128 -K 1", cost(0.8)),
    Row("ingest", "ingest, 50 publishers, B=128 K=1000", "ingest", "-P 50 -B 128 -K 1000",
        (Metric("us_per_publication", "µs", 3, factor=0.5, label="CPU per message"),), reference="nats-server"),
    Row("idle", "memory per idle connection, subscribed once", "idle", "-S {connections} --duration 0.5 --warmup 3",
        (Metric("bytes_per_connection", "B", 0, limit=UWS_IDLE_BYTES, limit_name="uWebSockets", label="PSS"),), timed=False,
        explanation="Read three seconds after the last connection was made: idle is who has had time to become so."),
    Row("connect", "connects", "connect",
        "--source 127.0.0.1 127.0.0.2 127.0.0.3 127.0.0.4 --concurrency 64",
        (Metric("connects_per_s", "/s", 0, factor=1.0, label="per second", more_is_better=True),
         Metric("us_per_connect", "µs", 1, factor=1.0, label="CPU per connect")),
        peers=("nats-server", "mosquitto"), rare=("ws",)),
    Row("churn", "churn 2000/s, 200 at a time, S=50 K=4", "fanout",
        "-S 50 -B 128 -K 4 --churn 2000 --churners 200",
        (Metric("wrong", "", 0, limit=0, limit_name="none", label="wrong deliveries"),), peers=("nats-server",),
        duration_factor=1.5,
        explanation="Wrong: misdelivered, corrupt, duplicate, out of order or, by those who stay, lost. "
                    "tests/stress/churn_check goes to 10^8 checked frames."),
    Row("stalled", "one stalled reader, 200 MB, S=10 B=1024 K=8", "fanout",
        f"-S 10 -B 1024 -K 8 --stalled 1 --bytes {STALLED_BYTES} --stall-timeout 30",
        (Metric("growth_mib", "MiB", 1, limit=(QUEUE_BYTES_MAX + ARENA_BYTES) / MIB, limit_name="bound + arena",
                label="memory growth"),
         Metric("p999", "µs", 0, limit=1000, limit_name="1 ms", label="the others' p99.9"),
         Metric("untold", "", 0, limit=0, limit_name="every drop told", label="stalled readers not told")),
        timed=False, peers=(), rare=("nats-server", "mosquitto", "ws"),
        explanation="A reader that lost messages and still looks connected was not told. A reader that never reads again can't "
                    "be shown a close frame: its connection ends."),
    calls(1, 1, "one worker"),
    calls(50, 1, "one worker"),
    calls(1, 2, "two workers"),
    calls(50, 2, "two workers"),
)
ROWS_BY_NAME = {row.name: row for row in ROWS}


def peers_of(row, quick, round_number, rare_rounds):
    """Names of the peers of a row in a round."""
    if row.mode == "rpc":
        return row.peers
    if quick:
        return tuple(dict.fromkeys(("Bun", row.reference)))
    rare = row.rare if round_number < rare_rounds else ()
    return tuple(dict.fromkeys(("Bun", *row.peers, *rare)))
