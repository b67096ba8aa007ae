"""The copy of the latest readings on Neo4j's nodes: seen by Cypher, by nothing of ours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ingestion.pumps import DOCUMENTS, PUMP
from tests.servers.neo4j import Neo4jServer
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import export_rows
from twinfall.graph.plan import Fetch, Page, Select
from twinfall.graph.twins import LatestCopy, TwinInput
from twinfall.ingestion.decoding.json_rows import decode_rows
from twinfall.ingestion.telemetry import Telemetry

pytestmark = pytest.mark.neo4j
MS = 1_760_000_000_000


@pytest.fixture
def graph(neo4j: Neo4jServer) -> Iterator[Graph]:
    with neo4j.fresh_store() as store:
        opened = Graph(store)
        opened.load_models(DOCUMENTS)
        opened.write_twins([TwinInput("P1", PUMP, {"motor": {}})])
        yield opened


def node(neo4j: Neo4jServer, twin: str) -> dict[str, object]:
    with neo4j.driver() as driver:
        found = driver.execute_query(
            "MATCH (n:Twin {id: $id}) RETURN properties(n) AS p, toString(n._asOf) AS at",
            id=twin,
            database_="neo4j",
        ).records[0]
    return dict(found["p"]) | {"_asOf": found["at"]}


def test_the_copy_is_seen_in_cypher_and_nowhere_else(graph: Graph, neo4j: Neo4jServer) -> None:
    before = (list(export_rows(graph)), graph.cursor(), graph.store.nodes(["P1"]))
    whole = Fetch(Page(first=10), Select(whole=True))
    rows = graph.fetch(whole).rows

    graph.store.copy_latest(
        [
            LatestCopy("P1", {"flow": 3.5, "mode": "auto", "starts": 2**70}, MS * 10**6),
            LatestCopy("gone", {"flow": 1.0}, MS * 10**6),
        ]
    )

    found = node(neo4j, "P1")
    assert (found["flow"], found["mode"], found["starts"]) == (3.5, "auto", str(2**70))
    assert str(found["_asOf"]).startswith("2025-10-09T08:53:20")
    assert (list(export_rows(graph)), graph.cursor(), graph.store.nodes(["P1"])) == before
    assert graph.fetch(whole).rows == rows


def test_readings_reach_the_nodes_and_come_back_after_a_write(
    graph: Graph, neo4j: Neo4jServer, tmp_path: Path
) -> None:
    telemetry = Telemetry(tmp_path, graph)
    try:
        body = (
            b'[{"_twin": "P1", "_time": %d, "flow": 2.5, "running": true},' % MS
            + b'{"_twin": "P1/motor", "_time": %d, "temperature": 60}]' % MS
        )
        assert telemetry.submit(decode_rows(body, telemetry.catalogue)).result(20).stored == 3
        wait(neo4j, "P1", "flow", 2.5)
        wait(neo4j, "P1/motor", "temperature", 60.0)
        assert node(neo4j, "P1")["running"] is True

        graph.write_twins([TwinInput("P1", PUMP, {"motor": {}})], who="again")
        graph.delete_twins(["P1"])
        graph.write_twins([TwinInput("P1", PUMP, {"motor": {}})])
        assert "flow" not in node(neo4j, "P1")
        wait(neo4j, "P1", "flow", 2.5)
    finally:
        telemetry.close()


def wait(neo4j: Neo4jServer, twin: str, name: str, value: object) -> None:
    end = time.monotonic() + 20
    while node(neo4j, twin).get(name) != value:
        assert time.monotonic() < end, node(neo4j, twin)
        time.sleep(0.1)
