"""Trunks: assets whose failure takes along what one other's does and a few leaves of their own.

A line of a thousand such assets would be searched a thousand times over; so it is counted once,
from its end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import i64
from twinfall.analytics.kernels.compiled import compiled, inner


@compiled
def trunks(span: Any, target: Any, vote: Any, circling: Any, visible: int) -> Any:
    """(after, more): the one asset that each takes along with all that follows (-1: there is none,
    or it must be searched), and how many go down with it besides what follows that one.

    span, target and circling are those of a `Single` without carriers, vote that of its `Work`. It
    takes along exactly one asset that is no leaf and adds to no vote; its leaves have no other
    feed, so that what follows does not have them too. Nothing may follow itself, as only what is in
    `circling` can, and sustained groups.
    """
    n = (len(span) - 1) // 3
    fed = _fed(span, target, vote, n)
    after, more = np.full(n, -1, np.int32), np.zeros(n, np.int32)
    for asset in range(visible):
        first = 3 * asset
        one = span[first + 1] - span[first] == 1 and span[first + 2] == span[first + 3]
        if not one or (len(circling) > 0 and circling[asset] == 1):
            continue
        count, own = i64(1), True
        for edge in range(span[first + 1], span[first + 2]):
            own = own and fed[target[edge]] == 1
            count += target[edge] < visible
        if own and target[span[first]] < visible:
            after[asset], more[asset] = target[span[first]], count
    return after, more


@inner
def _fed(span: Any, target: Any, vote: Any, n: int) -> Any:
    """How many feeds that matter each asset has."""
    fed = np.zeros(n, np.int32)
    for asset in range(n):
        first = 3 * asset
        for edge in range(span[first], span[first + 2]):
            fed[target[edge]] += 1
        for edge in range(span[first + 2], span[first + 3]):
            fed[vote[target[edge]].consumer] += 1
    return fed


@compiled
def count_along(after: Any, more: Any, counts: Any) -> None:
    """Fill in the counts along trunks, where those of all others are known; -1 goes along."""
    known = after < 0
    path = np.empty(len(after), np.int32)
    for begin in range(len(after)):
        depth, at = i64(0), i64(begin)
        while not known[at]:
            path[depth] = at
            depth += 1
            at = i64(after[at])
        while depth > 0:
            depth -= 1
            one = i64(path[depth])
            counts[one] = -1 if counts[at] < 0 else counts[at] + more[one]
            known[one] = True
            at = one
