"""AssetImpact: the answer to "what fails next", with its reasons, made as far as it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from twinfall.analytics.bounds import Doubt
from twinfall.analytics.degrading import Degraded
from twinfall.analytics.gathering import NotEvaluated, Rows
from twinfall.analytics.nearmisses import NearMiss, near_misses, on_borrowed_time
from twinfall.analytics.network import Impact
from twinfall.analytics.states import State
from twinfall.analytics.why import Losses

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork

MAX_TAKEN = 512
"""Sets of failed assets of which it is kept what they take down."""
MAX_FAILED_TOGETHER = 50
"""Failed assets among which the causes that cannot be spared are looked for."""


@dataclass(frozen=True, slots=True)
class ServiceTotal:
    """How many affected assets give a service."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Over all that go down, the failed ones apart; exact whatever part of the list is read.
    `degraded` counts what goes on with less, which nothing else here counts.
    """

    assets: int
    customers: float
    value: float
    services: tuple[ServiceTotal, ...]
    degraded: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Totals between which the truth lies, as far as states are unknown: over what goes down
    whatever they are, and over what may go down in some case. Each number is a bound by itself.
    """

    optimistic: Totals
    pessimistic: Totals


@dataclass(frozen=True, slots=True)
class Wave:
    """One round of failures, `at` seconds after the first one: how many go down."""

    wave: int
    at: float
    count: int


@dataclass(frozen=True, slots=True)
class Impacted:
    """One affected asset: when, which group (or carrier) was lost with which votes, the asset
    whose loss decided it, and the path of causes from a failed asset to this one.
    """

    id: str
    wave: int
    at: float
    to: State
    group: str | None
    votes: str | None
    cause: str | None
    path: tuple[str, ...]
    before: State = "ok"
    level: float | None = None
    """What is left of a degraded asset, 0 to 1."""
    find_minimal: Callable[[], tuple[str, ...] | None] = field(
        default=lambda: None, repr=False, compare=False
    )

    @property
    def minimal_causes(self) -> tuple[str, ...] | None:
        """Failed assets none of which can be spared: with any one of them in order, the others
        would not have taken this one down in the end. None where more than MAX_FAILED_TOGETHER
        failed, and of what is degraded.
        """
        return self.find_minimal()

    @property
    def spof(self) -> bool | None:
        """Whether one of the failed ones takes this one down alone. None as `minimal_causes`."""
        causes = self.minimal_causes
        return None if causes is None else len(causes) == 1


def shown(impact: Impact, visible: int) -> Impact:
    """Without gates: waves numbered on without theirs, their own causes instead of them."""
    if not len(impact) or impact.asset.max() < visible:
        return impact
    kept = impact.asset < visible
    own = dict(zip(impact.asset[~kept].tolist(), impact.cause[~kept].tolist(), strict=True))
    causes = [own.get(cause, cause) for cause in impact.cause[kept].tolist()]
    _, wave = np.unique(impact.wave[kept], return_inverse=True)
    return Impact(
        impact.failed,
        impact.asset[kept],
        (wave.reshape(-1) + 1).astype(np.int32),
        impact.time[kept],
        impact.group[kept],
        np.array(causes, np.int32),
    )


