"""Which assets can hold each other up in a circle.

Where none can, counting votes and reaching from sources is exact, and the kernels spare the
derivation of support at every moment of a cascade.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from twinfall.analytics.feeds import Feeds
from twinfall.analytics.links import Links


def circling(n: int, feeds: Feeds, links: Links) -> NDArray[np.uint8]:
    """1 for each asset whose support may run in a circle; may be 1 where it cannot, never the
    reverse. A group that sustains itself is in no circle: until it is lost, it needs no support.

    Reaching within a connected part of a carrier is exact, so a part is one node, which depends
    on its sources and on whether its members can pass on. Of an asset there are its groups
    (node 0..n-1), all its conditions (n..2n-1), and, where it passes on one of several carriers,
    its conditions apart from that carrier.
    """
    graph = _Graph(n)
    graph.add(np.arange(n), np.arange(n) + n)
    derived = feeds.sustain[feeds.group] == 0
    graph.add(feeds.provider[derived] + n, feeds.consumer[feeds.group[derived]])
    ties: list[tuple[Any, Any]] = []
    needs = [links.member & ~links.source & 1 << c != 0 for c in range(links.carriers)]
    parts = [graph.parts(links, carrier) for carrier in range(links.carriers)]
    for carrier in range(links.carriers):
        graph.add(parts[carrier][needs[carrier]], np.flatnonzero(needs[carrier]) + n)
        passing = np.zeros(n, bool)
        passing[links.begin[links.carrier == carrier]] = True
        passing |= links.source & links.member & 1 << carrier != 0
        others = [c for c in range(links.carriers) if c != carrier]
        bound = np.zeros(n, bool)
        for other in others:
            bound |= needs[other]
        free = np.flatnonzero(passing & ~bound)
        graph.add(free, parts[carrier][free])
        tied = np.flatnonzero(passing & bound)
        nodes = graph.new(len(tied))
        ties.append((tied, nodes))
        graph.add(tied, nodes)
        graph.add(nodes, parts[carrier][tied])
        for other in others:
            needy = needs[other][tied]
            graph.add(parts[other][tied[needy]], nodes[needy])
    round_ = graph.in_circles()
    found = round_[:n] | round_[n : 2 * n]
    for carrier in range(links.carriers):
        member = links.member >> carrier & 1 == 1
        found[member] |= round_[parts[carrier][member]]
    for tied, nodes in ties:
        found[tied] |= round_[nodes]
    return found.astype(np.uint8)


class _Graph:
    """Arcs from what supports to what is supported."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.nodes = 2 * n
        self._begin: list[Any] = []
        self._end: list[Any] = []

    def add(self, begin: Any, end: Any) -> None:
        self._begin.append(begin)
        self._end.append(end)

    def new(self, count: int) -> Any:
        self.nodes += count
        return np.arange(self.nodes - count, self.nodes)

    def parts(self, links: Links, carrier: int) -> Any:
        """For each asset the node of its connected part of a carrier."""
        arcs = links.carrier == carrier
        ones = np.ones(int(arcs.sum()), np.int8)
        ends = (links.begin[arcs], links.end[arcs])
        matrix = coo_array((ones, ends), shape=(self.n, self.n)).tocsr()
        count, part = connected_components(matrix, directed=False)
        return self.new(count)[part]

    def in_circles(self) -> NDArray[np.bool_]:
        """The nodes that can be left and come back to."""
        begin, end = np.concatenate(self._begin), np.concatenate(self._end)
        ones = np.ones(len(begin), np.int8)
        matrix = coo_array((ones, (begin, end)), shape=(self.nodes, self.nodes)).tocsr()
        _, label = connected_components(matrix, directed=True, connection="strong")
        found: NDArray[np.bool_] = np.bincount(label)[label] > 1
        found[begin[begin == end]] = True
        return found
