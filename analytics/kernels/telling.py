"""A cascade told row by row: by time, then position."""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import i64, u64
from twinfall.analytics.kernels.cascade import cascade
from twinfall.analytics.kernels.compiled import compiled, inner
from twinfall.analytics.kernels.marking import clean

WIDE = 16
"""Words of bits for each asset to be put in order, from which on sorting is cheaper."""
_FACTOR: Any = np.uint64(0x03F79D71B4CB0A89)
_PLACES = np.zeros(64, np.int32)
for _bit in range(64):
    _PLACES[(0x03F79D71B4CB0A89 << _bit) % 2**64 >> 58] = _bit
"""Where the only bit of a word is: a de Bruijn sequence has each six bits once."""


@compiled
def follow(a: Any, s: Any, failed: Any, at: Any, horizon: float, begun: int) -> Any:
    """asset, wave, time, by and cause of what a failure takes along, by time and then position,
    without the first `begun` of those that fail; the scratch is clean again.
    """
    down = cascade(a, s, failed, at, horizon)
    return tell(a, s, begun, down)


@compiled
def tell(a: Any, s: Any, begun: int, down: int) -> Any:
    """As `follow`, of a cascade that has taken down so many."""
    mark, order = s.mark, s.order
    first = begun
    while first < down:
        time = mark[order[first]].time
        last = down if mark[order[down - 1]].time == time else first + 1
        while last < down and mark[order[last]].time == time:
            last += 1
        _put_in_order(order, s.seen, first, last)
        first = last
    told = _read(mark, order, begun, down)
    clean(a, s, down)
    return told


@inner
def _put_in_order(order: Any, seen: Any, first: int, last: int) -> None:
    """Sort a stretch of the order: by bits where the assets lie close enough together."""
    if last - first < 2:
        return
    low, high = order[first], order[first]
    for i in range(first, last):
        low, high = min(low, order[i]), max(high, order[i])
    if (high >> 6) - (low >> 6) > WIDE * (last - first):
        order[first:last].sort()
        return
    word, bits = u64(low >> 6), u64(0)
    for i in range(first, last):  # one after the other mostly lie in the same word
        asset = u64(order[u64(i)])
        if asset >> u64(6) != word:
            seen[word] |= bits
            word, bits = asset >> u64(6), u64(0)
        bits |= u64(1) << (asset & u64(63))
    seen[word] |= bits
    _from_bits(order, seen, u64(first), (low >> 6, (high >> 6) + 1))


@inner
def _from_bits(order: Any, seen: Any, at: int, words: Any) -> None:
    """Write the assets whose bits are set, ascending, and clear the bits."""
    for word in range(words[0], words[1]):
        bits = u64(seen[u64(word)])
        if bits == 0:
            continue
        seen[u64(word)] = 0
        while bits != 0:
            lowest = bits & (~bits + u64(1))
            order[at] = i64(word) * 64 + _PLACES[(lowest * _FACTOR) >> u64(58)]
            at += u64(1)
            bits ^= lowest


@inner
def _read(mark: Any, order: Any, begun: int, down: int) -> Any:
    count = down - begun
    asset, wave, time = np.empty(count, np.int32), np.empty(count, np.int32), np.empty(count)
    by, cause = np.empty(count, np.int32), np.empty(count, np.int32)
    for i in range(count):
        at = u64(order[u64(begun + i)])
        asset[u64(i)] = at
        wave[u64(i)] = mark[at].wave
        time[u64(i)] = mark[at].time
        by[u64(i)] = mark[at].by
        cause[u64(i)] = mark[at].cause
    return asset, wave, time, by, cause
