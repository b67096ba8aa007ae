"""Every single failure in the end, without times and causes: N-1 over everything.

Where support runs in no circle, what a failure takes along in the end is a fixed point of two rules
that do not care for time: a group loses its feeds' weight; a carrier loses what its sources no
longer reach. The first asset of a carrier to go takes along its subtree in the carrier's dominator
tree; only when a second one goes on its own is the carrier searched again. An asset whose failure
touches a circle is left to the cascade itself (count -1).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twinfall.analytics.kernels.arrays import i64, u64
from twinfall.analytics.kernels.compiled import compiled

CIRCLE = np.int32(-1)
"""The target of a feed whose consumer may be held up in a circle."""

VOTE = np.dtype([("need", "i4"), ("consumer", "i4"), ("seen", "i4"), ("lost", "i4")])
"""A group that one feed does not lose: weight until it is lost, for whom; and in a failure."""


class Single(NamedTuple):
    """A settled network of n assets, its carriers as dominator trees."""

    up: Any  # uint8 [n]
    circling: Any  # uint8 [n]
    out_start: Any  # int32 [n + 1], into target: feeds of a provider that matter
    target: Any  # int32: who goes down with it, or -2 - group for a vote, or CIRCLE
    weight: Any  # int32
    member: Any  # int32 [n] bits
    source: Any  # int32 [n] bits
    conducts: Any  # uint8 [n]
    pass_start: Any  # int32 [C * n + 1]
    pass_to: Any  # int32
    tree: Any  # int32 [C, n]: members in dominator-tree preorder
    at: Any  # int32 [C, n]: place of a member in it
    below: Any  # int32 [C, n]: how many its subtree has, itself included
    through: Any  # uint8 [C, n]: whether something may be reached through it
    size: Any  # int32 [C]: how many are in each tree


class Work(NamedTuple):
    """What the search of one failure writes; stamps make cleaning needless."""

    vote: Any  # VOTE [G]
    stamp: Any  # int32 [n]: the failure that took the asset down last
    cut: Any  # int8 [n]: the carrier by whose loss it went down then, -1
    queue: Any  # int32 [n]: what goes down, the failed one first
    begun: Any  # int32 [C]: the failure in which the carrier lost a first one last
    reached: Any  # int32 [n]: the search that reached it last
    heads: Any  # int32 [n]: where a search is
    searches: Any  # int64 [1]
    circles: Any  # int64 [1]: whether a circle was touched


@compiled
def take_down(a: Any, w: Any, failed: int, size: int) -> Any:
    """How many go down with the first `size` of the queue, these included, in `queue`; -1: a
    circle is touched. `failed` numbers the failure: no other since the last cleaning had it.
    """
    stamp, cut, queue, circles = w.stamp, w.cut, w.queue, w.circles
    out_start, target, weight, vote = a.out_start, a.target, a.weight, w.vote
    carriers, member = len(a.tree), a.member
    circles[0] = 0
    for i in range(size):
        asset = queue[i]
        stamp[asset] = failed
        circles[0] |= a.circling[asset]
        if carriers > 0:
            cut[asset] = -1
    head, tail, dirty = i64(0), i64(size), i64(0)
    while True:
        while head < tail:
            asset = i64(queue[head])
            head += 1
            before = tail
            tail = _feed_no_more(
                out_start, target, weight, vote, circles, stamp, queue, failed, asset, tail
            )
            if carriers > 0:
                for i in range(before, tail):
                    cut[queue[i]] = -1
                if member[asset] != 0:
                    tail, more = _cut_off(a, w, failed, asset, tail)
                    dirty |= more
        if circles[0] == 1:
            return -1
        if dirty == 0:
            return tail
        tail = _search_again(a, w, failed, dirty, tail)
        dirty = i64(0)


@compiled
def _feed_no_more(
    out_start: Any, target: Any, weight: Any, vote: Any, circles: Any, stamp: Any, queue: Any,
    failed: int, asset: int, tail: int,
) -> Any:  # fmt: skip
    """Take down what an asset no longer feeds, or say that a circle is touched; the queue's end.

    A return from within the loop would make it several times slower.
    """
    for edge in range(out_start[u64(asset)], out_start[u64(asset + 1)]):
        consumer = i64(target[u64(edge)])
        if consumer < 0:
            if consumer == CIRCLE:
                circles[0] = 1
                continue
            group = u64(-2 - consumer)
            consumer = i64(vote[group].consumer)
            lost = i64(weight[u64(edge)])
            if vote[group].seen == failed:
                lost += vote[group].lost
            vote[group].seen = failed
            vote[group].lost = lost
            if lost < vote[group].need:
                continue
        if stamp[u64(consumer)] != failed:
            stamp[u64(consumer)] = failed
            queue[u64(tail)] = consumer
            tail += 1
    return tail


@compiled
def _cut_off(a: Any, w: Any, failed: int, asset: int, tail: int) -> Any:
    """Take down what an asset cuts off in its carriers; the carriers to be searched again."""
    dirty = i64(0)
    for carrier in range(len(a.tree)):
        if a.member[asset] >> carrier & 1 == 0 or w.cut[asset] == carrier:
            continue
        if w.begun[carrier] == failed:
            if a.through[carrier, asset] == 1:
                dirty |= i64(1) << carrier
            continue
        w.begun[carrier] = failed
        place = i64(a.at[carrier, asset])
        for i in range(place + 1, place + a.below[carrier, asset]):
            tail = _lose(a, w, failed, i64(a.tree[carrier, i]), carrier, tail)
    return tail, dirty


@compiled
def _lose(a: Any, w: Any, failed: int, asset: int, carrier: int, tail: int) -> Any:
    if w.stamp[asset] == failed:
        return tail
    w.stamp[asset], w.cut[asset], w.queue[tail] = failed, carrier, asset
    if a.circling[asset] == 1:
        w.circles[0] = 1
    return tail + 1


@compiled
def _search_again(a: Any, w: Any, failed: int, dirty: int, tail: int) -> Any:
    """Take down what no source of these carriers reaches any more."""
    reached, heads, stamp, tree = w.reached, w.heads, w.stamp, a.tree
    n = i64(len(a.member))
    for carrier in range(len(tree)):
        if dirty >> carrier & 1 == 0:
            continue
        w.searches[0] += 1
        search = w.searches[0]
        size, count = i64(0), a.size[carrier]
        for i in range(count):
            asset = tree[carrier, i]
            if a.source[asset] >> carrier & 1 and stamp[asset] != failed:
                reached[asset] = search
                heads[size] = asset
                size += 1
        _reach(a, w, carrier * n, failed, size)
        for i in range(count):
            asset = i64(tree[carrier, i])
            if reached[asset] != search:
                tail = _lose(a, w, failed, asset, i64(carrier), tail)
    return tail


@compiled
def _reach(a: Any, w: Any, base: int, failed: int, size: int) -> None:
    """Spread from the first `size` of the heads through what is up and conducts."""
    reached, heads, stamp, search = w.reached, w.heads, w.stamp, w.searches[0]
    head = i64(0)
    while head < size:
        asset = heads[head]
        head += 1
        if a.conducts[asset] == 0:
            continue
        for at in range(a.pass_start[base + asset], a.pass_start[base + asset + 1]):
            other = a.pass_to[at]
            if reached[other] != search and stamp[other] != failed and a.up[other] == 1:
                reached[other] = search
                heads[size] = other
                size += 1


@compiled
def count_each(a: Any, w: Any, visible: int, counts: Any) -> None:
    """For each asset how many others its failure takes down, gates not counted; -1 where the
    cascade itself must say, 0 for what is down.
    """
    if len(a.tree) == 0:
        fed = (a.out_start, a.target, a.weight, w.vote, a.circling, w.circles)
        _count_fed(*fed, a.up, w.stamp, w.queue, visible, counts)
        return
    for asset in range(visible):
        if a.up[asset] == 1:
            w.queue[0] = asset
            down = take_down(a, w, i64(asset), i64(1))
            counts[asset] = _shown(w.queue, down, visible, len(a.member))


@compiled
def _count_fed(
    out_start: Any, target: Any, weight: Any, vote: Any, circling: Any, circles: Any, up: Any,
    stamp: Any, queue: Any, visible: int, counts: Any,
) -> None:  # fmt: skip
    """`count_each` where there are no carriers. The arrays one by one: a look into a tuple of
    them costs more than the step it is for.
    """
    for asset in range(visible):
        if up[u64(asset)] == 0 or out_start[u64(asset)] == out_start[u64(asset + 1)]:
            continue
        circles[0] = circling[u64(asset)]
        stamp[u64(asset)] = asset
        queue[u64(0)] = asset
        head, tail = i64(0), i64(1)
        while head < tail:
            tail = _feed_no_more(
                out_start, target, weight, vote, circles, stamp, queue, i64(asset),
                i64(queue[u64(head)]), tail,
            )  # fmt: skip
            head += 1
        if circles[0] == 1:
            tail = i64(-1)
        counts[u64(asset)] = _shown(queue, tail, visible, len(up))


@compiled
def _shown(queue: Any, down: int, visible: int, n: int) -> Any:
    """How many of those that are down with the first one are no gates; -1 where that is open."""
    if down < 0 or visible == n:
        return max(down - 1, -1)
    shown = i64(-1)
    for i in range(down):
        shown += queue[i] < visible
    return shown


@compiled
def list_each(a: Any, w: Any, visible: int, counts: Any, start: Any, into: Any) -> None:
    """Write what each asset takes along to into[start[asset]:], where `counts` is known."""
    for asset in range(visible):
        w.queue[0] = asset
        if counts[asset] <= 0 or take_down(a, w, i64(asset), i64(1)) < 0:
            continue
        at = start[asset]
        i = i64(1)
        while at < start[asset + 1]:
            if w.queue[i] < visible:
                into[at] = w.queue[i]
                at += 1
            i += 1


@compiled
def turned(n: int, start: Any, asset: Any) -> Any:
    """The listing the other way round: who has each asset, ascending."""
    back = np.zeros(n + 1, np.int64)
    for other in asset:
        back[other + 1] += 1
    for i in range(n):
        back[i + 1] += back[i]
    fill = back[:-1].copy()
    into = np.empty(len(asset), np.int32)
    for i in range(n):
        for at in range(start[i], start[i + 1]):
            other = asset[at]
            into[fill[other]] = i
            fill[other] += 1
    return back, into
