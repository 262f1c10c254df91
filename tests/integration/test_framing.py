"""WebSocket framing (RFC 6455) against the echo endpoint: the rules of the Autobahn test suite, groups 1 to 7, 9
and 10, by their numbers there. What breaks a rule must end with the defined close code, and at once."""

import random
import time

import pytest

import wsraw
from wsraw import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Connection, close_payload, frame

MESSAGE_BYTES_MAX = 1 << 20


@pytest.fixture
def echo(shared_broker):
    connection = Connection.open(shared_broker.url, path="/echo")
    yield connection
    connection.drop()


def expect(connection, opcode, payload):
    """The next message; the broker may send it in fragments."""
    got = connection.receive_frame()
    assert got.opcode == opcode and got.rsv == 0, got
    data = got.payload
    while not got.fin:
        got = connection.receive_frame()
        assert got.opcode == CONTINUATION and got.rsv == 0, got
        data += got.payload
    assert data == payload


def finish(connection):
    """The connection still works and closes as it should."""
    connection.send_frame(PING, b"alive")
    expect(connection, PONG, b"alive")
    connection.send_close(1000)
    connection.expect_close(1000)


SIZES = [0, 1, 125, 126, 127, 128, 65535, 65536]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_1_messages_of_every_length_form(echo, opcode, size):
    payload = b"*" * size if opcode == TEXT else bytes(i & 0xFF for i in range(size))
    echo.send_frame(opcode, payload)
    expect(echo, opcode, payload)
    finish(echo)


def test_1_every_mask_is_taken_off(echo):
    payload = bytes(range(256)) * 3
    for mask in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x00\x00\x80", b"\x12\x34\x56\x78"):
        for size in list(range(0, 20)) + [126, 127, 300]:
            echo.send_frame(BINARY, payload[:size], mask=mask)
            expect(echo, BINARY, payload[:size])
    finish(echo)


@pytest.mark.parametrize("size", [0, 125, 126, 300])
def test_1_byte_by_byte(echo, size):
    echo.drip(frame(TEXT, b"x" * size))
    expect(echo, TEXT, b"x" * size)
    finish(echo)


def test_1_many_messages_in_one_segment(echo):
    payloads = [b"%d" % number * (number % 40) for number in range(500)]
    echo.send(b"".join(frame(TEXT, payload) for payload in payloads))
    for payload in payloads:
        expect(echo, TEXT, payload)
    finish(echo)


@pytest.mark.parametrize("payload", [b"", b"Hello", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125])
def test_2_ping_is_answered_with_its_payload(echo, payload):
    echo.send_frame(PING, payload)
    expect(echo, PONG, payload)
    finish(echo)


def test_2_ping_byte_by_byte(echo):
    echo.drip(frame(PING, b"\xfe" * 125))
    expect(echo, PONG, b"\xfe" * 125)
    finish(echo)


@pytest.mark.parametrize("opcode", [PING, PONG])
def test_2_too_long_control_frame(echo, opcode):
    echo.send_frame(opcode, b"\xfe" * 126)
    echo.expect_close(1002)


def test_2_unsolicited_pong_is_ignored(echo):
    echo.send_frame(PONG)
    echo.send_frame(PONG, b"unasked")
    finish(echo)


def test_2_ten_pings_are_answered_in_order(echo):
    echo.send(b"".join(frame(PING, b"payload-%d" % number) for number in range(10)))
    for number in range(10):
        expect(echo, PONG, b"payload-%d" % number)
    finish(echo)


@pytest.mark.parametrize("opcode", [TEXT, BINARY, CLOSE, PING, PONG])
@pytest.mark.parametrize("rsv", range(1, 8))
def test_3_reserved_bits(echo, rsv, opcode):
    payload = close_payload(1000) if opcode == CLOSE else b"Hello"
    echo.send_frame(opcode, payload, rsv=rsv)
    echo.expect_close(1002)


