"""The latest reading of every series, in memory: what fields and filters of a query read.

It only moves forward in (source time, sequence number), so redelivery and disorder cannot turn it
back. It is rebuilt from history and journal at start.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.frame import LATE, NO_SEQ, NO_TIME, UNTIMED, Block

_FIRST_SIZE = 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """The latest reading of a name. Times in ns; `unit` is the declared one."""

    name: str
    value: Any
    time: int
    received: int
    unit: str | None
    stale: bool
    untimed: bool


class Latest:
    """Safe from many threads; one thread updates."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self.times = np.full(_FIRST_SIZE, NO_TIME, np.int64)
        self._seqs = np.full(_FIRST_SIZE, NO_SEQ, np.int64)
        self._received = np.zeros(_FIRST_SIZE, np.int64)
        self.numbers = np.full(_FIRST_SIZE, np.nan)
        self._marks = np.zeros(_FIRST_SIZE, np.uint8)
        self._texts: dict[int, str] = {}
        self._moved: set[int] = set()

    def update(self, block: Block) -> None:
        """Move every series forward to its newest reading in the block; marks late ones."""
        if not len(block):
            return
        with self._lock:
            self._grow(int(block.series.max()) + 1)
            series = block.series
            if block.marks.flags.writeable:
                late = block.times < self.times[series]
                block.marks[late] |= LATE
            seqs = np.full(len(block), NO_SEQ, np.int64)
            for i, seq in block.seqs.items():
                seqs[i] = seq
            order = np.arange(len(block))
            tie = order if block.last_wins else -order
            rank = np.lexsort((tie, seqs, block.times, series))
            last = np.flatnonzero(np.diff(series[rank], append=-1))
            chosen = rank[last]
            at, times = series[chosen], block.times[chosen]
            newer = times > self.times[at]
            same = times == self.times[at]
            ahead = seqs[chosen] > self._seqs[at]
            if block.last_wins:
                ahead |= seqs[chosen] == self._seqs[at]
            chosen = chosen[newer | (same & ahead)]
            self._set(block, seqs, chosen)

    def _set(self, block: Block, seqs: NDArray[np.int64], chosen: NDArray[np.int64]) -> None:
        at = block.series[chosen]
        self.times[at] = block.times[chosen]
        self._seqs[at] = seqs[chosen]
        self._received[at] = block.received
        self.numbers[at] = block.numbers[chosen]
        self._marks[at] = block.marks[chosen]
        if block.texts or self._texts:
            for i in chosen.tolist():
                text = block.texts.get(i)
                if text is not None:
                    self._texts[int(block.series[i])] = text
                else:
                    self._texts.pop(int(block.series[i]), None)
        self._moved.update(at.tolist())

    def taken(self) -> list[int]:
        """The series that moved since the last call: what the copier copies."""
        with self._lock:
            moved, self._moved = self._moved, set()
            return sorted(moved)

    def of(
        self, twins: Sequence[str], names: Sequence[str] | None = None, *, now: int
    ) -> dict[str, dict[str, Reading]]:
        """Twin -> name -> reading, for those that have one. `now` in ns decides what is stale."""
        wanted = None if names is None else set(names)
        found: dict[str, dict[str, Reading]] = {}
        with self._lock:
            for twin in twins:
                series = self._catalogue.series_of(twin)
                found[twin] = {
                    name: self._reading(name, at, now)
                    for name, at in series.items()
                    if (wanted is None or name in wanted) and self._has(at)
                }
        return found

    def reading(self, series: int, now: int) -> Reading | None:
        """The latest of one series."""
        with self._lock:
            if not self._has(series):
                return None
            return self._reading(self._catalogue.key(series)[1], series, now)

    def _has(self, series: int) -> bool:
        return 0 <= series < len(self.times) and int(self.times[series]) != NO_TIME

    def _reading(self, name: str, at: int, now: int) -> Reading:
        said = self._catalogue.of(at)
        time, received = int(self.times[at]), int(self._received[at])
        stale = said.stale is not None and now - time > said.stale * 1e9
        untimed = bool(self._marks[at] & UNTIMED)
        return Reading(name, self._value(at), time, received, said.unit, stale, untimed)

    def _value(self, at: int) -> Any:
        text = self._texts.get(at)
        if text is not None:
            return orjson.loads(text)
        number = float(self.numbers[at])
        kind = self._catalogue.of(at).kind
        if kind == "boolean":
            return bool(number)
        if kind in ("integer", "long") and math.isfinite(number):
            return int(number)
        return number

    def matching(self, name: str, test: Callable[[Any], bool], twins: Iterable[str]) -> list[str]:
        """Those of these twins whose latest value passes; a twin without a reading is tested with
        None.
        """
        found = []
        with self._lock:
            for twin in twins:
                at = self._catalogue.series_of(twin).get(name, -1)
                if test(self._value(at) if self._has(at) else None):
                    found.append(twin)
        return found

    def column(self, name: str) -> tuple[list[str], NDArray[np.float64]]:
        """Every twin that ever sent this name, and its latest number; NaN where it is none."""
        named = list(self._catalogue.named(name).items())
        at = np.fromiter((series for _, series in named), np.int64, len(named))
        numbers = np.full(len(named), np.nan)
        with self._lock:
            known = at < len(self.times)
            here = at[known]
            numbers[known] = np.where(self.times[here] != NO_TIME, self.numbers[here], np.nan)
        return [twin for twin, _ in named], numbers

    def with_reading(self, name: str) -> Mapping[str, Any]:
        """Twin -> latest value, of every twin that ever sent this name."""
        with self._lock:
            return {
                twin: self._value(at)
                for twin, at in list(self._catalogue.named(name).items())
                if self._has(at)
            }

    def _grow(self, size: int) -> None:
        if size <= len(self.times):
            return
        more = max(size, 2 * len(self.times)) - len(self.times)
        self.times = np.concatenate([self.times, np.full(more, NO_TIME, np.int64)])
        self._seqs = np.concatenate([self._seqs, np.full(more, NO_SEQ, np.int64)])
        self._received = np.concatenate([self._received, np.zeros(more, np.int64)])
        self.numbers = np.concatenate([self.numbers, np.full(more, np.nan)])
        self._marks = np.concatenate([self._marks, np.zeros(more, np.uint8)])
