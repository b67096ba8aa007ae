"""A receiver of webhooks: a real server on this machine that keeps what it was sent."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from twinfall.graph.records import Delivery


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers by path: `/500`, `/302`, `/drip`, `/big`, ...; everything else with 200."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/hook", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    @property
    def named(self) -> str:
        return f"127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    timeout = 20
    server: _Server

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.receiver.received.append(Received(self.path, dict(self.headers), body))
        name = self.path.strip("/")
        special = getattr(self, f"_{name}", None)
        if special is not None:
            special()
        else:
            self._answer(int(name) if name.isdigit() else 200)

    @property
    def receiver(self) -> Receiver:
        return self.server.receiver

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Location", self.receiver.url("/elsewhere"))
        self.send_header("Retry-After", "120")
        self.send_header("Content-Length", "12")
        self.end_headers()
        self.wfile.write(b"hello\nthere\0")

    def _drip(self) -> None:
        self._drip_after(b"HTTP/1.1 2")

    def _driphead(self) -> None:
        self._drip_after(b"HTTP/1.1 200 OK\r\nX: ")

    def _dripbody(self) -> None:
        self._drip_after(b"HTTP/1.1 200 OK\r\n\r\n")

    def _drip_after(self, head: bytes) -> None:
        self.wfile.write(head)
        while not self.receiver.over.wait(0.05):
            self.wfile.write(b"z")

    def _big(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        self._pour(b"x" * 65_536)

    def _heads(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self._pour(b"X: " + b"y" * 60_000 + b"\r\n")

    def _pour(self, block: bytes) -> None:
        while not self.receiver.over.is_set():
            self.wfile.write(block)

    def _nonsense(self) -> None:
        self.wfile.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")

    def _silence(self) -> None:
        self.receiver.over.wait(20)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver

    def process_request(self, request: Any, client_address: Any) -> None:
        self.receiver.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, *_: Any) -> None:
        """A sender that hangs up is what some tests are about."""


@contextmanager
def receiver(files: tuple[Path, Path] | None = None) -> Iterator[Receiver]:
    """A receiver until the block ends; with a certificate's files it speaks TLS."""
    made = Receiver()
    server = _Server(("127.0.0.1", 0), _Handler)
    server.receiver = made
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        made.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def delivery(url: str, payload: Any = None, key: str = "key-1") -> Delivery:
    now = time.time_ns()
    told = {"type": "alarm.raised"} if payload is None else payload
    return Delivery(1, key, "webhook", url, told, None, now, None, "waiting", 0, now, None, None)
