"""A TCP proxy before a real server, that can cut, hold or alter what passes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Proxy:
    """Passes bytes on to a server. `alter` is applied to everything the server answers; `cuts`
    counts the connections cut at a chosen request.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._word: bytes | None = None
        self._unheard: tuple[bytes, int] = (b"", 0)
        self._lock = threading.Lock()
        self._links: list[socket.socket] = []
        self._held: bytes | None = None
        self._flow = threading.Event()
        self._flow.set()
        self.alter: Callable[[bytes], bytes] = lambda answer: answer
        self.cuts = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut_after_request(self, word: bytes) -> None:
        """Cut once, when the server answers the next request that holds this word: the caller
        cannot know what became of it.
        """
        with self._lock:
            self._word = word

    def cut_before_request(self, word: bytes, times: int = 1) -> None:
        """Cut at each of the next requests that hold this word; the server never sees them."""
        with self._lock:
            self._unheard = (word, times)

    def hold(self, word: bytes) -> None:
        """Keep back the answers to requests that hold this word; all others get through."""
        with self._lock:
            self._held = word
            self._flow.clear()

    def let_go(self) -> None:
        """Undo `hold`."""
        with self._lock:
            self._held = None
            self._flow.set()

    def close(self) -> None:
        """Cut everything."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.let_go()
        for link in self._links:
            _close(link)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return
            with self._lock:
                self._links += [client, server]
            _Link(self, client, server)

    def unheard(self, request: bytes) -> bool:
        """Whether to cut instead of passing this request on."""
        with self._lock:
            word, times = self._unheard
            if not times or word not in request:
                return False
            self._unheard = (word, times - 1)
            self.cuts += 1
            return True

    def last(self, request: bytes) -> bool:
        """Whether to cut when this request is answered."""
        with self._lock:
            if self._word is None or self._word not in request:
                return False
            self._word = None
            self.cuts += 1
            return True

    def flow(self, request: bytes) -> threading.Event | None:
        """What the answer to this request must wait for."""
        with self._lock:
            return self._flow if self._held is not None and self._held in request else None


class _Link:
    """One client's connection."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._doomed = False
        self._waits: threading.Event | None = None
        for pump in (self._requests, self._answers):
            threading.Thread(target=pump, daemon=True).start()

    def _requests(self) -> None:
        with contextlib.suppress(OSError):
            while chunk := self._client.recv(65536):
                if self._proxy.unheard(chunk):
                    break
                self._doomed = self._proxy.last(chunk)
                self._waits = self._proxy.flow(chunk)
                self._server.sendall(chunk)
        self._close()

    def _answers(self) -> None:
        with contextlib.suppress(OSError):
            while chunk := self._server.recv(65536):
                if self._doomed:
                    break
                if self._waits is not None:
                    self._waits.wait()
                self._client.sendall(self._proxy.alter(chunk))
        self._close()

    def _close(self) -> None:
        _close(self._client)
        _close(self._server)


def _close(link: socket.socket) -> None:
    with contextlib.suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
    link.close()


@contextmanager
def proxy(host: str, port: int) -> Iterator[Proxy]:
    """A proxy before this server, until the block ends."""
    made = Proxy(host, port)
    try:
        yield made
    finally:
        made.close()
