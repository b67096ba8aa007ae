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
from twinfall.analytics.kernels.compiled import compiled, inner
from twinfall.analytics.kernels.trunks import count_along, trunks

VOTE = np.dtype([("need", "i4"), ("consumer", "i4"), ("seen", "i4"), ("lost", "i4")])
"""A group that one feed does not lose: weight until it is lost, for whom; and in a failure."""


class Single(NamedTuple):
    """A settled network of n assets, its carriers as dominator trees."""

    up: Any  # uint8 [n]
    circling: Any  # uint8 [n]: of a circle, or feeds one; empty where there are none
    span: Any  # int32 [3 n + 1], into target: feeds of a provider that matter, in three kinds
    target: Any  # int32: who goes down with it; who does and is a leaf; a group that gets a vote
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
    queue: Any  # int32 [n + 2]: what goes down, the failed one first, leaves from the back
    begun: Any  # int32 [C]: the failure in which the carrier lost a first one last
    reached: Any  # int32 [n]: the search that reached it last
    heads: Any  # int32 [n]: where a search is
    searches: Any  # int64 [1]


@compiled
def take_down(a: Any, w: Any, failed: int, size: int) -> Any:
    """How many go down with the first `size` of the queue, these included, in `queue`; -1: a
    circle is touched. `failed` numbers the failure: no other since the last cleaning had it.
    """
    stamp, queue = w.stamp, w.queue
    span, target, weight, vote = a.span, a.target, a.weight, w.vote
    for i in range(size):
        stamp[queue[i]] = failed
    if len(a.tree) > 0:
        _uncut(w.cut, queue, i64(0), size)
    head, tail, leaves, dirty = i64(0), size, i64(0), i64(0)
    while True:
        fed = tail
        tail, leaves = _feed_no_more(
            span, target, weight, vote, stamp, queue, failed, head, tail, leaves
        )
        if len(a.tree) == 0:
            break
        _uncut(w.cut, queue, fed, tail)
        head, tail, more = _carry_no_more(a, w, failed, head, tail)
        dirty |= more
        if head == tail:
            if dirty == 0:
                break
            tail = _search_again(a, w, failed, dirty, tail)
            dirty = i64(0)
    if _circles(a.circling, queue, tail):
        return i64(-1)
    back = len(queue) - leaves
    for i in range(leaves):
        queue[u64(tail + i)] = queue[u64(back + i)]
    return tail + leaves


@inner
def _feed_no_more(
    span: Any, target: Any, weight: Any, vote: Any, stamp: Any, queue: Any,
    failed: int, head: int, tail: int, leaves: int,
) -> Any:  # fmt: skip
    """Take down what the assets from `head` on no longer feed, and so on; where the queue ends
    then, and how many leaves there are at its back: nothing needs to be looked up for them.

    The whole loop is one function: calls with this many arrays cost more than a step.
    """
    last = len(queue) - 1
    while head < tail:
        first = u64(3) * u64(queue[u64(head)])
        head += 1
        for edge in range(span[first], span[first + u64(1)]):
            consumer = u64(target[u64(edge)])
            if stamp[consumer] != failed:
                stamp[consumer] = failed
                queue[u64(tail)] = consumer
                tail += 1
        for edge in range(span[first + u64(1)], span[first + u64(2)]):
            consumer = u64(target[u64(edge)])
            if stamp[consumer] != failed:
                stamp[consumer] = failed
                queue[u64(last - leaves)] = consumer
                leaves += 1
        for edge in range(span[first + u64(2)], span[first + u64(3)]):
            group = u64(target[u64(edge)])
            lost = i64(weight[u64(edge)])
            if vote[group].seen == failed:
                lost += vote[group].lost
            vote[group].seen = failed
            vote[group].lost = lost
            consumer = u64(vote[group].consumer)
            if lost >= vote[group].need and stamp[consumer] != failed:
                stamp[consumer] = failed
                queue[u64(tail)] = consumer
                tail += 1
    return tail, leaves


