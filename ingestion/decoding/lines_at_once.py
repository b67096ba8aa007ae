"""Many plain lines of line protocol at once: array operations over their bytes.

A plain line has no escapes, quotes, comments, tabs or carriage returns, its values are numbers as
JSON writes them (an `i` may follow), and exactly one space parts its sections. What is left of it
without values and time, its skeleton, is the same from sample to sample: that is looked up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

_LINE, _SPACE, _EQUALS, _COMMA, _ODD = 1, 2, 3, 4, 5


def _table(**classes: bytes) -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    for number, members in classes.items():
        table[np.frombuffer(members, np.uint8)] = int(number[1:])
    return table


_CLASS = _table(_1=b"\n", _2=b" ", _3=b"=", _4=b",", _5=b'\\"\r\t\0')
_OF_NUMBER = _table(_1=b"0123456789+-.eE,", _2=b"i").astype(np.uint8)
_OF_TIME = _table(_1=b"0123456789-,")
EXACT = 2**53
"""From here on a float may stand for several integers: such a value is read by itself."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Plain lines as columns. `counts` fields a line; `times` where `timed`; `whole` marks values
    that were written as integers, or is None where none was.
    """

    skeletons: list[bytes]
    counts: NDArray[np.int64]
    numbers: NDArray[np.float64]
    whole: NDArray[np.bool_] | None
    times: NDArray[np.int64]
    timed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Grid:
    """The separators of all lines: where they are, what they are, in which line, after how many
    spaces of it.
    """

    bytes: NDArray[np.uint8]
    at: NDArray[np.int64]
    kind: NDArray[np.uint8]
    line: NDArray[np.int64]
    spaces: NDArray[np.int64]
    ends: NDArray[np.int64]


def _grid(body: bytes) -> _Grid:
    text = np.frombuffer(body, np.uint8)
    kinds = _CLASS[text]
    at = np.flatnonzero(kinds)
    kind = kinds[at]
    last = np.flatnonzero(kind == _LINE)
    line = np.repeat(np.arange(len(last)), np.diff(last, prepend=-1))
    spaces = np.cumsum(kind == _SPACE)
    before = np.concatenate([[0], spaces[last][:-1]])
    return _Grid(text, at, kind, line, spaces - before[line], at[last])


def read_plain(body: bytes) -> Plain | NDArray[np.bool_]:
    """The columns of a body of whole lines, each ended by a line feed; or, where some line is not
    plain, which ones may be.
    """
    grid = _grid(body)
    values, odd = _values(grid)
    if odd.any():
        return ~odd
    stamps = np.flatnonzero((grid.kind == _SPACE) & (grid.spaces == 2))
    found = _numbers(grid, values, stamps)
    return np.zeros(len(grid.ends), np.bool_) if found is None else found


def _values(grid: _Grid) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The separators that begin a value, and which lines are not plain in structure."""
    kind, following = grid.kind, np.append(grid.kind[1:], np.uint8(_LINE))
    width = np.append(np.diff(grid.at), 1)
    inside = (grid.spaces == 1) & (kind != _LINE)
    equals = inside & (kind == _EQUALS)
    wrong = kind == _ODD
    wrong |= inside & ~equals & ((following != _EQUALS) | (width < 2))
    wrong |= equals & ((following == _EQUALS) | (width < 2))
    wrong |= (grid.spaces == 2) & (kind != _LINE) & ((following != _LINE) | (width < 2))
    wrong |= (grid.spaces > 2) | ((kind == _LINE) & (grid.spaces == 0))
    odd = np.zeros(len(grid.ends), np.bool_)
    odd[grid.line[wrong]] = True
    first = np.concatenate([[0], grid.ends[:-1] + 1])
    odd |= np.isin(grid.bytes[first], (ord("#"), ord(" ")))
    return np.flatnonzero(equals), odd


def _spans(grid: _Grid, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The bytes after these separators, up to the next."""
    steps = np.zeros(len(grid.bytes) + 1, np.int8)
    steps[grid.at[starts] + 1] = 1
    steps[grid.at[starts + 1]] -= 1
    return np.cumsum(steps[:-1], dtype=np.int8).view(np.bool_)


def _listed(grid: _Grid, starts: NDArray[np.int64], spans: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The bytes of these spans with a comma after each."""
    text, spans = grid.bytes.copy(), spans.copy()
    ends = grid.at[starts + 1]
    text[ends] = ord(",")
    spans[ends] = True
    return text[spans]


def _numbers(
    grid: _Grid, values: NDArray[np.int64], stamps: NDArray[np.int64]
) -> Plain | NDArray[np.bool_] | None:
    of_values, of_stamps = _spans(grid, values), _spans(grid, stamps)
    text, stamp_text = _listed(grid, values, of_values), _listed(grid, stamps, of_stamps)
    allowed = _OF_NUMBER[text]
    suffix = np.flatnonzero(allowed == 2)
    if not allowed.all() or (text[suffix + 1] != ord(",")).any():
        return _unlike(grid, of_values)
    if not _OF_TIME[stamp_text].all():
        return None
    whole = None
    if len(suffix):
        place = np.cumsum(text == ord(","))[suffix]
        whole = np.zeros(len(values), np.bool_)
        whole[place] = True
        text = text[allowed != 2]
    numbers, times = _parsed(text, len(values), whole), _parsed_times(stamp_text, len(stamps))
    if numbers is None or times is None:
        return None
    timed = np.zeros(len(grid.ends), np.bool_)
    timed[grid.line[stamps]] = True
    return Plain(
        grid.bytes[~(of_values | of_stamps)].tobytes().split(b"\n")[:-1],
        np.bincount(grid.line[values], minlength=len(grid.ends)),
        numbers,
        whole,
        times,
        timed,
    )


def _unlike(grid: _Grid, of_values: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The lines whose values hold only what numbers may hold, `i` only as the last byte."""
    kinds = _OF_NUMBER[grid.bytes]
    bad = of_values & (kinds == 0)
    bad[:-1] |= of_values[:-1] & (kinds[:-1] == 2) & of_values[1:]
    like = np.ones(len(grid.ends), np.bool_)
    like[np.searchsorted(grid.ends, np.flatnonzero(bad))] = False
    return like


def _parsed(
    text: NDArray[np.uint8], count: int, whole: NDArray[np.bool_] | None
) -> NDArray[np.float64] | None:
    try:
        found = orjson.loads(b"[" + text[:-1].tobytes() + b"]")
        numbers = np.array(found, np.float64)
    except (orjson.JSONDecodeError, OverflowError):
        return None
    if len(numbers) != count:
        return None
    if whole is not None:
        integers = np.flatnonzero(whole)
        if not {int}.issuperset({type(found[i]) for i in integers.tolist()}):
            return None
        if (np.abs(numbers[integers]) >= EXACT).any():
            return None
    return numbers


def _parsed_times(text: NDArray[np.uint8], count: int) -> NDArray[np.int64] | None:
    if not count:
        return np.zeros(0, np.int64)
    try:
        found = np.array(orjson.loads(b"[" + text[:-1].tobytes() + b"]"))
    except orjson.JSONDecodeError:
        return None
    return found if found.dtype == np.int64 and len(found) == count else None
