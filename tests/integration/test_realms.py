"""Realms from a configuration file: names, roles, who may come in, and a file that is not valid."""

import os
import re
import signal

import pytest

import wamp
from broker import Broker
from wamp import HELLO, ROLES, Session

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)

TWO_REALMS = """
[[realm]]
name = "com.example.one"
anonymous = "guest"
[[realm.role]]
name = "guest"
unrestricted = true

[[realm]]
name = "two"
anonymous = "visitor"
[[realm.role]]
name = "visitor"
unrestricted = true

[[realm]]
name = "closed"
"""


def refused(tmp_path, text, *flags, **options):
    """The exit code and log of a broker that does not start."""
    path = tmp_path / "ringcast.toml"
    if text is not None:
        path.write_text(text)
    broker = Broker("--config", path, *flags, wait=False, **options)
    code = broker.process.wait(30)
    broker.log.join()
    return code, broker.log.text()


@both_serializers
def test_a_session_is_in_its_realm_with_its_role(configured, serializer):
    broker = configured(TWO_REALMS)
    for realm, role in (("com.example.one", "guest"), ("two", "visitor")):
        session = Session.open(broker.url, serializer)
        details = session.join(realm)[2]
        assert details["realm"] == realm
        assert details["authrole"] == role
        assert details["authmethod"] == "anonymous"
        session.drop()


@both_serializers
def test_realms_see_nothing_of_each_other(configured, serializer):
    broker = configured(TWO_REALMS)
    one, two = (Session.open(broker.url, serializer) for _ in range(2))
    one.join("com.example.one")
    two.join("two")
    subscription = one.subscribe("com.example.topic")
    two.subscribe("com.example.topic")
    two.publish("com.example.topic", "to nobody")
    publisher = Session.open(broker.url, serializer)
    publisher.join("com.example.one")
    publisher.publish("com.example.topic", "to one")
    one.expect_event(subscription, "to one")
    for session in (one, two, publisher):
        session.goodbye()
        session.drop()


@both_serializers
def test_refusals(configured, serializer):
    broker = configured(TWO_REALMS)
    for realm, reason in (
        ("unknown", "wamp.error.no_such_realm"),
        ("closed", "wamp.error.no_matching_auth_method"),
    ):
        session = Session.open(broker.url, serializer)
        session.send([HELLO, realm, {"roles": ROLES}])
        message = session.expect_abort(reason)
        assert message[1]["message"], message
        session.drop()


def test_a_restarted_worker_keeps_the_realms_that_were_read_at_the_start(configured, tmp_path):
    broker = configured(TWO_REALMS)
    (tmp_path / "ringcast.toml").write_text('[[realm]]\nname = "other"\n')
    since = broker.log.mark()
    for worker, pid in broker.workers.items():
        os.kill(pid, signal.SIGKILL)
    for worker in (0, 1):
        broker.wait_worker(worker, since)
    session = Session.open(broker.url)
    assert session.join("two")[2]["authrole"] == "visitor"
    session.drop()


TEMPLATE = """
[[realm_template]]
name = "tenant.*"
anonymous = "guest"
sessions_max = 2
[[realm_template.role]]
name = "guest"
unrestricted = true
"""


def by_worker(broker, realm, serializer="json"):
    """One session in that realm with each worker."""
    found = {}
    for _ in range(16):
        before = broker.counters()
        session = Session.open(broker.url, serializer)
        after = broker.counters()
        worker = next(w for w in after if after[w]["connections_accepted"] > before[w]["connections_accepted"])
        if worker in found:
            session.drop()
            continue
        session.join(realm)
        found[worker] = session
        if len(found) == len(after):
            return [found[w] for w in sorted(found)]
    raise AssertionError(f"16 connections reached only the workers {sorted(found)}")


@both_serializers
def test_realms_on_demand_are_the_same_in_every_worker(configured, serializer):
    broker = configured(TEMPLATE)
    here, there = by_worker(broker, "tenant.one", serializer)
    elsewhere, _ = by_worker(broker, "tenant.two", serializer)
    subscription = here.subscribe("com.example.topic")
    elsewhere.subscribe("com.example.topic")
    there.send([wamp.REGISTER, there.next_request(), {}, "com.example.procedure"])
    there.expect(wamp.REGISTERED)
    elsewhere.send([wamp.CALL, elsewhere.next_request(), {}, "com.example.procedure"])
    assert elsewhere.expect(wamp.ERROR)[4] == "wamp.error.no_such_procedure"
    here.send([wamp.CALL, here.next_request(), {}, "com.example.procedure"])
    request = there.expect(wamp.INVOCATION)[1]
    there.send([wamp.YIELD, request, {}])
    here.expect(wamp.RESULT)
    there.publish("com.example.topic", "one")
    here.expect_event(subscription, "one")
    elsewhere.goodbye()  # and got no event


