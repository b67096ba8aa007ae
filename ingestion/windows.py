"""From readings as they came to points as they are asked for: duplicates out, buckets, shapes.

Pure functions over columns, so that history, the journal's tail and any mixture of both give the
same answer. LTTB is Largest-Triangle-Three-Buckets (S. Steinarsson, Downsampling Time Series for
Visual Representation, University of Iceland, 2013, section 4.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.ingestion.frame import NO_SEQ, Block
from twinfall.ingestion.history import Points, Window
from twinfall.ontology.errors import BadInput, Refused

MAX_BUCKETS = 1_000_000
MAX_POINTS = 100_000
"""Of one series in one answer."""
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def check(window: Window) -> None:
    """Raises BadInput for a window that cannot be answered, Refused TOO_COSTLY for a huge one."""
    if window.start >= window.end:
        raise BadInput("`from` must be before `to`", code="BAD_QUERY")
    if window.every is not None and window.every <= 0:
        raise BadInput("`every` must be longer than nothing", code="BAD_QUERY")
    if window.points is not None and window.points < 1:
        raise BadInput("`points` must be at least 1", code="BAD_QUERY")
    if window.points is not None and window.points > MAX_POINTS:
        raise Refused(f"more than {MAX_POINTS} points", code="TOO_COSTLY")
    if window.every is not None and (window.end - window.start) // window.every > MAX_BUCKETS:
        raise Refused(
            f"more than {MAX_BUCKETS} buckets", code="TOO_COSTLY", cure="a longer `every`"
        )


@dataclass(frozen=True, slots=True)
class _Columns:
    """Readings without duplicates, in order of (series, time, seq)."""

    series: NDArray[np.int32]
    times: Ints
    values: Floats
    texts: dict[int, str]


def distinct(blocks: Sequence[Block]) -> _Columns:
    """The readings of blocks in order of arrival, one for each (series, time, seq): the first, or
    the last of those whose source lets the last win.
    """
    if not blocks:
        none = np.empty(0, np.int64)
        return _Columns(none.astype(np.int32), none, none.astype(np.float64), {})
    series = np.concatenate([b.series for b in blocks])
    times = np.concatenate([b.times for b in blocks])
    values = np.concatenate([b.numbers for b in blocks])
    last = np.concatenate([np.full(len(b), b.last_wins) for b in blocks])
    seqs = np.full(len(series), NO_SEQ, np.int64)
    texts: dict[int, str] = {}
    at = 0
    for block in blocks:
        for i, seq in block.seqs.items():
            seqs[at + i] = seq
        texts |= {at + i: text for i, text in block.texts.items()}
        at += len(block)
    order = np.lexsort((np.arange(at), seqs, times, series))
    keys = np.stack([series[order].astype(np.int64), times[order], seqs[order]])
    starts = np.flatnonzero(np.r_[True, (np.diff(keys, axis=1) != 0).any(axis=0)])
    if len(starts) == at:
        kept = order
    else:
        # Of each group the last whose source says so, else the first.
        rank = np.where(last[order], np.arange(at), -1)
        winner = np.maximum.reduceat(rank, starts)
        kept = order[np.where(winner >= 0, winner, starts)]
    place = {int(old): new for new, old in enumerate(kept)} if texts else {}
    kept_texts = {place[i]: text for i, text in texts.items() if i in place}
    return _Columns(series[kept], times[kept], values[kept], kept_texts)


def summed(blocks: Sequence[Block], window: Window) -> list[Points]:
    """The points of every series asked for, in the order asked."""
    check(window)
    found = distinct(blocks)
    answer = []
    for series in window.series:
        start, end = np.searchsorted(found.series, [series, series + 1])
        part = slice(int(start), int(end))
        inside = (found.times[part] >= window.start) & (found.times[part] < window.end)
        at = np.flatnonzero(inside) + int(start)
        texts = [found.texts.get(int(i)) for i in at] if found.texts else None
        if texts is not None and not any(text is not None for text in texts):
            texts = None
        answer.append(_points(series, found.times[at], found.values[at], texts, window))
    return answer


def together(blocks: Sequence[Block], window: Window) -> Points:
    """One line over all series: each bucket's `fn` over every reading in it."""
    check(window)
    found = distinct(blocks)
    inside = (found.times >= window.start) & (found.times < window.end)
    inside &= np.isin(found.series, np.asarray(window.series, np.int32))
    inside &= ~np.isnan(found.values)
    at = np.flatnonzero(inside)
    at = at[np.argsort(found.times[at], kind="stable")]
    fn = "avg" if window.fn in ("raw", "lttb") else window.fn
    times, values = _buckets(found.times[at], found.values[at], window, fn)
    return Points(-1, times[-window.limit :], values[-window.limit :])


