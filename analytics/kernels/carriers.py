"""The carriers: what no longer reaches a source goes down."""

from __future__ import annotations

from heapq import heappush
from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import STORAGE, UP, i64
from twinfall.analytics.kernels.compiled import inner
from twinfall.analytics.kernels.marking import fail


@inner
def carriers_cut(a: Any, s: Any, heap: Any, down: int, new: Any, now: float, wave: int) -> int:
    """Fail what no longer reaches a source, in the carriers of what went down last."""
    carriers = len(a.member_start) - 1
    if carriers == 0:
        return down
    dirty = touched(a.member, s.order, new)
    for carrier in range(carriers):
        if dirty >> carrier & 1:
            down = carrier_cut(a, s, heap, down, new, i64(carrier), now, wave)
    return down


@inner
def touched(member: Any, order: Any, new: Any) -> Any:
    """The carriers of what went down last (bits)."""
    carriers = i64(0)
    for i in range(new[0], new[1]):
        if order[i] >= 0:
            carriers |= member[order[i]]
    return carriers


@inner
def carrier_cut(
    a: Any, s: Any, heap: Any, down: int, new: Any, carrier: int, now: float, wave: int
) -> int:
    """One carrier, given the waves up to `wave`; what goes down makes the next one."""
    mark, order, root, reached, members = s.mark, s.order, s.root, s.reached, a.members
    first, last = a.member_start[carrier], a.member_end[carrier]
    tail = begin_at_sources(a, s, carrier, wave)
    tail = reach(a, s, carrier, i64(0), tail, wave)
    find_roots(a, s, new, carrier, wave, tail, now)
    head = tail
    tail = _begin_at_storages(a, s, heap, carrier, tail, now, wave)
    reach(a, s, carrier, head, tail, wave)
    begin = down
    for at in range(first, last):
        asset = i64(members[at])
        if mark[asset].wave > wave and reached[asset] == 0:
            down = fail(mark, order, down, asset, (now, wave + 1, -2 - carrier, i64(root[asset])))
    name_causes(a, s, (begin, down), wave)
    return down


@inner
def name_causes(a: Any, s: Any, new: Any, wave: int) -> None:
    """Of what was cut off by a storage that ran empty, the cause is an asset."""
    mark, order = s.mark, s.order
    for at in range(new[0], new[1]):
        asset = i64(order[at])
        if mark[asset].cause <= -2:
            mark[asset].cause = _storage_cause(a, s, asset, wave)


@inner
def _storage_cause(a: Any, s: Any, asset: int, wave: int) -> Any:
    """Others go down by the storage that ran empty; it goes down, and they if it does not, by
    the loss of its supply.
    """
    i = -2 - s.mark[asset].cause
    storage = i64(a.storage[i])
    if storage == asset or s.mark[storage].wave == UP:
        return i64(s.dry_cause[i])
    return storage


@inner
def begin_at_sources(a: Any, s: Any, carrier: int, wave: int) -> Any:
    """Queue the sources that are up; all other members are not reached yet."""
    mark, root, reached, queue, members = s.mark, s.root, s.reached, s.queue, a.members
    source = a.source
    tail = i64(0)
    for at in range(a.member_start[carrier], a.member_end[carrier]):
        asset = members[at]
        reached[asset] = 0
        root[asset] = -1
        if source[asset] >> carrier & 1 and mark[asset].wave > wave:
            reached[asset] = 1
            queue[tail] = asset
            tail += 1
    return tail


@inner
def _begin_at_storages(
    a: Any, s: Any, heap: Any, carrier: int, tail: int, now: float, wave: int
) -> int:
    """Queue the storages that no source reaches and that are not empty; new ones begin to run."""
    head = tail
    for i in range(len(a.storage)):
        asset = a.storage[i]
        if a.storage_carrier[i] != carrier or s.mark[asset].wave <= wave or s.reached[asset] == 1:
            continue
        if s.dry[i] == np.inf:
            s.dry[i] = now
            root = i64(s.root[asset])
            s.dry_cause[i] = root if root > -2 else s.dry_cause[-2 - root]
            heappush(heap, (now + a.storage_autonomy[i], STORAGE, i64(i)))
        if s.empty[i] == 0:
            s.queue[tail] = asset
            tail += 1
    for at in range(head, tail):
        s.reached[s.queue[at]] = 1
    return tail


@inner
def reach(a: Any, s: Any, carrier: int, head: int, tail: int, wave: int) -> int:
    """Spread from the queue through assets that are up and conduct; the queue's new end."""
    mark, reached, queue, conducts = s.mark, s.reached, s.queue, a.conducts
    pass_start, pass_end, pass_to = a.pass_start, a.pass_end, a.pass_to
    base = carrier * len(conducts)
    while head < tail:
        asset = queue[head]
        head += 1
        if conducts[asset] == 0:
            continue
        for at in range(pass_start[base + asset], pass_end[base + asset]):
            other = pass_to[at]
            if reached[other] == 0 and mark[other].wave > wave:
                reached[other] = 1
                queue[tail] = other
                tail += 1
    return tail


@inner
def find_roots(a: Any, s: Any, new: Any, carrier: int, wave: int, tail: int, now: float) -> None:
    """For every member that is up and not reached: the nearest thing whose loss cut it off.

    That is an asset that went down in the last wave, or storage i that has just run empty, as
    -2 - i; by hops over connections in either direction, then by order of going down. The queue
    is free from `tail` on: what is reached and what is not are different assets.
    """
    mark, root, reached, queue, order = s.mark, s.root, s.reached, s.queue, s.order
    touch_start, touch_end, touch, member = a.touch_start, a.touch_end, a.touch, a.member
    base = carrier * len(member)
    head = tail
    for i in range(len(a.storage)):
        asset = a.storage[i]
        empties = s.empty[i] == 1 and s.dry[i] + a.storage_autonomy[i] == now
        if reached[asset] == 1:  # again, in this very moment
            continue
        if empties and a.storage_carrier[i] == carrier and mark[asset].wave > wave:
            root[asset] = -2 - i
            queue[tail] = asset
            tail += 1
    for at in range(new[0], new[1]):
        asset = order[at]
        if asset >= 0 and member[asset] >> carrier & 1:
            root[asset] = asset
            queue[tail] = asset
            tail += 1
    while head < tail:
        asset = queue[head]
        head += 1
        for at in range(touch_start[base + asset], touch_end[base + asset]):
            other = touch[at]
            if root[other] == -1 and reached[other] == 0 and mark[other].wave > wave:
                root[other] = root[asset]
                queue[tail] = other
                tail += 1
