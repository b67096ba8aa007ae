"""What both stores promise of writes, changes and models."""

from __future__ import annotations

import pytest

from tests.graph.plant import MOTOR, PUMP, TANK
from twinfall.graph.models import Models
from twinfall.graph.plan import Fetch, Page, Select
from twinfall.graph.store import StoredModels, TwinStore
from twinfall.graph.twins import Batch, Change, Deletion, Edge, Node, RelationshipKey
from twinfall.ontology.errors import Conflict, Unavailable

VALUES = {
    "name": "e\u0301 \U0001d4b3 'quoted' \"twice\" \\ `x` $p {y}",
    "on": False,
    "stages": -2,
    "turns": 2**63 - 1,
    "serial": 2**64 - 1,
    "flow": 0.1 + 0.2,
    "since": "2026-11-23T06:30:00.123456789Z",
    "built": "2026-11-23",
    "price": "12345678901234567890.10",
    "tags": ["b", "a", ""],
    "levels": [1.0, 5e-324],
    "labels": {"en": "x", "\U0001d4b3": "y", "": "z"},
    "shape": {"width": 1.0, "seen": "0001-01-01T00:00:00Z"},
    "mode": "r",
    "grade": 2,
}
P = Node("P", PUMP, VALUES, 3, "Main")
MOTOR_OF_P = Node("P/motor", MOTOR, {"power": 1.5}, 3, "P/motor", "P", "motor")
T = Node("T", TANK, {}, 1, "T")
FEEDS = Edge("P", "e:T", "feeds", "T", {"share": 0.5, "count": -(2**63), "note": ""})


def change(subject: str, kind: str = "twinWritten") -> Change:
    return Change(
        0,
        kind,  # type: ignore[arg-type]
        subject,
        PUMP,
        1,
        None,
        {"flow": 1.0, "motor": {}, "serial": 2**64 - 1},
        "2026-11-23T06:30:00.000001Z",
        "ada",
        "why \U0001d4b3",
    )


def fill(store: TwinStore) -> None:
    store.apply(Batch("first", (MOTOR_OF_P, P, T), edges=(FEEDS,), changes=(change("P"),)))


