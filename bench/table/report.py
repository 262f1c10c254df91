"""The table of a run as Markdown."""

import datetime
import statistics

from table.plot import bars, markers
from table.rows import UWS_IDLE_BYTES
from table.runner import FLOOR, RINGCAST
from table.servers import PEER_LIST, PEERS_BY_NAME
from table.verdict import values_of, verdicts

SIDES = (RINGCAST, *(peer.name for peer in PEER_LIST), FLOOR)
GENERATOR_SHARE_MAX = 1 / 3  # of the server's CPU; above it the generator may be what is measured
DASH = "–"


def number(value, digits):
    return f"{value:.{digits}f}"


def spread(values, digits):
    """The median, and from where to where the values reach."""
    text = number(statistics.median(values), digits)
    return text if len(values) == 1 else f"{text} ({number(min(values), digits)}–{number(max(values), digits)})"


def table_of(header, lines):
    return "\n".join([f"| {' | '.join(header)} |", f"|{'---|' * len(header)}",
                      *(f"| {' | '.join(line)} |" for line in lines)])


def name_of(metric):
    return f"{metric.label}, {metric.unit}" if metric.unit else metric.label


def median_cell(results, row, side, metric):
    values = list(values_of(results, row, side, metric.key).values())
    if values:
        return number(statistics.median(values), metric.digits)
    return "failed" if results.failures.get(row.name, {}).get(side) else DASH


def met_cell(verdict):
    return DASH if verdict.met is None else "yes" if verdict.met else "**no**"


def main_table(results, rows):
    lines = []
    for verdict in verdicts(results, rows):
        row, metric = verdict.row, verdict.metric
        cells = [f"{row.title}: {name_of(metric)}"]
        cells += [median_cell(results, row, side, metric) for side in SIDES]
        ratio = spread(verdict.ratios, 2) if verdict.ratios else DASH
        lines.append([*cells, ratio, verdict.target_text(), met_cell(verdict)])
    return table_of(["work", *SIDES, "Ringcast ÷ reference", "target", "met"], lines)


def side_line(results, row, side):
    rounds = results.of(row.name, side)
    metric_cells = []
    for metric in row.metrics:
        if values := list(values_of(results, row, side, metric.key).values()):
            metric_cells.append(f"{metric.label} {spread(values, metric.digits)} {metric.unit}".strip())

    def median_of(key, form):
        values = list(values_of(results, row, side, key).values())
        return form(statistics.median(values)) if values else DASH

    share = median_of("generator_share", lambda value: f"{value:.2f}" + (" ⚠" if value > GENERATOR_SHARE_MAX else ""))
    notes = sorted({figures[key] for figures in rounds.values() for key in ("stalled_fate", "counted") if key in figures})
    notes += sorted({failure.splitlines()[0] for failure in results.failures.get(row.name, {}).get(side, [])})
    return [row.title if side == RINGCAST else "", side, str(len(rounds)), "; ".join(metric_cells) or DASH,
            median_of("per_s", lambda value: f"{value / 1e3:.1f}"), median_of("cores", lambda value: f"{value:.2f}"),
            median_of("per_send", lambda value: f"{value:.1f}"), share,
            "; ".join(note.replace("|", "/") for note in notes) or DASH]


def detail_table(results, rows):
    lines = [side_line(results, row, side) for row in rows for side in SIDES
             if results.figures.get(row.name, {}).get(side) is not None]
    return table_of(["work", "side", "rounds", "figures", "per second, k", "server, cores",
                     "deliveries per send", "generator ÷ server CPU", "notes"], lines)


