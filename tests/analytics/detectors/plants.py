"""A small make-believe process with everything a test wants to break: five related sensors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.detectors import Column, Table
from twinfall.analytics.membership import Asset
from twinfall.analytics.training import Trace
from twinfall.analytics.watching import Watch

MODEL = "dtmi:example:Pump;1"
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
NAMES = ("flow", "head", "power", "current", "temperature")
UNITS = ("m3/h", "m", "kW", "A", "degC")
COLUMNS = tuple(
    Column("motor" if name in ("current", "temperature") else "", name, unit)
    for name, unit in zip(NAMES, UNITS, strict=True)
)
Floats = NDArray[np.float64]


def running(seed: int, rows: int = 300) -> Floats:
    """(sample, sensor) of a pump whose load wanders and moves everything with it."""
    chance = np.random.default_rng(seed)
    load = np.zeros(rows)
    for at in range(1, rows):
        load[at] = 0.9 * load[at - 1] + chance.normal(0, 0.4)
    noise = chance.normal(0, 1, (rows, 5)) * [0.3, 0.1, 0.15, 0.2, 0.1]
    gain = np.array([2.0, -0.8, 1.1, 1.6, 0.7])
    values: Floats = np.array([60.0, 30.0, 7.5, 14.0, 55.0]) + load[:, None] * gain + noise
    return values


def table(values: Floats, twin: str = "P1") -> Table:
    """A history on a grid of one second."""
    return Table(twin, COLUMNS, values, START, SECOND)


def traces(values: Floats, start: int = START) -> list[Trace]:
    """The same as readings in history."""
    times = start + np.arange(len(values)) * SECOND
    return [Trace(column, times, values[:, at]) for at, column in enumerate(COLUMNS)]


def key(series: int) -> tuple[str, str]:
    """Series 0-4 are P1's, 5-9 P2's, and so on; two of each are the motor's."""
    pump, at = divmod(series, 5)
    column = COLUMNS[at]
    twin = f"P{pump + 1}"
    return (f"{twin}/{column.path}" if column.path else twin), column.name


def asset(number: int) -> Asset:
    """P1, P2, ... with its motor."""
    return Asset(f"P{number}", {f"P{number}": "", f"P{number}/motor": "motor"})


def watch(folder: Path, pumps: int = 1) -> Watch:
    """A watch of some pumps, trained on all of them."""
    made = Watch(folder)
    made.bind(key)
    made.follow(MODEL, [asset(number + 1) for number in range(pumps)])
    histories = {f"P{n + 1}": traces(running(n)) for n in range(pumps)}
    made.train(MODEL, histories)
    return made


def readings(
    values: Floats, pump: int = 1, start: int = START
) -> tuple[NDArray[np.int32], NDArray[np.int64], Floats]:
    """A run as columns of readings, sample after sample."""
    rows, width = values.shape
    series = np.tile(np.arange(width, dtype=np.int32) + 5 * (pump - 1), rows)
    times = np.repeat(start + np.arange(rows, dtype=np.int64) * SECOND, width)
    return series, times, values.ravel()


def pieces(
    columns: tuple[NDArray[np.int32], NDArray[np.int64], Floats], size: int
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64], Floats]]:
    """The readings in micro-batches."""
    for at in range(0, len(columns[0]), size):
        yield tuple(column[at : at + size] for column in columns)  # type: ignore[misc]


def seized(seed: int, rows: int = 200, at: int = 100) -> Floats:
    """A pump whose motor heats up at some sample, within the temperatures it has seen before."""
    values = running(seed, rows)
    values[at:, 4] = running(seed, rows)[at:, 4].mean() - 2.0 * (values[at:, 0] - 60.0) / 2.0
    values[at:, 4] += 3.0
    return values
