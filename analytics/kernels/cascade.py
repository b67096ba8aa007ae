"""The cascade as compiled loops over a network's arrays.

Positions are int32, times float64 seconds, flags uint8. `Arrays` is read-only and shared;
`Scratch` belongs to one question at a time and is clean between questions, so that a question
costs what it touches and not what there is. What the loops compute is defined in
`docs/cascade.md`; `tests/analytics/reference.py` computes the same in the plainest way.

Loops take their arrays out of the tuples first and hand them on one by one: every look into a
tuple of arrays counts references, which costs more than the work of a step.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np

from twinfall.analytics.kernels.compiled import compiled

UP = np.int32(2**31 - 1)
"""The wave of an asset that is up."""
DOWN_BEFORE = np.int32(-1)
"""The wave of an asset that is down before any failure."""

BEFORE = -1.0
"""The time of the baseline: nothing has failed, no buffer runs."""

_EDGE, _GROUP, _STORAGE, _FAILURE = 0, 1, 2, 3
_NONE: Any = np.int64(-1)
i64: Any = np.int64
# Every call passes the same integer type: numba would compile a second copy for another.
u64: Any = np.uint64
# An index that cannot be negative spares the compiled code a look at its sign.

RULE = np.dtype(
    [("autonomy", "f8"), ("consumer", "i4"), ("total", "i4"), ("fail_at", "i4"), ("sustain", "i4")]
)
"""A group: seconds, the asset it feeds, all weight of its feeds, how much lost weight loses it
(0: never evaluated), whether it counts as satisfied until then without being derived.
"""
TALLY = np.dtype([("lost", "i4"), ("decided", "i4"), ("votes", "i4")])
"""A group in a question: lost weight, the provider whose loss lost it, votes while grounding."""
MARK = np.dtype([("time", "f8"), ("wave", "i4"), ("by", "i4"), ("cause", "i4")], align=True)
"""An asset in a question: when it went down, by which group (-2 - carrier, -1), by whose loss."""
SUPPORT = np.dtype(
    [
        ("open", "i4"),
        ("fed", "i4"),
        ("passed", "i4"),
        ("holds", "u1"),
        ("assumed", "u1"),
        ("inside", "u1"),
    ],
    align=True,
)
"""An asset while grounding: groups without their votes, carriers that reach it and that it has
passed on (bits), whether its support is derived, whether it is assumed, whether it is in question.
"""


class Arrays(NamedTuple):
    """A network as arrays, for n assets, G groups, E feeds, C carriers, S storages."""

    provider: Any  # int32 [E], ascending
    group: Any  # int32 [E]
    transfer: Any  # float64 [E] seconds
    weight: Any  # int32 [E]
    out_start: Any  # int32 [n + 1]: the feeds of a provider
    in_start: Any  # int32 [G + 1], into in_edges: the feeds of a group
    in_edges: Any  # int32 [E]
    rule: Any  # RULE [G]
    group_start: Any  # int32 [n + 1], into groups: the groups of a consumer
    groups: Any  # int32 [G]
    member: Any  # int32 [n] bits of the carriers an asset is connected in
    source: Any  # int32 [n] bits of the carriers an asset feeds by itself
    conducts: Any  # uint8 [n]
    black_start: Any  # uint8 [n]
    pass_start: Any  # int32 [C * n + 1], into pass_to, at carrier * n + asset
    pass_to: Any  # int32: where an asset passes its carrier on to
    touch_start: Any  # int32 [C * n + 1], into touch: neighbours whatever the direction
    touch: Any  # int32
    member_start: Any  # int32 [C + 1], into members
    members: Any  # int32: the assets connected in a carrier, ascending
    storage: Any  # int32 [S] assets
    storage_carrier: Any  # int32 [S]
    storage_autonomy: Any  # float64 [S] seconds
    circling: Any  # uint8 [n]: whether its support may run in a circle; empty where nothing's can
    cyclic: bool  # whether support can run in a circle


class Scratch(NamedTuple):
    """The state of one question; `clean` leaves it as `settle` does."""

    mark: Any  # MARK [n]
    tally: Any  # TALLY [G]
    order: Any  # int32 [n] assets in the order in which they went down
    reached: Any  # uint8 [n]
    root: Any  # int32 [n]
    queue: Any  # int32 [n]
    support: Any  # SUPPORT [n]
    scope: Any  # int32 [n] assets whose support is in question
    begun: Any  # int32 [G] groups whose buffers began to run in a circle
    counts: Any  # int64 [1] how many those are
    dry: Any  # float64 [S] since when a storage has lost its own supply; inf: it has not
    empty: Any  # uint8 [S]
    dry_cause: Any  # int32 [S]


@compiled
def csr(keys: Any, count: int) -> Any:
    """Positions of `keys` grouped by key, in order: start[k]:start[k+1] of the second array."""
    start = np.zeros(count + 1, np.int32)
    for key in keys:
        start[key + 1] += 1
    for k in range(count):
        start[k + 1] += start[k]
    order = np.empty(len(keys), np.int32)
    fill = start[:-1].copy()
    for i in range(len(keys)):
        order[fill[keys[i]]] = i
        fill[keys[i]] += 1
    return start, order


# -- the cascade ----------------------------------------------------------------------------------


@compiled
def cascade(a: Any, s: Any, failed: Any, at: Any, horizon: float) -> Any:
    """Fail these assets, each at its time `at` (seconds from 0 on), and follow what fails until
    nothing more does.

    Fills the scratch; returns how many of `order` are down, those that fail at 0 first.
    """
    heap: list[Any] = [(0.0, 0, 0)]
    heap.pop()
    down = i64(0)
    for i in range(len(failed)):
        if at[i] > 0.0:
            heappush(heap, (at[i], _FAILURE, i64(failed[i])))
            continue
        down = _fail(s.mark, s.order, down, i64(failed[i]), (0.0, i64(0), _NONE, _NONE))
    begin, wave, now = i64(0), i64(0), 0.0
    while True:
        end = down
        down = _spread(a, s, heap, (begin, end), now, wave)
        down = _networks(a, s, heap, down, (begin, end), now, wave)
        begin = end
        if down == end and a.cyclic and end > 0:
            down = _unfounded(a, s, heap, down, now, wave)
        if down > end:
            wave += 1
            continue
        if len(heap) == 0 or heap[0][0] > horizon:
            return down
        now = heap[0][0]
        down = _expire(a, s, heap, down, now, wave)
        if down > begin:
            wave += 1


@compiled
def _fail(mark: Any, order: Any, down: int, asset: int, how: Any) -> int:
    """Take an asset down (time, wave, by, cause) unless it is; how many are down then."""
    at = u64(asset)
    if mark[at].wave != UP:
        return down
    mark[at].time = how[0]
    mark[at].wave = how[1]
    mark[at].by = how[2]
    mark[at].cause = how[3]
    order[u64(down)] = asset
    return down + 1


@compiled
def _spread(a: Any, s: Any, heap: Any, new: Any, now: float, wave: int) -> Any:
    """Lose the feeds of what went down in the last wave, `new` of the order."""
    out_start, group_of, transfer, weight = a.out_start, a.group, a.transfer, a.weight
    rule, tally, mark, order = a.rule, s.tally, s.mark, s.order
    down = new[1]
    for i in range(new[0], new[1]):
        asset = i64(order[u64(i)])
        for edge in range(out_start[u64(asset)], out_start[u64(asset + 1)]):
            if transfer[u64(edge)] > 0.0:
                heappush(heap, (now + transfer[u64(edge)], _EDGE, i64(edge)))
                continue
            group = i64(group_of[u64(edge)])
            if _lose(rule, tally, group, asset, i64(weight[u64(edge)])):
                if rule[u64(group)].autonomy > 0.0:
                    heappush(heap, (now + rule[u64(group)].autonomy, _GROUP, group))
                else:
                    how = (now, wave + 1, group, asset)
                    down = _fail(mark, order, down, i64(rule[u64(group)].consumer), how)
    return down


@compiled
def _lose(rule: Any, tally: Any, group: int, provider: int, weight: int) -> bool:
    """Count the weight of one lost feed; whether it is the one that loses the group."""
    at = u64(group)
    lost = tally[at].lost + weight
    tally[at].lost = lost
    fail_at = rule[at].fail_at
    if fail_at == 0 or lost < fail_at or lost - weight >= fail_at:
        return False
    tally[at].decided = provider
    return True


@compiled
def _expire(a: Any, s: Any, heap: Any, down: int, now: float, wave: int) -> int:
    """Take all events of a moment together: failures, storages, then feeds and groups."""
    rule, tally, mark, order = a.rule, s.tally, s.mark, s.order
    votes: list[Any] = [(0.0, 0, 0)]
    votes.pop()
    dirty = i64(0)
    while len(heap) > 0 and heap[0][0] == now:
        event = heappop(heap)
        if event[1] == _FAILURE:
            down = _fail(mark, order, down, i64(event[2]), (now, wave + 1, _NONE, _NONE))
        elif event[1] == _STORAGE:
            s.empty[event[2]] = 1
            dirty |= i64(1) << a.storage_carrier[event[2]]
        else:
            votes.append(event)
    for carrier in range(len(a.member_start) - 1):
        if dirty >> carrier & 1:
            down = _network(a, s, heap, down, (i64(0), i64(0)), i64(carrier), now, wave)
    for event in votes:
        group = i64(event[2])
        if event[1] == _EDGE:
            group = i64(a.group[event[2]])
            weight = i64(a.weight[event[2]])
            if not _lose(rule, tally, group, i64(a.provider[event[2]]), weight):
                continue
            if rule[group].autonomy > 0.0:
                heappush(heap, (now + rule[group].autonomy, _GROUP, group))
                continue
        how = (now, wave + 1, group, i64(tally[group].decided))
        down = _fail(mark, order, down, i64(rule[group].consumer), how)
    return down


# -- networks -------------------------------------------------------------------------------------


@compiled
def _networks(a: Any, s: Any, heap: Any, down: int, new: Any, now: float, wave: int) -> int:
    """Fail what no longer reaches a source, in the carriers of what went down last."""
    carriers = len(a.member_start) - 1
    if carriers == 0:
        return down
    member, order = a.member, s.order
    dirty = i64(0)
    for i in range(new[0], new[1]):
        dirty |= member[order[i]]
    for carrier in range(carriers):
        if dirty >> carrier & 1:
            down = _network(a, s, heap, down, new, i64(carrier), now, wave)
    return down


@compiled
def _network(
    a: Any, s: Any, heap: Any, down: int, new: Any, carrier: int, now: float, wave: int
) -> int:
    """One carrier, given the waves up to `wave`; what goes down makes the next one."""
    mark, order, root, reached, members = s.mark, s.order, s.root, s.reached, a.members
    first, last = a.member_start[carrier], a.member_start[carrier + 1]
    tail = _begin_at_sources(a, s, carrier, wave)
    tail = _reach(a, s, carrier, i64(0), tail, wave)
    _find_roots(a, s, new, carrier, wave, tail, now)
    head = tail
    tail = _begin_at_storages(a, s, heap, carrier, tail, now, wave)
    _reach(a, s, carrier, head, tail, wave)
    begin = down
    for at in range(first, last):
        asset = i64(members[at])
        if mark[asset].wave > wave and reached[asset] == 0:
            down = _fail(mark, order, down, asset, (now, wave + 1, -2 - carrier, i64(root[asset])))
    for at in range(begin, down):
        asset = i64(order[at])
        if mark[asset].cause <= -2:
            mark[asset].cause = _storage_cause(a, s, asset, wave)
    return down


@compiled
def _storage_cause(a: Any, s: Any, asset: int, wave: int) -> Any:
    """Others go down by the storage that ran empty; it goes down, and they if it does not, by
    the loss of its supply.
    """
    i = -2 - s.mark[asset].cause
    storage = i64(a.storage[i])
    if storage == asset or s.mark[storage].wave == UP:
        return i64(s.dry_cause[i])
    return storage


@compiled
def _begin_at_sources(a: Any, s: Any, carrier: int, wave: int) -> Any:
    """Queue the sources that are up; all other members are not reached yet."""
    mark, root, reached, queue, members = s.mark, s.root, s.reached, s.queue, a.members
    source = a.source
    tail = i64(0)
    for at in range(a.member_start[carrier], a.member_start[carrier + 1]):
        asset = members[at]
        reached[asset] = 0
        root[asset] = -1
        if source[asset] >> carrier & 1 and mark[asset].wave > wave:
            reached[asset] = 1
            queue[tail] = asset
            tail += 1
    return tail


@compiled
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
            heappush(heap, (now + a.storage_autonomy[i], _STORAGE, i64(i)))
        if s.empty[i] == 0:
            s.queue[tail] = asset
            tail += 1
    for at in range(head, tail):
        s.reached[s.queue[at]] = 1
    return tail


@compiled
def _reach(a: Any, s: Any, carrier: int, head: int, tail: int, wave: int) -> int:
    """Spread from the queue through assets that are up and conduct; the queue's new end."""
    mark, reached, queue, conducts = s.mark, s.reached, s.queue, a.conducts
    pass_start, pass_to = a.pass_start, a.pass_to
    base = carrier * len(conducts)
    while head < tail:
        asset = queue[head]
        head += 1
        if conducts[asset] == 0:
            continue
        for at in range(pass_start[base + asset], pass_start[base + asset + 1]):
            other = pass_to[at]
            if reached[other] == 0 and mark[other].wave > wave:
                reached[other] = 1
                queue[tail] = other
                tail += 1
    return tail


