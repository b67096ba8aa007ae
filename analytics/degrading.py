"""Degradation: what loses quality, not service, when a group with `effect: degrade` is lost.

A degraded asset goes on feeding others: degradation does not spread. So it is looked up once the
cascade is known, at the cost of the groups that the cascade touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics import kernels
from twinfall.analytics.feeds import Feeds, Said, feeds_of
from twinfall.analytics.going import AnyCourse
from twinfall.analytics.grouping import Groups
from twinfall.analytics.network import Impact
from twinfall.analytics.votes import Ballot, decisive

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Degraded:
    """What is degraded, each asset once, by its first lost group: as in Impact."""

    asset: Ints
    wave: Ints
    time: Floats
    group: Ints
    cause: Ints

    def __len__(self) -> int:
        return len(self.asset)


_NONE = Degraded(*(np.zeros(0, kind) for kind in ("i4", "i4", "f8", "i4", "i4")))


@dataclass(frozen=True)
class Soft:
    """Groups that degrade their consumers, beside those of the network; `level` is what is left."""

    feeds: Feeds
    names: tuple[str, ...]
    name: Ints
    level: Floats
    n: int

    @classmethod
    def of(cls, n: int, groups: Groups, names: Mapping[str, int]) -> Soft:
        """Take the groups as they are declared."""
        rows = groups.rows
        ballot = Ballot(
            groups.rules(), groups.wanted(), rows.share, groups.of("min_share"), rows.priority,
            rows.start,
        )  # fmt: skip
        said = Said(ballot, groups.of("autonomy"), None, rows.transfer)
        feeds = feeds_of(n, (rows.provider, rows.consumer, groups.group), said, None)
        return cls(feeds, tuple(names), groups.of("name"), groups.of("level"), n)

    def __len__(self) -> int:
        return self.feeds.count

    @cached_property
    def by_provider(self) -> tuple[Any, Any]:
        """The feeds of each provider: start [n + 1], feeds."""
        found: tuple[Any, Any] = kernels.csr(self.feeds.provider, self.n)
        return found

    @cached_property
    def by_group(self) -> tuple[Any, Any]:
        """The feeds of each group: start [G + 1], feeds."""
        found: tuple[Any, Any] = kernels.csr(self.feeds.group, self.feeds.count)
        return found

    @cached_property
    def by_consumer(self) -> tuple[Any, Any]:
        """The groups of each consumer: start [n + 1], groups."""
        consumer = np.ascontiguousarray(self.feeds.consumer)
        found: tuple[Any, Any] = kernels.csr(consumer, self.n)
        return found

    def before(self, down: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which groups are lost while these assets are down."""
        feeds = self.feeds
        lost = np.bincount(
            feeds.group, weights=feeds.weight * down[feeds.provider], minlength=feeds.count
        )
        found: NDArray[np.bool_] = (feeds.fail_at > 0) & (lost >= feeds.fail_at)
        return found

    def fed_by(self, assets: Ints) -> NDArray[np.bool_]:
        """Which groups these assets feed."""
        start, edges = self.by_provider
        found = np.zeros(len(self), np.bool_)
        found[self.feeds.group[edges[_spans(start, assets)]]] = True
        return found

    def after(self, impact: Impact, down: NDArray[np.bool_], horizon: float) -> Degraded:
        """What this failure degrades; `down` is what is down by the horizon without it. Assets
        that go down themselves are left out, and those that are degraded already.
        """
        if not len(self):
            return _NONE
        asset = np.concatenate([impact.failed, impact.asset])
        time = np.concatenate([np.zeros(len(impact.failed)), impact.time])
        wave = np.concatenate([np.zeros(len(impact.failed), np.int32), impact.wave])
        rows, when = self._lost(asset, time, down)
        gone = down.copy()
        gone[asset] = True
        consumer = self.feeds.consumer[self.feeds.group[rows]]
        kept = (when >= 0) & (when <= horizon) & ~gone[consumer]
        return self._once(
            rows[kept], when[kept], dict(zip(asset.tolist(), wave.tolist(), strict=True))
        )

    def along(self, course: AnyCourse) -> tuple[Ints, Floats]:
        """The groups that are lost before these failures or by the course that they take, and
        when that degrades their consumers, in seconds after its origin (-inf: before).
        """
        before = course.before
        always = np.flatnonzero(self.before(before)).astype(np.int32)
        asset = np.concatenate([course.failed, course.ahead.asset])
        time = np.concatenate([course.at, course.ahead.time])
        rows, when = self._lost(asset, time, before)
        groups = np.concatenate([always, self.feeds.group[rows]])
        return groups, np.concatenate([np.full(len(always), -np.inf), when])

    def _lost(self, asset: Ints, time: Floats, down: NDArray[np.bool_]) -> tuple[Any, Floats]:
        """Of the groups that these assets feed, which go down at these times: the feeds whose
        loss loses them, and when their consumers degrade. What is `down` is lost already.
        """
        feeds = self.feeds
        start, edges = self.by_provider
        touched = np.unique(feeds.group[edges[_spans(start, asset)]])
        if not len(touched):
            return np.zeros(0, np.int32), np.zeros(0)
        rows = self.by_group[1][_spans(self.by_group[0], touched)]
        order = np.argsort(asset, kind="stable")
        ranked = asset[order]
        at = np.minimum(np.searchsorted(ranked, feeds.provider[rows]), len(ranked) - 1)
        hit = ranked[at] == feeds.provider[rows]
        lost = np.full(len(rows), np.inf)
        lost[hit] = time[order[at[hit]]] + feeds.transfer[rows[hit]]
        lost[down[feeds.provider[rows]]] = -np.inf
        return self._decisive(rows, lost)

    def _decisive(self, rows: Any, lost: Floats) -> tuple[Any, Floats]:
        """For each group among these feeds that is lost: the feed that decides it, and when the
        consumer degrades (-inf: it has been lost before).
        """
        feeds = self.feeds
        group = feeds.group[rows]
        order = np.lexsort((rows, lost, group))
        rows, group, lost = rows[order], group[order], lost[order]
        weight = np.where(np.isfinite(lost) | (lost < 0), feeds.weight[rows], 0)
        crossing = decisive(group, weight, feeds.fail_at[group])
        return rows[crossing], lost[crossing] + feeds.autonomy[group[crossing]]

    def _once(self, rows: Any, when: Floats, waves: Mapping[int, int]) -> Degraded:
        """By time, then position, each consumer by the first of its groups."""
        feeds = self.feeds
        group = feeds.group[rows]
        consumer = feeds.consumer[group]
        order = np.lexsort((group, consumer, when))
        _, first = np.unique(consumer[order], return_index=True)
        kept = order[np.sort(first)]
        cause = feeds.provider[rows[kept]]
        wave = np.array([waves.get(int(c), 0) + 1 for c in cause], np.int32)
        return Degraded(consumer[kept], wave, when[kept], group[kept], cause)


def _spans(start: Any, at: Any) -> Any:
    """The entries start[i]..start[i + 1] - 1 for each i of `at`, one after the other."""
    begin = start[at].astype(np.int64)
    counts = start[at + 1] - begin
    shift = np.repeat(begin - np.cumsum(counts) + counts, counts)
    return np.arange(int(counts.sum())) + shift
