"""The engine against the plain reference, on random plants."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.plants import network_of, plants, rings
from tests.analytics.reference import cascade
from twinfall.analytics import Network, kernels
from twinfall.analytics.kernels import dominators

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def _answer(network: Network, failed: set[int], horizon: float) -> dict[int, tuple[float, int]]:
    impact = network.impact(sorted(failed), horizon)
    rows = zip(impact.asset, impact.time, impact.wave, strict=True)
    return {int(a): (float(t), int(w)) for a, t, w in rows}


@FEW
@given(plants(), st.data())
def test_the_engine_finds_what_the_reference_finds_when_and_in_which_wave(plant, data) -> None:
    failed = data.draw(st.sets(st.integers(0, plant.n - 1), min_size=1, max_size=3))
    horizon = data.draw(st.sampled_from([float("inf"), 0.0, 15.0, 40.0]))

    expected = cascade(plant, failed, horizon)
    network = network_of(plant)
    found = _answer(network, failed, horizon)

    assert set(network.baseline.nonzero()[0]) == expected.baseline
    assert found == {a: (t, expected.wave[a]) for a, t in expected.down.items() if a not in failed}


@FEW
@given(rings(), st.sampled_from([{0}, {0, 1}, {1}]), st.sampled_from([float("inf"), 15.0]))
def test_so_it_is_where_circles_stand_one_behind_the_other(plant, failed, horizon) -> None:
    expected = cascade(plant, failed, horizon)

    found = _answer(network_of(plant), failed, horizon)

    assert found == {a: (t, expected.wave[a]) for a, t in expected.down.items() if a not in failed}


@FEW
@given(plants(), st.data())
def test_a_question_leaves_no_trace(plant, data) -> None:
    network = network_of(plant)
    failures = st.sets(st.integers(0, plant.n - 1), min_size=1, max_size=3)
    first, second = data.draw(failures), data.draw(failures)
    fresh = _answer(network_of(plant), second, float("inf"))

    _answer(network, first, float("inf"))

    assert _answer(network, second, float("inf")) == fresh


@FEW
@given(plants())
def test_criticality_counts_what_impact_lists(plant) -> None:
    network = network_of(plant)

    counts = network.criticality()

    assert [len(network.impact([a])) for a in range(plant.n)] == list(counts)


@FEW
@given(plants(), st.data())
def test_every_cause_went_down_before_and_leads_back_to_a_failed_asset(plant, data) -> None:
    failed = data.draw(st.sets(st.integers(0, plant.n - 1), min_size=1, max_size=3))
    network = network_of(plant)

    impact = network.impact(sorted(failed))

    wave = {a: 0 for a in failed if not network.baseline[a]}
    wave |= {int(a): int(w) for a, w in zip(impact.asset, impact.wave, strict=True)}
    ran_empty = {a for a, _ in plant.storages}
    cause = dict(zip(impact.asset.tolist(), impact.cause.tolist(), strict=True))
    for asset, by in cause.items():
        assert wave[by] < wave[asset] or (by in ran_empty and wave[cause[by]] < wave[asset])


@FEW
@given(plants(), st.data())
def test_what_an_asset_lost_is_a_group_or_a_carrier_of_its_own(plant, data) -> None:
    failed = data.draw(st.sets(st.integers(0, plant.n - 1), min_size=1, max_size=3))

    impact = network_of(plant).impact(sorted(failed))

    for asset, by in zip(impact.asset.tolist(), impact.group.tolist(), strict=True):
        if by >= 0:
            assert plant.groups[by].consumer == asset
        else:
            assert asset in plant.carriers[-2 - by]


@FEW
@given(plants())
def test_listings_say_what_impact_says_both_ways(plant) -> None:
    network = network_of(plant)

    taken = [sorted(network.impact([a]).asset.tolist()) for a in range(plant.n)]

    assert [network.listing().of(a).tolist() for a in range(plant.n)] == taken
    for asset in range(plant.n):
        assert network.spof(asset) == [x for x in range(plant.n) if asset in taken[x]]


def test_black_starters_pass_on_what_reaches_them_through_each_other() -> None:
    network = Network.from_arrays(
        4, [], [], group=[], rule=[], connections=[[3, 2], [2, 1], [1, 0]], carrier=[0, 0, 0],
        source=[0, 0, 0, 1], black_start=[False, True, True, False],
    )  # fmt: skip

    assert not network.baseline.any()
    assert network.impact([3]).asset.tolist() == [0, 1, 2]


@FEW
@given(st.integers(1, 12), st.data())
def test_dominators_are_those_that_networkx_finds(n, data) -> None:
    vertex = st.integers(0, n - 1)
    arcs = data.draw(st.sets(st.tuples(vertex, vertex), max_size=4 * n))
    roots = data.draw(st.sets(vertex, min_size=1, max_size=3))
    graph = nx.DiGraph([*arcs, *((-1, root) for root in roots)])
    graph.add_nodes_from(range(n))
    begin = np.array([a for a, _ in arcs], np.int32)
    start, order = kernels.csr(begin, n)
    to = np.array([b for _, b in arcs], np.int32)[order]

    order, idom = dominators.dominators(n, start, to, np.array(sorted(roots), np.int32))

    found = {int(order[i]): int(order[idom[i]]) for i in range(1, len(order))}
    expected = nx.immediate_dominators(graph, -1)
    assert found == {v: expected[v] for v in expected if v != -1}


@FEW
@given(plants(), st.data())
def test_what_is_down_in_the_end_is_what_impact_lists_whatever_was_asked_before(
    plant, data
) -> None:
    network = network_of(plant)
    for _ in range(3):
        failed = data.draw(st.sets(st.integers(0, plant.n - 1), max_size=3))

        down = network.down(sorted(failed))

        taken = set(network.impact(sorted(failed)).asset.tolist())
        assert set(down.tolist()) == taken | {a for a in failed if not network.baseline[a]}