@compiled
def _find_roots(a: Any, s: Any, new: Any, carrier: int, wave: int, tail: int, now: float) -> None:
    """For every member that is up and not reached: the nearest thing whose loss cut it off.

    That is an asset that went down in the last wave, or storage i that has just run empty, as
    -2 - i; by hops over connections in either direction, then by order of going down. The queue
    is free from `tail` on: what is reached and what is not are different assets.
    """
    mark, root, reached, queue, order = s.mark, s.root, s.reached, s.queue, s.order
    touch_start, touch, member = a.touch_start, a.touch, a.member
    base = carrier * len(member)
    head = tail
    for i in range(len(a.storage)):
        asset = a.storage[i]
        empties = s.empty[i] == 1 and s.dry[i] + a.storage_autonomy[i] == now
        if empties and a.storage_carrier[i] == carrier and mark[asset].wave > wave:
            root[asset] = -2 - i
            queue[tail] = asset
            tail += 1
    for at in range(new[0], new[1]):
        asset = order[at]
        if member[asset] >> carrier & 1:
            root[asset] = asset
            queue[tail] = asset
            tail += 1
    while head < tail:
        asset = queue[head]
        head += 1
        for at in range(touch_start[base + asset], touch_start[base + asset + 1]):
            other = touch[at]
            if root[other] == -1 and reached[other] == 0 and mark[other].wave > wave:
                root[other] = root[asset]
                queue[tail] = other
                tail += 1


