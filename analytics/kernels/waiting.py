"""Who of what cannot be derived falls now, and who waits for the loss of what is before it.

The unfounded hold each other up over feeds and connections. Those fall, or begin to use up their
buffers, that are in a circle behind no other, and with them what hangs on such a circle over
nothing that takes time. What is behind a loss that takes time to be felt, or behind a buffer that
has not begun, waits: it follows as behind any other failed asset.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import i64, seconds
from twinfall.analytics.kernels.compiled import inner
from twinfall.analytics.kernels.grounding import lacks_votes
from twinfall.analytics.kernels.timers import DRAINING, left


@inner
def let_wait(a: Any, s: Any, e: Any, now: float, size: int) -> None:
    """Mark in `waits` who of the unfounded in the scope waits; writes on the queue and on roots.

    `e` is what an evolution has beside the scratch; None: a question asks, and all is full.
    """
    support, queue = s.support, s.queue
    count = i64(0)
    for i in range(size):
        asset = i64(s.scope[i])
        if support[asset].holds == 0:
            support[asset].waits = 0
            queue[count] = asset
            s.root[asset] = count
            count += 1
    if count == 0 or len(a.transfer) + len(a.autonomy) + len(a.storage) == 0:
        return
    start, to, slow = _arcs(a, s, e, now, count)
    if not slow:
        return
    waits = _behind(start, to, _first(start, to, _circles(start, to)))
    for i in range(count):
        support[queue[i]].waits = waits[i]


@inner
def _arcs(a: Any, s: Any, e: Any, now: float, count: int) -> Any:
    """Whom each of the unfounded holds up, by their numbers, to[start[i]:start[i + 1]]; as
    -1 - number where its loss would take time. And whether any would.
    """
    queue, root, support, rule, transfer = s.queue, s.root, s.support, a.rule, a.transfer
    out_start, group_of, weight = a.out_start, a.group, a.weight
    start = np.empty(count + 1, np.int32)
    to = np.empty(_room(a, queue, count), np.int32)
    stored = _stored(a, s, e, now, count)
    tail, slow = i64(0), False
    for i in range(count):
        start[i] = tail
        asset = i64(queue[i])
        for edge in range(out_start[asset], out_start[asset + 1]):
            group = i64(group_of[edge])
            consumer = i64(rule[group].consumer)
            unfounded = support[consumer].inside == 1 and support[consumer].holds == 0
            if not unfounded or weight[edge] == 0 or not lacks_votes(s, group):
                continue
            late = seconds(transfer, i64(edge)) > 0.0 or _lasts(a, e, group, now)
            to[tail] = i64(root[consumer]) ^ -i64(late)
            tail += 1
            slow = slow or late
        if a.member[asset] != 0 and a.conducts[asset] == 1:
            begin = tail
            tail = _carried(a, s, asset, stored, to, tail)
            for at in range(begin, tail):
                slow = slow or to[at] < 0
    start[count] = tail
    return start, to, slow


@inner
def _room(a: Any, queue: Any, count: int) -> Any:
    """How many arcs there can be."""
    n, room = len(a.member), i64(0)
    for i in range(count):
        asset = i64(queue[i])
        room += a.out_start[asset + 1] - a.out_start[asset]
        for carrier in range(len(a.member_start) - 1):
            base = carrier * n + asset
            room += a.pass_end[base] - a.pass_start[base]
    return room


@inner
def _carried(a: Any, s: Any, asset: int, stored: Any, to: Any, tail: int) -> Any:
    """Append whom an asset passes on what they lack."""
    support, member, pass_to = s.support, a.member, a.pass_to
    for carrier in range(len(a.member_start) - 1):
        base = carrier * len(member) + asset
        for at in range(a.pass_start[base], a.pass_end[base]):
            other = i64(pass_to[at])
            unfounded = support[other].inside == 1 and support[other].holds == 0
            if unfounded and (member[other] & ~support[other].fed) >> carrier & 1:
                number = i64(s.root[other])
                to[tail] = number ^ -(i64(stored[number]) >> carrier & 1)
                tail += 1
    return tail


@inner
def _lasts(a: Any, e: Any, group: int, now: float) -> bool:
    """Whether a group that loses its votes would live on a buffer that has not begun."""
    if e is None:
        return bool(seconds(a.autonomy, group) > 0.0)
    if len(e.buffer_slot) == 0 or e.buffer_slot[group] < 0:
        return False
    slot = i64(e.buffer_slot[group])
    return bool(e.timer[slot].mode != DRAINING and left(e.timer, slot, now) > 0.0)


@inner
def _stored(a: Any, s: Any, e: Any, now: float, count: int) -> Any:
    """By number, the carriers (bits) that an asset would have from a storage that rests."""
    stored = np.zeros(count, np.int32)
    for i in range(len(a.storage)):
        asset = i64(a.storage[i])
        if s.support[asset].inside == 0 or s.support[asset].holds == 1 or s.dry[i] < np.inf:
            continue
        if e is None or left(e.timer, i64(e.first_storage + i), now) > 0.0:
            stored[s.root[asset]] |= i64(1) << a.storage_carrier[i]
    return stored


@inner
def _circles(start: Any, to: Any) -> Any:
    """The number of the circle of each: strongly connected, each by itself where it is in none.

    R. Tarjan, "Depth-First Search and Linear Graph Algorithms" (1972), without recursion.
    """
    count = len(start) - 1
    circle = np.full(count, -1, np.int32)
    met, low = np.zeros(count, np.int32), np.zeros(count, np.int32)
    cursor, path, open_ = start[:-1].copy(), np.empty(count, np.int32), np.empty(count, np.int32)
    meetings, circles, opened = i64(0), i64(0), i64(0)
    for begin in range(count):
        depth, other = i64(0), i64(begin)
        while met[begin] == 0 or depth > 0:
            if met[other] == 0:
                meetings += 1
                met[other] = low[other] = meetings
                path[depth] = open_[opened] = other
                depth += 1
                opened += 1
            one = i64(path[depth - 1])
            if cursor[one] < start[one + 1]:
                other = _number(to[cursor[one]])
                cursor[one] += 1
                if met[other] > 0 and circle[other] < 0:
                    low[one] = min(low[one], met[other])
                continue
            depth -= 1
            other = one
            if depth > 0:
                low[path[depth - 1]] = min(low[path[depth - 1]], low[one])
            if low[one] == met[one]:
                opened = _close(circle, open_, opened, one, circles)
                circles += 1
    return circle


@inner
def _close(circle: Any, open_: Any, opened: int, one: int, number: int) -> Any:
    """The last ones opened, back to this one, are a circle; how many are open then."""
    while circle[one] < 0:
        opened -= 1
        circle[open_[opened]] = number
    return opened


@inner
def _number(target: int) -> Any:
    return i64(target) ^ (i64(target) >> 63)


@inner
def _first(start: Any, to: Any, circle: Any) -> Any:
    """Whether each is in a circle behind no other."""
    count = len(circle)
    behind = np.zeros(count, np.uint8)
    for i in range(count):
        for at in range(start[i], start[i + 1]):
            other = circle[_number(to[at])]
            if other != circle[i]:
                behind[other] = 1
    first = np.empty(count, np.uint8)
    for i in range(count):
        first[i] = 1 - behind[circle[i]]
    return first


@inner
def _behind(start: Any, to: Any, first: Any) -> Any:
    """Who waits: behind something that takes time, outside the first circles."""
    count = len(first)
    waits, queue = np.zeros(count, np.uint8), np.empty(count, np.int32)
    head, tail = i64(0), i64(0)
    for at in range(start[count]):
        other = _number(to[at])
        if to[at] < 0 and first[other] == 0 and waits[other] == 0:
            waits[other] = 1
            queue[tail] = other
            tail += 1
    while head < tail:
        one = i64(queue[head])
        head += 1
        for at in range(start[one], start[one + 1]):
            other = _number(to[at])
            if waits[other] == 0:
                waits[other] = 1
                queue[tail] = other
                tail += 1
    return waits
