"""A decommissioned model takes no new twins; what there is stays as it was."""

from __future__ import annotations

from typing import Any

import pytest

from twinfall.graph.copying import copy_graph
from twinfall.graph.graph import Graph
from twinfall.graph.migrating import Migration, migrate
from twinfall.graph.ndjson import export_rows, import_rows
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.store import TwinStore
from twinfall.graph.twins import RelationshipInput, TwinInput, TwinPatch
from twinfall.ontology.errors import BadRows, UnknownName

OLD, NEW, MOTOR, BIG = (
    f"dtmi:plant:{name}" for name in ("Pump;1", "Pump;1.2", "Motor;1", "BigPump;1")
)


def _interface(id_: str, *contents: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "@context": "dtmi:dtdl:context;3", "@type": "Interface", "@id": id_,
        "contents": list(contents), **more,
    }  # fmt: skip


PUMP = (
    {"@type": "Property", "name": "flow", "schema": "double"},
    {"@type": "Component", "name": "motor", "schema": MOTOR},
    {"@type": "Relationship", "name": "feeds"},
)
DOCUMENTS = [
    _interface(MOTOR),
    _interface(OLD, *PUMP),
    _interface(NEW, *PUMP),
    _interface(BIG, extends=OLD),
]


@pytest.fixture
def graph(empty_store: TwinStore) -> Graph:
    """P1 and P2 are of the old model, which takes no more."""
    graph = Graph(empty_store)
    graph.load_models(DOCUMENTS)
    graph.write_twins([TwinInput("P1", OLD, {"flow": 1.0}), TwinInput("P2", OLD)])
    assert graph.decommission_models(["Pump"], who="ann") == (OLD,)
    return graph


def refusal(graph: Graph, twin: TwinInput) -> tuple[str, str]:
    with pytest.raises(BadRows) as told:
        graph.write_twins([twin])
    [row] = told.value.rows
    return row.code, row.cure


def test_a_decommissioned_model_takes_no_new_twin_and_the_newer_version_is_named(
    graph: Graph,
) -> None:
    code, cure = refusal(graph, TwinInput("P3", "Pump"))
    assert code == "DECOMMISSIONED"
    assert NEW in cure
    assert f"twinfall model decommission {OLD} --undo" in cure
    graph.decommission_models([NEW])
    _, cure = refusal(graph, TwinInput("P3", "Pump"))
    assert NEW not in cure


def test_no_twin_moves_to_a_decommissioned_model(graph: Graph) -> None:
    graph.write_twins([TwinInput("P3", NEW)])
    assert refusal(graph, TwinInput("P3", OLD))[0] == "DECOMMISSIONED"
    report = migrate(graph, Migration(NEW, OLD))
    assert (report.moved, report.stayed_count) == (0, 1)
    assert migrate(graph, Migration(OLD, NEW)).moved == 2


def test_twins_there_are_written_related_and_deleted_as_before(graph: Graph) -> None:
    graph.write_twins([TwinInput("P1", OLD, {"flow": 2.0})])
    graph.patch_twins([TwinPatch("P2", {"flow": 3.0})])
    graph.write_relationships([RelationshipInput("P1", "feeds", "P2")])
    assert graph.store.nodes(["P1"])["P1"].values == {"flow": 2.0}
    graph.delete_twins(["P1"])
    assert refusal(graph, TwinInput("P1", OLD))[0] == "DECOMMISSIONED"


def test_models_that_extend_it_and_owners_of_its_components_take_twins(graph: Graph) -> None:
    graph.decommission_models([MOTOR])
    graph.write_twins([TwinInput("B1", BIG, {"motor": {}})])
    assert "B1/motor" in graph.store.nodes(["B1/motor"])


def test_undoing_it_lets_the_model_take_twins_again(graph: Graph) -> None:
    graph.decommission_models([OLD], undo=True)
    graph.write_twins([TwinInput("P3", OLD)])
    assert graph.models.decommissioned == frozenset()


def test_it_is_stored_and_stands_in_the_change_feed_once(graph: Graph) -> None:
    again = Graph(graph.store)
    assert again.models.decommissioned == {OLD}
    cursor = graph.cursor()
    [change] = graph.changes(cursor - 1)
    assert (change.kind, change.who) == ("modelsLoaded", "ann")
    assert OLD in change.why
    graph.decommission_models([OLD])
    graph.load_models(DOCUMENTS)
    assert graph.cursor() == cursor
    assert graph.models.decommissioned == {OLD}


def test_an_unknown_model_decommissions_none(graph: Graph) -> None:
    with pytest.raises(UnknownName):
        graph.decommission_models([MOTOR, "dtmi:plant:Pumpe;1"])
    assert graph.models.decommissioned == {OLD}


def test_a_deleted_model_is_forgotten_and_comes_back_in_commission(graph: Graph) -> None:
    graph.decommission_models([BIG])
    graph.delete_models([BIG])
    assert graph.models.decommissioned == {OLD}
    graph.load_models(DOCUMENTS)
    graph.write_twins([TwinInput("B1", BIG)])


def test_export_and_copy_bring_it_along(graph: Graph) -> None:
    rows = list(export_rows(graph))
    other = SQLiteStore(":memory:")
    try:
        imported = Graph(other)
        report = import_rows(imported, rows)
        assert (report.twins, report.refused) == (2, 0)
        assert list(export_rows(imported)) == rows
    finally:
        other.close()
    target = SQLiteStore(":memory:")
    try:
        copy_graph(graph.store, target, graph.ontology)
        assert target.load_models().decommissioned == (OLD,)
    finally:
        target.close()


def test_an_import_refuses_an_unknown_model_to_decommission(graph: Graph) -> None:
    said: list[tuple[int, str]] = []
    rows = [b'{"Section": "Decommissioned"}', b'{"model": "dtmi:no:Thing;1"}', b'{"model": 1}']
    import_rows(graph, rows, refuse=lambda line, code, *_: said.append((line, code)))
    assert said == [(2, "UNKNOWN_NAME"), (3, "UNKNOWN_NAME")]
