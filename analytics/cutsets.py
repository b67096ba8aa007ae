"""Minimal cut sets: the smallest sets of assets whose failure together takes one asset down.

Every cut contains something of every way in which the asset is held. So take one such way, fail
each of its members in turn, and look for the next way, as deep as the order asked for: a tree of
hitting sets (R. Reiter, "A theory of diagnosis from first principles", 1987). It is exact for every
rule of `docs/cascade.md`, for the end, when all buffers are empty.

Three things keep the tree small. Ways that were found are kept: the network is only asked for one
that none of them is. The last member of a set must be in all known ways that the others leave.
And assets in series, such as the pipes of one main, are failed as one, and told one by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.cone import Cone
from twinfall.ontology.errors import BadInput

if TYPE_CHECKING:
    from twinfall.analytics.network import Network

MAX_ORDER = 3
MAX_TRIED = 200_000
"""Sets that are tried for one asset."""
MAX_SETS = 10_000
"""Sets that are listed."""
SECONDS = 5.0
"""Well within what a server gives a question."""


@dataclass(frozen=True, slots=True)
class CutSet:
    """Assets by position, ascending."""

    members: tuple[int, ...]
    find_path: Callable[[tuple[int, ...]], tuple[int, ...]] = field(repr=False, compare=False)

    @property
    def path(self) -> tuple[int, ...]:
        """A way by which the loss of them reaches the asset."""
        return self.find_path(self.members)


@dataclass(frozen=True, slots=True)
class CutSets:
    """By size, then members; `total` counts those that are not listed too.

    Not `complete` where the search was cut short: then there may be more than `total`.
    """

    asset: int
    sets: tuple[CutSet, ...]
    total: int
    complete: bool
    tried: int
    _first: Callable[[int], tuple[CutSet, ...]] = field(
        default=lambda _: (), repr=False, compare=False
    )

    def every(self) -> tuple[CutSet, ...]:
        """All `total` sets, those that are not listed too."""
        return self.sets if self.total == len(self.sets) else self._first(self.total)

    @property
    def whole(self) -> bool:
        """Whether all there are are listed."""
        return self.complete and self.total == len(self.sets)


@dataclass(frozen=True, slots=True)
class Limits:
    """How far to search, and how many sets to list."""

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
        return CutSets(asset, (), 0, True, 0)
    cone = Cone(network, asset, before)
    search = _Search(cone, limits)
    complete = search.run(order)

    def first(most: int) -> tuple[CutSet, ...]:
        told = _told(cone.members, search.cuts, most)
        return tuple(CutSet(members, cone.path) for members in told)

    total = sum(prod(len(cone.members[one]) for one in cut) for cut in search.cuts)
    return CutSets(asset, first(limits.sets), total, complete, search.tried, first)


def _told(
    members: Sequence[NDArray[np.int32]], cuts: Sequence[tuple[int, ...]], most: int
) -> list[tuple[int, ...]]:
    """Cuts of series as cuts of assets, by size, then members; the first ones where they are more
    than `most`.
    """
    found: list[tuple[int, ...]] = []
    for size in range(1, MAX_ORDER + 1):
        sized = sorted(cut for cut in cuts if len(cut) == size)
        chosen = (one for cut in sized for one in product(*(members[s].tolist() for s in cut)))
        found += sorted(tuple(sorted(one)) for one in islice(chosen, most - len(found)))
    return found


def warm() -> None:
    """Compile, or load what was compiled, all that the search needs; before the first question."""
    from twinfall.analytics.network import Network as Made  # here: networks know criticality

    row = Made.from_arrays(
        3, [1], [2], group=[0], rule=["all"], connections=[[0, 1]], carrier=[0], source=[1, 0, 0]
    )
    for cut in cut_sets(row, 2, 2).sets:
        assert cut.path


class _Stopped(Exception):
    """The search has come to a limit."""


class _Search:
    """Cuts of series by number. Sets of series are bits of an int, and so are sets of ways."""

    def __init__(self, cone: Cone, limits: Limits) -> None:
        self.cone = cone
        self.limits = limits
        self.until = time.monotonic() + limits.seconds
        self.cuts: list[tuple[int, ...]] = []
        self.tried = 0
        self.ways: list[int] = []
        self.within = [0] * len(cone.members)
        """Of each series, the ways that need it."""
        self.completing: dict[tuple[int, ...], int] = {}
        """Of a set, the series that make a cut of it."""

    def run(self, order: int) -> bool:
        """Find cuts of one size after the other; whether that went to the end."""
        try:
            if self._try(()) is not None:
                for size in range(1, order + 1):
                    self._extend((), 0, size)
        except _Stopped:
            return False
        return True

    def _extend(self, failed: tuple[int, ...], banned: int, left: int) -> None:
        """Cuts of `failed` and `left` more, none of them banned. No set without a cut in it that
        is smaller than what is looked for is a cut: those have all been found.
        """
        banned |= self._completed(failed)
        if left == 1:
            self._last(failed, banned)
            return
        for one in _bits(self._smallest(failed, banned) & ~banned):
            self._extend((*failed, one), banned, left - 1)
            banned |= 1 << one

    def _last(self, failed: tuple[int, ...], banned: int) -> None:
        candidates = ~banned
        for at in _bits(self._left(failed)):
            candidates &= self.ways[at]
            if not candidates:
                return
        while candidates:
            one = (candidates & -candidates).bit_length() - 1
            candidates ^= 1 << one
            way = self._try((*failed, one))
            if way is None:
                self._found((*failed, one))
            else:
                candidates &= way

    def _found(self, cut: tuple[int, ...]) -> None:
        self.cuts.append(tuple(sorted(cut)))
        for i, one in enumerate(cut):
            rest = tuple(sorted(cut[:i] + cut[i + 1 :]))
            self.completing[rest] = self.completing.get(rest, 0) | 1 << one
        if len(self.cuts) >= self.limits.sets:
            raise _Stopped

    def _completed(self, failed: tuple[int, ...]) -> int:
        """Series that make a cut of some of these."""
        ordered = sorted(failed)
        parts = [(), *((one,) for one in ordered)]
        parts += [tuple(ordered)] if len(ordered) == 2 else []
        mask = 0
        for part in parts:
            mask |= self.completing.get(part, 0)
        return mask

    def _left(self, failed: tuple[int, ...]) -> int:
        """The known ways that these leave."""
        ways = (1 << len(self.ways)) - 1
        for one in failed:
            ways &= ~self.within[one]
        return ways

    def _smallest(self, failed: tuple[int, ...], banned: int) -> int:
        """Of the known ways that these leave, the one with the fewest to fail; or a new one."""
        known = [self.ways[at] for at in _bits(self._left(failed))]
        if known:
            return min(known, key=lambda way: (way & ~banned).bit_count())
        way = self._try(failed)
        assert way is not None  # else it were a cut, found before
        return way

    def _try(self, failed: tuple[int, ...]) -> int | None:
        """A way in which the target is held while these have failed, kept; None: a cut."""
        if self.tried >= self.limits.tried or time.monotonic() > self.until:
            raise _Stopped
        self.tried += 1
        found = self.cone.way(failed)
        if found is None:
            return None
        number, way = len(self.ways), 0
        for one in found.tolist():
            way |= 1 << one
            self.within[one] |= 1 << number
        self.ways.append(way)
        return way


def _bits(mask: int) -> Iterator[int]:
    """The set bits, the last one first: the latest ways tell most."""
    while mask:
        at = mask.bit_length() - 1
        mask ^= 1 << at
        yield at
