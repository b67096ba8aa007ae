"""Declared values, constant or bound, as columns over rows of the topology."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def number(value: Any) -> float:
    """A number as it stands; None, text and truth values have none: NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return float("nan")
    return float(value)


def whole(value: Any) -> float:
    """A whole number from 1; NaN for anything else."""
    return float(value) if type(value) is int and value >= 1 else float("nan")


def seconds(value: Any) -> float:
    """A number of seconds, or an ISO 8601 duration; NaN where it is neither or negative."""
    if isinstance(value, str):
        found = duration_seconds(value)
        return float("nan") if found is None else found
    plain = number(value)
    return plain if plain >= 0 else float("nan")


def truth(value: Any) -> float:
    """1 or 0; NaN for anything but a truth value."""
    return float(value) if isinstance(value, bool) else float("nan")


def column(value: Value, place: Place, read: Callable[[Any], float]) -> NDArray[np.float64]:
    """One float per row; NaN where there is no usable value. None stays NaN. What follows
    telemetry has its default here: the live state says more.
    """
    if not isinstance(value, Binding):
        return np.full(len(place.twins), read(value))
    found = np.full(len(place.twins), read(value.default))
    if value.telemetry:
        return found
    own = place.topology.values.get(value.name, {})
    if own:
        _fill(found, [own.get(int(t)) for t in place.twins], read)
    edges = (place.edges or {}).get(value.name, {})
    if edges and place.rows is not None:
        _fill(found, [edges.get(int(r)) for r in place.rows], read)
    return found


def words(value: Value, place: Place) -> list[str | None]:
    """One text per row; None where there is none."""
    if not isinstance(value, Binding):
        return [value if isinstance(value, str) else None] * len(place.twins)
    own = place.topology.values.get(value.name, {})
    found = [own.get(int(t), value.default) for t in place.twins]
    edges = (place.edges or {}).get(value.name, {})
    if edges and place.rows is not None:
        found = [edges.get(int(r), old) for r, old in zip(place.rows, found, strict=True)]
    return [one if isinstance(one, str) else None for one in found]


def _fill(found: NDArray[np.float64], values: list[Any], read: Callable[[Any], float]) -> None:
    for i, value in enumerate(values):
        if value is not None:
            found[i] = read(value)
