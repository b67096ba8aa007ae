"""DC power flow and its cascade, held to pandapower, to solving anew and to known tables."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics.models.grids import grid_of, random_grid, solved
from twinfall.analytics.models import DCFlow, Grid, PowerCascade
from twinfall.ontology.errors import BadInput, TwinError, UnknownName


@pytest.mark.parametrize(
    ("name", "within"), [("case118", 1e-11), ("case1354pegase", 1e-9), ("case9241pegase", 1e-8)]
)
def test_flows_are_those_of_pandapower(name: str, within: float) -> None:
    net = solved(name)
    theirs = np.concatenate([net.res_line.p_from_mw, net.res_trafo.p_hv_mw])

    state = DCFlow(grid_of(name)).state()

    np.testing.assert_allclose(state.flow, theirs, atol=within)


@pytest.mark.parametrize(
    ("tolerance", "mean", "least", "poor", "rounds"),
    [(0.2, 0.5226, 0.3025, 162, 13), (0.5, 0.8185, 0.4675, 92, 17), (1.0, 0.9708, 0.6638, 10, 16)],
)
def test_every_single_outage_of_case118(
    tolerance: float, mean: float, least: float, poor: int, rounds: int
) -> None:
    model = PowerCascade.with_margin(grid_of("case118"), tolerance)

    courses = [model.cascade([branch]) for branch in range(186)]

    served = np.array([course.served[-1] for course in courses]) / model.demand
    assert served.mean() == pytest.approx(mean, abs=5e-5)
    assert served.min() == pytest.approx(least, abs=5e-5)
    assert np.count_nonzero(served < 0.8) == poor
    assert max(course.rounds for course in courses) == rounds


def test_outage_factors_of_case118_foretell_the_flows_that_are_solved_anew() -> None:
    dc = DCFlow(grid_of("case118"))
    base, factors, bridges = dc.state().flow, dc.lodf(), set(dc.bridges())
    for out in set(range(186)) - bridges:
        up = np.arange(186) != out
        foretold = np.where(up, base + factors[:, out] * base[out], 0.0)
        np.testing.assert_allclose(dc.state(up).flow, foretold, atol=1e-11)


def test_factors_of_a_bridge_are_undefined_and_nothing_else_is() -> None:
    dc = DCFlow(grid_of("case118"))
    ends = dc.grid.ends.tolist()
    parting = []
    for out in range(186):
        rest = nx.empty_graph(118)
        rest.add_edges_from(pair for i, pair in enumerate(ends) if i != out)
        if not nx.is_connected(rest):
            parting.append(out)

    factors = dc.lodf()

    assert dc.bridges().tolist() == parting
    assert set(parting) >= {7, 103, 121, 163, 164, 170, 184}
    assert np.flatnonzero(np.isnan(factors).all(axis=0)).tolist() == parting
    assert np.flatnonzero(np.isnan(factors).any(axis=0)).tolist() == parting


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), more=st.integers(0, 8))
def test_transfer_factors_are_flows_and_bridges_are_bridges(seed: int, more: int) -> None:
    grid = random_grid(seed, 9, more)
    dc = DCFlow(grid)
    state = dc.state()
    moved = grid.susceptance * grid.shift  # a shifter is a pair of injections and a bypass
    injection = state.generation - state.load
    np.add.at(injection, grid.ends[:, 0], moved)
    np.add.at(injection, grid.ends[:, 1], -moved)

    np.testing.assert_allclose(dc.ptdf() @ injection - moved, state.flow, atol=1e-9)
    np.testing.assert_array_equal(dc.ptdf([3, 5]), dc.ptdf()[:, [3, 5]])
    graph = nx.MultiGraph(grid.ends.tolist())
    alone = [
        i for i, (a, b) in enumerate(grid.ends.tolist())
        if not nx.has_path(_without(graph, a, b), a, b)
    ]  # fmt: skip
    assert dc.bridges().tolist() == alone


def _without(graph: nx.MultiGraph, a: int, b: int) -> nx.MultiGraph:
    rest = graph.copy()
    rest.remove_edge(a, b)
    return rest


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_power_that_enters_a_bus_leaves_it_on_every_island(seed: int) -> None:
    grid = random_grid(seed, 12, 6)
    up = np.random.default_rng(seed).random(len(grid.ends)) < 0.7

    state = DCFlow(grid).state(up)

    net = state.generation - state.load
    np.add.at(net, grid.ends[:, 0], -state.flow)
    np.add.at(net, grid.ends[:, 1], state.flow)
    np.testing.assert_allclose(net, 0.0, atol=1e-9)
    for island in np.unique(state.island):
        here = state.island == island
        made, wanted = grid.generation[here].sum(), grid.load[here].sum()
        assert state.load[here].sum() == pytest.approx(min(made, wanted))


def _three() -> Grid:
    """A generator feeds a town over two ways: one short, one over a village."""
    return Grid.of(
        [90, 0, 0], [0, 30, 60], [(0, 1), (1, 2), (0, 2)], [100, 100, 100],
        capacity=[80, 40, 80], buses=["plant", "village", "town"], branches=["a", "b", "c"],
    )  # fmt: skip


def test_trips_tell_what_was_carried_and_what_could_be() -> None:
    model = PowerCascade(_three())

    trips = model.trips([2])

    assert [(t.round, t.branch) for t in trips] == [(1, "a"), (1, "b")]
    assert [(t.flow, t.capacity) for t in trips] == [
        (pytest.approx(90), 80),
        (pytest.approx(60), 40),
    ]
    assert model.cascade([2]).served.tolist() == pytest.approx([90, 0])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), more=st.integers(0, 12))
def test_outages_that_are_not_risky_change_nothing_and_the_others_may(seed: int, more: int) -> None:
    model = PowerCascade.with_margin(random_grid(seed, 10, more), 0.8123, least=1.1234)
    risky = set(model.risky().tolist())
    for branch in range(model.elements):
        course = model.cascade([branch])
        if len(course) or course.shed[-1] > 1e-9:
            assert branch in risky
        if not len(course) and branch not in model.dc.bridges():
            assert branch not in risky


def test_a_branch_above_its_capacity_before_any_outage_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match=r"^c: 50 MW before any outage .* 49 MW, and 0 more"):
        PowerCascade(_three(), capacity=[80, 40, 49])


def test_a_branch_that_carries_exactly_its_capacity_holds() -> None:
    model = PowerCascade(_three(), capacity=[90, 60, 80])
    assert model.trips([2]) == []


def test_an_island_without_generation_is_dark_and_one_without_load_is_idle() -> None:
    state = DCFlow(_three()).state([False, True, False])
    assert state.load.sum() == state.generation.sum() == 0
    assert np.isfinite(state.angle).all()


def test_two_branches_side_by_side_are_two() -> None:
    grid = Grid.of([10, 0], [0, 10], [(0, 1), (1, 0)], [100, 100])
    dc = DCFlow(grid)
    assert dc.bridges().tolist() == []
    assert dc.state([True, False]).flow.tolist() == pytest.approx([10, 0])
    np.testing.assert_allclose(dc.lodf(), [[-1, -1], [-1, -1]])


def test_reactances_that_cancel_are_refused() -> None:
    grid = Grid.of([1, 0], [0, 1], [(0, 1), (0, 1)], [100, -100])
    with pytest.raises(BadInput, match="no unique solution"):
        DCFlow(grid).state()


def test_a_matrix_that_is_too_large_is_refused_before_it_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("twinfall.analytics.models.flow.MAX_MATRIX_BYTES", 100)
    dc = DCFlow(grid_of("case118"))
    with pytest.raises(TwinError, match="at most 100"):
        dc.ptdf()
    with pytest.raises(TwinError, match="at most 100"):
        dc.lodf()


def test_a_wrong_branch_is_answered_with_near_ones() -> None:
    with pytest.raises(UnknownName, match=r"did you mean .*line 17"):
        grid_of("case118").branch("line17")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"generation": [1, -1]}, r"generation\[1\]"),
        ({"load": [float("nan"), 1]}, r"load\[0\]"),
        ({"load": [1]}, "load"),
        ({"ends": [(0, 0)]}, r"branches\[0\]"),
        ({"ends": [(0, 2)]}, r"links\[0\]"),
        ({"susceptance": [0]}, r"susceptance\[0\]"),
        ({"susceptance": [float("inf")]}, r"susceptance\[0\]"),
        ({"capacity": [-1]}, r"capacity\[0\]"),
        ({"capacity": [float("nan")]}, r"capacity\[0\]"),
        ({"shift": [float("nan")]}, r"shift\[0\]"),
        ({"buses": ["a", "a"]}, "bus"),
        ({"branches": ["a", "b"]}, "branch"),
    ],
)
def test_a_grid_that_cannot_be_is_refused_with_its_place(change: dict, place: str) -> None:
    sound = {"generation": [1, 0], "load": [0, 1], "ends": [(0, 1)], "susceptance": [100]}
    Grid.of(**sound)
    with pytest.raises(TwinError, match=place):
        Grid.of(**sound | change)
