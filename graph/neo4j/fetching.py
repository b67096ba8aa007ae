"""A plan as ONE Cypher statement: relationships, components and owners are COLLECT subqueries.

A twin comes as a list: id, model, version, caption, properties (a map, or a list in the order
asked for), all components, components asked for, relations asked for, owner. `assembly` reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twinfall.graph.neo4j.conditions import Statement
from twinfall.graph.neo4j.cypher import HAS_COMPONENT
from twinfall.graph.neo4j.encoding import comparable
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
from twinfall.ontology.errors import BadQuery, Refused

MAX_PARTS = 200
"""Relations, components and owners of one plan."""

TWIN_ID = FieldRef(ID, "text")
EDGE_ID = FieldRef(ID, "text", "edge")


class PlanStatement:
    """The text and the parameters of one plan."""

    def __init__(self, plan: Fetch, statement: Statement) -> None:
        self._s = statement
        self._parts = 0
        self.text = self._root(plan)
        self.values = statement.values

    def _root(self, plan: Fetch) -> str:
        n = self._s.variable()
        tests = []
        if plan.page.where is not None:
            tests.append(self._s.condition(plan.page.where, n))
        if not (plan.components or _asks_ids(plan.page.where)):
            tests.append(f"NOT n{n}.id CONTAINS '/'")
        sort = root_order(plan.page.sort)
        counted = [*tests]
        tests += self._continues(plan.page, sort, n)
        if plan.page.after is None and len(sort) == 1:
            tests.append(f"n{n}.id > ''")  # lets the server walk its index in order
        keys = [self._s.field(key.field, n) for key in sort]
        text = (
            f"CYPHER 5 MATCH (n{n}:Twin){_where(tests)} WITH n{n}"
            f" ORDER BY {_order(sort, keys)} LIMIT {self._limit(plan.page)}"
            f" RETURN {self._twin(plan.select, n)} AS twin, [{', '.join(keys)}] AS keys"
        )
        if plan.page.count:
            text += f" UNION ALL MATCH (n{n}:Twin){_where(counted)}"
            text += " WITH count(*) AS twin RETURN twin, null AS keys"
        return text

    def _twin(self, select: Select, n: int) -> str:
        whole = f"properties(n{n})"
        parts = "null"
        if select.whole:
            c = self._s.variable()
            parts = (
                f"COLLECT {{ MATCH (n{n})-[r{c}:{HAS_COMPONENT}]->(n{c}:Twin)"
                f" RETURN [r{c}.name, n{c}._model, properties(n{c})] }}"
            )
        chosen = ", ".join(f"n{n}.{self._s.words.key(name)}" for name in select.properties)
        components = [self._component(c.name, c.select, n) for _, c in select.components]
        relations = [self._relation(relation, n) for _, relation in select.relations]
        owner = "null" if select.owner is None else self._owner(select.owner, n)
        return (
            f"[n{n}.id, n{n}._model, n{n}._version, n{n}._name,"
            f" {whole if select.whole else f'[{chosen}]'}, {parts},"
            f" [{', '.join(components)}], [{', '.join(relations)}], {owner}]"
        )

    def _component(self, name: str, select: Select, n: int) -> str:
        c = self._part()
        return (
            f"COLLECT {{ MATCH (n{n})-[:{HAS_COMPONENT} {{name: {self._s.value(name)}}}]->"
            f"(n{c}:Twin) RETURN {self._twin(select, c)} }}"
        )

    def _owner(self, select: Select, n: int) -> str:
        o = self._part()
        return (
            f"COLLECT {{ MATCH (n{n})<-[:{HAS_COMPONENT}]-(n{o}:Twin)"
            f" RETURN {self._twin(select, o)} }}"
        )

    def _relation(self, relation: RelationSelect, n: int) -> str:
        """`[rows, count or null]`; a row is relationship id, type, the other twin's id, the source
        model, properties, sort keys and the other twin.
        """
        page = relation.page
        if relation.name is not None and relation.name not in self._s.words.relationships:
            return f"[[], {'0' if page.count else 'null'}]"
        m = self._part()
        pattern = self._s.pattern(relation.name, relation.direction, n, m)
        tests = [] if page.where is None else [self._s.condition(page.where, m)]
        count = f"COUNT {{ MATCH {pattern}{_where(tests)} }}" if page.count else "null"
        sort = relation_order(relation)
        tests += self._continues(page, sort, m)
        keys = [self._s.field(key.field, m) for key in sort]
        source = n if relation.direction == "out" else m
        other = "null" if relation.select is None else self._twin(relation.select, m)
        return (
            f"[COLLECT {{ MATCH {pattern}{_where(tests)} WITH r{m}, n{m}"
            f" ORDER BY {_order(sort, keys)} LIMIT {self._limit(page)}"
            f" RETURN [r{m}._id, type(r{m}), n{m}.id, n{source}._model,"
            f" {self._properties(relation.properties, m)}, [{', '.join(keys)}], {other}] }},"
            f" {count}]"
        )

    def _properties(self, names: tuple[str, ...] | None, n: int) -> str:
        if names is None:
            return f"properties(r{n})"
        return f"[{', '.join(f'r{n}.{self._s.words.key(name)}' for name in names)}]"

    def _part(self) -> int:
        if self._parts == MAX_PARTS:
            raise Refused(
                f"the query has more than {MAX_PARTS} parts",
                code="TOO_COSTLY",
                cure="ask for fewer relationships or components at once",
            )
        self._parts += 1
        return self._s.variable()

    def _limit(self, page: Page) -> str:
        return self._s.value(page.first + 1)

    def _continues(self, page: Page, sort: Sequence[Sort], n: int) -> list[str]:
        """The rows after the page's cursor, as a further condition."""
        if page.after is None:
            return []
        if len(page.after) != len(sort):
            raise BadQuery("this cursor is not from this query", cure="start without `after`")
        test = "false"
        for key, value in reversed(list(zip(sort, page.after, strict=True))):
            test = self._after(key, value, test, n)
        return [f"({test})"]

    def _after(self, key: Sort, value: Any, rest: str, n: int) -> str:
        """After `value` in one key's order (nulls last ascending, first descending), or level
        with it and after the cursor in the `rest`.
        """
        name = self._s.field(key.field, n)
        if value is None and key.descending:
            return f"{name} IS NOT NULL OR {rest}"
        if value is None:
            return f"{name} IS NULL AND ({rest})"
        parameter = self._s.value(comparable(value, key.field.type))
        level = "" if rest == "false" else f" OR ({name} = {parameter} AND ({rest}))"
        if key.descending:
            return f"{name} < {parameter}{level}"
        beyond = "" if key.field.name == ID else f" OR {name} IS NULL"
        return f"{name} > {parameter}{beyond}{level}"


