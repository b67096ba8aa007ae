"""What a detector promises: it scores one row of readings per twin, and says what drove a score.

A detector belongs to a model type; what it remembers of each twin stands in a `Flock`, one array
per quantity with a row per twin, so that many twins are scored by the same few array operations.
A score is in units of the detector's own threshold: above 1 is not normal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

Warmth = Literal["COLD", "FLEET", "OWN"]
"""How well a detector knows a twin: too few rows to score it; scored against what is normal for
its model type; scored against its own mean and scale, known from training.
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One sensor of an asset: where in the asset it sits, and its reading's name.

    `path` is "" for the twin itself, a component's name for `<twin>/<component>`, and for another
    twin that belongs to the asset the path under which it was named when the asset was followed.
    """

    path: str
    name: str
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.path}.{self.name}" if self.path else self.name


@dataclass(frozen=True, slots=True)
class Driver:
    """A sensor that explains a score. `share` is its part of the score, 0..1.

    `observed` and `expected` are in the sensor's unit; expected is what the asset's past and its
    other sensors say.
    """

    column: Column
    share: float
    observed: float
    expected: float


@dataclass(slots=True)
class Flock:
    """What is remembered of each followed twin; entry i of every array is twin i.

    Readings are kept standardised: in units of the twin's scale, off its mean. The last axis has
    one entry per column of the detector.
    """

    twins: list[str]
    mean: Floats
    scale: Floats
    own: NDArray[np.bool_]
    """Whether mean and scale are the twin's own."""
    ring: Floats
    """(twin, sample, column): the last samples, oldest first, gaps filled."""
    count: NDArray[np.int64]
    """Samples seen since the start or the last gap."""
    last: Floats
    """The last reading of each column, in its unit."""
    age: NDArray[np.int64]
    """Samples since that reading."""
    surprise: Floats
    """Smoothed squared forecast error of each column."""
    forecast: Floats
    """What the samples before the newest said about it."""
    parts: Floats
    """(twin, statistic) of the newest sample, in units of the thresholds."""


def joined(first: Flock, second: Flock) -> Flock:
    """Both, those of the first one first."""
    arrays = {
        item.name: np.concatenate([getattr(first, item.name), getattr(second, item.name)])
        for item in fields(Flock)
        if item.name != "twins"
    }
    return Flock(twins=[*first.twins, *second.twins], **arrays)


class Detector(Protocol):
    """One detector of one model type. The contract is tested for every implementation."""

    @property
    def columns(self) -> Sequence[Column]:
        """The sensors in the order of a row."""

    def follow(self, twins: Sequence[str]) -> Flock:
        """Begin to follow these twins: nothing seen yet."""

    def score(self, flock: Flock, which: Rows, rows: Floats) -> Floats:
        """Take in row i, in the columns' units, as the next sample of twin `which[i]`.

        No twin may stand twice in `which`. A missing reading is NaN. Answers a score per row; NaN
        where the twin is COLD or too little of it is known.
        """

    def forget(self, flock: Flock, which: Rows) -> None:
        """Start these twins anew, as after a gap in their readings."""

    def explain(self, flock: Flock, twin: int) -> list[Driver]:
        """What drove the twin's newest score: every sensor, the largest share first."""

    def warmth(self, flock: Flock, twin: int) -> Warmth:
        """How well the twin is known by now."""

    def dump(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        """The arrays and the facts (JSON) that make the same detector again."""
