"""Splice: entries taken out of long columns and others put in, all columns alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from twinfall.graph.column import MISSING, Column

Positions = NDArray[np.int32]
Rows = Sequence[int] | NDArray[np.integer]
T = TypeVar("T")


class Splice:
    """Of `size` entries those at `removed` (ascending) go, and one comes before the old entry at
    each of `before` (ascending; `size`: at the end).

    `added` has the positions of the new ones, `size` is how many there are in the end. Columns are
    moved in stretches: what is spliced costs little more than a copy of it.
    """

    def __init__(self, size: int, removed: Rows, before: Rows) -> None:
        self._old = size
        self._removed = np.asarray(removed, np.int64)
        self._before = np.asarray(before, np.int64)
        gone_before = np.searchsorted(self._removed, self._before)
        self.added: Positions = (self._before - gone_before + np.arange(len(self._before))).astype(
            np.int32
        )
        self.size = size - len(self._removed) + len(self._before)

    @cached_property
    def place(self) -> Positions:
        """The new position of each old entry, MISSING for those that go."""
        shift = np.zeros(self._old + 1, np.int32)
        np.add.at(shift, self._before, 1)
        np.subtract.at(shift, self._removed + 1, 1)
        place: Positions = np.cumsum(shift[:-1], dtype=np.int32)
        place += np.arange(self._old, dtype=np.int32)
        place[self._removed] = MISSING
        return place

    @property
    def moves(self) -> bool:
        """Whether any entry that stays has another position."""
        return not np.array_equal(self._removed, self._before)

    def array(self, values: NDArray[Any], added: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
        """An array's entries, those of `added` among them."""
        found = np.empty(self.size, values.dtype)
        for start, end, at in self._stretches:
            found[at : at + end - start] = values[start:end]
        found[self.added] = added
        return found

    @cached_property
    def _stretches(self) -> list[tuple[int, int, int]]:
        """Old entries that stay side by side: from, until, and the new position of the first."""
        cuts = np.unique(np.concatenate([self._removed, self._removed + 1, self._before]))
        cuts = np.concatenate([[0], cuts[(cuts > 0) & (cuts < self._old)], [self._old]])
        start, end = cuts[:-1], cuts[1:]
        stays = (start < end) & ~np.isin(start, self._removed)
        start, end = start[stays], end[stays]
        gone = np.searchsorted(self._removed, start)
        come = np.searchsorted(self._before, start, side="right")
        at = start - gone + come
        return list(zip(start.tolist(), end.tolist(), at.tolist(), strict=True))

    def listed(self, values: Sequence[T], added: Sequence[T]) -> list[T]:
        """The same of a list; what stays is moved in stretches."""
        found: list[T] = []
        start = 0
        coming = [(at, 0, row) for row, at in enumerate(self._before.tolist())]
        for at, goes, row in sorted([*coming, *((at, 1, 0) for at in self._removed.tolist())]):
            found += values[start:at]
            start = at + goes
            if not goes:
                found.append(added[row])
        found += values[start:]
        return found

    def column(self, values: Column, said: Mapping[int, Any]) -> Column:
        """A column's values, those `said` of new positions instead of what was there; None says
        that there is none.
        """
        at = self.place[values.at]
        return replaced(values.take(at != MISSING, at[at != MISSING]), said)


def replaced(values: Column, said: Mapping[int, Any]) -> Column:
    """The column with what is `said` instead of what was there; None says that there is none."""
    if not said:
        return values
    going = np.isin(values.at, np.fromiter(said, np.int32, len(said)))
    left = values.take(~going, values.at[~going]) if going.any() else values
    return left.merged(Column.of({at: one for at, one in said.items() if one is not None}))
