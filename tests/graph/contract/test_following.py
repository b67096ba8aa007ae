"""A topology that follows the change feed is the one that the store reads, row for row."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest

from tests.graph.contract.conftest import Effort, NewStore
from tests.graph.plant import ASSET, BIG_PUMP, DOCUMENTS, PUMP, TANK
from twinfall.graph.following import Changes, NotFollowed, followed, is_same
from twinfall.graph.graph import Graph
from twinfall.graph.store import Topology, TopologyRequest, TwinStore
from twinfall.graph.twins import RelationshipInput, RelationshipKey, TwinInput, TwinPatch

pytestmark = pytest.mark.timeout(300)
REQUEST = TopologyRequest(
    ("backs", "drainsTo", "feeds", "near", "wiredTo"),
    ("flow", "maker", "name", "on", "power", "serial", "since", "stages", "tags", "volume"),
    ("count", "note", "share"),
)
IDS = [f"{letter}{end}" for letter in "PQ" for end in ("", "1", "1-", "10", "!", "2")]
"""Among them are ids between which those of components lie."""
ADDRESSES = [*IDS, *(f"{id_}/motor" for id_ in IDS)]
VALUES: dict[str, list[Any]] = {
    "flow": [0.0, 1.5, 1e300],
    "name": ["north", "süd"],
    "on": [True, False],
    "serial": [0, 2**64 - 1],
    "since": ["2026-11-23T06:30:00Z", "2026-11-23T08:30:00.5+02:00"],
    "stages": [1, 2],
    "tags": [["a"], []],
    "motor": [{"power": 5.0}, {"maker": "M", "power": 7}, {}],
}
PROPERTIES: dict[str, list[Any]] = {"share": [0.5, 1.0], "count": [1, 7], "note": ["", "so"]}


def _some(choice: random.Random, values: dict[str, list[Any]]) -> dict[str, Any]:
    return {n: choice.choice(v) for n, v in values.items() if choice.random() < 0.4}


def _twin(choice: random.Random) -> TwinInput:
    model = choice.choice([PUMP, PUMP, BIG_PUMP, TANK, ASSET])
    if model in (PUMP, BIG_PUMP):
        return TwinInput(choice.choice(IDS), model, _some(choice, VALUES))
    given = {"volume": [1.0, 2.0]} if model == TANK else {"name": VALUES["name"]}
    return TwinInput(choice.choice(IDS), model, _some(choice, given))


def _relationship(choice: random.Random) -> RelationshipInput:
    name = choice.choice(REQUEST.relationships)
    end = ADDRESSES if name in ("near", "wiredTo", "drainsTo") else IDS
    source = choice.choice(ADDRESSES if name == "wiredTo" else IDS)
    id_ = choice.choice([None, None, "1", "2"])
    given = _some(choice, PROPERTIES) if name == "feeds" else {}
    return RelationshipInput(source, name, choice.choice(end), id_, given)


def _key(choice: random.Random) -> RelationshipKey:
    name, target = choice.choice(REQUEST.relationships), choice.choice(ADDRESSES)
    return RelationshipKey(choice.choice(IDS), choice.choice([f"{name}:{target}", "1", "2"]))


def write(graph: Graph, choice: random.Random) -> None:
    """One random batch; rows that the plant does not allow are left out."""
    times = range(choice.choice([1, 1, 3, 20]))
    kind = choice.choices(("twin", "patch", "gone", "relationship", "cut"), (4, 3, 1, 8, 3))[0]
    if kind == "twin":
        graph.write_twins([_twin(choice) for _ in times], partial=True)
    elif kind == "patch":
        patch: dict[str, Any] = {**_some(choice, VALUES), choice.choice([*VALUES]): None}
        graph.patch_twins([TwinPatch(choice.choice(IDS), patch) for _ in times], partial=True)
    elif kind == "gone":
        graph.delete_twins([choice.choice(IDS)], partial=True)
    elif kind == "relationship":
        graph.write_relationships([_relationship(choice) for _ in times], partial=True)
    else:
        graph.delete_relationships([_key(choice) for _ in times], partial=True)


def same(found: Topology, fresh: Topology) -> None:
    assert found.cursor == fresh.cursor
    assert found.ids == fresh.ids
    assert [found.models[i] for i in found.model] == [fresh.models[i] for i in fresh.model]
    assert found.models == sorted(found.models)
    np.testing.assert_array_equal(found.owner, fresh.owner)
    assert found.component == fresh.component
    assert _text(found.values) == _text(fresh.values)
    assert found.edges.keys() == fresh.edges.keys()
    for name, edges in found.edges.items():
        other = fresh.edges[name]
        np.testing.assert_array_equal(edges.source, other.source)
        np.testing.assert_array_equal(edges.target, other.target)
        assert edges.ids == other.ids
        assert _text(edges.properties) == _text(other.properties)
        assert edges.source.dtype == other.source.dtype == np.int32


def _text(columns: Any) -> bytes:
    """As JSON, which tells 1, 1.0 and true apart."""
    plain = {name: dict(column) for name, column in columns.items()}
    return orjson.dumps(plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)


def changes_since(graph: Graph, cursor: int) -> Changes:
    found = Changes(cursor)
    while page := graph.changes(found.cursor, 7):
        found.take(page)
    return found


def test_whatever_is_written_the_followed_topology_is_the_one_that_is_read(
    new_store: NewStore, effort: Effort
) -> None:
    for seed in range(effort(24)):
        choice = random.Random(seed)
        with new_store() as store:
            graph = _plant(store)
            topology = graph.topology(REQUEST)
            for _ in range(12):
                for _ in range(choice.choice([1, 1, 2, 10])):
                    write(graph, choice)
                changes = changes_since(graph, topology.cursor)
                topology = followed(topology, REQUEST, graph.ontology, changes)
                same(topology, graph.topology(REQUEST))


def _plant(store: TwinStore) -> Graph:
    graph = Graph(store)
    graph.load_models(DOCUMENTS)
    return graph


@pytest.fixture
def graph(new_store: NewStore) -> Iterator[Graph]:
    with new_store() as store:
        graph = _plant(store)
        graph.write_twins([TwinInput(id_, PUMP, {"flow": 1.0}) for id_ in "AB"])
        graph.write_twins([TwinInput("T", TANK)])
        graph.write_relationships([RelationshipInput("A", "feeds", "T")])
        yield graph


def test_what_is_not_asked_for_leaves_the_topology_as_it_is(graph: Graph) -> None:
    topology = graph.topology(REQUEST)
    graph.patch_twins([TwinPatch("A", {"weight": 5.0, "spare": {"power": 1.0}})])
    graph.patch_twins([TwinPatch("A", {"flow": 2.0})])
    graph.patch_twins([TwinPatch("A", {"flow": 1.0, "spare": {"power": None}})])
    graph.delete_relationships([RelationshipKey("A", "feeds:T")])
    graph.write_relationships([RelationshipInput("A", "feeds", "T")])

    found = followed(topology, REQUEST, graph.ontology, changes_since(graph, topology.cursor))

    assert is_same(found, topology)
    assert found.cursor == graph.cursor()


def test_a_gap_in_the_feed_is_not_followed(graph: Graph) -> None:
    cursor = graph.cursor()
    graph.patch_twins([TwinPatch("A", {"flow": 2.0})])
    graph.patch_twins([TwinPatch("A", {"flow": 3.0})])

    with pytest.raises(NotFollowed, match=f"change {cursor + 1}"):
        Changes(cursor).take(graph.changes(cursor + 1))


def test_a_model_that_is_not_known_is_not_followed(graph: Graph) -> None:
    topology, before = graph.topology(REQUEST), graph.ontology
    late = {**DOCUMENTS[2], "@id": "dtmi:plant:Late;1"}
    graph.load_models([late])
    graph.write_twins([TwinInput("L", "dtmi:plant:Late;1")])

    with pytest.raises(NotFollowed, match="not loaded"):
        followed(topology, REQUEST, before, changes_since(graph, topology.cursor))


def test_what_is_followed_leaves_the_topology_before_untouched(graph: Graph) -> None:
    topology = graph.topology(REQUEST)
    kept = replace(topology, ids=list(topology.ids), model=topology.model.copy())
    graph.write_twins([TwinInput("A", BIG_PUMP, {"flow": 9.0}), TwinInput("0", TANK)])

    found = followed(topology, REQUEST, graph.ontology, changes_since(graph, topology.cursor))

    assert "0" in found.ids
    same(topology, kept)
    same(found, graph.topology(REQUEST))
