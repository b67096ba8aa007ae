"""A plan as ONE SQL statement: a common table per level of the plan, never nested.

Each level finds, for all its parents at once, their page of relationships (or their component,
owner, count), so that the statement's depth does not grow with the plan's. All levels come back
as one list of rows that say which part they belong to; `assembly` puts the tree together.

Row layout: part, parent ix, ix, id, model code, version, caption, values, source id,
relationship id, name code, target id, relationship properties, sort keys.
"""

# ruff: noqa: S608 - the text is made of words written here; `Statement.value` takes the rest

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from twinfall.graph.plan import (
    ID,
    All,
    Condition,
    Fetch,
    FieldRef,
    Ids,
    Page,
    RelationSelect,
    Select,
    Sort,
)
from twinfall.graph.sqlite.conditions import Statement
from twinfall.graph.sqlite.encoding import encode, json_path
from twinfall.ontology.errors import BadQuery, Refused

MAX_PARTS = 200
"""Levels, relations, components and counts of one plan; SQLite takes 500 compound selects."""

_TWIN = "t{n}.ix, t{n}.id, t{n}.model, t{n}.version, t{n}.caption"
_NO_TWIN = "NULL, NULL, NULL, NULL, NULL"
_NO_EDGE = "NULL, NULL, NULL, NULL, NULL"
_EDGE_ID = FieldRef(ID, "text", "edge")
_TWIN_ID = FieldRef(ID, "text")
_ALL_VALUES = Select(whole=True)


@dataclass(slots=True)
class Part:
    """One arm of the statement's answer and where it belongs in the tree."""

    number: int
    properties: tuple[str, ...] | None
    """Twin properties extracted, in order; None: the whole content."""
    sort: tuple[Sort, ...] = ()
    page: Page | None = None
    relation: RelationSelect | None = None
    whole: Part | None = None
    count: Part | None = None
    owner: Part | None = None
    components: list[tuple[str, Part]] = field(default_factory=list)
    relations: list[tuple[str, Part]] = field(default_factory=list)


