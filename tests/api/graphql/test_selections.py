"""Aliases, fragments, directives: what the compiler projects is what graphql-core would answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLSchema,
    NameNode,
    SelectionSetNode,
    Visitor,
    build_schema,
    parse,
    print_ast,
    visit,
)
from graphql import execute as run

from tests.api.graphql.plant import Plant

QUERIES = [
    "{ a: Pump { n: nodes { x: id y: id _name __typename } } b: Tank { totalCount } }",
    "{ twins { nodes { ...F } } } fragment F on Twin { id ... on Pump { ratedFlow } ...G } "
    "fragment G on Asset { name status ... on Tank { volume } ... on DeepTank { depth } }",
    "{ Asset { nodes { id ... on Pump { f: feeds(first: 1) { nodes { id } } } "
    "... on DeepTank { f: isNear { nodes { id } } } } } }",
    "{ Asset { nodes { ... on Asset { feeds { nodes { id } } } ... on Pump { feeds { totalCount "
    "nodes { name ... on Tank { volume } } } } } } }",
    "query($yes: Boolean = true, $no: Boolean = false) { Pump { nodes { id @include(if: $yes) "
    "name @include(if: $no) class @skip(if: $yes) ...F @skip(if: $no) ... "
    "on Pump @include(if: $no) "
    "{ serial } motor @include(if: $yes) { power } } } } fragment F on Pump { ratedFlow }",
    "{ Pump { nodes { feeds { __typename edges { __typename node { __typename } properties "
    "{ __typename s: share } } pageInfo { __typename more: hasNextPage } } _in { __typename "
    "f: feeds { totalCount } } } } }",
    "{ Pump { nodes { feeds { nodes { id } } feeds { nodes { name } edges { id } } "
    "second: feeds(first: 1) { nodes { id } } } } }",
    "{ Asset { nodes { _in { feeds { totalCount } ... on PumpIncoming { "
    "near: isNear { totalCount } } "
    "... on TankIncoming { feeds { nodes { id } } } } } } }",
    "{ twins(components: true) { nodes { id ... on Motor { power status } _owner { id ... on Pump "
    "{ motor { power } } } } } }",
    "{ Pump { ...C } } fragment C on PumpConnection { totalCount edges { ...E } } "
    "fragment E on PumpEdge { cursor node { ... { id } } }",
    '{ twin(id: "none") { id } other: twin(id: "P1") { ... on Asset { color: class } } }',
    '{ twin(id: "P1") { _relationships { __typename nodes { __typename k: name twin { ... on Tank '
    "{ volume } } } edges { __typename cursor node { id } } } } }",
    "{ models { __typename n: name contents { kind } } service { "
    "__typename models caller { role } } }",
    "{ Pump { nodes { status color levels tags position installed serial truth } } }",
]


@pytest.mark.parametrize("query", QUERIES)
def test_projected_answers_equal_what_graphql_core_completes(plant: Plant, query: str) -> None:
    projected = plant.ask(query)
    assert ordinary(plant, query, projected) == projected


@pytest.mark.parametrize("query", QUERIES)
def test_fields_stand_in_the_order_in_which_they_were_asked(plant: Plant, query: str) -> None:
    projected = plant.ask(query)
    assert keys(ordinary(plant, query, projected)) == keys(projected)


def ordinary(plant: Plant, query: str, tree: Any) -> Any:
    """What graphql-core makes of the tree when it collects and completes every field itself.

    Types are taken from a second query that adds `__typename` everywhere.
    """
    typed = plant.ask(_with_typenames(query))
    schema: GraphQLSchema = build_schema(plant.service.sdl())
    for type_ in schema.type_map.values():
        if hasattr(type_, "is_type_of"):
            type_.is_type_of = None
    merged = _merged(tree, typed)

    def resolve(source: Any, info: Any, **_: Any) -> Any:
        return source[info.path.key]

    result = run(
        schema,
        parse(query),
        root_value=merged,
        field_resolver=resolve,
        type_resolver=lambda value, *_: value["_T"],
    )
    assert not asyncio.iscoroutine(result)
    assert result.errors is None, result.errors
    return result.data


def _with_typenames(query: str) -> str:
    """The query with `_T: __typename` in every selection set of an output."""

    class Add(Visitor):
        def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode:
            added = FieldNode(
                alias=NameNode(value="_T"),
                name=NameNode(value="__typename"),
                directives=(),
                arguments=(),
            )
            return SelectionSetNode(selections=(*node.selections, added))

    return print_ast(visit(parse(query), Add()))


def _merged(tree: Any, typed: Any) -> Any:
    if isinstance(tree, dict) and isinstance(typed, dict):
        found = {key: _merged(value, typed[key]) for key, value in tree.items()}
        return {**found, **({"_T": typed["_T"]} if "_T" in typed else {})}
    if isinstance(tree, list):
        return [_merged(one, other) for one, other in zip(tree, typed, strict=True)]
    return tree


def keys(tree: Any) -> Any:
    if isinstance(tree, dict):
        return [(key, keys(value)) for key, value in tree.items()]
    return [keys(one) for one in tree] if isinstance(tree, list) else None


def test_directives_follow_variables(plant: Plant) -> None:
    query = 'query($on: Boolean!) { twin(id: "P1") { id _name @include(if: $on) } }'
    assert plant.ask(query, on=True)["twin"] == {"id": "P1", "_name": "First pump"}
    assert plant.ask(query, on=False)["twin"] == {"id": "P1"}


def test_one_operation_of_several_is_run(plant: Plant) -> None:
    query = 'query A { twin(id: "P1") { id } } query B { twin(id: "P2") { id } }'
    assert plant.answer(query, operation="B")["data"] == {"twin": {"id": "P2"}}
    error = plant.answer(query)["errors"][0]
    assert "several operations" in error["message"]
    assert "no operation 'C'" in plant.answer(query, operation="C")["errors"][0]["message"]
