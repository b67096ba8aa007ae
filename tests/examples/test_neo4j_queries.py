"""The saved queries and the page about Neo4j, on the city in a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import neo4j as driver
import pytest

from tests.docs.pages import ROOT, Block, blocks
from tests.servers.neo4j import Neo4jServer
from twinfall.api.graphql.showing import marks
from twinfall.api.networks import LiveNetwork
from twinfall.graph.graph import Graph
from twinfall.graph.twins import Batch, Change
from twinfall.graph.values import FieldTypes

pytestmark = [pytest.mark.neo4j, pytest.mark.timeout(400)]
DRAWN = 300
"""Nodes that Neo4j Browser draws at first."""
SAVED = sorted((ROOT / "examples" / "neo4j" / "queries").glob("*.cypher"))
SHOWN = [block for block in blocks("cypher") if block.page.name == "neo4j.md"]


@pytest.fixture(scope="module")
def city_there(neo4j: Neo4jServer, graph: Graph) -> Iterator[driver.Session]:
    """The demo's city, copied to the server, an impact shown on it, looked at from outside."""
    with neo4j.fresh_store() as store:
        loaded = Change(0, "modelsLoaded", "models", None, None, None, None, "", "", "")
        store.save_models(graph.models.stored(), loaded)
        store.use(FieldTypes.of(graph.ontology.interfaces))
        for number, (nodes, edges) in enumerate(graph.store.scan()):
            store.apply(Batch(str(number), tuple(nodes), edges=tuple(edges)))
        store.show_impact(marks(LiveNetwork(graph).current().impact(["P_B1000"])))
        with neo4j.driver() as outside, outside.session(database="neo4j") as session:
            yield session


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.stem)
def test_a_saved_query_finds_what_browser_can_draw(city_there: driver.Session, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    drawn = city_there.run(text).graph().nodes
    assert list(city_there.run(text))
    assert len(drawn) <= DRAWN
    assert all("Twin" in node.labels for node in drawn)


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.stem)
def test_a_saved_query_begins_with_the_name_it_gets_in_browser(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("// ")


@pytest.mark.parametrize("block", SHOWN, ids=str)
def test_a_query_on_the_page_finds_something(city_there: driver.Session, block: Block) -> None:
    assert list(city_there.run(block.text))
