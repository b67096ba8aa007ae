"""The schema that a model set gets."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.graphql.plant import MODELS, Plant, component, enum, interface, prop, relationship
from twinfall.api.graphql.schema import build_schema
from twinfall.graph.twins import TwinInput
from twinfall.ontology import Names, parse

GOLDEN = Path(__file__).with_name("plant.graphql")
REAL_ESTATE = Path(__file__).parents[4] / "shared" / "ontologies" / "building-rec33"


def test_the_schema_of_the_plant_is_the_one_checked_in(plant: Plant) -> None:
    """Set TWINFALL_WRITE_GOLDEN to accept a change."""
    sdl = plant.service.sdl() + "\n"
    if os.environ.get("TWINFALL_WRITE_GOLDEN"):
        GOLDEN.write_text(sdl)
    assert sdl == GOLDEN.read_text()


def test_the_schema_does_not_depend_on_the_order_of_models(plant: Plant) -> None:
    backwards = Plant(MODELS[::-1])
    assert backwards.service.sdl() == plant.service.sdl()
    backwards.close()


AWKWARD = [
    interface("Pump", relationship("feeds", None, prop("at", "double")), relationship("Feeds")),
    interface("PumpFeedsEdge", prop("x", "double")),
    interface("PumpFeedsConnection"),
    interface("PumpWhere", extends="dtmi:plant:Pump;1"),
    interface("PumpSort"),
    interface("Query", prop("name", "string")),
    interface("Mutation"),
    interface("Twin", prop("name", "string")),
    interface("OtherTwin"),
    interface("Caller"),
    interface("twins"),
    interface("service", extends="dtmi:plant:Caller;1"),
    interface("State", prop("state", enum("string", ok="ok"))),
    interface("StateState"),
    interface("Long"),
    interface("SortDirection"),
    interface("String"),
    interface(
        "Words",
        *(
            prop(name, "string")
            for name in ("id", "model", "id_x", "self", "from", "type", "None", "__typename"[2:])
        ),
        component("twin", "Twin"),
        relationship("impact"),
        prop("where", "string"),
        prop("first", "integer"),
        prop("edges", "string"),
        prop("nodes", "string"),
    ),
]


@pytest.fixture(scope="module")
def awkward() -> Iterator[Plant]:
    made = Plant(AWKWARD)
    yield made
    made.close()


def test_names_that_clash_with_ours_still_make_a_schema(awkward: Plant) -> None:
    names = {
        model["name"]: model["id"] for model in awkward.ask("{ models { id name } }")["models"]
    }
    assert len(names) == len(AWKWARD)
    roots = " ".join(f"r{n}: {name} {{ totalCount }}" for n, name in enumerate(names))
    for start in range(0, len(names), 10):
        chosen = list(names)[start : start + 10]
        roots = " ".join(f"{name}: {_root(awkward, name)} {{ totalCount }}" for name in chosen)
        assert set(awkward.ask(f"{{ {roots} }}")) == set(chosen)


def _root(plant: Plant, name: str) -> str:
    """The root field of a model: its name, unless that is one of ours."""
    fields = plant.ask('{ __type(name: "Query") { fields { name type { ofType { name } } } } }')
    found = [field["name"] for field in fields["__type"]["fields"]]
    return next(
        one for one in (name, f"{name}_") if one in found and one not in ("twins", "service")
    )


def test_contents_may_be_called_like_words_of_ours(awkward: Plant) -> None:
    values = {
        "id": "a",
        "model": "b",
        "self": "c",
        "from": "d",
        "None": "e",
        "typename": "f",
        "where": "g",
        "first": 3,
        "edges": "h",
        "nodes": "i",
        "twin": {"name": "part"},
    }
    awkward.graph.write_twins([TwinInput("W", "Words", values)])
    found = awkward.ask(
        '{ Words(where: {edges: {eq: "h"}, from: {eq: "d"}, id_: {eq: "a"}}, sort: [{id_: ASC}, '
        "{id: DESC}]) { nodes { id id_ model_ self from None typename where first edges nodes "
        "twin { id ... on Twin_ { name } } impact { totalCount } } } }".replace(
            "... on Twin_", f"... on {_type_of_twin(awkward)}"
        )
    )
    assert found["Words"]["nodes"] == [
        {
            "id": "W",
            "id_": "a",
            "model_": "b",
            **{k: v for k, v in values.items() if k not in ("id", "model", "twin")},
            "twin": {"id": "W/twin", "name": "part"},
            "impact": {"totalCount": 0},
        }
    ]


def _type_of_twin(plant: Plant) -> str:
    fields = plant.ask('{ __type(name: "Words") { fields { name type { name } } } }')
    types = {field["name"]: field["type"]["name"] for field in fields["__type"]["fields"]}
    name: str = types["twin"]
    return name


def test_a_cycle_of_models_that_refer_to_each_other_makes_a_schema() -> None:
    ring = [
        interface("A", relationship("to", "B"), component("part", "C")),
        interface("B", relationship("to", "A")),
        interface("C", relationship("up", "A")),
    ]
    made = Plant(ring)
    sdl = made.service.sdl()
    assert "type ToIncomingConnection" in sdl
    found = made.ask("{ A(first: 5) { nodes { to { nodes { to { nodes { id } } } } } } }")
    assert found == {"A": {"nodes": []}}
    made.close()


# -- many models ------------------------------------------------------------------------------


def many(count: int) -> list[dict[str, object]]:
    """A root, and models that extend it."""
    root = interface("Root", prop("name", "string"), relationship("next", "Root"))
    return [
        root,
        *(
            interface(f"M{n}", prop("size", "double"), extends="dtmi:plant:Root;1")
            for n in range(count)
        ),
    ]


@pytest.fixture
def crowd() -> Iterator[Plant]:
    """Seven models where five get types of their own; two have twins, one is named."""
    made = Plant([])
    made.graph.load_models(many(6))
    made.graph.write_twins([TwinInput("a", "M1", {"size": 1}), TwinInput("b", "M2")])
    made.service = type(made.service)(
        made.graph,
        max_models=5,
        show=["M4"],
        clock=lambda: made.now,  # type: ignore[attr-defined]
    )
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plant, "now", 0.0, raising=False)


def test_beyond_the_bound_models_in_use_and_named_ones_have_types(crowd: Plant) -> None:
    assert crowd.ask("{ M1 { nodes { size } } M4 { totalCount } }") == {
        "M1": {"nodes": [{"size": 1.0}]},
        "M4": {"totalCount": 0},
    }
    assert crowd.refusal("{ M3 { totalCount } }")["code"] == "BAD_QUERY"
    assert crowd.refusal("{ Root { totalCount } }")["code"] == "BAD_QUERY"
    found = crowd.ask('{ twins(model: "Root") { nodes { id __typename } } }')
    assert found["twins"]["nodes"] == [
        {"id": "a", "__typename": "M1"},
        {"id": "b", "__typename": "M2"},
    ]


def test_twins_of_models_without_a_type_are_other_twins(crowd: Plant) -> None:
    crowd.graph.write_twins([TwinInput("c", "M3", {"size": 3})])
    query = '{ twin(id: "c") { __typename id model _values } }'
    assert crowd.ask(query)["twin"] == {
        "__typename": "OtherTwin",
        "id": "c",
        "model": "dtmi:plant:M3;1",
        "_values": {"size": 3.0},
    }
    crowd.service.refresh()
    assert crowd.ask(query)["twin"]["__typename"] == "M3"


def test_a_model_that_came_into_use_gets_its_type_after_a_while(
    crowd: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd.graph.write_twins([TwinInput("c", "M3")])
    monkeypatch.setattr(Plant, "now", 60.0, raising=False)
    assert crowd.ask("{ M3 { totalCount } }") == {"M3": {"totalCount": 1}}


def test_a_twin_of_a_model_without_a_type_shows_as_its_nearest_ancestor() -> None:
    made = Plant([])
    made.graph.load_models(many(6))
    made.graph.write_twins([TwinInput("r", "Root"), TwinInput("a", "M1", {"name": "one"})])
    made.service = type(made.service)(made.graph, max_models=5)
    made.graph.write_twins([TwinInput("c", "M3", {"name": "new"})])
    found = made.ask("{ Root { nodes { __typename id name } } }")
    assert found["Root"]["nodes"] == [
        {"__typename": "M1", "id": "a", "name": "one"},
        {"__typename": "Root_", "id": "c", "name": "new"},
        {"__typename": "Root_", "id": "r", "name": None},
    ]
    made.close()


@pytest.mark.skipif(not REAL_ESTATE.exists(), reason="reference data folder not there")
def test_three_hundred_real_models_make_a_schema() -> None:
    documents = [path.read_text() for path in sorted(REAL_ESTATE.rglob("*.json"))]
    ontology = parse(documents)
    names = Names.extend({}, ontology)
    used = frozenset(sorted(ontology.interfaces)[:300])
    start = time.process_time()
    schema = build_schema(ontology, names, used, None)
    spent = time.process_time() - start
    assert len(schema.shapes.of_model) == 300
    assert len(schema.core.type_map) > 2_000
    assert spent < 30, "two seconds where nothing else runs"
