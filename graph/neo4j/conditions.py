"""Conditions and fields of a plan as Cypher. Every value travels as a parameter.

The text holds only words written here, quoted words of the loaded models, variables `n<i>`,
`r<i>` with numbers given here, and parameter names. Plans of one shape have one text, so that
the server's plan cache knows it.

In `WHERE`, null counts as false; only under a negation must a comparison be made two-valued.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinfall.graph.neo4j.cypher import HAS_COMPONENT, Words
from twinfall.graph.neo4j.encoding import comparable
from twinfall.graph.plan import (
    CAPTION,
    ID,
    MODEL,
    VERSION,
    All,
    Compare,
    Component,
    Condition,
    Either,
    FieldRef,
    Ids,
    IsA,
    Not,
    Related,
)
from twinfall.ontology.errors import BadQuery, Refused, UnknownName

MAX_NESTING = 12
"""How deep conditions may nest; planning time grows with each level."""

_OPERATORS: Mapping[str, str] = {
    "eq": "=",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
    "contains": "CONTAINS",
    "startsWith": "STARTS WITH",
    "endsWith": "ENDS WITH",
}
_OWN = frozenset({ID, MODEL, CAPTION, VERSION})


class Statement:
    """The parameters of one statement, and what is needed to write its text."""

    def __init__(self, words: Words) -> None:
        self.values: dict[str, Any] = {}
        self.words = words
        self._variables = 0

    def value(self, value: Any) -> str:
        """The parameter that stands for this value."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"

    def variable(self) -> int:
        """A fresh number i for the variables `n<i>` and `r<i>`."""
        self._variables += 1
        return self._variables

    def field(self, ref: FieldRef, n: int) -> str:
        """The field of twin `n<n>`, or of the relationship `r<n>` it was reached by."""
        if ref.on == "edge":
            if ref.name.startswith("_"):
                raise UnknownName(f"a relationship has no field {ref.name!r}")
            return f"r{n}._id" if ref.name == ID else f"r{n}.{self.words.key(ref.name)}"
        if ref.name in _OWN:
            return f"n{n}.{ref.name}"
        return f"n{n}.{self.words.key(ref.name)}"

    def condition(self, where: Condition, n: int, negated: bool = False, depth: int = 0) -> str:
        """A test of twin `n<n>`; never null where `negated`."""
        if depth > MAX_NESTING:
            raise Refused(
                f"conditions are nested more than {MAX_NESTING} deep",
                code="TOO_COSTLY",
                cure="ask in two steps, or combine conditions side by side",
            )
        match where:
            case Compare():
                return self._compare(where, n, negated)
            case Ids():
                return f"n{n}.id IN {self.value(list(where.ids))}"
            case IsA():
                return self._is_a(where, n)
            case All():
                return self._joined(where.of, " AND ", "true", (n, negated, depth))
            case Either():
                return self._joined(where.of, " OR ", "false", (n, negated, depth))
            case Not():
                return f"NOT ({self.condition(where.of, n, True, depth + 1)})"
            case Related():
                return self._related(where, n, depth)
            case Component():
                return self._component(where, n, depth)

    def pattern(self, name: str | None, direction: str, near: int, far: int) -> str:
        """The relationships of a name between twins `n<near>` and `n<far>`, as `r<far>`."""
        kind = f"!{HAS_COMPONENT}" if name is None else self.words.relationship(name)
        if direction == "out":
            return f"(n{near})-[r{far}:{kind}]->(n{far}:Twin)"
        return f"(n{near})<-[r{far}:{kind}]-(n{far}:Twin)"

    def _is_a(self, where: IsA, n: int) -> str:
        if len(where.models) == 1:
            return f"n{n}._model = {self.value(where.models[0])}"
        return f"n{n}._model IN {self.value(list(where.models))}"

    def _joined(
        self,
        parts: tuple[Condition, ...],
        word: str,
        empty: str,
        place: tuple[int, bool, int],
    ) -> str:
        n, negated, depth = place
        if not parts:
            return empty
        if len(parts) == 1:
            return self.condition(parts[0], n, negated, depth)
        return f"({word.join(self.condition(part, n, negated, depth + 1) for part in parts)})"

    def _compare(self, where: Compare, n: int, negated: bool) -> str:
        field = self.field(where.field, n)
        kind = where.field.type
        if where.op == "null":
            return f"{field} IS {'' if where.value else 'NOT '}NULL"
        if kind in ("list", "json"):
            raise BadQuery(f"{where.field.name!r} is structured: only `null` can be asked of it")
        if where.op == "in":
            values = [comparable(value, kind) for value in where.value if value is not None]
            test = f"{field} IN {self.value(values)}"
        elif where.value is None:
            return "false"
        else:
            value = self.value(comparable(where.value, kind))
            # Neo4j 5.26 plans suffix searches on range indexes, which then refuse to run them.
            inside = where.op in ("contains", "endsWith")
            test = f"{f'toString({field})' if inside else field} {_OPERATORS[where.op]} {value}"
        return f"coalesce({test}, false)" if negated else test

    def _related(self, where: Related, n: int, depth: int) -> str:
        if where.name not in self.words.relationships:  # nobody can have one
            return "false" if where.quantifier == "some" else "true"
        other = self.variable()
        every = where.quantifier == "all"
        inner = self.condition(where.where, other, every, depth + 1)
        if every:
            inner = f"NOT ({inner})"
        word = "EXISTS" if where.quantifier == "some" else "NOT EXISTS"
        pattern = self.pattern(where.name, where.direction, n, other)
        return f"{word} {{ MATCH {pattern} WHERE {inner} }}"

    def _component(self, where: Component, n: int, depth: int) -> str:
        part = self.variable()
        inner = self.condition(where.where, part, False, depth + 1)
        name = self.value(where.name)
        pattern = f"(n{n})-[:{HAS_COMPONENT} {{name: {name}}}]->(n{part}:Twin)"
        return f"EXISTS {{ MATCH {pattern} WHERE {inner} }}"
