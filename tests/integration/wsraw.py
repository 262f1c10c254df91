"""A WebSocket client with control over every byte it sends, for tests that break the rules on purpose.

Nothing is done behind the test's back: no ping is answered, no close frame echoed, no fragment joined.
"""

import base64
import os
import re
import socket
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

# Long enough that only a peer that will never answer reaches it.
TIMEOUT_S = float(os.environ.get("RINGCAST_TEST_PATIENCE_S", 60))


def apply_mask(payload, mask):
    if not payload:
        return b""
    whole = (mask * (len(payload) // 4 + 1))[: len(payload)]
    number = int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")
    return number.to_bytes(len(payload), "big")


def frame(opcode, payload=b"", *, fin=True, rsv=0, mask=b"\x11\x22\x33\x44", length_bits=None, length=None):
    """One frame. `mask` None leaves it unmasked; `length_bits` 7, 16 or 64 forces a form of the length;
    `length` claims another length than the payload's."""
    size = len(payload) if length is None else length
    if length_bits is None:
        length_bits = 7 if size < 126 else 16 if size < 65536 else 64
    masked = 0x80 if mask is not None else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if length_bits == 7:
        head += bytes([masked | size])
    elif length_bits == 16:
        head += bytes([masked | 126]) + struct.pack(">H", size)
    else:
        head += bytes([masked | 127]) + struct.pack(">Q", size)
    if mask is None:
        return head + payload
    return head + mask + apply_mask(payload, mask)


def close_payload(code, reason=b""):
    return struct.pack(">H", code) + reason


@dataclass(repr=False)
class Frame:
    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0

    def __repr__(self):
        shown = self.payload if len(self.payload) <= 100 else self.payload[:100] + b"..."
        return f"Frame(opcode={self.opcode:#x}, fin={self.fin}, rsv={self.rsv}, payload={shown!r})"

    @property
    def code(self):
        """The code of a close frame; 1005 if it carries none."""
        assert self.opcode == CLOSE, self
        return struct.unpack(">H", self.payload[:2])[0] if self.payload else 1005

    @property
    def reason(self):
        return self.payload[2:].decode()


@dataclass
class Response:
    status: int
    reason: str
    headers: dict
    body: bytes


class Ended(AssertionError):
    """The peer ended the connection where a frame was expected."""


def split_url(url):
    found = re.fullmatch(r"ws://([^/:]+):(\d+)(/.*)?", url)
    return found[1], int(found[2]), found[3] or "/"


class Connection:
    def __init__(self, host, port, timeout=TIMEOUT_S):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()

    @classmethod
    def open(cls, url, protocols=(), path=None):
        """Connects and upgrades; the upgrade must succeed."""
        host, port, url_path = split_url(url)
        connection = cls(host, port)
        response = connection.upgrade(path or url_path, protocols)
        assert response.status == 101, f"{response.status} {response.body!r}"
        return connection

    # What is sent

    def send(self, data):
        self.socket.sendall(data)

    def drip(self, data):
        """One byte at a time, each in a segment of its own as far as the kernel lets us."""
        for byte in data:
            self.socket.sendall(bytes([byte]))

    def send_frame(self, opcode, payload=b"", **options):
        self.send(frame(opcode, payload, **options))

    def send_close(self, code=1000, reason=b""):
        self.send_frame(CLOSE, close_payload(code, reason))

    def shut(self):
        """FIN: we send no more."""
        self.socket.shutdown(socket.SHUT_WR)

    def drop(self):
        """FIN, or RST if something was left unread, in the way of a process that ends."""
        self.socket.close()

    def reset(self):
        """RST at once."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # What is received

    def _fill(self, timeout=None):
        """False at the end of the stream, whichever way it ended."""
        self.socket.settimeout(TIMEOUT_S if timeout is None else timeout)
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            return False
        self._received += data
        return bool(data)

    def _need(self, count):
        while len(self._received) < count:
            if not self._fill():
                raise Ended(f"the connection ended, {bytes(self._received)[:200]!r} left")

    def _take(self, count):
        self._need(count)
        data = bytes(self._received[:count])
        del self._received[:count]
        return data

    def receive_frame(self):
        """The next frame. The server's frames must be unmasked and of minimal length."""
        first, second = self._take(2)
        assert not second & 0x80, "a server must not mask"
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", self._take(2))[0]
            assert size > 125, "length not minimal"
        elif size == 127:
            size = struct.unpack(">Q", self._take(8))[0]
            assert size > 65535, "length not minimal"
        return Frame(first & 0xF, self._take(size), bool(first & 0x80), first >> 4 & 7)

    def receive_end(self):
        """Asserts that nothing follows but the end of the connection."""
        while self._fill():
            pass
        assert not self._received, f"unexpected {bytes(self._received)[:200]!r} before the end"

    def expect_close(self, *codes):
        """Asserts that the next frame is a close frame of one of `codes`, and that the connection ends after
        it: with a protocol violation at once, else once the close frame is answered."""
        got = self.receive_frame()
        assert got.opcode == CLOSE, got
        assert got.code in codes, f"close {got.code} {got.reason!r}, expected {codes}"
        if got.code != 1005:
            got.payload[2:].decode()  # the reason must be UTF-8
        try:
            self.send_close(got.code if got.code != 1005 else 1000)
        except OSError:
            pass
        self.receive_end()
        return got

    # The opening handshake

    def upgrade(self, path, protocols=(), headers=None, method="GET", version="HTTP/1.1", body=b""):
        """Sends an upgrade request; `headers` replaces or, by None, removes some. Returns the response."""
        self.send(upgrade_request(path, protocols, headers, method, version) + body)
        return self.receive_response()

    def receive_response(self):
        while b"\r\n\r\n" not in self._received:
            if not self._fill():
                raise Ended(f"no HTTP response, only {bytes(self._received)[:200]!r}")
        head, rest = bytes(self._received).split(b"\r\n\r\n", 1)
        del self._received[: len(head) + 4]
        lines = head.decode("latin-1").split("\r\n")
        version, status, reason = (lines[0].split(" ", 2) + [""])[:3]
        assert version == "HTTP/1.1", lines[0]
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        size = int(headers.get("content-length", 0))
        return Response(int(status), reason, headers, self._take(size))


def upgrade_request(path, protocols=(), headers=None, method="GET", version="HTTP/1.1"):
    fields = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
    }
    if protocols:
        fields["Sec-WebSocket-Protocol"] = ", ".join(protocols)
    fields.update(headers or {})
    lines = [f"{method} {path} {version}"]
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                lines.append(f"{name}: {one}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
