"""The opening handshake: what is served, how each refusal is named, and what becomes of silent peers."""

import base64
import hashlib
import os
import time

import pytest

import wsraw
from wamp import HELLO, ROLES, WELCOME, Session
from wsraw import CLOSE, PING, PONG, TEXT, Connection

JSON, MSGPACK = "wamp.2.json", "wamp.2.msgpack"


def connect(broker):
    return Connection(broker.host, broker.port)


def refused(broker, *statuses, path="/ws", protocols=(JSON,), headers=None, **options):
    """The request must be answered by one of `statuses` with a text for a person, and the connection closed."""
    connection = connect(broker)
    response = connection.upgrade(path, protocols, headers, **options)
    assert response.status in statuses, response
    assert len(response.body.strip()) > 10, f"the body says nothing: {response}"
    assert response.headers.get("connection", "").lower() == "close", response
    connection.receive_end()
    connection.drop()
    return response


@pytest.mark.parametrize("protocol", [JSON, MSGPACK])
def test_upgrade(shared_broker, protocol):
    connection = connect(shared_broker)
    key = base64.b64encode(os.urandom(16)).decode()
    response = connection.upgrade("/ws", [protocol], {"Sec-WebSocket-Key": key})
    accept = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    assert response.status == 101
    assert response.headers["upgrade"].lower() == "websocket"
    assert response.headers["connection"].lower() == "upgrade"
    assert response.headers["sec-websocket-accept"] == base64.b64encode(accept).decode()
    assert response.headers["sec-websocket-protocol"] == protocol
    assert "sec-websocket-extensions" not in response.headers
    connection.drop()


@pytest.mark.parametrize(
    "offered, chosen",
    [
        ([JSON, MSGPACK], JSON),
        ([MSGPACK, JSON], MSGPACK),
        (["wamp.2.cbor.batched", "wamp.2.msgpack.batched", "soap", MSGPACK, JSON], MSGPACK),
    ],
)
def test_the_clients_preference_among_supported_subprotocols_decides(shared_broker, offered, chosen):
    connection = connect(shared_broker)
    assert connection.upgrade("/ws", offered).headers["sec-websocket-protocol"] == chosen
    connection.drop()


def test_subprotocols_may_stand_in_several_lines(shared_broker):
    connection = connect(shared_broker)
    response = connection.upgrade("/ws", headers={"Sec-WebSocket-Protocol": ["soap", MSGPACK]})
    assert (response.status, response.headers["sec-websocket-protocol"]) == (101, MSGPACK)
    connection.drop()


@pytest.mark.parametrize("offered", [[], ["soap"], ["wamp.2.json.batched"], ["WAMP"]])
def test_no_common_subprotocol_is_refused_and_the_supported_ones_named(shared_broker, offered):
    body = refused(shared_broker, 400, protocols=offered).body.decode()
    assert JSON in body and MSGPACK in body


def test_echo_path_needs_no_subprotocol(shared_broker):
    connection = Connection.open(shared_broker.url, path="/echo")
    connection.send_frame(TEXT, b"hello")
    assert connection.receive_frame().payload == b"hello"
    connection.drop()


def test_no_echo_unless_configured(start_broker):
    broker = start_broker("--processes", 1)
    refused(broker, 404, path="/echo", protocols=())


def test_the_path_may_be_configured(start_broker):
    broker = start_broker("--processes", 1, "--path", "/events/wamp")
    assert broker.path == "/events/wamp"
    refused(broker, 404, path="/ws")
    session = Session.open(broker.url)
    session.join()
    session.drop()


def test_a_query_does_not_change_the_path(shared_broker):
    connection = Connection.open(shared_broker.url, [JSON], path="/ws?token=a%20b")
    connection.drop()


@pytest.mark.parametrize("headers", [
    {"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket"},
    {"Connection": "upgrade", "Upgrade": "websocket", "Origin": "http://example.com", "Cookie": "a=b"},
    {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits, x-unknown; a=\"b\""},
])
def test_what_browsers_and_proxies_send_is_accepted(shared_broker, headers):
    connection = connect(shared_broker)
    response = connection.upgrade("/ws", [JSON], headers)
    assert response.status == 101
    connection.drop()


