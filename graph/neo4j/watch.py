"""Noticing a server that no longer answers although its connections stand.

The driver waits for an answer without end: a frozen server, or a network that swallows packets,
would hold a caller for hours. While a call waits, this watch asks the same address for a Bolt
handshake now and then; a server that cannot even do that is away, and the call's connection is
cut, which ends the wait with an error. A slow query on a live server is left alone.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import neo4j

QUIET = 0.5
"""Seconds without an answer before the server is asked for a sign of life."""
PULSE = 1.0
"""Seconds it has to give one."""
_STEP = 0.25
_HANDSHAKE = bytes.fromhex("6060b017 00000405 00000004 00000003 00000000")
"""Bolt's magic number and four protocol versions; the answer has four bytes."""


class Watch:
    """Watches calls until `close`."""

    def __init__(self, *, encrypted: bool) -> None:
        self._encrypted = encrypted
        self._waiting: dict[int, tuple[neo4j.Session, float]] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="neo4j-watch", daemon=True)
        self._thread.start()

    @contextmanager
    def over(self, session: neo4j.Session) -> Iterator[None]:
        """Watch this session for the block."""
        with self._changed:
            self._waiting[id(session)] = (session, time.monotonic())
            if len(self._waiting) == 1:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                del self._waiting[id(session)]

    def close(self) -> None:
        """Stop watching."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                since = time.monotonic() - QUIET
                late = [session for session, start in self._waiting.values() if start < since]
            for peer, sockets in _by_peer(late).items():
                if not self._alive(peer):
                    self._cut(late, sockets)
            time.sleep(_STEP)

    def _alive(self, peer: tuple[str, int]) -> bool:
        """Whether the server at this address answers a handshake. Tells it no secret."""
        try:
            with self._secured(socket.create_connection(peer, PULSE)) as link:
                link.sendall(_HANDSHAKE)
                return bool(link.recv(4))
        except OSError:
            return False

    def _secured(self, plain: socket.socket) -> socket.socket:
        if not self._encrypted:
            return plain
        # Only life is asked for here, nothing is sent that a wrong server may not see.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(plain)

    def _cut(self, late: list[neo4j.Session], sockets: list[socket.socket]) -> None:
        with self._changed:
            still = [one for one in late if id(one) in self._waiting]
            current = {id(found) for one in still if (found := _socket(one)) is not None}
        for one in sockets:
            if id(one) in current:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(one, socket.SHUT_RDWR)


def _by_peer(sessions: list[neo4j.Session]) -> dict[tuple[str, int], list[socket.socket]]:
    peers: dict[tuple[str, int], list[socket.socket]] = {}
    for session in sessions:
        found = _socket(session)
        if found is not None:
            with contextlib.suppress(OSError):
                host, port = found.getpeername()[:2]
                peers.setdefault((host, port), []).append(found)
    return peers


def _socket(session: neo4j.Session) -> socket.socket | None:
    """The socket a session waits on. The driver's sync sessions have no public `cancel`."""
    connection: Any = getattr(session, "_connection", None)
    found = getattr(getattr(connection, "socket", None), "_socket", None)
    return found if isinstance(found, socket.socket) else None
