"""The server's lists (see `fetching`) as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twinfall.graph.neo4j.cypher import Words
from twinfall.graph.neo4j.encoding import canonical_value, canonical_values, twin_values
from twinfall.graph.neo4j.fetching import relation_order, root_order
from twinfall.graph.plan import EdgeRow, Fetch, RelationSelect, Row, RowPage, Select, Sort
from twinfall.graph.values import FieldType

Types = Mapping[str, FieldType]


class Assembly:
    """Makes rows with values in canonical form."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def root(self, plan: Fetch, found: Sequence[Sequence[Any]]) -> RowPage:
        """The page of twins that the plan asked for."""
        sort = root_order(plan.page.sort)
        rows, total = [], None
        for twin, keys in found:
            if keys is None:
                total = twin
                continue
            row = self._row(plan.select, twin)
            row.cursor = _cursor(sort, keys)
            rows.append(row)
        return RowPage(rows[: plan.page.first], len(rows) > plan.page.first, total)

    def _row(self, select: Select, twin: Sequence[Any]) -> Row:
        id_, model, version, caption, found, parts, components, relations, owner = twin
        types = self._words.twin_types(model)
        values = _values(found, None if select.whole else select.properties, types)
        if select.whole:
            values = twin_values(found, self._words.declared(model))
        for name, part_model, part in parts or ():
            values[name] = twin_values(part, self._words.declared(part_model))
        return Row(
            id=id_,
            model=model,
            version=version,
            caption=caption,
            values=values,
            components={
                key: self._one(below.select, one)
                for (key, below), one in zip(select.components, components, strict=True)
            },
            relations={
                key: self._relation(id_, below, page)
                for (key, below), page in zip(select.relations, relations, strict=True)
            },
            owner=None if select.owner is None else self._one(select.owner, owner),
        )

    def _one(self, select: Select, found: Sequence[Any]) -> Row | None:
        return self._row(select, found[0]) if found else None

    def _relation(self, near: str, relation: RelationSelect, page: Sequence[Any]) -> RowPage:
        sort = relation_order(relation)
        found, total = page
        first = relation.page.first
        rows = [self._edge(near, relation, edge, sort) for edge in found[:first]]
        return RowPage(rows, len(found) > first, total)

    def _edge(
        self, near: str, relation: RelationSelect, edge: Sequence[Any], sort: Sequence[Sort]
    ) -> EdgeRow:
        id_, name, far, model, found, keys, other = edge
        types = self._words.relationship_types(model, name)
        source, target = (near, far) if relation.direction == "out" else (far, near)
        return EdgeRow(
            source=source,
            id=id_ or "",
            name=name,
            target=target,
            properties=_values(found, relation.properties, types),
            other=None if relation.select is None else self._row(relation.select, other),
            cursor=_cursor(sort, keys),
        )


def _values(found: Any, names: tuple[str, ...] | None, types: Types) -> dict[str, Any]:
    if names is None:
        return canonical_values(found, types)
    return {
        name: canonical_value(value, types.get(name))
        for name, value in zip(names, found, strict=True)
        if value is not None
    }


def _cursor(sort: Sequence[Sort], keys: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(
        canonical_value(value, key.field.type) for key, value in zip(sort, keys, strict=True)
    )
