"""Connections: pages of twins and of relationships, planned and shaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol

from twinfall.api.graphql import cursors, latest
from twinfall.api.graphql.cursors import checked_first
from twinfall.api.graphql.fixed import TWIN
from twinfall.api.graphql.planning import (
    PagePlan,
    RelationPlan,
    Shape,
    Shaping,
    TwinPlan,
    enum_names,
)
from twinfall.api.graphql.shapes import Field, Property, Relation, Type
from twinfall.graph.plan import All, Condition, Direction, RowPage
from twinfall.graph.values import FieldType
from twinfall.ontology.errors import UnknownName

if TYPE_CHECKING:
    from twinfall.api.graphql.compiler import Compiler
    from twinfall.api.graphql.selection import Mention, SelectionSets

TYPENAME = "__typename"
Part = Callable[[RowPage, Shaping], Any]
NodeShape = Callable[[Any, Shaping], Any]


def both(one: Condition | None, other: Condition | None) -> Condition | None:
    """Both conditions, where there are any."""
    parts = tuple(part for part in (one, other) if part is not None)
    return All(parts) if len(parts) > 1 else (parts[0] if parts else None)


# -- pages ------------------------------------------------------------------------------------


def page_plan(
    compiler: Compiler, field: Field, arguments: Mapping[str, Any], direction: Direction | None
) -> PagePlan:
    """The page that the arguments of a connection ask for; `direction` None: twins."""
    types = {argument.name: argument.type.strip("[]!") for argument in field.arguments}
    where = compiler.conditions.where(types.get("where", ""), arguments.get("where"))
    if arguments.get("edge"):
        where = both(where, compiler.conditions.where(types["edge"], arguments["edge"]))
    sort = compiler.conditions.sort(types.get("sort", ""), arguments.get("sort"))
    order = cursors.mark(f"{field.type_name} {direction or ''}", sort)
    ids: tuple[FieldType, ...] = ("text", "text") if direction == "in" else ("text",)
    kinds = (*(key.field.type for key in sort), *ids)
    after = arguments.get("after")
    return PagePlan(
        checked_first(arguments.get("first"), pages=True),
        None if after is None else cursors.decode(after, order, kinds),
        where,
        sort,
        order,
    )


def twins(
    compiler: Compiler, field: Field, arguments: Mapping[str, Any], mention: Mention
) -> tuple[PagePlan, TwinPlan, Shape]:
    """A root connection over twins."""
    page, plan = page_plan(compiler, field, arguments, None), TwinPlan()
    below = _Connection(compiler, field.type_name, page, _TwinRows(compiler, plan))
    return page, plan, below.shape(mention.below)


def relation(
    compiler: Compiler, shape: Type, field: Field, mention: Mention, plan: TwinPlan
) -> Shape:
    """Relationships of one name that start or end at a twin."""
    assert isinstance(field.meaning, Relation)
    arguments = compiler.arguments(shape, field, mention)
    page = page_plan(compiler, field, arguments, field.meaning.direction)
    wanted = RelationPlan(field.meaning.name, field.meaning.direction, page)
    key = plan.add_relation(wanted)
    rows = _EdgeRows(compiler, wanted)
    below = _Connection(compiler, field.type_name, page, rows).shape(mention.below)
    return lambda row, shaping: below(row.relations[key], shaping)


def relationships(
    compiler: Compiler, shape: Type, field: Field, mention: Mention, plan: TwinPlan
) -> Shape:
    """Relationships of any name, or of one that the caller names."""
    arguments = compiler.arguments(shape, field, mention)
    direction: Direction = arguments["direction"]
    name = arguments.get("name")
    known = compiler.schema.relationship_names
    if name is not None and name not in known:
        near = get_close_matches(name, known, n=1)
        raise UnknownName(
            f"no loaded model has a relationship {name!r}",
            cure=f"did you mean {near[0]!r}?" if near else "the field `models` lists them",
        )
    page = page_plan(compiler, field, arguments, direction)
    wanted = RelationPlan(name, direction, page)
    key = plan.add_relation(wanted)
    rows = _RelationshipRows(compiler, wanted)
    below = _Connection(compiler, field.type_name, page, rows).shape(mention.below)
    return lambda row, shaping: below(row.relations[key], shaping)


# -- the parts of a connection ----------------------------------------------------------------


class _Connection:
    """Shapes a page of rows; notes in the page's plan what is needed."""

    def __init__(self, compiler: Compiler, type_name: str, page: PagePlan, rows: Rows) -> None:
        self._compiler = compiler
        self._type = compiler.schema.shapes.types[type_name]
        self._page = page
        self._rows = rows

    def shape(self, sets: SelectionSets) -> Shape:
        parts = [(m.key, self._part(m)) for m in mentions(self._compiler, sets)]

        def shape(page: RowPage, shaping: Shaping) -> dict[str, Any]:
            return {key: part(page, shaping) for key, part in parts}

        return shape

    def _part(self, mention: Mention) -> Part:
        if mention.name == TYPENAME:
            return lambda *_: self._type.name
        if mention.name == "totalCount":
            self._page.count = True
            return lambda page, _: page.total
        if mention.name == "aggregate":
            field = self._type.fields[mention.name]
            lines = latest.aggregate(self._compiler, field.type_name, mention.below)
            return lambda _, shaping: lines(shaping)
        self._page.rows = True
        if mention.name == "pageInfo":
            return self._page_info(mention)
        make = self._edge if mention.name == "edges" else self._rows.node
        one = make(self._type.fields[mention.name].type_name, mention.below)
        return lambda page, shaping: [one(row, shaping) for row in page.rows]

    def _page_info(self, mention: Mention) -> Part:
        order = self._page.order
        made: list[tuple[str, Callable[[RowPage], Any]]] = []
        for below in mentions(self._compiler, mention.below):
            if below.name == "hasNextPage":
                made.append((below.key, lambda page: page.more))
            elif below.name == "endCursor":
                made.append((below.key, lambda page: _end(page, order)))
            else:
                made.append((below.key, lambda _: "PageInfo"))
        return lambda page, _: {key: make(page) for key, make in made}

    def _edge(self, static: str, sets: SelectionSets) -> NodeShape:
        shape = self._compiler.schema.shapes.types[static]
        order = self._page.order
        parts: list[tuple[str, NodeShape]] = []
        for below in mentions(self._compiler, sets):
            if below.name == TYPENAME:
                parts.append((below.key, lambda *_: static))
            elif below.name == "cursor":
                parts.append((below.key, lambda row, _: cursors.encode(row.cursor, order)))
            elif below.name == "node":
                node = self._rows.node(shape.fields["node"].type_name, below.below)
                parts.append((below.key, node))
            else:
                parts.append((below.key, self._rows.edge_field(shape.fields[below.name], below)))
        return lambda row, shaping: {key: make(row, shaping) for key, make in parts}


