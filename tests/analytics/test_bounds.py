"""Failures that happened already, each at its time, and bounds where states are unknown."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.plant import assets
from tests.analytics.plants import network_of, plants
from tests.analytics.reference import cascade
from twinfall.analytics import Network, Standing
from twinfall.analytics.bounds import Doubt, possible
from twinfall.analytics.course import Course

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
HORIZONS = st.sampled_from([float("inf"), 0.0, 15.0, 40.0])
TIMES = st.sampled_from([0.0, 0.0, 5.0, 10.0, 25.0])
NOW = st.sampled_from([25.0, 30.0, 60.0, 1000.0])


def _course(network: Network, failed: dict[int, float], now: float) -> Course:
    at = np.array(list(failed.values()), np.float64)
    return Course(network, np.array(list(failed), np.int32), at, now)


def _down(plant, failed: dict[int, float], horizon: float) -> dict[int, float]:
    """All that is down by the horizon, and since when; before any failure: since ever."""
    moment = cascade(plant, failed, horizon)
    return dict.fromkeys(moment.baseline, -1.0) | moment.down


@FEW
@given(plants(), st.data(), HORIZONS)
def test_failures_at_several_times_take_their_course_as_in_the_reference(
    plant, data, horizon
) -> None:
    failed = data.draw(st.dictionaries(st.integers(0, plant.n - 1), TIMES, max_size=4))
    expected = cascade(plant, failed, horizon)

    course = _course(network_of(plant), failed, 0.0)
    found = course.network.course(course.failed, course.at, horizon)

    assert dict(zip(found.asset.tolist(), found.time.tolist(), strict=True)) == {
        asset: time for asset, time in expected.down.items() if asset not in failed
    }


@FEW
@given(plants(), st.data(), NOW)
def test_what_is_down_now_is_what_the_past_has_taken_down_so_far(plant, data, now) -> None:
    failed = data.draw(st.dictionaries(st.integers(0, plant.n - 1), TIMES, max_size=3))

    course = _course(network_of(plant), failed, now)

    assert set(np.flatnonzero(course.down).tolist()) == {
        *_down(plant, failed, now),
        *failed,
    }
    assert course.until > now
    later = [time for time in _down(plant, failed, float("inf")).values() if time > now]
    assert course.until == min(later, default=float("inf"))


@FEW
@given(plants(), st.data(), NOW, HORIZONS)
def test_an_impact_is_what_would_not_be_down_without_it(plant, data, now, horizon) -> None:
    assets = st.integers(0, plant.n - 1)
    before = data.draw(st.dictionaries(assets, TIMES, max_size=3))
    failed = data.draw(st.sets(assets, min_size=1, max_size=2)) - set(before)
    with_it = _down(plant, before | dict.fromkeys(failed, now), now + horizon)
    without = _down(plant, before, now + horizon)

    course = _course(network_of(plant), before, now)
    impact = course.after(np.array(sorted(failed), np.int32), horizon)

    assert dict(zip(impact.asset.tolist(), impact.time.tolist(), strict=True)) == {
        asset: time - now
        for asset, time in with_it.items()
        if asset not in without and asset not in failed and asset not in before
    }
    waves = set(impact.wave.tolist())
    assert waves == set(range(1, len(waves) + 1))


@FEW
@given(plants(), st.data())
def test_a_switch_that_moved_conducts_as_if_it_always_had_stood_so(plant, data) -> None:
    opened = data.draw(st.sets(st.integers(0, plant.n - 1), max_size=3))
    failed = data.draw(st.sets(st.integers(0, plant.n - 1), min_size=1, max_size=2))
    conducts = [asset not in opened for asset in range(plant.n)]

    moved = network_of(plant).conducting(conducts)
    built = network_of(replace(plant, insulating=opened))

    assert moved.baseline.tolist() == built.baseline.tolist()
    one, other = moved.impact(sorted(failed)), built.impact(sorted(failed))
    assert one.asset.tolist() == other.asset.tolist()
    assert one.time.tolist() == other.time.tolist()


@FEW
@given(plants(), st.data(), NOW, HORIZONS)
def test_whatever_the_unknown_are_the_impact_lies_within_the_bounds(
    plant, data, now, horizon
) -> None:
    assets = st.integers(0, plant.n - 1)
    before = data.draw(st.dictionaries(assets, TIMES, max_size=1))
    failed = data.draw(st.sets(assets, min_size=1, max_size=2)) - set(before)
    unknown = data.draw(st.dictionaries(assets, TIMES, max_size=3))
    network, rows = network_of(plant), np.array(sorted(failed), np.int32)
    best = _course(network, before, now)
    worst = _course(network, dict.fromkeys(unknown, 0.0) | before, now)
    impact = best.after(rows, horizon)

    bound = set(possible(best, worst, impact, horizon).tolist())
    sure = set(Doubt(best, worst, impact, horizon).certain().tolist())

    assert sure <= set(impact.asset.tolist())
    assert set(impact.asset.tolist()) <= bound
    assert not bound & (failed | set(np.flatnonzero(best.down).tolist()))
    for count in range(len(unknown) + 1):
        for down in combinations(sorted(set(unknown) - failed), count):
            case = _course(network, {a: unknown[a] for a in down} | before, now)
            assert sure <= set(case.after(rows, horizon).asset.tolist()) <= bound


@FEW
@given(plants(), st.data(), HORIZONS)
def test_the_bounds_meet_where_nothing_is_unknown(plant, data, horizon) -> None:
    assets = st.integers(0, plant.n - 1)
    before = data.draw(st.dictionaries(assets, TIMES, max_size=2))
    failed = data.draw(st.sets(assets, min_size=1, max_size=2)) - set(before)
    course = _course(network_of(plant), before, 30.0)
    impact = course.after(np.array(sorted(failed), np.int32), horizon)

    bound = possible(course, course, impact, horizon)

    assert Doubt(course, course, impact, horizon).certain().tolist() == impact.asset.tolist()
    assert bound.tolist() == sorted(impact.asset.tolist())


def test_what_lacks_only_the_unknown_is_no_impact_of_something_else() -> None:
    """0 and 1 feed 2 (any), 1 alone feeds 3; 1 is unknown and 0 fails."""
    network = Network.from_arrays(4, [0, 1, 1], [2, 2, 3], group=[0, 0, 1], rule=["any", "all"])
    best, worst = _course(network, {}, 9.0), _course(network, {1: 0.0}, 9.0)

    bound = possible(best, worst, best.after(np.array([0], np.int32)), float("inf"))

    assert bound.tolist() == [2]


def test_what_is_down_for_want_of_the_unknown_alone_is_not_sure_to_be_an_impact() -> None:
    """2 needs 0 and 1; 1 is unknown and 0 fails."""
    network = Network.from_arrays(3, [0, 1], [2, 2], group=[0, 0], rule=["all"])
    best, worst = _course(network, {}, 9.0), _course(network, {1: 0.0}, 9.0)
    impact = best.after(np.array([0], np.int32))

    doubt = Doubt(best, worst, impact, float("inf"))

    assert doubt.certain().tolist() == []
    assert doubt.possible().tolist() == [2]


def test_what_may_degrade_with_the_unknown_is_counted_at_worst_alone() -> None:
    """A degrades when B and C are lost, D when B is; C is unknown."""
    contents = {
        "needs": {"dependent": "source", "rule": "any", "effect": "degrade", "level": 0.5},
    }
    rows = [("A", "needs", "B"), ("A", "needs", "C"), ("D", "needs", "B")]
    plant = assets({"Unit": {"contents": contents}}, {id_: {} for id_ in "ABCD"}, rows)

    bounds = plant.under(Standing(version=1, unknown=("C",)), 10**9).impact(["B"]).bounds

    assert (bounds.optimistic.degraded, bounds.pessimistic.degraded) == (1, 2)


def test_what_the_unknown_may_have_degraded_already_is_not_sure_to_be_an_impact() -> None:
    """A degrades when B or C is lost; C is unknown."""
    contents = {"needs": {"dependent": "source", "effect": "degrade", "level": 0.5}}
    rows = [("A", "needs", "B"), ("A", "needs", "C")]
    plant = assets({"Unit": {"contents": contents}}, {id_: {} for id_ in "ABC"}, rows)

    bounds = plant.under(Standing(version=1, unknown=("C",)), 10**9).impact(["B"]).bounds

    assert (bounds.optimistic.degraded, bounds.pessimistic.degraded) == (0, 1)
