"""The arrays follow the graph: compiled anew where a change matters to them, and only there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.plant import DOCUMENTS, PREFIX, answer_alike
from twinfall.analytics import AssetNetwork, topology_request
from twinfall.api.networks import LiveNetwork
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, RelationshipKey, TwinInput, TwinPatch

UNIT = f"{PREFIX}Unit;1"
RESERVE = {"from": "reserve", "default": "PT0S"}
DECLARED = {
    UNIT: {
        "asset": {"customers": {"from": "people", "default": 1}},
        "contents": {"needs": {"dependent": "source", "autonomy": RESERVE}},
    }
}


def _graph() -> Graph:
    graph = Graph(SQLiteStore(":memory:"))
    graph.load_models(DOCUMENTS, [{"version": 1, "interfaces": DECLARED}])
    graph.write_twins([TwinInput(id_, UNIT, {"people": 2}) for id_ in "ABC"])
    graph.write_relationships([RelationshipInput("B", "needs", "A")])
    return graph


@pytest.fixture
def graph() -> Iterator[Graph]:
    graph = _graph()
    yield graph
    graph.store.close()


def test_a_change_that_matters_to_nothing_keeps_the_arrays_and_moves_the_version(
    graph: Graph,
) -> None:
    networks = LiveNetwork(graph)
    before = networks.current()
    graph.patch_twins([TwinPatch("A", {"worth": 5.0})])
    graph.write_relationships([RelationshipInput("C", "near", "A")])

    after = networks.current()

    assert after.compiled is before.compiled
    assert after.cursor == graph.cursor() > before.cursor
    assert after.snapshot != before.snapshot
    assert after.snapshot.startswith(str(graph.cursor()))


@pytest.mark.parametrize(
    "change",
    [
        lambda g: g.patch_twins([TwinPatch("A", {"people": 5})]),
        lambda g: g.patch_twins([TwinPatch("B", {"reserve": "PT1H"})]),
        lambda g: g.write_twins([TwinInput("D", UNIT)]),
        lambda g: g.delete_twins(["C"]),
        lambda g: g.write_relationships([RelationshipInput("C", "needs", "A")]),
        lambda g: g.delete_relationships([RelationshipKey("B", "needs:A")]),
        lambda g: g.write_twins([TwinInput("C", f"{PREFIX}Machine;1", {"bearing": {}})]),
    ],
)
def test_a_change_that_matters_is_in_the_next_answer(graph: Graph, change: Any) -> None:
    networks = LiveNetwork(graph)
    before = networks.current()

    change(graph)

    assert networks.current().compiled is not before.compiled


_ID = st.sampled_from("ABCDE")
_WRITES = st.one_of(
    st.tuples(st.just("twin"), _ID, st.sampled_from(["people", "worth"]), st.integers(0, 3)),
    st.tuples(st.just("link"), _ID, st.sampled_from(["needs", "near"]), _ID),
    st.tuples(st.just("gone"), _ID, st.just(""), st.just(0)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(_WRITES, max_size=3), min_size=1, max_size=6))
def test_the_arrays_answer_as_if_compiled_just_now(rounds: Any) -> None:
    graph = _graph()
    networks = LiveNetwork(graph)
    networks.current()
    for writes in rounds:
        for write in writes:
            _write(graph, *write)
        request = topology_request(graph.ontology, graph.dependencies)
        fresh = AssetNetwork.compile(graph.topology(request), graph.ontology, graph.dependencies)

        found = networks.current()

        answer_alike(found, fresh)
    graph.store.close()


def _write(graph: Graph, kind: str, id_: str, name: str, value: Any) -> None:
    known = graph.store.nodes(list("ABCDE"))
    if kind == "twin":
        graph.write_twins([TwinInput(id_, UNIT, {name: value})])
    elif kind == "gone" and id_ in known:
        graph.delete_twins([id_])
    elif kind == "link" and id_ in known and value in known and id_ != value:
        graph.write_relationships([RelationshipInput(id_, name, value)])


def test_an_id_that_is_used_again_stands_for_the_new_twin_only(graph: Graph) -> None:
    networks = LiveNetwork(graph)
    before = networks.current()
    graph.delete_twins(["A"])
    graph.write_twins([TwinInput("A", UNIT, {"people": 7})])

    after = networks.current()

    assert [row.id for row in before.impact(["A"]).affected()] == ["B"]
    assert after.impact(["A"]).count == 0
    assert after.impact(["B"]).count == 0
