"""Every single failure: how many it takes along in the end, and which."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.kernels import counting, csr, dominators
from twinfall.ontology.errors import Refused

if TYPE_CHECKING:
    from twinfall.analytics.network import Network

Ints = NDArray[np.int32]

MAX_SPARE = 8
"""Kept for the next question; more are made when more run at once."""
MAX_LISTED = 400_000_000
"""Entries of a listing: 1.6 GB."""


@dataclass(frozen=True, slots=True)
class Listing:
    """For each asset a list of others: asset[start[i]:start[i + 1]], ascending."""

    start: NDArray[np.int64]
    asset: Ints

    def of(self, asset: int) -> Ints:
        """Those of one asset."""
        found: Ints = self.asset[self.start[asset] : self.start[asset + 1]]
        return found

    def turned(self) -> Listing:
        """For each asset those that have it in their list."""
        return Listing(*counting.turned(len(self.start) - 1, self.start, self.asset))


class Singles:
    """Failures of one asset each of a settled network, in the end. Safe for threads: what a
    question writes is its own.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._single = _single(network)
        self._lock = threading.Lock()
        self._spare: list[tuple[counting.Work, int]] = []

    def down(self, failed: Ints) -> Ints | None:
        """What is down in the end when these fail, gates included, them first; None where a
        circle is touched. O(what goes down).
        """
        with self._lock:
            work, number = self._spare.pop() if self._spare else (self._work(), -1)
        work.queue[: len(failed)] = failed
        number -= 1  # single failures are numbered from 0 on
        down = counting.take_down(self._single, work, number, len(failed))
        found: Ints | None = work.queue[:down].copy() if down >= 0 else None
        with self._lock:
            if len(self._spare) < MAX_SPARE and number > -(2**31) + 1:
                self._spare.append((work, number))
        return found

    def counts(self) -> Ints:
        """How many others each asset's failure takes down; -1 where a circle is touched."""
        counts = np.zeros(self._network.n, np.int32)
        network = self._network
        lines = len(network.arrays.sustain) == 0
        counting.count_each(self._single, self._work(), network.visible, lines, counts)
        return counts

    def listing(self, counts: Ints, others: dict[int, Ints]) -> Listing:
        """Which those are, where `counts` has how many; `others` are given."""
        start = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=start[1:])
        if start[-1] > MAX_LISTED:
            raise Refused(
                f"single failures take along {int(start[-1]):,} assets in all, more than can be "
                f"listed ({MAX_LISTED:,})",
                code="TOO_COSTLY",
                cure="ask about single assets",
            )
        into = np.zeros(int(start[-1]), np.int32)
        own = counts.copy()
        for asset, down in others.items():
            own[asset] = 0
            into[start[asset] : start[asset + 1]] = down
        counting.list_each(self._single, self._work(), self._network.visible, own, start, into)
        return Listing(start, into).turned().turned()  # each turn sorts

    def _work(self) -> counting.Work:
        n, carriers = self._network.n, len(self._single.tree)
        connected = n if carriers else 0
        feeds = self._network.feeds
        vote = np.zeros(feeds.count, counting.VOTE)
        vote["need"] = feeds.fail_at - feeds.lost_with(self._network.baseline)
        vote["consumer"], vote["seen"] = feeds.consumer, -1
        return counting.Work(
            vote=vote,
            stamp=np.full(n, -1, np.int32),
            cut=np.zeros(connected, np.int8),
            queue=np.zeros(n + 2, np.int32),
            begun=np.full(carriers, -1, np.int32),
            reached=np.zeros(connected, np.int32),
            heads=np.zeros(connected, np.int32),
            searches=np.zeros(1, np.int64),
        )


def _single(network: Network) -> counting.Single:
    arrays, n = network.arrays, network.n
    up = ~network.baseline
    circling, span, target, weight = _spans(network, up)
    carriers = network.links.carriers
    tree, at, below = (np.zeros((carriers, n), np.int32) for _ in range(3))
    through = np.zeros((carriers, n), np.uint8)
    size = np.zeros(carriers, np.int64)
    for carrier in range(carriers):
        order, idom = dominators.dominators(n, *_arcs(network, carrier, up))
        dominators.preorder(order, idom, tree[carrier], at[carrier], below[carrier])
        size[carrier] = len(order) - 1
        through[carrier] = _passing(network, carrier)
    return counting.Single(
        up=up.astype(np.uint8),
        circling=circling,
        span=span,
        target=target,
        weight=weight,
        member=arrays.member,
        source=arrays.source,
        conducts=arrays.conducts,
        pass_start=arrays.pass_start,
        pass_to=arrays.pass_to,
        tree=tree,
        at=at,
        below=below,
        through=through,
        size=size,
    )


def _spans(network: Network, up: NDArray[np.bool_]) -> tuple[Any, Any, Any, Any]:
    """circling, span, target and weight of a `Single`."""
    arrays, feeds, n = network.arrays, network.feeds, network.n
    need = feeds.fail_at - feeds.lost_with(network.baseline)
    consumer = feeds.consumer[feeds.group]
    matters = up[feeds.provider] & up[consumer] & (feeds.fail_at[feeds.group] > 0)
    matters &= feeds.weight > 0
    circling = arrays.circling.copy()
    if len(circling):  # what feeds a circle touches it
        round_ = matters & (circling[consumer] == 1)
        circling[feeds.provider[round_]] = 1
        matters &= ~round_
    group, consumer = feeds.group[matters], consumer[matters]
    provider, weight = feeds.provider[matters], feeds.weight[matters]
    leaf = arrays.member == 0
    leaf[provider] = False
    if len(circling):
        leaf &= circling == 0
    kind = np.where(weight < need[group], 2, leaf[consumer])
    span, order = csr((3 * provider + kind).astype(np.int32), 3 * n)
    target = np.where(kind == 2, group, consumer).astype(np.int32)
    return circling, span, target[order], np.ascontiguousarray(weight[order])


def _arcs(network: Network, carrier: int, up: NDArray[np.bool_]) -> tuple[Any, Any, Any]:
    """The arcs of a carrier between what is up, and its sources."""
    links, n = network.links, network.n
    kept = (links.carrier == carrier) & up[links.begin] & up[links.end]
    kept &= links.conducts[links.begin] == 1
    start, order = csr(links.begin[kept], n)
    roots = np.flatnonzero(up & (links.source & links.member & 1 << carrier != 0))
    return start, np.ascontiguousarray(links.end[kept][order]), roots.astype(np.int32)


def _passing(network: Network, carrier: int) -> Any:
    """Through what more than itself may be reached: not through leaves."""
    links, arrays, n = network.links, network.arrays, network.n
    span = arrays.touch_start[carrier * n : (carrier + 1) * n + 1]
    ends = np.diff(span) > 1
    source = links.source >> carrier & 1 == 1
    return (links.conducts == 1) & (ends | source)
