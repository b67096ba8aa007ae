"""From readings in history to the tables a detector is learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.detectors import Column, Normal, Recipe, Table, fit
from twinfall.analytics.detectors.detector import Floats
from twinfall.analytics.detectors.table import MAX_COLUMNS, MAX_ROWS
from twinfall.ontology.errors import BadInput


@dataclass(frozen=True, slots=True)
class Trace:
    """The readings of one sensor of an asset, in order of time."""

    column: Column
    times: NDArray[np.int64]
    """ns since 1970."""
    values: Floats
    """In the column's unit; NaN where the reading was no number."""


def train(
    model: str,
    histories: Mapping[str, Sequence[Trace]],
    *,
    every: int | None = None,
    recipe: Recipe | None = None,
) -> Normal:
    """A detector for the model type from its twins' healthy histories.

    `every` is the sample period in ns; without one it is taken from the readings. Raises BadInput
    with fewer than 60 usable rows, and where there is no reading at all.
    """
    return fit(model, tables(histories, every), recipe)


def tables(histories: Mapping[str, Sequence[Trace]], every: int | None = None) -> list[Table]:
    """Each twin's readings on the sample grid; the last reading of a period stands for it."""
    traces = {
        twin: [trace for trace in found if np.isfinite(trace.values).any()]
        for twin, found in sorted(histories.items())
    }
    columns = sorted(
        {trace.column for found in traces.values() for trace in found},
        key=lambda column: (column.path, column.name),
    )
    if not columns:
        raise BadInput("no readings to learn from", cure="choose a period with readings")
    if len(columns) > MAX_COLUMNS:
        raise BadInput(f"{len(columns)} sensors; at most {MAX_COLUMNS} can be watched together")
    every = every or _period([trace for found in traces.values() for trace in found])
    return [_table(twin, found, tuple(columns), every) for twin, found in traces.items() if found]


def _period(traces: Sequence[Trace]) -> int:
    """The usual time between two readings of a sensor, ns."""
    steps = [np.median(np.diff(trace.times)) for trace in traces if len(trace.times) > 1]
    if not steps or not np.median(steps) >= 1:
        raise BadInput("too few readings to tell how often the sensors speak")
    return int(np.median(steps))


def _table(twin: str, traces: Sequence[Trace], columns: tuple[Column, ...], every: int) -> Table:
    first = min(int(trace.times[0]) for trace in traces) // every
    last = max(int(trace.times[-1]) for trace in traces) // every
    if last - first >= MAX_ROWS:
        raise BadInput(
            f"{twin}: more than {MAX_ROWS} sample periods of {every / 1e9:g} s",
            cure="train on a shorter period or a longer sample period",
        )
    values = np.full((last - first + 1, len(columns)), np.nan)
    place = {column: at for at, column in enumerate(columns)}
    for trace in traces:
        values[trace.times // every - first, place[trace.column]] = trace.values
    return Table(twin, columns, values, first * every, every)