@pytest.mark.parametrize("path", ["/", "/ws2", "/ws/", "/WS", "/echo2", "//ws"])
def test_unknown_path(shared_broker, path):
    refused(shared_broker, 404, path=path)


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS", "DELETE"])
def test_wrong_method(shared_broker, method):
    connection = connect(shared_broker)
    connection.send(wsraw.upgrade_request("/ws", [JSON], method=method))
    got = connection.socket.recv(65536)
    assert got.startswith(b"HTTP/1.1 405 "), got
    connection.drop()


def test_a_plain_request_is_told_to_upgrade(shared_broker):
    response = refused(shared_broker, 426, headers={"Upgrade": None, "Connection": "close"})
    assert response.headers["upgrade"].lower() == "websocket"


@pytest.mark.parametrize("version", ["8", "7", "14", "x", None])
def test_wrong_websocket_version_is_told_the_right_one(shared_broker, version):
    response = refused(shared_broker, 426, 400, headers={"Sec-WebSocket-Version": version})
    if response.status == 426:
        assert response.headers["sec-websocket-version"] == "13"
    assert version is None or response.status == 426


KEY = base64.b64encode(b"0123456789abcdef").decode()


@pytest.mark.parametrize("headers", [
    {"Sec-WebSocket-Key": None},
    {"Sec-WebSocket-Key": ""},
    {"Sec-WebSocket-Key": base64.b64encode(b"15 bytes only..").decode()},
    {"Sec-WebSocket-Key": base64.b64encode(b"seventeen bytes..").decode()},
    {"Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!=="},
    {"Sec-WebSocket-Key": [KEY, KEY]},
    {"Host": ["a", "b"]},
    {"Content-Length": "5"},
    {"Transfer-Encoding": "chunked"},
])
def test_unusable_headers(shared_broker, headers):
    refused(shared_broker, 400, headers=headers)


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/2.0"])
def test_wrong_http_version(shared_broker, version):
    refused(shared_broker, 400, 426, 505, version=version)


@pytest.mark.parametrize("data", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    b"\x00" * 64,
    b"GET\r\n\r\n",
    b"GET /ws HTTP/1.1\r\nNo colon here\r\n\r\n",
    b"GET /ws HTTP/1.1\nHost: x\n\n",
    b"\r\n\r\n\r\n\r\nrubbish\r\n\r\n",
    b"GET /ws HTTP/1.1\r\nHost: x\r\nBad\x00Name: y\r\n\r\n",
])
def test_what_is_not_http_is_answered_by_400(shared_broker, data):
    connection = connect(shared_broker)
    connection.send(data)
    assert connection.receive_response().status == 400
    connection.receive_end()
    connection.drop()


@pytest.mark.parametrize("headers", [
    {"X-Padding": "x" * 9000},
    {f"X-Padding-{number}": "y" * 100 for number in range(100)},
])
def test_oversized_header(shared_broker, headers):
    refused(shared_broker, 431, headers=headers)


def test_endless_header_line(shared_broker):
    """Refused while it comes in, not when it ends."""
    connection = connect(shared_broker)
    connection.send(b"GET /ws HTTP/1.1\r\nX-Endless: " + b"x" * 20000)
    assert connection.receive_response().status == 431
    connection.drop()


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
def test_everything_in_one_segment(shared_broker, serializer):
    """Frames that follow the upgrade request at once belong to the session."""
    connection = connect(shared_broker)
    session = Session(connection, serializer)
    hello = session.frame([HELLO, "realm1", {"roles": ROLES}])
    ping = wsraw.frame(PING, b"early")
    connection.send(wsraw.upgrade_request("/ws", [f"wamp.2.{serializer}"]) + ping + hello)
    assert connection.receive_response().status == 101
    got = connection.receive_frame()
    assert (got.opcode, got.payload) == (PONG, b"early")
    session.expect(WELCOME)
    session.drop()


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
def test_byte_by_byte(shared_broker, serializer):
    connection = connect(shared_broker)
    session = Session(connection, serializer)
    connection.drip(wsraw.upgrade_request("/ws", [f"wamp.2.{serializer}"]))
    assert connection.receive_response().status == 101
    connection.drip(session.frame([HELLO, "realm1", {"roles": ROLES}]))
    session.expect(WELCOME)
    session.drop()


