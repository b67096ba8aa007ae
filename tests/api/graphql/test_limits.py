"""Queries that would cost too much are refused before anything is done for them."""

from __future__ import annotations

import contextlib

import pytest
from graphql import parse
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.graphql.plant import Plant
from twinfall.api.graphql.limits import (
    MAX_FIELDS,
    MAX_OVERLAPS,
    MAX_STEPS,
    Measure,
    measure,
    operation_of,
)
from twinfall.api.graphql.service import parsed
from twinfall.ontology.errors import Refused


def nested(levels: int) -> str:
    return (
        "{ Pump(first: 1) { nodes { "
        + "feeds(first: 1) { nodes { " * levels
        + "id"
        + " } }" * (levels + 1)
        + " }"
    )


def bomb(length: int, inner: str = "id") -> str:
    chain = [f"fragment f{n} on Twin {{ ...f{n + 1} ...f{n + 1} }}" for n in range(length)]
    chain.append(f"fragment f{length} on Twin {{ {inner} }}")
    return f'{{ twin(id: "P1") {{ ...f0 }} }} {" ".join(chain)}'


def branching(length: int) -> str:
    """Twice as many fields with every fragment."""
    chain = [
        f"fragment f{n} on Twin {{ a: _owner {{ ...f{n + 1} }} b: _owner {{ ...f{n + 1} }} }}"
        for n in range(length)
    ]
    return f'{{ twin(id: "P1") {{ ...f0 }} }} {" ".join(chain)} fragment f{length} on Twin {{ id }}'


REFUSED = {
    "deep": nested(12),
    "very deep": "{ a" * 400 + " }" * 400,
    "unreadably deep": "{a" * 990 + "}" * 990,
    "broad": "{ Pump { nodes { feeds(first: 30) { nodes { feeds(first: 30) "
    "{ nodes { id } } } } } } }",
    "broad with one large page": "{ Pump(first: 500) { nodes { feeds(first: 40) "
    "{ nodes { id } } } } }",
    "many root fields": "{" + " ".join(f'a{n}: twin(id: "P1") {{ id }}' for n in range(21)) + "}",
    "many fields": '{ twin(id: "P1") {' + " ".join(f"a{n}: id" for n in range(700)) + "} }",
    "many fragments": bomb(50),
    "many words": "{ twin(id: " + " " * 10 + '"P1") {' + " id" * 2100 + "} }",
    "long text": "{ service { version } } #" + "x" * 50_001,
    "duplicates": '{ twin(id: "P1") {' + " id" * 500 + "} }",
    "nested duplicates": '{ twin(id: "P1") {' + (" _owner {" + " id" * 40 + "}") * 40 + "} }",
    "a branching bomb": branching(16),
    "a bomb of connections": '{ twin(id: "P1") { ...f } } fragment f on Twin { _relationships '
    "{ nodes { twin { _relationships { nodes { twin { _relationships { "
    "nodes { twin { _relationships { nodes { id } } } } } } } } } } } }",
    "a loop": '{ twin(id: "P1") { ...f } } fragment f on Twin { _owner { ...f } }',
    "a loop through nodes": "{ twins { ...f } } fragment f on TwinConnection { nodes { ...f } }",
    "impacts by the page": "{ Pump(first: 200) { nodes { _impact { snapshot } } } }",
    "paths of impacts": '{ impact(failed: ["P1"]) { affected(first: 500) { nodes { path '
    "{ _relationships { nodes { id } } } } } } }",
    "deep introspection": "{ __schema { types { "
    + "fields { type { " * 8
    + "name"
    + " } }" * 8
    + " } } }",
}


@pytest.mark.parametrize("query", REFUSED.values(), ids=REFUSED)
def test_a_query_beyond_the_limits_is_refused_without_a_store_call(
    plant: Plant, query: str
) -> None:
    plant.store.calls.clear()
    answer = plant.answer(query)
    error = answer["errors"][0]
    assert "data" not in answer
    code = "BAD_QUERY" if "introspection" in error["message"].lower() else "TOO_COSTLY"
    assert error["extensions"]["code"] == code
    assert not plant.store.calls