@inner
def _circles(circling: Any, queue: Any, tail: int) -> bool:
    """Whether a circle is touched; no leaf is in one."""
    found = i64(0)
    if len(circling) > 0:
        for i in range(tail):
            found |= circling[queue[i]]
    return bool(found == 1)


@inner
def _uncut(cut: Any, queue: Any, first: int, last: int) -> None:
    """These went down by no carrier."""
    for i in range(first, last):
        cut[queue[i]] = -1


@inner
def _carry_no_more(a: Any, w: Any, failed: int, head: int, tail: int) -> Any:
    """Take down what the assets from `head` on cut off in their carriers: where they end, where
    those end that were cut off, and the carriers to be searched again.
    """
    end, dirty = tail, i64(0)
    for i in range(head, end):
        tail, more = _cut_off(a, w, failed, i64(w.queue[i]), tail)
        dirty |= more
    return end, tail, dirty


@inner
def _cut_off(a: Any, w: Any, failed: int, asset: int, tail: int) -> Any:
    """Take down what an asset cuts off in its carriers; the carriers to be searched again."""
    dirty = i64(0)
    if a.member[asset] == 0:
        return tail, dirty
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


@inner
def _lose(a: Any, w: Any, failed: int, asset: int, carrier: int, tail: int) -> Any:
    if w.stamp[asset] == failed:
        return tail
    w.stamp[asset], w.cut[asset], w.queue[tail] = failed, carrier, asset
    return tail + 1


@inner
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


@inner
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
def count_each(a: Any, w: Any, visible: int, lines: bool, counts: Any) -> None:
    """For each asset how many others its failure takes down, gates not counted; -1 where the
    cascade itself must say, 0 for what is down. `lines`: whether nothing sustains itself.
    """
    if len(a.tree) == 0:
        shown = visible if lines else 0
        after, more = trunks(a.span, a.target, w.vote, a.circling, shown)
        fed = (a.span, a.target, a.weight, w.vote, w.stamp, w.queue)
        _count_fed(*fed, a.circling, a.up, after, visible, counts)
        count_along(after, more, counts)
        return
    for asset in range(visible):
        if a.up[asset] == 1:
            w.queue[0] = asset
            down = take_down(a, w, i64(asset), i64(1))
            counts[asset] = _shown(w.queue, down, visible, len(a.member))


@inner
def _count_fed(
    span: Any, target: Any, weight: Any, vote: Any, stamp: Any, queue: Any, circling: Any,
    up: Any, after: Any, visible: int, counts: Any,
) -> None:  # fmt: skip
    """`count_each` where there are no carriers, without those along trunks. The arrays one by one:
    a look into a tuple of them costs more than the step it is for.
    """
    last = len(queue) - 1
    for asset in range(visible):
        first = u64(3 * asset)
        if len(circling) > 0 and circling[u64(asset)] == 1:
            counts[u64(asset)] = -i64(up[u64(asset)])
            continue
        idle = up[u64(asset)] == 0 or span[first] == span[first + u64(3)]
        if idle or after[u64(asset)] >= 0:
            continue
        stamp[u64(asset)] = asset
        queue[u64(0)] = asset
        tail, leaves = _feed_no_more(
            span, target, weight, vote, stamp, queue, i64(asset), i64(0), i64(1), i64(0)
        )
        if _circles(circling, queue, tail):
            counts[u64(asset)] = -1
            continue
        counts[u64(asset)] = _shown(queue, tail, visible, len(up)) + leaves
        for i in range(leaves if visible < len(up) else 0):
            counts[u64(asset)] -= queue[u64(last - i)] >= visible


@inner
def _shown(queue: Any, down: int, visible: int, n: int) -> Any:
    """How many of those that are down with the first one are no gates; -1 where that is open."""
    if down < 0 or visible == n:
        return max(down - 1, i64(-1))
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
