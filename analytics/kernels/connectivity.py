"""What holds an undirected graph together: bridges, and parts that grow node by node."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.kernels.compiled import compiled

NEVER = -1


@compiled
def bridges(
    start: NDArray[np.int64], neighbour: NDArray[np.int32], link: NDArray[np.int32], links: int
) -> NDArray[np.bool_]:
    """Which links part what they join when they are taken out, bool [links] (Tarjan 1974).

    start: int64 [n+1]; neighbour, link: the other end and the number of each link, at both its
    ends. Two links beside each other are no bridge. O(n + links).
    """
    n = len(start) - 1
    found = np.zeros(links, np.bool_)
    seen = np.full(n, NEVER, np.int32)
    low = np.zeros(n, np.int32)
    by = np.full(n, NEVER, np.int32)
    came = np.full(n, NEVER, np.int32)
    at = start[:-1].copy()
    count = 0
    for root in range(n):
        if seen[root] != NEVER:
            continue
        node = root
        seen[node] = low[node] = count
        count += 1
        while node != NEVER:
            if at[node] < start[node + 1]:
                other, over = neighbour[at[node]], link[at[node]]
                at[node] += 1
                if over == by[node]:
                    continue
                if seen[other] == NEVER:
                    by[other], came[other] = over, node
                    seen[other] = low[other] = count
                    count += 1
                    node = other
                else:
                    low[node] = min(low[node], seen[other])
            else:
                before = came[node]
                if before != NEVER:
                    low[before] = min(low[before], low[node])
                    if low[node] > seen[before]:
                        found[by[node]] = True
                node = before
    return found


@compiled
def growing(
    start: NDArray[np.int64], neighbour: NDArray[np.int32], order: NDArray[np.int32]
) -> Any:
    """Size of the largest connected part after each node of `order` has joined, int32
    [len(order)]; a node joins those of its neighbours that joined before. O(m) nearly.
    """
    n = len(start) - 1
    parent = np.full(n, NEVER, np.int32)
    size = np.zeros(n, np.int32)
    largest = np.zeros(len(order), np.int32)
    most = 0
    for i in range(len(order)):
        node = order[i]
        parent[node] = node
        size[node] = 1
        root = node
        for at in range(start[node], start[node + 1]):
            other = neighbour[at]
            if parent[other] == NEVER:
                continue
            while parent[other] != other:
                parent[other] = parent[parent[other]]
                other = parent[other]
            if other == root:
                continue
            if size[other] > size[root]:
                root, other = other, root
            parent[other] = root
            size[root] += size[other]
        most = max(most, size[root])
        largest[i] = most
    return largest