def same_types(one: object, other: object) -> bool:
    """Whether values are equal and of equal types all the way down."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_types(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_types, one, other))
    return type(one) is type(other) and one == other


def test_an_empty_store_is_empty(empty_store: TwinStore) -> None:
    assert empty_store.load_models() == StoredModels()
    assert empty_store.cursor() == 0
    assert empty_store.changes(0) == []
    assert empty_store.nodes(["P"]) == {}
    assert empty_store.fetch(Fetch(Page(1, count=True), Select())).total == 0
    assert list(empty_store.scan()) == []
    empty_store.ping()


def test_models_are_kept_and_names_only_grow(store: TwinStore, models: Models) -> None:
    stored = store.load_models()
    assert stored.documents == models.ontology.documents
    assert dict(stored.names) == dict(models.names.entries)
    assert stored.cursor == store.cursor() == 1
    names = {PUMP: "Other", "dtmi:x;1": "X"}
    cursor = store.save_models(
        StoredModels(stored.documents[:1], ('{"version":1}',), names),
        change("models", "modelsLoaded"),
    )
    again = store.load_models()
    assert cursor == again.cursor == 2
    assert again.documents == stored.documents[:1]
    assert again.dependencies == ('{"version":1}',)
    assert dict(again.names) == {**names, **stored.names}


def test_values_come_back_as_they_were_written(store: TwinStore) -> None:
    fill(store)
    nodes = store.nodes(["P", "T", "nobody"])
    assert nodes == {"P": P, "P/motor": MOTOR_OF_P, "T": T}
    assert same_types(dict(nodes["P"].values), VALUES)
    (row,) = store.fetch(Fetch(Page(1), Select(properties=tuple(VALUES)))).rows
    assert same_types(row.values, VALUES)
    assert store.nodes(["P/motor"]) == {"P/motor": MOTOR_OF_P}
    assert store.edges([("P", "e:T"), ("P", "no"), ("no", "e:T")]) == {("P", "e:T"): FEEDS}


def test_a_write_replaces_the_whole_twin(store: TwinStore) -> None:
    fill(store)
    fresh = Node("P", PUMP, {"flow": 1.0}, 4, "P")
    store.apply(Batch("second", (fresh, MOTOR_OF_P), expected={"P": 3}))
    assert store.nodes(["P"])["P"] == fresh
    assert store.edges_at(["P"]) == [FEEDS]


def test_a_relationship_is_replaced_name_and_target_too(store: TwinStore) -> None:
    fill(store)
    fresh = Edge("P", "e:T", "near", "P/motor")
    store.apply(Batch("second", edges=(fresh,)))
    assert store.edges_at(["T", "P", "P/motor"]) == [fresh]
    assert store.out_degree([("P", "feeds"), ("P", "near"), ("no", "near")]) == {
        ("P", "feeds"): 0,
        ("P", "near"): 1,
        ("no", "near"): 0,
    }


def test_a_dropped_twin_takes_its_relationships_along(store: TwinStore) -> None:
    fill(store)
    store.apply(Batch("second", drop_nodes=("T",)))
    assert store.edges_at(["P"]) == []
    assert store.counts().relationships in ({}, {"feeds": 0})
    assert store.size() == (sum(store.counts().twins.values()), 0)


def test_a_dropped_relationship_leaves_its_twins(store: TwinStore) -> None:
    fill(store)
    store.apply(Batch("second", drop_edges=(RelationshipKey("P", "e:T"),)))
    assert store.edges_at(["P"]) == []
    assert sorted(store.nodes(["P", "T"])) == ["P", "P/motor", "T"]


@pytest.mark.parametrize("expected", [{"P": 2}, {"P": 0}, {"P": 3, "X": 1}])
def test_another_version_than_expected_writes_nothing(
    store: TwinStore, expected: dict[str, int]
) -> None:
    fill(store)
    cursor = store.cursor()
    batch = Batch("second", (T, Node("N", TANK, {}, 1, "N")), expected=expected)
    with pytest.raises(Conflict) as caught:
        store.apply(batch)
    assert caught.value.code == "STALE_VERSION"
    assert store.nodes(["N"]) == {}
    assert store.cursor() == cursor


def test_the_same_batch_again_changes_nothing(store: TwinStore) -> None:
    batch = Batch("once", (P, MOTOR_OF_P), expected={"P": 0}, changes=(change("P"),))
    first = store.apply(batch)
    assert store.apply(batch) == first
    assert len(store.changes(1)) == 1


def test_changes_are_dense_and_in_order(store: TwinStore) -> None:
    subjects = [f"S{i}" for i in range(25)]
    for start in range(0, 25, 5):
        changes = tuple(change(subject) for subject in subjects[start : start + 5])
        assert store.apply(Batch(f"b{start}", changes=changes)) == start + 6
    found = store.changes(1)
    assert [entry.seq for entry in found] == list(range(2, 27))
    assert [entry.subject for entry in found] == subjects
    assert same_types(found[0].after, change("S0").after)
    assert (found[0].who, found[0].why, found[0].at) == (
        "ada",
        "why \U0001d4b3",
        "2026-11-23T06:30:00.000001Z",
    )
    assert [entry.seq for entry in store.changes(20, 3)] == [21, 22, 23]
    assert store.changes(26) == []


def test_deletions_are_told_apart_from_other_changes(store: TwinStore) -> None:
    kinds = ["twinWritten", "twinDeleted", "relationshipDeleted", "twinDeleted", "twinDeleted"]
    changes = tuple(change(f"S{i}", kind) for i, kind in enumerate(kinds))
    before = store.cursor()
    store.apply(Batch("some", changes=changes))
    at = "2026-11-23T06:30:00.000001Z"

    assert store.deletions(before) == [
        Deletion(before + 2, "S1", at),
        Deletion(before + 4, "S3", at),
        Deletion(before + 5, "S4", at),
    ]
    assert store.deletions(before + 2, 1) == [Deletion(before + 4, "S3", at)]
    assert store.deletions(before + 5) == []


def test_counts_tell_twins_from_components(store: TwinStore) -> None:
    fill(store)
    counts = store.counts()
    assert store.size() == (sum(counts.twins.values()), sum(counts.relationships.values()))
    assert dict(counts.twins) == {PUMP: 1, TANK: 1}
    assert dict(counts.components) == {MOTOR: 1}
    assert dict(counts.relationships) == {"feeds": 1}


def test_a_closed_store_says_so(store: TwinStore) -> None:
    store.close()
    for call in (store.ping, store.cursor, lambda: store.apply(Batch("late", (T,)))):
        with pytest.raises(Unavailable):
            call()


def test_an_empty_store_has_no_size(store) -> None:
    assert store.size() == (0, 0)
