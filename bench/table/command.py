"""The command line of bench/run."""

import argparse
import fnmatch
import json
import os
import pathlib
import signal
import sys
import time

from table import churned, scaling
from table.environment import look_around
from table.failure import Failure
from table.paths import BENCH, DEFAULT_BIN, SCRATCH
from table.report import draw, main_table, results_markdown
from table.rows import ROWS, peers_of
from table.runner import RINGCAST, Runner, Settings, check_programs
from table.servers import PEERS_BY_NAME


def positive(parse):
    def checked(text):
        value = parse(text)
        if not value > 0:
            raise argparse.ArgumentTypeError("it must be above 0")
        return value
    checked.__name__ = parse.__name__  # what argparse calls it in its messages
    return checked


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/run", description="Measures Ringcast beside its peers.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="show the rows and end")
    what.add_argument("--scaling", action="store_true",
                      help="instead of the table: cost over workers and over subscribers, into bench/SCALING.md")
    what.add_argument("--after-churn", type=positive(float), metavar="MINUTES",
                      help="instead of the table: key rows before and after so many minutes of churn on one broker, "
                           "and its memory, into bench/CHURN.md")
    parser.add_argument("--quick", action="store_true",
                        help="one short round beside Bun and the row's reference only, into build/bench")
    parser.add_argument("--only", action="append", default=[], metavar="NAME",
                        help="only this row (with * for any text; may be repeated), into build/bench")
    parser.add_argument("--rounds", type=positive(int), help="how often each is measured (default: 5; 1 if quick)")
    parser.add_argument("--duration", type=positive(float), help="seconds of a measurement (default: 2; 1 with --scaling; 0.8 if quick)")
    parser.add_argument("--bin", default=str(DEFAULT_BIN), help="build directory (build/release)")
    parser.add_argument("--output", type=pathlib.Path, help="directory for results and plots (default: bench if whole)")
    parser.add_argument("--raw", type=pathlib.Path, help="also write every figure of every round there, as JSON")
    cores = sorted(os.sched_getaffinity(0))
    parser.add_argument("--server-core", type=int, default=cores[0])
    parser.add_argument("--generator-core", type=int, default=cores[-1])
    arguments = parser.parse_args()
    if len(cores) < 2 and not arguments.list:
        parser.error("one core for the server and one for the generator are needed; this process may use only one")
    for core in (arguments.server_core, arguments.generator_core):
        if core not in cores:
            parser.error(f"this process may not use core {core}; it may use {', '.join(map(str, cores))}")
    if arguments.server_core == arguments.generator_core and not arguments.list:
        parser.error("server and generator need a core each: figures from a shared one would mean nothing")
    return parser, arguments


def settings_of(arguments):
    quick = arguments.quick
    usual_s = 1.0 if arguments.scaling else 2.0  # scaling has many measurements, none of a rare percentile
    return Settings(bin=os.path.abspath(arguments.bin), server_core=arguments.server_core,
                    generator_core=arguments.generator_core, rounds=arguments.rounds or (1 if quick else 5),
                    rare_rounds=2, duration_s=arguments.duration or (0.8 if quick else usual_s),
                    warmup_s=0.2 if quick else 0.4, connections=5000 if quick else 10_000, quick=quick)


def chosen_rows(parser, patterns):
    if not patterns:
        return ROWS
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(row.name, pattern) for row in ROWS):
            parser.error(f"no row is called {pattern}; --list shows them")
    return tuple(row for row in ROWS if any(fnmatch.fnmatchcase(row.name, pattern) for pattern in patterns))


def output_of(arguments):
    """Only a whole run may replace the results that are kept in the repository."""
    return arguments.output or (SCRATCH if arguments.quick or arguments.only else BENCH)


def log(text):
    print(text, file=sys.stderr, flush=True)


def run_table(parser, arguments, settings):
    rows = chosen_rows(parser, arguments.only)
    names = {name for row in rows for name in peers_of(row, settings.quick, 0, settings.rare_rounds)}
    peers = [peer for name, peer in PEERS_BY_NAME.items() if name in names]
    check_programs(settings, peers)
    environment = look_around(settings.bin, peers)
    started = time.monotonic()
    runner = Runner(settings, log)
    results = runner.run(rows)
    output = output_of(arguments)
    plots = draw(results, rows, output / "plots")
    (output / "RESULTS.md").write_text(
        results_markdown(settings, environment, results, rows, plots, runner.generator))
    if arguments.raw:
        arguments.raw.write_text(json.dumps({"figures": results.figures, "failures": results.failures}, indent=1))
    print(main_table(results, rows))
    log(f"\n{settings.rounds} round(s) in {time.monotonic() - started:.0f} s; written to {output / 'RESULTS.md'}")
    return any(RINGCAST in sides for sides in results.failures.values())


def main():
    parser, arguments = parse_arguments()
    if arguments.list:
        for row in ROWS:
            print(f"{row.name:18} {row.title}")
        return 0
    os.environ["PATH"] += ":/usr/sbin"  # where Debian has some of the peers, for those who are not root
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # leaves as on Ctrl-C, by way of stopping the server
    settings = settings_of(arguments)
    try:
        if arguments.scaling:
            return scaling.run(settings, output_of(arguments), log)
        if arguments.after_churn:
            return churned.run(settings, arguments.after_churn, output_of(arguments), log)
        return 1 if run_table(parser, arguments, settings) else 0
    except Failure as failure:
        log(f"bench/run: {failure}")
        return 1
    except KeyboardInterrupt:
        log("bench/run: interrupted; what it started has ended, and nothing was written")
        return 130
