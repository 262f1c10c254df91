"""Valid messages, and the ways to break them. Generators only; nothing here talks to a broker."""

import msgpack

from wamp import (ABORT, AUTHENTICATE, CALL, CANCEL, ERROR, GOODBYE, HELLO, INVOCATION, PUBLISH, REGISTER, SUBSCRIBE,
                  UNREGISTER, UNSUBSCRIBE, YIELD)

# Name -> the message and the kind of each element. A kind ending in ? may be absent.
MESSAGES = {
    "HELLO": (
        [HELLO, "realm1", {"roles": {"publisher": {"features": {"é": True}}, "subscriber": {}}, "authid": "é"}],
        ["type", "text", "dict"],
    ),
    "ABORT": ([ABORT, {"message": "é"}, "wamp.error.x"], ["type", "dict", "uri"]),
    "AUTHENTICATE": ([AUTHENTICATE, "é", {"a": 1}], ["type", "text", "dict"]),
    "GOODBYE": ([GOODBYE, {"message": "é"}, "wamp.close.normal"], ["type", "dict", "uri"]),
    "ERROR": (
        [ERROR, INVOCATION, 7, {"a": "é"}, "com.example.é", [1], {"k": 1}],
        ["type", "id", "id", "dict", "uri", "list?", "dict?"],
    ),
    "PUBLISH": (
        [PUBLISH, 1, {"acknowledge": True, "exclude_me": False}, "hostile.é", [1, "é", 1.5], {"k": [None]}],
        ["type", "id", "dict", "uri", "list?", "dict?"],
    ),
    "SUBSCRIBE": ([SUBSCRIBE, 1, {"match": "exact"}, "hostile.é"], ["type", "id", "dict", "uri"]),
    "UNSUBSCRIBE": ([UNSUBSCRIBE, 1, 4000000000], ["type", "id", "id"]),
    "CALL": (
        [CALL, 1, {"a": "é"}, "hostile.é", [1], {"k": 1}], ["type", "id", "dict", "uri", "list?", "dict?"]),
    "CANCEL": ([CANCEL, 1, {"mode": "skip"}], ["type", "id", "dict"]),
    "REGISTER": ([REGISTER, 1, {"match": "exact"}, "hostile.é"], ["type", "id", "dict", "uri"]),
    "UNREGISTER": ([UNREGISTER, 1, 4000000000], ["type", "id", "id"]),
    "YIELD": ([YIELD, 7, {"a": "é"}, [1], {"k": 1}], ["type", "id", "dict", "list?", "dict?"]),
}

PASSTHRU = {"ppt_scheme": "text?", "ppt_serializer": "text?", "ppt_cipher": "text?", "ppt_keyid": "text?"}

# Option -> the kind its value must have: all of wire/options.h. As in optional elements, null stands for an
# absent one.
OPTIONS = {
    "HELLO": {"roles": "dict", "authid": "text?", "authrole": "text?", "authmethods": "texts?", "authextra": "dict?"},
    "ERROR": PASSTHRU,
    "PUBLISH": {
        "acknowledge": "bool?", "exclude_me": "bool?", "disclose_me": "bool?", "retain": "bool?",
        "exclude": "ids?", "exclude_authid": "texts?", "exclude_authrole": "texts?",
        "eligible": "ids?", "eligible_authid": "texts?", "eligible_authrole": "texts?", **PASSTHRU,
    },
    "SUBSCRIBE": {"match": "text?", "get_retained": "bool?"},
    "CALL": {
        "timeout": "integer?", "receive_progress": "bool?", "progress": "bool?", "disclose_me": "bool?", **PASSTHRU,
    },
    "CANCEL": {"mode": "text?"},
    "REGISTER": {
        "match": "text?", "invoke": "text?", "concurrency": "integer?", "disclose_caller": "bool?",
        "forward_timeout": "bool?",
    },
    "YIELD": {"progress": "bool?", **PASSTHRU},
}

# What a router asks of a role, at the bottom of HELLO.Details.
ROLES = ("publisher", "subscriber", "caller", "callee")
FEATURES = (
    "call_canceling", "call_timeout", "pattern_based_registration", "progressive_call_invocations",
    "progressive_call_results", "registration_revocation", "subscription_revocation",
)

COMMON_VALUES = [None, True, False, 0, -1, 1, 1.5, -0.5, 1e300, 2**64 - 1, -(2**63), "text", "", [], [1], {}, {"a": 1}]
COMMON_VALUES += [[0], [-1], ["text"], ["a", 1], [1, "a"], [None], [[]], [2**53 + 1], [1.5], [True]]
MSGPACK_VALUES = [b"", b"bytes", msgpack.ExtType(5, b"ext"), float("nan"), float("inf")]


def values(serializer):
    return COMMON_VALUES + (MSGPACK_VALUES if serializer == "msgpack" else [])


