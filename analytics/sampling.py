"""From readings as they come to samples of whole assets: one row per asset and period.

Each asset has a few open periods. A sample is handed on as soon as every sensor has spoken, or
when readings of a period well after it arrive; then what is missing is NaN. Readings older than
the open periods are late: they are counted and left out, as the sample is already judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.detectors.detector import Floats, Rows

OPEN = 2
"""Periods an asset can have open: how far out of order its readings may come."""
MAX_GAP = 3
"""Empty periods that are handed on as empty samples; after more the asset starts anew."""
NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Samples:
    """One sample of some assets, each at most once. `fresh_start` names those among them that had
    a longer gap before it.
    """

    assets: Rows
    periods: NDArray[np.int64]
    values: Floats
    fresh_start: Rows


class Grid:
    """The open periods of the assets of one model. Not safe for threads."""

    def __init__(self, width: int) -> None:
        self._head = np.empty(0, dtype=np.int64)  # the oldest open period; NEVER: none yet
        self._open = np.empty((0, OPEN, width))
        self._restarted = np.empty(0, dtype=np.bool_)
        self.late = 0
        """Readings that came after their period was closed."""

    def grow(self, count: int) -> None:
        """Room for so many more assets."""
        width = self._open.shape[2]
        self._head = np.concatenate([self._head, np.full(count, NEVER)])
        self._open = np.concatenate([self._open, np.full((count, OPEN, width), np.nan)])
        self._restarted = np.concatenate([self._restarted, np.zeros(count, dtype=np.bool_)])

    def put(
        self, assets: Rows, columns: Rows, periods: NDArray[np.int64], values: Floats
    ) -> Iterator[Samples]:
        """Take readings in; hand on every sample that is complete or overtaken by them.

        Entry i of every array is one reading. Of readings for the same sensor and period the last
        one counts.
        """
        order = np.argsort(periods, kind="stable")
        edges = np.flatnonzero(np.diff(periods[order])) + 1
        for part in np.split(order, edges) if len(order) else ():
            period = int(periods[part[0]])
            yield from self.advance(np.unique(assets[part]), period)
            late = self._head[assets[part]] > period
            self.late += int(late.sum())
            part = part[~late]
            offset = period - self._head[assets[part]]
            self._open[assets[part], offset, columns[part]] = values[part]
            yield from self._complete(np.unique(assets[part]))

    def advance(self, assets: Rows, period: int) -> Iterator[Samples]:
        """Make `period` an open one of these assets, handing on those it overtakes."""
        head = self._head[assets]
        new = head == NEVER
        self._head[assets[new]] = period
        behind = assets[~new & (head + OPEN <= period)]
        while len(behind):
            far = self._head[behind] + OPEN + MAX_GAP <= period
            empty = ~np.isfinite(self._open[behind]).any(axis=(1, 2))
            leap = behind[far & empty]
            self._head[leap] = period
            self._restarted[leap] = True
            behind = behind[~(far & empty)]
            if len(behind):
                yield self._close(behind)
            behind = behind[self._head[behind] + OPEN <= period]

    def open_since(self) -> NDArray[np.int64]:
        """The oldest open period by asset; `NEVER` before its first reading."""
        return self._head

    def _complete(self, assets: Rows) -> Iterator[Samples]:
        while len(assets):
            assets = assets[np.isfinite(self._open[assets, 0]).all(axis=1)]
            if len(assets):
                yield self._close(assets)

    def _close(self, assets: Rows) -> Samples:
        """Hand on the oldest open period of each."""
        values, periods = self._open[assets, 0], self._head[assets].copy()
        fresh = assets[self._restarted[assets]]
        self._open[assets, :-1] = self._open[assets, 1:]
        self._open[assets, -1] = np.nan
        self._head[assets] += 1
        self._restarted[assets] = False
        return Samples(assets, periods, values, fresh)
