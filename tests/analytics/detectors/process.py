"""The Tennessee Eastman runs of the reference data folder, and the protocol they are judged by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.detectors import Column, Detector, Table, fit

RUNS = Path(__file__).parents[4] / "shared" / "telemetry" / "tennessee-eastman"
FAULTS = (1, 4, 5, 6, 11, 14)
MODEL = "dtmi:example:Process;1"
COLUMNS = tuple(
    [Column("", f"XMEAS_{number}") for number in range(1, 42)]
    + [Column("", f"XMV_{number}") for number in range(1, 12)]
)
FOLDS = 5
MAX_FALSE_ALARMS = 7
WITHIN = 60
"""Samples from the start of a fault's run to the second of two consecutive scores above 1."""

Floats = NDArray[np.float64]
Damage = Callable[[Floats], Floats]


@cache
def run(fault: int) -> Floats:
    """(sample, variable) of one run; 0 is the normal one, which its file holds transposed."""
    values = np.loadtxt(RUNS / f"d{fault:02d}.dat")
    values = values.T if fault == 0 else values
    assert values.shape == ((500, 52) if fault == 0 else (480, 52))
    return values


def table(values: Floats, twin: str = "plant") -> Table:
    """One history of the whole process."""
    return Table(twin, COLUMNS, values)


def scores(detector: Detector, values: Floats, twin: str = "plant") -> Floats:
    """The scores of one twin that begins at the first row."""
    flock = detector.follow([twin])
    only = np.array([0])
    return np.array([detector.score(flock, only, row[None])[0] for row in values])


def alarms(scored: Floats) -> NDArray[np.intp]:
    """Samples at which this score and the one before are above the threshold."""
    over = np.nan_to_num(scored) > 1
    return np.flatnonzero(over[1:] & over[:-1]) + 1


def false_alarms(learn: Callable[[Sequence[Table]], Detector]) -> tuple[int, int]:
    """Alarms, and scores above 1, over all normal rows, each held out once in a block."""
    normal, size = run(0), 500 // FOLDS
    alarmed = above = 0
    for fold in range(FOLDS):
        start, stop = fold * size, (fold + 1) * size
        rest = [table(part) for part in (normal[:start], normal[stop:]) if len(part)]
        scored = scores(learn(rest), normal[start:stop])
        alarmed += len(alarms(scored))
        above += int((np.nan_to_num(scored) > 1).sum())
    return alarmed, above


def delays(detector: Detector) -> dict[int, int | None]:
    """Samples from the start of each fault's run to its first alarm; None: never."""
    found = {}
    for fault in FAULTS:
        first = alarms(scores(detector, run(fault)))
        found[fault] = int(first[0]) + 1 if len(first) else None
    return found


def learned(tables: Sequence[Table]) -> Detector:
    """The detector as shipped."""
    return fit(MODEL, tables)


def damaged(damage: Damage) -> Callable[[Sequence[Table]], Detector]:
    """The same detector, fitted on a history that was damaged first."""

    def learn(tables: Sequence[Table]) -> Detector:
        return fit(MODEL, [table(damage(one.values)) for one in tables])

    return learn


def shuffled_columns(seed: int) -> Damage:
    """Every column in an order of its own: each keeps its values, nothing belongs together."""
    source = np.random.default_rng(seed)
    return lambda values: np.column_stack([source.permutation(column) for column in values.T])


def shifted_columns(seed: int) -> Damage:
    """Every column moved in time by an amount of its own, in a circle: each keeps its course, no
    two belong together.
    """
    source = np.random.default_rng(seed)
    return lambda values: np.column_stack(
        [np.roll(column, source.integers(len(values))) for column in values.T]
    )


SWAP_AT = 200


def swapped(sensor: int) -> Floats:
    """The normal run in which one sensor replays another hour of it: alone it looks normal."""
    values = run(0).copy()
    values[SWAP_AT:, sensor] = run(0)[:-SWAP_AT, sensor]
    return values


def swaps_found(detector: Detector) -> int:
    """Of the 52 sensors, how many are found when they replay another hour."""
    usual = set(alarms(scores(detector, run(0))).tolist())
    return sum(
        bool(set(alarms(scores(detector, swapped(sensor))).tolist()) - usual)
        for sensor in range(len(COLUMNS))
    )


def passes(found: tuple[int, int], delay: dict[int, int | None]) -> bool:
    """The gate: few false alarms, and every fault found in time."""
    in_time = all(value is not None and value <= WITHIN for value in delay.values())
    return found[0] <= MAX_FALSE_ALARMS and in_time