@pytest.mark.parametrize("rsv", range(1, 8))
def test_3_what_came_before_a_reserved_bit_is_still_answered(echo, rsv):
    echo.send(frame(TEXT, b"good") + frame(TEXT, b"bad", rsv=rsv) + frame(PING))
    expect(echo, TEXT, b"good")
    echo.expect_close(1002)


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
@pytest.mark.parametrize("payload", [b"", b"reserved"])
def test_4_reserved_opcodes(echo, opcode, payload):
    echo.send(frame(TEXT, b"good") + frame(opcode, payload) + frame(PING))
    expect(echo, TEXT, b"good")
    echo.expect_close(1002)


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_5_control_frames_may_not_be_fragmented(echo, opcode):
    echo.send(frame(opcode, b"", fin=False) + frame(CONTINUATION, b"rest"))
    echo.expect_close(1002)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("drip", [False, True])
def test_5_fragments_are_joined(echo, opcode, drip):
    data = frame(opcode, b"one ", fin=False) + frame(CONTINUATION, b"two ", fin=False) + frame(CONTINUATION, b"3")
    (echo.drip if drip else echo.send)(data)
    expect(echo, opcode, b"one two 3")
    finish(echo)


def test_5_empty_fragments(echo):
    echo.send(frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) + frame(CONTINUATION))
    expect(echo, TEXT, b"")
    echo.send(frame(TEXT, fin=False) + frame(CONTINUATION, b"middle", fin=False) + frame(CONTINUATION))
    expect(echo, TEXT, b"middle")
    finish(echo)


def test_5_control_frames_between_fragments(echo):
    echo.send(frame(TEXT, b"fragment1", fin=False) + frame(PING, b"in between"))
    expect(echo, PONG, b"in between")
    echo.send(frame(PONG, b"ignored") + frame(CONTINUATION, b"fragment2", fin=False) + frame(PING, b"again"))
    expect(echo, PONG, b"again")
    echo.send(frame(CONTINUATION, b"fragment3"))
    expect(echo, TEXT, b"fragment1fragment2fragment3")
    finish(echo)


@pytest.mark.parametrize("fin", [True, False])
def test_5_continuation_of_nothing(echo, fin):
    echo.send(frame(CONTINUATION, b"non-continuation", fin=fin) + frame(TEXT, b"Hello"))
    echo.expect_close(1002)


