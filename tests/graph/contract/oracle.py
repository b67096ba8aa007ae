"""What a plan answers, in plain Python over dicts: the specification both stores are held to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any

from twinfall.graph.plan import (
    CAPTION,
    ID,
    MODEL,
    VERSION,
    All,
    Compare,
    Component,
    Condition,
    EdgeRow,
    Either,
    Fetch,
    FieldRef,
    Ids,
    IsA,
    Not,
    Page,
    Related,
    RelationSelect,
    Row,
    RowPage,
    Select,
    Sort,
)
from twinfall.graph.twins import Edge, Node


@dataclass(frozen=True)
class Place:
    """A twin, and the relationship it was reached by."""

    node: Node
    edge: Edge | None = None


@dataclass
class Oracle:
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[tuple[str, str], Edge] = field(default_factory=dict)

    def fetch(self, plan: Fetch) -> RowPage:
        everywhere = plan.components or asks_ids(plan.page.where)
        places = [Place(n) for n in self.nodes.values() if everywhere or n.owner is None]
        found, more, total = self.page(places, plan.page, lambda p: (p.node.id,))
        return RowPage([self.row(p.node, plan.select) for p in found], more, total)

    def page(
        self, places: Iterable[Place], page: Page, ids: Any
    ) -> tuple[list[Place], bool, int | None]:
        found = [p for p in places if page.where is None or self.holds(page.where, p)]
        found.sort(key=ids)
        found.sort(key=cmp_to_key(lambda a, b: in_order(a, b, page.sort)))
        return found[: page.first], len(found) > page.first, len(found) if page.count else None

    def row(self, node: Node, select: Select) -> Row:
        values = {n: node.values[n] for n in select.properties if n in node.values}
        if select.whole:
            parts = [n for n in self.nodes.values() if n.owner == node.id]
            values = {**node.values, **{str(n.component): dict(n.values) for n in parts}}
        owner = self.nodes.get(node.owner or "")
        return Row(
            id=node.id,
            model=node.model,
            version=node.version,
            caption=node.caption,
            values=values,
            components={
                key: self.component(node, below.name, below.select)
                for key, below in select.components
            },
            relations={key: self.relation(node, below) for key, below in select.relations},
            owner=self.row(owner, select.owner) if owner and select.owner else None,
        )

    def component(self, node: Node, name: str, select: Select) -> Row | None:
        part = self.nodes.get(f"{node.id}/{name}")
        return None if part is None else self.row(part, select)

    def relation(self, node: Node, select: RelationSelect) -> RowPage:
        places = self.around(node, select.name, select.direction)
        found, more, total = self.page(places, select.page, lambda p: (p.edge.source, p.edge.id))
        rows = [self.edge_row(p, select) for p in found]
        return RowPage(rows, more, total)

    def edge_row(self, place: Place, select: RelationSelect) -> EdgeRow:
        edge = place.edge
        assert edge is not None
        names = edge.properties if select.properties is None else select.properties
        return EdgeRow(
            source=edge.source,
            id=edge.id,
            name=edge.name,
            target=edge.target,
            properties={n: edge.properties[n] for n in names if n in edge.properties},
            other=None if select.select is None else self.row(place.node, select.select),
        )

    def around(self, node: Node, name: str | None, direction: str) -> list[Place]:
        edges = [e for e in self.edges.values() if name is None or e.name == name]
        if direction == "out":
            return [Place(self.nodes[e.target], e) for e in edges if e.source == node.id]
        return [Place(self.nodes[e.source], e) for e in edges if e.target == node.id]

    def holds(self, where: Condition, place: Place) -> bool:
        match where:
            case Compare():
                return compares(where, field_value(where.field, place))
            case Ids():
                return place.node.id in where.ids
            case IsA():
                return place.node.model in where.models
            case All():
                return all(self.holds(part, place) for part in where.of)
            case Either():
                return any(self.holds(part, place) for part in where.of)
            case Not():
                return not self.holds(where.of, place)
            case Component():
                part = self.nodes.get(f"{place.node.id}/{where.name}")
                return part is not None and self.holds(where.where, Place(part))
            case Related():
                others = self.around(place.node, where.name, where.direction)
                truths = [self.holds(where.where, other) for other in others]
                return {"some": any(truths), "none": not any(truths), "all": all(truths)}[
                    where.quantifier
                ]


def asks_ids(where: Condition | None) -> bool:
    return isinstance(where, Ids) or (
        isinstance(where, All) and any(asks_ids(part) for part in where.of)
    )


def field_value(ref: FieldRef, place: Place) -> Any:
    if ref.on == "edge":
        assert place.edge is not None
        return place.edge.id if ref.name == ID else place.edge.properties.get(ref.name)
    node = place.node
    system = {ID: node.id, MODEL: node.model, CAPTION: node.caption, VERSION: node.version}
    return system[ref.name] if ref.name in system else node.values.get(ref.name)


def ordered(value: Any, kind: str) -> Any:
    """A form of the value that Python orders as promised."""
    if kind == "dateTime":
        return value.removesuffix("Z")
    return [ord(c) for c in value] if isinstance(value, str) else value


def compares(where: Compare, value: Any) -> bool:
    if where.op == "null":
        return (value is None) is where.value
    if value is None:
        return False
    kind = where.field.type
    if where.op == "in":
        return value in where.value
    if where.op in ("contains", "startsWith", "endsWith"):
        text: str = value
        return {
            "contains": where.value in text,
            "startsWith": text.startswith(where.value),
            "endsWith": text.endswith(where.value),
        }[where.op]
    one, other = ordered(value, kind), ordered(where.value, kind)
    return {
        "eq": one == other,
        "lt": one < other,
        "lte": one <= other,
        "gt": one > other,
        "gte": one >= other,
    }[where.op]


def in_order(one: Place, other: Place, sort: Iterable[Sort]) -> int:
    for key in sort:
        a, b = field_value(key.field, one), field_value(key.field, other)
        if a is None or b is None:
            by_null = (a is None) - (b is None)  # nulls last
        else:
            x, y = ordered(a, key.field.type), ordered(b, key.field.type)
            by_null = (x > y) - (x < y)
        if by_null:
            return -by_null if key.descending else by_null
    return 0


def without_cursors(page: RowPage) -> RowPage:
    """A page with every cursor taken out: their form is the store's own."""
    for row in page.rows:
        row.cursor = ()
        if isinstance(row, EdgeRow):
            if row.other is not None:
                _without(row.other)
        else:
            _without(row)
    return page


def _without(row: Row) -> None:
    row.cursor = ()
    below: Mapping[str, Any] = {**row.components, "": row.owner}
    for part in below.values():
        if part is not None:
            _without(part)
    for page in row.relations.values():
        without_cursors(page)
