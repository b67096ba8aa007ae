"""Plain lines of line protocol as the columns of a frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.decoding.columns import NAME_BYTES, Remembered, name_fault, twin_fault
from twinfall.ingestion.decoding.line_syntax import BadLine, read_head
from twinfall.ingestion.decoding.lines_at_once import Plain
from twinfall.ingestion.decoding.naming import Naming, NoSuchTag
from twinfall.ingestion.decoding.times import NS_LIMIT
from twinfall.ingestion.frame import NO_TIME, Frame


@dataclass(frozen=True, slots=True)
class Layout:
    """What the skeleton of a line means: its series as the bytes of int32, -1 where unknown."""

    series: bytes
    twin: str
    names: list[str]


@dataclass(frozen=True, slots=True)
class _Part:
    series: NDArray[np.int32]
    values: NDArray[np.float64] | list[Any]
    times: NDArray[np.int64]
    rows: NDArray[np.int64]
    unknown: dict[int, tuple[str, str]]


def named(
    naming: Naming, measurement: str, tags: Mapping[str, str], fields: list[str]
) -> tuple[str, list[str]]:
    """Twin and names of a line's readings. Raises BadLine."""
    try:
        twin = naming.twin(measurement, tags)
        names = naming.names(measurement, tags, fields)
    except NoSuchTag as error:
        raise BadLine(str(error)) from None
    for fault in (twin_fault(twin), *map(name_fault, names)):
        if fault:
            raise BadLine(fault)
    return twin, names


class PlainColumns:
    """Collects plain lines; what a skeleton means is found once and remembered."""

    def __init__(
        self, catalogue: Catalogue, naming: Naming, layouts: Remembered, unit: int
    ) -> None:
        self._known = catalogue.known
        self._naming, self._layouts, self._unit = naming, layouts, unit
        self._unknown: dict[bytes, Layout | None] = {}
        self._parts: list[_Part] = []

    def readable(self, lines: Plain) -> NDArray[np.bool_]:
        """Which of the lines name a twin and readings, and have a time that can be."""
        layouts = self._layouts
        missing = {s for s in lines.skeletons if s not in layouts}
        bad = set()
        for skeleton in missing:
            if skeleton not in self._unknown:
                self._learn(skeleton)
            if skeleton not in layouts and self._unknown[skeleton] is None:
                bad.add(skeleton)
        good = np.ones(len(lines.skeletons), np.bool_)
        if bad:
            good = np.array([s not in bad for s in lines.skeletons])
        far = (lines.times > (NS_LIMIT - 1) // self._unit) | (
            lines.times < -(NS_LIMIT - 1) // self._unit
        )
        if far.any():
            good[np.flatnonzero(lines.timed)[far]] = False
        return good

    def _learn(self, skeleton: bytes) -> None:
        try:
            measurement, tags, at = read_head(skeleton, 0)
            if skeleton[at : at + 1] != b" ":
                raise BadLine("has no fields")
            fields = skeleton[at + 1 :].decode().rstrip(" ").removesuffix("=").split("=,")
            twin, names = named(self._naming, measurement, tags, fields)
        except (BadLine, UnicodeDecodeError):
            self._unknown[skeleton] = None
            return
        series = [self._known.get((twin, name), -1) for name in names]
        layout = Layout(np.array(series, np.int32).tobytes(), twin, names)
        if min(series) >= 0:
            size = 2 * len(skeleton) + NAME_BYTES * len(names)
            self._layouts.keep(skeleton, layout, size)
            if skeleton not in self._layouts:  # no room: known for this body alone
                self._unknown[skeleton] = layout
        else:
            self._unknown[skeleton] = layout

    def add(self, lines: Plain, rows: NDArray[np.int64]) -> None:
        """Readable lines, and the rows they are."""
        get, unknown = self._layouts.get, self._unknown
        layouts = [get(s) or unknown[s] for s in lines.skeletons]
        series = np.frombuffer(b"".join([x.series for x in layouts if x]), np.int32)
        times = np.full(len(rows), NO_TIME, np.int64)
        times[lines.timed] = lines.times * self._unit
        values: NDArray[np.float64] | list[Any] = lines.numbers
        if lines.whole is not None:
            values = lines.numbers.tolist()
            for i in np.flatnonzero(lines.whole).tolist():
                values[i] = int(values[i])
        part = _Part(
            series,
            values,
            np.repeat(times, lines.counts),
            np.repeat(rows, lines.counts),
            _unknown_keys(series, lines.counts, layouts),
        )
        self._parts.append(part)

    def joined(self, single: Frame) -> Frame:
        """The frame of all parts and of the lines read one by one, in the order of the rows."""
        parts = list(self._parts)
        if len(single.values):
            assert isinstance(single.values, list)
            of_single = _Part(
                single.series,
                single.values,
                single.times,
                single.rows.astype(np.int64),
                dict(single.unknown),
            )
            parts.append(of_single)
        if parts:
            whole = _in_order(parts) if len(parts) > 1 or len(single.values) else parts[0]
            single.series, single.values, single.times = whole.series, whole.values, whole.times
            single.rows, single.unknown = whole.rows.astype(np.int32), whole.unknown
        return single


def _unknown_keys(
    series: NDArray[np.int32], counts: NDArray[np.int64], layouts: list[Layout | None]
) -> dict[int, tuple[str, str]]:
    at = np.flatnonzero(series < 0)
    if not len(at):
        return {}
    ends = np.cumsum(counts)
    lines = np.searchsorted(ends, at, "right")
    found = {}
    for i, line in zip(at.tolist(), lines.tolist(), strict=True):
        layout = layouts[line]
        assert layout is not None
        found[i] = (layout.twin, layout.names[i - int(ends[line] - counts[line])])
    return found


def _in_order(parts: list[_Part]) -> _Part:
    """Parts as one, sorted by row; readings of a row stay in their order."""
    rows = np.concatenate([part.rows for part in parts])
    unknown: dict[int, tuple[str, str]] = {}
    at = 0
    for part in parts:
        unknown |= {at + i: key for i, key in part.unknown.items()}
        at += len(part.rows)
    series = np.concatenate([part.series for part in parts])
    times = np.concatenate([part.times for part in parts])
    values: NDArray[np.float64] | list[Any]
    arrays = [part.values for part in parts if isinstance(part.values, np.ndarray)]
    if len(arrays) == len(parts):
        values = np.concatenate(arrays)
    else:
        values = [
            value
            for part in parts
            for value in (part.values if isinstance(part.values, list) else part.values.tolist())
        ]
    if (np.diff(rows) >= 0).all():
        return _Part(series, values, times, rows, unknown)
    order = np.argsort(rows, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    in_order = values[order] if isinstance(values, np.ndarray) else [values[i] for i in order]
    found = {int(place[i]): key for i, key in unknown.items()}
    return _Part(series[order], in_order, times[order], rows[order], found)
