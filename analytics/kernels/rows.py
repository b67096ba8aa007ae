"""Rows of numbers that grow and shrink, one after the other in one array.

A row lies from its start to its end; places that are nobody's are FREE. A row that is empty, or has
no free place behind it, moves behind all others, to where there is room for twice as many. So no
two rows can ever want the same place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import i64
from twinfall.analytics.kernels.compiled import inner

FREE = np.int32(-1)


def wanted(start: Any, end: Any, numbers: Any, used: int, row: int, more: int) -> int:
    """Places behind all rows that it takes at most to put so many more numbers into a row."""
    first, last = int(start[row]), int(end[row])
    stays = (
        last > first and last + more <= used and bool((numbers[last : last + more] == FREE).all())
    )
    return 0 if stays else 2 * (last - first + more - 1) + 2


@inner
def append(rows: Any, used: Any, which: int, row: int, value: int) -> None:
    """Put a number at the end of a row of `rows` (start, end, numbers); `used[which]` places are
    some row's, or were. There must be room for what is `wanted`.
    """
    start, end, numbers = rows
    first, last = i64(start[row]), i64(end[row])
    if first == last or last >= used[which] or numbers[last] != FREE:
        size, to = last - first, i64(used[which])
        for i in range(size):
            numbers[to + i] = numbers[first + i]
            numbers[first + i] = FREE
        used[which] = to + 2 * size + 2
        start[row] = to
        last = to + size
    numbers[last] = value
    end[row] = last + 1


@inner
def insert(rows: Any, used: Any, which: int, row: int, value: int) -> None:
    """The same for an ascending row, which stays so."""
    append(rows, used, which, row, value)
    start, end, numbers = rows
    at = i64(end[row]) - 1
    while at > start[row] and numbers[at - 1] > value:
        numbers[at] = numbers[at - 1]
        at -= 1
    numbers[at] = value


@inner
def take_out(rows: Any, row: int, value: int) -> None:
    """Take a number out of a row wherever it is; the others keep their order."""
    start, end, numbers = rows
    first, last = i64(start[row]), i64(end[row])
    kept = first
    for at in range(first, last):
        if numbers[at] != value:
            numbers[kept] = numbers[at]
            kept += 1
    for at in range(kept, last):
        numbers[at] = FREE
    end[row] = kept
