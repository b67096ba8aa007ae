"""The cascade: failures followed through feeds, carriers and circles, in order of time."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import (
    FAILURE,
    FEED,
    GROUP,
    NONE,
    STORAGE,
    UP,
    i64,
    seconds,
    u64,
)
from twinfall.analytics.kernels.carriers import carrier_cut, carriers_cut
from twinfall.analytics.kernels.circles import unfounded
from twinfall.analytics.kernels.compiled import compiled, inner
from twinfall.analytics.kernels.marking import clean, fail, lose


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
            heappush(heap, (at[i], FAILURE, i64(failed[i])))
            continue
        down = fail(s.mark, s.order, down, i64(failed[i]), (0.0, i64(0), NONE, NONE))
    begin, wave, now = i64(0), i64(0), 0.0
    while True:
        end = down
        down = _spread(a, s, heap, (begin, end), now, wave)
        down = carriers_cut(a, s, heap, down, (begin, end), now, wave)
        begin = end
        if down == end and a.cyclic and end > 0:
            down = unfounded(a, s, heap, down, now, wave)
        if down > end:
            wave += 1
            continue
        if len(heap) == 0 or heap[0][0] > horizon:
            break
        now = heap[0][0]
        down = _expire(a, s, heap, down, now, wave)
        if down > begin:
            wave += 1
    for i in range(down):
        s.order[i] ^= s.order[i] >> 31  # -1 - asset becomes the asset
    return down


@inner
def _spread(a: Any, s: Any, heap: Any, new: Any, now: float, wave: int) -> Any:
    """Lose the feeds of what went down in the last wave, `new` of the order."""
    feeds = (a.out_start, a.group, a.weight, a.rule, a.transfer, a.autonomy)
    if len(a.transfer) == 0 and len(a.autonomy) == 0:
        return _lose_feeds(*feeds, s.tally, s.mark, s.order, None, new, now, wave + 1)
    return _lose_feeds(*feeds, s.tally, s.mark, s.order, heap, new, now, wave + 1)


@inner
def _lose_feeds(
    out_start: Any, group_of: Any, weight: Any, rule: Any, transfer: Any, autonomy: Any,
    tally: Any, mark: Any, order: Any, heap: Any, new: Any, now: float, wave: int,
) -> Any:  # fmt: skip
    """Compiled twice: without a heap where nothing takes time."""
    down = new[1]
    for i in range(new[0], new[1]):
        asset = i64(order[u64(i)])
        if asset < 0:
            continue
        for edge in range(out_start[u64(asset)], out_start[u64(asset + 1)]):
            if heap is not None:
                late = seconds(transfer, i64(edge))
                if late > 0.0:
                    heappush(heap, (now + late, FEED, i64(edge)))
                    continue
            group = i64(group_of[u64(edge)])
            if not lose(rule, tally, group, asset, i64(weight[u64(edge)])):
                continue
            if heap is not None:
                lasts = seconds(autonomy, group)
                if lasts > 0.0:
                    heappush(heap, (now + lasts, GROUP, group))
                    continue
            how = (now, wave, group, asset)
            down = fail(mark, order, down, i64(rule[u64(group)].consumer), how)
    return down


@inner
def _expire(a: Any, s: Any, heap: Any, down: int, now: float, wave: int) -> int:
    """Take all events of a moment together: failures, storages, then feeds and groups."""
    rule, tally, mark, order = a.rule, s.tally, s.mark, s.order
    votes: list[Any] = [(0.0, 0, 0)]
    votes.pop()
    dirty = i64(0)
    while len(heap) > 0 and heap[0][0] == now:
        event = heappop(heap)
        if event[1] == FAILURE:
            down = fail(mark, order, down, i64(event[2]), (now, wave + 1, NONE, NONE))
        elif event[1] == STORAGE:
            s.empty[event[2]] = 1
            dirty |= i64(1) << a.storage_carrier[event[2]]
        else:
            votes.append(event)
    for carrier in range(len(a.member_start) - 1):
        if dirty >> carrier & 1:
            down = carrier_cut(a, s, heap, down, (i64(0), i64(0)), i64(carrier), now, wave)
    for event in votes:
        group = i64(event[2])
        if event[1] == FEED:
            group = i64(a.group[event[2]])
            weight = i64(a.weight[event[2]])
            if not lose(rule, tally, group, i64(a.provider[event[2]]), weight):
                continue
            lasts = seconds(a.autonomy, group)
            if lasts > 0.0:
                heappush(heap, (now + lasts, GROUP, group))
                continue
        how = (now, wave + 1, group, i64(tally[group].decided))
        down = fail(mark, order, down, i64(rule[group].consumer), how)
    return down


@compiled
def count_some(a: Any, s: Any, horizon: float, visible: int, assets: Any, counts: Any) -> None:
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
        clean(a, s, down)
