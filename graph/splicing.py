"""Splice: entries taken out of long columns and others put in, all columns alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from twinfall.graph.column import MISSING, Column

Positions = NDArray[np.int32]
T = TypeVar("T")


class Splice:
    """Of `size` entries those at `removed` go, and one comes before the old entry at each of
    `before` (ascending; `size`: at the end).

    `place` is the new position of each old entry, MISSING for those that go; `added` those of the
    new ones.
    """

    def __init__(self, size: int, removed: Sequence[int], before: Sequence[int]) -> None:
        self._size = size
        self._removed = removed
        self._before = before
        kept = np.ones(size, bool)
        kept[np.asarray(removed, np.int64)] = False
        coming = np.bincount(np.asarray(before, np.int64), minlength=size + 1)
        shift = np.cumsum(coming)
        until = np.concatenate([[0], np.cumsum(kept)])
        self.place: Positions = (until[1:] - 1 + shift[:size]).astype(np.int32)
        self.place[~kept] = MISSING
        self.added: Positions = (until[list(before)] + np.arange(len(before))).astype(np.int32)
        self.size = int(until[-1]) + len(before)

    def array(self, values: NDArray[Any], added: Sequence[Any]) -> NDArray[Any]:
        """An array's entries, those of `added` among them."""
        found = np.empty(self.size, values.dtype)
        kept = self.place != MISSING
        found[self.place[kept]] = values[kept]
        found[self.added] = added
        return found

    def listed(self, values: Sequence[T], added: Sequence[T]) -> list[T]:
        """The same of a list; what stays is moved in stretches."""
        found: list[T] = []
        start = 0
        coming = [(at, 0, row) for row, at in enumerate(self._before)]
        for at, goes, row in sorted([*coming, *((at, 1, 0) for at in self._removed)]):
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
