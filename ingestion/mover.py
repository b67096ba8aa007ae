"""What happens after the acknowledgement: journal to history, blocks to watchers.

Each has a thread of its own and can be as slow as it likes.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable

from twinfall.ingestion.frame import Block
from twinfall.ingestion.history import HistoryStore
from twinfall.ingestion.journal import Journal
from twinfall.ontology.errors import TwinError

MOVE_SECONDS = 1.0
RETRY_SECONDS = 2.0
BATCHES_AT_ONCE = 200
READINGS_AT_ONCE = 500_000
"""Of one move, more or less: it takes about a second."""
CLOSE_SECONDS = 1.0
"""A watcher that is behind has so long to catch up before it is left."""
MAX_WATCHED = 2000
"""Blocks that wait for a slow watcher; beyond it the oldest are left out, and counted."""
log = logging.getLogger("twinfall.mover")


class Repeating:
    """Calls `work` every so often in a thread of its own until closed; a failure is tried again."""

    def __init__(self, name: str, work: Callable[[], bool], seconds: float) -> None:
        self._work, self._seconds, self._name = work, seconds, name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after what is in progress."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause = self._seconds
        while not self._stop.wait(pause):
            try:
                more = self._work()
                pause = 0.0 if more else self._seconds
            except TwinError as error:
                log.warning("%s: %s", self._name, error)
                pause = RETRY_SECONDS
            except Exception:
                log.exception("%s failed", self._name)
                pause = RETRY_SECONDS


class Mover:
    """Moves batches from the journal into the history."""

    def __init__(
        self, journal: Journal, history: HistoryStore, moved: Callable[[int], None]
    ) -> None:
        self._journal, self._history, self._moved = journal, history, moved

    def move(self) -> bool:
        """Move some batches; whether there may be more. A batch is in the history before it leaves
        the journal, and the history knows its offset, so that no crash loses or doubles one.
        """
        start = self._history.offset()
        found = list(self._journal.after(start, BATCHES_AT_ONCE, READINGS_AT_ONCE))
        if found:
            offset = found[-1][0]
            self._history.append([block for _, block in found], offset)
        offset = self._history.offset()
        self._moved(offset)
        self._journal.trim(offset)
        whole = sum(len(block) for _, block in found) < READINGS_AT_ONCE
        return len(found) == BATCHES_AT_ONCE or not whole


class Watcher:
    """Hands blocks to a listener in a thread of its own."""

    def __init__(self, listener: Callable[[Block], None]) -> None:
        self._listener = listener
        self._queue: queue.Queue[Block | None] = queue.Queue(MAX_WATCHED)
        self.left_out = 0
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def take(self, block: Block) -> None:
        """Never blocks."""
        while True:
            try:
                self._queue.put_nowait(block)
                return
            except queue.Full:
                try:
                    self._queue.get_nowait()
                    self.left_out += 1
                except queue.Empty:
                    continue

    def close(self) -> None:
        """End after what waits; one that is far behind is left where it is."""
        end = time.monotonic() + CLOSE_SECONDS
        while not self._queue.empty() and time.monotonic() < end:
            time.sleep(0.01)
        self._ended = True
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
        self._thread.join(max(CLOSE_SECONDS, end - time.monotonic()))

    def _run(self) -> None:
        while (block := self._queue.get()) is not None and not self._ended:
            try:
                self._listener(block)
            except Exception:
                log.exception("a watcher of readings failed")
