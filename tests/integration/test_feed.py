"""A real feed: data of npm vega-datasets replayed by ringcast-cli through two worker processes to 1,000 subscribers,
half of them JSON, half MessagePack. Every event, in order, once, with the content of the file."""

import csv
import json
import subprocess

import pytest

import broker as broker_module
import drivers
import wamp
from subscribers import Subscribers

SUBSCRIBERS = 1000
DATA = drivers.HERE / "node_modules/vega-datasets/data"


def number_or_text(text):
    try:
        return float(text)
    except ValueError:
        return text


def flights():
    return json.loads((DATA / "flights-2k.json").read_text())


def sp500():
    with open(DATA / "sp500.csv", newline="") as file:
        return [{key: number_or_text(value) for key, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def feed():
    drivers.require_package("vega-datasets")
    broker = broker_module.Broker("--processes", 2, "--threads", 1, "--ping-interval", 600)
    try:
        half = SUBSCRIBERS // 2
        subscribers = Subscribers(broker.url, ["feed.flights", "feed.sp500", "feed.end"],
                                  {"json": half, "msgpack": SUBSCRIBERS - half})
        yield broker, subscribers
        subscribers.drop()
        broker.wait_total("connections", 0)
        broker.stop()
    finally:
        broker.kill()


def replay(broker, file, topic, serializer):
    command = [broker_module.executable("ringcast-cli"), "publish", "--url", broker.url,
               "--serializer", serializer, "--from", str(DATA / file), topic]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize("publisher", wamp.SERIALIZERS)
@pytest.mark.parametrize("file, topic, read", [
    ("flights-2k.json", "feed.flights", flights), ("sp500.csv", "feed.sp500", sp500),
])
def test_every_event_in_order_once(feed, file, topic, read, publisher):
    broker, subscribers = feed
    records = read()
    assert len(records) > 100
    before = len(subscribers.references["json"].events)
    process = replay(broker, file, topic, publisher)

    def alive():
        assert process.poll() in (None, 0), f"ringcast-cli failed: {process.stdout.read()}"

    try:
        subscribers.receive_until(before + len(records), alive)
        output, _ = process.communicate(timeout=broker_module.PATIENCE_S)
        assert process.returncode == 0, output
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()

    # What ends the feed comes right behind its last event: nothing came twice.
    end = wamp.Session.open(broker.url)
    end.join()
    end.publish("feed.end", file, publisher)
    end.goodbye()
    end.drop()
    subscribers.receive_until(before + len(records) + 1)

    for serializer, reference in subscribers.references.items():
        events = reference.events[before:]
        assert len(events) == len(records) + 1
        assert len({event[2] for event in events}) == len(events), "a publication id came twice"
        for number, (event, record) in enumerate(zip(events, records)):
            assert event[:2] == [wamp.EVENT, subscribers.subscriptions[topic]], event
            assert event[3:] == [{}, [], record], f"record {number} for {serializer}: {event}"
        assert events[-1][1] == subscribers.subscriptions["feed.end"]
        assert events[-1][4] == [file, publisher]


def test_both_workers_had_a_part_in_it(feed):
    broker, _ = feed
    counters = broker.counters()
    assert len(counters) == 2
    for worker, values in counters.items():
        assert values["connections"] > SUBSCRIBERS // 4, f"worker {worker}: {values}"