def _points(
    series: int, times: Ints, values: Floats, texts: list[str | None] | None, window: Window
) -> Points:
    limit = min(window.limit, MAX_POINTS)
    if texts is not None:  # what is no number has no average: it is listed, or counted
        if window.fn == "count" and _every(window):
            times, values = _buckets(times, values, window, "count")
            return Points(series, times[-limit:], values[-limit:])
        if window.points is not None:
            limit = min(limit, window.points)
        return Points(series, times[-limit:], values[-limit:], texts[-limit:])
    if window.fn == "lttb":
        at = lttb(times, values, window.points or limit)
        times, values = times[at], values[at]
    elif window.fn != "raw" or _every(window):
        fn = "avg" if window.fn == "raw" else window.fn
        times, values = _buckets(times, values, window, fn)
    return Points(series, times[-limit:], values[-limit:])


def _every(window: Window) -> bool:
    return window.every is not None or window.points is not None


def _grid(window: Window) -> tuple[int, int]:
    """Where buckets start and how wide they are, in ns: at multiples of `every`; else from the
    window's start on, as many as there may be points.
    """
    if window.every is not None:
        return 0, window.every
    return window.start, max(1, -(-(window.end - window.start) // (window.points or 1)))


def _buckets(times: Ints, values: Floats, window: Window, fn: str) -> tuple[Ints, Floats]:
    """Buckets that hold something; each is named by its start."""
    if not len(times):
        return times, values
    origin, width = _grid(window)
    bucket = origin + np.floor_divide(times - origin, width) * width
    starts = np.flatnonzero(np.r_[True, np.diff(bucket) != 0])
    counts = np.diff(np.r_[starts, len(times)])
    found: Any
    match fn:
        case "min":
            found = np.minimum.reduceat(values, starts)
        case "max":
            found = np.maximum.reduceat(values, starts)
        case "sum":
            found = np.add.reduceat(values, starts)
        case "count":
            found = counts.astype(np.float64)
        case "first":
            found = values[starts]
        case "last":
            found = values[starts + counts - 1]
        case _:
            found = np.add.reduceat(values, starts) / counts
    return bucket[starts], found


def lttb(times: Ints, values: Floats, points: int) -> Ints:
    """Positions of at most `points` readings that keep the line's shape; first and last stay."""
    count = len(times)
    if points >= count or points < 1:
        return np.arange(count)
    if points <= 2:
        return np.array([0, count - 1])[-points:]
    edges = np.linspace(1, count - 1, points - 1).astype(np.int64)
    x = (times - times[0]).astype(np.float64)
    chosen = np.empty(points, np.int64)
    chosen[0], chosen[-1] = 0, count - 1
    for i in range(points - 2):
        start, end = int(edges[i]), max(int(edges[i]) + 1, int(edges[i + 1]))
        after = int(edges[i + 2]) if i + 2 < len(edges) else count
        later = slice(end, max(end + 1, after)) if end < count else slice(count - 1, count)
        ax, ay = x[chosen[i]], values[chosen[i]]
        cx, cy = x[later].mean(), values[later].mean()
        area = np.abs((ax - cx) * (values[start:end] - ay) - (ax - x[start:end]) * (cy - ay))
        chosen[i + 1] = start + int(np.nanargmax(area)) if not np.isnan(area).all() else start
    return chosen