# -- grounded support -----------------------------------------------------------------------------


@compiled
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
        for edge in range(out_start[asset], out_start[asset + 1]):
            size = _suspect(mark, support, scope, i64(rule[group_of[edge]].consumer), size)
        if member[asset] != 0 and conducts[asset] == 1:
            size = _suspect_neighbours(a, s, asset, size)
    while head < size:
        asset = i64(scope[head])
        head += 1
        circles = circles or circling[asset] == 1
        for edge in range(out_start[asset], out_start[asset + 1]):
            size = _suspect(mark, support, scope, i64(rule[group_of[edge]].consumer), size)
        if member[asset] != 0 and conducts[asset] == 1:
            size = _suspect_neighbours(a, s, asset, size)
    if not circles:
        _clear(support, scope, size)
        return 0
    scope[:size].sort()
    return size


@compiled
def _suspect(mark: Any, support: Any, scope: Any, asset: int, size: int) -> Any:
    if mark[asset].wave != UP or support[asset].inside == 1:
        return size
    support[asset].inside = 1
    scope[size] = asset
    return size + 1


@compiled
def _suspect_neighbours(a: Any, s: Any, asset: int, size: int) -> Any:
    for carrier in range(len(a.member_start) - 1):
        base = carrier * len(a.member) + asset
        for at in range(a.pass_start[base], a.pass_start[base + 1]):
            size = _suspect(s.mark, s.support, s.scope, i64(a.pass_to[at]), size)
    return size


