"""The room's door: readings in, latest and history out, over one data folder and one graph."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from twinfall.graph.graph import Graph
from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.copier import COPY_SECONDS, Copier
from twinfall.ingestion.deadletters import DeadLetters
from twinfall.ingestion.decoding.again import decoder
from twinfall.ingestion.decoding.topics import PREFIX, Topics
from twinfall.ingestion.duckdb_history import DuckDBHistory
from twinfall.ingestion.frame import Block, Frame, Receipt
from twinfall.ingestion.history import HistoryStore, Points, Window
from twinfall.ingestion.journal import REFUSED_BY, Journal
from twinfall.ingestion.latest import Latest, Reading
from twinfall.ingestion.mover import MOVE_SECONDS, READINGS_AT_ONCE, Mover, Repeating
from twinfall.ingestion.pipeline import Pipeline
from twinfall.ingestion.windows import check, summed, together
from twinfall.ontology.errors import TwinError, Unavailable

HISTORY = "history"
JOURNAL = "journal.sqlite"
LOOK_SECONDS = 0.5
FORGET_SECONDS = 600.0
"""Between looks for history that is too old."""
"""Between looks at the graph's change feed."""
BATCHES_AT_ONCE = 500
CLOSE_SECONDS = 1.5
"""Moving goes on for so long when the service stops; the rest waits in the journal."""
CHANGES_AT_ONCE = 1_000
SERIES_AT_ONCE = 5_000
"""Judged in one step at the start: a step holds up readings of new series."""


