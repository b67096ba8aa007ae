"""A publisher as its own process, so that it can be killed: python -m tests.faults.publisher ...

Reading number n goes to twin `F<n mod twins>` with value n at BASE + n ms; a part of them is bad on
purpose. What the broker acknowledged is appended to a log as it comes in. A publisher started again
on the same log sends everything that is not in it: what was in flight at a kill is sent twice.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

BASE_MS = 1_750_000_000_000
WINDOW = 200
"""Readings published and not yet acknowledged, at most."""


def topic_of(n: int, twins: int) -> str:
    """Where reading n goes; every 50th to a twin that does not exist."""
    return "twinfall/nobody/flow" if n % 50 == 49 else f"twinfall/F{n % twins}/flow"


def payload_of(n: int) -> str:
    """What reading n says; every 50th is no number."""
    value: object = "n/a" if n % 50 == 24 else float(n)
    return json.dumps({"_value": value, "_time": BASE_MS + n})


def is_bad(n: int) -> bool:
    """Whether reading n must end among the dead letters."""
    return n % 50 in (24, 49)


def acknowledged(log: Path) -> set[int]:
    """The numbers in a log; a line cut by a kill is not one."""
    if not log.exists():
        return set()
    lines = log.read_bytes().split(b"\n")[:-1]
    return {int(line) for line in lines if line.isdigit()}


class Publisher:
    """Sends what is not acknowledged yet, at most `WINDOW` at once, `rate` a second."""

    def __init__(self, port: int, log: Path, twins: int, rate: float) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._twins, self._pause = twins, 1 / rate
        self._room = threading.Semaphore(WINDOW)
        self._lock = threading.Lock()
        self._numbers: dict[int, int] = {}
        self._early: set[int] = set()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="faults", clean_session=False
        )
        self._client.max_inflight_messages_set(WINDOW)
        self._client.on_publish = self._acknowledged
        self._client.reconnect_delay_set(1, 2)
        self._client.connect_async("127.0.0.1", port)

    def send(self, numbers: list[int]) -> None:
        """Returns when all are acknowledged."""
        self._client.loop_start()
        for n in numbers:
            self._room.acquire()
            self._sent(n, self._client.publish(topic_of(n, self._twins), payload_of(n), qos=1).mid)
            time.sleep(self._pause)
        for _ in range(WINDOW):
            self._room.acquire()
        self._client.disconnect()
        self._client.loop_stop()

    def _sent(self, n: int, mid: int) -> None:
        with self._lock:
            if mid not in self._early:
                self._numbers[mid] = n
                return
            self._early.remove(mid)  # acknowledged before publish came back
        self._note(n)

    def _acknowledged(self, _client: object, _data: object, mid: int, *_more: object) -> None:
        with self._lock:
            n = self._numbers.pop(mid, None)
            if n is None:
                self._early.add(mid)
                return
        self._note(n)

    def _note(self, n: int) -> None:
        os.write(self._log, b"%d\n" % n)
        self._room.release()


def main() -> None:
    """Send readings `first`..`last` that are not in the log."""
    parser = argparse.ArgumentParser()
    for name in ("port", "first", "last", "twins"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--rate", type=float, default=2000.0)
    parser.add_argument("--log", type=Path, required=True)
    args = parser.parse_args()
    if args.log.exists() and not args.log.read_bytes().endswith(b"\n"):
        with args.log.open("ab") as log:
            log.write(b"cut\n")  # the next line must not join a cut one
    done = acknowledged(args.log)
    left = [n for n in range(args.first, args.last) if n not in done]
    Publisher(args.port, args.log, args.twins, args.rate).send(left)


if __name__ == "__main__":
    main()
