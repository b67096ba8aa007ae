"""The kernels: compiled loops over a network's arrays. The only file that imports numba.

Positions are int32, times float64 seconds, flags uint8. `Arrays` is read-only and shared;
`Scratch` belongs to one question at a time and is clean between questions, so that a question
costs what it touches and not what there is. What the loops compute is defined in
`docs/cascade.md`; `tests/analytics/reference.py` computes the same in the plainest way.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np
from numba import njit

UP = np.int32(2**31 - 1)
"""The wave of an asset that is up."""
NO_GROUP = np.int32(-1)
"""The group of an asset that was failed by the question; networks are -2 - carrier."""

BEFORE = -1.0
"""The time of the baseline: nothing has failed, no buffer runs."""

_EDGE, _GROUP, _STORAGE = 0, 1, 2
i64: Any = np.int64
# Every call passes the same integer type: numba would compile a second copy for another.


class Arrays(NamedTuple):
    """A network as arrays, for n assets, G groups, E feeds, C carriers, S storages."""

    provider: Any  # int32 [E]
    group: Any  # int32 [E]
    transfer: Any  # float64 [E] seconds
    out_start: Any  # int32 [n + 1], into out_edges: the feeds of a provider
    out_edges: Any  # int32 [E]
    in_start: Any  # int32 [G + 1], into in_edges: the feeds of a group
    in_edges: Any  # int32 [E]
    consumer: Any  # int32 [G]
    fail_at: Any  # int32 [G]: lost feeds that lose the group; 0: never evaluated
    autonomy: Any  # float64 [G] seconds
    sustain: Any  # uint8 [G]
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
    cyclic: bool  # whether support can run in a circle


class Scratch(NamedTuple):
    """The state of one question; `clean` leaves it as `Baseline` is."""

    wave: Any  # int32 [n], UP, or -1 for what is down before any failure
    time: Any  # float64 [n]
    by: Any  # int32 [n] the group that failed
    cause: Any  # int32 [n]
    order: Any  # int32 [n] assets in the order in which they went down
    lost: Any  # int32 [G] lost feeds
    decided: Any  # int32 [G] the provider whose loss decided the group
    reached: Any  # uint8 [n]
    root: Any  # int32 [n]
    queue: Any  # int32 [n]
    supported: Any  # uint8 [n], of `ground`
    assumed: Any  # uint8 [n]
    open: Any  # int32 [n] groups that still need votes
    fed: Any  # int32 [n] bits of the carriers that reach an asset
    passed: Any  # int32 [n] bits of those it has passed on
    votes: Any  # int32 [G]
    dry: Any  # float64 [S] since when a storage has lost its own supply; inf: it has not
    empty: Any  # uint8 [S]
    dry_cause: Any  # int32 [S]


@njit(cache=True)
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


@njit(cache=True)
def cascade(a: Any, s: Any, failed: Any, horizon: float) -> Any:
    """Fail these assets at time 0 and follow what fails until nothing more does.

    Fills the scratch; returns how many of `order` are down, the failed ones first.
    """
    heap: list[Any] = [(0.0, 0, 0)]
    heap.pop()
    down = i64(0)
    for asset in failed:
        down = _fail(s, down, i64(asset), 0.0, i64(0), i64(-1), i64(-1))
    begin, wave, now, dirty = i64(0), i64(0), 0.0, i64(0)
    while True:
        end = down
        for i in range(begin, end):
            dirty |= i64(a.member[s.order[i]])
            down = _spread(a, s, heap, down, i64(s.order[i]), now, wave)
        if dirty:
            down = _networks(a, s, heap, down, (begin, end), dirty, now, wave)
            dirty = i64(0)
        begin = end
        if down == end and a.cyclic and end > 0:
            down = _unfounded(a, s, heap, down, now, wave)
        if down > end:
            wave += 1
            continue
        if len(heap) == 0 or heap[0][0] > horizon:
            return down
        now = heap[0][0]
        dirty = _expire_storages(a, s, heap, now)
        if dirty:
            down = _networks(a, s, heap, down, (begin, begin), dirty, now, wave)
            dirty = i64(0)
        down = _expire_votes(a, s, heap, down, now, wave)
        if down > begin:
            wave += 1


@njit(cache=True)
def _spread(a: Any, s: Any, heap: Any, down: int, asset: int, now: float, wave: int) -> int:
    """Take the feeds of an asset that went down, at once or when their transfer is over."""
    for at in range(a.out_start[asset], a.out_start[asset + 1]):
        edge = i64(a.out_edges[at])
        if a.transfer[edge] > 0.0:
            heappush(heap, (now + a.transfer[edge], _EDGE, edge))
        else:
            down = _lose(a, s, heap, down, edge, now, wave)
    return down


@njit(cache=True)
def _fail(s: Any, down: int, asset: int, now: float, wave: int, by: int, cause: int) -> int:
    if s.wave[asset] != UP:
        return down
    s.wave[asset] = wave
    s.time[asset] = now
    s.by[asset] = by
    s.cause[asset] = cause
    s.order[down] = asset
    return down + 1


@njit(cache=True)
def _lose(a: Any, s: Any, heap: Any, down: int, edge: int, now: float, wave: int) -> int:
    """Count one lost feed; the consumer fails, or begins to live on its autonomy."""
    group = i64(a.group[edge])
    if a.fail_at[group] == 0:
        return down
    s.lost[group] += 1
    if s.lost[group] != a.fail_at[group]:
        return down
    s.decided[group] = a.provider[edge]
    return _lose_group(a, s, heap, down, group, now, wave)


@njit(cache=True)
def _lose_group(a: Any, s: Any, heap: Any, down: int, group: int, now: float, wave: int) -> int:
    if a.autonomy[group] > 0.0:
        heappush(heap, (now + a.autonomy[group], _GROUP, i64(group)))
        return down
    return _fail(s, down, i64(a.consumer[group]), now, wave + 1, group, i64(s.decided[group]))


@njit(cache=True)
def _expire_storages(a: Any, s: Any, heap: Any, now: float) -> int:
    """Empty the storages whose time is up; bits of their carriers. Other events stay."""
    dirty = 0
    kept: list[Any] = [(0.0, 0, 0)]
    kept.pop()
    while len(heap) > 0 and heap[0][0] == now:
        event = heappop(heap)
        if event[1] != _STORAGE:
            kept.append(event)
            continue
        s.empty[event[2]] = 1
        dirty |= 1 << a.storage_carrier[event[2]]
    for event in kept:
        heappush(heap, event)
    return dirty


@njit(cache=True)
def _expire_votes(a: Any, s: Any, heap: Any, down: int, now: float, wave: int) -> int:
    """Take the feeds that are lost by now and the groups whose autonomy is over."""
    while len(heap) > 0 and heap[0][0] == now:
        event = heappop(heap)
        if event[1] == _EDGE:
            down = _lose(a, s, heap, down, i64(event[2]), now, wave)
        else:
            group = event[2]
            cause = i64(s.decided[group])
            down = _fail(s, down, i64(a.consumer[group]), now, wave + 1, group, cause)
    return down


@njit(cache=True)
def _networks(
    a: Any, s: Any, heap: Any, down: int, new: Any, dirty: int, now: float, wave: int
) -> int:
    """Fail what no longer reaches a source of its carrier, given the waves up to `wave`."""
    for carrier in range(len(a.member_start) - 1):
        if dirty >> carrier & 1:
            down = _network(a, s, heap, down, new, i64(carrier), now, wave)
    return down


@njit(cache=True)
def _network(
    a: Any, s: Any, heap: Any, down: int, new: Any, carrier: int, now: float, wave: int
) -> int:
    n = len(a.member)
    first, last = a.member_start[carrier], a.member_start[carrier + 1]
    tail = i64(0)
    for at in range(first, last):
        asset = a.members[at]
        s.reached[asset] = 0
        s.root[asset] = -1
        if a.source[asset] >> carrier & 1 and s.wave[asset] > wave:
            s.reached[asset] = 1
            s.queue[tail] = asset
            tail += 1
    tail = _reach(a, s, carrier * n, i64(0), tail, wave)
    _find_roots(a, s, new, carrier, wave, tail, now)
    _reach_from_storages(a, s, heap, carrier, tail, now, wave)
    by = -2 - carrier
    for at in range(first, last):
        asset = a.members[at]
        if s.wave[asset] > wave and s.reached[asset] == 0:
            down = _fail(s, down, i64(asset), now, wave + 1, by, i64(s.root[asset]))
    for i in range(len(a.storage)):
        asset = a.storage[i]
        if s.by[asset] == by and s.root[asset] == asset and s.wave[asset] == wave + 1:
            s.cause[asset] = s.dry_cause[i]  # others fail by the storage, the storage by its supply
    return down


@njit(cache=True)
def _reach_from_storages(
    a: Any, s: Any, heap: Any, carrier: int, tail: int, now: float, wave: int
) -> None:
    """Go on from the storages that have lost their own supply and are not empty yet."""
    head = tail
    for i in range(len(a.storage)):
        asset = i64(a.storage[i])
        if a.storage_carrier[i] != carrier or s.wave[asset] <= wave or s.reached[asset] == 1:
            continue
        if s.dry[i] == np.inf:
            s.dry[i] = now
            s.dry_cause[i] = s.root[asset]
            heappush(heap, (now + a.storage_autonomy[i], _STORAGE, i64(i)))
        if s.empty[i] == 0:
            s.queue[tail] = asset
            tail += 1
    for at in range(head, tail):
        s.reached[s.queue[at]] = 1
    _reach(a, s, carrier * len(a.member), head, tail, wave)


@njit(cache=True)
def _reach(a: Any, s: Any, base: int, head: int, tail: int, wave: int) -> int:
    """Spread from the queue through assets that are up and conduct; the queue's new end."""
    while head < tail:
        asset = s.queue[head]
        head += 1
        if a.conducts[asset] == 0:
            continue
        for at in range(a.pass_start[base + asset], a.pass_start[base + asset + 1]):
            other = a.pass_to[at]
            if s.reached[other] == 0 and s.wave[other] > wave:
                s.reached[other] = 1
                s.queue[tail] = other
                tail += 1
    return tail