def draw(results, rows, directory):
    """Writes the plots; returns their file names and what each shows."""
    directory.mkdir(parents=True, exist_ok=True)
    drawn = []

    def write(name, text, alternative):
        (directory / name).write_text(text)
        drawn.append((name, alternative))

    ratios = [(f"{verdict.row.title}, {verdict.metric.label}",
               1 / verdict.ratio if verdict.metric.more_is_better else verdict.ratio,
               1 / verdict.relative_target() if verdict.metric.more_is_better else verdict.relative_target())
              for verdict in verdicts(results, rows) if verdict.ratio]
    if ratios:
        write("ratios.svg", markers("Ringcast ÷ reference peer, and the target (less is better)", ratios),
              "Ringcast's figure over the reference peer's for each row, with the target")
    costs = [(row.title, medians(results, row, "us")) for row in rows if row.metrics[0].key == "us"]
    if costs:
        write("cost.svg", bars("Server CPU per delivery, µs", SIDES, costs),
              "Server CPU per delivery of each side")
    for row in rows:
        if row.name not in ("rate-100", "rate-1000"):
            continue
        groups = [(metric.label, medians(results, row, metric.key)) for metric in row.metrics]
        write(f"latency-{row.name}.svg", bars(f"Latency at {row.title}, µs", SIDES, groups),
              f"Latency percentiles of each side at {row.title}")
    return drawn


def medians(results, row, key):
    found = {}
    for side in SIDES:
        if values := list(values_of(results, row, side, key).values()):
            found[side] = statistics.median(values)
    return found


def commands(settings, rows, generator):
    shown = [f"taskset -c {settings.server_core} build/release/bin/ringcast --processes 1 --threads 1 "
             f"--listen 127.0.0.1:0"]
    shown += [f"taskset -c {settings.server_core} {peer.command}" for peer in PEER_LIST]
    for row in rows:
        arguments = row.arguments.format(connections=settings.connections).split()
        command = generator.command(row.mode, "PROTOCOL", "URL", "PID", arguments, generator.times(row))
        shown.append(" ".join(map(str, command)).replace(f"{settings.bin}/", "build/release/"))
    return "\n".join(f"    {line}" for line in shown)


def congestion(results):
    return ", ".join(sorted({figures["tcp_congestion"] for sides in results.figures.values()
                             for rounds in sides.values() for figures in rounds.values()}))


def how_it_ran(settings, environment, results):
    extent = "one short round, beside Bun and the row's reference only: a first impression" if settings.quick else \
        f"{settings.rounds} round(s); what takes long (ws and fox-wamp, the stalled reader of nats-server and mosquitto) " \
        f"runs in the first {settings.rare_rounds} at most"
    return f"""- {extent}. Each measurement takes {settings.duration_s:g} s (longer where p99.9 matters) after {settings.warmup_s:g} s of warm-up.
- Machine: {environment.machine}; loopback; TCP congestion control {congestion(results)} on both ends; load average before the run {environment.load_before:.1f}{environment.noise}.
- Ringcast: {environment.ringcast}, WAMP in MessagePack.
""" + "".join(f"- {name} {version}: {PEERS_BY_NAME[name].speaks}.\n" for name, version in environment.peers.items())


def results_markdown(settings, environment, results, rows, plots, generator):
    judged = verdicts(results, rows)
    met = sum(verdict.met is True for verdict in judged)
    pictures = "\n\n".join(f"![{alternative}](plots/{name})" for name, alternative in plots)
    explanations = "".join(f"- {row.title}: {row.explanation}\n" for row in rows if row.explanation)
    return f"""# Ringcast beside its peers

Written by `bench/run` on {datetime.date.today().isoformat()}; `./dev bench` builds and installs what it needs and runs it. How each figure is
measured stands in [docs/performance.md](../docs/performance.md). {met} of {len(judged)} targets met.

S subscribers, B bytes of payload, K broadcasts in flight. Medians over the rounds; CPU is the server's, all processes
and the kernel's work for them included; ratios are taken within a round, in brackets the least and the most of them.

{main_table(results, rows)}

{explanations}- Memory per idle connection: uWebSockets itself is on no package registry, so its {UWS_IDLE_BYTES} B, measured with a build from
  source on the same machine, are a constant here; Bun, which has it inside, is measured.
- The floor is a bare io_uring loop that sends the same bytes, K frames per send (bench/floor). Where a send of K frames
  is more than a socket takes at once (B=65536), smaller sends cost less than it does.

{pictures}

## Each side

Median (least–most). ⚠: the generator spent more than a third of the server's CPU per message.

{detail_table(results, rows)}

## How it ran

{how_it_ran(settings, environment, results)}
The commands (server first, then per row, with the server's URL and protocol: msgpack for Ringcast, {', '.join(f'{peer.protocol} for {peer.name}' for peer in PEER_LIST)}):

{commands(settings, rows, generator)}
"""
