"""What happens to twins that are written, patched and deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graph.plant import BIG_PUMP, MOTOR, PUMP, TANK
from twinfall.graph.graph import MAX_BATCH, Graph
from twinfall.graph.plan import Fetch, Ids, Page, Row, Select
from twinfall.graph.twins import RelationshipInput, TwinInput, TwinPatch
from twinfall.ontology.errors import BadRows, Refused, RowError


def pump(values: dict[str, Any] | None = None, id_: str = "P1", **more: Any) -> TwinInput:
    return TwinInput(id_, PUMP, values or {}, **more)


def read(graph: Graph, id_: str = "P1") -> Row:
    (row,) = graph.fetch(Fetch(Page(1, where=Ids((id_,))), Select(whole=True))).rows
    return row


def refused(graph: Graph, *twins: TwinInput | TwinPatch) -> list[RowError]:
    write: Any = graph.patch_twins if isinstance(twins[0], TwinPatch) else graph.write_twins
    before = graph.counts()
    with pytest.raises(BadRows) as caught:
        write(twins)
    assert graph.counts() == before
    return list(caught.value.rows)


def test_a_written_twin_is_read_back_with_all_its_components(graph: Graph) -> None:
    graph.write_twins([pump({"name": "Main", "motor": {"power": 3}})])
    row = read(graph)
    assert (row.model, row.version, row.caption) == (PUMP, 1, "Main")
    assert row.values == {"name": "Main", "motor": {"power": 3.0}, "spare": {}}
    assert read(graph, "P1/motor").model == MOTOR


def test_a_model_may_be_named_by_its_registered_name(graph: Graph) -> None:
    graph.write_twins([TwinInput("P1", graph.names.of(PUMP))])
    assert read(graph).model == PUMP


def test_each_change_moves_the_version_and_a_repetition_does_not(graph: Graph) -> None:
    for flow, version in ((1, 1), (1.0, 1), (2, 2), (2, 2)):
        report = graph.write_twins([pump({"flow": flow})])
        assert (report.written, read(graph).version) == (1, version)
    assert graph.cursor() == report.cursor == 3  # models, and two changes


def test_a_component_moves_with_the_version_of_its_owner(graph: Graph) -> None:
    graph.write_twins([pump()])
    graph.patch_twins([TwinPatch("P1", {"motor": {"power": 1.5}})])
    assert read(graph).version == read(graph, "P1/motor").version == 2
    assert read(graph, "P1/spare").version == 2


def test_one_is_not_true_where_the_schema_leaves_both(graph: Graph) -> None:
    graph.write_twins([pump({"labels": {"en": "1"}})])
    (bad,) = refused(graph, pump({"on": 1}))
    assert (bad.code, bad.path) == ("BAD_VALUE", "/on")


def test_a_whole_write_replaces_and_a_patch_merges(graph: Graph) -> None:
    graph.write_twins([pump({"name": "A", "flow": 1, "motor": {"power": 1, "maker": "m"}})])
    graph.patch_twins([TwinPatch("P1", {"flow": None, "motor": {"power": 2}})])
    assert read(graph).values == {
        "name": "A",
        "motor": {"power": 2.0, "maker": "m"},
        "spare": {},
    }
    graph.write_twins([pump({"flow": 5})])
    assert read(graph).values == {"flow": 5.0, "motor": {}, "spare": {}}


def test_values_are_stored_in_their_canonical_form(graph: Graph) -> None:
    graph.write_twins(
        [
            pump(
                {
                    "flow": -0.0,
                    "levels": [1, 2.5],
                    "serial": 2**64 - 1,
                    "turns": -(2**63),
                    "since": "2026-11-23T08:30:00.1200+02:00",
                    "shape": {"width": 1, "seen": "2026-11-23T00:00:00-00:30"},
                    "price": "0.10",
                    "stages": None,
                }
            )
        ]
    )
    values = read(graph).values
    assert str(values["flow"]) == "0.0"
    assert [type(level) for level in values["levels"]] == [float, float]
    assert (values["serial"], values["turns"]) == (2**64 - 1, -(2**63))
    assert values["since"] == "2026-11-23T06:30:00.12Z"
    assert values["shape"] == {"width": 1.0, "seen": "2026-11-23T00:30:00Z"}
    assert values["price"] == "0.10"
    assert "stages" not in values


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+01:00", "2026-11-23T06:30:00.1234567891Z"])
def test_a_time_that_cannot_be_kept_exactly_is_refused(graph: Graph, text: str) -> None:
    (bad,) = refused(graph, pump({"since": text}))
    assert (bad.code, bad.path) == ("BAD_VALUE", "/since")


@pytest.mark.parametrize(
    ("values", "caption"),
    [
        ({}, "P1"),
        ({"name": " "}, "P1"),
        ({"name": " Main "}, "Main"),
        ({"name": "x" * 300}, "x" * 256),
    ],
)
def test_people_read_the_name_or_else_the_id(
    graph: Graph, values: dict[str, Any], caption: str
) -> None:
    graph.write_twins([pump(values)])
    assert read(graph).caption == caption


def test_every_bad_row_is_named_with_place_and_cure_and_nothing_is_written(graph: Graph) -> None:
    rows = refused(
        graph,
        pump({"flow": 1}, "good"),
        pump({"flwo": 1, "stages": "two"}, "a"),
        pump({"motor": {"powr": 1}}, "b"),
        TwinInput("c", "dtmi:plant:Pmup;1"),
        pump({}, "no/such"),
        pump({}, ""),
        pump({}, "x" * 129),
        pump({}, "with space"),
        pump({}, "nul\0"),
        pump({"speed": 1}, "d"),
        pump({"feeds": "T1"}, "e"),
        pump({"motor": 3}, "f"),
        pump({}, "good"),
    )
    assert [(row.index, row.code, row.path) for row in rows] == [
        (1, "UNKNOWN_NAME", "/flwo"),
        (1, "BAD_VALUE", "/stages"),
        (2, "UNKNOWN_NAME", "/motor/powr"),
        (3, "UNKNOWN_NAME", ""),
        (4, "IS_COMPONENT", ""),
        (5, "BAD_ID", ""),
        (6, "BAD_ID", ""),
        (7, "BAD_ID", ""),
        (8, "BAD_ID", ""),
        (9, "NOT_ALLOWED", "/speed"),
        (10, "NOT_ALLOWED", "/feeds"),
        (11, "BAD_VALUE", "/motor"),
        (12, "DUPLICATE", ""),
    ]
    cures = {row.index: row.cure for row in rows}
    assert "'power'" in cures[2]
    assert PUMP in cures[3]
    assert '"such"' in cures[4]
    assert "/ingest" in cures[9]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "BAD_VALUE"),
        (float("inf"), "BAD_VALUE"),
        (10**400, "BAD_VALUE"),
        (2**64, "BAD_VALUE"),
        ("\ud800", "BAD_VALUE"),
        ("a\0b", "BAD_VALUE"),
        ("x" * 65_537, "TOO_LARGE"),
        (object(), "BAD_VALUE"),
    ],
)
def test_no_value_without_end_or_form_gets_in(graph: Graph, value: Any, code: str) -> None:
    (bad,) = refused(graph, pump({"labels": {"x": [value]}}))
    assert (bad.code, bad.path) == (code, "/labels/x/0")


def test_a_value_nested_without_end_is_refused(graph: Graph) -> None:
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]
    (bad,) = refused(graph, pump({"tags": deep}))
    assert bad.code == "TOO_LARGE"


def test_a_twin_larger_than_a_megabyte_is_refused(graph: Graph) -> None:
    (bad,) = refused(graph, pump({"tags": ["x" * 60_000] * 20}))
    assert bad.code == "TOO_LARGE"


def test_a_batch_has_a_bound(graph: Graph) -> None:
    with pytest.raises(Refused) as caught:
        graph.write_twins([pump()] * (MAX_BATCH + 1))
    assert caught.value.code == "TOO_LARGE"


def test_a_write_may_ask_for_the_version_it_saw(graph: Graph) -> None:
    graph.write_twins([pump({"flow": 1}, if_version=0)])
    graph.write_twins([pump({"flow": 2}, if_version=1)])
    graph.patch_twins([TwinPatch("P1", {"flow": 3}, if_version=2)])
    for row, code in (
        (pump(if_version=0), "EXISTS"),
        (pump(if_version=2), "STALE_VERSION"),
        (pump(if_version=1, id_="P2"), "STALE_VERSION"),
        (TwinPatch("P1", {}, if_version=1), "STALE_VERSION"),
    ):
        (bad,) = refused(graph, row)
        assert bad.code == code
    assert read(graph).values["flow"] == 3


def test_a_component_is_patched_through_its_owner_only(graph: Graph) -> None:
    graph.write_twins([pump()])
    (bad,) = refused(graph, TwinPatch("P1/motor", {"power": 1}))
    assert (bad.code, bad.cure) == ("IS_COMPONENT", 'write twin P1 with {"motor": {...}}')


def test_a_patch_of_no_twin_is_refused(graph: Graph) -> None:
    (bad,) = refused(graph, TwinPatch("P9", {"flow": 1}))
    assert bad.code == "UNKNOWN_TWIN"


def test_a_partial_write_keeps_the_good_rows(graph: Graph) -> None:
    report = graph.write_twins([pump({"flow": "x"}, "bad"), pump({}, "good")], partial=True)
    assert (report.written, [row.index for row in report.refused]) == (1, [0])
    assert read(graph, "good").version == 1


def test_deleting_a_twin_takes_components_and_relationships_along(graph: Graph) -> None:
    graph.write_twins([pump(), TwinInput("T1", TANK), TwinInput("T2", TANK)])
    graph.write_relationships(
        [
            RelationshipInput("P1", "feeds", "T1"),
            RelationshipInput("P1/motor", "wiredTo", "T2"),
            RelationshipInput("T1", "near", "P1/spare"),
            RelationshipInput("T1", "near", "T2"),
        ]
    )
    start = graph.cursor()
    graph.delete_twins(["P1"])
    counts = graph.counts()
    assert (counts.twins, counts.components) == ({TANK: 2}, {})
    assert counts.relationships == {"near": 1}
    assert [(change.kind, change.subject) for change in graph.changes(start)] == [
        ("relationshipDeleted", "P1/feeds:T1"),
        ("relationshipDeleted", "P1/motor/wiredTo:T2"),
        ("relationshipDeleted", "T1/near:P1/spare"),
        ("twinDeleted", "P1"),
    ]


@pytest.mark.parametrize(
    ("ids", "code"),
    [(["P9"], "UNKNOWN_TWIN"), (["P1/motor"], "IS_COMPONENT"), (["P1", "P1"], "DUPLICATE")],
)
def test_what_is_not_there_cannot_be_deleted(graph: Graph, ids: list[str], code: str) -> None:
    graph.write_twins([pump()])
    with pytest.raises(BadRows) as caught:
        graph.delete_twins(ids)
    assert [row.code for row in caught.value.rows] == [code]
    assert read(graph).id == "P1"


def test_a_twin_may_change_its_model_while_its_relationships_stay_allowed(graph: Graph) -> None:
    graph.write_twins([pump({"flow": 1}), TwinInput("T1", TANK), TwinInput("T2", TANK)])
    graph.write_relationships([RelationshipInput("P1", "feeds", "T1")])
    graph.write_twins([TwinInput("P1", BIG_PUMP, {"flow": 1})])
    assert (read(graph).model, read(graph).version) == (BIG_PUMP, 2)
    (bad,) = refused(graph, TwinInput("P1", TANK))
    assert bad.code == "NOT_ALLOWED"
    (bad,) = refused(graph, TwinInput("T1", PUMP))
    assert bad.code == "NOT_ALLOWED"
    graph.write_twins([TwinInput("T2", PUMP)])
    assert read(graph, "T2/motor").owner is None


def test_components_that_a_new_model_lacks_go_unless_something_is_tied_to_them(
    graph: Graph,
) -> None:
    graph.write_twins([pump(), TwinInput("T1", TANK)])
    graph.write_relationships([RelationshipInput("T1", "near", "P1/motor")])
    (bad,) = refused(graph, TwinInput("P1", TANK))
    assert "P1/motor" in bad.message
    graph.delete_twins(["T1"])
    graph.write_twins([TwinInput("P1", TANK)])
    assert graph.counts().components == {}


def test_a_change_says_who_why_when_and_what(graph: Graph) -> None:
    graph.write_twins([pump({"flow": 1})], who="ada", why="survey")
    graph.patch_twins([TwinPatch("P1", {"flow": 2})], who="bob")
    first, second = graph.changes(1)
    assert (first.seq, first.kind, first.subject, first.model) == (2, "twinWritten", "P1", PUMP)
    assert (first.who, first.why, first.version, first.before) == ("ada", "survey", 1, None)
    assert first.after == second.before == {"flow": 1.0, "motor": {}, "spare": {}}
    assert (second.version, second.after["flow"], second.who) == (2, 2.0, "bob")
    assert first.at.endswith("Z")
    assert first.at <= second.at