@compiled
def _clear(support: Any, scope: Any, size: int) -> None:
    for i in range(size):
        support[scope[i]].inside = 0


@compiled
def ground(a: Any, s: Any, now: float, size: int) -> None:
    """The least fixed point of support among the first `size` of the scope, which nothing outside
    depends on; `holds` is 1 where support can be derived. What is up outside holds.

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
        _derive(a, s, now, size)
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


@compiled
def _derive(a: Any, s: Any, now: float, size: int) -> None:
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
    _open_groups(a, s, now, size)
    _fed_from_outside(a, s, size)
    head, tail = i64(0), i64(0)
    for i in range(size):
        tail = _support(mark, support, member, queue, i64(scope[i]), tail)
    while head < tail:
        tail = _work(a, s, head, tail)
        head = tail
        for i in range(size):  # an assumed one may only now be fed itself
            if support[scope[i]].assumed == 1:
                tail = _pass_on(a, s, i64(scope[i]), tail)


@compiled
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
            for at in range(a.touch_start[base + asset], a.touch_start[base + asset + 1]):
                other = i64(a.touch[at])
                outside = mark[other].wave == UP and support[other].inside == 0
                if outside and a.conducts[other] == 1 and _passes(a, base + other, asset):
                    support[asset].fed |= i64(1) << carrier


@compiled
def _passes(a: Any, at_carrier: int, to: int) -> bool:
    for at in range(a.pass_start[at_carrier], a.pass_start[at_carrier + 1]):
        if a.pass_to[at] == to:
            return True
    return False


@compiled
def _open_groups(a: Any, s: Any, now: float, size: int) -> None:
    """Count the groups that must be derived, and as votes the feeds whose loss is on its way and
    those from outside.
    """
    mark, tally, support, rule, weight = s.mark, s.tally, s.support, a.rule, a.weight
    provider, transfer, in_start, in_edges = a.provider, a.transfer, a.in_start, a.in_edges
    group_start, groups, scope = a.group_start, a.groups, s.scope
    satisfied = -(2**30) - 1  # never reaches its need: all votes together are at most 2**30
    for i in range(size):
        consumer = scope[i]
        for k in range(group_start[consumer], group_start[consumer + 1]):
            group = groups[k]
            fail_at = rule[group].fail_at
            lost = tally[group].lost >= fail_at
            buffered = lost and rule[group].autonomy > 0.0 and now != BEFORE
            tally[group].votes = satisfied
            if fail_at == 0 or buffered or (not lost and rule[group].sustain == 1):
                continue
            votes = i64(0)
            for at in range(in_start[group], in_start[group + 1]):
                edge = in_edges[at]
                asset = provider[edge]
                late = 0 <= mark[asset].wave < UP and mark[asset].time + transfer[edge] > now
                if late or (mark[asset].wave == UP and support[asset].inside == 0):
                    votes += weight[edge]
            if votes <= rule[group].total - fail_at:
                tally[group].votes = votes
                support[consumer].open += 1


@compiled
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


@compiled
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
            tally[group].votes += more
            lacks = rule[group].total - rule[group].fail_at + 1 - tally[group].votes
            if lacks <= 0 and lacks + more > 0:
                consumer = i64(rule[group].consumer)
                support[consumer].open -= 1
                tail = _support(mark, support, member, queue, consumer, tail)
        if member[asset] != 0:
            tail = _pass_on(a, s, asset, tail)
    return tail


@compiled
def _pass_on(a: Any, s: Any, asset: int, tail: int) -> int:
    """Pass on the carriers that reach an asset, each once."""
    mark, support, queue, member = s.mark, s.support, s.queue, a.member
    pass_start, pass_to = a.pass_start, a.pass_to
    if a.conducts[asset] == 0:
        return tail
    carriers = i64(member[asset] & support[asset].fed & ~support[asset].passed)
    support[asset].passed |= carriers
    for carrier in range(len(a.member_start) - 1):
        if carriers >> carrier & 1 == 0:
            continue
        base = carrier * len(member) + asset
        for at in range(pass_start[base], pass_start[base + 1]):
            other = i64(pass_to[at])
            support[other].fed |= i64(1) << carrier
            tail = _support(mark, support, member, queue, other, tail)
    return tail


@compiled
def _unfounded(a: Any, s: Any, heap: Any, down: int, now: float, wave: int) -> int:
    """Fail what keeps itself up in a circle; buffers in the circle begin to run first."""
    mark, support, order, root, scope = s.mark, s.support, s.order, s.root, s.scope
    size = _suspects(a, s, down)
    if size == 0:
        return down
    ground(a, s, now, size)
    _blame(a, s, down, now, size)
    while _start_buffers(a, s, heap, now, size):
        ground(a, s, now, size)
        _blame(a, s, down, now, size)
    for i in range(size):
        asset = i64(scope[i])
        if support[asset].holds == 0:
            how = (now, wave + 1, i64(mark[asset].by), i64(root[asset]))
            down = _fail(mark, order, down, asset, how)
    _clear(support, scope, size)
    return down


@compiled
def _blame(a: Any, s: Any, down: int, now: float, size: int) -> None:
    """For what is up without support: the nearest asset that is down and whose loss left it so,
    by steps over missing feeds and connections, and the group or carrier of the last step.
    """
    mark, root, queue, order, member = s.mark, s.root, s.queue, s.order, a.member
    for i in range(size):
        root[s.scope[i]] = -1
    tail = i64(0)
    for at in range(down):
        root[order[at]] = order[at]
        queue[tail] = order[at]
        tail += 1
    head = i64(0)
    while head < tail:
        asset = i64(queue[head])
        head += 1
        for edge in range(a.out_start[asset], a.out_start[asset + 1]):
            group = i64(a.group[edge])
            late = mark[asset].wave < UP and mark[asset].time + a.transfer[edge] > now
            if not late and _lacks_votes(a, s, group):
                tail = _blame_one(s, i64(a.rule[group].consumer), asset, group, tail)
        for carrier in range(len(a.member_start) - 1):
            if member[asset] >> carrier & 1:
                tail = _blame_neighbours(a, s, asset, i64(carrier), tail)


@compiled
def _blame_one(s: Any, asset: int, by_loss_of: int, by: int, tail: int) -> int:
    if s.support[asset].inside == 0 or s.support[asset].holds == 1:
        return tail
    if s.root[asset] == -1:
        s.root[asset] = s.root[by_loss_of]
        s.mark[asset].by = by
        s.queue[tail] = asset
        tail += 1
    return tail


@compiled
def _blame_neighbours(a: Any, s: Any, asset: int, carrier: int, tail: int) -> int:
    base = carrier * len(a.member) + asset
    for at in range(a.pass_start[base], a.pass_start[base + 1]):
        other = i64(a.pass_to[at])
        if (a.member[other] & ~s.support[other].fed) >> carrier & 1:
            tail = _blame_one(s, other, asset, -2 - carrier, tail)
    return tail


@compiled
def _lacks_votes(a: Any, s: Any, group: int) -> bool:
    rule = a.rule[group]
    return bool(0 <= s.tally[group].votes <= rule.total - rule.fail_at)


@compiled
def _start_buffers(a: Any, s: Any, heap: Any, now: float, size: int) -> bool:
    support, tally, rule = s.support, s.tally, a.rule
    started = False
    for i in range(size):
        asset = s.scope[i]
        if support[asset].holds == 1:
            continue
        for k in range(a.group_start[asset], a.group_start[asset + 1]):
            group = i64(a.groups[k])
            if rule[group].autonomy > 0.0 and _lacks_votes(a, s, group):
                tally[group].lost = rule[group].fail_at
                tally[group].decided = s.root[asset]
                s.begun[s.counts[0]] = group
                s.counts[0] += 1
                heappush(heap, (now + rule[group].autonomy, _GROUP, group))
                started = True
    for i in range(len(a.storage)):
        asset = a.storage[i]
        unfed = (a.member[asset] & ~support[asset].fed) >> a.storage_carrier[i] & 1
        if support[asset].inside == 1 and unfed and s.dry[i] == np.inf:
            s.dry[i] = now
            s.dry_cause[i] = s.root[asset]
            heappush(heap, (now + a.storage_autonomy[i], _STORAGE, i64(i)))
            started = True
    return started


# -- before and after a question ------------------------------------------------------------------


@compiled
def settle(a: Any, s: Any, base_lost: Any) -> None:
    """Mark what is down before any failure and count the feeds that are lost with it."""
    mark, support, tally, out_start, group_of = s.mark, s.support, s.tally, a.out_start, a.group
    weight = a.weight
    for asset in range(len(mark)):
        s.scope[asset] = asset
        support[asset].inside = 1
    more = True
    while more:  # again where a group that would sustain itself turns out to have lost its feeds
        ground(a, s, BEFORE, len(mark))
        more = False
        for asset in range(len(mark)):
            if support[asset].holds == 1 or mark[asset].wave != UP:
                continue
            mark[asset].wave = DOWN_BEFORE
            more = True
            for edge in range(out_start[asset], out_start[asset + 1]):
                tally[group_of[edge]].lost += weight[edge]
    _clear(support, s.scope, len(mark))
    for group in range(len(base_lost)):
        base_lost[group] = tally[group].lost


@compiled
def clean(a: Any, s: Any, base_lost: Any, down: int) -> None:
    """Undo a question, touching only what it touched."""
    mark, tally, order, out_start, group_of = s.mark, s.tally, s.order, a.out_start, a.group
    for at in range(down):
        asset = u64(order[u64(at)])
        mark[asset].wave = UP
        for edge in range(out_start[asset], out_start[asset + u64(1)]):
            group = u64(group_of[u64(edge)])
            tally[group].lost = base_lost[group]
    if len(s.begun) > 0:
        for i in range(s.counts[0]):
            tally[s.begun[i]].lost = base_lost[s.begun[i]]
        s.counts[0] = 0
    for i in range(len(s.dry)):
        s.dry[i] = np.inf
        s.empty[i] = 0


@compiled
def rows(mark: Any, assets: Any) -> Any:
    """wave, time, by and cause of these assets."""
    count = len(assets)
    wave, time = np.empty(count, np.int32), np.empty(count)
    by, cause = np.empty(count, np.int32), np.empty(count, np.int32)
    for i in range(count):
        asset = u64(assets[u64(i)])
        wave[u64(i)] = mark[asset].wave
        time[u64(i)] = mark[asset].time
        by[u64(i)] = mark[asset].by
        cause[u64(i)] = mark[asset].cause
    return wave, time, by, cause


@compiled
def count_some(
    a: Any, s: Any, base_lost: Any, horizon: float, visible: int, assets: Any, counts: Any
) -> None:
    """How many others each of these assets' failure takes down; gates are not counted."""
    n = len(a.member)
    alone, at = np.empty(1, np.int32), np.zeros(1)
    for asset in assets:
        counts[asset] = 0
        if s.mark[asset].wave != UP:
            continue
        alone[0] = asset
        down = cascade(a, s, alone, at, horizon)
        counts[asset] = down - 1
        if visible < n:
            for i in range(down):
                counts[asset] -= s.order[i] >= visible
        clean(a, s, base_lost, down)
