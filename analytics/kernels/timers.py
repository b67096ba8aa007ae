"""Timers of an evolution: buffers that drain and recharge, storages, and losses on their way.

Each has a slot of its own, so that a heap of slots never holds more than there are, and what no
longer comes is taken out of it. Equal times are settled by slot.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.compiled import compiled, inner

i64: Any = np.int64

TIMER = np.dtype(
    [
        ("due", "f8"),
        ("level", "f8"),
        ("since", "f8"),
        ("full", "f8"),
        ("rate", "f8"),
        ("at", "i4"),
        ("place", "i4"),
        ("kind", "u1"),
        ("mode", "u1"),
        ("circled", "u1"),
    ],
    align=True,
)
"""When it is due; how many seconds of a buffer were left `since`, when its mode began, of how many
in `full`, and how many come back in a second; the feed, group or storage it is of; its place in
the heap (-1: none); what it is a timer of; what the buffer does; whether it began in a circle.
"""
FEED, BUFFER, STORAGE = 0, 1, 2
CHARGING, DRAINING, HOLDING = 0, 1, 2


@inner
def _sooner(timer: Any, one: int, other: int) -> bool:
    if timer[one].due != timer[other].due:
        return bool(timer[one].due < timer[other].due)
    return one < other


@inner
def _rise(timer: Any, heap: Any, place: int) -> Any:
    slot = heap[place]
    while place > 0:
        above = (place - 1) // 2
        if not _sooner(timer, i64(slot), i64(heap[above])):
            break
        heap[place] = heap[above]
        timer[heap[place]].place = place
        place = above
    heap[place] = slot
    timer[slot].place = place
    return place


@inner
def _sink(timer: Any, heap: Any, size: int, place: int) -> None:
    slot = heap[place]
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        if below + 1 < size and _sooner(timer, i64(heap[below + 1]), i64(heap[below])):
            below += 1
        if not _sooner(timer, i64(heap[below]), i64(slot)):
            break
        heap[place] = heap[below]
        timer[heap[place]].place = place
        place = below
    heap[place] = slot
    timer[slot].place = place


@inner
def put(timer: Any, heap: Any, size: Any, slot: int, due: float) -> None:
    """Let a timer go off then; `size` [1] is how many are set."""
    drop(timer, heap, size, slot)
    timer[slot].due = due
    place = i64(size[0])
    size[0] += 1
    heap[place] = slot
    timer[slot].place = place
    _rise(timer, heap, place)


@inner
def drop(timer: Any, heap: Any, size: Any, slot: int) -> None:
    """Let a timer not go off, if it was to."""
    place = i64(timer[slot].place)
    if place < 0:
        return
    timer[slot].place = -1
    size[0] -= 1
    last = i64(heap[size[0]])
    if last == slot:
        return
    heap[place] = last
    timer[last].place = place
    if _rise(timer, heap, place) == place:
        _sink(timer, heap, i64(size[0]), place)


@compiled
def left(timer: Any, slot: int, now: float) -> Any:
    """Seconds that a buffer lasts."""
    one = timer[slot]
    passed = now - one.since
    if one.mode == DRAINING:
        return max(one.level - passed, 0.0)
    if one.mode == HOLDING or one.level >= one.full:
        return float(one.level)
    if one.rate == np.inf:
        return float(one.full if passed > 0.0 else one.level)
    return min(one.level + passed * one.rate, one.full)


@inner
def turn(timer: Any, heap: Any, size: Any, slot: int, mode: int, now: float) -> Any:
    """Let a buffer do something else from now on, unless it does that already; what is left."""
    level = left(timer, slot, now)
    if timer[slot].mode == mode:
        return level
    timer[slot].level = level
    timer[slot].since = now
    timer[slot].mode = mode
    if mode == DRAINING and level > 0.0:
        put(timer, heap, size, slot, now + level)
    else:
        drop(timer, heap, size, slot)
    return level
