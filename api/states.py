"""The live state at its post: fed by every stored reading, told by people, true to the graph.

A question sees every reading that was acknowledged before it: what is stored waits in a queue that
whoever comes first empties, the ticking thread or a question.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from twinfall.analytics import Standing, State
from twinfall.analytics.limits import ANY, Limits
from twinfall.analytics.live import LiveState, Said
from twinfall.api.endings import Endings
from twinfall.api.keeping import FILE as ARRAYS
from twinfall.api.keeping import KeptArrays
from twinfall.api.keeping_past import FILE as PAST
from twinfall.api.keeping_past import KeptPast
from twinfall.api.networks import LiveNetwork
from twinfall.graph.statebook import FILE_NAME, MAX_NOTE, Entry, StateBook
from twinfall.ingestion.frame import NO_TIME, Block
from twinfall.ingestion.latest import Latest
from twinfall.ontology.errors import BadQuery, TwinError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twinfall.analytics.alarms import Alarm
    from twinfall.analytics.watching import Watch
    from twinfall.graph.graph import Graph
    from twinfall.ingestion.telemetry import Telemetry

TICK_SECONDS = 0.5
GATHER_SECONDS = 0.05
"""For more readings, once one came: looking costs little more for many. A question never waits."""
REST = 5
"""Looks for changes of the graph leave so many times their own duration in between."""
RETRY_SECONDS = 10.0
"""Between looks while the store is away."""
MAX_WAITING = 10_000
"""Blocks that wait to be looked at; beyond that the oldest are left out, for newer ones tell."""
LAST = 2**63 - 1
"""The last time that fits, in ns."""
log = logging.getLogger("twinfall.states")


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says of an asset; `until` in ns."""

    id: str
    who: str
    note: str = ""
    until: int | None = None