def test_5_continuation_after_a_finished_message(echo):
    echo.send(frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b") + frame(CONTINUATION, b"c"))
    expect(echo, TEXT, b"ab")
    echo.expect_close(1002)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("fin", [True, False])
def test_5_new_message_within_a_fragmented_one(echo, opcode, fin):
    echo.send(frame(TEXT, b"fragment1", fin=False) + frame(opcode, b"fragment2", fin=fin))
    echo.expect_close(1002)


VALID_TEXTS = {
    "6.2 greek and combining": "Hello-µ@ßöäüàá-UTF-8!!",
    "6.5 kosme": "κόσμε",
    "6.6 first of each length": "\x00\x7f\u0080\u07ff\u0800\uffff\U00010000\U0010ffff",
    "6.7 around the surrogates": "\ud7ff\ue000\ufffd",
    "6.9 noncharacters": "\ufffe\uffff\ufdd0\ufdef\U0001fffe\U0010fffe",
    "long": "aß水𝄞" * 2000,
}


@pytest.mark.parametrize("name", VALID_TEXTS)
def test_6_valid_utf8(echo, name):
    payload = VALID_TEXTS[name].encode()
    echo.send_frame(TEXT, payload)
    expect(echo, TEXT, payload)
    finish(echo)


@pytest.mark.parametrize("name", [name for name in VALID_TEXTS if name != "long"])
def test_6_valid_utf8_cut_at_every_byte(echo, name):
    """Code points may be cut by fragments, and by segments."""
    payload = VALID_TEXTS[name].encode()
    pieces = [frame(TEXT, payload[:1], fin=False)]
    pieces += [frame(CONTINUATION, payload[i : i + 1], fin=False) for i in range(1, len(payload))]
    pieces.append(frame(CONTINUATION))
    echo.send(b"".join(pieces))
    expect(echo, TEXT, payload)
    echo.drip(frame(TEXT, payload))
    expect(echo, TEXT, payload)
    finish(echo)


INVALID_TEXTS = {
    "6.3 surrogate in the middle": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
    "above U+10FFFF": b"\xf4\x90\x80\x80",
    "5-byte form": b"\xf8\x88\x80\x80\x80",
    "6-byte form": b"\xfc\x84\x80\x80\x80\x80",
    "lone continuation": b"abc\x80",
    "two continuations": b"\x80\xbf",
    "all lone starts": b"\xc0 \xc1 \xe0 \xf0 \xf8 ",
    "missing continuation": b"\xe2\x82 x",
    "overlong slash, 2": b"\xc0\xaf",
    "overlong slash, 3": b"\xe0\x80\xaf",
    "overlong slash, 4": b"\xf0\x80\x80\xaf",
    "overlong NUL": b"\xc0\x80",
    "overlong U+07FF": b"\xe0\x9f\xbf",
    "overlong U+FFFF": b"\xf0\x8f\xbf\xbf",
    "low surrogate": b"\xed\xb0\x80",
    "last surrogate": b"\xed\xbf\xbf",
    "surrogate pair": b"\xed\xa0\x80\xed\xb0\x80",
    "fe": b"\xfe",
    "ff": b"\xff",
    "deep in": b"x" * 5000 + b"\xff" + b"y" * 5000,
}


@pytest.mark.parametrize("name", INVALID_TEXTS)
def test_6_invalid_utf8(echo, name):
    echo.send_frame(TEXT, INVALID_TEXTS[name])
    echo.expect_close(1007)


@pytest.mark.parametrize("name", [name for name in INVALID_TEXTS if name != "deep in"])
def test_6_invalid_utf8_in_fragments_of_a_byte(echo, name):
    payload = INVALID_TEXTS[name]
    pieces = [frame(TEXT, payload[:1], fin=False)]
    pieces += [frame(CONTINUATION, payload[i : i + 1], fin=False) for i in range(1, len(payload))]
    echo.send(b"".join(pieces) + frame(CONTINUATION))
    echo.expect_close(1007)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_6_message_that_ends_within_a_code_point(echo, cut):
    echo.send_frame(TEXT, "abc𝄞".encode()[: 3 + cut])
    echo.expect_close(1007)


def test_6_binary_is_not_checked(echo):
    for payload in INVALID_TEXTS.values():
        echo.send_frame(BINARY, payload)
        expect(echo, BINARY, payload)
    finish(echo)


@pytest.mark.parametrize("bad", [b"\xf4\x90\x80\x80", b"\xf4\x90", b"\xed\xa0\x80"])
def test_6_4_fails_fast_at_a_fragment(echo, bad):
    """The message is never finished: what can no longer become valid is refused when it comes in."""
    good = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
    echo.send(frame(TEXT, good, fin=False) + frame(CONTINUATION, bad, fin=False))
    echo.expect_close(1007)


def test_6_4_fails_fast_within_a_frame(echo):
    """The frame is never finished."""
    echo.send(frame(TEXT, b"\xce\xba\xf4\x90\x80\x80edited" + b"x" * 40)[:-30])
    echo.expect_close(1007)


def test_7_1_close_after_a_message(echo):
    echo.send(frame(TEXT, b"Hello") + frame(CLOSE, close_payload(1000)))
    expect(echo, TEXT, b"Hello")
    echo.expect_close(1000)


@pytest.mark.parametrize("after", [
    frame(CLOSE, close_payload(1000)), frame(PING), frame(TEXT, b"after"), frame(0x3), b"rubbish" * 20,
])
def test_7_1_what_follows_a_close_frame_is_ignored(echo, after):
    echo.send(frame(CLOSE, close_payload(1000)) + after)
    got = echo.receive_frame()
    assert (got.opcode, got.code) == (CLOSE, 1000)
    echo.receive_end()


def test_7_1_close_within_a_fragmented_message(echo):
    echo.send(frame(TEXT, b"one", fin=False) + frame(CLOSE, close_payload(1000)) + frame(CONTINUATION, b"two"))
    got = echo.receive_frame()
    assert (got.opcode, got.code) == (CLOSE, 1000)
    echo.receive_end()


def test_7_1_close_after_a_large_message(echo):
    payload = b"BAsd7&jh23" * 26 * 1000
    echo.send(frame(TEXT, payload) + frame(CLOSE, close_payload(1000)) + frame(PING))
    expect(echo, TEXT, payload)
    got = echo.receive_frame()
    assert (got.opcode, got.code) == (CLOSE, 1000)
    echo.receive_end()


def test_7_3_close_without_a_code(echo):
    echo.send_frame(CLOSE)
    got = echo.receive_frame()
    assert got.opcode == CLOSE and got.code in (1000, 1005), got
    echo.receive_end()


def test_7_3_close_with_half_a_code(echo):
    echo.send_frame(CLOSE, b"\x03")
    echo.expect_close(1002)


@pytest.mark.parametrize("reason", [b"", b"Hello World!", b"*" * 123, "Grüße".encode()])
def test_7_3_close_with_a_reason(echo, reason):
    echo.send_close(1000, reason)
    echo.expect_close(1000)


def test_7_3_close_with_too_long_a_reason(echo):
    echo.send_close(1000, b"*" * 124)
    echo.expect_close(1002)


@pytest.mark.parametrize("reason", [b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80edited", b"\xff", b"\xe2\x82"])
def test_7_5_reason_that_is_not_utf8(echo, reason):
    echo.send_close(1000, reason)
    echo.expect_close(1007, 1002)


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
def test_7_7_valid_codes_are_echoed(echo, code):
    echo.send_close(code)
    got = echo.receive_frame()
    assert got.opcode == CLOSE and got.code in (code, 1000), got
    echo.receive_end()


@pytest.mark.parametrize("code", [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_7_9_invalid_codes(echo, code):
    echo.send_close(code)
    echo.expect_close(1002)


@pytest.mark.parametrize("size", [1 << 16, 1 << 18, 1000000])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_9_large_messages(echo, opcode, size):
    payload = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    echo.send_frame(opcode, payload)
    expect(echo, opcode, payload)
    finish(echo)


@pytest.mark.parametrize("fragment", [64, 997, 65536])
def test_9_large_messages_in_fragments(echo, fragment):
    payload = bytes(range(256)) * 1024
    cuts = range(0, len(payload), fragment)
    last = cuts[-1]
    for at in cuts:
        echo.send_frame(
            BINARY if at == 0 else CONTINUATION, payload[at : at + fragment], fin=at == last)
    expect(echo, BINARY, payload)
    finish(echo)


def test_9_many_small_messages(echo):
    """More than the socket buffers hold is on its way at no time: written and read in turns."""
    for _ in range(20):
        echo.send(frame(TEXT, b"y" * 64) * 100)
        for _ in range(100):
            expect(echo, TEXT, b"y" * 64)
    finish(echo)


def test_9_the_largest_message(echo):
    payload = b"z" * MESSAGE_BYTES_MAX
    echo.send_frame(BINARY, payload)
    expect(echo, BINARY, payload)
    finish(echo)


def test_10_fragments_of_1300_bytes(echo):
    payload = b"*" * 65536
    for at in range(0, 65536, 1300):
        echo.send_frame(TEXT if at == 0 else CONTINUATION, payload[at : at + 1300], fin=at + 1300 >= 65536)
    expect(echo, TEXT, payload)
    finish(echo)


# Beyond the suite

@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
def test_unmasked_frames_are_refused(echo, opcode):
    payload = close_payload(1000) if opcode == CLOSE else b"Hello"
    echo.send_frame(opcode, payload, mask=None)
    echo.expect_close(1002)


@pytest.mark.parametrize("size, bits", [(0, 16), (125, 16), (0, 64), (126, 64), (65535, 64)])
def test_lengths_must_be_minimal(echo, size, bits):
    echo.send_frame(BINARY, b"x" * size, length_bits=bits)
    echo.expect_close(1002)


def test_negative_length(echo):
    echo.send_frame(BINARY, b"", length_bits=64, length=1 << 63 | 5)
    echo.expect_close(1002, 1009)


@pytest.mark.parametrize("length", [MESSAGE_BYTES_MAX + 1, 1 << 40, (1 << 63) - 1])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_too_large_a_message_is_refused_by_its_header(echo, opcode, length):
    """Nothing of the payload is waited for."""
    echo.send_frame(opcode, b"", length_bits=64, length=length)
    echo.expect_close(1009)


def test_too_large_a_message_in_fragments(echo):
    piece = b"x" * 65536
    echo.send_frame(BINARY, piece, fin=False)
    for _ in range(MESSAGE_BYTES_MAX // len(piece) - 1):
        echo.send_frame(CONTINUATION, piece, fin=False)
    echo.send_frame(CONTINUATION, b"x", fin=False)
    echo.expect_close(1009)


@pytest.mark.parametrize("serializer, opcode", [("json", BINARY), ("msgpack", TEXT)])
@pytest.mark.parametrize("joined", [False, True])
def test_frame_of_the_wrong_kind_for_the_subprotocol(shared_broker, serializer, opcode, joined):
    from wamp import Session
    session = Session.open(shared_broker.url, serializer)
    if joined:
        session.join()
    session.connection.send_frame(opcode, b"[6,{},\"wamp.close.normal\"]")
    session.connection.expect_close(1003)
    session.drop()


@pytest.mark.parametrize("cut", range(1, 20))
def test_connection_that_ends_within_a_frame(shared_broker, cut):
    data = frame(BINARY, b"x" * 200)
    for end in ("drop", "reset", "shut"):
        connection = Connection.open(shared_broker.url, path="/echo")
        connection.send(data[:cut])
        getattr(connection, end)()
        if end == "shut":
            while connection._fill():
                pass
            connection.drop()


def test_nothing_of_one_connection_reaches_another(shared_broker):
    """Interleaved fragments of many connections stay apart."""
    connections = [Connection.open(shared_broker.url, path="/echo") for _ in range(32)]
    for piece in range(8):
        for number, connection in enumerate(connections):
            connection.send_frame(
                CONTINUATION if piece else BINARY, bytes([number]) * (100 + number), fin=piece == 7)
    for number, connection in enumerate(connections):
        expect(connection, BINARY, bytes([number]) * (100 + number) * 8)
        connection.drop()


@pytest.mark.parametrize("seed", range(100))
def test_rubbish(shared_broker, seed):
    """Damaged frames, the same in every run: whatever comes back is well formed, and the end is a defined one."""
    chance = random.Random(seed)
    stream = b"".join(
        frame(chance.choice((TEXT, BINARY, CONTINUATION, PING)), chance.randbytes(chance.randrange(200)))
        for _ in range(5)
    )
    damaged = bytearray(stream)
    for _ in range(chance.randrange(1, 6)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    connection = Connection.open(shared_broker.url, path="/echo")
    connection.send(bytes(damaged))
    connection.shut()
    try:
        while (got := connection.receive_frame()).opcode != CLOSE:
            assert got.opcode in (TEXT, BINARY, CONTINUATION, PONG) and got.rsv == 0, got
        assert got.code in (1000, 1002, 1005, 1007, 1009), got
        connection.receive_end()
    except wsraw.Ended:
        pass  # the damage left an unfinished frame behind, and the stream ended within it
    connection.drop()


def test_endless_fragments(echo):
    """The number of fragments is bounded, even if they are empty."""
    echo.send_frame(TEXT, fin=False)
    pieces = frame(CONTINUATION, fin=False) * 1000
    try:
        for _ in range(200):
            echo.send(pieces)
    except OSError:
        pass
    echo.expect_close(1002, 1008, 1009)


@pytest.mark.parametrize("opcode", [PING, BINARY])
def test_a_peer_that_sends_and_never_reads_is_ended(shared_broker, opcode):
    """What it would have to be sent is bounded."""
    connection = Connection.open(shared_broker.url, path="/echo")
    piece = frame(opcode, b"x" * 125) * 1000
    deadline = time.monotonic() + wsraw.TIMEOUT_S
    with pytest.raises(ConnectionError):  # the broker has closed it
        while time.monotonic() < deadline:
            connection.send(piece)
    connection.drop()


def test_the_message_limit_may_be_configured(start_broker):
    broker = start_broker("--processes", 1, "--echo-path", "/echo", "--message-bytes-max", 2048)
    connection = Connection.open(broker.url, path="/echo")
    connection.send_frame(BINARY, b"x" * 2048)
    expect(connection, BINARY, b"x" * 2048)
    connection.send_frame(BINARY, b"x" * 2049)
    connection.expect_close(1009)
    connection.drop()
