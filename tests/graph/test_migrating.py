"""Twins from one version of their model to the next, and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from twinfall.graph.graph import Graph
from twinfall.graph.migrating import Migration, MigrationReport, migrate, rollback
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput, TwinPatch
from twinfall.ontology.errors import BadInput, UnknownName

OLD, NEW = "dtmi:plant:Pump;1", "dtmi:plant:Pump;2"


def _pump(id_: str, *contents: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": "dtmi:dtdl:context;3", "@type": "Interface", "@id": id_,
        "contents": [*contents, {"@type": "Relationship", "name": "feeds", "target": id_}],
    }  # fmt: skip


def _property(name: str, schema: str) -> dict[str, Any]:
    return {"@type": "Property", "name": name, "schema": schema}


@pytest.fixture
def graph() -> Iterator[Graph]:
    store = SQLiteStore(":memory:")
    graph = Graph(store)
    graph.load_models(
        [
            _pump(OLD, _property("flow", "double"), _property("note", "string")),
            _pump(NEW, _property("ratedFlow", "double"), _property("stages", "integer")),
        ]
    )
    graph.write_twins(
        [
            TwinInput("A", OLD, {"flow": 2.5}),
            TwinInput("B", OLD, {"flow": 3.5}),
            TwinInput("noted", OLD, {"flow": 1.0, "note": "old"}),
        ]
    )
    yield graph
    store.close()


RENAMED = Migration(OLD, NEW, {"flow": "ratedFlow"})


def _twin(graph: Graph, id_: str) -> tuple[str, dict[str, Any]]:
    node = graph.store.nodes([id_])[id_]
    return node.model, dict(node.values)


def _stayed(report: MigrationReport) -> list[str]:
    return [one.id for one in report.stayed]


def test_a_rehearsal_says_who_could_not_move_and_writes_nothing(graph: Graph) -> None:
    cursor = graph.cursor()

    report = migrate(graph, RENAMED, rehearse=True)

    assert (report.id, report.moved, _stayed(report)) == ("", 2, ["noted"])
    assert "note" in report.stayed[0].errors[0].message + report.stayed[0].errors[0].path
    assert graph.cursor() == cursor


def test_nothing_moves_where_one_cannot(graph: Graph) -> None:
    report = migrate(graph, RENAMED)

    assert (report.moved, report.stayed_count) == (0, 1)
    assert _twin(graph, "A") == (OLD, {"flow": 2.5})


def test_what_can_move_moves_and_the_others_stay_as_they_were(graph: Graph) -> None:
    report = migrate(graph, RENAMED, partial=True)

    assert (report.moved, _stayed(report)) == (2, ["noted"])
    assert _twin(graph, "A") == (NEW, {"ratedFlow": 2.5})
    assert _twin(graph, "noted") == (OLD, {"flow": 1.0, "note": "old"})


def test_a_value_is_given_up_only_where_that_is_said(graph: Graph) -> None:
    report = migrate(graph, Migration(OLD, NEW, {"flow": "ratedFlow"}, dropped=("note",)))

    assert (report.moved, report.stayed_count) == (3, 0)
    assert _twin(graph, "noted") == (NEW, {"ratedFlow": 1.0})


def test_twins_that_are_related_move_together(graph: Graph) -> None:
    graph.write_relationships([RelationshipInput("A", "feeds", "B")])

    report = migrate(graph, RENAMED, partial=True)

    assert report.moved == 2
    assert _twin(graph, "B")[0] == NEW


def test_who_is_related_to_one_that_stays_stays_too(graph: Graph) -> None:
    graph.write_relationships(
        [RelationshipInput("A", "feeds", "noted"), RelationshipInput("B", "feeds", "A")]
    )

    report = migrate(graph, RENAMED, partial=True)

    assert (report.moved, _stayed(report)) == (0, ["A", "B", "noted"])


def test_a_rollback_puts_everything_back(graph: Graph) -> None:
    done = migrate(graph, RENAMED, partial=True)

    undone = rollback(graph, done.id)

    assert (undone.moved, undone.stayed_count) == (2, 0)
    assert _twin(graph, "A") == (OLD, {"flow": 2.5})


def test_a_rollback_leaves_alone_what_somebody_changed_since(graph: Graph) -> None:
    done = migrate(graph, RENAMED, partial=True)
    graph.patch_twins([TwinPatch("A", {"stages": 3})])

    undone = rollback(graph, done.id)

    assert _stayed(undone) == ["A"]
    assert _twin(graph, "A") == (NEW, {"ratedFlow": 2.5, "stages": 3})
    assert _twin(graph, "B") == (OLD, {"flow": 3.5})


def test_migrating_again_finds_nobody(graph: Graph) -> None:
    migrate(graph, Migration(OLD, NEW, {"flow": "ratedFlow"}, ("note",)))

    assert migrate(graph, RENAMED) == MigrationReport("", 0, 0, ())


@pytest.mark.parametrize(
    ("migration", "words"),
    [
        (Migration(OLD, "dtmi:plant:Pump;3"), "no model"),
        (Migration(OLD, NEW, {"flaw": "ratedFlow"}), "flow"),
        (Migration(OLD, NEW, {"flow": "rated"}), "ratedFlow"),
        (Migration(OLD, NEW, dropped=("nothing",)), "no content"),
        (Migration(OLD, OLD), "from one model to another"),
        (Migration(OLD, NEW, {"flow": "stages", "note": "stages"}), "one name"),
    ],
)
def test_a_migration_that_makes_no_sense_says_why(
    graph: Graph, migration: Migration, words: str
) -> None:
    with pytest.raises((BadInput, UnknownName)) as refused:
        migrate(graph, migration)
    assert words in f"{refused.value.message} {refused.value.cure}"


@pytest.mark.parametrize("id_", ["", "x", "0-000000000000", "9" * 50])
def test_a_rollback_of_nothing_is_refused(graph: Graph, id_: str) -> None:
    with pytest.raises(BadInput, match="no migration"):
        rollback(graph, id_)
