"""All that can matter to one asset, small enough to be asked thousands of times."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics import kernels
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
        self.assets = _assets(network, asset, before)
        self.target = int(np.searchsorted(self.assets, asset))
        self.arrays = _arrays(network, self.assets, before)
        self.edges = _edges(network, self.assets, before)
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
class _Columns:
    """Edges by network position."""

    begin: Ints
    end: Ints
    kind: Ints
    needed: NDArray[np.uint8]

    def among(self, inside: Flags) -> _Columns:
        rows = np.flatnonzero(inside[self.begin] & inside[self.end])
        return _Columns(self.begin[rows], self.end[rows], self.kind[rows], self.needed[rows])


def _assets(network: Network, asset: int, before: Flags) -> Ints:
    """What helps the asset, dead ends left out; and what is down and counts in votes, ascending."""
    up = _held_by(network, asset, before) & ~before
    assets = np.flatnonzero(up).astype(np.int32)
    edges = _edges(network, assets, before)
    kept = np.ones(len(assets), np.uint8)
    queue = np.zeros(len(assets) + len(edges.begin), np.int32)
    series.trim(edges, int(np.searchsorted(assets, asset)), kept, queue)
    up[assets[kept == 0]] = False
    feeds = network.feeds
    voting = feeds.provider[up[feeds.consumer[feeds.group]] & (feeds.fail_at[feeds.group] > 0)]
    up[voting] = True
    return np.flatnonzero(up).astype(np.int32)


def _held_by(network: Network, asset: int, before: Flags) -> Flags:
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
    return inside


def _edges(network: Network, assets: Ints, before: Flags) -> series.Edges:
    """The edges between these assets that are up, by place among them."""
    inside = np.zeros(network.n, bool)
    inside[assets] = True
    inside &= ~before
    feeds, links = network.feeds, network.links
    judged = np.flatnonzero(feeds.fail_at[feeds.group] > 0)
    group = feeds.group[judged]
    passing = np.flatnonzero(links.conducts[links.begin] == 1)
    needed = feeds.weight[judged] >= feeds.fail_at[group]
    columns = _Columns(
        np.concatenate([feeds.provider[judged], links.begin[passing]]),
        np.concatenate([feeds.consumer[group], links.end[passing]]),
        np.concatenate([np.full(len(judged), FEED, np.int32), links.carrier[passing]]),
        np.concatenate([needed, np.zeros(len(passing), bool)]).astype(np.uint8),
    ).among(inside)
    begin = np.searchsorted(assets, columns.begin).astype(np.int32)
    end = np.searchsorted(assets, columns.end).astype(np.int32)
    out_start, out_edges = kernels.csr(begin, len(assets))
    in_start, in_edges = kernels.csr(end, len(assets))
    return series.Edges(
        begin=begin,
        end=end,
        kind=columns.kind.astype(np.int32),
        needed=columns.needed,
        out_start=out_start,
        out_edges=out_edges,
        in_start=in_start,
        in_edges=in_edges,
        source=links.source[assets],
    )


def _arrays(network: Network, assets: Ints, before: Flags) -> kernels.Arrays:
    """The arrays of these assets, with what is judged and connected among those that are up."""
    from twinfall.analytics.network import part_of  # here: networks make cones

    inside = np.zeros(network.n, bool)
    inside[assets] = True
    inside &= ~before
    feeds, links = network.feeds, network.links
    groups = np.flatnonzero(inside[feeds.consumer] & (feeds.fail_at > 0))
    number = np.full(feeds.count, -1, np.int32)
    number[groups] = np.arange(len(groups), dtype=np.int32)
    rows = np.flatnonzero(number[feeds.group] >= 0)
    arcs = np.flatnonzero(inside[links.begin] & inside[links.end])
    part = copy.copy(network)
    part.feeds = replace(
        feeds,
        provider=feeds.provider[rows],
        group=number[feeds.group[rows]],
        transfer=feeds.transfer[rows],
        weight=feeds.weight[rows],
        rule=feeds.rule[groups],
    )
    part.links = replace(
        links, begin=links.begin[arcs], end=links.end[arcs], carrier=links.carrier[arcs]
    )
    return part_of(part, assets)
