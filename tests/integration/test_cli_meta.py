"""ringcast-cli meta: what the broker has, as tables and as JSON, across two worker processes."""

import re

import pytest

import wamp
from cli import Cli, result, run
from wamp import REGISTER, REGISTERED

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)


@pytest.fixture
def broker(start_broker):
    return start_broker("--processes", 2, "--threads", 1)


def joined(broker, serializer="json"):
    session = wamp.Session.open(broker.url, serializer)
    session.join()
    return session


def register(session, procedure, **options):
    request = session.next_request()
    session.send([REGISTER, request, options, procedure])
    return session.expect(REGISTERED, request)[2]


@both_serializers
def test_registrations_are_listed_with_their_callees(broker, serializer):
    callees = [joined(broker, serializer) for _ in range(3)]
    shared = [register(callee, "meta.shared", invoke="roundrobin") for callee in callees][0]
    pattern = register(callees[0], "meta.pattern.", match="prefix")
    words = ["--url", broker.url, "--serializer", serializer]
    listed = {one["id"]: one for one in result("meta", "registrations", "--json", *words)}
    assert {id: (one["uri"], one["match"], one["invoke"], one["callees"]) for id, one in listed.items()} == {
        shared: ("meta.shared", "exact", "roundrobin", 3), pattern: ("meta.pattern.", "prefix", "single", 1)}
    one = result("meta", "registration", shared, "--json", *words)
    assert sorted(one["callees"]) == sorted(callee.id for callee in callees) and one["uri"] == "meta.shared"


def test_tables_are_for_people(broker):
    callee = joined(broker)
    registration = register(callee, "meta.table")
    code, out, err = run("meta", "registrations", "--url", broker.url)
    assert code == 0, err
    heading, line = out.splitlines()
    assert heading.split() == ["ID", "MATCH", "INVOKE", "URI", "CREATED", "CALLEES"]
    assert line.split()[:4] == [str(registration), "exact", "single", "meta.table"] and line.split()[-1] == "1"
    code, out, err = run("meta", "registration", registration, "--url", broker.url)
    assert code == 0 and re.search(rf"^callees +\[{callee.id}\]$", out, re.MULTILINE), (out, err)


def test_many_registrations_are_asked_for_in_parts(broker):
    callee = joined(broker)
    for n in range(300):
        register(callee, f"meta.many.{n}")
    listed = result("meta", "registrations", "--json", "--url", broker.url)
    assert sorted(one["uri"] for one in listed) == sorted(f"meta.many.{n}" for n in range(300))


def test_nothing_is_an_empty_table(broker):
    code, out, _ = run("meta", "registrations", "--url", broker.url)
    assert code == 0 and out.splitlines() == ["ID  MATCH  INVOKE  URI  CREATED  CALLEES"]


def test_what_is_not_there_is_an_error(broker):
    code, out, err = run("meta", "registration", 4711, "--url", broker.url)
    assert (code, out) == (4, "") and "wamp.error.no_such_registration" in err, err
    for words in (["meta"], ["meta", "session"], ["meta", "session", "x"], ["meta", "kill"], ["meta", "nonsense"]):
        assert run(*words)[0] == 2, words
    assert Cli("meta", "sessions", "--url", "ws://127.0.0.1:1/ws").wait()[0] == 1
