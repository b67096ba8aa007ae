"""The course of a plant that goes on: what is down, and what will be, by what its buffers hold.

A `Course` begins with a plant in which all is well, and lets the failures that stand come at their
times. A plant may have been through more: a battery is not full again, buffers run behind a switch
that was opened. An `Evolution` follows that; here it is asked what a `Course` is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from twinfall.analytics.course import DIGITS, Course
from twinfall.analytics.evolution import Evolution
from twinfall.analytics.kernels import timers
from twinfall.analytics.moments import Charges, Moment
from twinfall.analytics.network import FOREVER, Flags, Floats, Impact, Ints, Network
from twinfall.analytics.states import Standing

SAME = 1e-3
"""Seconds by which times may differ that come by two ways: clocks count from long ago."""
LONG = 1e12
"""Seconds after which every declared buffer is empty."""


@dataclass(frozen=True, slots=True)
class Under:
    """The live state at a time in ns, and how a plant stands that has been followed until then;
    whether it is `at_rest`, but for what those that are down hold.
    """

    standing: Standing
    now: int
    moment: Moment | None = None
    at_rest: bool = False


@dataclass(frozen=True)
class GoingOn:
    """As `Course`. What has failed by itself, or stopped, would take its course `alone` in a plant
    that was well; this one stands as in `moment`, of the network with its switches as `declared`.
    """

    alone: Course
    declared: Network
    moment: Moment

    _spare: list[Evolution] = field(default_factory=list, repr=False, compare=False)
    """Forks that questions are through with."""

    @property
    def network(self) -> Network:
        """As its switches stand."""
        return self.alone.network

    @property
    def failed(self) -> Ints:
        """Who has failed by itself, or stopped."""
        return self.alone.failed

    @property
    def at(self) -> Floats:
        """When, in seconds after some origin."""
        return self.alone.at

    @property
    def now(self) -> float:
        """In seconds after that origin."""
        return self.alone.now

    @cached_property
    def plant(self) -> Evolution:
        """As it stands now; to be forked. O(assets)."""
        return Evolution.resumed(self.declared, self.moment)

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
        flags = np.zeros(self.network.n, np.bool_)
        flags[self.moment.down[self.moment.since == -np.inf]] = True
        return flags

    @cached_property
    def down(self) -> Flags:
        """What is down now, by whatever reason."""
        flags = np.zeros(self.network.n, np.bool_)
        flags[self.moment.down] = True
        return flags

    @cached_property
    def until(self) -> float:
        """When the next one may go down, in seconds after the origin; FOREVER."""
        return float(self._on_our_clock(self.moment.next))

    def after(self, failed: Ints, horizon: float = FOREVER) -> Impact:
        """As `Course.after`. O(assets), unless the past makes no difference."""
        if self._is_alone:
            return self.alone.after(failed, horizon)
        failed = np.unique(failed)
        fork = self.plant.fork(self._taken())
        fork.fail(failed)
        fork.advance(fork.now + min(horizon, LONG))
        down = fork.down & ~self.anyway(horizon)
        down[failed] = False
        told = self._told(fork, down, failed, self.now)
        self._spare.append(fork)
        return told

    def anyway(self, horizon: float) -> Flags:
        """What is down by the horizon without any further failure."""
        flags: Flags = self._falls <= self.moment.now + min(horizon, LONG)
        return flags

    def gone_at(self, asset: int) -> float:
        """When an asset goes down without any further failure, in seconds after now; FOREVER."""
        ahead = float(self._falls[asset]) - self.moment.now
        return -FOREVER if ahead <= 0 else round(ahead, DIGITS)

    def began(self, group: int, empty: float) -> float:
        """As `Course.began`: one that is not full may have recharged until then."""
        buffers = self.moment.buffers
        at = int(np.searchsorted(buffers.at, group))
        if at == len(buffers.at) or buffers.at[at] != group:
            return self.alone.began(group, empty)
        if buffers.mode[at] == timers.DRAINING:
            return float(buffers.since[at]) - self.moment.now
        full, left = float(buffers.full[at]), float(buffers.left[at])
        fills = float(self.network.feeds.recharge[group])
        charged = full if fills == 0 else (empty * full + left * fills) / (full + fills)
        return empty - min(charged, full) + SAME

    def at_worst(self, unknown: Ints, worst: Course) -> GoingOn:
        """The same where these unknown assets have been down for ever, and with them all that they
        take down in the `worst` case of a plant without a past, be its switches as they stand or
        as declared: what is cut off may have hung on them before, and its buffer be empty.
        """
        lost = worst.down & ~self.alone.down
        if self.declared is not self.network:
            best, bad = (replace(one, network=self.declared) for one in (self.alone, worst))
            lost |= bad.down & ~best.down
        fork = self.plant.fork()
        fork.fail(unknown)
        fork.fail(np.flatnonzero(lost & ~fork.down))
        return GoingOn(worst, self.declared, fork.moment())

    @cached_property
    def _is_alone(self) -> bool:
        """Whether what is down, and all that will be and when, is so without a past. Buffers that
        are up run from full then, by losses that stand: one that had run before, or begun at some
        other time, would be empty at another.
        """
        if (self.down != self.alone.down).any() or not self._is_full_or_runs_from_full():
            return False
        alone = np.full(self.network.n, FOREVER)
        alone[self.alone.ahead.asset] = self._on_the_clock_of_the_plant(self.alone.ahead.time)
        alone[self.failed] = self._on_the_clock_of_the_plant(self.at)
        alone[self.alone.before] = -FOREVER
        now = self.moment.now  # when they went down matters no more
        falls = np.maximum(alone, now), np.maximum(self._falls, now)
        return _are_same(*falls) and _are_same(*self._felt(alone))

    def _felt(self, alone: Floats) -> tuple[Floats, Floats]:
        """When the losses are felt that take a while, of those that are down: where all were well
        and these went down then, and here; by now at the earliest.
        """
        arrays, now = self.declared.arrays, self.moment.now
        late = np.flatnonzero(self.declared.feeds.transfer > 0)
        late = late[self.down[arrays.provider[late]]]
        due = alone[arrays.provider[late]] + self.declared.feeds.transfer[late]
        found = np.full(len(self.declared.feeds.provider), now)
        found[self.moment.coming] = self.moment.due
        return np.maximum(due, now), found[late]

    def _is_full_or_runs_from_full(self) -> bool:
        """Whether all buffers of those that are up are full, or were when they began to run."""
        return all(
            ((one.mode == timers.DRAINING) & (one.level == one.full))[~self.down[owner]].all()
            for one, owner in _owned(self.moment, self.declared)
        )

    def _taken(self) -> Evolution | None:
        with suppress(IndexError):  # many may ask at once
            return self._spare.pop()
        return None

    @cached_property
    def _later(self) -> Evolution:
        """When all has happened that happens without any further failure."""
        if self.moment.next == FOREVER:
            return self.plant
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
        return self.now + (time - self.moment.now)

    def _on_the_clock_of_the_plant(self, time: Any) -> Any:
        return self.moment.now + (time - self.now)

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


def _are_same(one: Floats, other: Floats) -> bool:
    return bool(np.allclose(one, other, rtol=0.0, atol=SAME))


def is_at_rest(moment: Moment, network: Network) -> bool:
    """Whether there is nothing to tell: all buffers of those that are up are full, and all losses
    of those that are down are felt at once.
    """
    late = network.arrays.provider[network.feeds.transfer > 0]
    owners = np.concatenate([owner for _, owner in _owned(moment, network)])
    return not np.isin(late, moment.down).any() and bool(np.isin(owners, moment.down).all())


def _owned(moment: Moment, network: Network) -> Iterator[tuple[Charges, Ints]]:
    """The buffers of groups that are not full, then the storages, and whose they are."""
    yield moment.buffers, network.feeds.consumer[moment.buffers.at]
    yield moment.storages, network.links.storages.asset[moment.storages.at]
