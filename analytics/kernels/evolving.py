"""A moment of a plant that goes on: what falls, given what is down and what the buffers hold.

The same rounds as in `cascade`, on a scratch that is not cleaned.
"""

from __future__ import annotations

from typing import Any

from twinfall.analytics.kernels.arrays import NONE, UP, i64, u64
from twinfall.analytics.kernels.compiled import inner
from twinfall.analytics.kernels.encircling import circles_lost
from twinfall.analytics.kernels.falling import DIRTY, FALLEN, SEEDS, WAVE, fall, lost, seed
from twinfall.analytics.kernels.marking import lose
from twinfall.analytics.kernels.supplying import carrier_lost, carriers_lost
from twinfall.analytics.kernels.timers import BUFFER, DRAINING, FEED, STORAGE, drop, put


@inner
def moment(a: Any, s: Any, e: Any, failed: Any, group: int, now: float) -> None:
    """Fail these, take all that is due by now, look at a group whose feeds are others (-1: none),
    and follow until nothing more falls.
    """
    count, cyclic = e.count, a.cyclic
    start = i64(count[FALLEN])
    wave = i64(count[WAVE])
    down = start
    for i in range(len(failed)):
        asset = i64(failed[i])
        e.asset[asset].own = 1
        down = fall(a, s, e, down, asset, (now, wave + 1, NONE, NONE))
    down = _due(a, s, e, down, now, wave)
    if group >= 0 and 0 < a.rule[group].fail_at <= s.tally[group].lost:
        down = lost(a, s, e, down, group, now, wave)
    wave += 1
    begin = start
    while True:
        end = down
        down = _spread(a, s, e, down, (begin, end), now, wave)
        down = carriers_lost(a, s, e, down, (begin, end), now, wave)
        begin = end
        if down == end and cyclic and (down > start or count[SEEDS] > 0):
            down = circles_lost(a, s, e, (start, down), now, wave)
        if down == end:
            break
        wave += 1
    count[WAVE] = wave
    count[FALLEN] = down
    count[SEEDS] = 0


@inner
def _due(a: Any, s: Any, e: Any, down: int, now: float, wave: int) -> Any:
    """Take all that is due: storages, then losses on their way and buffers."""
    timer, heap, size, events, tally = e.timer, e.heap, e.size, e.events, s.tally
    found = i64(0)
    while size[0] > 0 and timer[heap[0]].due <= now:
        slot = i64(heap[0])
        drop(timer, heap, size, slot)
        events[found] = slot
        found += 1
        if timer[slot].kind == STORAGE:
            _run_empty(a, s, e, i64(timer[slot].at), now)
    dirty = i64(e.count[DIRTY])
    e.count[DIRTY] = 0
    for carrier in range(len(a.member_start) - 1):
        if dirty >> carrier & 1:
            down = carrier_lost(a, s, e, down, (i64(0), i64(0)), i64(carrier), now, wave)
    for i in range(found):
        slot = i64(events[i])
        if timer[slot].kind == FEED:
            edge = i64(timer[slot].at)
            group, provider = i64(a.group[edge]), i64(a.provider[edge])
            if a.cyclic:
                seed(e, i64(a.rule[group].consumer))
            if lose(a.rule, tally, group, provider, i64(a.weight[edge])):
                e.asset[a.rule[group].consumer].short += 1
                down = lost(a, s, e, down, group, now, wave)
        elif timer[slot].kind == BUFFER and timer[slot].mode == DRAINING:
            timer[slot].level = 0.0
            timer[slot].since = now
            group = i64(timer[slot].at)
            how = (now, wave + 1, group, i64(tally[group].decided))
            down = fall(a, s, e, down, i64(a.rule[group].consumer), how)
    return down


@inner
def _run_empty(a: Any, s: Any, e: Any, i: int, now: float) -> None:
    slot = i64(e.first_storage + i)
    e.timer[slot].level = 0.0
    e.timer[slot].since = now
    s.empty[i] = 1
    e.count[DIRTY] |= i64(1) << a.storage_carrier[i]
    if a.cyclic:
        seed(e, i64(a.storage[i]))


@inner
def _spread(a: Any, s: Any, e: Any, down: int, new: Any, now: float, wave: int) -> Any:
    """Lose the feeds of what fell in the last wave, `new` of the order."""
    out_start, group_of, weight, transfer = a.out_start, a.group, a.weight, a.transfer
    rule, tally, order, mark, part = a.rule, s.tally, s.order, s.mark, e.asset
    feed_slot, timed, stored = e.feed_slot, len(e.feed_slot) > 0, len(e.buffer_slot) > 0
    for i in range(new[0], new[1]):
        asset = i64(order[u64(i)])
        for edge in range(out_start[u64(asset)], out_start[u64(asset + 1)]):
            if timed and feed_slot[u64(edge)] >= 0:
                due = now + transfer[u64(edge)]
                put(e.timer, e.heap, e.size, i64(feed_slot[u64(edge)]), due)
                continue
            group = i64(group_of[u64(edge)])
            if not lose(rule, tally, group, asset, i64(weight[u64(edge)])):
                continue
            consumer = i64(rule[u64(group)].consumer)
            part[u64(consumer)].short += 1
            if stored or part[u64(consumer)].buffered == 1:
                down = lost(a, s, e, down, group, now, wave)
            elif mark[u64(consumer)].wave == UP:
                mark[u64(consumer)].time = now
                mark[u64(consumer)].wave = wave + 1
                mark[u64(consumer)].by = group
                mark[u64(consumer)].cause = asset
                order[u64(down)] = consumer
                down += 1
    return down
