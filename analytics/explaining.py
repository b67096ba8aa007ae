"""AssetImpact: the answer to "what fails next", with its reasons, made as far as it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from twinfall.analytics.compiling import NotEvaluated, Rows
from twinfall.analytics.network import Impact
from twinfall.analytics.states import State

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork

MAX_NAMED = 10
"""Lost providers named in `votes`."""
MAX_PATH = 1_000


@dataclass(frozen=True, slots=True)
class ServiceTotal:
    """How many affected assets give a service."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Over all affected assets, the failed ones apart; exact whatever part of the list is read."""

    assets: int
    customers: float
    value: float
    services: tuple[ServiceTotal, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Totals between which the truth lies, as far as states are unknown."""

    optimistic: Totals
    pessimistic: Totals


@dataclass(frozen=True, slots=True)
class Wave:
    """One round of failures: `at` seconds after the first failure."""

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


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An asset that stayed up although this failure took feeds of it: after `margin` more lost
    feeds of the group it stands with nothing to spare (0: the next one fails it).
    """

    id: str
    group: str
    margin: int
    would_fail_if: tuple[str, ...]


class AssetImpact:
    """One impact, by twin ids. Order: time, then position (that is, id)."""

    def __init__(
        self,
        assets: AssetNetwork,
        impact: Impact,
        possible: Callable[[], Rows] | None = None,
    ) -> None:
        self.assets = assets
        self.impact = impact
        self._possible = possible
        self.snapshot = assets.snapshot

    @property
    def count(self) -> int:
        """How many assets are affected."""
        return len(self.impact)

    @property
    def not_evaluated(self) -> tuple[NotEvaluated, ...]:
        """Twins that could not be evaluated fully."""
        return self.assets.not_evaluated

    @property
    def baseline_down(self) -> tuple[str, ...]:
        """What was down before."""
        return self.assets.baseline_down

    @cached_property
    def totals(self) -> Totals:
        """Sums over everything affected."""
        return self._totals(self.impact.asset)

    @cached_property
    def bounds(self) -> Bounds:
        """The totals if everything unknown is up, and over all that may be affected at worst."""
        worst = self.impact.asset if self._possible is None else self._possible()
        if len(worst) == len(self.impact.asset):
            return Bounds(self.totals, self.totals)
        return Bounds(self.totals, self._totals(worst))

    def _totals(self, affected: Rows) -> Totals:
        compiled = self.assets.compiled
        down = np.zeros(len(self.assets.ids), bool)
        down[affected] = True
        counts = ((name, int(down[rows].sum())) for name, rows in compiled.services)
        return Totals(
            len(affected),
            float(compiled.customers[affected].sum()),
            float(compiled.value[affected].sum()),
            tuple(ServiceTotal(name, count) for name, count in counts if count),
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
        return [self._impacted(row) for row in range(max(0, start), stop)]

    def near_misses(self, first: int = 20) -> list[NearMiss]:
        """Assets that lost a feed and would fail with the next one, by id."""
        misses = list(self._near_misses())
        misses.sort(key=lambda miss: (miss.id, miss.group))
        return misses[:first]

    # -- one asset ------------------------------------------------------------------------

    @cached_property
    def _row(self) -> dict[int, int]:
        return {int(asset): row for row, asset in enumerate(self.impact.asset)}

    @cached_property
    def _failed(self) -> frozenset[int]:
        return frozenset(int(asset) for asset in self.impact.failed)

    def _impacted(self, row: int) -> Impacted:
        impact, ids = self.impact, self.assets.ids
        group, cause = int(impact.group[row]), int(impact.cause[row])
        name, votes = self._why(group, row)
        return Impacted(
            ids[int(impact.asset[row])],
            int(impact.wave[row]),
            float(impact.time[row]),
            "failed",
            name,
            votes,
            None if cause < 0 else ids[cause],
            self._path(int(impact.asset[row])),
            self.assets.state(ids[int(impact.asset[row])]),
        )

    def _path(self, asset: int) -> tuple[str, ...]:
        """From a failed asset along the causes to this one."""
        path, seen = [asset], {asset}
        while asset not in self._failed and asset in self._row and len(path) < MAX_PATH:
            asset = int(self.impact.cause[self._row[asset]])
            if asset < 0 or asset in seen:
                break
            path.append(asset)
            seen.add(asset)
        return tuple(self.assets.ids[p] for p in reversed(path))

    def _why(self, group: int, row: int) -> tuple[str, str]:
        compiled = self.assets.compiled
        if group < 0:
            carrier = compiled.carriers[-2 - group]
            return carrier, f"no source of {carrier} reached"
        lost, size = self._lost(group, row)
        named = [self.assets.ids[p] for p in lost[:MAX_NAMED]]
        more = f" and {len(lost) - MAX_NAMED} more" if len(lost) > MAX_NAMED else ""
        votes = f"{len(lost)} of {size} lost" + (f": {', '.join(named)}{more}" if lost else "")
        if len(lost) < compiled.network.feeds.fail_at[group]:
            votes += ", the others only hung on each other"
        return compiled.group_names[compiled.group_name[group]], votes

    def _lost(self, group: int, row: int | None = None) -> tuple[list[int], int]:
        """The providers a group lost, by position, and how many it has; before the asset of a
        row went down by it, or in all.
        """
        network = self.assets.network
        arrays = network.arrays
        feeds = arrays.in_edges[arrays.in_start[group] : arrays.in_start[group + 1]]
        time, wave = np.inf, np.inf
        if row is not None:
            time = float(self.impact.time[row]) - float(network.feeds.autonomy[group])
            wave = float(self.impact.wave[row])
        lost = sorted(p for p, e in self._providers(feeds) if self._gone(p, e, time, wave))
        return lost, len(feeds)

    def _providers(self, feeds: Any) -> Iterator[tuple[int, int]]:
        provider = self.assets.network.feeds.provider
        return ((int(provider[e]), int(e)) for e in feeds)

    def _gone(self, provider: int, edge: int, time: float, wave: float) -> bool:
        transfer = float(self.assets.network.feeds.transfer[edge])
        gone = self.assets.course.gone_at(provider)
        if gone < np.inf and gone + transfer <= time:
            return True
        if provider in self._failed:
            return transfer <= time
        row = self._row.get(provider)
        if row is None or self.impact.wave[row] >= wave:
            return False
        return float(self.impact.time[row]) + transfer <= time

    # -- near misses ----------------------------------------------------------------------

    def _near_misses(self) -> Iterator[NearMiss]:
        network, compiled = self.assets.network, self.assets.compiled
        arrays, ids = network.arrays, self.assets.ids
        for group in self._touched():
            consumer = int(network.feeds.consumer[group])
            fail_at = int(network.feeds.fail_at[group])
            up = not self.assets.course.down[consumer] and consumer not in self._row
            if not up or consumer in self._failed or fail_at == 0:
                continue
            lost, _ = self._lost(group)
            if len(lost) != fail_at - 1:
                continue
            feeds = arrays.in_edges[arrays.in_start[group] : arrays.in_start[group + 1]]
            left = sorted({p for p, _ in self._providers(feeds)} - set(lost))
            name = compiled.group_names[compiled.group_name[group]]
            yield NearMiss(ids[consumer], name, 0, tuple(ids[p] for p in left))

    def _touched(self) -> list[int]:
        """Groups that lost a feed to this failure."""
        arrays = self.assets.network.arrays
        down = np.concatenate([self.impact.failed, self.impact.asset])
        spans = [arrays.group[arrays.out_start[p] : arrays.out_start[p + 1]] for p in down]
        return [int(g) for g in np.unique(np.concatenate([np.zeros(0, np.int32), *spans]))]
