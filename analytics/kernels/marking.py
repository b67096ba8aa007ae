"""What a question marks as lost and down, and undone again."""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import DOWN_BEFORE, UP, i64, u64
from twinfall.analytics.kernels.compiled import compiled, inner


@compiled
def prepare(a: Any, s: Any, baseline: Any) -> None:
    """Make a new scratch ready: what is in `baseline` is down before any failure."""
    mark, tally, member, out_start = s.mark, s.tally, a.member, a.out_start
    for asset in range(len(mark)):
        fed = out_start[asset + 1] - out_start[asset]
        mark[asset].ends = fed == 0 and member[asset] == 0
        if not baseline[asset]:
            continue
        mark[asset].wave = DOWN_BEFORE
        for edge in range(out_start[asset], out_start[asset + 1]):
            tally[a.group[edge]].lost += a.weight[edge]
            tally[a.group[edge]].before += a.weight[edge]


@inner
def fail(mark: Any, order: Any, down: int, asset: int, how: Any) -> int:
    """Take an asset down (time, wave, by, cause) unless it is; how many are down then."""
    at = u64(asset)
    if mark[at].wave != UP:
        return down
    mark[at].time = how[0]
    mark[at].wave = how[1]
    mark[at].by = how[2]
    mark[at].cause = how[3]
    order[u64(down)] = asset ^ -i64(mark[at].ends)
    return down + 1


@inner
def lose(rule: Any, tally: Any, group: int, provider: int, weight: int) -> bool:
    """Count the weight of one lost feed; whether it is the one that loses the group."""
    at = u64(group)
    before = i64(tally[at].lost)
    tally[at].lost = before + weight
    # One comparison: before < fail_at <= before + weight.
    if u64(i64(rule[at].fail_at) - before - i64(1)) >= u64(weight):
        return False
    tally[at].decided = provider
    return True


@compiled
def clean(a: Any, s: Any, down: int) -> None:
    """Undo a question, touching only what it touched."""
    _clean_marks(a.out_start, a.group, s.mark, s.tally, s.order, down)
    begun = s.begun
    if len(begun) > 0:
        for i in range(s.counts[0]):
            s.tally[begun[i]].lost = s.tally[begun[i]].before
        s.counts[0] = 0
    for i in range(len(s.dry)):
        s.dry[i] = np.inf
        s.empty[i] = 0


@inner
def _clean_marks(
    out_start: Any, group_of: Any, mark: Any, tally: Any, order: Any, down: int
) -> None:
    for at in range(down):
        asset = u64(order[u64(at)])
        mark[asset].wave = UP
        if mark[asset].ends == 0:
            for edge in range(out_start[asset], out_start[asset + u64(1)]):
                group = u64(group_of[u64(edge)])
                tally[group].lost = tally[group].before
