"""What one root field reads of telemetry: latest values at once, histories all together at the end.

A history asked for at many twins is one call: each place in the answer is an empty list until
`fill` has read the series of all places that ask for the same period.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import time_ns
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from twinfall.api.graphql.durations import seconds
from twinfall.api.graphql.watches import NANO, nanoseconds
from twinfall.graph.canonical import canonical_instant
from twinfall.graph.plan import Condition, Ids, Not
from twinfall.ingestion.history import Fn, Points, Window
from twinfall.ontology.errors import BadQuery, Refused

if TYPE_CHECKING:
    from twinfall.ingestion.latest import Reading
    from twinfall.ingestion.telemetry import Telemetry

DEFAULT_POINTS = 500
MAX_POINTS = 10_000
"""Of one history."""
MAX_ANSWER_POINTS = 100_000
"""Of all histories below one root field: some megabytes of an answer."""
MAX_READ = 5_000_000
"""Readings that one call to the history may look at."""
MAX_MATCHING = 50_000
"""Ids that a filter on readings may stand for."""
MAX_AGGREGATED = 10_000
"""Twins whose readings make one line."""
_FOR_EVER = 2**62
"""In ns, either way from 1970: 146 years."""
Source = Callable[[], "Telemetry"]
PointShape = Callable[[int, Any], Any]
"""Makes the answer of one point from time and value."""


@dataclass(frozen=True, slots=True)
class Period:
    """What a history field asks; equal ones are read together. `end` None: up to the newest."""

    start: int
    end: int | None
    every: int | None
    points: int
    fn: Fn

    @classmethod
    def of(cls, arguments: Mapping[str, Any], fn: Fn | None = None) -> Period:
        """From the arguments of a field. Raises BadQuery, Refused TOO_COSTLY."""
        to, every = arguments.get("to"), arguments.get("every")
        width = None if every is None else round(seconds(every, "every") * NANO)
        chosen: Fn = arguments.get("fn") or fn or ("lttb" if width is None else "avg")
        if width is not None and chosen in ("raw", "lttb"):
            raise BadQuery(f"fn: {chosen} has no `every`", cure="leave out one of them")
        if width is not None and width < 1:
            raise BadQuery("`every` must be longer than nothing", path="every")
        found = cls(
            _within(nanoseconds(arguments["from"])),
            None if to is None else _within(nanoseconds(to)),
            width,
            _points(arguments.get("points"), width),
            chosen,
        )
        if found.end is not None and found.start >= found.end:
            raise BadQuery("`from` must be before `to`", path="to")
        return found

    def window(self, series: Sequence[int], newest: int) -> Window:
        """The question to the history. Raises Refused TOO_COSTLY for too many buckets."""
        end = newest if self.end is None else self.end
        end = max(end, self.start + 1)
        if self.every is None:
            points = None if self.fn == "raw" else self.points
            return Window(series, self.start, end, None, points, self.fn, self.points)
        buckets = -(-(end - self.start) // self.every) + 1
        if buckets > self.points:
            raise Refused(
                f"`every` divides the period into {buckets} buckets; {self.points} are allowed",
                code="TOO_COSTLY",
                cure=f"a longer `every`, a shorter period, or `points` up to {MAX_POINTS}",
            )
        return Window(series, self.start, end, self.every, None, self.fn, self.points)


def buckets(start: str, end: str, every: str) -> int:
    """How many buckets of a width are in a period; without an end up to now. Raises ValueError,
    BadQuery.
    """
    last = nanoseconds(canonical_instant(end)) if end else time_ns()
    width = round(seconds(every, "every") * NANO)
    if width < 1:
        raise ValueError(every)
    return max(1, -((nanoseconds(canonical_instant(start)) - last) // width))


def _within(time: int) -> int:
    return max(-_FOR_EVER, min(time, _FOR_EVER))


def _points(given: int | None, every: int | None) -> int:
    if given is None:
        return DEFAULT_POINTS if every is None else MAX_POINTS
    if not 1 <= given <= MAX_POINTS:
        raise BadQuery(f"points is {given}, a history has 1 to {MAX_POINTS}", path="points")
    return given


@dataclass(slots=True)
class _Place:
    """Where points go, and those of which series."""

    series: tuple[int, ...]
    rows: list[Any]
    shape: PointShape


@dataclass(slots=True)
class Readings:
    """The telemetry as one root field sees it; without a source nothing ever sent a reading."""

    source: Source | None
    now: Callable[[], int]
    found: Callable[[], Sequence[str]] = tuple
    """The ids of all twins that the root field's query found."""
    _waiting: dict[Period, list[_Place]] = field(default_factory=dict)
    _sums: list[tuple[Period, _Place]] = field(default_factory=list)
    _left: int = MAX_ANSWER_POINTS

    def of(self, twin: str, names: Sequence[str] | None = None) -> Mapping[str, Reading]:
        """Name -> latest reading."""
        if self.source is None:
            return {}
        return self.source().latest_of([twin], names)[twin]

    def series(self, twin: str, name: str) -> tuple[int, ...]:
        """The series, if there is one."""
        if self.source is None:
            return ()
        found = self.source().catalogue.series_of(twin).get(name)
        return () if found is None else (found,)

    def history(self, twin: str, name: str, period: Period, shape: PointShape) -> list[Any]:
        """The place of this history in the answer, empty until `fill`."""
        place = _Place(self.series(twin, name), [], shape)
        self._waiting.setdefault(period, []).append(place)
        return place.rows

    def sum(self, name: str, period: Period, shape: PointShape) -> list[Any]:
        """The place of a line over all twins that were found, empty until `fill`."""
        series = tuple(one for twin in self.found() for one in self.series(twin, name))
        place = _Place(series, [], shape)
        self._sums.append((period, place))
        return place.rows

    def fill(self) -> None:
        """Read what all places wait for: one call a period, one a sum."""
        for period, places in self._waiting.items():
            series = sorted({one for place in places for one in place.series})
            if not series:
                continue
            read = self._telemetry().read(self._window(period, series))
            by_series = {points.series: points for points in read}
            for place in places:
                for one in place.series:
                    self._show(by_series[one], place)
        for period, place in self._sums:
            if place.series:
                window = self._window(period, sorted(place.series))
                self._show(self._telemetry().aggregate(window), place)

    def _window(self, period: Period, series: Sequence[int]) -> Window:
        telemetry = self._telemetry()
        times = telemetry.latest.times
        newest = max((int(times[one]) for one in series if one < len(times)), default=0)
        window = period.window(series, max(newest, self.now()) + 1)
        readings = telemetry.count(window)
        if readings > MAX_READ:
            raise Refused(
                f"the period holds {readings} readings of {len(series)} series; at most {MAX_READ}"
                " are read for one answer",
                code="TOO_COSTLY",
                cure="a shorter period, or fewer twins",
            )
        return window

    def _telemetry(self) -> Telemetry:
        assert self.source is not None
        return self.source()

    def _show(self, points: Points, place: _Place) -> None:
        self._left -= len(points.times)
        if self._left < 0:
            raise Refused(
                f"the histories have more than {MAX_ANSWER_POINTS} points together",
                code="TOO_COSTLY",
                cure="fewer `points`, or a smaller page",
            )
        texts = points.texts or [None] * len(points.times)
        values = points.values.tolist()
        place.rows.extend(
            place.shape(time, value if text is None else orjson.loads(text))
            for time, value, text in zip(points.times.tolist(), values, texts, strict=True)
        )

    # -- filters ----------------------------------------------------------------------------

    def passing(self, name: str, word: str, value: Any) -> Condition:
        """The twins whose latest reading of this name passes; without one only `null` does."""
        if self.source is None:
            return Not(Ids(())) if word == "null" and value else Ids(())
        found = self._passing(name, word, value)
        if len(found) > MAX_MATCHING:
            raise Refused(
                f"{len(found)} twins have such a reading of {name}; a filter may find"
                f" {MAX_MATCHING}",
                code="TOO_COSTLY",
                cure="ask for a narrower range of values",
            )
        ids = Ids(tuple(found))
        return Not(ids) if word == "null" and value else ids

    def _passing(self, name: str, word: str, value: Any) -> list[str]:
        latest = self._telemetry().latest
        if word == "null":
            return list(latest.with_reading(name))
        if word in _BY_COLUMN and type(value) in (float, int, bool) and abs(value) < 2**53:
            twins, numbers = latest.column(name)
            if not np.isnan(numbers).any():  # what is kept as JSON is compared one by one
                at = np.flatnonzero(_BY_COLUMN[word](numbers, value))
                return [twins[i] for i in at.tolist()]
        test = _TESTS[word]
        kinds = _kinds(value)
        return [
            twin
            for twin, one in latest.with_reading(name).items()
            if isinstance(one, kinds) and test(one, value)
        ]


def _kinds(value: Any) -> tuple[type, ...]:
    """The types of values that this one can be compared with."""
    one = next(iter(value), "") if isinstance(value, (list, tuple)) else value
    return (str,) if isinstance(one, str) else (int, float)


_BY_COLUMN: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": np.equal,
    "lt": np.less,
    "lte": np.less_equal,
    "gt": np.greater,
    "gte": np.greater_equal,
}
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda one, value: bool(one == value),
    "in": lambda one, value: one in value,
    "lt": lambda one, value: bool(one < value),
    "lte": lambda one, value: bool(one <= value),
    "gt": lambda one, value: bool(one > value),
    "gte": lambda one, value: bool(one >= value),
    "contains": lambda one, value: value in one,
    "startsWith": lambda one, value: bool(one.startswith(value)),
    "endsWith": lambda one, value: bool(one.endswith(value)),
}
