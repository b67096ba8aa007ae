"""Readings posted over HTTP by a sender that sends again what was not acknowledged."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.api.running import Server
from tests.faults.publisher import BASE_MS

ROWS = 100
"""Readings a post."""


def row_of(n: int, twins: int) -> dict[str, Any]:
    """Reading n as `publisher` would publish it."""
    twin = "nobody" if n % 50 == 49 else f"F{n % twins}"
    value: object = "n/a" if n % 50 == 24 else float(n)
    return {"twin": twin, "name": "flow", "value": value, "time": BASE_MS + n}


class Poster:
    """Posts readings in order until each was answered with 200, or `stop`."""

    def __init__(
        self,
        server: Callable[[], Server | None],
        numbers: Sequence[int],
        twins: int,
        rate: float,
    ) -> None:
        self._server, self._numbers, self._twins = server, numbers, twins
        self._pause = ROWS / rate
        self._stopped = threading.Event()
        self.acknowledged: list[int] = []
        self.sent: list[int] = []
        self.turned_away = 0

    def send(self) -> None:
        """All of them."""
        for start in range(0, len(self._numbers), ROWS):
            batch = list(self._numbers[start : start + ROWS])
            self.sent += batch
            while not self._stopped.is_set() and not self._posted(batch):
                time.sleep(0.05)
            if self._stopped.wait(self._pause):
                return

    def stop(self) -> None:
        """Send no more."""
        self._stopped.set()

    def _posted(self, batch: list[int]) -> bool:
        server = self._server()
        if server is None:
            return False
        body = json.dumps([row_of(n, self._twins) for n in batch]).encode()
        try:
            answer = server.send("POST", "/ingest", body, {"Content-Type": "application/json"})
        except OSError:
            return False
        if answer.status in (429, 503):
            assert "retry-after" in answer.headers
            self.turned_away += 1
            return False
        assert answer.status == 200, answer.body
        told = answer.json
        assert told["stored"] + told["refused"] == len(batch), told
        assert len(told["rows"]) == told["refused"], told
        self.acknowledged += batch
        return True
