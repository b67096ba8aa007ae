"""Work orders stand beside their twins, and in nobody's way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.graph.plant import PUMP, TANK
from twinfall.graph.plan import Fetch, Page, RelationSelect, Select
from twinfall.graph.store import TopologyRequest, TwinStore
from twinfall.graph.twins import Batch, Edge, Node, WorkOrderNode

pytestmark = pytest.mark.timeout(300)  # the first test also waits for Neo4j to start


def order(number: int = 1, twin: str = "P1", state: str = "open") -> WorkOrderNode:
    facts: dict[str, str | int | float | bool] = {"state": state, "priority": "high"}
    return WorkOrderNode(f"WO-{number}", twin, f"WO-{number} Look at it", facts)


@pytest.fixture
def filled(store: TwinStore) -> TwinStore:
    """A pump feeds a tank."""
    nodes = (Node("P1", PUMP, {}, 1, "P1"), Node("T1", TANK, {}, 1, "T1"))
    store.apply(Batch("all", nodes, edges=(Edge("P1", "e", "feeds", "T1", {}),)))
    return store


def test_a_work_order_stands_beside_its_twin(filled: TwinStore) -> None:
    filled.put_work_orders([order(2), order(1), order(3, "T1")])
    assert filled.work_orders(["P1"]) == [order(1), order(2)]
    assert filled.work_orders(["T1", "P1", "P1"]) == [order(1), order(2), order(3, "T1")]
    assert filled.work_orders([]) == []


def test_the_same_work_order_again_is_replaced(filled: TwinStore) -> None:
    filled.put_work_orders([order()])
    filled.put_work_orders([order()])
    filled.put_work_orders([order(state="closed")])
    assert filled.work_orders(["P1"]) == [order(state="closed")]


def test_a_work_order_can_move_to_another_twin(filled: TwinStore) -> None:
    filled.put_work_orders([order()])
    filled.put_work_orders([order(twin="T1")])
    assert filled.work_orders(["P1"]) == []
    assert filled.work_orders(["T1"]) == [order(twin="T1")]


def test_without_its_twin_a_work_order_stands_alone_until_it_is_put_again(
    filled: TwinStore,
) -> None:
    filled.put_work_orders([order()])
    filled.apply(Batch("gone", drop_nodes=("P1",)))
    assert filled.work_orders(["P1"]) == []
    filled.apply(Batch("back", (Node("P1", PUMP, {}, 1, "P1"),)))
    filled.put_work_orders([order()])
    assert filled.work_orders(["P1"]) == [order()]


def test_a_twin_written_anew_keeps_its_work_orders(filled: TwinStore) -> None:
    filled.put_work_orders([order()])
    filled.apply(Batch("again", (Node("P1", PUMP, {"flow": 2.0}, 2, "P1"),), expected={"P1": 1}))
    assert filled.work_orders(["P1"]) == [order()]


def test_text_in_a_work_order_stays_text(filled: TwinStore) -> None:
    hostile = "'} ) DETACH DELETE n // \"; DROP TABLE twins; \u2028 😀"
    put = WorkOrderNode("WO-1", "P1", hostile, {"title": hostile, "hours": 2.5, "urgent": True})
    filled.put_work_orders([put])
    assert filled.work_orders(["P1"]) == [put]


def everything(store: TwinStore) -> list[object]:
    """What every other question answers."""
    near = RelationSelect(None, "in", Page(first=9, count=True), Select(), None)
    starting = replace(near, direction="out")
    select = Select(whole=True, relations=(("in", near), ("out", starting)))
    return [
        store.counts(),
        store.cursor(),
        list(store.scan()),
        store.edges_at(["P1", "T1"]),
        store.topology(TopologyRequest(("feeds", "near"))).ids,
        store.out_degree([("P1", "feeds")]),
        store.fetch(Fetch(Page(first=9, count=True), select, components=True)),
    ]


def test_no_other_question_answers_work_orders(filled: TwinStore) -> None:
    before = everything(filled)
    filled.put_work_orders([order(), order(2, "T1")])
    assert everything(filled) == before