@pytest.mark.parametrize(
    "query",
    [
        nested(8),
        bomb(18),
        bomb(49),
        "{ Pump(first: 500) { totalCount nodes { id } } }",
        "{ Pump { nodes { feeds { nodes { feeds { nodes { id } } } } } } }",
        "{ Pump { nodes { feeds(first: 15) { nodes { feeds(first: 20) { nodes { id } } } } } } }",
        '{ twin(id: "P1") { _owner { _owner { _owner { id } } } } }',
        "{" + " ".join(f'a{n}: twin(id: "P1") {{ id }}' for n in range(20)) + "}",
    ],
)
def test_a_query_within_the_limits_is_answered(plant: Plant, query: str) -> None:
    assert plant.ask(query)


def test_page_sizes_in_variables_count(plant: Plant) -> None:
    query = (
        "query($n: Int = 10) { Pump(first: $n) { nodes { feeds(first: $n) { nodes { id } } } } }"
    )
    assert plant.ask(query)
    assert plant.ask(query, n=90)
    assert plant.refusal(query, n=150)["code"] == "TOO_COSTLY"
    assert plant.refusal(query, n=10**9)["code"] == "TOO_COSTLY"
    assert plant.refusal(query, n="many")["code"] == "TOO_COSTLY"


def test_twins_named_by_id_are_counted_as_so_many(plant: Plant) -> None:
    below = "nodes { feeds { nodes { feeds { nodes { id } } } } } }"
    assert plant.ask(f'{{ Pump(where: {{id: {{eq: "P1"}}}}) {{ {below} }}')
    assert plant.ask(f'{{ Pump(where: {{id: {{in: ["P1", "P2"]}}}}) {{ {below} }}')
    query = f"query($w: PumpWhere, $i: [ID!]) {{ Pump(where: $w) {{ {below} }}"
    assert plant.ask(query.replace(", $i: [ID!]", ""), w={"id": {"eq": "P1"}})
    query = f"query($i: [ID!]) {{ Pump(first: 50, where: {{id: {{in: $i}}}}) {{ {below} }}"
    assert plant.ask(query, i=["P1"])
    assert plant.refusal(query, i=[f"P{n}" for n in range(40)])["code"] == "TOO_COSTLY"
    either = f'{{ Pump(first: 50, where: {{_or: [{{id: {{eq: "P1"}}}}, {{}}]}}) {{ {below} }}'
    assert plant.refusal(either)["code"] == "TOO_COSTLY"


def test_introspection_of_every_type_is_allowed(plant: Plant) -> None:
    from graphql import get_introspection_query

    query = get_introspection_query(descriptions=True)
    found = plant.ask(query)
    assert {"Pump", "PumpWhere"} <= {type_["name"] for type_ in found["__schema"]["types"]}
    assert plant.ask(query) == found


names = st.sampled_from(["f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7"])
selections = st.recursive(
    st.one_of(st.just("id"), names.map(lambda name: f"...{name}")),
    lambda inner: st.lists(inner, min_size=1, max_size=6).map(
        lambda parts: "a { " + " ".join(parts) + " }"
    ),
    max_leaves=30,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(selections, min_size=8, max_size=8), st.lists(selections, min_size=1, max_size=6))
def test_however_fragments_use_each_other_the_walk_stays_short(
    fragments: list[str], root: list[str]
) -> None:
    text = (
        "{ q { "
        + " ".join(root)
        + " } } "
        + " ".join(f"fragment f{n} on T {{ {body} }}" for n, body in enumerate(fragments))
    )
    document = parse(text)
    walked = Measure()
    with contextlib.suppress(Refused):
        measure(document, operation_of(document, None), {}, walked)
    assert walked.steps <= MAX_STEPS + 1
    assert walked.overlaps <= MAX_OVERLAPS + MAX_FIELDS


def test_a_document_of_comments_only_is_no_query(plant: Plant) -> None:
    assert plant.refusal("")["code"] == "BAD_QUERY"
    assert plant.refusal("  # nothing ")["code"] == "BAD_QUERY"
    with pytest.raises(Refused):
        parsed("{a" * 500)
