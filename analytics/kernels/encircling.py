"""Circles in a plant that goes on: as `circles`, looking only at what has just been lost."""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import UP, i64, seconds
from twinfall.analytics.kernels.circles import (
    blame_neighbours,
    blame_one,
    suspect,
    suspect_neighbours,
)
from twinfall.analytics.kernels.compiled import inner
from twinfall.analytics.kernels.falling import CIRCLED, CIRCLES, SEEDS, fall, run_dry
from twinfall.analytics.kernels.grounding import clear, ground, lacks_votes
from twinfall.analytics.kernels.timers import CHARGING, DRAINING, left, turn
from twinfall.analytics.kernels.waiting import let_wait


@inner
def circles_lost(a: Any, s: Any, e: Any, new: Any, now: float, wave: int) -> Any:
    """Take down what keeps itself up in a circle; buffers in the circle begin to run first."""
    mark, support, root, scope = s.mark, s.support, s.root, s.scope
    down = new[1]
    size = _in_question(a, s, e, new)
    if size == 0:
        return down
    started = True
    while started:
        ground(a, s, e, now, size)
        let_wait(a, s, e, now, size)
        _accuse(a, s, e, now, size)
        started = _start_buffers(a, s, e, now, size)
    for i in range(size):
        asset = i64(scope[i])
        if support[asset].holds == 0 and support[asset].waits == 0:
            how = (now, wave + 1, i64(mark[asset].by), i64(root[asset]))
            down = fall(a, s, e, down, asset, how)
    clear(support, scope, size)
    return down


@inner
def _in_question(a: Any, s: Any, e: Any, new: Any) -> Any:
    """Whose support may have gone: the seeds, what fell now, and what follows; as `_suspects`."""
    mark, support, scope, order = s.mark, s.support, s.scope, s.order
    seeds, count = e.seeds, i64(e.count[SEEDS])
    size = i64(0)
    for i in range(count):
        e.asset[seeds[i]].seeded = 0
        size = suspect(mark, support, scope, i64(seeds[i]), size)
    e.count[SEEDS] = 0
    for at in range(new[0], new[1]):
        size = _follow(a, s, i64(order[at]), size)
    return grown(a, s, size, False)


@inner
def _follow(a: Any, s: Any, asset: int, size: int) -> Any:
    for edge in range(a.out_start[asset], a.out_start[asset + 1]):
        consumer = i64(a.rule[a.group[edge]].consumer)
        size = suspect(s.mark, s.support, s.scope, consumer, size)
    if a.member[asset] != 0 and a.conducts[asset] == 1:
        size = suspect_neighbours(a, s, asset, size)
    return size


@inner
def grown(a: Any, s: Any, size: int, anyway: bool) -> Any:
    """The first `size` of the scope and all that hangs on them, ascending; 0 without a circle,
    unless it is wanted anyway.
    """
    scope, circling, head, circles = s.scope, a.circling, i64(0), anyway
    while head < size:
        asset = i64(scope[head])
        head += 1
        circles = circles or circling[asset] == 1
        size = _follow(a, s, asset, size)
    if not circles:
        clear(s.support, scope, size)
        return 0
    scope[:size].sort()
    return size


@inner
def _start_buffers(a: Any, s: Any, e: Any, now: float, size: int) -> bool:
    support, tally, timer = s.support, s.tally, e.timer
    started = False
    for i in range(size):
        asset = i64(s.scope[i])
        if support[asset].holds == 1 or support[asset].waits == 1:
            continue
        if e.asset[asset].buffered == 0 or len(e.buffer_slot) == 0:
            continue
        for k in range(a.group_start[asset], a.group_start[asset + 1]):
            group = i64(a.groups[k])
            slot = i64(e.buffer_slot[group])
            if slot < 0 or not lacks_votes(s, group) or timer[slot].mode == DRAINING:
                continue
            if turn(timer, e.heap, e.size, slot, DRAINING, now) > 0.0:
                tally[group].decided = s.root[asset]
                tally[group].lost += CIRCLED
                timer[slot].circled = 1
                e.count[CIRCLES] += 1
                started = True
            else:
                turn(timer, e.heap, e.size, slot, CHARGING, now)
    for i in range(len(a.storage)):
        asset = i64(a.storage[i])
        first = support[asset].inside == 1 and support[asset].waits == 0
        unfed = (a.member[asset] & ~support[asset].fed) >> a.storage_carrier[i] & 1
        if first and unfed and s.dry[i] == np.inf:
            slot = i64(e.first_storage + i)
            if left(timer, slot, now) > 0.0:
                s.dry_cause[i] = s.root[asset]
                run_dry(a, s, e, i64(i), now)
                timer[slot].circled = 1
                e.count[CIRCLES] += 1
                started = True
    return started


@inner
def _accuse(a: Any, s: Any, e: Any, now: float, size: int) -> None:
    """For what is up without support: the nearest asset that is down, as `_blame`; of equally
    near ones who fell first.
    """
    mark, root, queue, scope, support = s.mark, s.root, s.queue, s.scope, s.support
    for i in range(size):
        root[scope[i]] = -1
    tail = i64(0)
    for i in range(size):
        if support[scope[i]].holds == 0:
            tail = _down_before(a, s, e, i64(scope[i]), tail)
    _by_falling(mark, queue, e.asset, tail)
    for i in range(tail):
        root[queue[i]] = queue[i]
    head = i64(0)
    while head < tail:
        asset = i64(queue[head])
        head += 1
        for edge in range(a.out_start[asset], a.out_start[asset + 1]):
            group = i64(a.group[edge])
            late = mark[asset].wave < UP and mark[asset].time + seconds(a.transfer, edge) > now
            if not late and lacks_votes(s, group):
                tail = blame_one(s, i64(a.rule[group].consumer), asset, group, tail)
        for carrier in range(len(a.member_start) - 1):
            if a.member[asset] >> carrier & 1:
                tail = blame_neighbours(a, s, asset, i64(carrier), tail)


@inner
def _by_falling(mark: Any, queue: Any, flagged: Any, size: int) -> None:
    """Sort the queue by wave, then position, and take its flags away."""
    keys = np.empty(size, np.int64)
    for i in range(size):
        flagged[queue[i]].risen = 0
        keys[i] = i64(mark[queue[i]].wave) << 32 | i64(queue[i])
    keys.sort()
    for i in range(size):
        queue[i] = keys[i] & 0xFFFFFFFF


@inner
def _down_before(a: Any, s: Any, e: Any, asset: int, tail: int) -> Any:
    """Queue what is down and feeds or touches this one, each once; flags them as risen."""
    for k in range(a.group_start[asset], a.group_start[asset + 1]):
        group = a.groups[k]
        for at in range(a.in_start[group], a.in_start[group + 1]):
            tail = _queue_down(s, e, i64(a.provider[a.in_edges[at]]), tail)
    for carrier in range(len(a.member_start) - 1):
        base = carrier * len(a.member) + asset
        for at in range(a.touch_start[base], a.touch_end[base]):
            tail = _queue_down(s, e, i64(a.touch[at]), tail)
    return tail


@inner
def _queue_down(s: Any, e: Any, asset: int, tail: int) -> Any:
    if s.mark[asset].wave != UP and e.asset[asset].risen == 0:
        e.asset[asset].risen = 1
        s.queue[tail] = asset
        tail += 1
    return tail
