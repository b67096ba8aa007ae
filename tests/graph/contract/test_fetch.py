"""Both stores answer every plan as the oracle does."""

from __future__ import annotations

import math
import random
import struct
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.graph.contract.conftest import Effort, NewStore, with_plant
from tests.graph.contract.generated import plans, plants
from tests.graph.contract.oracle import Oracle, without_cursors
from tests.graph.plant import MOTOR, PUMP, TANK
from twinfall.graph.models import Models
from twinfall.graph.plan import (
    All,
    Compare,
    Condition,
    Either,
    Fetch,
    FieldRef,
    Ids,
    IsA,
    Not,
    Page,
    Related,
    RelationSelect,
    Select,
    Sort,
)
from twinfall.graph.store import TwinStore
from twinfall.graph.twins import Batch, Edge, Node
from twinfall.ontology.errors import BadQuery

pytestmark = [
    pytest.mark.timeout(300),  # the first test also waits for Neo4j to start
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]
# Shrinking takes minutes here; the first counter-example is printed as it was found.
FIRST = [Phase.explicit, Phase.reuse, Phase.generate]
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


def fill(store: TwinStore, plant: Oracle, id_: str = "all") -> None:
    store.apply(Batch(id_, tuple(plant.nodes.values()), edges=tuple(plant.edges.values())))


def test_every_plan_is_answered_as_the_oracle_answers_it(
    new_store: NewStore, models: Models, effort: Effort
) -> None:
    @settings(max_examples=effort(40), deadline=None, phases=FIRST, suppress_health_check=SLOW)
    @given(plant=plants(), some=st.lists(plans(), min_size=1, max_size=2))
    def answers_alike(plant: Oracle, some: list[Fetch]) -> None:
        with new_store() as store:
            fill(with_plant(store, models), plant)
            for plan in some:
                assert without_cursors(store.fetch(plan)) == plant.fetch(plan)

    answers_alike()


def test_pages_joined_are_the_whole_answer_in_order(
    new_store: NewStore, models: Models, effort: Effort
) -> None:
    @settings(max_examples=effort(24), deadline=None, phases=FIRST, suppress_health_check=SLOW)
    @given(plant=plants(), plan=plans())
    def pages_join(plant: Oracle, plan: Fetch) -> None:
        plan = replace(plan, select=Select(properties=("name",)))
        whole = plant.fetch(replace(plan, page=replace(plan.page, first=1000)))
        with new_store() as store:
            fill(with_plant(store, models), plant)
            page, found = replace(plan.page, first=2), []
            for _ in range(30):
                answer = store.fetch(replace(plan, page=page))
                found += answer.rows
                assert answer.total == whole.total
                if not answer.more:
                    break
                page = replace(page, after=answer.rows[-1].cursor)
            assert [row.id for row in found] == [row.id for row in whole.rows]

    pages_join()


def edges_page(store: TwinStore, pump: str, page: Page) -> list[str]:
    relation = RelationSelect("feeds", "out", page, Select())
    plan = Fetch(Page(1, where=Ids((pump,))), Select(relations=(("r", relation),)))
    return store.fetch(plan).rows[0].relations["r"].rows


def test_a_page_of_relationships_goes_on_after_its_cursor(store: TwinStore) -> None:
    nodes = [Node("P", PUMP, {}, 1, "P"), *(Node(f"T{i}", TANK, {}, 1, "T") for i in range(7))]
    shares = [0.3, None, 0.1 + 0.2, 0.3, None, -1.0, 0.3]
    edges = [
        Edge("P", f"e{i}", "feeds", f"T{i}", {} if share is None else {"share": share})
        for i, share in enumerate(shares)
    ]
    store.apply(Batch("b", tuple(nodes), edges=tuple(edges)))
    for descending, expected in ((False, "5036214"), (True, "1420365")):
        sort = (Sort(FieldRef("share", "float", "edge"), descending),)
        found, after = "", None
        for _ in range(4):
            rows = edges_page(store, "P", Page(2, after=after, sort=sort))
            found += "".join(row.id[1] for row in rows)
            after = rows[-1].cursor
        assert found == expected


def test_a_cursor_of_another_query_is_refused(store: TwinStore) -> None:
    store.apply(Batch("b", (Node("P", PUMP, {}, 1, "P"),)))
    with pytest.raises(BadQuery):
        store.fetch(Fetch(Page(1, after=("P", "Q", "R")), Select()))


def test_structured_properties_have_no_order(store: TwinStore) -> None:
    for kind in ("list", "json"):
        with pytest.raises(BadQuery):
            store.fetch(Fetch(Page(1, sort=(Sort(FieldRef("tags", kind)),)), Select()))


def test_components_are_listed_only_when_asked_for(store: TwinStore) -> None:
    nodes = (Node("P", PUMP, {}, 1, "P"), Node("P/motor", MOTOR, {}, 1, "m", "P", "motor"))
    store.apply(Batch("b", nodes))

    def ids(plan: Fetch) -> list[str]:
        return [row.id for row in store.fetch(plan).rows]

    assert ids(Fetch(Page(9), Select())) == ["P"]
    assert ids(Fetch(Page(9), Select(), components=True)) == ["P", "P/motor"]
    assert ids(Fetch(Page(9, where=Ids(("P/motor",))), Select())) == ["P/motor"]
    assert ids(Fetch(Page(9, where=All((IsA((MOTOR,)), Ids(("P/motor",))))), Select())) == [
        "P/motor"
    ]


