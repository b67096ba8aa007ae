"""What cannot matter to one asset, which assets no failure tells apart for it, and ways to it.

All is asked of edges between n assets: who helps whom, by a feed (kind -1) or by passing on a
carrier (kind 0 and above). Both ends of an edge are up, and its beginning conducts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twinfall.analytics.kernels.compiled import compiled, inner

i64: Any = np.int64
NOBODY = np.int64(-1)
SEVERAL = np.int64(-2)


class Edges(NamedTuple):
    """M edges between n assets."""

    begin: Any  # int32 [M]
    end: Any  # int32 [M]
    kind: Any  # int32 [M]: -1 a feed, else the carrier
    needed: Any  # uint8 [M]: whether the loss of this feed alone loses its group
    out_start: Any  # int32 [n + 1], into out_edges
    out_edges: Any  # int32 [M]
    in_start: Any  # int32 [n + 1], into in_edges
    in_edges: Any  # int32 [M]
    source: Any  # int32 [n] bits of the carriers an asset feeds by itself


@compiled
def trim(a: Any, target: int, kept: Any, queue: Any) -> None:
    """Clear `kept` of what can help nobody who helps the target: dead ends, and trees of them.

    `queue` has room for n + M entries.
    """
    n = len(kept)
    tail = i64(0)
    for asset in range(n):
        queue[tail] = asset
        tail += 1
    head = i64(0)
    while head < tail:
        asset = i64(queue[head])
        head += 1
        if kept[asset] == 0 or asset == target or not _helps_nobody(a, kept, asset):
            continue
        kept[asset] = 0
        for at in range(a.in_start[asset], a.in_start[asset + 1]):
            if kept[a.begin[a.in_edges[at]]] == 1:
                queue[tail] = a.begin[a.in_edges[at]]
                tail += 1


@inner
def _helps_nobody(a: Any, kept: Any, asset: int) -> Any:
    """Whether it has no one to help, or only the one from whom it has what it could pass on."""
    only, carrier = NOBODY, i64(-1)
    for at in range(a.out_start[asset], a.out_start[asset + 1]):
        edge = a.out_edges[at]
        other, kind = i64(a.end[edge]), i64(a.kind[edge])
        if kept[other] == 0:
            continue
        if kind < 0 or (only != NOBODY and (other != only or kind != carrier)):
            return False
        only, carrier = other, kind
    if only == NOBODY:
        return True
    if a.source[asset] >> carrier & 1:
        return False
    return _fed_only_by(a, kept, asset, carrier, only)


@inner
def _fed_only_by(a: Any, kept: Any, asset: int, carrier: int, by: int) -> Any:
    for at in range(a.in_start[asset], a.in_start[asset + 1]):
        edge = a.in_edges[at]
        other = i64(a.begin[edge])
        if a.kind[edge] == carrier and kept[other] == 1 and other != by:
            return False
    return True


@compiled
def alike(a: Any, target: int, root: Any) -> None:
    """Give assets the same `root` of which it is the same to the target which of them fails.

    One helps nobody but another, who needs it; or two in a row pass on one carrier and do nothing
    else: with one gone, the other is a dead end.
    """
    n = len(root)
    kept = np.ones(n, np.uint8)
    passes = np.empty(n, np.int64)
    for asset in range(n):
        root[asset] = asset
        passes[asset] = -1 if asset == target else _only_passes(a, asset)
    for asset in range(n):
        if asset == target:
            continue
        one = _helps_one(a, asset)
        if one >= 0 and one != target and _needs(a, kept, one, i64(asset)):
            _join(root, i64(asset), one)
        if passes[asset] < 0:
            continue
        for at in range(a.out_start[asset], a.out_start[asset + 1]):
            other = i64(a.end[a.out_edges[at]])
            if passes[other] == passes[asset]:
                _join(root, i64(asset), other)
    for asset in range(n):
        root[asset] = _root(root, i64(asset))


@inner
def _helps_one(a: Any, asset: int) -> Any:
    only = NOBODY
    for at in range(a.out_start[asset], a.out_start[asset + 1]):
        other = i64(a.end[a.out_edges[at]])
        if only != NOBODY and only != other:
            return SEVERAL
        only = other
    return only


@inner
def _needs(a: Any, kept: Any, asset: int, other: int) -> Any:
    """Whether an asset goes down with the other one, whatever else is up."""
    for at in range(a.in_start[asset], a.in_start[asset + 1]):
        edge = a.in_edges[at]
        if a.begin[edge] != other:
            continue
        kind = i64(a.kind[edge])
        if kind < 0:
            if a.needed[edge] == 1:
                return True
        elif a.source[asset] >> kind & 1 == 0 and _fed_only_by(a, kept, asset, kind, other):
            return True
    return False


@inner
def _only_passes(a: Any, asset: int) -> Any:
    """The carrier that an asset passes on between two neighbours, doing nothing else; -1."""
    carrier = i64(-1)
    for at in range(a.out_start[asset], a.out_start[asset + 1]):
        kind = i64(a.kind[a.out_edges[at]])
        if kind < 0 or (carrier >= 0 and kind != carrier):
            return i64(-1)
        carrier = kind
    if carrier < 0 or a.source[asset] >> carrier & 1:
        return i64(-1)
    first, second = NOBODY, NOBODY
    for side in range(2):
        start, edges, far = a.out_start, a.out_edges, a.end
        if side == 1:
            start, edges, far = a.in_start, a.in_edges, a.begin
        for at in range(start[asset], start[asset + 1]):
            edge = edges[at]
            other = i64(far[edge])
            if a.kind[edge] != carrier or other in (first, second):
                continue
            if second != NOBODY:
                return i64(-1)
            if first == NOBODY:
                first = other
            else:
                second = other
    return carrier


@inner
def _root(root: Any, asset: int) -> Any:
    while root[asset] != asset:
        root[asset] = root[root[asset]]
        asset = i64(root[asset])
    return asset


@inner
def _join(root: Any, one: int, other: int) -> None:
    """The smaller position stands for both."""
    first, second = _root(root, one), _root(root, other)
    if first < second:
        root[second] = first
    else:
        root[first] = second


@compiled
def route(a: Any, members: Any, lost: Any, target: int, before: Any, queue: Any) -> None:
    """The shortest way from a member to the target over what is lost, backwards in `before`:
    -1 at a member, -2 where it does not lead.
    """
    before[:] = SEVERAL
    tail = i64(0)
    for member in members:
        before[member] = NOBODY
        queue[tail] = member
        tail += 1
    head = i64(0)
    while head < tail and before[target] == SEVERAL:
        asset = i64(queue[head])
        head += 1
        for at in range(a.out_start[asset], a.out_start[asset + 1]):
            other = a.end[a.out_edges[at]]
            if lost[other] == 1 and before[other] == SEVERAL:
                before[other] = asset
                queue[tail] = other
                tail += 1
