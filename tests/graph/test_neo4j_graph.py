"""What stands in Neo4j: the graph that people see in Browser and ask in Cypher."""

from __future__ import annotations

import threading
from typing import Any

import neo4j as neo4j_driver
import pytest
from neo4j.time import Date, DateTime

from tests.graph.contract.conftest import NEO4J
from tests.graph.plant import BIG_PUMP, DOCUMENTS, PUMP, TANK
from tests.servers.neo4j import Neo4jServer
from twinfall.graph.graph import Graph
from twinfall.graph.plan import (
    All,
    Compare,
    Component,
    ComponentSelect,
    Fetch,
    FieldRef,
    Ids,
    Not,
    Page,
    Related,
    RelationSelect,
    Select,
    Sort,
)
from twinfall.graph.twins import RelationshipInput, TwinInput

pytestmark = list(NEO4J)
VALUES = {
    "name": "Main",
    "on": True,
    "flow": 0.5,
    "turns": 7,
    "serial": 2**64 - 1,
    "since": "2026-11-23T06:30:00.5Z",
    "built": "2026-11-23",
    "tags": ["a", "b"],
    "labels": {"en": "x"},
    "motor": {"power": 2.5},
}


def asked(server: Neo4jServer, text: str) -> list[Any]:
    with server.driver() as driver:
        return [r.values() for r in driver.execute_query(text, database_="neo4j").records]


@pytest.fixture
def graph(neo4j: Neo4jServer) -> Any:
    with neo4j.fresh_store() as store:
        graph = Graph(store)
        graph.load_models(DOCUMENTS)
        yield graph


def test_a_twin_is_a_node_with_native_values(graph: Graph, neo4j: Neo4jServer) -> None:
    graph.write_twins([TwinInput("P", BIG_PUMP, VALUES)])
    ((labels, found),) = asked(neo4j, "MATCH (n {id: 'P'}) RETURN labels(n), properties(n)")
    names = graph.names
    asset = graph.ontology.interfaces[PUMP].ancestors[0]
    assert set(labels) == {"Twin", names.of(BIG_PUMP), names.of(PUMP), names.of(asset)}
    assert isinstance(found.pop("since"), DateTime)
    assert isinstance(found.pop("built"), Date)
    assert found == {
        "id": "P",
        "_model": BIG_PUMP,
        "_version": 1,
        "_name": "Main",
        "name": "Main",
        "on": True,
        "flow": 0.5,
        "turns": 7,
        "serial": "18446744073709551615",
        "tags": ["a", "b"],
        "labels": '{"en":"x"}',
    }


def test_a_relationship_has_its_own_type_and_a_component_hangs_below_its_owner(
    graph: Graph, neo4j: Neo4jServer
) -> None:
    graph.write_twins([TwinInput("P", PUMP, VALUES), TwinInput("T", TANK)])
    graph.write_relationships([RelationshipInput("P", "feeds", "T", "f", {"share": 0.5})])
    assert asked(neo4j, "MATCH ({id: 'P'})-[r:feeds]->({id: 'T'}) RETURN properties(r)") == [
        [{"_id": "f", "share": 0.5}]
    ]
    assert asked(
        neo4j, "MATCH ({id: 'P'})-[h:_hasComponent]->(c) RETURN h.name, c.power ORDER BY c.id"
    ) == [["motor", 2.5], ["spare", None]]


def test_a_twin_that_changes_its_model_changes_its_labels_and_keeps_other_peoples(
    graph: Graph, neo4j: Neo4jServer
) -> None:
    graph.write_twins([TwinInput("P", BIG_PUMP, VALUES)])
    asked(neo4j, "MATCH (n {id: 'P'}) SET n:Seen")
    graph.write_twins([TwinInput("P", PUMP, VALUES)])
    ((labels,),) = asked(neo4j, "MATCH (n {id: 'P'}) RETURN labels(n)")
    assert graph.names.of(BIG_PUMP) not in labels
    assert {"Twin", "Seen", graph.names.of(PUMP)} <= set(labels)


def test_a_node_made_past_us_makes_a_write_say_so_and_not_overwrite_it(
    graph: Graph, neo4j: Neo4jServer
) -> None:
    graph.write_twins([TwinInput("P", PUMP, VALUES)])
    asked(neo4j, "MATCH (n {id: 'P'}) SET n._version = 7")
    graph.write_twins([TwinInput("P", PUMP, {"name": "New"})])
    assert graph.store.nodes(["P"])["P"].version == 8


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that this thread sends through the driver from now on."""
    texts: list[str] = []
    here, run = threading.get_ident(), neo4j_driver.Session.run

    def noted(self: Any, query: Any, *rest: Any, **more: Any) -> Any:
        if threading.get_ident() == here:  # the change feed is drained in another
            texts.append(getattr(query, "text", query))
        return run(self, query, *rest, **more)

    monkeypatch.setattr(neo4j_driver.Session, "run", noted)
    return texts


def busy_plan(first: int, flow: float) -> Fetch:
    """Filters, counts, pages, components and both directions, three levels deep."""
    field = FieldRef("flow", "float")
    incoming = RelationSelect(
        "feeds", "in", Page(first, count=True), Select(("name",), owner=Select())
    )
    outgoing = RelationSelect(
        "feeds",
        "out",
        Page(first, where=Not(Ids(("no",))), sort=(Sort(FieldRef("volume", "float"), True),)),
        Select(("name",), relations=(("in", incoming),)),
        properties=None,
    )
    where = All(
        (
            Compare(field, "gt", flow),
            Related("feeds", "out", "some", Compare(FieldRef("name", "text"), "contains", "T")),
            Related("near", "in", "none", Ids(("x",))),
            Component("motor", Compare(FieldRef("power", "float"), "gte", 1.0)),
        )
    )
    select = Select(
        ("name", "flow"),
        components=(("motor", ComponentSelect("motor", Select(("power",)))),),
        relations=(("out", outgoing),),
    )
    return Fetch(Page(first, where=where, sort=(Sort(field),), count=True), select)


def test_a_page_of_100_with_filters_counts_and_levels_is_one_statement(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.write_twins([TwinInput(f"P{i}", PUMP, {**VALUES, "flow": float(i)}) for i in range(120)])
    graph.write_twins([TwinInput(f"T{i}", TANK, {"name": f"T{i}"}) for i in range(5)])
    graph.write_relationships(
        [RelationshipInput(f"P{i}", "feeds", f"T{i % 5}") for i in range(120)]
    )
    texts = counted(monkeypatch)
    page = graph.fetch(busy_plan(100, 9.5))
    assert (len(page.rows), page.more, page.total) == (100, True, 110)
    tank = page.rows[0].relations["out"].rows[0].other
    assert tank is not None
    assert tank.relations["in"].total == 24
    graph.fetch(busy_plan(50, 3.5))
    monkeypatch.undo()
    first, second = texts
    assert first == second  # one shape, one text: the server plans it once