def test_texts_are_values_and_never_syntax(store: TwinStore) -> None:
    nasty = "x') OR 1=1 --\" } RETURN `n` \\"
    store.apply(Batch("b", (Node("P", PUMP, {"name": nasty}, 1, nasty),)))
    name = FieldRef("name", "text")
    for op in ("eq", "contains", "startsWith", "endsWith"):
        found = store.fetch(Fetch(Page(9, where=Compare(name, op, nasty)), Select(("name",))))
        assert [row.values for row in found.rows] == [{"name": nasty}]
    assert store.fetch(Fetch(Page(9, where=Compare(name, "eq", nasty + " ")), Select())).rows == []


def doubles(count: int) -> list[float]:
    """Doubles from random bits: every magnitude, all seventeen digits."""
    chance = random.Random(20261123)
    found = (struct.unpack("<d", chance.randbytes(8))[0] for _ in range(2 * count))
    return [number for number in found if math.isfinite(number)][:count]


def test_every_double_is_found_by_its_own_value_and_in_its_place(store: TwinStore) -> None:
    numbers = doubles(400)
    nodes = [Node(f"T{i}", TANK, {"volume": x}, 1, "T") for i, x in enumerate(numbers)]
    store.apply(Batch("b", tuple(nodes)))
    volume = FieldRef("volume", "float")
    for i, number in enumerate(numbers[:40]):
        page = store.fetch(Fetch(Page(9, where=Compare(volume, "eq", number)), Select()))
        assert [row.id for row in page.rows] == [f"T{i}"]
    found: list[float] = []
    after = None
    while len(found) < len(numbers):
        page = store.fetch(Fetch(Page(37, after=after, sort=(Sort(volume),)), Select(("volume",))))
        found += [row.values["volume"] for row in page.rows]
        after = page.rows[-1].cursor
    assert found == sorted(numbers)


def test_not_is_true_wherever_its_condition_is_not(store: TwinStore) -> None:
    nodes = (Node("T1", TANK, {"volume": 1.0}, 1, "T"), Node("T2", TANK, {}, 1, "T"))
    edges = (Edge("T1", "e", "near", "T2"), Edge("T2", "e", "near", "T1"))
    store.apply(Batch("b", nodes, edges=edges))

    def ids(where: Condition) -> list[str]:
        return [row.id for row in store.fetch(Fetch(Page(9, where=where), Select())).rows]

    big = Compare(FieldRef("volume", "float"), "gt", 0.0)
    assert ids(big) == ["T1"]
    assert ids(Not(big)) == ["T2"]
    assert ids(Not(Not(big))) == ["T1"]
    assert ids(Related("near", "out", "all", big)) == ["T2"]
    assert ids(Related("near", "out", "all", Not(big))) == ["T1"]
    assert ids(Not(Compare(FieldRef("volume", "float"), "in", [2.0]))) == ["T1", "T2"]
    assert ids(Not(Compare(FieldRef("name", "text"), "contains", ""))) == ["T1", "T2"]
    assert ids(Either((Not(big), Compare(FieldRef("volume", "float"), "null", True)))) == ["T2"]
    assert ids(Either(())) == []
    assert ids(Not(All(()))) == []


def test_a_rewritten_value_is_found_by_its_new_value_only(store: TwinStore) -> None:
    volume = FieldRef("volume", "float")
    for version, value in ((1, 1.5), (2, 2.5)):
        store.apply(Batch(f"b{version}", (Node("T", TANK, {"volume": value}, version, "T"),)))
    for value, found in ((1.5, 0), (2.5, 1)):
        page = store.fetch(Fetch(Page(9, where=Compare(volume, "eq", value)), Select()))
        assert len(page.rows) == found


def test_many_ids_are_one_question(store: TwinStore) -> None:
    store.apply(Batch("b", tuple(Node(f"T{i}", TANK, {}, 1, "T") for i in range(100))))
    ids = tuple(f"T{i}" for i in range(40_000))
    found = store.fetch(Fetch(Page(1000, where=Ids(ids), count=True), Select()))
    assert found.total == 100


def test_deeply_nested_conditions_and_selections_are_answered(store: TwinStore) -> None:
    nodes = tuple(Node(f"T{i}", TANK, {}, 1, "T") for i in range(8))
    edges = tuple(Edge(f"T{i}", "e", "near", f"T{i + 1}") for i in range(7))
    store.apply(Batch("b", nodes, edges=edges))
    where, select = Ids(("T7",)), Select()
    for _ in range(7):
        where = Related("near", "out", "some", where)
        select = Select(relations=(("n", RelationSelect("near", "out", Page(5), select)),))
    (row,) = store.fetch(Fetch(Page(9, where=where), select)).rows
    assert row.id == "T0"
    for i in range(1, 8):
        row = row.relations["n"].rows[0].other
        assert row.id == f"T{i}"