@njit(cache=True)
def _find_roots(a: Any, s: Any, new: Any, carrier: int, wave: int, tail: int, now: float) -> None:
    """For every member that is up and not reached: the nearest thing whose loss cut it off.

    That is an asset that went down in the last wave, or a storage that has just run empty; by
    hops over connections in either direction, then by order of going down. The queue is free
    from `tail` on: what is reached and what is not are different assets.
    """
    base = carrier * len(a.member)
    head = tail
    for i in range(len(a.storage)):
        asset = a.storage[i]
        empties = s.empty[i] == 1 and s.dry[i] + a.storage_autonomy[i] == now
        if empties and a.storage_carrier[i] == carrier and s.wave[asset] > wave:
            s.root[asset] = asset
            s.queue[tail] = asset
            tail += 1
    for at in range(new[0], new[1]):
        asset = s.order[at]
        if a.member[asset] >> carrier & 1:
            s.root[asset] = asset
            s.queue[tail] = asset
            tail += 1
    while head < tail:
        asset = s.queue[head]
        head += 1
        for at in range(a.touch_start[base + asset], a.touch_start[base + asset + 1]):
            other = a.touch[at]
            if s.root[other] == -1 and s.reached[other] == 0 and s.wave[other] > wave:
                s.root[other] = s.root[asset]
                s.queue[tail] = other
                tail += 1


