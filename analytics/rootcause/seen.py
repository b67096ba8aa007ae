"""What is seen of a plant, and what is assumed of those who tell: which alarms stand, since when,
whose silence says something.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, log
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.assets import AssetNetwork
from twinfall.ontology.errors import BadInput, Refused

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MAX_ALARMS = 100_000
"""Alarms of one question."""
FEWEST_FALSE = 1e-3
"""False alarms per asset that are always reckoned with."""
USUAL_MISS = 0.1
"""Failures that raise no alarm."""
MISTAKEN = 0.01
"""How often an asset that was found in order is not."""
SKEW = 300.0
"""Seconds by which the clocks of two alarms may differ."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known beside the alarms. Times are seconds on one clock, whichever.

    `at` has the onset of alarms, of all or some; `now` is when one looks (None: it is not known
    how long ago it began). `horizon` says instead how many seconds ago, at most. `quiet` were
    looked at and are in order. `monitored` would raise an alarm if they failed: ids, or flags
    by position (None: all twins would); the silence of others says nothing.
    """

    at: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    now: float | None = None
    horizon: float | None = None
    quiet: Collection[str] = ()
    monitored: Collection[str] | Flags | None = None


@dataclass(frozen=True, slots=True)
class Odds:
    """What is assumed: `miss` is how many failures of monitored assets raise no alarm (None: one
    in ten, or more where the best explanation is far better so), `false` how many assets in order
    are in alarm (None: what the best explanation leaves, at least FEWEST_FALSE); `skew` in
    seconds; at most `roots` failures at once.
    """

    miss: float | None = None
    false: float | None = None
    skew: float = SKEW
    roots: int = 3

    def check(self) -> None:
        """Raises BadInput where a number is none that can be."""
        for name, value in (("miss", self.miss), ("false", self.false)):
            if value is not None and not 0.0 < value < 1.0:
                raise BadInput(f"{value:g} is not between 0 and 1", path=name)
        if (self.false or 0.0) >= 1.0 - (self.miss or USUAL_MISS):
            raise BadInput("an alarm would say that the asset is up", path="false")
        if not (isfinite(self.skew) and self.skew >= 0):
            raise BadInput("holds seconds, zero or more", path="skew")
        if not 1 <= self.roots <= MAX_ROOTS:
            raise BadInput(f"from 1 to {MAX_ROOTS} are looked for", path="roots")


MAX_ROOTS = 3


@dataclass(frozen=True, slots=True)
class Weights:
    """What one asset adds to the logarithm of the odds of an explanation by which it is down."""

    alarm: float
    silence: float
    miss: float
    false: float
    quiet: float = log(MISTAKEN)

    @classmethod
    def of(cls, miss: float, false: float) -> Weights:
        """For these rates."""
        return cls(log((1 - miss) / false), log(miss / (1 - false)), miss, false)


@dataclass(frozen=True, slots=True)
class Observed:
    """What is seen, by position: `alarm` ascending, each once; `onset` in seconds, NaN where it is
    not known; `at` of each position its place among the alarms, -1. `silent` are monitored and
    not in alarm; what is `standing` is an alarm that what is down already explains.
    """

    alarm: Ints
    onset: Floats
    at: Ints
    silent: Flags
    quiet: Flags
    standing: Ints
    now: float | None
    horizon: float | None

    @property
    def speaking(self) -> int:
        """How many assets were asked and told, one way or the other."""
        return len(self.alarm) + int(np.count_nonzero(self.silent | self.quiet))

    @property
    def timed(self) -> bool:
        """Whether times decide anything."""
        return self.horizon is not None or bool(np.isfinite(self.onset).any())


def observe(assets: AssetNetwork, alarms: Sequence[str], seen: Seen, down: Flags) -> Observed:
    """What is seen where these are `down` already. Raises UnknownTwin, BadInput, Refused."""
    if len(alarms) > MAX_ALARMS:
        raise Refused(
            f"{len(alarms)} alarms, at most {MAX_ALARMS} are explained at once",
            code="TOO_COSTLY",
            cure="ask about those of one area, or of the last hour",
        )
    _check(seen)
    alarm = assets.positions(alarms)
    quiet = np.zeros(len(down), bool)
    quiet[assets.positions(seen.quiet)] = True
    if quiet[alarm].any():
        both = assets.ids[int(alarm[quiet[alarm]][0])]
        raise BadInput("is in alarm and in order at once", path=both, cure="name it once")
    silent = _monitored(assets, seen)
    silent[alarm] = False
    silent &= ~quiet & ~down
    standing = alarm[down[alarm]]
    alarm = alarm[~down[alarm]]
    at = np.full(len(down), -1, np.int32)
    at[alarm] = np.arange(len(alarm), dtype=np.int32)
    onset = np.array([seen.at.get(assets.ids[int(p)], np.nan) for p in alarm], np.float64)
    return Observed(alarm, onset, at, silent, quiet, standing, seen.now, seen.horizon)


def _monitored(assets: AssetNetwork, seen: Seen) -> Flags:
    if isinstance(seen.monitored, np.ndarray):
        return seen.monitored.copy()
    if seen.monitored is not None:
        return assets.flags(seen.monitored)
    flags = np.zeros(len(assets.ids), bool)
    flags[: assets.twins] = True
    return flags


def _check(seen: Seen) -> None:
    """Times that can be reckoned with."""
    times = [*seen.at.values(), *(t for t in (seen.now, seen.horizon) if t is not None)]
    if not all(isfinite(time) for time in times):
        raise BadInput("times are finite numbers of seconds", path="at")
    if seen.horizon is not None and seen.horizon < 0:
        raise BadInput("holds seconds, zero or more", path="horizon")
