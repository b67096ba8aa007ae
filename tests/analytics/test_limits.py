"""Limits: hysteresis, hold time, staleness, in any batches, as one reading after the other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics.machine import Level, Sensor
from twinfall.analytics.limits import NEVER, Limits
from twinfall.analytics.live import LiveState

SENSORS = 3
bounds = st.tuples(st.integers(-3, 1), st.integers(2, 6))


@st.composite
def limited(draw: st.DrawFn) -> tuple[Limits, list[Sensor]]:
    """A few assets with one limited reading each, and the same the plain way."""
    levels = [[draw(bounds) for _ in range(SENSORS)] for _ in range(2)]
    open_low = draw(st.booleans())
    by = draw(st.sampled_from([0.0, 0.5]))
    hold = draw(st.sampled_from([0, 2, 5]))
    stale = draw(st.sampled_from([None, 1, 7]))
    low = np.array([[float(b[0]) for b in row] for row in levels])
    high = np.array([[float(b[1]) for b in row] for row in levels])
    if open_low:
        low[:] = -np.inf
    limits = Limits(
        ids=tuple(f"a{i}" for i in range(SENSORS)),
        asset=np.arange(SENSORS, dtype=np.int32),
        name=("flow",) * SENSORS,
        low=low,
        high=high,
        hysteresis=np.full(SENSORS, by),
        hold=np.full(SENSORS, hold, np.int64),
        given=np.full(SENSORS, np.nan),
        spoken=np.ones(SENSORS, np.bool_),
        stale=np.full(SENSORS, NEVER if stale is None else stale, np.int64),
        switch=np.full(SENSORS, -1, np.int32),
    )
    plain = []
    for i in range(SENSORS):
        one, two = (Level(float(low[n, i]), float(high[n, i]), by, hold) for n in (0, 1))
        plain.append(Sensor((one, two), stale))
    return limits, plain


values = st.one_of(st.integers(-5, 8).map(float), st.sampled_from([1.75, 5.75, float("nan")]))
readings = st.lists(st.tuples(st.integers(0, SENSORS - 1), st.integers(1, 20), values), max_size=40)
steady = st.lists(st.tuples(st.integers(0, SENSORS - 1), st.integers(0, 2), values), max_size=60)


def live_over(limits: Limits) -> LiveState:
    live = LiveState(lambda series: (f"a{series}", "flow"))
    live.follow(limits, now=0)
    return live


def observe(live: LiveState, rows: list[tuple[int, int, float]], *, replaces: bool) -> None:
    series, times, numbers = zip(*rows, strict=True)
    live.observe(
        np.array(series, np.int32),
        np.array(times, np.int64),
        np.array(numbers, np.float64),
        now=0,
        replaces=replaces,
    )


@settings(deadline=None, max_examples=300)
@given(
    limited(),
    st.one_of(readings, steady.map(lambda rows: _accumulated(rows))),
    st.lists(st.integers(0, 60)),
    st.booleans(),
)
def test_any_split_of_readings_into_batches_gives_what_one_after_the_other_gives(
    made: tuple[Limits, list[Sensor]],
    rows: list[tuple[int, int, float]],
    cuts: list[int],
    replaces: bool,
) -> None:
    limits, plain = made
    live = live_over(limits)
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for begin, end in itertools.pairwise(edges):
        observe(live, rows[begin:end], replaces=replaces)
        for series, time, value in rows[begin:end]:
            plain[series].read(time, value, replaces=replaces)
    for now in (0, 3, 21, 130):
        live.tick(now)
        assert [live.state(f"a{i}") for i in range(SENSORS)] == [s.state(now) for s in plain]


@settings(deadline=None, max_examples=150)
@given(limited(), steady, st.lists(st.integers(0, 60), max_size=8))
def test_looking_in_between_changes_nothing_later(
    made: tuple[Limits, list[Sensor]], steps: list[tuple[int, int, float]], looks: list[int]
) -> None:
    limits, _ = made
    rows = _accumulated(steps)
    looked, left_alone = live_over(limits), live_over(limits)
    for row in rows:
        observe(left_alone, [row], replaces=False)
        observe(looked, [row], replaces=False)
        for look in looks:
            looked.tick(min(look, row[1]))
    for live in (looked, left_alone):
        live.tick(200)
    states = [[live.state(f"a{i}") for i in range(SENSORS)] for live in (looked, left_alone)]
    assert states[0] == states[1]


def _accumulated(steps: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Steps in time as times that never go back."""
    rows, time = [], 1
    for series, step, value in steps:
        time += step
        rows.append((series, time, value))
    return rows


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ([96], "degraded"),
        ([96, 94], "degraded"),  # inside, but not by the hysteresis
        ([96, 93], "ok"),
        ([94], "ok"),  # never was outside
        ([121], "failed"),
        ([121, 119], "failed"),
        ([121, 118], "degraded"),
        ([float("inf")], "failed"),
    ],
)
def test_a_limit_is_left_only_by_its_hysteresis(path: list[float], expected: str) -> None:
    live = live_over(_heat(hold=0))
    for time, value in enumerate(path, start=1):
        observe(live, [(0, time, value)], replaces=False)
    assert live.state("a0") == expected


def test_a_short_excursion_is_none_and_a_lasting_one_needs_no_second_reading() -> None:
    live = live_over(_heat(hold=10))
    observe(live, [(0, 100, 130.0)], replaces=False)
    live.tick(109)
    assert live.state("a0") == "ok"
    live.tick(110)
    assert live.state("a0") == "failed"
    reason = live.reason("a0")
    assert reason is not None
    assert (reason.reading, reason.value, reason.limit, reason.since) == ("flow", 130, 120, 100)
    observe(live, [(0, 111, 20.0), (0, 112, 130.0), (0, 121, 20.0)], replaces=False)
    live.tick(200)
    assert live.state("a0") == "ok"


def test_an_excursion_that_lasted_until_a_reading_just_inside_counts() -> None:
    live = live_over(_heat(hold=10))
    observe(live, [(0, 100, 130.0), (0, 115, 119.0)], replaces=False)
    assert live.state("a0") == "failed"


def test_late_readings_change_nothing() -> None:
    live = live_over(_heat(hold=0))
    observe(live, [(0, 100, 20.0)], replaces=False)
    observe(live, [(0, 99, 130.0), (0, 100, 130.0)], replaces=False)
    assert live.state("a0") == "ok"
    observe(live, [(0, 100, 130.0)], replaces=True)
    assert live.state("a0") == "failed"


def test_an_excursion_is_not_shortened_by_that_of_a_neighbour_in_the_same_batch() -> None:
    live = live_over(_heat(hold=10, count=2))
    observe(live, [(0, 100, 130.0), (1, 100, 130.0)], replaces=False)
    later = [(0, 105, 20.0), (0, 108, 130.0), (1, 111, 130.0)]
    observe(live, later, replaces=False)
    assert [live.state("a0"), live.state("a1")] == ["ok", "failed"]
    live.tick(118)
    assert live.state("a0") == "failed"


def _heat(hold: int, count: int = 1) -> Limits:
    return Limits(
        ids=tuple(f"a{i}" for i in range(count)),
        asset=np.arange(count, dtype=np.int32),
        name=("flow",) * count,
        low=np.full((2, count), -np.inf),
        high=np.array([[95.0] * count, [120.0] * count]),
        hysteresis=np.full(count, 2.0),
        hold=np.full(count, hold, np.int64),
        given=np.full(count, np.nan),
        spoken=np.ones(count, np.bool_),
        stale=np.full(count, NEVER, np.int64),
        switch=np.full(count, -1, np.int32),
    )