@njit(cache=True)
def ground(a: Any, s: Any, now: float) -> None:
    """The least fixed point of support; `s.supported` is 1 where support can be derived.

    Begins with sources, assets without conditions, and what holds without being derived: a
    group on its autonomy, a feed whose loss is still on its way, a storage running dry, a group
    that sustains itself. Black starters are assumed first, and dropped again, one round after
    the other, where what they started does not hold them.
    """
    for asset in range(len(a.member)):
        s.assumed[asset] = a.black_start[asset]
    while True:
        _derive(a, s, now)
        dropped = False
        for asset in range(len(a.member)):
            if s.assumed[asset] == 1 and (s.open[asset] > 0 or a.member[asset] & ~s.fed[asset]):
                s.assumed[asset] = 0
                dropped = True
        if not dropped:
            return


@njit(cache=True)
def _derive(a: Any, s: Any, now: float) -> None:
    n = len(a.member)
    for asset in range(n):
        s.supported[asset] = 0
        s.open[asset] = 0
        s.fed[asset] = a.source[asset]
        s.passed[asset] = 0
    for i in range(len(a.storage)):
        if s.dry[i] < np.inf and s.empty[i] == 0:
            s.fed[a.storage[i]] |= 1 << a.storage_carrier[i]
    for group in range(len(a.consumer)):
        _open_group(a, s, i64(group), now)
    head, tail = i64(0), i64(0)
    for asset in range(n):
        tail = _support(a, s, i64(asset), tail)
    while head < tail:
        while head < tail:
            asset = i64(s.queue[head])
            head += 1
            tail = _vote(a, s, asset, tail)
            tail = _pass_on(a, s, asset, tail)
        for asset in range(n):  # an assumed one may only now be fed itself
            if s.assumed[asset] == 1:
                tail = _pass_on(a, s, i64(asset), tail)


