"""The server process: one socket, one loop, an orderly end.

The first SIGTERM or Ctrl-C lets requests finish (up to `GRACE_SECONDS`), then everything is
closed; a second one ends the process at once, which loses nothing that was acknowledged.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Generator
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from twinfall.api.guard import is_local
from twinfall.ontology.errors import BadSettings, Conflict

if TYPE_CHECKING:
    from fastapi import FastAPI

GRACE_SECONDS = 4
BACKLOG = 2048
SECOND_SIGNAL_STATUS = 130


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises Conflict PORT_IN_USE that names the
    process where it can be seen, BadSettings for an address that is not this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise BadSettings(
            f"{host!r} is no address of this machine", path="TWINFALL_HOST", cure="use 127.0.0.1"
        ) from error
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise _cannot_listen(error, host, port) from error
    return bound


def address_of(bound: socket.socket, host: str) -> str:
    """The URL for people: `localhost` for this machine only, else the address."""
    port = bound.getsockname()[1]
    shown = "localhost" if is_local(host) or host in ("0.0.0.0", "::", "") else host  # noqa: S104
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def run(app: FastAPI, bound: socket.socket) -> None:
    """Serve until a signal; returns when all requests are answered."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,  # a request says itself where it came from only to those who trust it
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    _Server(config).run(sockets=[bound])


class _Server(uvicorn.Server):
    """uvicorn's server, but a signal is an orderly end with exit status 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        taken = {s: signal.signal(s, self._stop) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, before in taken.items():
                signal.signal(number, before)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        if self.should_exit:
            os._exit(SECOND_SIGNAL_STATUS)
        self.should_exit = True


def _cannot_listen(error: OSError, host: str, port: int) -> Conflict | BadSettings:
    import errno

    if error.errno == errno.EADDRINUSE:
        return Conflict(
            f"port {port} is in use{_by_whom(port)}",
            code="PORT_IN_USE",
            path="TWINFALL_PORT",
            cure="stop it, or choose another: `--port 0` takes a free one",
        )
    if error.errno == errno.EACCES:
        return BadSettings(
            f"port {port} needs more rights", path="TWINFALL_PORT", cure="use one from 1024 on"
        )
    return BadSettings(
        f"cannot listen on {host}: {error.strerror}", path="TWINFALL_HOST", cure="use 127.0.0.1"
    )


def _by_whom(port: int) -> str:
    import psutil

    with contextlib.suppress(psutil.Error):
        for c in psutil.net_connections("tcp"):
            if c.status == psutil.CONN_LISTEN and c.laddr[1:2] == (port,) and c.pid:
                with contextlib.suppress(psutil.Error):
                    return f" by {psutil.Process(c.pid).name()}, process {c.pid}"
                return f" by process {c.pid}"
    return ""
