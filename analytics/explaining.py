"""AssetImpact: the answer to "what fails next", with its reasons, made as far as it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from twinfall.analytics.compiling import NotEvaluated, Rows
from twinfall.analytics.degrading import Degraded
from twinfall.analytics.feeds import Feeds
from twinfall.analytics.network import Impact
from twinfall.analytics.states import State

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork

MAX_NAMED = 10
"""Lost providers named in `votes`."""
MAX_PATH = 1_000
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
    """Totals between which the truth lies, as far as states are unknown."""

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


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An asset that stayed up although this failure took feeds of it: after `margin` more lost
    feeds of the group it stands with nothing to spare (0: the next one fails it).
    """

    id: str
    group: str
    margin: int
    would_fail_if: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Lost:
    """The providers that a group lost, by position, and the weight of all that it has."""

    providers: tuple[int, ...]
    weights: Mapping[int, int]

    @property
    def size(self) -> int:
        return len(self.weights)

    @property
    def shared(self) -> bool:
        """Whether shares are weighed, not feeds counted."""
        return any(weight > 1 for weight in self.weights.values())

    @property
    def weight(self) -> int:
        return sum(self.weights[p] for p in self.providers)

    def decisive(self, fail_at: int) -> list[int]:
        """Providers left, any of which would lose the group if it were the next one lost."""
        if not self.weight < fail_at:
            return []
        left = sorted(set(self.weights) - set(self.providers))
        return [p for p in left if self.weight + self.weights[p] >= fail_at]


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
        possible: Callable[[], Rows] | None = None,
        horizon: float = np.inf,
    ) -> None:
        self.assets = assets
        self.whole = impact
        """Gates included."""
        self.impact = shown(impact, assets.visible)
        self.horizon = horizon
        self._possible = possible
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
        return self._totals(self.impact.asset, len(self.degraded))

    @cached_property
    def bounds(self) -> Bounds:
        """The totals if everything unknown is up, and over all that may be affected at worst."""
        worst = self.impact.asset if self._possible is None else self._possible()
        worst = worst[worst < self.assets.visible]
        if len(worst) == len(self.impact.asset):
            return Bounds(self.totals, self.totals)
        return Bounds(self.totals, self._totals(worst, len(self.degraded)))

    def _totals(self, affected: Rows, degraded: int) -> Totals:
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

    def near_misses(self, first: int = 20) -> list[NearMiss]:
        """Assets that lost a feed and would fail with the next one, by id."""
        misses = list(self._near_misses())
        misses.sort(key=lambda miss: (miss.id, miss.group))
        return misses[:first]

    # -- one asset ------------------------------------------------------------------------

    @cached_property
    def _row(self) -> dict[int, int]:
        return {int(asset): row for row, asset in enumerate(self.whole.asset)}

    @cached_property
    def _failed(self) -> frozenset[int]:
        return frozenset(int(asset) for asset in self.impact.failed)

    def _impacted(self, row: int) -> Impacted:
        impact, ids = self.impact, self.assets.ids
        group, cause = int(impact.group[row]), int(impact.cause[row])
        asset = int(impact.asset[row])
        name, votes = self._why(group, asset)
        return Impacted(
            ids[asset],
            int(impact.wave[row]),
            float(impact.time[row]),
            "failed",
            name,
            votes,
            None if cause < 0 else ids[cause],
            self._path(asset),
            self.assets.state(ids[asset]),
            find_minimal=lambda: self._minimal(asset),
        )

    def _minimal(self, asset: int) -> tuple[str, ...] | None:
        """Leave out one failed asset after the other, as long as this one goes down."""
        kept = self.impact.failed.tolist()
        if len(kept) > MAX_FAILED_TOGETHER:
            return None
        before = self.assets.course.failed.tolist()
        for one in self.impact.failed.tolist():
            rest = [other for other in kept if other != one]
            if rest and asset in self.assets.network.down([*before, *rest]):
                kept = rest
        return tuple(self.assets.ids[one] for one in kept)

    def _lessened(self, row: int) -> Impacted:
        found, ids, soft = self.degraded, self.assets.ids, self.assets.compiled.soft
        group, asset = int(found.group[row]), int(found.asset[row])
        start, edges = soft.by_group
        feeds = edges[start[group] : start[group + 1]]
        until = float(found.time[row]) - float(soft.feeds.autonomy[group])
        lost = self._lost(soft.feeds, feeds, until, np.inf)
        cause = self._shown(int(found.cause[row]))
        return Impacted(
            ids[asset],
            self._wave_of(cause) + 1,
            float(found.time[row]),
            "degraded",
            soft.names[soft.name[group]],
            self._said(lost, soft.feeds, group),
            ids[cause],
            (*self._path(cause), ids[asset]),
            self.assets.state(ids[asset]),
            float(soft.level[group]),
        )

    def _wave_of(self, asset: int) -> int:
        at = np.flatnonzero(self.impact.asset == asset)
        return int(self.impact.wave[at[0]]) if len(at) else 0

    def _shown(self, asset: int) -> int:
        """The asset itself; of a gate, the asset that it stands for."""
        behind = asset - self.assets.visible
        return asset if behind < 0 else int(self.assets.compiled.behind[behind])

    def _path(self, asset: int) -> tuple[str, ...]:
        """From a failed asset along the causes to this one, past gates."""
        path, seen = [asset], {asset}
        while asset not in self._failed and asset in self._row and len(path) < MAX_PATH:
            asset = int(self.whole.cause[self._row[asset]])
            if asset < 0 or asset in seen:
                break
            path.append(asset)
            seen.add(asset)
        return tuple(self.assets.ids[p] for p in reversed(path) if p < self.assets.visible)

    def _why(self, group: int, asset: int) -> tuple[str, str]:
        compiled = self.assets.compiled
        if group < 0:
            carrier = compiled.carriers[-2 - group]
            return carrier, f"no source of {carrier} reached"
        network = self.assets.network
        row = self._row[asset]
        time = float(self.whole.time[row]) - float(network.feeds.autonomy[group])
        lost = self._lost(network.feeds, network.edges_of(group), time, float(self.whole.wave[row]))
        return compiled.group_names[compiled.group_name[group]], self._said(
            lost, network.feeds, group
        )

    def _said(self, lost: _Lost, feeds: Feeds, group: int) -> str:
        named = [self.assets.ids[self._shown(p)] for p in lost.providers[:MAX_NAMED]]
        left_out = len(lost.providers) - len(named)
        more = f" and {left_out} more" if left_out else ""
        votes = f"{len(lost.providers)} of {lost.size} lost"
        votes += f": {', '.join(named)}{more}" if named else ""
        fail_at = int(feeds.fail_at[group])
        if lost.shared and lost.weight >= fail_at:
            total = sum(lost.weights.values())
            left = (total - lost.weight) / (total - fail_at + 1)
            votes += f", {left:.0%} of what it needs left"
        if lost.weight < fail_at:
            votes += ", the others only hung on each other"
        return votes

    def _lost(self, feeds: Feeds, edges: Any, time: float, wave: float) -> _Lost:
        """What a group with these feeds lost until then."""
        weight = {int(feeds.provider[e]): int(feeds.weight[e]) for e in edges}
        delay = {int(feeds.provider[e]): float(feeds.transfer[e]) for e in edges}
        return _Lost(
            tuple(p for p in sorted(weight) if self._gone(p, delay[p], time, wave)), weight
        )

    def _gone(self, provider: int, transfer: float, time: float, wave: float) -> bool:
        gone = self.assets.course.gone_at(provider)
        if gone < np.inf and gone + transfer <= time:
            return True
        if provider in self._failed:
            return transfer <= time
        row = self._row.get(provider)
        if row is None or self.whole.wave[row] >= wave:
            return False
        return float(self.whole.time[row]) + transfer <= time

    # -- near misses ----------------------------------------------------------------------

    def _near_misses(self) -> Iterator[NearMiss]:
        network, compiled = self.assets.network, self.assets.compiled
        ids = self.assets.ids
        for group in self._touched():
            consumer = int(network.feeds.consumer[group])
            fail_at = int(network.feeds.fail_at[group])
            up = not self.assets.course.down[consumer] and consumer not in self._row
            hidden = consumer >= self.assets.visible
            if not up or hidden or consumer in self._failed or fail_at == 0:
                continue
            edges = network.edges_of(group)
            last = self._lost(network.feeds, edges, np.inf, np.inf).decisive(fail_at)
            if last:
                name = compiled.group_names[compiled.group_name[group]]
                shown = sorted({self._shown(p) for p in last})
                yield NearMiss(ids[consumer], name, 0, tuple(ids[p] for p in shown))

    def _touched(self) -> list[int]:
        """Groups that lost a feed to this failure."""
        arrays = self.assets.network.arrays
        down = np.concatenate([self.whole.failed, self.whole.asset])
        spans = [arrays.group[arrays.out_start[p] : arrays.out_start[p + 1]] for p in down]
        return [int(g) for g in np.unique(np.concatenate([np.zeros(0, np.int32), *spans]))]