@njit(cache=True)
def _vote(a: Any, s: Any, asset: int, tail: int) -> int:
    for at in range(a.out_start[asset], a.out_start[asset + 1]):
        group = i64(a.group[a.out_edges[at]])
        s.votes[group] += 1
        if s.votes[group] == _need(a, group):
            s.open[a.consumer[group]] -= 1
            tail = _support(a, s, i64(a.consumer[group]), tail)
    return tail


@njit(cache=True)
def _pass_on(a: Any, s: Any, asset: int, tail: int) -> int:
    """Pass on the carriers that reach an asset, each once."""
    if a.conducts[asset] == 0:
        return tail
    carriers = a.member[asset] & s.fed[asset] & ~s.passed[asset]
    s.passed[asset] |= carriers
    for carrier in range(len(a.member_start) - 1):
        if carriers >> carrier & 1 == 0:
            continue
        base = carrier * len(a.member) + asset
        for at in range(a.pass_start[base], a.pass_start[base + 1]):
            s.fed[a.pass_to[at]] |= 1 << carrier
            tail = _support(a, s, i64(a.pass_to[at]), tail)
    return tail


@njit(cache=True)
def _need(a: Any, group: int) -> Any:
    return a.in_start[group + 1] - a.in_start[group] - a.fail_at[group] + 1


@njit(cache=True)
def _open_group(a: Any, s: Any, group: int, now: float) -> None:
    """Count a group that must be derived as open, with the feeds whose loss is on its way."""
    fail_at = a.fail_at[group]
    lost = s.lost[group] >= fail_at
    s.votes[group] = -len(a.group) - 1  # satisfied: never reaches its need
    buffered = lost and a.autonomy[group] > 0.0 and now != BEFORE
    if fail_at == 0 or buffered or (not lost and a.sustain[group] == 1):
        return
    s.votes[group] = 0
    for at in range(a.in_start[group], a.in_start[group + 1]):
        edge = a.in_edges[at]
        asset = a.provider[edge]
        if 0 <= s.wave[asset] < UP and s.time[asset] + a.transfer[edge] > now:
            s.votes[group] += 1
    if s.votes[group] < _need(a, i64(group)):
        s.open[a.consumer[group]] += 1
    else:
        s.votes[group] = -len(a.group) - 1


@njit(cache=True)
def _support(a: Any, s: Any, asset: int, tail: int) -> int:
    """Queue an asset once it is up and nothing it needs is missing, or it is assumed."""
    if s.supported[asset] == 1 or s.wave[asset] != UP:
        return tail
    if s.assumed[asset] == 1 or (s.open[asset] == 0 and a.member[asset] & ~s.fed[asset] == 0):
        s.supported[asset] = 1
        s.queue[tail] = asset
        return tail + 1
    return tail


