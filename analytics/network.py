"""Network: assets and their dependencies as arrays, and the questions put to them.

Semantics: `docs/cascade.md`. A network is immutable; every question works on a scratch of its
own, so that questions may run at the same time and none can leave a trace.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinfall.analytics import given, kernels
from twinfall.analytics.feeds import Feeds, Said, feeds_of
from twinfall.analytics.links import Links, Storages, links_of
from twinfall.analytics.singles import Listing, Singles
from twinfall.analytics.support import circling
from twinfall.analytics.votes import Ballot

if TYPE_CHECKING:
    import networkx as nx

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FOREVER = float("inf")
FEW_MOMENTS = 64
MAX_SCRATCHES = 8
"""Scratches kept for the next question; more are made when more questions run at once."""


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
        settled: tuple[Ints, Flags] | None = None,
    ) -> None:
        self.n = len(value)
        self.visible = self.n if visible is None else visible
        """Positions from here on are gates: they take part and are not counted."""
        self.feeds = feeds
        self.links = links
        self.value = value
        self.arrays = arrays
        self._lock = threading.Lock()
        self._scratches: list[kernels.Scratch] = []
        self.last_lasting: Network | None = None
        """Made of this one by `lasting` last: whoever asks again finds its answers there."""
        self.settled = self._settle() if settled is None else settled
        self.base_lost = self.settled[0]
        """Weight of feeds that each group has lost before any failure."""
        self.baseline = self.settled[1]
        """What is down before any failure."""

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
        one consumer each. rule (`all`, `any`, `atLeast`, `capacity`), k, min_share, autonomy
        (seconds), sustain: per group. transfer (seconds), share, priority (1 runs, 2 and above
        stands by) and start (seconds until a standby carries): per feed. connections: int32 [m, 2]
        with carrier int8 [m] and oneway bool [m] (from the first to the second only). source:
        carrier bits [n]; conducts, black_start: bool [n]; value: float64 [n]. A group that no
        feeds can satisfy (k outside 1..n distinct providers) is in `feeds.unsatisfiable`, and
        never evaluated.
        """
        ballot = Ballot(rule, k, share, min_share, priority, start)
        said = Said(ballot, autonomy, sustain, transfer)
        feeds = feeds_of(n, (provider, consumer, group), said, black_start)
        links = links_of(n, connections, carrier, oneway, (source, conducts), storages)
        worth = np.broadcast_to(1.0, n) if value is None else given.finite(value, n, "value")
        shown = None if visible is None else given.visible(visible, n)
        return cls(feeds, links, _arrays(n, feeds, links), worth, shown)

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
        return Network(self.feeds, links, arrays, self.value, self.visible)

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
        scratch = self._take()
        down = kernels.cascade(self.arrays, scratch, failed, at, horizon)
        order = scratch.order[begun:down].copy()
        if not begun and len(order):
            order = order[~np.isin(order, failed)]
        asset = _by_time_then_position(scratch, order)
        wave, time, by, cause = kernels.rows(scratch.mark, asset)
        kernels.clean(self.arrays, scratch, self.base_lost, down)
        self._give(scratch)
        return Impact(failed, asset, wave, time, by, cause)

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
        scratch = self._take()
        some = np.ascontiguousarray(assets, np.int32)
        kernels.count_some(
            self.arrays, scratch, self.base_lost, given.seconds(horizon), self.visible, some, counts
        )
        self._give(scratch)
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
        """Feeds as edges provider -> consumer (`group`, `transfer`), connections as edges in the
        directions in which they carry (`carrier`).
        """
        import networkx as nx  # here: it is the slowest import, and most questions never need it

        graph = nx.MultiDiGraph()
        graph.add_nodes_from(range(self.n))
        rows = zip(self.feeds.provider, self.feeds.group, self.feeds.transfer, strict=True)
        graph.add_edges_from(
            (int(p), int(self.feeds.consumer[g]), {"group": int(g), "transfer": float(t)})
            for p, g, t in rows
        )
        links = zip(self.links.begin, self.links.end, self.links.carrier, strict=True)
        graph.add_edges_from((int(b), int(e), {"carrier": int(c)}) for b, e, c in links)
        return graph

    def _settle(self) -> tuple[Ints, Flags]:
        lost = np.zeros(self.feeds.count, np.int32)
        first = self._new_scratch(grounding=True)
        kernels.settle(self.arrays, first, lost)
        if self.arrays.cyclic:
            self._scratches.append(first)
        down: Flags = first.mark["wave"] == kernels.DOWN_BEFORE
        return lost, down

    # -- scratches ------------------------------------------------------------------------

    def _take(self) -> kernels.Scratch:
        with self._lock:
            if self._scratches:
                return self._scratches.pop()
        scratch = self._new_scratch(grounding=self.arrays.cyclic)
        scratch.mark["wave"][self.baseline] = kernels.DOWN_BEFORE
        scratch.tally["lost"] = self.base_lost
        return scratch

    def _give(self, scratch: kernels.Scratch) -> None:
        with self._lock:
            if len(self._scratches) < MAX_SCRATCHES:
                self._scratches.append(scratch)

    def _new_scratch(self, *, grounding: bool) -> kernels.Scratch:
        n, storages = self.n, len(self.links.storages.asset)
        connected = n if self.links.carriers else 0
        mark = np.zeros(n, kernels.MARK)
        mark["wave"] = kernels.UP
        return kernels.Scratch(
            mark=mark,
            tally=np.zeros(self.feeds.count, kernels.TALLY),
            order=np.zeros(n, np.int32),
            reached=np.zeros(connected, np.uint8),
            root=np.zeros(n if grounding else connected, np.int32),
            queue=np.zeros(n if grounding else connected, np.int32),
            support=np.zeros(n if grounding else 0, kernels.SUPPORT),
            scope=np.zeros(n if grounding else 0, np.int32),
            begun=np.zeros(self.feeds.count if grounding else 0, np.int32),
            counts=np.zeros(1, np.int64),
            dry=np.full(storages, np.inf),
            empty=np.zeros(storages, np.uint8),
            dry_cause=np.zeros(storages, np.int32),
        )