class Telemetry:
    """Readings of one graph. Opens and recovers what is in the folder; `close` keeps all.

    `skew` is how many seconds ahead of our clock a reading may be, `keep` how many seconds of
    history are kept (None: all), `prefix` that of MQTT topics, for dead letters that came so.
    """

    def __init__(
        self,
        folder: Path,
        graph: Graph,
        *,
        skew: float = 300.0,
        history: HistoryStore | None = None,
        now: Callable[[], int] = time.time_ns,
        background: bool = True,
        prefix: str = PREFIX,
        keep: float | None = None,
    ) -> None:
        self.graph, self._now = graph, now
        self.journal = Journal(folder / JOURNAL)
        self.history: HistoryStore = history or DuckDBHistory(folder / HISTORY)
        self.catalogue = Catalogue(self.journal.db, self.journal.lock, graph)
        self.latest = Latest(self.catalogue)
        self._tail: deque[tuple[int, Block]] = deque()
        self._tail_lock = threading.Lock()
        self._recover()
        self.dead_letters = DeadLetters(self.journal)
        self._decode = decoder(self.catalogue, topics=Topics(self.catalogue, prefix))
        self._keep = keep
        self.pipeline = Pipeline(
            graph,
            self.catalogue,
            self.journal,
            self.latest,
            skew=round(skew * 1e9),
            now=now,
        )
        self.pipeline.committed.append(self._committed)
        self.copier = Copier(graph, self.catalogue, self.latest)
        self._mover = Mover(self.journal, self.history, self._moved)
        self._seen: tuple[int, int] | None = None
        with contextlib.suppress(Unavailable):
            self._seen = (graph.cursor(), graph.revision)
        self._judged = 0
        self._closed = False
        self._repeating = (
            [
                Repeating("mover", self._mover.move, MOVE_SECONDS),
                Repeating("graph-changes", self.follow, LOOK_SECONDS),
                Repeating("latest-copy", self.copier.copy, COPY_SECONDS),
                *([] if keep is None else [Repeating("retention", self.forget, FORGET_SECONDS)]),
            ]
            if background
            else []
        )

    def submit(self, frame: Frame) -> Future[Receipt]:
        """See Pipeline.submit."""
        return self.pipeline.submit(frame)

    def latest_of(
        self, twins: Sequence[str], names: Sequence[str] | None = None
    ) -> dict[str, dict[str, Reading]]:
        """Twin -> name -> latest reading."""
        return self.latest.of(twins, names, now=self._now())

    def read(self, window: Window) -> list[Points]:
        """History and what is not moved yet, as one: every acknowledged reading is in it."""
        check(window)
        return summed(self._raw(window), window)

    def aggregate(self, window: Window) -> Points:
        """One line over all series together, unmoved readings included."""
        check(window)
        return together(self._raw(window), window)

    def count(self, window: Window) -> int:
        """How many readings `read` looks at, the journal's tail not counted."""
        return self.history.within(window.series, window.start, window.end)

    def _raw(self, window: Window) -> list[Block]:
        # The tail first: what moves meanwhile is in both, and counted once.
        with self._tail_lock:
            tail = [block for _, block in self._tail]
        found = self.history.raw(window.series, window.start, window.end)
        wanted = np.asarray(sorted(set(window.series)), np.int32)
        for block in tail:
            inside = (block.times >= window.start) & (block.times < window.end)
            inside &= np.isin(block.series, wanted)
            if inside.any():
                found.append(_part(block, np.flatnonzero(inside)))
        return found

    def replay(self, ids: Sequence[int]) -> tuple[int, int]:
        """Send dead letters through the pipeline again: how many rows were stored whole, and how
        many readings were refused again. Those that were sent are gone; the refused are new ones.
        """
        rows: dict[tuple[str, bytes], list[int]] = {}
        for letter in self.dead_letters.show(ids):
            rows.setdefault((letter.source, letter.raw), []).append(letter.id)
        stored = refused = 0
        for (source, raw), same in rows.items():
            receipt = self.submit(self._decode(source, raw)).result()
            refused += len(receipt.refused)
            stored += receipt.stored
            self.dead_letters.discard(same)
        return stored, refused

    def follow(self) -> bool:
        """Look whether twins or models changed; series are then judged anew when their next
        reading comes. At the start, and for new models, all are: what never sends again is to be
        known as stale too. True while there are more.
        """
        seen = (self.graph.cursor(), self.graph.revision)
        if self._seen is None or seen[1] != self._seen[1]:
            self._judged = 0
        if seen != self._seen:
            self.catalogue.forget()
            self._copy_again(None if self._seen is None else self._seen[0])
        self._seen = seen
        end = min(self._judged + SERIES_AT_ONCE, len(self.catalogue))
        self.catalogue.learn([self.catalogue.key(one) for one in range(self._judged, end)])
        self._judged = end
        return end < len(self.catalogue)

    def _copy_again(self, after: int | None) -> None:
        """What was written lost its copy of the latest readings; at the start all are copied."""
        if after is None:
            self.copier.again(self.catalogue.twins())
            return
        while changes := self.graph.changes(after, CHANGES_AT_ONCE):
            for change in changes:
                self.copier.again(self.catalogue.addresses(change.subject))
            after = changes[-1].seq

    def forget(self) -> bool:
        """Drop whole months of history that are older than is to be kept."""
        if self._keep is not None:
            self.history.drop_before(self._now() - round(self._keep * 1e9))
        return False

    def move(self) -> None:
        """Move everything that is in the journal now into the history."""
        while self._mover.move():
            pass

    def status(self) -> dict[str, Any]:
        """Gauges: `waiting`, `unmoved` (readings), `move_lag` (seconds), `journal_bytes`,
        `history_bytes`, `series`, `stored`, `refused`, `refused_by` and `dead_letters` by code,
        `left_out` by slow watchers.
        """
        counted = self.journal.counted()
        return {
            "waiting": self.pipeline.waiting,
            "unmoved": self.journal.unmoved(),
            "move_lag": self._lag(),
            "journal_bytes": self.journal.size(),
            "history_bytes": self.history.size(),
            "series": len(self.catalogue),
            "stored": counted.get("stored", 0),
            "refused": counted.get("refused", 0),
            "refused_by": {
                name.removeprefix(REFUSED_BY): count
                for name, count in counted.items()
                if name.startswith(REFUSED_BY)
            },
            "dead_letters": self.dead_letters.count(),
            "left_out": sum(watcher.left_out for watcher in self.pipeline.watchers),
        }

    def _lag(self) -> float:
        with self._tail_lock:
            oldest = self._tail[0][1].received if self._tail else None
        return 0.0 if oldest is None else max(0.0, (self._now() - oldest) / 1e9)

    def close(self) -> None:
        """Keep what was submitted, move what can be moved soon, close the files. Once is enough."""
        if self._closed:
            return
        self._closed = True
        self.pipeline.close()
        for repeating in self._repeating:
            repeating.close()
        end = time.monotonic() + CLOSE_SECONDS
        with contextlib.suppress(TwinError):  # what is not moved stays in the journal
            while time.monotonic() < end and self._mover.move():
                pass
        self.history.close()
        self.journal.close()

    def _recover(self) -> None:
        offset = self.history.offset()
        self.latest.update(self.history.last())
        while True:
            batches = list(self.journal.after(offset, BATCHES_AT_ONCE, READINGS_AT_ONCE))
            for at, block in batches:
                self.latest.update(block)
                self._tail.append((at, block))
                offset = at
            if not batches:
                return

    def _committed(self, offset: int, block: Block) -> None:
        with self._tail_lock:
            self._tail.append((offset, block))

    def _moved(self, offset: int) -> None:
        with self._tail_lock:
            while self._tail and self._tail[0][0] <= offset:
                self._tail.popleft()


def _part(block: Block, at: Any) -> Block:
    place = {int(old): new for new, old in enumerate(at)} if block.texts or block.seqs else {}
    return Block(
        block.series[at],
        block.times[at],
        block.received,
        block.numbers[at],
        block.marks[at],
        {place[i]: text for i, text in block.texts.items() if i in place},
        {place[i]: seq for i, seq in block.seqs.items() if i in place},
        block.source,
        block.last_wins,
    )