@njit(cache=True)
def _unfounded(a: Any, s: Any, heap: Any, down: int, now: float, wave: int) -> int:
    """Fail what keeps itself up in a circle; buffers in the circle begin to run first."""
    ground(a, s, now)
    while _start_buffers(a, s, heap, now):
        ground(a, s, now)
    for asset in range(len(a.member)):
        if s.wave[asset] != UP or s.supported[asset] == 1:
            continue
        by, cause = i64(-1), i64(-1)
        for at in range(a.group_start[asset], a.group_start[asset + 1]):
            group = a.groups[at]
            if by == -1 and 0 <= s.votes[group] < _need(a, i64(group)):
                by, cause = i64(group), _unsupported_provider(a, s, i64(group))
        for carrier in range(len(a.member_start) - 1):
            if by == -1 and (a.member[asset] & ~s.fed[asset]) >> carrier & 1:
                by = -2 - carrier
        down = _fail(s, down, i64(asset), now, wave + 1, by, cause)
    return down


@njit(cache=True)
def _start_buffers(a: Any, s: Any, heap: Any, now: float) -> bool:
    started = False
    for group in range(len(a.consumer)):
        asset = a.consumer[group]
        waits = s.wave[asset] == UP and s.supported[asset] == 0 and a.autonomy[group] > 0.0
        if waits and 0 <= s.votes[group] < _need(a, i64(group)):
            s.lost[group] = a.fail_at[group]
            s.decided[group] = _unsupported_provider(a, s, i64(group))
            heappush(heap, (now + a.autonomy[group], _GROUP, i64(group)))
            started = True
    for i in range(len(a.storage)):
        asset = a.storage[i]
        unfed = (a.member[asset] & ~s.fed[asset]) >> a.storage_carrier[i] & 1
        if s.wave[asset] == UP and unfed and s.dry[i] == np.inf:
            s.dry[i] = now
            s.dry_cause[i] = -1
            heappush(heap, (now + a.storage_autonomy[i], _STORAGE, i64(i)))
            started = True
    return started


@njit(cache=True)
def _unsupported_provider(a: Any, s: Any, group: int) -> Any:
    found = i64(-1)
    for at in range(a.in_start[group], a.in_start[group + 1]):
        asset = a.provider[a.in_edges[at]]
        if s.supported[asset] == 0 and (found == -1 or asset < found):
            found = i64(asset)
    return found


@njit(cache=True)
def settle(a: Any, s: Any, base_lost: Any) -> None:
    """Mark what is down before any failure (wave -1) and the feeds that are lost with it."""
    more = True
    while more:  # again where a group that would sustain itself turns out to have lost its feeds
        ground(a, s, BEFORE)
        more = False
        for asset in range(len(a.member)):
            if s.supported[asset] == 0 and s.wave[asset] == UP:
                s.wave[asset] = -1
                more = True
                for at in range(a.out_start[asset], a.out_start[asset + 1]):
                    s.lost[a.group[a.out_edges[at]]] += 1
    for group in range(len(base_lost)):
        base_lost[group] = s.lost[group]


@njit(cache=True)
def clean(a: Any, s: Any, base_lost: Any, down: int) -> None:
    """Undo a question, touching only what it touched (all groups where support can circle)."""
    for at in range(down):
        asset = s.order[at]
        s.wave[asset] = UP
        for k in range(a.out_start[asset], a.out_start[asset + 1]):
            group = a.group[a.out_edges[k]]
            s.lost[group] = base_lost[group]
    if a.cyclic:
        for group in range(len(base_lost)):
            s.lost[group] = base_lost[group]
    for i in range(len(s.dry)):
        s.dry[i] = np.inf
        s.empty[i] = 0


@njit(cache=True)
def count_each(a: Any, s: Any, base_lost: Any, horizon: float) -> Any:
    """How many others each asset's failure takes down: N-1 over everything."""
    n = len(a.member)
    counts = np.zeros(n, np.int32)
    alone = np.empty(1, np.int32)
    for asset in range(n):
        if s.wave[asset] != UP:
            continue
        alone[0] = asset
        down = cascade(a, s, alone, horizon)
        counts[asset] = down - 1
        clean(a, s, base_lost, down)
    return counts
