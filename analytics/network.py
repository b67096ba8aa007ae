"""Network: assets and their dependencies as arrays, and the questions put to them.

Semantics: `docs/cascade.md`. A network is immutable; every question works on a scratch of its
own, so that questions may run at the same time and none can leave a trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinfall.analytics import given, kernels
from twinfall.analytics.assembling import arrays_of
from twinfall.analytics.feeds import Feeds, Said, feeds_of
from twinfall.analytics.links import Links, Storages, links_of
from twinfall.analytics.scratches import Scratches, scratch_of
from twinfall.analytics.singles import Listing, Singles
from twinfall.analytics.votes import Ballot

if TYPE_CHECKING:
    import networkx as nx

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class Impact:
    """What goes down after a failure, in order of time, then position; the failed ones apart.

    `wave` counts from 1, `time` is in seconds after the failure, `group` the group that was lost
    (-2 - carrier where an asset lost a network), `cause` the asset whose loss decided it, which
    went down before, or in the same wave where it is a storage that ran empty.
    """

    failed: Ints
    asset: Ints
    wave: Ints
    time: Floats
    group: Ints
    cause: Ints

    def __len__(self) -> int:
        return len(self.asset)


class Network:
    """Directed groups of feeds and networks of carriers over assets 0..n-1."""

    def __init__(
        self,
        feeds: Feeds,
        links: Links,
        arrays: kernels.Arrays,
        value: Floats,
        visible: int | None = None,
        baseline: Flags | None = None,
    ) -> None:
        self.n = len(value)
        self.visible = self.n if visible is None else visible
        """Positions from here on are gates: they take part and are not counted."""
        self.feeds = feeds
        self.links = links
        self.value = value
        self.arrays = arrays
        self.last_lasting: Network | None = None
        """Made of this one by `lasting` last: whoever asks again finds its answers there."""
        self.baseline = _settled(arrays) if baseline is None else baseline
        """What is down before any failure."""
        self.failed: Ints | None = np.zeros(0, np.int32) if baseline is None else None
        """What is down there by itself; None: nobody has looked what it may be."""
        self._scratches = Scratches(arrays, self.baseline)

    @classmethod
    def from_arrays(
        cls,
        n: int,
        provider: ArrayLike,
        consumer: ArrayLike,
        *,
        group: ArrayLike,
        rule: Sequence[str],
        k: ArrayLike | None = None,
        share: ArrayLike | None = None,
        min_share: ArrayLike | None = None,
        priority: ArrayLike | None = None,
        start: ArrayLike | None = None,
        transfer: ArrayLike | None = None,
        autonomy: ArrayLike | None = None,
        recharge: ArrayLike | None = None,
        sustain: ArrayLike | None = None,
        black_start: ArrayLike | None = None,
        connections: ArrayLike | None = None,
        carrier: ArrayLike | None = None,
        oneway: ArrayLike | None = None,
        source: ArrayLike | None = None,
        conducts: ArrayLike | None = None,
        storages: Storages | None = None,
        value: ArrayLike | None = None,
        visible: int | None = None,
    ) -> Network:
        """Build and settle a network; raises BadInput where the arrays contradict each other.

        provider, consumer, group: int32 [feeds], positions 0..n-1 and dense group numbers with
        one consumer each. rule (`all`, `any`, `atLeast`, `capacity`), k, min_share, autonomy and
        recharge (seconds), sustain: per group. transfer (seconds), share, priority (1 runs, 2 and
        above stands by) and start (seconds until a standby carries): per feed. connections: int32
        [m, 2] with carrier int8 [m] and oneway bool [m] (from the first to the second only).
        source: carrier bits [n]; conducts, black_start: bool [n]; value: float64 [n]. A group that
        no feeds can satisfy (k outside 1..n distinct providers) is in `feeds.unsatisfiable`, and
        never evaluated.
        """
        ballot = Ballot(rule, k, share, min_share, priority, start)
        said = Said(ballot, autonomy, sustain, transfer, recharge)
        feeds = feeds_of(n, (provider, consumer, group), said, black_start)
        links = links_of(n, connections, carrier, oneway, (source, conducts), storages)
        worth = np.broadcast_to(1.0, n) if value is None else given.finite(value, n, "value")
        shown = None if visible is None else given.visible(visible, n)
        return cls(feeds, links, arrays_of(n, feeds, links), worth, shown)

    def edges_of(self, group: int) -> Ints:
        """The feeds of a group."""
        start = self.arrays.in_start
        edges: Ints = self.arrays.in_edges[start[group] : start[group + 1]]
        return edges

    def conducting(self, conducts: ArrayLike) -> Network:
        """The same network with its switches and valves like this, bool [n]; the other arrays
        are shared. O(assets + feeds).
        """
        passes = given.flags(conducts, self.n, "conducts")
        arrays = self.arrays._replace(conducts=passes)
        links = replace(self.links, conducts=passes)
        made = Network(self.feeds, links, arrays, self.value, self.visible)
        return made if self.failed is None else made.what_if(fail=self.failed)

    def what_if(
        self,
        *,
        fail: ArrayLike | None = None,
        add: ArrayLike | None = None,
        share: ArrayLike | None = None,
        transfer: ArrayLike | None = None,
        remove: ArrayLike | None = None,
        k: Mapping[int, int] | None = None,
        autonomy: Mapping[int, float] | None = None,
        conducts: Mapping[int, bool] | None = None,
        source: Mapping[int, int] | None = None,
        connect: ArrayLike | None = None,
        disconnect: ArrayLike | None = None,
    ) -> Network:
        """This network changed in thought; it stays as it is itself, and what does not change is
        shared. Raises BadInput where a change does not fit.

        fail: positions that are down before any question, with what they take along. add and
        remove: pairs (provider, group); with add, for each of them, `share` (the part of what a
        `capacity` group needs that it brings; 1) and `transfer` (seconds; 0). k (of `atLeast`
        groups) and autonomy (seconds): by group. conducts and source (carrier bits): by asset.
        connect and disconnect: rows (asset, asset, carrier), either way. A group that is left
        without feeds asks for none; an asset that is left without connections in a carrier does
        not ask for it. O(assets + feeds + links).
        """
        from twinfall.analytics.changed import Changes, changed  # here: it makes networks

        feeds = Changes(fail, add, share, transfer, remove, k, autonomy)
        return changed(
            self,
            replace(
                feeds, conducts=conducts, source=source, connect=connect, disconnect=disconnect
            ),
        )

    def impact(self, failed: ArrayLike, horizon: float = FOREVER) -> Impact:
        """What the failure of these assets takes along until `horizon` seconds after it.

        What is down before any failure takes no part. O(what goes down) for directed groups;
        each round that touches a network costs that carrier's size, and where support can run in
        a circle (`arrays.cyclic`) each moment costs the whole.
        """
        positions = self._positions(failed)
        begun = len(positions) - int(np.count_nonzero(self.baseline[positions]))
        return self._follow(positions, np.zeros(len(positions)), given.seconds(horizon), begun)

    def course(self, failed: Ints, at: Floats, horizon: float = FOREVER) -> Impact:
        """What takes which course when these assets, each once, fail at these seconds (from 0
        on), until `horizon`. Otherwise as `impact`, times counted from 0 too.
        """
        failed = given.positions(failed, self.n, "failed")
        return self._follow(failed, at, given.seconds(horizon), 0)

    def _positions(self, failed: ArrayLike) -> Ints:
        """Ascending, each once; most questions fail one asset."""
        positions = given.positions(failed, self.n, "failed")
        return np.unique(positions) if len(positions) > 1 else positions

    def _follow(self, failed: Ints, at: Floats, horizon: float, begun: int) -> Impact:
        """`begun`: how many of the failed ones are sure to go down first of all."""
        scratch = self._scratches.take()
        told = kernels.follow(self.arrays, scratch, failed, at, horizon, begun)
        self._scratches.give(scratch)
        if not begun and len(told[0]):
            kept = ~np.isin(told[0], failed)
            told = tuple(column[kept] for column in told)
        return Impact(failed, *told)

    def criticality(self, horizon: float = FOREVER) -> Ints:
        """For each asset, how many others its failure alone takes down; 0 for what is down.

        In the end (no horizon), once: the answer is kept. O(what all failures take down); where
        one touches a circle of support, what can be reached from it as well.
        """
        if horizon == FOREVER:
            return self._criticality.copy()
        return self._count(np.arange(self.visible), np.zeros(self.n, np.int32), horizon)

    @cached_property
    def _criticality(self) -> Ints:
        counts = self._singles.counts()
        return self._count(np.flatnonzero(counts < 0), counts, FOREVER)

    def _count(self, assets: Any, counts: Ints, horizon: float) -> Ints:
        scratch = self._scratches.take()
        some = np.ascontiguousarray(assets, np.int32)
        until = given.seconds(horizon)
        kernels.count_some(self.arrays, scratch, until, self.visible, some, counts)
        self._scratches.give(scratch)
        return counts

    def down(self, failed: ArrayLike) -> Ints:
        """What is down in the end when these fail, and up before, them included, in no order to
        rely on: `impact` without times, waves and causes, at a fraction of the cost.
        """
        positions = self._positions(failed)
        positions = positions[~self.baseline[positions]]
        found = self._singles.down(positions)
        if found is None:
            found = np.concatenate([positions, self.impact(positions).asset])
        return found

    def listing(self) -> Listing:
        """For each asset, what its failure alone takes down in the end, itself apart; kept.

        Raises Refused (TOO_COSTLY) where that is more than can be held.
        """
        return self._listing

    def causes(self) -> Listing:
        """For each asset, every other asset whose failure alone takes it down: its single points
        of failure. Kept; as `listing`.
        """
        return self._causes

    def spof(self, asset: int) -> list[int]:
        """The single points of failure of one asset, itself apart, ascending."""
        [position] = given.positions([asset], self.n, "asset")
        return [int(other) for other in self.causes().of(int(position))]

    @cached_property
    def prompt(self) -> Network:
        """The same where only what happens in the moment of a failure happens at all."""
        from twinfall.analytics.prompt import prompt_network  # here: it makes networks

        return prompt_network(self)

    @cached_property
    def _singles(self) -> Singles:
        return Singles(self)

    @cached_property
    def _listing(self) -> Listing:
        searched = np.flatnonzero(self._singles.counts() < 0)
        others = {int(a): self.impact([a]).asset for a in searched}
        shown = {a: down[down < self.visible] for a, down in others.items()}
        return self._singles.listing(self._criticality, shown)

    @cached_property
    def _causes(self) -> Listing:
        return self.listing().turned()

    def to_networkx(self) -> nx.MultiDiGraph:
        """All that is known as a graph: feeds as edges provider -> consumer, connections as edges
        in the directions in which they carry; see `graphing.graph_of`.
        """
        from twinfall.analytics.graphing import graph_of  # here: networkx is slow to import

        return graph_of(self)


def _settled(arrays: kernels.Arrays) -> Flags:
    """What is down before any failure: nothing, where nothing can hang on itself and all carriers
    reach whom they should.
    """
    if not arrays.cyclic and kernels.all_fed(arrays):
        return np.zeros(len(arrays.member), np.bool_)
    scratch = scratch_of(arrays, grounding=True)
    kernels.settle(arrays, scratch)
    down: Flags = scratch.mark["wave"] == kernels.DOWN_BEFORE
    return down