class AssetImpact:
    """One impact, by twin ids. Order: time, then position (that is, id)."""

    def __init__(
        self,
        assets: AssetNetwork,
        impact: Impact,
        doubt: Doubt | None = None,
        horizon: float = np.inf,
    ) -> None:
        self.assets = assets
        self.whole = impact
        """Gates included."""
        self.impact = shown(impact, assets.visible)
        self.horizon = horizon
        self._doubt = doubt
        self._taken: dict[tuple[int, ...], Rows] = {}
        self.snapshot = assets.snapshot

    @property
    def count(self) -> int:
        """How many assets are affected: down or degraded."""
        return len(self.impact) + len(self.degraded)

    @property
    def not_evaluated(self) -> tuple[NotEvaluated, ...]:
        """Twins that could not be evaluated fully."""
        return self.assets.not_evaluated

    @property
    def baseline_down(self) -> tuple[str, ...]:
        """What was down before."""
        return self.assets.baseline_down

    @cached_property
    def degraded(self) -> Degraded:
        """What loses quality and stays up."""
        return self.assets.compiled.soft.after(
            self.whole, self.assets.course.anyway(self.horizon), self.horizon
        )

    @cached_property
    def totals(self) -> Totals:
        """Sums over everything that goes down."""
        return self.sums(self.impact.asset, len(self.degraded))

    @cached_property
    def bounds(self) -> Bounds:
        """The totals over what is affected whatever the unknown are, and over all that may be."""
        doubt, soft, visible = self._doubt, self.assets.compiled.soft, self.assets.visible
        if doubt is None:
            return Bounds(self.totals, self.totals)
        sure, worst = doubt.certain(), doubt.possible()
        less, more = doubt.degraded(soft, self.degraded)
        return Bounds(
            self.sums(sure[sure < visible], less), self.sums(worst[worst < visible], more)
        )

    def sums(self, affected: Rows, degraded: int = 0) -> Totals:
        """The totals over these positions, each once."""
        compiled = self.assets.compiled
        down = np.zeros(len(self.assets.ids), bool)
        down[affected] = True
        counts = ((name, int(down[rows].sum())) for name, rows in compiled.services)
        return Totals(
            len(affected),
            float(compiled.customers[affected].sum()),
            float(compiled.value[affected].sum()),
            tuple(ServiceTotal(name, count) for name, count in counts if count),
            degraded,
        )

    @cached_property
    def waves(self) -> tuple[Wave, ...]:
        """The waves in order."""
        numbers, first, counts = np.unique(self.impact.wave, return_index=True, return_counts=True)
        times = self.impact.time[first]
        return tuple(
            Wave(int(n), float(t), int(c)) for n, t, c in zip(numbers, times, counts, strict=True)
        )

    def affected(self, start: int = 0, stop: int | None = None) -> list[Impacted]:
        """The affected assets from `start` up to `stop`."""
        stop = self.count if stop is None else min(stop, self.count)
        rows = range(max(0, start), stop)
        if not len(self.degraded):
            return [self._impacted(row) for row in rows]
        down = len(self.impact)
        return [
            self._impacted(at)
            if (at := int(self._order[row])) < down
            else self._lessened(at - down)
            for row in rows
        ]

    def of(self, asset: int) -> Impacted | None:
        """What happens to the asset at this position; None where it does not go down."""
        rows = np.flatnonzero(self.impact.asset == asset)
        return self._impacted(int(rows[0])) if len(rows) else None

    @cached_property
    def _order(self) -> Rows:
        """What goes down, then what degrades, brought into the order of the answer."""
        time = np.concatenate([self.impact.time, self.degraded.time])
        asset = np.concatenate([self.impact.asset, self.degraded.asset])
        order: Rows = np.lexsort((asset, time)).astype(np.int32)
        return order

    @cached_property
    def near(self) -> tuple[NearMiss, ...]:
        """Assets that lost a feed and would fail with the next one, and those that go down after
        the horizon on what is left of a buffer or a delay; by id, then group.
        """
        found = list(near_misses(self._losses))
        if self.horizon < np.inf:
            later = shown(self.assets.course.after(self.whole.failed), self.assets.visible)
            found += on_borrowed_time(self._losses, later)
        return tuple(sorted(found, key=lambda miss: (miss.id, miss.group)))

    def near_misses(self, first: int = 20) -> list[NearMiss]:
        """The first ones of `near`."""
        return list(self.near[:first])

    # -- one asset ------------------------------------------------------------------------

    @cached_property
    def _losses(self) -> Losses:
        return Losses(self.assets, self.whole)

    def _impacted(self, row: int) -> Impacted:
        impact, ids = self.impact, self.assets.ids
        group, cause = int(impact.group[row]), int(impact.cause[row])
        asset = int(impact.asset[row])
        name, votes = self._losses.why(group, asset)
        return Impacted(
            ids[asset],
            int(impact.wave[row]),
            float(impact.time[row]),
            "failed",
            name,
            votes,
            None if cause < 0 else ids[cause],
            self._losses.path(asset),
            self.assets.state(ids[asset]),
            find_minimal=lambda: self._minimal(asset),
        )

    def _minimal(self, asset: int) -> tuple[str, ...] | None:
        """The first failed asset that takes this one down alone; or leave out one after the other,
        as long as this one goes down.
        """
        kept = tuple(self.impact.failed.tolist())
        if len(kept) > MAX_FAILED_TOGETHER:
            return None
        alone = next((one for one in kept if self._takes((one,), asset)), None)
        if alone is not None:
            kept = (alone,)
        for one in kept[:]:
            rest = tuple(other for other in kept if other != one)
            if rest and self._takes(rest, asset):
                kept = rest
        return tuple(self.assets.ids[one] for one in kept)

    def _takes(self, failed: tuple[int, ...], asset: int) -> bool:
        """Whether these alone, of the failed ones, take an asset down. Most assets go down by the
        same ones, so what they take is kept.
        """
        if len(failed) == len(self.impact.failed):
            return True
        if failed not in self._taken:
            if len(self._taken) == MAX_TAKEN:
                self._taken.clear()
            before = self.assets.course.failed.tolist()
            self._taken[failed] = np.sort(self.assets.network.down([*before, *failed]))
        down = self._taken[failed]
        at = int(np.searchsorted(down, asset))
        return at < len(down) and int(down[at]) == asset

    def _lessened(self, row: int) -> Impacted:
        found, ids, soft = self.degraded, self.assets.ids, self.assets.compiled.soft
        group, asset = int(found.group[row]), int(found.asset[row])
        start, edges = soft.by_group
        feeds = edges[start[group] : start[group + 1]]
        until = float(found.time[row]) - float(soft.feeds.autonomy[group])
        lost = self._losses.lost(soft.feeds, feeds, until, np.inf)
        cause = self._losses.shown(int(found.cause[row]))
        return Impacted(
            ids[asset],
            self._wave_of(cause) + 1,
            float(found.time[row]),
            "degraded",
            soft.names[soft.name[group]],
            self._losses.said(lost, soft.feeds, group),
            ids[cause],
            (*self._losses.path(cause), ids[asset]),
            self.assets.state(ids[asset]),
            float(soft.level[group]),
        )

    def _wave_of(self, asset: int) -> int:
        at = np.flatnonzero(self.impact.asset == asset)
        return int(self.impact.wave[at[0]]) if len(at) else 0
