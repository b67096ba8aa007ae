"""One store call per root field, whatever is asked below it."""

from __future__ import annotations

import pytest

from tests.api.graphql.plant import Plant

DEEP = """{
  Pump(first: 100, where: {feeds: {some: {name: {contains: "T"}}, none: {name: {eq: "x"}}}}) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { cursor node {
      id _name _version _values
      motor { power poweredBy(first: 5) { totalCount nodes { voltage } } }
      feeds(first: 3, where: {feeds: {some: {}}}) {
        totalCount
        edges { properties { share } node { id feeds(first: 2) { totalCount nodes { id } } } }
      }
      _relationships(first: 2) { totalCount nodes { name twin { id } } }
    } }
  }
}"""


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        (DEEP, 1),
        ('{ twin(id: "P1") { id _owner { id } ... on Pump { motor { id } } } }', 1),
        (
            "{ twins(first: 100) { totalCount nodes { ... on Pump { feeds { nodes { id } } } } } }",
            1,
        ),
        ('{ a: Pump { totalCount } b: Tank { nodes { id } } c: twin(id: "A1") { id } }', 3),
        ("{ Pump { nodes { feeds { nodes { _in { feeds(first: 9) { nodes { id } } } } } } } }", 1),
        ("{ __typename }", 0),
    ],
)
def test_a_root_field_is_one_store_call(plant: Plant, query: str, calls: int) -> None:
    plant.ask(query)
    plant.store.calls.clear()
    plant.ask(query)
    assert plant.store.calls == ({"fetch": calls} if calls else {})


def test_a_refused_query_is_no_store_call(plant: Plant) -> None:
    plant.store.calls.clear()
    plant.refusal("{ Pump(first: 500) { nodes { feeds(first: 500) { nodes { id } } } } }")
    plant.refusal("{ Pump { nodes { nothing } } }")
    plant.refusal("{ Pump(first: 0) { nodes { id } } }")
    assert not plant.store.calls
