"""Models go when nothing needs them any more, and never before."""

from __future__ import annotations

from typing import Any

import pytest

from twinfall.graph.graph import Graph
from twinfall.graph.store import TwinStore
from twinfall.graph.twins import TwinInput
from twinfall.ontology.errors import Conflict, UnknownName

TANK, PUMP, BIG, MOTOR = (f"dtmi:plant:{name};1" for name in ("Tank", "Pump", "BigPump", "Motor"))


def _interface(id_: str, *contents: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "@context": "dtmi:dtdl:context;3", "@type": "Interface", "@id": id_,
        "contents": list(contents), **more,
    }  # fmt: skip


DOCUMENTS = [
    _interface(TANK),
    _interface(MOTOR),
    _interface(
        PUMP,
        {"@type": "Component", "name": "motor", "schema": MOTOR},
        {"@type": "Relationship", "name": "feeds", "target": TANK},
    ),
    _interface(BIG, extends=PUMP),
]


@pytest.fixture
def graph(empty_store: TwinStore) -> Graph:
    graph = Graph(empty_store)
    graph.load_models(
        DOCUMENTS,
        [
            {
                "version": 1,
                "interfaces": {
                    PUMP: {"contents": {"feeds": {"dependent": "target"}}},
                    TANK: {"asset": {"customers": 3}},
                },
            }
        ],
    )
    return graph


def test_a_model_without_uses_goes_with_its_declarations_and_keeps_its_name(graph: Graph) -> None:
    assert graph.delete_models(["Tank"]) == (TANK,)

    assert TANK not in graph.ontology.interfaces
    assert set(graph.dependencies.assets) == set()
    assert "feeds" in graph.dependencies.feeds[PUMP]
    graph.load_models([_interface(TANK, {"@type": "Relationship", "name": "near"})])
    assert graph.names.of(TANK) == "Tank"


@pytest.mark.parametrize(
    ("model", "words"), [(PUMP, f"{BIG} extends"), (MOTOR, 'as its component "motor"')]
)
def test_a_model_that_others_need_stays_and_they_are_named(
    graph: Graph, model: str, words: str
) -> None:
    with pytest.raises(Conflict) as refused:
        graph.delete_models([model])

    assert refused.value.code == "IN_USE"
    assert words in refused.value.message
    assert model in graph.ontology.interfaces


def test_models_that_only_need_each_other_go_together(graph: Graph) -> None:
    graph.delete_models([MOTOR, PUMP, BIG])

    assert list(graph.ontology.interfaces) == [TANK]


@pytest.mark.parametrize("model", [BIG, MOTOR])
def test_a_model_with_twins_or_components_stays_and_they_are_named(
    graph: Graph, model: str
) -> None:
    graph.write_twins([TwinInput("P1", BIG, {"motor": {}})])

    with pytest.raises(Conflict, match="P1"):
        graph.delete_models([BIG, PUMP, MOTOR] if model == MOTOR else [model])


def test_what_is_not_loaded_cannot_go(graph: Graph) -> None:
    with pytest.raises(UnknownName):
        graph.delete_models(["dtmi:plant:Nothing;1"])


def test_what_is_left_is_there_after_a_restart(graph: Graph) -> None:
    graph.delete_models([BIG])

    again = Graph(graph.store)

    assert sorted(again.ontology.interfaces) == sorted([TANK, MOTOR, PUMP])
    assert again.names.of(BIG) == "BigPump"
