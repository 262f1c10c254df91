"""Broken messages against the live broker: a defined answer each time, and nobody else notices.

Every broken message has a connection of its own. A witness on each worker subscribes before and must get
exactly what it should after; no connection may be left over and no worker may have been restarted.
"""

import random

import pytest

import hostile
import wamp
from provoke import assert_defined, provoke
from wamp import ABORT, ERROR

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)
each_message = pytest.mark.parametrize("name", hostile.MESSAGES)


def broken(outcome, serializer, data):
    """The answer to bytes that are no message: a violation, or 1007 if a text is not UTF-8."""
    if serializer == "json":
        try:
            data.decode()
        except UnicodeDecodeError:
            return (outcome.close, outcome.messages) == (1007, [])
    return outcome.violation


@both_serializers
@each_message
def test_truncated_at_every_byte(shared_broker, witnesses, serializer, name):
    data = wamp.encode(serializer, hostile.all_options(name))
    failures = []
    for size in range(len(data)):
        outcome = provoke(shared_broker, serializer, data[:size], joined=name != "HELLO")
        if not broken(outcome, serializer, data[:size]):
            failures.append(f"{data[:size]!r}: {outcome}")
    assert_defined(failures)


@both_serializers
@each_message
def test_every_element_of_every_wrong_type(shared_broker, witnesses, serializer, name):
    failures = []
    for what, message in [*hostile.wrong_types(name, serializer), *hostile.missing_elements(name)]:
        outcome = provoke(shared_broker, serializer, wamp.encode(serializer, message), joined=name != "HELLO")
        expected = outcome.violation
        if not expected and name == "ABORT":  # it is never answered, not even a malformed one
            expected = outcome.messages == [] and outcome.close in (1000, 1002)
        if not expected and name in ("UNSUBSCRIBE", "UNREGISTER") and what.startswith("element 2"):
            expected = len(outcome.messages) == 1 and outcome.messages[0][0] == ERROR and outcome.close is None
        if not expected:
            failures.append(f"{what}: {outcome}")
    assert_defined(failures)


@both_serializers
@each_message
def test_additional_elements_and_trailing_bytes(shared_broker, witnesses, serializer, name):
    message = hostile.MESSAGES[name][0]
    failures = []
    joined = name != "HELLO"
    for addition in ([1], [None], [[]], [{}, 1, 2, 3, 4, 5]):
        outcome = provoke(shared_broker, serializer, wamp.encode(serializer, message + addition), joined)
        if not outcome.defined:
            failures.append(f"{addition} added: {outcome}")
    for trailing in (b"[]", b"\x90", b"1", b"\x00"):
        data = wamp.encode(serializer, message) + trailing
        outcome = provoke(shared_broker, serializer, data, joined)
        if not broken(outcome, serializer, data):
            failures.append(f"{trailing} behind it: {outcome}")
    assert_defined(failures)


@both_serializers
@pytest.mark.parametrize("joined", [False, True])
def test_what_is_no_message(shared_broker, witnesses, serializer, joined):
    failures = []
    messages = [None, True, 0, 1, -1, 1.5, "text", {}, {"1": 2}, [], [[]], [[16, 1, {}, "a.b"]], [None]]
    messages += [[code] for code in (-1, 0, 7, 9, 15, 18, 31, 37, 63, 71, 255, 256, 65535, 2**31, 2**53)]
    messages += [[code, 1, {}, "a.b"] for code in (0, 7, 9, 18, 31, 71, 99, 16 + 256, 32 + 2**32, -16)]
    for message in messages:
        outcome = provoke(shared_broker, serializer, wamp.encode(serializer, message), joined)
        if not outcome.violation:
            failures.append(f"{message}: {outcome}")
    assert_defined(failures)


@both_serializers
def test_every_role_and_feature_of_every_wrong_type(shared_broker, witnesses, serializer):
    failures = []
    for what, message in hostile.wrong_roles(serializer):
        outcome = provoke(shared_broker, serializer, wamp.encode(serializer, message), joined=False)
        if not outcome.violation:
            failures.append(f"{what}: {outcome}")
    assert_defined(failures)


