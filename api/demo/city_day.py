"""Telemetry of some hundred of the city's assets, the same for the same seed and time.

Made up, and physically plausible: demand has a daily rhythm; the tank fills and empties with the
difference to a constant supply, so its level is the integral of that; pressure is the head of the
tank less height and friction; lines and transformers carry the loads behind them; oil and windings
follow the load with their thermal delay. Every reading is a weighted sum of a few such quantities
plus noise, so that all are worked out at once.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from twinfall.api.demo.day import AIR, POWER, TRAFFIC, WATER
from twinfall.api.demo.signals import AIR_CELSIUS, QUANTITIES, Signals, city_signals

SEED = 1
DIGITS = 4
OIL_SECONDS, WINDING_SECONDS = 3 * 3600.0, 600.0
"""Thermal time constants of a transformer's oil and winding."""
FRICTION = 1.852
"""Exponent of Hazen and Williams: pressure lost to friction over flow."""


class CityDay:
    """What the city's sensors say at any time. `keys` are address and telemetry name, in the
    order of `at`.
    """

    def __init__(self, rows: Iterable[bytes], seed: int = SEED) -> None:
        signals: Signals = city_signals(rows)
        self.keys = signals.keys
        self._weights = signals.weights()
        self._noise = np.array(signals.noise)
        self._seed = seed

    def at(self, time: float) -> NDArray[np.float64]:
        """All readings at a time in seconds since 1970, rounded to four digits."""
        quantities = _quantities(time)
        draws = np.random.Generator(np.random.Philox(key=[self._seed, int(time * 1000)]))
        values = self._weights @ np.array([quantities[name] for name in QUANTITIES])
        return rounded(values + self._noise * draws.standard_normal(len(values)))


def _quantities(time: float) -> dict[str, float]:
    water, power = WATER.at(time), POWER.at(time)
    return {
        "one": 1.0,
        "water": water,
        "friction": water**FRICTION,
        "spare": WATER.spare(time),
        "power": power,
        "heat": power**2,
        "oil": POWER.delayed(time, OIL_SECONDS),
        "winding": POWER.delayed(time, WINDING_SECONDS) ** 2,
        "traffic": TRAFFIC.at(time),
        "air": AIR_CELSIUS * AIR.at(time),
    }


def rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """To `DIGITS` digits each, as a sensor has them."""
    size = np.floor(np.log10(np.maximum(np.abs(values), 1e-9)))
    step = 10.0 ** (size - DIGITS + 1)
    # Divided by a whole number where the step is below one: 0.1 has no exact double, 10 has.
    inverse = np.round(1.0 / np.minimum(step, 1.0))
    return np.where(
        step < 1.0, np.round(values * inverse) / inverse, np.round(values / step) * step
    )