def root_order(sort: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """The total order of a page of twins."""
    return _total_order(sort, (TWIN_ID,))


def relation_order(relation: RelationSelect) -> tuple[Sort, ...]:
    """The total order of a page of relationships at one twin."""
    first = () if relation.direction == "out" else (TWIN_ID,)
    return _total_order(relation.page.sort, (*first, EDGE_ID))


def _total_order(sort: tuple[Sort, ...], ids: tuple[FieldRef, ...]) -> tuple[Sort, ...]:
    for key in sort:
        if key.field.type in ("list", "json"):
            raise BadQuery(f"{key.field.name!r} is structured and has no order")
    return (*sort, *(Sort(ref) for ref in ids))


def _asks_ids(where: Condition | None) -> bool:
    """Whether twins are asked for by id: the condition, or one that must hold with it, is Ids."""
    return isinstance(where, Ids) or (
        isinstance(where, All) and any(_asks_ids(part) for part in where.of)
    )


def _where(tests: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(tests)}" if tests else ""


def _order(sort: Sequence[Sort], keys: Sequence[str]) -> str:
    # Cypher puts nulls last ascending and first descending, as the plan promises.
    return ", ".join(
        f"{text} DESC" if key.descending else text for key, text in zip(sort, keys, strict=True)
    )