def fits(kind, value):
    """Whether a value is of the right type; for ids, in the right range, too."""
    if kind.endswith("?"):
        return value is None or fits(kind[:-1], value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind in ("id", "type", "integer"):
        whole = number and value == value and abs(value) <= 2**53 and value == int(value)
        return whole and value >= (0 if kind == "integer" else 1)
    if kind in ("ids", "texts"):
        return isinstance(value, list) and all(fits("id" if kind == "ids" else "text", each) for each in value)
    return {
        "text": isinstance(value, str),
        "uri": isinstance(value, str),
        "dict": isinstance(value, dict),
        "list": isinstance(value, list),
        "bool": isinstance(value, bool),
    }[kind]


def wrong_types(name, serializer):
    """(what, message): every element replaced by every value that is not of its type, then the options."""
    message, kinds = MESSAGES[name]
    for at, kind in enumerate(kinds):
        for value in values(serializer):
            if not fits(kind, value):
                yield f"element {at} = {value!r}", message[:at] + [value] + message[at + 1 :]
    for option, kind in OPTIONS.get(name, {}).items():
        at = kinds.index("dict")
        for value in values(serializer):
            if not fits(kind, value):
                options = {**message[at], option: value}
                yield f"{option} = {value!r}", message[:at] + [options] + message[at + 1 :]


def wrong_roles(serializer):
    """(what, HELLO): each role, its features and each of these of every wrong type."""
    for role in ROLES:
        for value in values(serializer):
            if not fits("dict?", value):
                yield f"{role} = {value!r}", [HELLO, "realm1", {"roles": {role: value}}]
                yield f"{role}.features = {value!r}", [HELLO, "realm1", {"roles": {role: {"features": value}}}]
            if not fits("bool?", value):
                for feature in FEATURES:
                    yield f"{role}.{feature} = {value!r}", [
                        HELLO, "realm1", {"roles": {role: {"features": {feature: value}}}}]


def all_options(name):
    """The message with every option it has, each of the right type."""
    message, kinds = MESSAGES[name]
    good = {"bool": True, "text": "é", "integer": 7, "ids": [1, 2**53], "texts": ["é", ""], "dict": {"é": [1]}}
    named = {"authmethods": ["é", "anonymous"], "match": "prefix", "invoke": "last", "mode": "kill", "roles": {"caller": {"features": {"é": 1}}}}
    options = {name: named.get(name, good[kind.rstrip("?")]) for name, kind in OPTIONS.get(name, {}).items()}
    at = kinds.index("dict") if "dict" in kinds else None
    return message if at is None else message[:at] + [{**message[at], **options}] + message[at + 1 :]


# The router's own procedures (WAMP, "Metaevents and procedures"), which anybody may call with anything.
META_PROCEDURES = [f"wamp.{kind}.{what}" for kind, all_of_it in {
    "registration": ("list", "lookup", "match", "get", "list_callees", "count_callees", "remove_callee"),
    "subscription": ("list", "lookup", "match", "get", "list_subscribers", "count_subscribers", "get_events",
                     "remove_subscriber"),
    "session": ("count", "list", "get", "kill", "kill_by_authid", "kill_by_authrole", "add_testament",
                "flush_testaments"),
}.items() for what in all_of_it]


def meta_arguments(serializer):
    """(arguments, keyword arguments): too few, too many, of every type, in every place."""
    for value in values(serializer):
        yield [value], {}
        yield [1, value], {}
        yield ["a.b", value], {}
        yield [value, value, value, value], {}
        yield [4000000000], {name: value for name in (
            "match", "reason", "message", "scope", "publish_options", "limit", "reverse", "from_time", "after_time",
            "before_time", "until_time", "from_publication", "after_publication", "before_publication",
            "until_publication", "topic")}
    yield [], {}
    yield [[[]] * 1000], {}
    yield ["a." * 600 + "a"], {"match": "prefix"}
    yield ["x" * 100_000], {"reason": "x" * 100_000}
    yield list(range(10_000)), {str(n): n for n in range(10_000)}


def missing_elements(name):
    """The message cut after each element but where only optional ones follow."""
    message, kinds = MESSAGES[name]
    for count in range(len(message)):
        if not all(kind.endswith("?") for kind in kinds[count:]):
            yield f"{count} elements", message[:count]


def mutations(data, random, count):
    """`data` with some bytes changed, removed, doubled or put in."""
    for _ in range(count):
        mutant = bytearray(data)
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(mutant)) if mutant else 0
            choice = random.randrange(5)
            if choice == 0 and mutant:
                mutant[at] = random.randrange(256)
            elif choice == 1 and mutant:
                del mutant[at]
            elif choice == 2:
                mutant[at:at] = bytes([random.randrange(256)])
            elif choice == 3:
                mutant[at:at] = mutant[at : at + random.randrange(1, 9)]
            elif mutant:
                mutant[at] ^= 1 << random.randrange(8)
        yield bytes(mutant)