def _end(page: RowPage, order: str) -> str | None:
    return cursors.encode(page.rows[-1].cursor, order) if page.rows else None


def mentions(compiler: Compiler, sets: SelectionSets) -> list[Mention]:
    """The fields of a selection on one object type, on which every legal fragment counts."""
    return compiler.selections.fields(sets, lambda _: True)


# -- what the rows are ------------------------------------------------------------------------


class Rows(Protocol):
    """How the rows of a connection show themselves."""

    def node(self, static: str, sets: SelectionSets) -> NodeShape:
        """What `nodes` lists and `edges { node }` leads to."""
        ...

    def edge_field(self, field: Field, mention: Mention) -> NodeShape:
        """A field of an edge besides cursor and node."""
        ...


class _TwinRows:
    """Rows are twins."""

    def __init__(self, compiler: Compiler, plan: TwinPlan) -> None:
        self._compiler = compiler
        self._plan = plan

    def node(self, static: str, sets: SelectionSets) -> NodeShape:
        return self._compiler.twin(static, sets, self._plan)

    def edge_field(self, field: Field, mention: Mention) -> NodeShape:
        raise AssertionError(f"twins have no edges with {field.name}")


class _EdgeRows:
    """Rows are relationships of one name."""

    def __init__(self, compiler: Compiler, plan: RelationPlan) -> None:
        self._compiler = compiler
        self._plan = plan

    def node(self, static: str, sets: SelectionSets) -> NodeShape:
        below = self._compiler.twin(static, sets, self._plan.twin())
        return lambda edge, shaping: below(edge.other, shaping)

    def edge_field(self, field: Field, mention: Mention) -> NodeShape:
        if field.name == "id":
            return lambda edge, _: edge.id
        if field.type_name == "JSON":
            self._plan.properties = None
            return lambda edge, _: edge.properties
        return self._properties(field.type_name, mention.below)

    def _properties(self, type_name: str, sets: SelectionSets) -> NodeShape:
        shape = self._compiler.schema.shapes.types[type_name]
        parts: list[tuple[str, NodeShape]] = []
        for below in mentions(self._compiler, sets):
            if below.name == TYPENAME:
                parts.append((below.key, lambda *_: type_name))
                continue
            meaning = shape.fields[below.name].meaning
            assert isinstance(meaning, Property)
            if self._plan.properties is not None:
                self._plan.properties[meaning.name] = None
            parts.append((below.key, _edge_property(meaning)))
        return lambda edge, shaping: {key: make(edge, shaping) for key, make in parts}


def _edge_property(meaning: Property) -> NodeShape:
    name, names = meaning.name, meaning.names
    if names is None:
        return lambda edge, _: edge.properties.get(name)
    return lambda edge, _: enum_names(edge.properties.get(name), names)


class _RelationshipRows:
    """Rows are relationships of any name, shown as `Relationship`."""

    def __init__(self, compiler: Compiler, plan: RelationPlan) -> None:
        self._compiler = compiler
        self._plan = plan

    def node(self, static: str, sets: SelectionSets) -> NodeShape:
        parts = [
            (below.key, self._field(static, below)) for below in mentions(self._compiler, sets)
        ]
        return lambda edge, shaping: {key: make(edge, shaping) for key, make in parts}

    def _field(self, static: str, mention: Mention) -> NodeShape:
        if mention.name == TYPENAME:
            return lambda *_: static
        if mention.name == "properties":
            self._plan.properties = None
        if mention.name == "twin":
            below = self._compiler.twin(TWIN, mention.below, self._plan.twin())
            return lambda edge, shaping: below(edge.other, shaping)
        return lambda edge, _: getattr(edge, mention.name)

    def edge_field(self, field: Field, mention: Mention) -> NodeShape:
        raise AssertionError(f"Relationship shows {field.name} itself")
