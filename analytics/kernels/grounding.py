"""Grounded support: what can be derived from sources, and what only holds itself up."""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import BEFORE, DOWN_BEFORE, UP, i64, seconds
from twinfall.analytics.kernels.compiled import compiled, inner


@compiled
def ground(a: Any, s: Any, e: Any, now: float, size: int) -> None:
    """The least fixed point of support among the first `size` of the scope, which nothing outside
    depends on; `holds` is 1 where support can be derived. What is up outside holds. `e` is what an
    evolution has beside the scratch, or None.

    Begins with sources, assets without conditions, and what holds without being derived: a
    group on its autonomy, a feed whose loss is still on its way, a storage running dry, a group
    that sustains itself. Black starters are assumed first, and dropped again, one round after
    the other, where what they started does not hold them.
    """
    mark, support, member, black_start, scope = s.mark, s.support, a.member, a.black_start, s.scope
    for i in range(size):
        asset = scope[i]
        support[asset].assumed = black_start[asset] if mark[asset].wave == UP else 0
    while True:
        _derive(a, s, e, now, size)
        dropped = False
        for i in range(size):
            asset = scope[i]
            if support[asset].assumed == 0:
                continue
            if support[asset].open > 0 or member[asset] & ~support[asset].fed:
                support[asset].assumed = 0
                dropped = True
        if not dropped:
            return


@inner
def _derive(a: Any, s: Any, e: Any, now: float, size: int) -> None:
    mark, support, queue, member, source = s.mark, s.support, s.queue, a.member, a.source
    scope = s.scope
    for i in range(size):
        asset = scope[i]
        support[asset].holds = 0
        support[asset].open = 0
        support[asset].fed = source[asset]
        support[asset].passed = 0
    for i in range(len(a.storage)):
        if s.dry[i] < np.inf and s.empty[i] == 0:
            support[a.storage[i]].fed |= i64(1) << a.storage_carrier[i]
    _open_groups(a, s, e, now, size)
    _fed_from_outside(a, s, size)
    head, tail = i64(0), i64(0)
    for i in range(size):
        tail = _support(mark, support, member, queue, i64(scope[i]), tail)
    passed = False
    while head < tail or passed:
        tail = _work(a, s, head, tail)
        head = tail
        passed = False
        for i in range(size):  # an assumed one may only now be fed itself
            if support[scope[i]].assumed == 1:
                before = support[scope[i]].passed
                tail = _pass_on(a, s, i64(scope[i]), tail)
                passed = passed or support[scope[i]].passed != before


@inner
def _fed_from_outside(a: Any, s: Any, size: int) -> None:
    """What is up outside passes on all its carriers."""
    mark, support, scope, member = s.mark, s.support, s.scope, a.member
    n = len(member)
    if size == n:
        return
    for i in range(size):
        asset = i64(scope[i])
        for carrier in range(len(a.member_start) - 1):
            if member[asset] >> carrier & 1 == 0:
                continue
            base = i64(carrier) * n
            for at in range(a.touch_start[base + asset], a.touch_end[base + asset]):
                other = i64(a.touch[at])
                outside = mark[other].wave == UP and support[other].inside == 0
                if outside and a.conducts[other] == 1 and passes(a, base + other, asset):
                    support[asset].fed |= i64(1) << carrier


@inner
def passes(a: Any, at_carrier: int, to: int) -> bool:
    for at in range(a.pass_start[at_carrier], a.pass_end[at_carrier]):
        if a.pass_to[at] == to:
            return True
    return False


@inner
def _open_groups(a: Any, s: Any, e: Any, now: float, size: int) -> None:
    """Count the groups that must be derived, and as votes the feeds whose loss is on its way and
    those from outside.
    """
    mark, tally, support, rule, weight = s.mark, s.tally, s.support, a.rule, a.weight
    provider, transfer, in_start, in_edges = a.provider, a.transfer, a.in_start, a.in_edges
    group_start, groups, scope = a.group_start, a.groups, s.scope
    autonomy, sustain = a.autonomy, a.sustain
    for i in range(size):
        consumer = scope[i]
        for k in range(group_start[consumer], group_start[consumer + 1]):
            group = groups[k]
            fail_at = rule[group].fail_at
            lost = tally[group].lost >= fail_at
            buffered = lost and seconds(autonomy, group) > 0.0 and now != BEFORE
            sustained = not lost and len(sustain) > 0 and sustain[group] == 1
            tally[group].lacks = 0
            if fail_at == 0 or buffered or sustained:
                continue
            lacks = i64(1) - fail_at
            for at in range(in_start[group], in_start[group + 1]):
                edge = in_edges[at]
                asset = provider[edge]
                wave = mark[asset].wave
                if e is None:
                    late = 0 <= wave < UP and mark[asset].time + seconds(transfer, edge) > now
                else:
                    late = is_pending(e, edge)
                if not late and (wave != UP or support[asset].inside == 1):
                    lacks += weight[edge]
            if lacks > 0:
                tally[group].lacks = lacks
                support[consumer].open += 1


