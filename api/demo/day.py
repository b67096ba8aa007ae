"""A day's rhythm: how much is drawn at what time, as a sum of two waves, so that it can be
integrated and delayed exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

DAY = 86_400.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Day:
    """Demand in units of its mean: 1 + the waves. A wave is (times a day, height, hour of peak)."""

    waves: tuple[tuple[int, float, float], ...]

    def at(self, time: float) -> float:
        """Demand at a time in seconds since 1970, UTC."""
        return 1.0 + sum(a * math.cos(w * (time - peak)) for w, a, peak in self._angular())

    def spare(self, time: float) -> float:
        """The integral of 1 - `at`, in seconds, of mean 0: what a store at constant supply holds
        over its mean, in seconds of mean demand.
        """
        return -sum(a / w * math.sin(w * (time - peak)) for w, a, peak in self._angular())

    def delayed(self, time: float, constant: float) -> float:
        """Demand as something follows it that takes `constant` seconds to warm up (first order)."""
        return 1.0 + sum(
            a
            / math.hypot(1.0, w * constant)
            * math.cos(w * (time - peak) - math.atan(w * constant))
            for w, a, peak in self._angular()
        )

    def _angular(self) -> list[tuple[float, float, float]]:
        return [(2 * math.pi * n / DAY, a, hour * 3600.0) for n, a, hour in self.waves]


WATER = Day(((1, 0.30, 14.0), (2, 0.25, 7.5)))
"""Least at night, peaks in the morning and the evening."""
POWER = Day(((1, 0.25, 16.0), (2, 0.12, 7.0)))
TRAFFIC = Day(((1, 0.50, 14.0), (2, 0.40, 8.0)))
AIR = Day(((1, 0.25, 15.0),))
"""Air temperature, in units of its mean in degrees Celsius."""
