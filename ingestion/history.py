"""The door to what was: every reading ever stored, by series and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from twinfall.ingestion.frame import Block

Fn = Literal["raw", "avg", "min", "max", "sum", "count", "first", "last", "lttb"]


@dataclass(frozen=True, slots=True)
class Window:
    """Which readings, and how they are summed up. Times in ns; `end` is exclusive."""

    series: Sequence[int]
    start: int
    end: int
    every: int | None = None
    """Width of a bucket in ns; buckets start at multiples of it since 1970, without it (then
    `points` says how many there are) at `start`.
    """
    points: int | None = None
    """At most so many points a series: with `lttb` chosen by shape, else `every` follows."""
    fn: Fn = "raw"
    limit: int = 10_000
    """At most so many points a series come back; the newest win."""


@dataclass(frozen=True, slots=True)
class Points:
    """The points of one series, in order of time. Where a value is no number `texts` has it."""

    series: int
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    texts: Sequence[str | None] | None = None


class HistoryStore(Protocol):
    """Readings on disk; `append` is called by one thread, reads by any."""

    def append(self, blocks: Sequence[Block], offset: int) -> None:
        """Keep the blocks and, in the same transaction, that the journal is moved up to `offset`.

        An offset not beyond `offset()` changes nothing. Raises Unavailable on a full disk.
        """

    def offset(self) -> int:
        """The journal's offset of the last `append`; 0 at first."""

    def read(self, window: Window) -> list[Points]:
        """The points of every series asked for, in the order asked, duplicates removed.

        One call for any number of series.
        """

    def aggregate(self, window: Window) -> Points:
        """One line over all series together: each bucket's `fn` over every reading in it."""

    def raw(self, series: Sequence[int], start: int, end: int) -> list[Block]:
        """Every reading kept of these series in [start, end), duplicates too, in order of arrival:
        what is mixed with the journal's tail.
        """

    def within(self, series: Sequence[int], start: int, end: int) -> int:
        """How many readings `raw` would bring, without bringing them."""

    def last(self, series: Sequence[int] | None = None) -> Block:
        """The newest reading of each series: what latest is rebuilt from at start."""

    def count(self) -> int:
        """Readings kept, duplicates included."""

    def size(self) -> int:
        """Bytes on disk."""

    def drop_before(self, time: int) -> int:
        """Forget whole periods that end before this instant; answers how many readings."""

    def snapshot(self, folder: Path) -> None:
        """Copy the files, whole as of one moment, into a folder: for a backup."""

    def close(self) -> None:
        """Close the files."""
