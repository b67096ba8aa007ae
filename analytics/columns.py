"""Declared values, constant or bound, as columns over rows of the topology."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.graph.column import BOOLEAN, FLOAT, INTEGER, MISSING, OTHER, Column
from twinfall.graph.store import Topology
from twinfall.ontology.declarations import Binding, Value
from twinfall.ontology.durations import duration_seconds

Rows = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Place:
    """Where bound values are read: relationship rows and the dependent twin of each, or twins
    alone (`edges` None).
    """

    topology: Topology
    twins: Rows
    edges: Mapping[str, Mapping[int, Any]] | None = None
    rows: Rows | None = None


_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Read:
    """How a value is read as a float: which kinds have one, from which number on, and what a text
    says. Everything else is NaN.
    """

    kinds: tuple[int, ...]
    least: float = -math.inf
    text: Callable[[str], float | None] | None = None

    def __call__(self, value: Any) -> float:
        """One value."""
        if isinstance(value, str):
            found = self.text(value) if self.text else None
            return _NAN if found is None else found
        kind = BOOLEAN if isinstance(value, bool) else _KINDS.get(type(value))
        return float(value) if kind in self.kinds and value >= self.least else _NAN

    def all(self, values: Column, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The values in these rows of a column."""
        found = values.numbers(rows)
        kind = values.kind[rows]
        found[~np.isin(kind, self.kinds) | (found < self.least)] = np.nan
        other = np.flatnonzero(kind == OTHER)
        if len(other):
            read = np.array([self(value) for value in values.others])
            found[other] = read[values.bits[rows[other]]]
        return found


_KINDS = {int: INTEGER, float: FLOAT}

number = Read((INTEGER, FLOAT))
"""A number as it stands; text and truth values have none."""
amount = Read((INTEGER, FLOAT), least=0.0)
"""A number from 0."""
whole = Read((INTEGER,), least=1.0)
"""A whole number from 1."""
seconds = Read((INTEGER, FLOAT), least=0.0, text=duration_seconds)
"""A number of seconds from 0, or an ISO 8601 duration."""
truth = Read((BOOLEAN,))
"""1 or 0."""


def column(value: Value, place: Place, read: Read) -> NDArray[np.float64]:
    """One float per row; NaN where there is no usable value. None stays NaN. What follows
    telemetry has its default here: the live state says more.
    """
    if not isinstance(value, Binding):
        return np.full(len(place.twins), read(value))
    found = np.full(len(place.twins), read(value.default))
    if not value.telemetry:
        for values, positions in _bound(value, place):
            rows = values.rows(positions)
            there = np.flatnonzero(rows != MISSING)
            found[there] = read.all(values, rows[there])
    return found


def words(value: Value, place: Place) -> list[str | None]:
    """One text per row; None where there is none."""
    if not isinstance(value, Binding):
        return [value if isinstance(value, str) else None] * len(place.twins)
    found = [value.default] * len(place.twins)
    for values, positions in _bound(value, place):
        rows = values.rows(positions)
        for i in np.flatnonzero(rows != MISSING).tolist():
            found[i] = values.value(rows[i])
    return [one if isinstance(one, str) else None for one in found]


def _bound(value: Binding, place: Place) -> Iterator[tuple[Column, Rows]]:
    """The columns that a binding reads, and where: the later one wins where it has a value."""
    own = place.topology.values.get(value.name)
    if own:
        yield Column.of(own), place.twins
    edges = (place.edges or {}).get(value.name)
    if edges and place.rows is not None:
        yield Column.of(edges), place.rows
