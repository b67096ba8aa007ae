"""Overload by redistribution, held to published definitions, numbers and networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics.models.grids import random_links
from twinfall.analytics.models import LocalSharing, MotterLai, largest_parts, robustness
from twinfall.ontology.errors import BadInput, TwinError

RING = [(i, (i + 1) % 10) for i in range(10)]


@pytest.mark.parametrize("endpoints", [True, False])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 25))
def test_the_load_is_the_betweenness_of_networkx(endpoints: bool, seed: int, n: int) -> None:
    links = random_links(seed, n, n // 3)[seed % 3 :]  # some are in parts
    graph = nx.empty_graph(n)
    graph.add_edges_from(links.tolist())

    load = MotterLai(n, links, tolerance=0, endpoints=endpoints).load

    theirs = nx.betweenness_centrality(graph, normalized=False, endpoints=endpoints)
    np.testing.assert_allclose(load, [theirs[node] for node in range(n)], atol=1e-9)


@pytest.mark.parametrize(
    ("tolerance", "left", "rounds"), [(0.1, 0.2, 1), (0.5, 0.9, 0), (2, 0.9, 0)]
)
def test_a_ring_that_loses_a_node(tolerance: float, left: float, rounds: int) -> None:
    course = MotterLai(10, RING, tolerance=tolerance).cascade([0])

    assert course.served[-1] / 10 == pytest.approx(left)
    assert course.rounds == rounds


@pytest.mark.parametrize(
    ("tolerance", "left"), [(0, 0.6176), (0.1, 0.6471), (0.2, 0.6471), (0.5, 0.7941), (1, 0.7941)]
)
def test_the_karate_club_that_loses_its_busiest_member(tolerance: float, left: float) -> None:
    club = nx.karate_club_graph()
    model = MotterLai(34, list(club.edges), tolerance=tolerance)

    assert int(model.load.argmax()) == 0
    assert model.cascade([0]).served[-1] / 34 == pytest.approx(left, abs=5e-5)


def test_equal_loads_that_differ_by_rounding_only_do_not_fail() -> None:
    # Three ways of equal length: a third each does not sum to one exactly.
    links = [(0, k) for k in (1, 2, 3)] + [(k, 4) for k in (1, 2, 3)]
    assert len(MotterLai(6, [*links, (4, 5)], tolerance=0).cascade([])) == 0


def _shared_by_sets(
    graph: nx.Graph, load: list[float], capacity: list[float], failed: set[int], exponent: float
) -> tuple[list[set[int]], float]:
    """Local sharing once more, by dictionaries: rounds, and the load that is stranded."""
    load, up, stranded, rounds = list(load), set(graph), 0.0, []
    while failed:
        rounds.append(failed)
        up -= failed
        moved = dict.fromkeys(up, 0.0)
        for node in failed:
            near = [other for other in graph[node] if other in up]
            total = sum(graph.degree[other] ** exponent for other in near)
            for other in near:
                moved[other] += load[node] * graph.degree[other] ** exponent / total
            stranded += 0.0 if near else load[node]
        for node, more in moved.items():
            load[node] += more
        failed = {node for node in up if load[node] > capacity[node] + 1e-9}
    return rounds[1:], stranded


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), exponent=st.sampled_from([-1.0, 0.0, 0.7, 2.0]))
def test_local_sharing_is_what_its_definition_says(seed: int, exponent: float) -> None:
    n, links = 16, random_links(seed, 16, 8)
    graph = nx.Graph(links.tolist())
    rng = np.random.default_rng(seed)
    load = rng.integers(1, 9, n) / 3
    capacity = load * 1.3

    course = LocalSharing(n, links, load, capacity, exponent=exponent).cascade([0, 5])

    rounds, stranded = _shared_by_sets(graph, load, capacity, {0, 5}, exponent)
    found = [set(course.element[course.round == r + 1].tolist()) for r in range(course.rounds)]
    assert found == rounds
    assert course.shed[-1] == pytest.approx(stranded)


def test_all_transfers_of_a_round_are_added_before_anything_is_tested() -> None:
    # 2 bears what either neighbour leaves, not what both leave together.
    model = LocalSharing(3, [(0, 2), (1, 2)], [1, 1, 1], [1, 1, 2.5], exponent=0)

    assert model.cascade([0]).element.tolist() == []
    assert model.cascade([0, 1]).element.tolist() == [2]
    assert model.cascade([0, 1]).shed.tolist() == [0, 3]


def test_a_load_that_is_too_much_from_the_start_is_refused_with_its_place() -> None:
    with pytest.raises(BadInput, match=r"load\[1\]: a load of 2 is above its capacity 1"):
        LocalSharing(2, [(0, 1)], [1, 2], [1, 1])


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({"links": [(0, 9)]}, r"links\[0\]"),
        ({"links": [(0.5, 1)]}, "links"),
        ({"links": [(0, 1, 2)]}, "links"),
        ({"n": -1}, "n: "),
        ({"n": 10**9}, "n: "),
        ({"tolerance": -0.1}, "tolerance"),
        ({"tolerance": float("nan")}, "tolerance"),
        ({"tolerance": "much"}, "tolerance"),
    ],
)
def test_input_that_cannot_be_is_refused_with_its_place(arguments: dict, place: str) -> None:
    with pytest.raises(TwinError, match=place):
        MotterLai(**{"n": 3, "links": [(0, 1)], "tolerance": 0.1} | arguments)


@pytest.mark.parametrize("exponent", [17, -17, float("inf")])
def test_an_exponent_whose_powers_overflow_is_refused(exponent: float) -> None:
    with pytest.raises(BadInput, match="exponent"):
        LocalSharing(2, [(0, 1)], [1, 1], [1, 1], exponent=exponent)


@pytest.mark.parametrize(
    ("graph", "expected"),
    [(nx.complete_graph(20), 0.475), (nx.star_graph(19), 0.0475), (nx.path_graph(10), 0.45)],
    ids=["complete", "star, hub first", "path, in order"],
)
def test_robustness_of_graphs_whose_answer_is_known(graph: nx.Graph, expected: float) -> None:
    n = len(graph)
    assert robustness(n, list(graph.edges), range(n)) == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 20))
def test_the_largest_part_after_each_removal_is_that_of_networkx(seed: int, n: int) -> None:
    links = random_links(seed, n, n // 4 if n > 1 else 0)[seed % 4 :]
    graph = nx.empty_graph(n)
    graph.add_edges_from(links.tolist())
    order = np.random.default_rng(seed).permutation(n)
    expected = []
    for node in order:
        graph.remove_node(int(node))
        expected.append(max(map(len, nx.connected_components(graph)), default=0))

    assert largest_parts(n, links, order).tolist() == expected


@pytest.mark.parametrize("order", [[0, 1], [0, 1, 1], [0, 1, 3]])
def test_an_attack_takes_each_node_once(order: list[int]) -> None:
    with pytest.raises(BadInput):
        robustness(3, [(0, 1)], order)
