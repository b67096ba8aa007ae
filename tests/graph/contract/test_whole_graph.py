"""The whole graph, as arrays and in chunks."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.graph.contract.conftest import Effort, NewStore, with_plant
from tests.graph.contract.generated import plants
from tests.graph.contract.oracle import Oracle
from tests.graph.plant import TANK
from twinfall.graph.models import Models
from twinfall.graph.store import Topology, TopologyRequest, TwinStore
from twinfall.graph.twins import Batch, Edge, Node

pytestmark = [
    pytest.mark.timeout(300),  # the first test also waits for Neo4j to start
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]
FIRST = [Phase.explicit, Phase.reuse, Phase.generate]
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
REQUEST = TopologyRequest(
    ("feeds", "near", "nobodyUsesThis"), ("flow", "serial", "since", "tags"), ("share", "note")
)


def fill(store: TwinStore, plant: Oracle) -> None:
    store.apply(Batch("all", tuple(plant.nodes.values()), edges=tuple(plant.edges.values())))


def check_twins(found: Topology, plant: Oracle) -> None:
    assert found.ids == sorted(plant.nodes)
    for position, id_ in enumerate(found.ids):
        node = plant.nodes[id_]
        assert found.models[found.model[position]] == node.model
        owner = found.owner[position]
        assert (found.ids[owner] if owner >= 0 else None) == node.owner
        assert found.component[position] == (node.component or "")
        for name in REQUEST.properties:
            assert found.values[name].get(position) == node.values.get(name)


def check_edges(found: Topology, plant: Oracle) -> None:
    for name in REQUEST.relationships:
        columns = found.edges[name]
        edges = sorted(
            (e for e in plant.edges.values() if e.name == name), key=lambda e: (e.source, e.id)
        )
        assert [found.ids[i] for i in columns.source] == [edge.source for edge in edges]
        assert [found.ids[i] for i in columns.target] == [edge.target for edge in edges]
        assert columns.ids == [edge.id for edge in edges]
        for wanted in REQUEST.relationship_properties:
            values = [columns.properties[wanted].get(row) for row in range(len(edges))]
            assert values == [edge.properties.get(wanted) for edge in edges]


def test_arrays_and_chunks_hold_everything_in_order(
    new_store: NewStore, models: Models, effort: Effort
) -> None:
    @settings(max_examples=effort(24), deadline=None, phases=FIRST, suppress_health_check=SLOW)
    @given(plant=plants())
    def hold_everything(plant: Oracle) -> None:
        with new_store() as store:
            fill(with_plant(store, models), plant)
            found = store.topology(REQUEST)
            assert found.cursor == store.cursor()
            assert found.model.dtype == found.owner.dtype == "int32"
            check_twins(found, plant)
            check_edges(found, plant)
            nodes = [node for chunk, _ in store.scan() for node in chunk]
            edges = [edge for _, chunk in store.scan() for edge in chunk]
            assert nodes == sorted(plant.nodes.values(), key=lambda n: (n.owner or n.id, n.id))
            assert edges == sorted(plant.edges.values(), key=lambda e: (e.source, e.id))

    hold_everything()


def test_an_empty_graph_has_empty_arrays(store: TwinStore) -> None:
    found = store.topology(REQUEST)
    assert (found.ids, found.models, len(found.model), len(found.owner)) == ([], [], 0, 0)
    assert {name: len(columns.source) for name, columns in found.edges.items()} == {
        "feeds": 0,
        "near": 0,
        "nobodyUsesThis": 0,
    }


def test_a_large_graph_comes_in_bounded_chunks_nothing_lost(store: TwinStore) -> None:
    nodes = tuple(Node(f"T{i}", TANK, {}, 1, "T") for i in range(2500))
    edges = tuple(Edge(f"T{i // 7}", f"e{i}", "near", f"T{i}") for i in range(2500))
    store.apply(Batch("all", nodes, edges=edges))
    chunks = list(store.scan())
    assert max(len(some) + len(others) for some, others in chunks) <= 2000
    assert [n.id for chunk, _ in chunks for n in chunk] == sorted(n.id for n in nodes)
    found = [(e.source, e.id) for _, chunk in chunks for e in chunk]
    assert found == sorted((e.source, e.id) for e in edges)
