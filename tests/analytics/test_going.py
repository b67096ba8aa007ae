"""Questions put to a plant that goes on: what a failure takes along, given all that was before."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.lasting_reference import Lasting
from tests.analytics.plants import network_of, plants, rings
from tests.analytics.test_evolution import act
from twinfall.analytics.course import Course
from twinfall.analytics.evolution import Evolution
from twinfall.analytics.going import GoingOn
from twinfall.analytics.network import FOREVER

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
ENOUGH = 1e6
"""Seconds in which all buffers are empty."""


def _lived(plant: Any, recharge: float, data: st.DataObject) -> tuple[Lasting, Evolution]:
    """The plant after some failures, repairs and switching; the reference, and ours."""
    plain, evolution = Lasting(plant, recharge), Evolution(network_of(plant, recharge))
    for _ in range(data.draw(st.integers(0, 8))):
        kinds = ["fail", "repair", "stop", "switch", "advance"]
        act(data.draw(st.sampled_from(kinds)), plain, evolution, data)
    return plain, evolution


@FEW
@given(
    st.one_of(plants(), rings()), st.sampled_from([0.0, 20.0, 40.0]),
    st.sampled_from([5.0, 10.0, 12.5, FOREVER]), st.data(),
)  # fmt: skip
def test_a_failure_takes_along_what_falls_with_it_and_would_not_without(
    plant, recharge, horizon, data
) -> None:
    plain, evolution = _lived(plant, recharge, data)
    failed = data.draw(st.sets(st.integers(0, plant.n - 1), min_size=1, max_size=3))
    now, until = plain.now, plain.now + min(horizon, ENOUGH)
    nobody = np.zeros(0, np.int32)
    alone = Course(evolution.network, nobody, np.zeros(0), 1e9)
    going = GoingOn(alone, evolution.network, evolution.moment())

    found = going.after(np.array(sorted(failed), np.int32), horizon)
    anyway, gone = going.anyway(horizon), [going.gone_at(i) for i in range(plant.n)]

    with_it, without = (copy.deepcopy(plain) for _ in range(2))
    with_it.fail(failed, now)
    for one in (with_it, without):
        one.advance(until)
    news = {
        a: t - now for a, t in with_it.down.items() if a not in without.down and a not in failed
    }
    assert dict(zip(found.asset.tolist(), found.time.tolist(), strict=True)) == {
        asset: with_it.down[asset] - now for asset in news
    }
    assert set(np.flatnonzero(anyway).tolist()) == set(without.down)
    for asset, time in without.down.items():
        assert gone[asset] == (time - now if time > now else -FOREVER)
    assert evolution.now == now  # and nothing has happened to the plant


@FEW
@given(st.one_of(plants(), rings()), st.sampled_from([5.0, 12.5, FOREVER]), st.data())
def test_with_nothing_but_failures_behind_it_the_answer_is_that_of_a_course(
    plant, horizon, data
) -> None:
    network = network_of(plant)
    times = st.sampled_from([0.0, 5.0, 10.0])
    at = data.draw(st.dictionaries(st.integers(0, plant.n - 1), times, max_size=3))
    asked = np.array(sorted(data.draw(st.sets(st.integers(0, plant.n - 1), max_size=2))), np.int32)
    failed, since = np.array(sorted(at), np.int32), np.array([at[a] for a in sorted(at)])
    evolution = Evolution(network)
    for time in sorted(set(at.values())):
        evolution.fail([a for a, t in at.items() if t == time], time)
    evolution.advance(12.0)

    course = Course(network, failed, since, 12.0)
    going = GoingOn(course, network, evolution.moment())

    assert (going.down == course.down).all()
    assert (going.before == course.before).all()
    found, expected = going.after(asked, horizon), course.after(asked, horizon)
    assert _rows(found) == _rows(expected)
    assert found.wave.tolist() == expected.wave.tolist()
    assert _rows(going.ahead) == _rows(course.ahead)


def _rows(impact: Any) -> list[tuple[int, float]]:
    return list(zip(impact.asset.tolist(), impact.time.tolist(), strict=True))
