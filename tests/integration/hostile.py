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

# Option -> the kind its value must have. Only options that this broker acts upon. As in optional elements,
# null stands for an absent one.
OPTIONS = {
    "PUBLISH": {"acknowledge": "bool?", "exclude_me": "bool?"},
    "SUBSCRIBE": {"match": "text?"},
    "HELLO": {"roles": "dict", "authid": "text?"},
}

COMMON_VALUES = [None, True, False, 0, -1, 1, 1.5, -0.5, 1e300, 2**64 - 1, -(2**63), "text", "", [], [1], {}, {"a": 1}]
MSGPACK_VALUES = [b"", b"bytes", msgpack.ExtType(5, b"ext"), float("nan"), float("inf")]


def values(serializer):
    return COMMON_VALUES + (MSGPACK_VALUES if serializer == "msgpack" else [])


def fits(kind, value):
    """Whether a value is of the right type; for ids, in the right range, too."""
    if kind.endswith("?"):
        return value is None or fits(kind[:-1], value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind in ("id", "type"):
        return number and value == value and abs(value) <= 2**53 and value == int(value) and value >= 1
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