def test_a_restarted_worker_knows_the_realms_on_demand(configured):
    broker = configured(TEMPLATE)
    here, there = by_worker(broker, "tenant.one")
    subscription = here.subscribe("com.example.topic")
    since = broker.log.mark()
    os.kill(broker.workers[1], signal.SIGKILL)
    broker.wait_worker(1, since)
    for _ in range(8):  # the first that reaches the new worker will do
        session = Session.open(broker.url)
        assert session.join("tenant.one")[2]["realm"] == "tenant.one"
        session.publish("com.example.topic", "again")
        here.expect_event(subscription, "again")
        session.goodbye()
        session.drop()


@both_serializers
@pytest.mark.parametrize("realm", ["tenant", "tenant.a.b", "tenant.a b", "other.a", "tenant."])
def test_names_that_no_template_is_for(configured, serializer, realm):
    session = Session.open(configured(TEMPLATE).url, serializer)
    session.send([HELLO, realm, {"roles": ROLES}])
    session.expect_abort("wamp.error.no_such_realm")
    session.drop()


@both_serializers
def test_a_realm_has_so_many_sessions_of_all_workers_together(configured, serializer):
    broker = configured(TEMPLATE)
    here, there = by_worker(broker, "tenant.one", serializer)

    def refused_once():
        session = Session.open(broker.url, serializer)
        session.send([HELLO, "tenant.one", {"roles": ROLES}])
        message = session.expect_abort("ringcast.error.limit_exceeded")
        assert "sessions" in message[1]["message"], message
        session.drop()

    for _ in range(4):
        refused_once()
    other = Session.open(broker.url, serializer)
    other.join("tenant.two")  # has its own
    here.goodbye()
    other.goodbye()
    other.join("tenant.one")
    refused_once()
    since = broker.log.mark()
    os.kill(broker.workers[1], signal.SIGKILL)  # takes `there` with it, and its place
    broker.wait_worker(1, since)
    other.drop()
    broker.wait_total("sessions", 0)
    by_worker(broker, "tenant.one", serializer)


def test_there_are_only_so_many_realms(configured):
    broker = configured(TEMPLATE)
    session = Session.open(broker.url)
    for n in range(4096):
        session.send([HELLO, f"tenant.{n}", {"roles": ROLES}], [wamp.GOODBYE, {}, "wamp.close.close_realm"])
        session.expect(wamp.WELCOME)
        session.expect(wamp.GOODBYE)
    session.send([HELLO, "tenant.4095", {"roles": ROLES}], [wamp.GOODBYE, {}, "wamp.close.close_realm"])
    session.expect(wamp.WELCOME)
    session.expect(wamp.GOODBYE)
    session.send([HELLO, "tenant.more", {"roles": ROLES}])
    message = session.expect_abort("ringcast.error.limit_exceeded")
    assert "realms" in message[1]["message"], message
    session.drop()


def test_a_file_that_is_not_valid_is_refused_with_its_lines(tmp_path):
    code, log = refused(tmp_path, '[[realm]]\nnmae = "one"\n\n[[realm]]\nname = 7\n')
    assert code == 2, log
    assert re.search(r"ringcast\.toml:2: realm\[0\]\.nmae: unknown key; did you mean name\?", log), log
    assert re.search(r"ringcast\.toml:5: realm\[1\]\.name: an integer where a text belongs", log), log


def test_a_file_that_is_not_there(tmp_path):
    code, log = refused(tmp_path, None)
    assert code == 2 and "No such file" in log, log


def test_a_file_and_a_realm_by_flag_exclude_each_other(tmp_path):
    code, log = refused(tmp_path, TWO_REALMS, "--realm", "other")
    assert code == 2, log


def test_beyond_loopback_only_if_nobody_comes_in_unasked(start_broker, tmp_path):
    code, log = refused(tmp_path, TWO_REALMS, listen="0.0.0.0:0")
    assert code == 6 and "--allow-anonymous" in log, log
    path = tmp_path / "closed.toml"
    path.write_text('[[realm]]\nname = "closed"\n')
    start_broker("--config", path, "--processes", 1, listen="0.0.0.0:0")
