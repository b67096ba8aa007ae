"""Several failures at once: what explains the alarms that one failure leaves, or only both do.

A few of the best explanations are taken on: by assets that explain what they leave, and by assets
around it whose loss counts only together with theirs. Each set is followed through the cascade
before it is judged. Where there are few assets to choose from, every set is tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, islice
from math import log

import numpy as np

from twinfall.analytics.network import Flags, Network
from twinfall.analytics.rootcause.searching import Case, Hypothesis
from twinfall.analytics.rootcause.seen import Ints, Weights

CLEARLY = log(100.0)
"""Every further failure must make what is seen so much likelier, or the set is not reported."""
SEEDS = 4
"""Explanations that are taken on."""
ADDED = 8
"""Assets that each of them is tried with, of either kind."""
ALIKE = 2
"""Of those that seem equally good."""
FEW = 10
"""Assets of which every set is tried."""
MAX_CLUSTER = 500
"""Alarms that are looked around."""


class Together:
    """Sets of failures of one case, under the weights that its single ones were judged by."""

    def __init__(self, case: Case, weights: Weights) -> None:
        self.case = case
        self.weights = weights
        self._around = _Around(case.network)

    def search(self, seeds: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Sets that beat everything smaller clearly, nothing at all too, of the size that does;
        likeliest first. `seeds` are the best single ones, in order.
        """
        best, best_size = max(0.0, seeds[0].score), 1
        level = _distinct(seeds)
        found: list[Hypothesis] = []
        for size in range(2, self.case.odds.roots + 1):
            if not self._can_beat(best, size):
                break
            some = self._of_size(level, size, best)
            tried = sorted(some, key=lambda one: (-one.score, one.roots))
            level = _distinct(tried)
            needed = best + CLEARLY * (size - best_size)
            clear = [one for one in tried if one.score > needed]
            if clear:
                found = [replace(one, gain=one.score - best) for one in clear]
                best, best_size = clear[0].score, size
        return found

    def _can_beat(self, best: float, size: int) -> bool:
        """Whether so many could, if they explained everything."""
        most = float(self.case.prior.max(initial=-np.inf))
        everything = len(self.case.observed.alarm) * self.weights.alarm
        return everything + size * most > best + CLEARLY

    def _of_size(self, level: Sequence[Hypothesis], size: int, best: float) -> Iterator[Hypothesis]:
        choice = self._few()
        sets: set[tuple[int, ...]] = set()
        if choice is not None:
            sets.update(combinations(choice, size))
        else:
            for one in level:
                sets.update(_with(one.roots, asset) for asset in self._worth_adding(one, best))
        for roots in sorted(sets):
            if len(roots) == size:
                yield self._judged(roots)

    def _judged(self, roots: tuple[int, ...]) -> Hypothesis:
        found = self.case.follow(roots, self.weights)
        prior = float(self.case.prior[list(roots)].sum())
        return Hypothesis(roots, found.weigh(self.weights) + prior, found)

    def _few(self) -> list[int] | None:
        """All assets that can have to do with it, ascending, if they are few."""
        suspects, alarms = self.case.suspects.asset, self.case.observed.alarm
        if len(suspects) > FEW or len(alarms) > FEW:
            return None
        behind = self._around.behind(alarms.tolist())
        choice = sorted({*suspects.tolist(), *behind})
        return choice if len(choice) <= FEW else None

    def _worth_adding(self, to: Hypothesis, best: float) -> list[int]:
        """Assets by which this explanation may become clearly better than the best one."""
        open_ = np.ones(len(self.case.observed.alarm), bool)
        open_[to.fit.explained] = False
        down = np.zeros(self.case.network.n, bool)
        down[to.fit.down] = True
        near = self._around.edge(self.case.observed.alarm[open_], down)
        lacks = best + CLEARLY - to.score
        return [*self._adding(open_, down, lacks), *islice(near, 2 * ADDED)]

    def _adding(self, open_: Flags, down: Flags, lacks: float) -> list[int]:
        """Those that by themselves explain enough of what is open."""
        case, suspects = self.case, self.case.suspects
        silent, quiet = case.observed.silent & ~down, case.observed.quiet & ~down
        ways = suspects.only(open_, silent, quiet)
        worth = np.max([way.weigh(self.weights) for way in ways], axis=0)
        worth += case.prior[suspects.asset]
        worth[down[suspects.asset]] = -np.inf
        order = np.argsort(-worth, kind="stable")
        order = order[worth[order] > lacks]
        return [int(suspects.asset[row]) for row in _few_alike(order.tolist(), worth.tolist())]


class _Around:
    """Who feeds whom and who is connected to whom, both up before the question."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def behind(self, assets: Iterable[int]) -> set[int]:
        """What feeds or touches these, and whatever takes one of those down."""
        causes = self._network.causes()
        near = {other for asset in assets for other in self.of(asset)}
        return {other for one in near for other in (one, *causes.of(one).tolist())}

    def of(self, asset: int) -> list[int]:
        """What feeds an asset, and what it is connected to."""
        a, found = self._network.arrays, []
        for group in a.groups[a.group_start[asset] : a.group_start[asset + 1]]:
            found.extend(a.provider[self._network.edges_of(group)].tolist())
        for carrier in range(self._network.links.carriers):
            at = carrier * self._network.n + asset
            found.extend(a.touch[a.touch_start[at] : a.touch_start[at + 1]].tolist())
        return [one for one in dict.fromkeys(found) if self._is_asset(one)]

    def _is_asset(self, one: int) -> bool:
        return one < self._network.visible and not self._network.baseline[one]

    def edge(self, open_: Ints, down: Flags) -> Iterator[int]:
        """Assets around several open alarms that hang together with what is `down`: where those
        end, and what stands beside them, up.
        """
        waiting = set(open_.tolist())
        for one in open_.tolist()[:MAX_CLUSTER]:
            if one in waiting and any(down[other] for other in self.of(one)):
                cluster = self._cluster(one, waiting)
                waiting.difference_update(cluster)
                if len(cluster) > 1:
                    yield from self._edge(cluster, down)

    def _cluster(self, first: int, waiting: set[int]) -> list[int]:
        """The open alarms that hang together with this one."""
        queue, seen = [first], {first}
        for one in queue:
            for other in self.of(one):
                if other in waiting and other not in seen and len(seen) < MAX_CLUSTER:
                    seen.add(other)
                    queue.append(other)
        return queue

    def _edge(self, cluster: Sequence[int], down: Flags) -> Iterator[int]:
        inside = set(cluster)
        for one in cluster:
            up = [other for other in self.of(one) if not down[other] and other not in inside]
            if up:
                yield from (one, *up)


def _with(roots: tuple[int, ...], asset: int) -> tuple[int, ...]:
    return tuple(sorted({*roots, asset}))


def _distinct(ordered: Sequence[Hypothesis]) -> list[Hypothesis]:
    """The first ones, one of each kind."""
    kinds = {one.likeness: one for one in reversed(ordered[: 8 * SEEDS])}
    first = sorted(kinds.values(), key=lambda one: (-one.score, one.roots))
    return first[:SEEDS]


def _few_alike(order: Sequence[int], worth: Sequence[float]) -> Iterator[int]:
    """ADDED of them, no more than ALIKE of equal worth."""
    taken: dict[float, int] = {}
    for row in order:
        key = round(worth[row], 6)
        taken[key] = taken.get(key, 0) + 1
        if taken[key] <= ALIKE:
            yield row
        if sum(min(count, ALIKE) for count in taken.values()) >= ADDED:
            return