class States:
    """Own states of one graph's assets, over its telemetry; what people say is kept in the folder.

    Safe from many threads.
    """

    def __init__(
        self,
        folder: Path,
        graph: Graph,
        telemetry: Telemetry,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self.live = LiveState(telemetry.catalogue.key)
        arrays, past = KeptArrays(folder / ARRAYS, graph), KeptPast(folder / PAST)
        self.networks = LiveNetwork(graph, self, arrays, past)
        self.left_out = 0
        """Blocks that came faster than they could be looked at."""
        self._telemetry, self._now = telemetry, now
        self._book = StateBook(folder / FILE_NAME)
        self._endings = Endings(graph, self._book, self.live, telemetry, now)
        self._waiting: deque[Block] = deque(maxlen=MAX_WAITING)
        self._emptying = threading.Lock()
        self._saying = threading.Lock()
        self._closing = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        for entry in self._book.holding():
            self.live.say(_said(entry))

    def start(self) -> None:
        """Watch what is stored from now on, and the clock."""
        self._telemetry.pipeline.committed.append(lambda _, block: self.take(block))
        self._thread = threading.Thread(target=self._run, name="live-state", daemon=True)
        self._woken.set()  # the first look makes the arrays ready
        self._thread.start()

    def attend(self, watch: Watch) -> None:
        """Have the learned watch's alarms degrade the assets they stand for."""
        watch.listen(self.hear)
        for alarm in watch.standing():
            self.hear(alarm)

    def hear(self, alarm: Alarm) -> None:
        """A learned alarm was raised or cleared."""
        sensors = ", ".join(f"{one.address} {one.name}" for one in alarm.symptoms)
        message = f"it does not behave as when all was well: {sensors}"
        self.live.alarm(alarm.twin, alarm.model, message if alarm.state == "RAISED" else None)

    def take(self, block: Block) -> None:
        """Look at a block soon; quick, and it never waits."""
        self.left_out += len(self._waiting) == MAX_WAITING
        self._waiting.append(block)
        self._woken.set()

    def tick(self) -> None:
        """Look at all that waits, and at the clock; tell who listens."""
        self._empty()
        self.live.tick(self._now())
        self.live.tell()

    def close(self) -> None:
        """Stop watching and close the book."""
        self._closing.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()
        self.networks.close()
        with contextlib.suppress(TwinError):  # the next start follows more
            self._endings.keep(now=True)
        self._book.close()

    # -- for the arrays -------------------------------------------------------------------

    def follow(self, limits: Limits) -> None:
        """Watch these from now on; those that are new begin with their latest readings."""
        with self._emptying:
            fresh = self.live.follow(limits, self._now())
            series = [one for key in fresh for one in self._series(*key)]
            if series:
                self._begin(np.array(series, np.int32))

    def end(self, cursor: int) -> frozenset[str]:
        """End what was said and read of twins deleted since the last call; their ids."""
        with self._saying:
            return self._endings.follow(cursor)

    def standing(self) -> Standing:
        """All own states, every acknowledged reading looked at."""
        self._empty()
        return self.live.standing()

    def now(self) -> int:
        """The time in ns."""
        return self._now()

    # -- for people -----------------------------------------------------------------------

    def maintain(self, word: Word, on: bool) -> Entry:
        """Take an asset out for maintenance, until then or until it is taken back.

        Raises UnknownTwin, BadQuery for a time that is over.
        """
        now = self._now()
        if on and word.until is not None and not now < word.until <= LAST:
            raise BadQuery("`until` is over already, or after the year 2262", path="until")
        return self._say(Entry(word.id, "maintenance", "on" if on else None, *_rest(word, on, now)))

    def force(self, word: Word, state: State | None) -> Entry:
        """Say how an asset is, whatever its readings say; None: as they say again.

        Raises UnknownTwin.
        """
        return self._say(
            Entry(word.id, "forced", state, *_rest(word, state is not None, self._now()))
        )

    def history(self, id_: str) -> Sequence[Entry]:
        """What people said of an asset, the newest first."""
        return self._book.history(id_)

    def _say(self, entry: Entry) -> Entry:
        self.networks.compiled().state(entry.twin)  # raises UnknownTwin
        if len(entry.note) > MAX_NOTE:
            raise BadQuery(f"a note has at most {MAX_NOTE} characters", path="note")
        with self._saying:
            self._book.write(entry, followed=self._endings.here())
            if entry.state is None:
                self.live.take_back(entry.twin, maintenance=entry.kind == "maintenance")
            else:
                self.live.say(_said(entry))
        return entry

    # -- inside ---------------------------------------------------------------------------

    def _run(self) -> None:
        ticked = looked = rest = 0.0
        while not self._closing.is_set():
            self._woken.wait(TICK_SECONDS)
            self._woken.clear()
            self._closing.wait(GATHER_SECONDS)
            now = time.monotonic()
            try:
                if now - ticked < TICK_SECONDS:
                    self._empty()
                    self.live.tell()
                    continue
                ticked = now
                self.tick()
                if now - looked >= rest:
                    self.networks.look()
                    self.networks.keep()
                    with self._saying:
                        self._endings.keep()
                    looked = time.monotonic()
                    rest = REST * (looked - now)
            except TwinError as error:
                # The store may be away for a while; what was watched before is watched on.
                looked, rest = time.monotonic(), RETRY_SECONDS
                log.warning("which assets there are could not be asked: %s", error)
            except Exception:
                log.exception("the live state stumbled")

    def _empty(self) -> None:
        """Look at what waits, as few large columns: a single reading costs as much as hundreds."""
        with self._emptying:
            blocks: list[Block] = []
            while self._waiting and len(blocks) < MAX_WAITING:
                blocks.append(self._waiting.popleft())
            for replaces, run in groupby(blocks, key=_replaces):
                some = list(run)
                self.live.observe(
                    np.concatenate([block.series for block in some]),
                    np.concatenate([block.times for block in some]),
                    np.concatenate([block.numbers for block in some]),
                    max(block.received for block in some),
                    replaces=replaces,
                )

    def _series(self, twin: str, name: str) -> list[int]:
        known = self._telemetry.catalogue.series_of(twin)
        if name == ANY:
            return list(known.values())
        return [known[name]] if name in known else []

    def _begin(self, series: np.ndarray[tuple[int], np.dtype[np.int32]]) -> None:
        latest: Latest = self._telemetry.latest
        series = series[series < len(latest.times)]
        times, numbers = latest.times[series], latest.numbers[series]
        heard = times != NO_TIME
        order = np.argsort(times[heard], kind="stable")
        series, times, numbers = (one[heard][order] for one in (series, times, numbers))
        self.live.observe(series, times, numbers, self._now())


def _replaces(block: Block) -> bool:
    return block.last_wins or bool(block.seqs)


def _rest(word: Word, on: bool, now: int) -> tuple[int | None, str, int, str]:
    return word.until if on else None, word.who, now, word.note


def _said(entry: Entry) -> Said:
    state: State | None = None if entry.kind == "maintenance" else entry.state  # type: ignore[assignment]
    return Said(entry.twin, state, entry.who, entry.at, entry.until, entry.note)
