"""The least of MQTT 3.1.1 that a generator needs, so that it costs the machine next to nothing.

Packets are made before the clock starts; see the OASIS standard, sections 3.1 to 3.9.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Sequence

BLOCK = 65_536


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _packet(kind: int, body: bytes) -> bytes:
    length, size = b"", len(body)
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return bytes([kind]) + length + body


def publish(topic: str, payload: bytes, number: int) -> bytes:
    """A PUBLISH of QoS 1; `number` from 1 to 65535."""
    return _packet(0x32, _text(topic) + struct.pack(">H", number) + payload)


def connected(port: int, client: str) -> socket.socket:
    """A socket on which CONNECT has been accepted."""
    made = socket.create_connection(("127.0.0.1", port))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    flags = 0x02  # a clean session
    body = _text("MQTT") + bytes([4, flags]) + struct.pack(">H", 600) + _text(client)
    made.sendall(_packet(0x10, body))
    assert made.recv(4)[3] == 0
    return made


def pour(port: int, messages: Sequence[tuple[str, bytes]], window: int) -> None:
    """Publish all with QoS 1, at most `window` unacknowledged; returns with the last PUBACK."""
    packets = [publish(t, p, i % 65_535 + 1) for i, (t, p) in enumerate(messages)]
    made = connected(port, f"pour{threading.get_ident()}")
    acknowledged, chunk = 0, max(1, window // 4)
    sent, left = 0, b""
    while acknowledged < len(packets):
        if sent < len(packets) and sent + chunk - acknowledged <= max(window, chunk):
            made.sendall(b"".join(packets[sent : sent + chunk]))
            sent = min(sent + chunk, len(packets))
            continue
        left += made.recv(BLOCK)
        whole = len(left) // 4  # a PUBACK is 4 bytes
        acknowledged += whole
        left = left[whole * 4 :]
    made.close()


class Drain:
    """A subscriber that acknowledges everything and keeps nothing: the broker's own limit."""

    def __init__(self, port: int, topics: str) -> None:
        self._socket = connected(port, "drain")
        self._socket.sendall(_packet(0x82, struct.pack(">H", 1) + _text(topics) + b"\x01"))
        self._socket.recv(5)
        self.count = 0

    def take(self, count: int) -> None:
        """Until so many messages have come."""
        left = b""
        while self.count < count:
            left += self._socket.recv(BLOCK)
            at, answers = 0, []
            while (found := _whole(left, at)) is not None:
                kind, start, end = found
                if kind == 0x32:
                    topic = struct.unpack_from(">H", left, start)[0]
                    answers.append(b"\x40\x02" + left[start + 2 + topic : start + 4 + topic])
                at = end
            left = left[at:]
            self._socket.sendall(b"".join(answers))
            self.count += len(answers)
        self._socket.close()


def _whole(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Kind, start and end of the body of the packet at `at`; None where it is not all there."""
    size, shift, here = 0, 0, at + 1
    while here < len(data):
        size |= (data[here] & 0x7F) << shift
        shift += 7
        here += 1
        if not data[here - 1] & 0x80:
            end = here + size
            return (data[at] & 0xF6, here, end) if end <= len(data) else None
    return None
