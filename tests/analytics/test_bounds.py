"""Networks in which assets are down to begin with, and bounds where states are unknown."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.plants import network_of, plants
from tests.analytics.reference import Group, Plant, cascade
from twinfall.analytics import Network
from twinfall.analytics.bounds import possible

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
HORIZONS = st.sampled_from([float("inf"), 0.0, 15.0, 40.0])


def _flags(n: int, assets: set[int]) -> np.ndarray:
    flags = np.zeros(n, np.bool_)
    flags[list(assets)] = True
    return flags


def _without(plant: Plant, down: set[int]) -> Plant:
    """The plant where these need, besides, something that is dead: an asset that feeds itself."""
    dead = plant.n
    never = [Group(dead, {dead: 0.0}, 1, 0.0, sustain=False)]
    never += [Group(asset, {dead: 0.0}, 1, 0.0, sustain=False) for asset in down]
    return replace(plant, n=plant.n + 1, groups=[*plant.groups, *never])


def _down(network: Network, failed: set[int], horizon: float) -> dict[int, float]:
    impact = network.impact(sorted(failed), horizon)
    return {int(a): float(t) for a, t in zip(impact.asset, impact.time, strict=True)}


@FEW
@given(plants(), st.data(), HORIZONS)
def test_what_is_down_to_begin_with_counts_as_if_it_lacked_something(plant, data, horizon) -> None:
    assets = st.integers(0, plant.n - 1)
    down = data.draw(st.sets(assets, max_size=3))
    failed = data.draw(st.sets(assets, min_size=1, max_size=3))
    expected = cascade(_without(plant, down), failed, horizon)

    network = network_of(plant).standing(_flags(plant.n, down))

    assert {*np.flatnonzero(network.baseline).tolist(), plant.n} == expected.baseline
    assert _down(network, failed, horizon) == {
        asset: time for asset, time in expected.down.items() if asset not in failed
    }


@FEW
@given(plants(), st.data())
def test_a_switch_that_moved_conducts_as_if_it_always_had_stood_so(plant, data) -> None:
    opened = data.draw(st.sets(st.integers(0, plant.n - 1), max_size=3))
    failed = data.draw(st.sets(st.integers(0, plant.n - 1), min_size=1, max_size=2))
    conducts = ~_flags(plant.n, opened)

    moved = network_of(plant).standing(_flags(plant.n, set()), conducts)
    built = network_of(replace(plant, insulating=opened))

    assert moved.baseline.tolist() == built.baseline.tolist()
    assert _down(moved, failed, float("inf")) == _down(built, failed, float("inf"))


@FEW
@given(plants(), st.data(), HORIZONS)
def test_whatever_the_unknown_are_the_impact_lies_within_the_bounds(plant, data, horizon) -> None:
    assets = st.integers(0, plant.n - 1)
    failed = data.draw(st.sets(assets, min_size=1, max_size=2))
    unknown = data.draw(st.sets(assets, max_size=3)) - failed
    best = network_of(plant)
    worst = best.standing(_flags(plant.n, unknown))
    impact = best.impact(sorted(failed), horizon)

    bound = set(possible(best, worst, impact, horizon).tolist())

    assert set(impact.asset.tolist()) <= bound
    assert not bound & failed
    assert not bound & set(np.flatnonzero(best.baseline).tolist())
    for count in range(len(unknown) + 1):
        for down in combinations(sorted(unknown), count):
            case = best.standing(_flags(plant.n, set(down)))
            assert set(case.impact(sorted(failed), horizon).asset.tolist()) <= bound


@FEW
@given(plants(), st.data())
def test_the_bounds_meet_where_nothing_is_unknown(plant, data) -> None:
    failed = data.draw(st.sets(st.integers(0, plant.n - 1), min_size=1, max_size=2))
    network = network_of(plant)
    impact = network.impact(sorted(failed))

    bound = possible(network, network.standing(network.down), impact, float("inf"))

    assert bound.tolist() == sorted(impact.asset.tolist())


def test_what_lacks_only_the_unknown_is_no_impact_of_something_else() -> None:
    """0 and 1 feed 2 (any), 1 alone feeds 3; 1 is unknown and 0 fails."""
    network = Network.from_arrays(4, [0, 1, 1], [2, 2, 3], group=[0, 0, 1], rule=["any", "all"])
    worst = network.standing(_flags(4, {1}))

    bound = possible(network, worst, network.impact([0]), float("inf"))

    assert bound.tolist() == [2]
