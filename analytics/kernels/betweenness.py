"""Shortest paths through each node of an undirected graph (Brandes 2001), on what is up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.kernels.compiled import compiled, inner


@inner
def _search(start, neighbour, up, source, hops, paths, queue):  # type: ignore[no-untyped-def]
    """Breadth first from the source: hops, number of shortest paths, order; returns how many."""
    hops[source] = 0
    paths[source] = 1.0
    queue[0] = source
    head, tail = 0, 1
    while head < tail:
        node = queue[head]
        head += 1
        for at in range(start[node], start[node + 1]):
            other = neighbour[at]
            if not up[other]:
                continue
            if hops[other] < 0:
                hops[other] = hops[node] + 1
                queue[tail] = other
                tail += 1
            if hops[other] == hops[node] + 1:
                paths[other] += paths[node]
    return tail


@inner
def _share_out(start, neighbour, hops, paths, queue, tail, share):  # type: ignore[no-untyped-def]
    """Farthest first: each node's paths onward, shared among those before it."""
    for i in range(tail - 1, 0, -1):
        node = queue[i]
        each = (1.0 + share[node]) / paths[node]
        for at in range(start[node], start[node + 1]):
            other = neighbour[at]
            if hops[other] == hops[node] - 1:
                share[other] += paths[other] * each


@compiled
def betweenness(
    start: NDArray[np.int64], neighbour: NDArray[np.int32], up: NDArray[np.uint8], endpoints: bool
) -> NDArray[np.float64]:
    """How many shortest paths between pairs of nodes pass through each node, each pair once;
    where a pair has several, each counts its share. With `endpoints` a path counts at its ends.

    start: int64 [n+1], neighbour: int32, both directions of each link, no pair twice. What is not
    up has 0 and carries nothing. O(n m).
    """
    n = len(start) - 1
    through = np.zeros(n)
    hops = np.full(n, -1, np.int32)
    paths = np.zeros(n)
    share = np.zeros(n)
    queue = np.zeros(n, np.int32)
    ends = 1.0 if endpoints else 0.0
    for source in range(n):
        if not up[source]:
            continue
        tail = _search(start, neighbour, up, source, hops, paths, queue)
        _share_out(start, neighbour, hops, paths, queue, tail, share)
        through[source] += ends * (tail - 1)
        for i in range(tail):
            node = queue[i]
            if node != source:
                through[node] += share[node] + ends
            hops[node] = -1
            paths[node] = 0.0
            share[node] = 0.0
    return through / 2.0  # from each end once
