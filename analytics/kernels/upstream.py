"""Whether a connection that is laid closes a circle of support, and who may be in it."""

from __future__ import annotations

from typing import Any

from twinfall.analytics.kernels.arrays import i64
from twinfall.analytics.kernels.changing import hangs_on
from twinfall.analytics.kernels.compiled import compiled, inner

PLAIN, MIXED = 1, 2
"""How an asset is hung on: over connections of the one carrier alone, which reaching from sources
judges exactly, or over something else too.
"""


@compiled
def close_circles(a: Any, s: Any, e: Any, pair: Any) -> bool:
    """Whether support may run in a circle over a connection (one, other, carrier, whether only from
    one to the other) that is to be laid. All that the two hang on is circling from then on.

    One that hangs on the other already, not only over the carrier, closes a circle; a circle that
    one of them is in takes in what comes to be connected with it. O(what the two hang on).
    """
    one, other, carrier, oneway = pair
    found = a.circling[one] == 1 or a.circling[other] == 1
    found = found or _closes(a, s, e, one, other, carrier)
    found = found or (not oneway and _closes(a, s, e, other, one, carrier))
    if found:
        _hangs(a, s, e, one, i64(-1), carrier, True)
        _hangs(a, s, e, other, i64(-1), carrier, True)
    return bool(found)


@inner
def _closes(a: Any, s: Any, e: Any, one: int, other: int, carrier: int) -> bool:
    """The same for one direction. What hangs on the other is mostly less than what the one hangs
    on, and looked at first.
    """
    if a.source[other] >> carrier & 1 or not hangs_on(a, s, e, one, other):
        return False
    return bool(_hangs(a, s, e, one, other, carrier, False))


@inner
def _hangs(a: Any, s: Any, e: Any, asset: int, target: int, carrier: int, mark: bool) -> bool:
    """Whether an asset hangs on another one, and not over the carrier alone; `mark`: all that it
    hangs on is circling. Up or down, open or closed makes no difference.
    """
    queue, flagged = s.order, e.asset  # twice as long as there are assets: each may come twice
    queue[0] = asset
    flagged[asset].risen = PLAIN
    head, tail, found = i64(0), i64(1), False
    while head < tail and not found:
        below = i64(queue[head])
        head += 1
        tail = _feeders(a, queue, flagged, below, tail)
        tail = _neighbours(a, s.root, queue, flagged, below, carrier, tail)
        found = target >= 0 and i64(flagged[target].risen) & MIXED != 0
    for at in range(tail):
        flagged[queue[at]].risen = 0
        if mark:
            a.circling[queue[at]] = 1
    return found


@inner
def _come(queue: Any, flagged: Any, asset: int, how: int, tail: int) -> int:
    before = i64(flagged[asset].risen)
    if before & (how | MIXED):
        return tail
    flagged[asset].risen = before | how
    queue[tail] = asset
    return tail + 1


@inner
def _feeders(a: Any, queue: Any, flagged: Any, asset: int, tail: int) -> int:
    """A group that sustains itself needs nobody until it is lost."""
    for k in range(a.group_start[asset], a.group_start[asset + 1]):
        group = i64(a.groups[k])
        if len(a.sustain) > 0 and a.sustain[group] == 1:
            continue
        for at in range(a.in_start[group], a.in_start[group + 1]):
            edge = i64(a.in_edges[at])
            if a.weight[edge] > 0:
                tail = _come(queue, flagged, i64(a.provider[edge]), i64(MIXED), tail)
    return tail


@inner
def _neighbours(
    a: Any, count: Any, queue: Any, flagged: Any, asset: int, carrier: int, tail: int
) -> int:
    """Who passes on to it what it does not feed by itself: those that touch it more often than it
    passes on to them. `count` is free for any use.
    """
    needs = i64(a.member[asset] & ~a.source[asset])
    for one in range(len(a.member_start) - 1):
        if needs >> one & 1 == 0:
            continue
        plain = one == carrier and i64(flagged[asset].risen) & MIXED == 0
        at = i64(one) * len(a.member) + asset
        first, last = a.touch_start[at], a.touch_end[at]
        for i in range(first, last):
            count[a.touch[i]] = 0
        for i in range(first, last):
            count[a.touch[i]] += 1
        for i in range(a.pass_start[at], a.pass_end[at]):
            count[a.pass_to[i]] -= 1
        for i in range(first, last):
            if count[a.touch[i]] > 0:
                how = i64(PLAIN) if plain else i64(MIXED)
                tail = _come(queue, flagged, i64(a.touch[i]), how, tail)
    return tail
