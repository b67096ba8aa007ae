"""Minimal cut sets: the smallest sets of assets whose failure together takes one asset down.

Every cut contains something of every way in which the asset is held. So take one such way, fail
each of its members in turn, and look for the next way, as deep as the order asked for: a tree of
hitting sets (R. Reiter, "A theory of diagnosis from first principles", 1987). It is exact for every
rule of `docs/cascade.md`, for the end, when all buffers are empty.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.bounds import spans
from twinfall.analytics.kernels import holding
from twinfall.ontology.errors import BadInput

if TYPE_CHECKING:
    from twinfall.analytics.network import Network

Ints = NDArray[np.int32]

MAX_ORDER = 3
MAX_TRIED = 200_000
"""Sets that are tried for one asset."""
MAX_SETS = 10_000
SECONDS = 6.0
"""A question over HTTP is answered within ten."""


@dataclass(frozen=True, slots=True)
class CutSet:
    """Assets by position, ascending, and a way by which the loss of them reaches the asset."""

    members: tuple[int, ...]
    find_path: Callable[[], tuple[int, ...]] = field(repr=False, compare=False)

    @property
    def path(self) -> tuple[int, ...]:
        """Found when asked for: of thousands of sets few are shown."""
        return self.find_path()


@dataclass(frozen=True, slots=True)
class CutSets:
    """By size, then members. Not `complete` where the search was cut short."""

    asset: int
    sets: tuple[CutSet, ...]
    complete: bool
    tried: int


@dataclass(frozen=True, slots=True)
class Limits:
    """How far to search."""

    tried: int = MAX_TRIED
    sets: int = MAX_SETS
    seconds: float = SECONDS


def cut_sets(
    network: Network,
    asset: int,
    order: int = 1,
    *,
    down: NDArray[np.bool_] | None = None,
    limits: Limits = Limits(),
) -> CutSets:
    """All minimal sets of at most `order` others whose failure takes the asset down in the end.

    `down` is what is down before (the network's baseline). An asset that is down has none.
    Raises BadInput for an order outside 1..MAX_ORDER.
    """
    if not 1 <= order <= MAX_ORDER:
        raise BadInput(f"the order is from 1 to {MAX_ORDER}, not {order}", path="order")
    before = network.baseline if down is None else down
    if before[asset]:
        return CutSets(asset, (), True, 0)
    cone = Cone.of(network, asset, before)
    search = _Search(cone, order, limits)
    search.run()
    found = (
        CutSet(tuple(sorted(int(cone.assets[m]) for m in members)), partial(cone.path, members))
        for members in search.cuts
    )
    ordered = sorted(found, key=lambda cut: (len(cut.members), cut.members))
    return CutSets(asset, tuple(ordered), search.complete, search.tried)


@dataclass
class _Search:
    cone: Cone
    order: int
    limits: Limits
    cuts: list[frozenset[int]] = field(default_factory=list)
    complete: bool = True
    tried: int = 0

    def run(self) -> None:
        """Sets of one size after the other, so that no cut found is a superset of a later one."""
        until = time.monotonic() + self.limits.seconds
        level: set[frozenset[int]] = {frozenset()}
        for size in range(self.order + 1):
            after: set[frozenset[int]] = set()
            for failed in sorted(level, key=sorted):
                if self.tried >= self.limits.tried or time.monotonic() > until:
                    self.complete = False
                    return
                if any(cut <= failed for cut in self.cuts):
                    continue
                self.tried += 1
                way = self.cone.way(failed)
                if way is None:
                    self.cuts.append(failed)
                    if len(self.cuts) >= self.limits.sets:
                        self.complete = False
                        return
                elif size < self.order and len(after) <= self.limits.tried - self.tried:
                    # More of them could not be tried any more, and may be millions.
                    after |= {failed | {one} for one in way}
            level = after


class Cone:
    """Everything that can matter to one asset, as a network of its own; `target` is the asset."""

    def __init__(self, network: Network, assets: Ints, target: int, before: Any) -> None:
        self.assets = assets
        self.target = target
        self.arrays, self.out = _part(network, assets, before)
        self.shown = assets < network.visible
        n, groups, carriers = len(assets), len(self.arrays.rule), network.links.carriers
        self._inside, self._way = np.zeros(n, np.uint8), np.zeros(n, np.int32)
        self._rank = np.zeros(n, np.int32)
        self._fed_by = np.zeros((carriers, n), np.int32)
        self._work = np.zeros((4, max(n + 1, groups)), np.int32)

    @classmethod
    def of(cls, network: Network, asset: int, before: NDArray[np.bool_]) -> Cone:
        """What the asset can be held by: feeds backwards, and neighbours in a carrier."""
        arrays, n = network.arrays, network.n
        inside = np.zeros(n, bool)
        front = np.array([asset], np.int32)
        while len(front):
            inside[front] = True
            groups = arrays.groups[spans(arrays.group_start, front)]
            feeders = arrays.provider[arrays.in_edges[spans(arrays.in_start, groups)]]
            near = [
                arrays.touch[spans(arrays.touch_start, front + carrier * n)]
                for carrier in range(network.links.carriers)
            ]
            front = np.unique(np.concatenate([feeders, *near])).astype(np.int32)
            front = front[~inside[front]]
        assets = np.flatnonzero(inside).astype(np.int32)
        return cls(network, assets, int(np.searchsorted(assets, asset)), before)

    def way(self, failed: frozenset[int]) -> list[int] | None:
        """Assets that hold the target while these have failed, those that may fail alone; None
        where nothing holds it.
        """
        self._settle(failed)
        if self._rank[self.target] == holding.LATE:
            return None
        size = holding.held_by(
            self.arrays, self._rank, self._fed_by, self.target, self._inside, self._way
        )
        held = np.sort(self._way[1:size])
        return [int(one) for one in held[self.shown[held]]]

    def path(self, members: frozenset[int]) -> tuple[int, ...]:
        """From a member to the target along what went down, as positions of the network."""
        self._settle(members)
        lost = self._last == 1
        before, front = dict.fromkeys(members, -1), sorted(members)
        while front and self.target not in before:
            after = []
            for asset in front:
                for other in self._next(asset):
                    if lost[other] and other not in before:
                        before[other] = asset
                        after.append(other)
            front = after
        way, at = [], self.target
        while at >= 0:
            if self.shown[at]:
                way.append(int(self.assets[at]))
            at = before.get(at, -1)
        return tuple(reversed(way))

    def _settle(self, failed: frozenset[int]) -> None:
        self._last = self.out.copy()
        self._last[list(failed)] = 1
        holding.hold(self.arrays, self._last, self._rank, self._fed_by, self._work)

    def _next(self, asset: int) -> Iterator[int]:
        a = self.arrays
        for edge in range(a.out_start[asset], a.out_start[asset + 1]):
            yield int(a.rule[a.group[edge]]["consumer"])
        for carrier in range(len(self._fed_by)):
            base = carrier * len(self.assets) + asset
            yield from a.pass_to[a.pass_start[base] : a.pass_start[base + 1]].tolist()


def _part(network: Network, assets: Ints, before: NDArray[np.bool_]) -> tuple[Any, Any]:
    """The arrays of these assets, which need nobody else, and what of them is down."""
    from twinfall.analytics.network import part_of

    part = part_of(network, assets)
    return part, before[assets].astype(np.uint8)
