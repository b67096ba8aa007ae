"""Frames in, receipts out: judged, committed with one fsync a group, visible, then acknowledged.

One thread does all of it in order, so latest never runs ahead of the journal. What comes after the
receipt (history, copies, watchers) reads the journal and can lose or block nothing.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from twinfall.graph.graph import Graph
from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.frame import Block, Fault, Frame, Receipt
from twinfall.ingestion.journal import Journal
from twinfall.ingestion.judging import judge
from twinfall.ingestion.latest import Latest
from twinfall.ingestion.mover import Watcher
from twinfall.ontology.errors import TwinError, Unavailable

MAX_WAITING = 500_000
"""Readings that wait to be judged; beyond it the sender is told to wait."""
GROUP_READINGS = 50_000
GROUP_SECONDS = 0.004
"""How long a commit waits for company, so that one fsync serves many senders."""
CALM_SECONDS = 0.5
"""Pause after a failing commit: a full disk is not hammered."""
log = logging.getLogger("twinfall.pipeline")
Clock = Callable[[], int]


@dataclass(frozen=True, slots=True)
class _Waiting:
    frame: Frame
    done: Future[Receipt]
    count: int


@dataclass(frozen=True, slots=True)
class _Judged:
    waiting: _Waiting
    block: Block
    faults: list[Fault]


class Pipeline:
    """The one way in for readings. Safe from many threads."""

    def __init__(
        self,
        graph: Graph,
        catalogue: Catalogue,
        journal: Journal,
        latest: Latest,
        *,
        skew: int,
        now: Clock = time.time_ns,
    ) -> None:
        self._graph, self._catalogue = graph, catalogue
        self._journal, self._latest = journal, latest
        self._skew, self._now = skew, now
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._room = threading.Lock()
        self._waiting = 0
        self._closed = False
        self.committed: list[Callable[[int, Block], None]] = []
        """Called in the pipeline's thread with offset and block, before the receipt: quick."""
        self.watchers: list[Watcher] = []
        self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Readings that are not committed yet."""
        return self._waiting

    def submit(self, frame: Frame) -> Future[Receipt]:
        """Judge and keep a frame; the receipt comes after the fsync, and after latest has it.

        Raises Unavailable OVERLOADED where too much waits already. The future raises Unavailable
        where the disk is full: then nothing of the frame was kept.
        """
        count = max(1, len(frame.values))
        done: Future[Receipt] = Future()
        with self._room:
            if self._closed:
                raise Unavailable("the service is stopping", code="STOPPING", cure="send it again")
            if self._waiting and self._waiting + count > MAX_WAITING:
                raise Unavailable(
                    f"{self._waiting} readings wait to be stored",
                    code="OVERLOADED",
                    cure="send it again in a second",
                )
            self._waiting += count
            self._queue.put(_Waiting(frame, done, count))
        return done

    def watch(self, listener: Callable[[Block], None]) -> Watcher:
        """Hand every block, after its receipt, to a listener on a thread of its own. A slow one
        misses the oldest, which `Watcher.left_out` counts; it can hold up nobody.
        """
        watcher = Watcher(listener)
        self.watchers.append(watcher)
        self.committed.append(lambda _offset, block: watcher.take(block))
        return watcher

    def close(self) -> None:
        """Keep what was submitted, then end."""
        with self._room:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        for watcher in self.watchers:
            watcher.close()

    def _run(self) -> None:
        ended = False
        while not ended:
            group, ended = self._group()
            if not group:
                continue
            try:
                self._keep(group)
            except BaseException as error:
                log.exception("a group of readings was not kept")
                self._fail(group, error)
            with self._room:
                self._waiting -= sum(w.count for w in group)

    def _group(self) -> tuple[list[_Waiting], bool]:
        first = self._queue.get()
        if first is None:
            return [], True
        group, count = [first], first.count
        end = time.monotonic() + GROUP_SECONDS
        while count < GROUP_READINGS:
            try:
                more = self._queue.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
            if more is None:
                return group, True
            group.append(more)
            count += more.count
        return group, False

    def _keep(self, group: list[_Waiting]) -> None:
        now = self._now()
        judged = [found for waiting in group if (found := self._judged(waiting, now))]
        blocks = [found.block for found in judged if len(found.block)]
        faults = [(f.waiting.frame.source, fault) for f in judged for fault in f.faults]
        try:
            offsets = self._journal.append(blocks, faults) if blocks or faults else []
        except Unavailable as error:
            self._fail(group, error)
            time.sleep(CALM_SECONDS)
            return
        for offset, block in zip(offsets, blocks, strict=True):
            self._latest.update(block)
            for told in self.committed:
                told(offset, block)
        for found in judged:
            refused = sorted(found.faults, key=lambda fault: fault.row)
            found.waiting.done.set_result(Receipt(len(found.block), tuple(refused)))

    def _judged(self, waiting: _Waiting, now: int) -> _Judged | None:
        try:
            block, faults = judge(waiting.frame, self._catalogue, self._graph, now, self._skew)
        except TwinError as error:
            waiting.done.set_exception(error)
        except Exception as error:
            log.exception("a frame could not be judged")
            waiting.done.set_exception(error)
        else:
            return _Judged(waiting, block, faults)
        return None

    def _fail(self, group: list[_Waiting], error: BaseException) -> None:
        for waiting in group:
            if not waiting.done.done():
                waiting.done.set_exception(error)
