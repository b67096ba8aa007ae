"""The course of a plant that goes on: what is down, and what will be, by what its buffers hold.

A `Course` begins with a plant in which all is well, and lets the failures that stand come at their
times. A plant may have been through more: a battery is not full again, buffers run behind a switch
that was opened. An `Evolution` follows that; here it is asked what a `Course` is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from twinfall.analytics.course import DIGITS, Course
from twinfall.analytics.evolution import Evolution
from twinfall.analytics.kernels import timers
from twinfall.analytics.network import FOREVER, Flags, Floats, Impact, Ints, Network

LONG = 1e12
"""Seconds after which every declared buffer is empty."""


@dataclass(frozen=True)
class GoingOn:
    """As `Course`; `plant` stands at `now` by its own clock, and nobody changes it. Who `failed` by
    itself, or stopped, did so `at` seconds after some origin.
    """

    network: Network
    failed: Ints
    at: Floats
    now: float
    plant: Evolution

    @cached_property
    def ahead(self) -> Impact:
        """All that went down and still is, and all that will, by time after the origin; what was
        down before the beginning apart.
        """
        later = self._later
        down = later.down & ~self.before
        down[self.failed] = False
        return self._told(later, down, self.failed, 0.0)

    @cached_property
    def before(self) -> Flags:
        """What was down before the beginning."""
        down = np.flatnonzero(self.plant.down).astype(np.int32)
        flags = np.zeros(self.network.n, np.bool_)
        flags[down[self.plant.falls(down).time == -np.inf]] = True
        return flags

    @cached_property
    def down(self) -> Flags:
        """What is down now, by whatever reason."""
        return self.plant.down

    @cached_property
    def until(self) -> float:
        """When the next one may go down, in seconds after the origin; FOREVER."""
        return float(self._on_our_clock(self.plant.next))

    def after(self, failed: Ints, horizon: float = FOREVER) -> Impact:
        """As `Course.after`. O(assets)."""
        failed = np.unique(failed)
        fork = self.plant.fork()
        fork.fail(failed)
        fork.advance(fork.now + min(horizon, LONG))
        down = fork.down & ~self.anyway(horizon)
        down[failed] = False
        return self._told(fork, down, failed, self.now)

    def anyway(self, horizon: float) -> Flags:
        """What is down by the horizon without any further failure."""
        flags: Flags = self._falls <= self.plant.now + min(horizon, LONG)
        return flags

    def gone_at(self, asset: int) -> float:
        """When an asset goes down without any further failure, in seconds after now; FOREVER."""
        ahead = float(self._falls[asset]) - self.plant.now
        return -FOREVER if ahead <= 0 else round(ahead, DIGITS)

    def at_worst(self, unknown: Ints, down: Flags) -> GoingOn:
        """The same where these unknown assets have been down for ever, and with them all that is
        `down` in the worst case of a plant without a past.
        """
        fork = self.plant.fork()
        fork.fail(unknown)
        fork.fail(np.flatnonzero(down & ~fork.down))
        failed = np.union1d(self.failed, unknown).astype(np.int32)
        at = np.zeros(len(failed))
        at[np.searchsorted(failed, self.failed)] = self.at
        return GoingOn(self.network, failed, at, self.now, fork)

    @cached_property
    def _later(self) -> Evolution:
        fork = self.plant.fork()
        fork.advance(fork.now + LONG)
        return fork

    @cached_property
    def _falls(self) -> Floats:
        """When each asset goes down, or did, by the clock of the plant; FOREVER."""
        assets = np.flatnonzero(self._later.down).astype(np.int32)
        found = np.full(self.network.n, FOREVER)
        found[assets] = self._later.falls(assets).time
        return found

    def _on_our_clock(self, time: Any) -> Any:
        return self.now + (time - self.plant.now)

    def _told(self, fork: Evolution, down: Flags, failed: Ints, origin: float) -> Impact:
        """How these came to be down in it, in seconds after `origin`."""
        found = fork.falls(np.flatnonzero(down).astype(np.int32))
        time = np.round(self._on_our_clock(found.time) - origin, DIGITS)
        order = np.lexsort((found.asset, time))
        _, wave = np.unique(found.wave[order], return_inverse=True)
        return Impact(
            failed,
            found.asset[order],
            (wave.reshape(-1) + 1).astype(np.int32),
            time[order],
            found.group[order],
            found.cause[order],
        )


AnyCourse: TypeAlias = Course | GoingOn


def is_as_new(plant: Evolution) -> bool:
    """Whether a plant is as one in which all was well until the failures that stand: of those that
    are up, all buffers are full or were when they began to run.
    """
    moment, down = plant.moment(), plant.down
    consumer, stored = plant.network.feeds.consumer, plant.network.links.storages.asset
    for charges, owner in ((moment.buffers, consumer), (moment.storages, stored)):
        runs = (charges.mode == timers.DRAINING) & (charges.level == charges.full)
        if not (runs | down[owner[charges.at]]).all():
            return False
    return True
