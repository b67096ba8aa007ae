"""One change to a plant that goes on, and all that follows at once.

All kinds of change are one function: compiled code has in it whatever it calls, and to compile
that once takes seconds already.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import NONE, UP, i64
from twinfall.analytics.kernels.compiled import compiled, inner
from twinfall.analytics.kernels.connecting import disconnect, join, lay, led_to
from twinfall.analytics.kernels.evolving import moment
from twinfall.analytics.kernels.falling import DIRTY, FALLEN, ROSE, seed
from twinfall.analytics.kernels.rising import rise
from twinfall.analytics.kernels.timers import CHARGING, drop, turn

MOST_LOOKED_AT = 10_000
"""Assets until a circle is taken for granted."""
PASS, FAIL, REPAIR, ON, OFF, ATTACH, DETACH, CONNECT, DISCONNECT = 0, 1, 2, 3, 4, 5, 6, 7, 8
NO_ROOM, THERE_ALREADY, CIRCLE = NONE, i64(-2), i64(-3)


@compiled
def change(a: Any, s: Any, e: Any, what: int, assets: Any, feed: Any, now: float) -> Any:
    """Let time pass until now, change something, and follow until nothing more falls or rises.

    assets: what fails, is repaired or switched. feed: what `_attach` and `_detach` take, or
    `join` and `disconnect`. Returns the number of the feed, or why nothing is done: NO_ROOM,
    THERE_ALREADY, CIRCLE.
    """
    place = (NONE, NONE)
    if what == ATTACH:
        place = _room(a, s, e, feed)
        if place[0] < 0:
            return place[0]
    e.count[FALLEN] = 0
    e.count[ROSE] = 0
    timer, heap, size = e.timer, e.heap, e.size
    nobody, group, arrived = np.empty(0, np.int32), NONE, False
    while not arrived:
        at, failed = now, nobody
        if size[0] > 0 and timer[heap[0]].due < now:
            at = timer[heap[0]].due
        else:
            arrived = True
            if what == FAIL:
                failed = assets
            elif what != PASS:
                group = _apply(a, s, e, what, assets, feed, place, now)
        moment(a, s, e, failed, group, at)
    return place[0]


@inner
def _apply(
    a: Any, s: Any, e: Any, what: int, assets: Any, feed: Any, place: Any, now: float
) -> Any:
    """All but a failure, and who rises because of it; the group whose feeds are others (-1)."""
    group, seeds, before, later = NONE, assets, False, False
    if what in (ATTACH, DETACH):
        group = i64(feed[1] if what == ATTACH else a.group[feed[0]])
        before = _is_lost(a, s, group)
        if what == ATTACH:
            _attach(a, s, feed, place)
        else:
            _detach(a, s, e, feed)
        seeds = _revote(a, s, e, group, i64(feed[5]), now)
        e.asset[seeds[0]].short += i64(_is_lost(a, s, group)) - i64(before)
    elif what == REPAIR:
        for asset in assets:
            e.asset[asset].own = 0
    elif what == CONNECT:
        seeds = led_to(feed)
        later = not join(a, s, e, feed, now)  # who has nothing to pass on lets nobody rise
        if not later:
            lay(a, e, feed)
    elif what == DISCONNECT:
        seeds = disconnect(a, s, e, feed, now)
    else:
        seeds = _switch(a, s, e, i64(assets[0]), what == ON)
    rise(a, s, e, seeds, now)
    if later:
        lay(a, e, feed)
    return group


@inner
def _is_lost(a: Any, s: Any, group: int) -> bool:
    return bool(0 < a.rule[group].fail_at <= s.tally[group].lost)


@inner
def _switch(a: Any, s: Any, e: Any, asset: int, on: bool) -> Any:
    """Let it conduct or not; whom it passes its carriers on to."""
    a.conducts[asset] = on
    e.count[DIRTY] |= i64(a.member[asset])
    size = i64(0)
    for carrier in range(len(a.member_start) - 1):
        base = i64(carrier) * len(a.member) + asset
        size += a.pass_end[base] - a.pass_start[base]
    around = np.empty(size, np.int32)
    size = i64(0)
    for carrier in range(len(a.member_start) - 1):
        base = i64(carrier) * len(a.member) + asset
        for at in range(a.pass_start[base], a.pass_end[base]):
            around[size] = a.pass_to[at]
            size += 1
    if not on and a.cyclic:
        for other in around:
            seed(e, i64(other))
    return around


@inner
def _room(a: Any, s: Any, e: Any, feed: Any) -> Any:
    """A spare feed of a provider and a spare place of a group, or why not, twice."""
    provider, group, _, nobody, nothing, _ = feed
    edge, place = NO_ROOM, NO_ROOM
    for at in range(a.out_start[provider], a.out_start[provider + 1]):
        if a.group[at] == group:
            return THERE_ALREADY, THERE_ALREADY
        if a.group[at] == nobody and at != nothing:
            edge = i64(at)
    for at in range(a.in_start[group], a.in_start[group + 1]):
        if a.in_edges[at] == nothing:
            place = i64(at)
    if edge < 0 or place < 0:
        return NO_ROOM, NO_ROOM
    consumer = i64(a.rule[group].consumer)
    known = a.cyclic and a.circling[provider] == 1 and a.circling[consumer] == 1
    if not known and hangs_on(a, s, e, provider, consumer):
        return CIRCLE, CIRCLE
    return edge, place


@inner
def _attach(a: Any, s: Any, feed: Any, place: Any) -> None:
    """Let a feed (provider, group, weight, ...) vote; its loss is felt at once."""
    provider, group, weight, _, _, _ = feed
    a.group[place[0]], a.weight[place[0]], a.in_edges[place[1]] = group, weight, place[0]
    if s.mark[provider].wave != UP:
        s.tally[group].lost += weight
        s.tally[group].decided = provider


@inner
def _detach(a: Any, s: Any, e: Any, feed: Any) -> None:
    """Let a feed (number, _, _, nobody, nothing, ...) vote no more."""
    edge, _, _, nobody, nothing, _ = feed
    group, weight = i64(a.group[edge]), i64(a.weight[edge])
    for at in range(a.in_start[group], a.in_start[group + 1]):
        if a.in_edges[at] == edge:
            a.in_edges[at] = nothing
    on_its_way = False
    if len(e.feed_slot) > 0 and e.feed_slot[edge] >= 0:
        slot = i64(e.feed_slot[edge])
        on_its_way = e.timer[slot].place >= 0
        drop(e.timer, e.heap, e.size, slot)
        e.feed_slot[edge] = -1
    if s.mark[a.provider[edge]].wave != UP and not on_its_way:
        s.tally[group].lost -= weight
    a.group[edge], a.weight[edge] = nobody, 0
    if len(a.transfer) > 0:
        a.transfer[edge] = 0.0
    s.tally[group].decided = -1


@inner
def _revote(a: Any, s: Any, e: Any, group: int, fail_at: int, now: float) -> Any:
    """The group is lost at another weight; its consumer."""
    a.rule[group].fail_at = fail_at
    consumer = np.empty(1, np.int32)
    consumer[0] = a.rule[group].consumer
    if a.cyclic:
        seed(e, i64(consumer[0]))
    if len(e.buffer_slot) > 0 and e.buffer_slot[group] >= 0:
        slot = i64(e.buffer_slot[group])
        if e.timer[slot].circled == 0 and not 0 < fail_at <= s.tally[group].lost:
            turn(e.timer, e.heap, e.size, slot, CHARGING, now)
    return consumer


@inner
def hangs_on(a: Any, s: Any, e: Any, asset: int, other: int) -> bool:
    """Whether an asset hangs on another one, over feeds and connections, up or down; also where
    that takes more than MOST_LOOKED_AT steps to find out.
    """
    if asset == other:
        return True
    queue, flagged = s.queue, e.asset
    queue[0] = other
    flagged[other].risen = 1
    head, tail, found = i64(0), i64(1), False
    while head < tail and not found:
        tail = _after(a, queue, flagged, i64(queue[head]), tail)
        head += 1
        found = flagged[asset].risen == 1 or head > MOST_LOOKED_AT
    for at in range(tail):
        flagged[queue[at]].risen = 0
    return bool(found)


@inner
def _after(a: Any, queue: Any, flagged: Any, asset: int, tail: int) -> Any:
    for edge in range(a.out_start[asset], a.out_start[asset + 1]):
        consumer = i64(a.rule[a.group[edge]].consumer)
        if flagged[consumer].risen == 0:
            flagged[consumer].risen = 1
            queue[tail] = consumer
            tail += 1
    for carrier in range(len(a.member_start) - 1):
        base = i64(carrier) * len(a.member) + asset
        for at in range(a.pass_start[base], a.pass_end[base]):
            other = i64(a.pass_to[at])
            if flagged[other].risen == 0:
                flagged[other].risen = 1
                queue[tail] = other
                tail += 1
    return tail