@pytest.mark.parametrize("end", ["reset", "drop", "shut"])
@pytest.mark.parametrize("bytes_sent", [0, 1, 30, 10**6])
def test_ending_within_the_handshake(shared_broker, end, bytes_sent):
    connection = connect(shared_broker)
    connection.send(wsraw.upgrade_request("/ws", [JSON])[:bytes_sent])
    getattr(connection, end)()
    if end == "shut":
        while connection._fill():
            pass
        connection.drop()


def test_connections_beyond_the_limit_are_refused_and_told_so(start_broker):
    broker = start_broker("--processes", 1, "--threads", 1, "--worker-connections-max", 5)
    sessions = [Session.open(broker.url) for _ in range(5)]
    for session in sessions:
        session.join()
    response = refused(broker, 503)
    assert int(response.headers["retry-after"]) > 0
    sessions.pop().drop()
    broker.wait_total("connections", 4)
    sessions.append(Session.open(broker.url))
    for session in sessions[:4]:
        session.publish("not.disturbed")
    for session in sessions:
        session.drop()


# Silent peers. Each of these brokers has short timeouts; how long it takes does not matter.

@pytest.fixture(scope="module")
def impatient_broker():
    import broker as broker_module
    broker = broker_module.Broker(
        "--processes", 1, "--handshake-timeout", 1, "--ping-interval", 1, "--ping-timeout", 1,
        "--echo-path", "/echo")
    yield broker
    try:
        broker.wait_total("connections", 0)
        broker.stop()
    finally:
        broker.kill()


@pytest.mark.parametrize("sent", [b"", b"GET /ws HTTP/1.1\r\nHost: x\r\n"])
def test_a_peer_that_does_not_finish_its_request_is_dropped(impatient_broker, sent):
    connection = connect(impatient_broker)
    connection.send(sent)
    while connection._fill():
        pass
    assert connection._received in (b"",) or connection._received.startswith(b"HTTP/1.1 408 ")
    connection.drop()


def test_dripping_does_not_prolong_the_handshake(impatient_broker):
    connection = connect(impatient_broker)
    deadline = time.monotonic() + wsraw.TIMEOUT_S
    connection.send(b"GET /ws HTTP/1.1\r\n")
    while time.monotonic() < deadline:
        try:
            connection.send(b"x")
            if not connection._fill(0.2):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    assert time.monotonic() < deadline, "the connection was kept"
    connection.drop()


def test_a_peer_that_does_not_say_hello_is_closed(impatient_broker):
    connection = Connection.open(impatient_broker.url, [JSON])
    got = connection.receive_frame()
    while got.opcode == PING:
        connection.send_frame(PONG, got.payload)
        got = connection.receive_frame()
    if got.opcode == TEXT:  # an ABORT that says why
        assert got.payload.startswith(b"[3,"), got
        got = connection.receive_frame()
    assert got.opcode == CLOSE and got.code in (1002, 1008), got
    connection.receive_end()
    connection.drop()


def test_a_peer_that_does_not_answer_pings_is_dropped(impatient_broker):
    """It is gone, most likely: whether it is told so does not matter."""
    session = Session.open(impatient_broker.url)
    session.join()
    assert session.connection.receive_frame().opcode == PING
    while session.connection._fill():
        pass
    session.drop()


def test_a_peer_that_answers_pings_is_kept(impatient_broker):
    session = Session.open(impatient_broker.url)
    session.join()
    for _ in range(4):
        got = session.connection.receive_frame()
        assert got.opcode == PING, got
        session.connection.send_frame(PONG, got.payload)
    session.publish("still.here", 1)
    session.drop()


def test_a_peer_that_ignores_the_close_handshake_is_dropped(impatient_broker):
    connection = Connection.open(impatient_broker.url, path="/echo")
    connection.send_frame(0x3)
    got = connection.receive_frame()
    assert (got.opcode, got.code) == (CLOSE, 1002)
    connection.receive_end()
    connection.drop()
