"""Every reading against the ontology: each is stored or refused, never both, never neither.

The common case, numbers for series that take any number, is a handful of array operations; the rest
is judged one by one. Declared limits are no matter of this room: an alarming value is a true one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from twinfall.graph.graph import Graph
from twinfall.ingestion.catalogue import Catalogue, Series, Unknown
from twinfall.ingestion.frame import NO_TIME, UNTIMED, Block, Fault, Frame
from twinfall.ingestion.units import converter

MAX_RAW = 65_536
MAX_TEXT = 32_768
"""Bytes of one value that is no number."""
EXACT = 2**53
"""Beyond it a float64 no longer holds every integer."""
EARLIEST = -(10**18) * 2
"""In ns: 1906. Nothing measured before that is replayed into a twin."""
_PLAIN = {float, int}
_BOUNDS = {"integer": (-(2**31), 2**32 - 1), "long": (-(2**63), 2**64 - 1)}


@dataclass
class _Work:
    """The columns of a frame as they are judged; `good` says which readings stay."""

    frame: Frame
    catalogue: Catalogue
    series: NDArray[np.int32]
    times: NDArray[np.int64]
    numbers: NDArray[np.float64]
    marks: NDArray[np.uint8]
    good: NDArray[np.bool_]
    texts: dict[int, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @functools.cached_property
    def counts(self) -> NDArray[np.int64]:
        """Readings by row."""
        return np.bincount(self.frame.rows)

    def refuse(self, i: int, code: str, message: str) -> None:
        """Reading i; kept with its row, or alone where the row has others too."""
        self.good[i] = False
        row = int(self.frame.rows[i])
        key = self.frame.unknown.get(i) or self.catalogue.key(int(self.series[i]))
        alone = self.counts[row] > 1
        raw = self.frame.alone(i, *key) if alone else self.frame.raw(row)
        self.faults.append(Fault(row, code, message, *key, raw[:MAX_RAW]))


def judge(
    frame: Frame, catalogue: Catalogue, graph: Graph, now: int, skew: int
) -> tuple[Block, list[Fault]]:
    """The good readings, and why the others are refused. `now` and `skew` in ns.

    Raises Unavailable where the graph is away and a series was never seen.
    """
    count = len(frame.values)
    work = _Work(
        frame,
        catalogue,
        frame.series.copy() if frame.unknown else frame.series,
        frame.times.copy(),
        np.empty(count),
        np.zeros(count, np.uint8),
        np.ones(count, np.bool_),
        faults=list(frame.faults),
    )
    _resolve(work, catalogue)
    _judge_times(work, now, skew)
    _judge_values(work, catalogue, graph)
    if frame.units:
        _convert(work, catalogue)
    return _block(work, now), work.faults


def _resolve(work: _Work, catalogue: Catalogue) -> None:
    if not work.frame.unknown:
        return
    found = catalogue.learn(work.frame.unknown.values())
    for i, key in work.frame.unknown.items():
        said = found[key]
        if isinstance(said, Unknown):
            work.refuse(i, said.code, said.message)
        else:
            work.series[i] = said


def _rank(series: NDArray[np.int32]) -> NDArray[np.int64]:
    """0, 1, 2, ... for the readings of each series in their order: received at once, two readings
    without a time are two all the same, and the later one is the latest.
    """
    order = np.argsort(series, kind="stable")
    ordered, places = series[order], np.arange(len(series))
    begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    found = np.empty(len(series), np.int64)
    found[order] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return found


def _judge_times(work: _Work, now: int, skew: int) -> None:
    untimed = work.times == NO_TIME
    if untimed.any():
        work.times[untimed] = now + _rank(work.series[untimed])
        work.marks[untimed] |= UNTIMED
    wrong = ((work.times > now + skew) | (work.times < EARLIEST)) & work.good & ~untimed
    if wrong.any():
        for i in np.flatnonzero(wrong):
            ahead = (int(work.times[i]) - now) / 1e9
            if ahead > 0:
                work.refuse(int(i), "FUTURE", f"its time is {ahead:.0f} s in the future")
            else:
                work.refuse(int(i), "BAD_TIME", "its time is before 1906")


def _judge_values(work: _Work, catalogue: Catalogue, graph: Graph) -> None:
    values = work.frame.values
    plain = isinstance(values, np.ndarray) or _PLAIN.issuperset(map(type, values))
    kinds = catalogue.plain_numbers()
    if plain and work.good.all() and bool(kinds[work.series].all()):
        try:
            work.numbers[:] = values
        except OverflowError:
            plain = False
        else:
            for i in np.flatnonzero(~np.isfinite(work.numbers)):
                work.refuse(int(i), "BAD_VALUE", "is not a finite number")
            return
    if isinstance(values, np.ndarray):
        values = values.tolist()
    for i in np.flatnonzero(work.good):
        at = int(i)
        series = catalogue.of(int(work.series[at]))
        said = _value(values[at], series, graph)
        if isinstance(said, str):
            work.refuse(at, "BAD_VALUE", said)
            continue
        work.numbers[at], text = said
        if text is not None:
            work.texts[at] = text


def _value(value: Any, series: Series, graph: Graph) -> tuple[float, str | None] | str:
    """Number and text of a value, or why it cannot be one of the series."""
    kind = series.kind
    if kind == "float":
        return _number(value)
    if kind == "boolean":
        return (float(value), None) if isinstance(value, bool) else "must be true or false"
    if kind in _BOUNDS:
        return _integer(value, *_BOUNDS[kind])
    if value is None:
        return "must not be null"
    if series.schema is not None:
        problems = graph.ontology.check_value(series.schema, value)
        if problems:
            return problems[0].message
    try:
        text = orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError) as error:
        return f"cannot be kept: {error}"
    if len(text) > MAX_TEXT:
        return f"is longer than {MAX_TEXT} bytes"
    return math.nan, text.decode()


def _number(value: Any) -> tuple[float, str | None] | str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "must be a number"
    try:
        number = float(value)
    except OverflowError:
        return "is too large"
    return (number, None) if math.isfinite(number) else "is not a finite number"


def _integer(value: Any, least: int, most: int) -> tuple[float, str | None] | str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return "must be an integer"
    if not least <= value <= most:
        return f"must be from {least} to {most}"
    return float(value), str(value) if abs(value) > EXACT else None


def _convert(work: _Work, catalogue: Catalogue) -> None:
    for i, unit in work.frame.units.items():
        if not work.good[i]:
            continue
        declared = catalogue.of(int(work.series[i])).unit
        if unit == declared:
            continue
        found = converter(unit, declared)
        if found is None or i in work.texts:
            what = f"cannot be converted from {unit!r} to {declared or 'no declared unit'}"
            work.refuse(i, "BAD_UNIT", what)
        else:
            work.numbers[i] = work.numbers[i] * found[0] + found[1]


def _block(work: _Work, now: int) -> Block:
    frame = work.frame
    if work.good.all():
        return Block(
            work.series,
            work.times,
            now,
            work.numbers,
            work.marks,
            work.texts,
            dict(frame.seqs),
            frame.source,
            frame.last_wins,
        )
    kept = np.flatnonzero(work.good)
    place = {int(old): new for new, old in enumerate(kept)} if work.texts or frame.seqs else {}
    return Block(
        work.series[kept],
        work.times[kept],
        now,
        work.numbers[kept],
        work.marks[kept],
        {place[i]: text for i, text in work.texts.items() if i in place},
        {place[i]: seq for i, seq in frame.seqs.items() if i in place},
        frame.source,
        frame.last_wins,
    )


def joined(blocks: Sequence[Block]) -> Block:
    """Several blocks as one, in order; source and policy are the first one's."""
    if len(blocks) == 1:
        return blocks[0]
    texts: dict[int, str] = {}
    seqs: dict[int, int] = {}
    at = 0
    for block in blocks:
        texts |= {at + i: text for i, text in block.texts.items()}
        seqs |= {at + i: seq for i, seq in block.seqs.items()}
        at += len(block)
    return Block(
        np.concatenate([b.series for b in blocks]),
        np.concatenate([b.times for b in blocks]),
        blocks[-1].received,
        np.concatenate([b.numbers for b in blocks]),
        np.concatenate([b.marks for b in blocks]),
        texts,
        seqs,
        blocks[0].source,
        blocks[0].last_wins,
    )
