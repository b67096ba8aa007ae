"""From scores to alarms, with hysteresis, and to a health index.

An alarm is raised by two consecutive scores above the threshold and cleared after ten consecutive
ones well below it, so that neither one lucky sample nor one bad one decides. Its id follows from
the twin and the onset: the same history gives the same alarms however often it is watched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.detectors.detector import Floats, Rows

RAISE_AFTER = 2
"""Consecutive scores above 1 that raise an alarm."""
CLEAR_BELOW = 0.7
CLEAR_AFTER = 10
"""Consecutive scores below `CLEAR_BELOW` that clear it."""
RECOVERY = 10.0
"""Samples in which health regains 63 % of what it lost; it falls at once."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """A sensor that explains an alarm. `share` is its part of the score, 0..1.

    `observed` and `expected` are in `unit`; expected is what the asset's past and its other
    sensors say.
    """

    address: str
    name: str
    unit: str
    share: float
    observed: float
    expected: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """An asset does not behave as it did when all was well, or does so again (`CLEARED`)."""

    id: str
    twin: str
    model: str
    state: Literal["RAISED", "CLEARED"]
    onset: int
    """Time of the first score above the threshold, ns."""
    at: int
    """Time of the sample that raised or cleared it, ns."""
    score: float
    """In units of the threshold, at `at`."""
    symptoms: tuple[Symptom, ...]
    """The sensors that explain it, the largest share first."""
    suspect: str
    """The twin whose sensors explain most of it: the asset itself, or one that belongs to it."""
    detector: str
    """Hash of the history the detector learned from."""


def alarm_id(twin: str, model: str, onset: int) -> str:
    """The same for the same twin, model and onset."""
    return hashlib.sha256(f"{twin}\n{model}\n{onset}".encode()).hexdigest()[:16]


class Episodes:
    """What the scores of each asset of a model amount to; entry i of every array is asset i."""

    def __init__(self) -> None:
        self.standing: set[int] = set()
        """Assets in alarm, as whoever keeps the alarms says."""
        self.score: Floats = np.empty(0)
        self.health: Floats = np.empty(0)
        self.at: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._over = np.empty(0, dtype=np.int64)
        self._calm = np.empty(0, dtype=np.int64)
        self._onset = np.empty(0, dtype=np.int64)

    def grow(self, count: int) -> None:
        """Room for so many more assets."""
        unknown, zeros = np.full(count, np.nan), np.zeros(count, dtype=np.int64)
        self.score = np.concatenate([self.score, unknown])
        self.health = np.concatenate([self.health, unknown])
        self.at = np.concatenate([self.at, zeros])
        self._over = np.concatenate([self._over, zeros])
        self._calm = np.concatenate([self._calm, zeros])
        self._onset = np.concatenate([self._onset, zeros])

    def take(
        self, assets: Rows, times: NDArray[np.int64], scores: Floats, fresh: Floats
    ) -> Iterator[tuple[int, Literal["RAISED", "CLEARED"]]]:
        """Take in one score of each asset; who passes into or out of alarm.

        `fresh` is the share of sensors that spoke. A NaN score confirms nothing.
        """
        self.score[assets], self.at[assets] = scores, times
        over = scores > 1  # False for NaN
        first = over & (self._over[assets] == 0)
        self._onset[assets[first]] = times[first]
        self._over[assets] = np.where(over, self._over[assets] + 1, 0)
        self._calm[assets] = np.where(scores < CLEAR_BELOW, self._calm[assets] + 1, 0)
        self._heal(assets, scores, fresh)
        for asset in assets[self._over[assets] == RAISE_AFTER].tolist():
            if asset not in self.standing:
                yield asset, "RAISED"
        for asset in assets[self._calm[assets] >= CLEAR_AFTER].tolist() if self.standing else ():
            if asset in self.standing:
                yield asset, "CLEARED"

    def onset(self, asset: int) -> int:
        """Time of the first score above the threshold of the present run, ns."""
        return int(self._onset[asset])

    def _heal(self, assets: Rows, scores: Floats, fresh: Floats) -> None:
        now = 100.0 * np.exp(-np.maximum(scores - 1.0, 0.0) / 3.0) * fresh
        before = self.health[assets]
        slow = before + (now - before) * (1.0 - np.exp(-1.0 / RECOVERY))
        self.health[assets] = np.where(now > before, slow, now)
