"""A `twinfall serve` that can be killed and started again on the same data folder."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.api.running import COMMAND, Server, environment

START_SECONDS = 60.0
STOP_SECONDS = 10.0
"""What SIGTERM may take: the promise, not a guess."""


class Service:
    """One service over one data folder; `settings` are TWINFALL_* variables."""

    def __init__(self, folder: Path, wrapper: Sequence[str] = (), **settings: str) -> None:
        self._folder, self._wrapper = folder, tuple(wrapper)
        self._settings = {"TWINFALL_DIR": str(folder)} | settings
        self._process: subprocess.Popen[str] | None = None
        self.server: Server | None = None

    @property
    def up(self) -> Server:
        """The server that answers."""
        assert self.server is not None
        return self.server

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; returns when it can be asked."""
        log = (self._folder.parent / "service.log").open("ab")
        self._process = subprocess.Popen(
            [*self._wrapper, *COMMAND, "serve", "--port", "0", "--json"],
            env=environment(**self._settings),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        log.close()
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        try:
            told = json.loads(line)
        except ValueError:
            said = line + self._process.stdout.read(3000)
            log = (self._folder.parent / "service.log").read_text()[-3000:]
            raise AssertionError(f"the service did not start: {said}{log}") from None
        self.server = Server(told["url"], self._process, told)
        self.wait_ready()

    def wait_ready(self) -> None:
        """Until it says that it is ready."""
        end = time.monotonic() + START_SECONDS
        while not self._ready():
            if time.monotonic() > end:
                raise AssertionError("the service did not become ready")
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            return self.up.send("GET", "/readyz").status == 200
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.server = None

    def stop(self) -> float:
        """SIGTERM; the seconds that it took. Raises AssertionError unless it exits with 0."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(STOP_SECONDS * 3)
        took = time.monotonic() - began
        assert status == 0, f"exit status {status}"
        assert took <= STOP_SECONDS, f"SIGTERM took {took:.1f} s"
        self.server = None
        return took
