"""bench/run: order of measurements, ratios and verdicts, what a failed run leaves, plots, servers as processes."""

import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "bench"))

from table import plot, report  # noqa: E402
from table.failure import Failure  # noqa: E402
from table.rows import Metric, Row, ROWS  # noqa: E402
from table.runner import Results, Runner, Settings  # noqa: E402
from table.servers import PEERS_BY_NAME, Process  # noqa: E402
from table.verdict import judge  # noqa: E402


def settings(**changes):
    values = {"bin": "/nowhere", "server_core": 0, "generator_core": 0, "rounds": 3, "rare_rounds": 2, "duration_s": 1,
              "warmup_s": 0, "connections": 10}
    return Settings(**(values | changes))


def row(**changes):
    values = {"name": "row", "title": "a row", "mode": "fanout", "arguments": "",
              "metrics": (Metric("us", "µs", 3, factor=0.9, label="CPU"),), "peers": ("nats-server",)}
    return Row(**(values | changes))


def results(**sides):
    found = Results()
    for side, values in sides.items():
        for number, value in enumerate(values):
            found.add("row", side, number, {"us": value, "tcp_congestion": "cubic"})
    return found


def only_verdict(found, **changes):
    one = row(**changes)
    return judge(found, one, one.metrics[0])


# ---- Verdicts ----------------------------------------------------------------------------------------------


def test_a_ratio_is_taken_within_its_round():
    # The machine is ten times slower in the second round, for both; the ratio of the medians would be 1.
    verdict = only_verdict(results(Ringcast=[1, 10, 2], Bun=[2, 20, 2]))
    assert verdict.ratios == [0.5, 0.5, 1.0]
    assert verdict.ratio == 0.5 and verdict.met


def test_the_target_itself_is_met_and_what_lies_above_it_is_not():
    assert only_verdict(results(Ringcast=[9], Bun=[10])).met
    assert not only_verdict(results(Ringcast=[9.1], Bun=[10])).met


def test_where_more_is_better_less_is_not_met():
    metric = Metric("us", "/s", 0, factor=1.0, label="per second", more_is_better=True)
    assert only_verdict(results(Ringcast=[11], Bun=[10]), metrics=(metric,)).met
    assert not only_verdict(results(Ringcast=[9], Bun=[10]), metrics=(metric,)).met


def test_a_constant_holds_for_the_median_but_none_means_none():
    limited = Metric("us", "B", 0, limit=5, label="PSS")
    assert only_verdict(results(Ringcast=[4, 5, 9]), metrics=(limited,)).met
    none = Metric("us", "", 0, limit=0, label="wrong")
    assert only_verdict(results(Ringcast=[0, 0, 0]), metrics=(none,)).met
    assert not only_verdict(results(Ringcast=[0, 0, 1]), metrics=(none,)).met


def test_a_round_without_the_reference_gives_no_ratio():
    found = results(Ringcast=[1, 2], Bun=[2])
    assert only_verdict(found).ratios == [0.5]
    assert only_verdict(results(Ringcast=[1])).met is None


def test_a_run_that_failed_is_no_target_met():
    found = results(Ringcast=[1, 1], Bun=[10, 10])
    found.add("row", "Ringcast", 2, failure="checks failed: 1 lost")
    assert only_verdict(found).met is False


# ---- Rounds ------------------------------------------------------------------------------------------------


def measured(monkeypatch, rows, figures=lambda row, side: {"us": 1.0, "tcp_congestion": "cubic"}, **changes):
    order = []

    def take(self, row, side):
        order.append((row.name, side))
        return figures(row, side)

    monkeypatch.setattr(Runner, "figures", take)
    return Runner(settings(**changes), lambda text: None).run(rows), order


def test_the_sides_of_a_row_run_one_after_the_other_and_turn_round(monkeypatch):
    _, order = measured(monkeypatch, [row(name="a"), row(name="b")], rounds=2)
    sides = ["Ringcast", "Bun", "nats-server"]
    assert order == [(name, side) for way in (1, -1) for name in "ab" for side in sides[::way]]


def test_slow_peers_run_in_the_first_rounds_only(monkeypatch):
    _, order = measured(monkeypatch, [row(rare=("ws",))])
    assert order.count(("row", "ws")) == 2 and order.count(("row", "Bun")) == 3


def test_a_quick_run_takes_bun_and_the_reference_only(monkeypatch):
    _, order = measured(monkeypatch, [row(reference="nats-server", rare=("ws",), peers=("mosquitto",))], quick=True,
                        rounds=1)
    assert [side for _, side in order] == ["Ringcast", "Bun", "nats-server"]


def test_a_peer_that_fails_is_shown_and_ends_nothing(monkeypatch):
    def figures(_, side):
        if side == "nats-server":
            raise Failure("exit code 1: it crashed\nand more")
        return {"us": 1.0, "tcp_congestion": "cubic"}

    one = row()
    found, order = measured(monkeypatch, [one], figures)
    assert len(order) == 9
    assert "failed" in report.main_table(found, [one])
    assert "exit code 1: it crashed" in report.detail_table(found, [one])


def test_rows_have_names_of_their_own_and_peers_that_exist():
    assert len({one.name for one in ROWS}) == len(ROWS)
    for one in ROWS:
        assert {one.reference, *one.peers, *one.rare} <= set(PEERS_BY_NAME)
        assert all(metric.label and (metric.factor is None) != (metric.limit is None) for metric in one.metrics)


# ---- Plots -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    plot.bars("a < b & \"c\"", ("Ringcast", "Bun"), [("one & two", {"Ringcast": 0.07, "Bun": 0}), ("three", {})]),
    plot.markers("ratios", [("a < b", 7.0, 0.5), ("c", 0.1, 1.3)]),
    plot.lines("lines", "x", [("K=1", [(1, 2.0), (15_000, 1.0)]), ("one point", [(1, 1.0)])]),
])
def test_a_plot_is_well_formed_and_stays_in_its_frame(text):
    root = xml.etree.ElementTree.fromstring(text)
    width = float(root.get("width"))
    for element in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert 0 <= float(element.get("x", 0)) and float(element.get("x", 0)) + float(element.get("width")) <= width


# ---- Servers -----------------------------------------------------------------------------------------------


def test_a_server_that_writes_much_is_not_held_up():
    script = "print('x' * 5_000_000, flush=True); print('port 7', flush=True); print('y' * 5_000_000, flush=True); " \
             "print('still here', flush=True); import time; time.sleep(600)"
    with Process([0], [sys.executable, "-c", script], r"^port (\d+)$") as process:
        assert process.ready[1] == "7"
        assert process.wait_for("still here")
    assert process.process.returncode is not None


def test_a_server_that_ends_too_early_is_a_failure_with_its_last_words():
    with pytest.raises(Failure, match="(?s)it ended.*address in use"):
        Process([0], [sys.executable, "-c", "print('address in use')"], "ready")


# ---- The command -------------------------------------------------------------------------------------------


def test_rows_are_listed_and_a_wrong_name_is_refused():
    listed = subprocess.run([REPOSITORY / "bench/run", "--list"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in listed.splitlines()] == [one.name for one in ROWS]
    wrong = subprocess.run([REPOSITORY / "bench/run", "--only", "no-such-row"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "no-such-row" in wrong.stderr


def test_the_lock_file_names_no_registry():
    text = (REPOSITORY / "bench/peers/package-lock.json").read_text()
    assert not re.search(r'"resolved":', text)
