"""What failures at known times have taken down by now, and what they will; and what one more
failure adds to that.

Buffers make the difference: whoever lives on a battery is up until it is empty, and down then even
if nothing else happens. So nothing is settled in advance: every question follows all failures from
the healthy network on, and its answer is what goes down only because of the failure asked about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from twinfall.analytics.network import FOREVER, Flags, Floats, Impact, Ints, Network

DIGITS = 6
"""Of seconds in an answer: differences of times since 1970 have no more."""


@dataclass(frozen=True)
class Course:
    """Assets that failed `at` seconds after some origin, each once, seen `now` seconds after it."""

    network: Network
    failed: Ints = field(default_factory=lambda: np.zeros(0, np.int32))
    at: Floats = field(default_factory=lambda: np.zeros(0))
    now: float = 0.0

    @cached_property
    def ahead(self) -> Impact:
        """All that these failures take along, past and to come, by time after the origin."""
        return self.network.course(self.failed, self.at)

    @property
    def before(self) -> Flags:
        """What was down before these failures."""
        return self.network.baseline

    @cached_property
    def down(self) -> Flags:
        """What is down now, by whatever reason."""
        flags = self.network.baseline.copy()
        flags[self.failed] = True
        flags[self.ahead.asset[self.ahead.time <= self.now]] = True
        return flags

    @cached_property
    def until(self) -> float:
        """When the next one goes down, in seconds after the origin; FOREVER."""
        later = self.ahead.time[self.ahead.time > self.now]
        return float(later.min()) if len(later) else FOREVER

    def after(self, failed: Ints, horizon: float = FOREVER) -> Impact:
        """What is down until `horizon` seconds after these failed too, now, and would not be
        down by then without that. Times are after now.
        """
        if not len(self.failed):
            return self.network.impact(failed, horizon)
        failed = np.unique(failed)
        fresh = np.setdiff1d(failed, self.failed)
        both = np.concatenate([self.failed, fresh]).astype(np.int32)
        at = np.concatenate([self.at, np.full(len(fresh), self.now)])
        found = self.network.course(both, at, self.now + horizon)
        own = ~self.anyway(horizon)[found.asset]
        _, wave = np.unique(found.wave[own], return_inverse=True)
        return Impact(
            failed,
            found.asset[own],
            (wave.reshape(-1) + 1).astype(np.int32),
            np.round(found.time[own] - self.now, DIGITS),
            found.group[own],
            found.cause[own],
        )

    def anyway(self, horizon: float) -> Flags:
        """What is down by the horizon without any further failure."""
        flags = self.down.copy()
        flags[self.ahead.asset[self.ahead.time <= self.now + horizon]] = True
        return flags

    def gone_at(self, asset: int) -> float:
        """When an asset goes down without any further failure, in seconds after now; FOREVER."""
        if self.down[asset]:
            return -FOREVER
        return self._gone.get(asset, FOREVER)

    def began(self, group: int, empty: float) -> float:
        """When the buffer of a group began to run that is empty then, in seconds after now."""
        return empty - float(self.network.feeds.autonomy[group])

    @cached_property
    def _gone(self) -> dict[int, float]:
        rows = zip(self.ahead.asset.tolist(), self.ahead.time.tolist(), strict=True)
        return {asset: round(time - self.now, DIGITS) for asset, time in rows}
