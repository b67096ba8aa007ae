"""A twin's healthy history on a sample grid: what a detector is learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinfall.analytics.detectors.detector import Column, Floats
from twinfall.ontology.errors import BadInput

MAX_COLUMNS = 512
MAX_ROWS = 200_000
"""Rows of all twins together that one training takes."""


@dataclass(frozen=True, slots=True)
class Table:
    """`values[i]` is sample i of every column in its unit, NaN where nothing was read.

    Samples follow each other at the detector's period without gaps: a time at which nothing was
    read is a row of NaN.
    """

    twin: str
    columns: tuple[Column, ...]
    values: Floats
    start: int = 0
    """Time of the first sample, ns."""
    every: int = 0
    """Sample period, ns; 0 where unknown."""

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.columns):
            raise BadInput(
                f"{self.twin}: {len(self.columns)} columns but values of shape "
                f"{self.values.shape}; a row is a sample, a column a sensor"
            )
        if len(self.columns) > MAX_COLUMNS:
            raise BadInput(f"{self.twin}: more than {MAX_COLUMNS} sensors")

    def only(self, keep: list[int]) -> Table:
        """The same history of some of the columns."""
        columns = tuple(self.columns[at] for at in keep)
        return Table(self.twin, columns, self.values[:, keep], self.start, self.every)

    def moving(self) -> list[int]:
        """Columns that took more than one value; the others tell nothing about normal."""
        spans = [column[np.isfinite(column)] for column in self.values.T]
        return [at for at, seen in enumerate(spans) if len(seen) and np.ptp(seen) > 0]
