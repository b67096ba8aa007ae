"""An impact shown on Neo4j's nodes: seen by Cypher and Neo4j Browser, by nothing of ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ingestion.pumps import DOCUMENTS, PUMP
from tests.servers.neo4j import Neo4jServer
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import export_rows
from twinfall.graph.twins import Mark, TwinInput, TwinPatch

pytestmark = pytest.mark.neo4j


@pytest.fixture
def graph(neo4j: Neo4jServer) -> Iterator[Graph]:
    with neo4j.fresh_store() as store:
        opened = Graph(store)
        opened.load_models(DOCUMENTS)
        opened.write_twins([TwinInput(id_, PUMP, {"motor": {}}) for id_ in ("P1", "P2", "P3")])
        yield opened


def _marks(neo4j: Neo4jServer) -> dict[str, tuple[str, int, str]]:
    """State, wave and label by twin, of those that bear a mark."""
    text = """MATCH (n:_Affected) RETURN n.id AS id, n._state AS state, n._wave AS wave,
    [l IN labels(n) WHERE l IN ['_Failed', '_Down', '_Degraded']] AS how"""
    with neo4j.driver() as driver:
        found = driver.execute_query(text, database_="neo4j").records
    return {row["id"]: (row["state"], row["wave"], *row["how"]) for row in found}


def test_a_mark_is_seen_in_cypher_and_nowhere_else(graph: Graph, neo4j: Neo4jServer) -> None:
    before = (list(export_rows(graph)), graph.cursor(), graph.store.nodes(["P1"]))

    shown = graph.store.show_impact(
        [Mark("P1", "failed", 0), Mark("P2", "down", 1), Mark("P3", "degraded", 2)]
    )

    assert _marks(neo4j) == {
        "P1": ("failed", 0, "_Failed"),
        "P2": ("failed", 1, "_Down"),
        "P3": ("degraded", 2, "_Degraded"),
    }
    assert shown == 3
    assert (list(export_rows(graph)), graph.cursor(), graph.store.nodes(["P1"])) == before


def test_another_impact_takes_the_place_of_the_one_before(graph: Graph, neo4j: Neo4jServer) -> None:
    assert graph.store.show_impact([Mark("P1", "failed", 0), Mark("gone", "down", 1)]) == 1
    graph.store.show_impact([Mark("P2", "failed", 0)])
    assert set(_marks(neo4j)) == {"P2"}

    graph.patch_twins([TwinPatch("P2", {"motor": {}})])
    graph.store.show_impact([])

    assert _marks(neo4j) == {}