@both_serializers
@pytest.mark.parametrize("count", [1000, 200_000])
def test_huge_lists_and_dicts(shared_broker, witnesses, serializer, count):
    """Accepted or refused, but nobody is held up by them; the witnesses wait no longer than for anything."""
    ids, texts = list(range(1, count // 2)), ["x"] * (count // 2)
    nothing = {str(n): 0 for n in range(count // 4)}
    messages = [[wamp.PUBLISH, 1, {"acknowledge": True, option: ids}, "witness.other"] for option in ("exclude", "eligible")]
    messages += [[wamp.PUBLISH, 1, {"acknowledge": True, option: texts}, "witness.other"]
                 for option in ("exclude_authid", "eligible_authrole")]
    messages += [
        [wamp.PUBLISH, 1, {"acknowledge": True, **nothing}, "witness.other"],
        [wamp.PUBLISH, 1, {"acknowledge": True}, "witness.other", [0] * count, nothing],
        [wamp.CALL, 1, nothing, "witness.nobody", [0] * count],
        [wamp.REGISTER, 1, nothing, "witness.procedure"], [wamp.SUBSCRIBE, 1, nothing, "witness.other"],
        [wamp.CANCEL, 1, nothing],
    ]
    failures = []
    for message in messages:
        outcome = provoke(shared_broker, serializer, wamp.encode(serializer, message), joined=True)
        if not outcome.defined or outcome.close not in (None, 1009):
            failures.append(f"{message[:2]}: {outcome}")
    for details in ({"authmethods": texts}, {"roles": nothing}, {"authextra": nothing},
                    {"roles": {"caller": {"features": nothing}}}):
        hello = [wamp.HELLO, "realm1", {"roles": {}, **details}]
        outcome = provoke(shared_broker, serializer, wamp.encode(serializer, hello), joined=False)
        if not outcome.defined and not (outcome.messages and outcome.messages[0][0] == ABORT):
            failures.append(f"HELLO {list(details)}: {outcome}")
    assert_defined(failures)


def nested(serializer, depth):
    if serializer == "json":
        return b'[16,1,{},"a.b",' + b"[" * depth + b"]" * depth + b"]"
    return b"\x95\x10\x01\x80\xa3a.b" + b"\x91" * (depth - 1) + b"\x90"


@both_serializers
@pytest.mark.parametrize("depth", [200, 10000, 900000])
def test_nesting_is_bounded(shared_broker, witnesses, serializer, depth):
    depth = depth // 2 if serializer == "json" else depth
    outcome = provoke(shared_broker, serializer, nested(serializer, depth), joined=True)
    assert outcome.violation, outcome


@both_serializers
def test_reasonable_nesting_is_accepted(shared_broker, witnesses, serializer):
    outcome = provoke(shared_broker, serializer, nested(serializer, 30), joined=True)
    assert outcome.close is None and outcome.messages == [], outcome


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("data", [
    b"\xdd\xff\xff\xff\xff",                            # a list of 2^32 - 1 elements
    b"\xdd\xff\xff\xff\xff\x10\x01\x80\xa3a.b",
    b"\x95\x10\x01\x80\xa3a.b\xdd\xff\xff\xff\xff",
    b"\x95\x10\x01\x80\xa3a.b\xdf\xff\xff\xff\xff",
    b"\x95\x10\x01\xdf\xff\xff\xff\xff",                # options of 2^32 - 1 entries
    b"\x94\x20\x01\x80\xdb\xff\xff\xff\xff",            # a topic of 2^32 - 1 bytes
    b"\x94\x20\x01\x80\xdb\x00\x00\x00\x10a.b",
    b"\x95\x10\x01\x80\xa3a.b\x91\xc6\xff\xff\xff\xff", # bin
    b"\x95\x10\x01\x80\xa3a.b\x91\xc9\xff\xff\xff\xff\x01",  # ext
    b"\x95\x10\x01\x80\xa3a.b\x91\xc1",                 # the byte that MessagePack never uses
    b"\xc1",
    b"\x94\x20\x01\x80\xa3\xff\xfe\xfd",                # a topic that is not UTF-8
])
def test_lying_msgpack(shared_broker, witnesses, data, joined):
    outcome = provoke(shared_broker, "msgpack", data, joined)
    if outcome.close is None:  # a text that is not UTF-8 may be an invalid URI as well
        assert joined and [message[0] for message in outcome.messages] == [ERROR], outcome
    else:
        assert outcome.violation, outcome


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("data", [
    b"[16,1,{},\"a.b\",[1,]]", b"[16,1,{},\"a.b\",[,1]]", b"[16,1,{},'a.b']", b"[16,1,{acknowledge:true},\"a.b\"]",
    b"[016,1,{},\"a.b\"]", b"[16,+1,{},\"a.b\"]", b"[16,1,{},\"a\nb\"]", b"[16,1,{},\"a.b\",[NaN]]",
    b"[16,1,{},\"a.b\",[1.]]", b"[16,1,{},\"a.b\",[.5]]", b"[16,1,{},\"a.b\",[-]]", b"[16,1,{},\"a.b\",[tru]]",
    b"[16,1,{},\"a.b\",[\"\\x41\"]]", b"[16,1,{},\"a.b\",[\"\\ud834\"]]", b"[16,1,{},\"a.b\",[\"\\u12g4\"]]",
    b"[16,1,{},\"a.b\"] []", b"[16,1,{},\"a.b\"", b"// comment\n[16,1,{},\"a.b\"]", b"\xef\xbb\xbf[16,1,{},\"a.b\"]",
    b"[16 1 {} \"a.b\"]", b"[16,1,{\"a\" 1},\"a.b\"]", b"[16,1,{\"a\":1,},\"a.b\"]", b"[16,1,{1:2},\"a.b\"]",
    b"", b" ", b"\x00", b"nonsense",
])
def test_broken_json(shared_broker, witnesses, data, joined):
    outcome = provoke(shared_broker, "json", data, joined)
    if b"\\ud834" in data and joined:  # a lone surrogate is JSON by the letter; nobody must crash over it
        assert outcome.defined, outcome
    else:
        assert outcome.violation, outcome


@both_serializers
@each_message
def test_mutated_messages(shared_broker, witnesses, serializer, name):
    """Random damage, the same in every run. The answer may be any that is defined."""
    chance = random.Random(f"{name} {serializer}")
    data = wamp.encode(serializer, hostile.MESSAGES[name][0])
    failures = []
    for mutant in hostile.mutations(data, chance, 60):
        outcome = provoke(shared_broker, serializer, mutant, joined=name != "HELLO")
        if not outcome.defined:
            failures.append(f"{mutant!r}: {outcome}")
    assert_defined(failures)


@both_serializers
def test_messages_behind_a_violation_are_not_looked_at(shared_broker, join, serializer):
    session, witness = join(serializer), join()
    subscription = witness.subscribe("behind.a.violation")
    session.send([99], [wamp.PUBLISH, 1, {"acknowledge": True}, "behind.a.violation", ["must not arrive"]])
    session.expect_abort()
    join().publish("behind.a.violation", "the first")
    witness.expect_event(subscription, "the first")
