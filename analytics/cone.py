"""All that can matter to one asset, small enough to be asked thousands of times."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics import kernels
from twinfall.analytics.assembling import part_of
from twinfall.analytics.bounds import spans
from twinfall.analytics.kernels import holding, series

if TYPE_CHECKING:
    from twinfall.analytics.network import Network

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]
FEED = -1


class Cone:
    """What the target can be held by, as a network of its own, where dead ends are left out.

    Assets of which it is the same to the target which of them fails form a **series**; series are
    numbered by their first asset that can be failed, ascending by position.
    """

    def __init__(self, network: Network, asset: int, before: Flags) -> None:
        near = _Near.of(network, _assets(network, asset, before))
        voting = network.feeds.provider[near.feeds]
        self.assets = np.union1d(near.assets, voting[before[voting]])
        self.target = int(np.searchsorted(self.assets, asset))
        self.arrays = near.arrays(self.assets)
        self.edges = near.edges(self.assets)
        self._out = before[self.assets].astype(np.uint8)
        n, groups, carriers = len(self.assets), len(self.arrays.rule), network.links.carriers
        self._inside, self._way = np.zeros(n, np.uint8), np.zeros(n, np.int32)
        self._rank = np.zeros(n, np.int32)
        self._fed_by = np.zeros((carriers, n), np.int32)
        self._work = np.zeros((4, max(n + 1, groups)), np.int32)
        self._shown = self.assets < network.visible
        self._number_series()

    def _number_series(self) -> None:
        root = np.zeros(len(self.assets), np.int32)
        series.alike(self.edges, self.target, root)
        can_fail = np.flatnonzero(self._shown & (self._out == 0))
        can_fail = can_fail[can_fail != self.target]
        _, first, number = np.unique(root[can_fail], return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        place = np.argsort(order, kind="stable")
        number = place[number.reshape(-1)]
        self._first = can_fail[first[order]]
        """Of each series, the asset that is failed for it."""
        self.number = np.full(len(self.assets), -1, np.int32)
        self.number[can_fail] = number
        by_number = np.argsort(number, kind="stable")
        ends = np.cumsum(np.bincount(number, minlength=len(first)))
        self.members = np.split(self.assets[can_fail[by_number]], ends[:-1]) if len(first) else []
        """Of each series, its assets as positions of the network, ascending."""

    def way(self, failed: Iterable[int]) -> Ints | None:
        """The series that hold the target while these have failed, each once: while they are up,
        so is the target. None where nothing holds it.
        """
        self._settle(self._first[list(failed)])
        if self._rank[self.target] == holding.LATE:
            return None
        size = holding.held_by(
            self.arrays, self._rank, self._fed_by, self.target, self._inside, self._way
        )
        numbers: Ints = np.unique(self.number[self._way[1:size]])
        return numbers[numbers >= 0]

    def path(self, members: Iterable[int]) -> tuple[int, ...]:
        """From one of these assets to the target along what goes down with them, as positions of
        the network.
        """
        begun = np.searchsorted(self.assets, sorted(members)).astype(np.int32)
        lost = self._settle(begun)
        before, queue = np.zeros((2, len(self.assets)), np.int32)
        series.route(self.edges, begun, lost, self.target, before, queue)
        way, at = [], self.target
        while at >= 0:
            if self._shown[at]:
                way.append(int(self.assets[at]))
            at = int(before[at])
        return tuple(reversed(way))

    def _settle(self, failed: Any) -> Any:
        lost = self._out.copy()
        lost[failed] = 1
        holding.hold(self.arrays, lost, self._rank, self._fed_by, self._work)
        return lost


@dataclass(frozen=True, slots=True)
class _Near:
    """What these assets that are up (ascending) have to do with each other, read off the network
    at the cost of what hangs on them: groups that are judged and their feeds, by row; arcs.
    """

    network: Network
    assets: Ints
    groups: Ints
    feeds: Ints
    begin: Ints
    end: Ints
    carrier: Ints

    @classmethod
    def of(cls, network: Network, assets: Ints) -> _Near:
        arrays, n = network.arrays, network.n
        groups = np.sort(arrays.groups[spans(arrays.group_start, assets)])
        groups = groups[network.feeds.fail_at[groups] > 0]
        feeds = np.sort(arrays.in_edges[spans(arrays.in_start, groups)])
        begin, end, carrier = [_none()], [_none()], [_none()]
        for number in range(network.links.carriers):
            at = assets + number * n
            count = arrays.pass_start[at + 1] - arrays.pass_start[at]
            begin.append(np.repeat(assets, count))
            end.append(arrays.pass_to[spans(arrays.pass_start, at)])
            carrier.append(np.full(int(count.sum()), number, np.int32))
        begun, ended, kind = (np.concatenate(one) for one in (begin, end, carrier))
        inside = _among(assets, ended)
        return cls(network, assets, groups, feeds, begun[inside], ended[inside], kind[inside])

    def edges(self, among: Ints) -> series.Edges:
        """Who helps whom, by place among these."""
        feeds, links = self.network.feeds, self.network.links
        from_up = self.feeds[_among(self.assets, feeds.provider[self.feeds])]
        group = feeds.group[from_up]
        passing = np.flatnonzero(links.conducts[self.begin] == 1)
        needed = (feeds.weight[from_up] >= feeds.fail_at[group]).astype(np.uint8)
        begin = _places(among, feeds.provider[from_up], self.begin[passing])
        end = _places(among, feeds.consumer[group], self.end[passing])
        out_start, out_edges = kernels.csr(begin, len(among))
        in_start, in_edges = kernels.csr(end, len(among))
        return series.Edges(
            begin=begin,
            end=end,
            kind=np.append(np.full(len(from_up), FEED, np.int32), self.carrier[passing]),
            needed=np.append(needed, np.zeros(len(passing), np.uint8)),
            out_start=out_start,
            out_edges=out_edges,
            in_start=in_start,
            in_edges=in_edges,
            source=links.source[among],
        )

    def arrays(self, among: Ints) -> kernels.Arrays:
        """A network of these: those that are up, and those that are down and count in votes."""
        part = copy.copy(self.network)
        part.feeds = self.network.feeds.of_groups(self.groups, self.feeds)
        part.links = replace(
            self.network.links, begin=self.begin, end=self.end, carrier=self.carrier
        )
        return part_of(part, among)


def _assets(network: Network, asset: int, before: Flags) -> Ints:
    """What is up and helps the asset, dead ends left out, ascending."""
    assets = _held_by(network, asset, before)
    edges = _Near.of(network, assets).edges(assets)
    kept = np.ones(len(assets), np.uint8)
    queue = np.zeros(len(assets) + len(edges.begin), np.int32)
    series.trim(edges, int(np.searchsorted(assets, asset)), kept, queue)
    helping: Ints = assets[kept == 1]
    return helping


def _held_by(network: Network, asset: int, before: Flags) -> Ints:
    """Backwards from the asset: who feeds it and who passes a carrier on to it, and so on."""
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
        front = front[~inside[front] & ~before[front]]
    return np.flatnonzero(inside).astype(np.int32)


def _among(assets: Ints, some: Ints) -> Flags:
    """Which of some are among the assets, which are ascending."""
    at = np.minimum(np.searchsorted(assets, some), max(0, len(assets) - 1))
    found: Flags = assets[at] == some if len(assets) else np.zeros(len(some), bool)
    return found


def _places(among: Ints, *positions: Ints) -> Ints:
    return np.searchsorted(among, np.concatenate(positions)).astype(np.int32)


def _none() -> Ints:
    return np.zeros(0, np.int32)
