"""Who rises when something is in order again: the least set that what is up can hold.

What is up is founded already, so that whatever it holds is too, and what that holds. Who rises is
found out before anything is changed, since a black starter counts as up until it is known whether
what it starts holds it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import UP, i64, u64
from twinfall.analytics.kernels.circles import suspect
from twinfall.analytics.kernels.compiled import inner
from twinfall.analytics.kernels.encircling import grown
from twinfall.analytics.kernels.falling import (
    CIRCLED,
    CIRCLES,
    DIRTY,
    REGAINED,
    ROSE,
    seed,
    uncircle,
)
from twinfall.analytics.kernels.grounding import clear, ground, is_pending, lacks_votes, passes
from twinfall.analytics.kernels.timers import CHARGING, DRAINING, HOLDING, drop, left, turn


@inner
def rise(a: Any, s: Any, e: Any, seeds: Any, now: float) -> None:
    """Let rise what can, given that it may be because of these assets."""
    tail = _find(a, s, e, seeds, now)
    e.count[ROSE] = tail
    _take_back(a, s, e, tail)
    stored, timed = len(e.buffer_slot) > 0, len(e.feed_slot) > 0
    for i in range(tail if stored or timed or a.cyclic else 0):
        asset = i64(e.rose[i])
        if a.cyclic and (timed or e.asset[asset].buffered == 1) and a.circling[asset] == 1:
            seed(e, asset)  # it may feed what feeds it from now on: a buffer, a loss not felt
        if stored:
            _use_buffers(a, s, e, asset, now)
    _forget(a, e, tail)
    if e.count[CIRCLES] > 0:
        _leave_circles(a, s, e, now)


@inner
def _find(a: Any, s: Any, e: Any, seeds: Any, now: float) -> Any:
    """Flag who can rise, black starters assumed as far as what they start holds them."""
    assumed = _black_starters(a, s, e)
    while True:
        tail = i64(0)
        e.count[REGAINED] = 0
        for asset in assumed:
            e.asset[asset].risen = 1
            s.support[asset].fed = 0
            e.rose[tail] = asset
            tail += 1
        for i in range(len(seeds)):
            tail = _try(a, s, e, i64(seeds[i]), now, tail)
        tail = _grow(a, s, e, assumed, now, tail)
        held = _held(a, s, e, assumed, now)
        if len(held) == len(assumed):
            return tail
        _forget(a, e, tail)
        for i in range(e.count[REGAINED]):
            e.asset[a.rule[e.regained[i]].consumer].short += 1
        assumed = held


@inner
def _black_starters(a: Any, s: Any, e: Any) -> Any:
    """Those that are down and have not failed themselves."""
    found = np.empty(len(e.black), np.int64)
    kept = i64(0)
    for asset in e.black:
        if s.mark[asset].wave != UP and e.asset[asset].own == 0:
            found[kept] = asset
            kept += 1
    return found[:kept]


@inner
def _held(a: Any, s: Any, e: Any, assumed: Any, now: float) -> Any:
    held = np.empty(len(assumed), np.int64)
    kept = i64(0)
    for asset in assumed:
        if _ready(a, s, e, i64(asset), now):
            held[kept] = asset
            kept += 1
    return held[:kept]


@inner
def _grow(a: Any, s: Any, e: Any, assumed: Any, now: float, tail: int) -> Any:
    out_start, rose, head, connected = a.out_start, e.rose, i64(0), len(a.member_start) > 1
    while True:
        while head < tail:
            asset = i64(rose[u64(head)])
            head += 1
            if out_start[u64(asset)] != out_start[u64(asset + 1)]:
                tail = _feed(a, s, e, asset, now, tail)
            if connected and a.member[asset] != 0:
                tail = _pass_on(a, s, e, asset, i64(s.support[asset].fed), now, tail)
        later = False
        for asset in assumed:  # one may only now be fed itself
            fresh = _fed_since(a, s, e, i64(asset), now)
            if fresh != 0:
                tail = _pass_on(a, s, e, i64(asset), fresh, now, tail)
                later = True
        if head == tail and not later:
            return tail


@inner
def _feed(a: Any, s: Any, e: Any, asset: int, now: float, tail: int) -> Any:
    """Try whoever has the votes of a group again because of this one."""
    group_of, weight_of, rule, member = a.group, a.weight, a.rule, a.member
    tally, mark, gain, part, rose = s.tally, s.mark, e.gain, e.asset, e.rose
    regained, count = e.regained, e.count
    timed, found = len(e.feed_slot) > 0, i64(count[REGAINED])
    for edge in range(a.out_start[u64(asset)], a.out_start[u64(asset + 1)]):
        if timed and is_pending(e, edge):
            continue
        group, weight = u64(group_of[u64(edge)]), weight_of[u64(edge)]
        fail_at, before = rule[group].fail_at, tally[group].lost - gain[group]
        gain[group] += weight
        if not before - weight < fail_at <= before:
            continue
        consumer = u64(rule[group].consumer)
        part[consumer].short -= 1
        regained[u64(found)] = group
        found += 1
        if part[consumer].buffered == 1 or member[consumer] != 0:
            tail = _try(a, s, e, i64(consumer), now, tail)
            continue
        lacks = part[consumer].short + part[consumer].own + part[consumer].risen
        if lacks == 0 and mark[consumer].wave != UP:
            part[consumer].risen = 1
            rose[u64(tail)] = consumer
            tail += 1
    count[REGAINED] = found
    return tail


@inner
def _pass_on(a: Any, s: Any, e: Any, asset: int, carriers: int, now: float, tail: int) -> Any:
    if a.conducts[asset] == 0:
        return tail
    for carrier in range(len(a.member_start) - 1):
        if carriers >> carrier & 1 == 0:
            continue
        base = i64(carrier) * len(a.member) + asset
        for at in range(a.pass_start[base], a.pass_end[base]):
            tail = _try(a, s, e, i64(a.pass_to[at]), now, tail)
    return tail


@inner
def _fed_since(a: Any, s: Any, e: Any, asset: int, now: float) -> Any:
    """Carriers that reach an asset and did not before (bits); they do from now on."""
    fed = i64(0)
    for carrier in range(len(a.member_start) - 1):
        if a.member[asset] >> carrier & 1 and _is_fed(a, s, e, asset, i64(carrier), now):
            fed |= i64(1) << carrier
    fresh = fed & ~i64(s.support[asset].fed)
    s.support[asset].fed |= fresh
    return fresh


@inner
def _try(a: Any, s: Any, e: Any, asset: int, now: float, tail: int) -> Any:
    """Let an asset rise if it is down, in order, and has all that it needs."""
    if s.mark[asset].wave == UP or e.asset[asset].own == 1 or e.asset[asset].risen == 1:
        return tail
    if not _ready(a, s, e, asset, now):
        return tail
    e.asset[asset].risen = 1
    s.support[asset].fed = a.member[asset]
    e.rose[tail] = asset
    return tail + 1


@inner
def _ready(a: Any, s: Any, e: Any, asset: int, now: float) -> bool:
    for k in range(a.group_start[asset], a.group_start[asset + 1]):
        group = i64(a.groups[k])
        fail_at = a.rule[group].fail_at
        if fail_at == 0 or s.tally[group].lost - e.gain[group] < fail_at:
            continue
        slot = i64(e.buffer_slot[group]) if len(e.buffer_slot) > 0 else i64(-1)
        if slot < 0 or left(e.timer, slot, now) <= 0.0:
            return False
    if a.member[asset] != 0:
        for carrier in range(len(a.member_start) - 1):
            mine = a.member[asset] >> carrier & 1
            if mine and not _is_fed(a, s, e, asset, i64(carrier), now):
                return False
    return True


@inner
def _is_fed(a: Any, s: Any, e: Any, asset: int, carrier: int, now: float) -> bool:
    if a.source[asset] >> carrier & 1:
        return True
    for i in range(len(a.storage)):
        mine = a.storage[i] == asset and a.storage_carrier[i] == carrier
        if mine and left(e.timer, i64(e.first_storage + i), now) > 0.0:
            return True
    base = carrier * len(a.member)
    for at in range(a.touch_start[base + asset], a.touch_end[base + asset]):
        other = i64(a.touch[at])
        if a.conducts[other] == 0:
            continue
        up = s.mark[other].wave == UP
        risen = e.asset[other].risen == 1 and s.support[other].fed >> carrier & 1
        if (up or risen) and passes(a, base + other, asset):
            return True
    return False


@inner
def _forget(a: Any, e: Any, tail: int) -> None:
    out_start, group_of, gain, part, rose = a.out_start, a.group, e.gain, e.asset, e.rose
    for i in range(tail):
        asset = u64(rose[u64(i)])
        part[asset].risen = 0
        for edge in range(out_start[asset], out_start[asset + u64(1)]):
            gain[u64(group_of[u64(edge)])] = 0


@inner
def _take_back(a: Any, s: Any, e: Any, tail: int) -> None:
    """Who rises is up: their feeds vote, and what was on its way does not come."""
    out_start, group_of, weight, member = a.out_start, a.group, a.weight, a.member
    mark, tally, rose, timed, dirty = s.mark, s.tally, e.rose, len(e.feed_slot) > 0, i64(0)
    for i in range(tail):
        asset = u64(rose[u64(i)])
        for edge in range(out_start[asset], out_start[asset + u64(1)]):
            if timed and is_pending(e, edge):
                drop(e.timer, e.heap, e.size, i64(e.feed_slot[u64(edge)]))
                continue
            tally[u64(group_of[u64(edge)])].lost -= weight[u64(edge)]
        mark[asset].wave = UP
        dirty |= i64(member[asset])
    e.count[DIRTY] |= dirty


@inner
def _use_buffers(a: Any, s: Any, e: Any, asset: int, now: float) -> None:
    """Buffers of those that have votes again recharge, those of who has risen without drain."""
    for edge in range(a.out_start[asset], a.out_start[asset + 1]):
        _set_buffer(a, s, e, i64(a.group[edge]), now)
    for k in range(a.group_start[asset], a.group_start[asset + 1]):
        _set_buffer(a, s, e, i64(a.groups[k]), now)


@inner
def _set_buffer(a: Any, s: Any, e: Any, group: int, now: float) -> None:
    """Drain, hold or recharge, as the votes and the consumer stand."""
    slot = i64(e.buffer_slot[group])
    if slot < 0 or e.timer[slot].circled == 1:
        return
    mode, consumer = CHARGING, i64(a.rule[group].consumer)
    if 0 < a.rule[group].fail_at <= s.tally[group].lost:
        mode = DRAINING if s.mark[consumer].wave == UP else HOLDING
    elif a.cyclic and e.timer[slot].mode == DRAINING and a.circling[consumer] == 1:
        seed(e, consumer)  # its votes may hang on it alone, now that the buffer holds it no more
    turn(e.timer, e.heap, e.size, slot, mode, now)


@inner
def _leave_circles(a: Any, s: Any, e: Any, now: float) -> None:
    """Buffers that run in circles rest where there are votes without any of them."""
    size = i64(0)
    storages = len(a.storage)
    since = s.dry.copy()
    for slot in range(len(e.timer)):
        if e.timer[slot].circled == 0:
            continue
        if slot >= e.first_storage and slot < e.first_storage + storages:
            asset = i64(a.storage[slot - e.first_storage])
            s.dry[slot - e.first_storage] = np.inf
        else:
            asset = i64(a.rule[e.timer[slot].at].consumer)
            s.tally[e.timer[slot].at].lost -= CIRCLED
        size = suspect(s.mark, s.support, s.scope, asset, size)
    size = grown(a, s, size, True)
    ground(a, s, e, now, size)
    for slot in range(len(e.timer)):
        if e.timer[slot].circled == 0:
            continue
        if slot >= e.first_storage and slot < e.first_storage + storages:
            _leave_storage(a, s, e, i64(slot - e.first_storage), since)
        else:
            _leave_group(a, s, e, i64(slot), now)
    clear(s.support, s.scope, size)


@inner
def _leave_group(a: Any, s: Any, e: Any, slot: int, now: float) -> None:
    group = i64(e.timer[slot].at)
    lost = 0 < a.rule[group].fail_at <= s.tally[group].lost
    s.tally[group].lost += CIRCLED
    if lost:
        uncircle(s, e, group, slot)  # it drains on, by its votes
    elif not lacks_votes(s, group):
        uncircle(s, e, group, slot)
        turn(e.timer, e.heap, e.size, slot, CHARGING, now)


@inner
def _leave_storage(a: Any, s: Any, e: Any, i: int, since: Any) -> None:
    """Whether one that is fed without circles runs on, its carrier says."""
    asset = i64(a.storage[i])
    s.dry[i] = since[i]
    if s.support[asset].fed >> a.storage_carrier[i] & 1:
        e.timer[e.first_storage + i].circled = 0
        e.count[CIRCLES] -= 1
        e.count[DIRTY] |= i64(1) << a.storage_carrier[i]
