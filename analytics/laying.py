"""Room in the arrays of an evolution for connections that come and go.

The first change of a connection copies the arrays that it writes on; from then on rows of
neighbours and members change in place (`kernels.rows`), until there is no room any more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics import kernels
from twinfall.analytics.kernels.falling import Evolving
from twinfall.analytics.kernels.rows import FREE, wanted

Ints = NDArray[np.int32]
Rows = tuple[Ints, Ints, Ints]

SPARE_SHARE = 8
"""One place more for each so many rows and numbers that there are."""
SPARE = 64


def are_connected(arrays: kernels.Arrays, one: int, other: int, carrier: int) -> bool:
    """Whether something connects two assets in a carrier, in any direction."""
    if carrier >= len(arrays.member_end):
        return False
    at = carrier * len(arrays.member) + one
    return bool((arrays.touch[arrays.touch_start[at] : arrays.touch_end[at]] == other).any())


def has_room(arrays: kernels.Arrays, state: Evolving, pair: tuple[int, int, int]) -> bool:
    """Whether these two can be connected in place in this carrier."""
    if not state.room.any() or pair[2] >= len(arrays.member_end):
        return False
    used, lengths = state.room.tolist(), (len(rows[2]) for rows in _rows(arrays))
    places = zip(used, _wanted(arrays, used, pair), lengths, strict=True)
    return all(begin + more <= length for begin, more, length in places)


def laid(
    arrays: kernels.Arrays,
    scratch: kernels.Scratch,
    state: Evolving,
    pair: tuple[int, int, int],
) -> tuple[kernels.Arrays, kernels.Scratch, Evolving]:
    """The same state with room for a connection between two assets in a carrier, which may be a new
    one, and for more. O(assets + connections), times carriers.
    """
    n, carriers = len(arrays.member), max(len(arrays.member_end), pair[2] + 1)
    counts = (carriers * n, carriers * n, carriers)
    rows = [_more_rows(*each) for each in zip(_rows(arrays), counts, strict=True)]
    more = _wanted(_with(arrays, *rows), [0, 0, 0], pair)
    rows = [_spread(*each) for each in zip(rows, more, strict=True)]
    made = _with(arrays, *rows)._replace(
        member=arrays.member.copy(),
        circling=arrays.circling.copy() if len(arrays.circling) else np.zeros(n, np.uint8),
    )
    used = np.array([int(one[0][-1]) for one in rows], np.int64)
    reached = scratch.reached if len(scratch.reached) else np.zeros(n, np.uint8)
    return made, scratch._replace(reached=reached), state._replace(room=used)


def _rows(arrays: kernels.Arrays) -> tuple[Rows, Rows, Rows]:
    """Whom an asset passes its carriers on to, whom it touches, and the members of the carriers."""
    return (
        (arrays.pass_start, arrays.pass_end, arrays.pass_to),
        (arrays.touch_start, arrays.touch_end, arrays.touch),
        (arrays.member_start, arrays.member_end, arrays.members),
    )


def _wanted(arrays: kernels.Arrays, used: list[int], pair: tuple[int, int, int]) -> list[int]:
    """Places that one more connection may take behind the `used` ones of each array: an asset more
    to pass on to, and one to touch for each direction, at both ends; two members.
    """
    one, other, carrier = pair
    ends = [carrier * len(arrays.member) + asset for asset in (one, other)]
    passed, touched, joined = _rows(arrays)
    return [
        sum(wanted(*passed, used[0], at, 1) for at in ends),
        sum(wanted(*touched, used[1], at, 2) for at in ends),
        wanted(*joined, used[2], carrier, 2),
    ]


def _with(arrays: kernels.Arrays, passed: Any, touched: Any, joined: Any) -> kernels.Arrays:
    return arrays._replace(
        pass_start=passed[0], pass_end=passed[1], pass_to=passed[2],
        touch_start=touched[0], touch_end=touched[1], touch=touched[2],
        member_start=joined[0], member_end=joined[1], members=joined[2],
    )  # fmt: skip


def _more_rows(rows: Rows, count: int) -> Rows:
    """So many rows in all, the new ones empty; `start` has one entry more."""
    start, end, values = rows
    new = np.zeros(count - len(end), np.int32)
    begin = np.concatenate([start[:-1], new, start[-1:]])
    return begin, np.concatenate([end, new]), values


def _spread(rows: Rows, more: int) -> Rows:
    """The same rows one after the other, and free places behind them."""
    start, end, values = rows
    sizes = (end - start[:-1]).astype(np.int64)
    begin = np.concatenate([[0], np.cumsum(sizes)])
    size = int(begin[-1])
    spare = (size + len(end)) // SPARE_SHARE + SPARE
    moved = np.full(size + more + spare, FREE, np.int32)
    moved[:size] = values[np.repeat(start[:-1] - begin[:-1], sizes) + np.arange(size)]
    return begin.astype(np.int32), begin[1:].astype(np.int32), moved
