"""Webhooks: one POST to a checked address, with bounds on time, size and trust.

The name is resolved once and the connection goes to that very address, so that a second answer of
a hostile name server decides nothing. No redirects, no proxies, no cookies. The signature is that
of Standard Webhooks (https://www.standardwebhooks.com), which many libraries check.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from twinfall import __version__
from twinfall.api.actions.addresses import Resolve, Target, checked, resolved, target_of
from twinfall.api.actions.courier import GiveUp, PutOff
from twinfall.graph.records import Delivery

SECONDS = 5.0
"""For all of it: the name, the connection, the request, the answer."""
MAX_ANSWER = 65_536
SHOWN = 200
"""Characters of an answer that are kept."""
MAX_WAIT = 3600.0
"""The longest wait that `Retry-After` can ask for."""
_LATER = frozenset({408, 425, 429})
_RESOLVERS = 4
Connect = Callable[[tuple[str, int], float], socket.socket]


def _connected(address: tuple[str, int], seconds: float) -> socket.socket:
    return socket.create_connection(address, timeout=seconds)


@dataclass(slots=True)
class Webhooks:
    """Delivers webhooks. `secret` signs them; empty: not signed. `allowed`: see `target_of`."""

    allowed: Sequence[str] = ()
    secret: str = ""
    resolve: Resolve = resolved
    connect: Connect = _connected
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    clock: Callable[[], float] = time.time
    seconds: float = SECONDS
    _resolving: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_RESOLVERS))

    def __call__(self, delivery: Delivery) -> str:
        """Deliver once; the answer's status and first words."""
        target = target_of(delivery.target, self.allowed)
        body = orjson.dumps(delivery.payload)
        end = time.monotonic() + self.seconds
        try:
            with self._connection(target, self._addresses(target, end), end) as connection:
                return self._exchange(connection, target, delivery.key, body)
        except ssl.SSLCertVerificationError as error:
            raise PutOff(f"its certificate is not trusted: {error.verify_message}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            late = time.monotonic() >= end
            why = f"no answer within {self.seconds:g} s" if late else _why(error)
            raise PutOff(f"{target.shown}: {why}") from error

    def _addresses(self, target: Target, end: float) -> list[str]:
        """The system's resolver knows no time-out: it is asked on a thread that nobody waits for
        longer than there is time, not even the end of the process.
        """
        if not self._resolving.acquire(timeout=max(0.0, end - time.monotonic())):
            raise OSError("names are not resolved in time")
        found: Future[list[str]] = Future()

        def ask() -> None:
            try:
                found.set_result(checked(target, self.resolve))
            except Exception as error:  # handed to whoever waits
                found.set_exception(error)
            finally:
                self._resolving.release()

        threading.Thread(target=ask, name="webhook-name", daemon=True).start()
        try:
            return found.result(max(0.0, end - time.monotonic()))
        except TooLate:
            raise OSError("its name is not resolved in time") from None

    @contextmanager
    def _connection(
        self, target: Target, addresses: Sequence[str], end: float
    ) -> Iterator[http.client.HTTPConnection]:
        """A connection that is cut off at the end of the time, whatever is under way on it: a
        time-out of the socket alone would begin anew with every byte.
        """
        sock = self._to_one_of(addresses, target.port, end)
        try:
            if target.secure:
                sock = self.trust.wrap_socket(
                    sock, server_hostname=target.host, do_handshake_on_connect=False
                )
            watchdog = threading.Timer(max(0.0, end - time.monotonic()), _cut, [sock])
            watchdog.daemon = True
            watchdog.start()
            try:
                if isinstance(sock, ssl.SSLSocket):
                    sock.do_handshake()
                connection = http.client.HTTPConnection(target.host, target.port)
                connection.response_class = _BoundedAnswer
                connection.auto_open = 0  # it must not look for an address of its own
                connection.sock = sock
                yield connection
            finally:
                watchdog.cancel()
        finally:
            sock.close()

    def _to_one_of(self, addresses: Sequence[str], port: int, end: float) -> socket.socket:
        last: OSError = OSError("no address")
        for address in addresses:
            left = end - time.monotonic()
            if left <= 0:
                break
            try:
                return self.connect((address, port), left)
            except OSError as error:
                last = error
        raise last

    def _exchange(
        self, connection: http.client.HTTPConnection, target: Target, key: str, body: bytes
    ) -> str:
        host = target.shown.partition("://")[2]
        default = ":443" if target.secure else ":80"
        headers = {
            "Host": host.removesuffix(default),
            "Content-Type": "application/json",
            "User-Agent": f"Twinfall/{__version__}",
            "Idempotency-Key": key,
            "Connection": "close",
            "Accept-Encoding": "identity",
            **self._signature(key, body),
        }
        connection.request("POST", target.path, body, headers)
        with connection.getresponse() as answer:
            return _judged(answer, answer.read(MAX_ANSWER))

    def _signature(self, key: str, body: bytes) -> dict[str, str]:
        at = str(int(self.clock()))
        plain = {"webhook-id": key, "webhook-timestamp": at}
        if not self.secret:
            return plain
        signed = hmac.new(secret_bytes(self.secret), f"{key}.{at}.".encode() + body, hashlib.sha256)
        return {**plain, "webhook-signature": f"v1,{base64.b64encode(signed.digest()).decode()}"}


class _Bounded(io.RawIOBase):
    """The first bytes of a stream; its end after `MAX_ANSWER` of them."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self._left = MAX_ANSWER

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        taken = self._stream.readinto1(memoryview(buffer)[: self._left])
        self._left -= taken
        return taken

    def close(self) -> None:
        self._stream.close()
        super().close()


class _BoundedAnswer(http.client.HTTPResponse):
    """An answer whose head and body together are bounded."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fp = io.BufferedReader(_Bounded(self.fp))


def secret_bytes(secret: str) -> bytes:
    """A secret as its bytes: `whsec_` and base64, as Standard Webhooks writes it, or any text."""
    if secret.startswith("whsec_"):
        with contextlib.suppress(ValueError):
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    return secret.encode()


def _judged(answer: http.client.HTTPResponse, text: bytes) -> str:
    """The answer for the record; raises for anything but success."""
    shown = "".join(c if c.isprintable() else " " for c in text.decode("utf-8", "replace"))
    said = f"HTTP {answer.status} {shown[:SHOWN].strip()}".strip()
    if 200 <= answer.status < 300:
        return said
    if 300 <= answer.status < 400:
        raise GiveUp(f"{said}: redirects are not followed; name the final address")
    if answer.status >= 500 or answer.status in _LATER:
        raise PutOff(said, _seconds(answer.getheader("Retry-After")))
    raise GiveUp(said)


def _seconds(text: str | None) -> float:
    """`Retry-After` where it is a number of seconds."""
    given = (text or "").strip()
    short = given.isascii() and given.isdigit() and len(given) < 9
    return min(float(given), MAX_WAIT) if short else 0.0


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Not `sock.shutdown`: that of a TLS socket takes its state away under the reader's hands.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _why(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text[:SHOWN]