class PlanStatement:
    """The text, the parameters and the parts of one plan."""

    def __init__(self, plan: Fetch, statement: Statement) -> None:
        self._s = statement
        self._tables: list[str] = []
        self._parts = 0
        self._width = 0
        self._arms: list[tuple[int, str, int]] = []
        self.root = self._root(plan)
        self.values = statement.values

    @property
    def text(self) -> str:
        """One SELECT for the whole plan."""
        arms = " UNION ALL ".join(
            f"SELECT {number}, *{', NULL' * (self._width - keys)} FROM {table}"
            for number, table, keys in self._arms
        )
        return f"WITH {', '.join(self._tables)} {arms}"

    # -- parts ----------------------------------------------------------------------------

    def _root(self, plan: Fetch) -> Part:
        n = self._s.alias()
        where = self._s.condition(plan.page.where, n)
        if not (plan.components or _asks_ids(plan.page.where)):
            where = f"t{n}.owner IS NULL AND {where}"
        part = self._part(plan.select)
        part.page, part.sort = plan.page, _total_order(plan.page.sort, (_TWIN_ID,))
        keys = [self._s.field(key.field, n) for key in part.sort]
        text = (
            f"SELECT NULL, {_TWIN.format(n=n)}, {self._content(part, plan.select, n)}, {_NO_EDGE}"
            f"{''.join(f', {key}' for key in keys)} FROM twins t{n}"
            f" WHERE {where}{self._continues(plan.page, part.sort, n)}"
            f" ORDER BY {_order(part.sort, keys)} LIMIT {self._s.value(plan.page.first + 1)}"
        )
        table = self._table(part, text, len(keys))
        if plan.page.count:
            part.count = self._count(f"SELECT NULL, count(*) FROM twins t{n} WHERE {where}")
        self._below(part, plan.select, table)
        return part

    def _below(self, part: Part, select: Select, table: str) -> None:
        """Everything that hangs below the twins of a level."""
        parents = f"(SELECT DISTINCT c1 AS ix, c2 AS id FROM {table} WHERE c1 IS NOT NULL) p"
        if select.whole:
            part.whole = self._single(_ALL_VALUES, parents, "t{n}.owner = p.ix")
        for key, component in select.components:
            name = self._s.value(component.name)
            join = f"t{{n}}.id = p.id || '/' || {name}"
            part.components.append((key, self._single(component.select, parents, join)))
        if select.owner is not None:
            join = "t{n}.ix = (SELECT owner FROM twins WHERE ix = p.ix)"
            part.owner = self._single(select.owner, parents, join)
        for key, relation in select.relations:
            part.relations.append((key, self._relation(relation, parents)))

    def _single(self, select: Select, parents: str, join: str) -> Part:
        n = self._s.alias()
        part = self._part(select)
        table = self._table(
            part,
            f"SELECT p.ix, {_TWIN.format(n=n)}, {self._content(part, select, n)}, {_NO_EDGE}"
            f" FROM {parents} CROSS JOIN twins t{n} ON {join.format(n=n)}",
        )
        if select is not _ALL_VALUES:  # a component has no components of its own
            self._below(part, select, table)
        return part

    def _relation(self, relation: RelationSelect, parents: str) -> Part:
        n = self._s.alias()
        page, select = relation.page, relation.select
        near, far = ("source", "target") if relation.direction == "out" else ("target", "source")
        first = () if relation.direction == "out" else (_TWIN_ID,)
        part = self._part(select or Select())
        part.page, part.relation = page, relation
        part.sort = _total_order(page.sort, (*first, _EDGE_ID))
        keys = [self._s.field(key.field, n) for key in part.sort]
        where = f"r{n}.{near} = p.ix"
        if relation.name is not None:
            where += f" AND r{n}.name = {self._s.value(self._s.relationship_code(relation.name))}"
        if page.where is not None:
            where += f" AND {self._s.condition(page.where, n)}"
        joined = f"relationships r{n}"
        if page.where is not None or any(key.field.on == "node" for key in part.sort):
            joined += f" CROSS JOIN twins t{n} ON t{n}.ix = r{n}.{far}"
        ids = (f"p.id, r{n}.id, r{n}.name, t{n}.id", f"t{n}.id, r{n}.id, r{n}.name, p.id")
        text = (
            f"SELECT p.ix, {_TWIN.format(n=n)}, {self._content(part, select, n)},"
            f" {ids[relation.direction == 'in']}, {self._properties(relation.properties, n)}"
            f"{''.join(f', {key}' for key in keys)} FROM {parents} CROSS JOIN relationships r{n}"
            f" ON r{n}.ix IN (SELECT r{n}.ix FROM {joined} WHERE {where}"
            f"{self._continues(page, part.sort, n)} ORDER BY {_order(part.sort, keys)}"
            f" LIMIT {self._s.value(page.first + 1)})"
            f" CROSS JOIN twins t{n} ON t{n}.ix = r{n}.{far}"
            f" ORDER BY p.ix, {_order(part.sort, keys)} LIMIT -1"
        )
        table = self._table(part, text, len(keys))
        if page.count:
            part.count = self._count(
                f"SELECT p.ix, count(*) FROM {parents} CROSS JOIN {joined} WHERE {where}"
                " GROUP BY p.ix"
            )
        if select is not None:
            self._below(part, select, table)
        return part

    def _count(self, text: str) -> Part:
        part = self._part(Select())
        nulls = ", NULL" * 10
        self._table(part, f"SELECT *{nulls} FROM ({text})")
        return part

    def _part(self, select: Select) -> Part:
        if self._parts == MAX_PARTS:
            raise Refused(
                f"the query has more than {MAX_PARTS} parts",
                code="TOO_COSTLY",
                cure="ask for fewer relationships or components at once",
            )
        self._parts += 1
        properties = None if select.whole else select.properties
        return Part(self._parts - 1, properties)

    def _table(self, part: Part, text: str, keys: int = 0) -> str:
        name = f"part{part.number}"
        columns = ", ".join(f"c{i}" for i in range(12 + keys))
        self._tables.append(f"{name} ({columns}) AS MATERIALIZED ({text})")
        self._width = max(self._width, keys)
        self._arms.append((part.number, name, keys))
        return name

    # -- pieces ---------------------------------------------------------------------------

    def _content(self, part: Part, select: Select | None, n: int) -> str:
        if select is None:
            return "NULL"
        return self._extract(part.properties, f"t{n}.content")

    def _properties(self, names: tuple[str, ...] | None, n: int) -> str:
        return self._extract(names, f"r{n}.content")

    def _extract(self, names: tuple[str, ...] | None, content: str) -> str:
        if names is None:
            return content
        if not names:
            return "NULL"
        paths = [self._s.value(json_path(name)) for name in names]
        # With two paths or more json_extract answers a JSON array with the texts verbatim.
        return f"json_extract({content}, {', '.join([*paths, paths[0]])})"

    def _continues(self, page: Page, sort: Sequence[Sort], n: int) -> str:
        """The rows after the page's cursor, as a further condition."""
        if page.after is None:
            return ""
        if len(page.after) != len(sort):
            raise BadQuery("this cursor is not from this query", cure="start without `after`")
        test = "0"
        for key, value in reversed(list(zip(sort, page.after, strict=True))):
            test = self._after(key, value, test, n)
        return f" AND ({test})"

    def _after(self, key: Sort, value: Any, rest: str, n: int) -> str:
        """After `value` in one key's order (nulls last ascending, first descending), or level
        with it and after the cursor in the `rest`.
        """
        name = self._s.field(key.field, n)
        if value is None and key.descending:
            return f"{name} IS NOT NULL OR {rest}"
        if value is None:
            return f"{name} IS NULL AND ({rest})"
        parameter = self._s.value(encode(value, key.field.type))
        if key.descending:
            return f"{name} < {parameter} OR ({name} = {parameter} AND ({rest}))"
        beyond = "" if key.field.name == ID else f" OR {name} IS NULL"
        return f"{name} > {parameter}{beyond} OR ({name} = {parameter} AND ({rest}))"


def _asks_ids(where: Condition | None) -> bool:
    """Whether twins are asked for by id: the condition, or one that must hold with it, is Ids."""
    return isinstance(where, Ids) or (
        isinstance(where, All) and any(_asks_ids(part) for part in where.of)
    )


def _total_order(sort: tuple[Sort, ...], ids: tuple[FieldRef, ...]) -> tuple[Sort, ...]:
    for key in sort:
        if key.field.type in ("list", "json"):
            raise BadQuery(f"{key.field.name!r} is structured and has no order")
    return (*sort, *(Sort(ref) for ref in ids))


def _order(sort: Sequence[Sort], keys: Sequence[str]) -> str:
    return ", ".join(
        f"{text} DESC NULLS FIRST" if key.descending else _ascending(key, text)
        for key, text in zip(sort, keys, strict=True)
    )


def _ascending(key: Sort, text: str) -> str:
    # An id is never null, and without NULLS LAST SQLite can walk its index.
    return text if key.field.name == ID else f"{text} ASC NULLS LAST"