@inner
def is_pending(e: Any, edge: int) -> bool:
    """Whether the loss of a feed is on its way; one that is due now has not come before it is
    taken, and a repair in the same moment comes before it.
    """
    if len(e.feed_slot) == 0 or e.feed_slot[edge] < 0:
        return False
    return bool(e.timer[e.feed_slot[edge]].place >= 0)


@inner
def _support(mark: Any, support: Any, member: Any, queue: Any, asset: int, tail: int) -> int:
    """Queue an asset once it is up and nothing it needs is missing, or it is assumed."""
    if support[asset].holds == 1 or mark[asset].wave != UP:
        return tail
    ready = support[asset].open == 0 and member[asset] & ~support[asset].fed == 0
    if ready or support[asset].assumed == 1:
        support[asset].holds = 1
        queue[tail] = asset
        return tail + 1
    return tail


@inner
def _work(a: Any, s: Any, head: int, tail: int) -> int:
    """Give the votes of what holds, and pass its carriers on, until nothing more follows."""
    mark, support, queue, tally = s.mark, s.support, s.queue, s.tally
    member, rule, group_of, out_start, weight = a.member, a.rule, a.group, a.out_start, a.weight
    while head < tail:
        asset = i64(queue[head])
        head += 1
        for edge in range(out_start[asset], out_start[asset + 1]):
            group = i64(group_of[edge])
            more = weight[edge]
            lacks = tally[group].lacks - more
            tally[group].lacks = lacks
            if lacks <= 0 and lacks + more > 0:
                consumer = i64(rule[group].consumer)
                support[consumer].open -= 1
                tail = _support(mark, support, member, queue, consumer, tail)
        if member[asset] != 0:
            tail = _pass_on(a, s, asset, tail)
    return tail


@inner
def _pass_on(a: Any, s: Any, asset: int, tail: int) -> int:
    """Pass on the carriers that reach an asset, each once."""
    mark, support, queue, member = s.mark, s.support, s.queue, a.member
    pass_start, pass_end, pass_to = a.pass_start, a.pass_end, a.pass_to
    if a.conducts[asset] == 0:
        return tail
    carriers = i64(member[asset] & support[asset].fed & ~support[asset].passed)
    support[asset].passed |= carriers
    for carrier in range(len(a.member_start) - 1):
        if carriers >> carrier & 1 == 0:
            continue
        base = carrier * len(member) + asset
        for at in range(pass_start[base], pass_end[base]):
            other = i64(pass_to[at])
            support[other].fed |= i64(1) << carrier
            tail = _support(mark, support, member, queue, other, tail)
    return tail


@inner
def lacks_votes(s: Any, group: int) -> bool:
    return bool(s.tally[group].lacks > 0)


@inner
def clear(support: Any, scope: Any, size: int) -> None:
    for i in range(size):
        support[scope[i]].inside = 0


@compiled
def settle(a: Any, s: Any) -> None:
    """Mark what is down before any failure and count the feeds that are lost with it."""
    mark, support, tally, out_start, group_of = s.mark, s.support, s.tally, a.out_start, a.group
    weight = a.weight
    for asset in range(len(mark)):
        s.scope[asset] = asset
        support[asset].inside = 1
    more = True
    while more:  # again where a group that would sustain itself turns out to have lost its feeds
        ground(a, s, None, BEFORE, len(mark))
        more = False
        for asset in range(len(mark)):
            if support[asset].holds == 1 or mark[asset].wave != UP:
                continue
            mark[asset].wave = DOWN_BEFORE
            more = True
            for edge in range(out_start[asset], out_start[asset + 1]):
                tally[group_of[edge]].lost += weight[edge]
    clear(support, s.scope, len(mark))
    for group in range(len(tally)):
        tally[group].before = tally[group].lost