def _by_time_then_position(scratch: kernels.Scratch, order: Ints) -> Ints:
    """The order is by time already; within each moment it is sorted by position."""
    if not len(order):
        return order
    if scratch.mark["time"][order[0]] == scratch.mark["time"][order[-1]]:
        return np.sort(order, kind="stable")  # it comes in long runs
    time = scratch.mark["time"][order]
    bounds = np.flatnonzero(time[1:] != time[:-1]) + 1
    if len(bounds) <= FEW_MOMENTS:
        return np.concatenate([np.sort(part, kind="stable") for part in np.split(order, bounds)])
    keys = order.astype(np.int64)
    keys[1:] |= np.cumsum(time[1:] != time[:-1]) << 32
    keys.sort()
    positions: Ints = keys.astype(np.int32)  # the lower half
    return positions


def _arrays(n: int, feeds: Feeds, links: Links) -> kernels.Arrays:
    def grouped(keys: Any, count: int, values: Any = None) -> tuple[Any, Any]:
        start, order = kernels.csr(np.ascontiguousarray(keys, np.int32), count)
        return start, order if values is None else np.ascontiguousarray(values[order])

    carriers = links.carriers
    out_start, _ = grouped(feeds.provider, n)
    in_start, in_edges = grouped(feeds.group, feeds.count)
    group_start, groups = grouped(feeds.consumer, n)
    pass_start, pass_to = grouped(links.carrier * n + links.begin, carriers * n, links.end)
    both = np.concatenate([links.carrier, links.carrier])
    ends = np.concatenate([links.begin, links.end]), np.concatenate([links.end, links.begin])
    touch_start, touch = grouped(both * n + ends[0], carriers * n, ends[1])
    member_start, members = links.members()
    circles = circling(n, feeds, links)
    return kernels.Arrays(
        provider=feeds.provider,
        group=feeds.group,
        transfer=feeds.transfer,
        out_start=out_start,
        in_start=in_start,
        in_edges=in_edges,
        weight=feeds.weight,
        rule=feeds.rule,
        group_start=group_start,
        groups=groups,
        member=links.member,
        source=links.source,
        conducts=links.conducts,
        black_start=feeds.black_start,
        pass_start=pass_start,
        pass_to=pass_to,
        touch_start=touch_start,
        touch=touch,
        member_start=member_start,
        members=members,
        storage=links.storages.asset,
        storage_carrier=links.storages.carrier,
        storage_autonomy=links.storages.autonomy,
        circling=circles,
        cyclic=bool(circles.any()),
    )


def part_of(network: Network, assets: Ints) -> kernels.Arrays:
    """The arrays of these assets by themselves (ascending positions become 0..n-1). Everything
    that feeds them or is connected with them must be among them.
    """
    n, size = network.n, len(assets)
    place = np.full(n, -1, np.int32)
    place[assets] = np.arange(size, dtype=np.int32)
    feeds, links = network.feeds, network.links
    groups = np.flatnonzero(place[feeds.consumer] >= 0)
    renumbered = np.full(feeds.count, -1, np.int32)
    renumbered[groups] = np.arange(len(groups), dtype=np.int32)
    kept = np.flatnonzero(renumbered[feeds.group] >= 0)
    rule = feeds.rule[groups].copy()
    rule["consumer"] = place[rule["consumer"]]
    fed = replace(
        feeds,
        provider=place[feeds.provider[kept]],
        group=renumbered[feeds.group[kept]],
        transfer=feeds.transfer[kept],
        weight=feeds.weight[kept],
        rule=rule,
        black_start=feeds.black_start[assets],
    )
    arcs = np.flatnonzero(place[links.begin] >= 0)
    stored = np.flatnonzero(place[links.storages.asset] >= 0)
    linked = replace(
        links,
        begin=place[links.begin[arcs]],
        end=place[links.end[arcs]],
        carrier=links.carrier[arcs],
        member=links.member[assets],
        source=links.source[assets],
        conducts=links.conducts[assets],
        storages=Storages(
            place[links.storages.asset[stored]],
            links.storages.carrier[stored],
            links.storages.autonomy[stored],
        ),
    )
    return _arrays(size, fed, linked)


def warm() -> None:
    """Compile, or load what was compiled, all that a question needs; before the first one."""
    storages = Storages(np.array([1]), np.array([0]), np.array([1.0]))
    network = Network.from_arrays(
        3, [0], [2], group=[0], rule=["all"], connections=[[0, 1]], carrier=[0], source=[1, 0, 0],
        storages=storages,
    )  # fmt: skip
    network.impact([0])
    network.criticality(1.0)
    network.causes()
    network.down([0])
