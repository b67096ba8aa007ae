"""What happens to relationships that are written and deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graph.plant import PUMP, TANK
from twinfall.graph.graph import Graph
from twinfall.graph.twins import RelationshipInput, RelationshipKey, TwinInput
from twinfall.ontology.errors import BadRows


@pytest.fixture
def piped(graph: Graph) -> Graph:
    """Two pumps and three tanks, not yet connected."""
    graph.write_twins([TwinInput(id_, PUMP) for id_ in ("P1", "P2")])
    graph.write_twins([TwinInput(id_, TANK) for id_ in ("T1", "T2", "T3")])
    return graph


def refusal(graph: Graph, *rows: RelationshipInput) -> list[tuple[int, str]]:
    before = graph.counts()
    with pytest.raises(BadRows) as caught:
        graph.write_relationships(rows)
    assert graph.counts() == before
    return [(row.index, row.code) for row in caught.value.rows]


def test_a_relationship_has_a_default_id_and_canonical_properties(piped: Graph) -> None:
    properties = {"share": 1, "from": "2026-11-23T06:30:00+00:00"}
    piped.write_relationships([RelationshipInput("P1", "feeds", "T1", None, properties)])
    (edge,) = piped.store.edges_at(["P1"])
    assert (edge.id, edge.target) == ("feeds:T1", "T1")
    assert edge.properties == {"share": 1.0, "from": "2026-11-23T06:30:00Z"}


def test_the_same_relationship_again_changes_nothing(piped: Graph) -> None:
    row = RelationshipInput("P1", "feeds", "T1", "main", {"share": 0.5})
    first = piped.write_relationships([row])
    again = piped.write_relationships([row])
    assert (again.written, again.cursor) == (1, first.cursor)


def test_a_relationship_with_a_known_id_is_replaced(piped: Graph) -> None:
    piped.write_relationships([RelationshipInput("P1", "feeds", "T1", "main", {"share": 0.5})])
    piped.write_relationships([RelationshipInput("P1", "feeds", "T2", "main")])
    (edge,) = piped.store.edges_at(["P1"])
    assert (edge.target, edge.properties) == ("T2", {})
    assert piped.store.edges_at(["T1"]) == []


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (RelationshipInput("P9", "feeds", "T1"), "UNKNOWN_TWIN"),
        (RelationshipInput("P1", "feeds", "T9"), "UNKNOWN_TWIN"),
        (RelationshipInput("P1", "feed", "T1"), "UNKNOWN_NAME"),
        (RelationshipInput("P1", "flow", "T1"), "UNKNOWN_NAME"),
        (RelationshipInput("P1", "feeds", "P2"), "NOT_ALLOWED"),
        (RelationshipInput("P1", "feeds", "T1", "x y"), "BAD_ID"),
        (RelationshipInput("P1", "feeds", "T1", ""), "BAD_ID"),
        (RelationshipInput("P1", "feeds", "T1", None, {"shar": 1}), "UNKNOWN_NAME"),
        (RelationshipInput("P1", "feeds", "T1", None, {"share": "x"}), "BAD_VALUE"),
    ],
)
def test_what_the_ontology_forbids_is_refused(
    piped: Graph, row: RelationshipInput, code: str
) -> None:
    assert refusal(piped, row) == [(0, code)]


def test_a_long_target_asks_for_an_id(piped: Graph) -> None:
    piped.write_twins([TwinInput("T" * 125, TANK)])
    with pytest.raises(BadRows, match="too long"):
        piped.write_relationships([RelationshipInput("P1", "feeds", "T" * 125)])
    piped.write_relationships([RelationshipInput("P1", "feeds", "T" * 125, "short")])


def test_no_more_relationships_than_the_ontology_allows(piped: Graph) -> None:
    def backs(target: str) -> RelationshipInput:
        return RelationshipInput("P1", "backs", target)

    assert refusal(piped, backs("T1"), backs("T2"), backs("T3")) == [(2, "NOT_ALLOWED")]
    piped.write_relationships([backs("T1"), backs("T2")])
    piped.write_relationships([backs("T1")])
    assert refusal(piped, backs("T3")) == [(0, "NOT_ALLOWED")]
    piped.write_relationships([RelationshipInput("P1", "feeds", "T2", "backs:T2")])
    piped.write_relationships([backs("T3")])
    assert piped.counts().relationships == {"backs": 2, "feeds": 1}


def test_one_id_twice_in_a_batch_is_refused(piped: Graph) -> None:
    row = RelationshipInput("P1", "feeds", "T1")
    assert refusal(piped, row, row) == [(1, "DUPLICATE")]


def test_components_take_part(piped: Graph) -> None:
    piped.write_relationships(
        [
            RelationshipInput("P1/motor", "wiredTo", "P2/motor"),
            RelationshipInput("P1/motor", "wiredTo", "T1", "w"),
        ]
    )
    assert [edge.id for edge in piped.store.edges_at(["P1/motor"])] == ["w", "wiredTo:P2/motor"]


def test_relationships_are_deleted_by_key(piped: Graph) -> None:
    piped.write_relationships([RelationshipInput("P1", "feeds", t) for t in ("T1", "T2")])
    start = piped.cursor()
    piped.delete_relationships([RelationshipKey("P1", "feeds:T1")], who="ada")
    assert piped.counts().relationships == {"feeds": 1}
    (change,) = piped.changes(start)
    assert (change.kind, change.subject, change.after, change.who) == (
        "relationshipDeleted",
        "P1/feeds:T1",
        None,
        "ada",
    )
    assert change.before == {
        "id": "feeds:T1",
        "source": "P1",
        "name": "feeds",
        "target": "T1",
        "properties": {},
    }


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ([("P1", "no")], "UNKNOWN_RELATIONSHIP"),
        ([("P1", "feeds:T1"), ("P1", "feeds:T1")], "DUPLICATE"),
        ([("\ud800", "\ud800")], "UNKNOWN_RELATIONSHIP"),
    ],
)
def test_what_is_not_there_cannot_be_deleted(piped: Graph, keys: Any, code: str) -> None:
    piped.write_relationships([RelationshipInput("P1", "feeds", "T1")])
    with pytest.raises(BadRows) as caught:
        piped.delete_relationships([RelationshipKey(*key) for key in keys])
    assert [row.code for row in caught.value.rows] == [code]
    assert piped.counts().relationships == {"feeds": 1}
