"""Circles of support: after a failure, what keeps only itself up goes down."""

from __future__ import annotations

from heapq import heappush
from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import GROUP, STORAGE, UP, i64, seconds
from twinfall.analytics.kernels.compiled import inner
from twinfall.analytics.kernels.grounding import clear, ground, lacks_votes
from twinfall.analytics.kernels.marking import fail
from twinfall.analytics.kernels.waiting import let_wait


@inner
def unfounded(a: Any, s: Any, heap: Any, down: int, now: float, wave: int) -> int:
    """Fail what keeps itself up in a circle; buffers in the circle begin to run first."""
    mark, support, order, root, scope = s.mark, s.support, s.order, s.root, s.scope
    size = _suspects(a, s, down)
    if size == 0:
        return down
    started = True
    while started:
        ground(a, s, None, now, size)
        let_wait(a, s, None, now, size)
        _blame(a, s, down, now, size)
        started = _start_buffers(a, s, heap, now, size)
    for i in range(size):
        asset = i64(scope[i])
        if support[asset].holds == 0 and support[asset].waits == 0:
            how = (now, wave + 1, i64(mark[asset].by), i64(root[asset]))
            down = fail(mark, order, down, asset, how)
    clear(support, scope, size)
    return down


@inner
def _suspects(a: Any, s: Any, down: int) -> Any:
    """Whose support may have gone with what is down: everything up that can be reached from it
    over feeds and connections, ascending, marked as inside. 0 where no circle is among it.
    """
    mark, support, scope, order = s.mark, s.support, s.scope, s.order
    member, circling, conducts = a.member, a.circling, a.conducts
    out_start, group_of, rule = a.out_start, a.group, a.rule
    size, head, circles = i64(0), i64(0), False
    for at in range(down):
        asset = i64(order[at])
        if asset < 0:  # nothing hangs on it
            continue
        for edge in range(out_start[asset], out_start[asset + 1]):
            size = suspect(mark, support, scope, i64(rule[group_of[edge]].consumer), size)
        if member[asset] != 0 and conducts[asset] == 1:
            size = suspect_neighbours(a, s, asset, size)
    while head < size:
        asset = i64(scope[head])
        head += 1
        circles = circles or circling[asset] == 1
        for edge in range(out_start[asset], out_start[asset + 1]):
            size = suspect(mark, support, scope, i64(rule[group_of[edge]].consumer), size)
        if member[asset] != 0 and conducts[asset] == 1:
            size = suspect_neighbours(a, s, asset, size)
    if not circles:
        clear(support, scope, size)
        return 0
    scope[:size].sort()
    return size


@inner
def suspect(mark: Any, support: Any, scope: Any, asset: int, size: int) -> Any:
    if mark[asset].wave != UP or support[asset].inside == 1:
        return size
    support[asset].inside = 1
    scope[size] = asset
    return size + 1


@inner
def suspect_neighbours(a: Any, s: Any, asset: int, size: int) -> Any:
    for carrier in range(len(a.member_start) - 1):
        base = carrier * len(a.member) + asset
        for at in range(a.pass_start[base], a.pass_end[base]):
            size = suspect(s.mark, s.support, s.scope, i64(a.pass_to[at]), size)
    return size


@inner
def _blame(a: Any, s: Any, down: int, now: float, size: int) -> None:
    """For what is up without support: the nearest asset that is down and whose loss left it so,
    by steps over missing feeds and connections, and the group or carrier of the last step.
    """
    mark, root, queue, order, member = s.mark, s.root, s.queue, s.order, a.member
    for i in range(size):
        root[s.scope[i]] = -1
    tail = i64(0)
    for at in range(down):
        if order[at] >= 0:
            root[order[at]] = order[at]
            queue[tail] = order[at]
            tail += 1
    head = i64(0)
    while head < tail:
        asset = i64(queue[head])
        head += 1
        for edge in range(a.out_start[asset], a.out_start[asset + 1]):
            group = i64(a.group[edge])
            loss = mark[asset].time + seconds(a.transfer, edge)
            late = mark[asset].wave < UP and loss > now
            if not late and lacks_votes(s, group):
                tail = blame_one(s, i64(a.rule[group].consumer), asset, group, tail)
        for carrier in range(len(a.member_start) - 1):
            if member[asset] >> carrier & 1:
                tail = blame_neighbours(a, s, asset, i64(carrier), tail)


@inner
def blame_one(s: Any, asset: int, by_loss_of: int, by: int, tail: int) -> int:
    if s.support[asset].inside == 0 or s.support[asset].holds == 1:
        return tail
    if s.root[asset] == -1:
        s.root[asset] = s.root[by_loss_of]
        s.mark[asset].by = by
        s.queue[tail] = asset
        tail += 1
    return tail


@inner
def blame_neighbours(a: Any, s: Any, asset: int, carrier: int, tail: int) -> int:
    base = carrier * len(a.member) + asset
    for at in range(a.pass_start[base], a.pass_end[base]):
        other = i64(a.pass_to[at])
        if (a.member[other] & ~s.support[other].fed) >> carrier & 1:
            tail = blame_one(s, other, asset, -2 - carrier, tail)
    return tail


@inner
def _start_buffers(a: Any, s: Any, heap: Any, now: float, size: int) -> bool:
    support, tally, rule = s.support, s.tally, a.rule
    started = False
    for i in range(size):
        asset = s.scope[i]
        if support[asset].holds == 1 or support[asset].waits == 1:
            continue
        for k in range(a.group_start[asset], a.group_start[asset + 1]):
            group = i64(a.groups[k])
            lasts = seconds(a.autonomy, group)
            if lasts > 0.0 and lacks_votes(s, group):
                tally[group].lost = rule[group].fail_at
                tally[group].decided = s.root[asset]
                s.begun[s.counts[0]] = group
                s.counts[0] += 1
                heappush(heap, (now + lasts, GROUP, group))
                started = True
    for i in range(len(a.storage)):
        asset = a.storage[i]
        first = support[asset].inside == 1 and support[asset].waits == 0
        unfed = (a.member[asset] & ~support[asset].fed) >> a.storage_carrier[i] & 1
        if first and unfed and s.dry[i] == np.inf:
            s.dry[i] = now
            s.dry_cause[i] = s.root[asset]
            heappush(heap, (now + a.storage_autonomy[i], STORAGE, i64(i)))
            started = True
    return started
