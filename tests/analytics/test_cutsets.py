"""Minimal cut sets against every subset, and against numbers that are known."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.plants import network_of, plants
from twinfall.analytics import Network
from twinfall.analytics.cutsets import CutSets, Limits, cut_sets
from twinfall.ontology.errors import BadInput

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def _members(found: CutSets) -> list[tuple[int, ...]]:
    return [cut.members for cut in found.sets]


def _by_trying_all(network: Network, asset: int, order: int) -> list[tuple[int, ...]]:
    others = [a for a in range(network.n) if a != asset and not network.baseline[a]]
    cuts: list[tuple[int, ...]] = []
    for size in range(1, order + 1):
        for some in combinations(others, size):
            if any(set(cut) <= set(some) for cut in cuts):
                continue
            if asset in network.impact(list(some)).asset:
                cuts.append(some)
    return cuts


@FEW
@given(plants(most=7), st.data())
def test_cut_sets_are_those_found_by_failing_every_subset(plant, data) -> None:
    network = network_of(plant)
    asset = data.draw(st.integers(0, plant.n - 1))

    found = cut_sets(network, asset, 3)

    expected = [] if network.baseline[asset] else _by_trying_all(network, asset, 3)
    assert _members(found) == expected
    assert found.complete


@st.composite
def mains(draw: st.DrawFn) -> Network:
    """A few joints with mains between them, each of up to three assets in a row, some one-way, some
    driven by an asset of their own; dead ends; what feeds the first joint, and hangs on the last.
    """
    joints = draw(st.integers(2, 4))
    n, connections, oneway, driven = joints, [], [], []
    ends = st.integers(0, joints - 1)
    for a, b in draw(st.lists(st.tuples(ends, ends), min_size=1, max_size=4)):
        row = list(range(n, n + draw(st.integers(1, 2))))
        n += len(row)
        stops = [a, *row] if draw(st.sampled_from([False, False, True])) else [a, *row, b]
        connections += [[x, y] for x, y in pairwise(stops)]
        oneway += [draw(st.sampled_from([False, False, True]))] * (len(stops) - 1)
        if draw(st.booleans()):
            driven.append((n, row[0]))
            n += 1
    driven.append((joints - 1, n))
    return Network.from_arrays(
        n + 1, [p for p, _ in driven], [c for _, c in driven],
        group=list(range(len(driven))), rule=["all"] * len(driven),
        connections=connections, oneway=oneway, carrier=[0] * len(connections),
        source=[1, *([0] * n)],
    )  # fmt: skip


@FEW
@given(mains())
def test_cut_sets_along_mains_are_those_found_by_failing_every_subset(network) -> None:
    asset = network.n - 1

    found = cut_sets(network, asset, 3)

    expected = [] if network.baseline[asset] else _by_trying_all(network, asset, 3)
    assert _members(found) == expected
    assert found.whole


@FEW
@given(plants(most=7))
def test_cuts_of_one_are_the_single_points_of_failure(plant) -> None:
    network = network_of(plant)

    for asset in range(plant.n):
        assert [m for (m,) in _members(cut_sets(network, asset, 1))] == network.spof(asset)


@FEW
@given(plants(most=7), st.data())
def test_the_path_leads_from_a_member_to_the_asset_along_what_goes_down(plant, data) -> None:
    network = network_of(plant)
    asset = data.draw(st.integers(0, plant.n - 1))

    for cut in cut_sets(network, asset, 2).sets:
        down = set(network.down(list(cut.members)).tolist())
        assert cut.path[0] in cut.members
        assert cut.path[-1] == asset
        assert set(cut.path) <= down


def _groups(n: int, *groups: tuple[int, list[int], str]) -> Network:
    feeds = [(p, c, g) for g, (c, providers, _) in enumerate(groups) for p in providers]
    return Network.from_arrays(
        n,
        [f[0] for f in feeds],
        [f[1] for f in feeds],
        group=[f[2] for f in feeds],
        rule=[rule for _, _, rule in groups],
        k=[2] * len(groups),
    )


def test_two_of_three_has_three_cuts_of_two() -> None:
    network = _groups(4, (3, [0, 1, 2], "atLeast"))

    cuts = _members(cut_sets(network, 3, 3))

    assert cuts == [(0, 1), (0, 2), (1, 2)]
    assert _reliability(cuts, 3) == pytest.approx(0.972)


def _reliability(cuts: list[tuple[int, ...]], parts: int, good: float = 0.9) -> float:
    """The chance that no cut has failed as a whole, each part being good by itself."""
    chance = 0.0
    for state in np.ndindex(*(2,) * parts):
        down = {i for i, up in enumerate(state) if not up}
        if not any(set(cut) <= down for cut in cuts):
            chance += good ** (parts - len(down)) * (1 - good) ** len(down)
    return chance


def test_the_bridge_has_its_four_cuts() -> None:
    # the components 0..4 between the source 5, the joints 6 and 7, and the sink 8
    bridge = [[5, 0], [0, 6], [5, 1], [1, 7], [6, 2], [2, 7], [6, 3], [3, 8], [7, 4], [4, 8]]
    network = Network.from_arrays(
        9, [], [], group=[], rule=[], connections=bridge, carrier=[0] * 10,
        source=[0, 0, 0, 0, 0, 1, 0, 0, 0],
    )  # fmt: skip

    cuts = [cut for cut in _members(cut_sets(network, 8, 3)) if not set(cut) & {5, 6, 7}]

    assert cuts == [(0, 1), (3, 4), (0, 2, 4), (1, 2, 3)]
    assert _reliability(cuts, 5) == pytest.approx(0.97848)


def test_an_asset_that_is_down_has_no_cuts_and_one_that_needs_nothing_neither() -> None:
    phantom = _groups(3, (1, [2], "any"), (2, [1], "any"))

    assert _members(cut_sets(phantom, 1, 3)) == []
    assert _members(cut_sets(phantom, 0, 3)) == []


@pytest.mark.parametrize("order", [0, 4, 99])
def test_an_order_out_of_reach_is_refused(order: int) -> None:
    with pytest.raises(BadInput, match="order"):
        cut_sets(_groups(2, (1, [0], "all")), 1, order)


def test_a_search_that_is_cut_short_says_so() -> None:
    network = _groups(30, (29, list(range(29)), "any"))

    found = cut_sets(network, 29, 3, limits=Limits(tried=2))

    assert not found.complete
    assert found.tried == 2


def _parallel(*lengths: int) -> Network:
    """Mains from the source 0 to the sink 1, each of so many assets in a row."""
    connections, n = [], 2
    for length in lengths:
        stops = [0, *range(n, n + length), 1]
        connections += [[a, b] for a, b in pairwise(stops)]
        n += length
    return Network.from_arrays(
        n, [], [], group=[], rule=[], connections=connections, carrier=[0] * len(connections),
        source=[1, *([0] * (n - 1))],
    )  # fmt: skip


def test_more_sets_than_are_listed_are_counted_without_trying_them_one_by_one() -> None:
    found = cut_sets(_parallel(200, 300, 400), 1, 3)

    assert (found.total, found.complete) == (1 + 200 * 300 * 400, True)  # 1: the source
    assert len(found.sets) == Limits().sets
    assert not found.whole
    assert found.tried < 100


def test_the_sets_listed_are_the_smallest_ones() -> None:
    found = cut_sets(_parallel(5, 5), 1, 2, limits=Limits(sets=4))

    assert _members(found) == [(0,), (2, 7), (2, 8), (2, 9)]
    assert found.total == 26
