"""What falls, and what that does to buffers: the state of a plant that goes on.

`Evolving` has what a single question does not need. What is lost, drained and down stays so until
it is taken back. What the loops compute is defined in `docs/cascade.md`, under "As time goes on".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twinfall.analytics.kernels.arrays import NONE, UP, i64, u64
from twinfall.analytics.kernels.compiled import inner
from twinfall.analytics.kernels.timers import CHARGING, DRAINING, HOLDING, turn

CIRCLED = 2**30 - 1
"""Added to the lost weight of a group whose buffer runs in a circle: it counts as lost."""
WAVE, FALLEN, ROSE, SEEDS, DIRTY, CIRCLES, REGAINED = 0, 1, 2, 3, 4, 5, 6
"""In `count`: the last wave, how many have fallen and risen in this call, seeds, carriers to be
looked at (bits), buffers and storages that run in circles, groups that have votes again.
"""
PASSED, TOUCHED, JOINED = 0, 1, 2
"""In `room`: rows of `pass_to`, of `touch` and of `members`."""


ASSET = np.dtype(
    [("own", "u1"), ("risen", "u1"), ("buffered", "u1"), ("seeded", "u1"), ("short", "i4")],
    align=True,
)
"""An asset that goes on: whether it has failed by itself, is to rise (or flagged, otherwise), has
buffers or storages, is among the seeds; how many of its groups are lost, if it has no buffers.
"""


class Evolving(NamedTuple):
    """What an evolution has beside the scratch of a question."""

    timer: Any  # TIMER [T]: feeds with a transfer, buffers of groups, storages
    heap: Any  # int32 [T] slots that are to go off
    size: Any  # int64 [1] how many those are
    events: Any  # int32 [T] slots that go off together
    feed_slot: Any  # int32 [E]: -1 where a loss is felt at once; empty where all are
    buffer_slot: Any  # int32 [G]: -1 where nothing is stored; empty where all are
    first_storage: int  # the slot of the first storage
    black: Any  # int32: the black starters
    asset: Any  # ASSET [n]
    seeds: Any  # int32 [n] assets whose support is to be looked at
    gain: Any  # int32 [G] votes that come back while it is found out who rises
    rose: Any  # int32 [n] who has risen in this call
    regained: Any  # int32 [G] groups that have votes again while it is found out who rises
    count: Any  # int64 [7]
    room: Any  # int64 [3]: from where on places in these are no row's


@inner
def fall(a: Any, s: Any, e: Any, down: int, asset: int, how: Any) -> Any:
    """Take an asset down (time, wave, by, cause) unless it is; how many have fallen then."""
    mark, at = s.mark, u64(asset)
    if mark[at].wave != UP:
        return down
    mark[at].time = how[0]
    mark[at].wave = how[1]
    mark[at].by = how[2]
    mark[at].cause = how[3]
    s.order[u64(down)] = asset
    if e.asset[at].buffered == 1:
        _pause(a, s, e, asset, how[0])
    return down + 1


@inner
def _pause(a: Any, s: Any, e: Any, asset: int, now: float) -> None:
    """Who is down draws nothing from its buffers, and its storages give nothing."""
    timer, heap, size, tally, rule = e.timer, e.heap, e.size, s.tally, a.rule
    for k in range(a.group_start[asset], a.group_start[asset + 1]):
        group = i64(a.groups[k])
        slot = i64(e.buffer_slot[group]) if len(e.buffer_slot) > 0 else NONE
        if slot < 0:
            continue
        uncircle(s, e, group, slot)
        lost = 0 < rule[group].fail_at <= tally[group].lost
        turn(timer, heap, size, slot, HOLDING if lost else CHARGING, now)
    for i in range(len(a.storage)):
        if a.storage[i] == asset:
            slot = i64(e.first_storage + i)
            rest(s, e, i64(i), HOLDING, now)


@inner
def uncircle(s: Any, e: Any, group: int, slot: int) -> None:
    """The group counts as lost by its votes only."""
    if e.timer[slot].circled == 1:
        e.timer[slot].circled = 0
        e.count[CIRCLES] -= 1
        s.tally[group].lost -= CIRCLED


@inner
def rest(s: Any, e: Any, i: int, mode: int, now: float) -> None:
    """A storage runs no more."""
    slot = i64(e.first_storage + i)
    turn(e.timer, e.heap, e.size, slot, mode, now)
    s.dry[i] = np.inf
    s.empty[i] = 0
    if e.timer[slot].circled == 1:
        e.timer[slot].circled = 0
        e.count[CIRCLES] -= 1


@inner
def run_dry(a: Any, s: Any, e: Any, i: int, now: float) -> None:
    """A storage begins to run on what is in it."""
    slot = i64(e.first_storage + i)
    s.dry[i] = now
    a.storage_autonomy[i] = turn(e.timer, e.heap, e.size, slot, DRAINING, now)
    s.empty[i] = a.storage_autonomy[i] <= 0.0


@inner
def seed(e: Any, asset: int) -> None:
    """The support of an asset is to be looked at."""
    if e.asset[asset].seeded == 0:
        e.asset[asset].seeded = 1
        e.seeds[e.count[SEEDS]] = asset
        e.count[SEEDS] += 1


@inner
def lost(a: Any, s: Any, e: Any, down: int, group: int, now: float, wave: int) -> Any:
    """A group is lost: its buffer begins to run, or its consumer falls."""
    consumer = i64(a.rule[group].consumer)
    if len(e.buffer_slot) > 0 and e.buffer_slot[group] >= 0:
        mode = DRAINING if s.mark[consumer].wave == UP else HOLDING
        slot = i64(e.buffer_slot[group])
        if turn(e.timer, e.heap, e.size, slot, mode, now) > 0.0:
            return down
    how = (now, wave + 1, group, i64(s.tally[group].decided))
    return fall(a, s, e, down, consumer, how)
