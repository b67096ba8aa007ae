"""What a question marks as lost and down, read out and undone."""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import UP, u64
from twinfall.analytics.kernels.compiled import compiled


@compiled
def fail(mark: Any, order: Any, down: int, asset: int, how: Any) -> int:
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
def lose(rule: Any, tally: Any, group: int, provider: int, weight: int) -> bool:
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
