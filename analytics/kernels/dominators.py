"""Dominator trees: through which assets all ways from the sources to an asset lead.

L. Georgiadis, "Linear-Time Algorithms for Dominators and Related Problems" (2005), the algorithm
SEMI-NCA.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import i64
from twinfall.analytics.kernels.compiled import compiled, inner


@compiled
def dominators(n: int, start: Any, to: Any, roots: Any) -> Any:
    """(order, idom) of what is reached from the roots over the arcs to[start[v]:start[v+1]].

    `order[1:]` has the vertices in depth-first preorder, order[0] is -1: the root of all roots.
    idom[i] is the place in it of the immediate dominator of order[i]. About linear in practice.
    """
    order, back, parent = _depth_first(n, start, to, roots)
    count = len(order)
    first, come = _arrivals(order, back, start, to)
    idom = parent.copy()
    semi = np.arange(count).astype(np.int32)
    label = np.arange(count).astype(np.int32)
    stack = np.empty(count, np.int32)
    rooted = np.zeros(count, np.uint8)
    for root in roots:
        rooted[back[root]] = 1
    for i in range(count - 1, 0, -1):
        semi[i] = 0 if rooted[i] == 1 else idom[i]
        for at in range(first[i], first[i + 1]):
            low = semi[_evaluate(i64(come[at]), i64(i + 1), semi, label, parent, stack)]
            semi[i] = min(semi[i], low)
    for i in range(1, count):
        at = i64(idom[i])
        while at > semi[i]:
            at = i64(idom[at])
        idom[i] = at
    return order, idom


@inner
def _depth_first(n: int, start: Any, to: Any, roots: Any) -> Any:
    """Vertices in preorder behind the root of all, their places (-1: not reached), and parents."""
    order = np.empty(n + 1, np.int32)
    back = np.full(n, -1, np.int32)
    parent = np.zeros(n + 1, np.int32)
    stack = np.empty(n + 1, np.int32)
    cursor = np.empty(n + 1, np.int32)
    order[0] = -1
    count = i64(1)
    for root in roots:
        if back[root] >= 0:
            continue
        back[root], order[count], parent[count] = count, root, 0
        count += 1
        stack[0], cursor[0], depth = root, start[root], i64(1)
        while depth > 0:
            vertex = stack[depth - 1]
            at = cursor[depth - 1]
            if at == start[vertex + 1]:
                depth -= 1
                continue
            cursor[depth - 1] = at + 1
            other = to[at]
            if back[other] < 0:
                back[other], order[count], parent[count] = count, other, back[vertex]
                count += 1
                stack[depth], cursor[depth] = other, start[other]
                depth += 1
    return order[:count].copy(), back, parent[:count].copy()


@inner
def _arrivals(order: Any, back: Any, start: Any, to: Any) -> Any:
    """For each place in the order, the places from which an arc comes."""
    count = len(order)
    first = np.zeros(count + 1, np.int32)
    for i in range(1, count):
        for at in range(start[order[i]], start[order[i] + 1]):
            first[back[to[at]] + 1] += 1
    for i in range(count):
        first[i + 1] += first[i]
    fill = first[:-1].copy()
    come = np.empty(first[count], np.int32)
    for i in range(1, count):
        for at in range(start[order[i]], start[order[i] + 1]):
            j = back[to[at]]
            come[fill[j]] = i
            fill[j] += 1
    return first, come


@inner
def _evaluate(vertex: int, last: int, semi: Any, label: Any, parent: Any, stack: Any) -> Any:
    """The vertex of least semidominator on the way up to the last one linked, compressed."""
    if parent[vertex] < last:
        return i64(label[vertex])
    top = i64(0)
    at = vertex
    while parent[at] >= last:
        stack[top] = at
        top += 1
        at = i64(parent[at])
    while top > 0:
        top -= 1
        lower = i64(stack[top])
        parent[lower] = parent[at]
        if semi[label[at]] < semi[label[lower]]:
            label[lower] = label[at]
        at = lower
    return i64(label[vertex])


@compiled
def preorder(order: Any, idom: Any, tree: Any, at: Any, below: Any) -> None:
    """Lay out a dominator tree: `tree` has the vertices so that those below one follow it, `at`
    the place of each vertex there, `below` how many follow it, itself included.
    """
    count = len(order)
    size = np.ones(count, np.int32)
    for i in range(count - 1, 0, -1):
        size[idom[i]] += size[i]
    free = np.zeros(count, np.int32)
    for i in range(1, count):
        place = free[idom[i]]
        free[idom[i]] = place + size[i]
        free[i] = place + 1
        tree[place], at[order[i]], below[order[i]] = order[i], place, size[i]
