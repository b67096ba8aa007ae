"""Conditions and sort fields of a plan as SQL. Every value travels as a parameter.

The text holds only words written here, aliases `t<n>` and `r<n>` with numbers given here, and
parameter names. A condition's SQL is two-valued: 1 or 0, never null.
"""

# ruff: noqa: S608 - the text is made of words written here; `Statement.value` takes the rest

from __future__ import annotations

from collections.abc import Mapping
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
    Either,
    FieldRef,
    Ids,
    IsA,
    Not,
    Related,
)
from twinfall.graph.sqlite.encoding import encode, json_path, json_text
from twinfall.ontology import content_name
from twinfall.ontology.errors import Refused, UnknownName

MAX_NESTING = 12
"""How deep conditions may nest; SQLite's parser has a fixed stack."""

_ORDER: Mapping[str, str] = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_NODE_FIELDS: Mapping[str, str] = {
    ID: "t{n}.id",
    MODEL: "(SELECT dtmi FROM models WHERE code = t{n}.model)",
    CAPTION: "t{n}.caption",
    VERSION: "t{n}.version",
}


class Statement:
    """The parameters of one statement, and what is needed to write its text."""

    def __init__(self, models: Mapping[str, int], relationship_names: Mapping[str, int]) -> None:
        self.values: dict[str, Any] = {}
        self._models = models
        self._relationship_names = relationship_names
        self._aliases = 0

    def value(self, value: Any) -> str:
        """The parameter that stands for this value."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def alias(self) -> int:
        """A fresh number n for the aliases `t<n>` and `r<n>`."""
        self._aliases += 1
        return self._aliases

    def model_code(self, dtmi: str) -> int:
        """The code of a model; one that no twin has matches nothing."""
        return self._models.get(dtmi, -1)

    def relationship_code(self, name: str) -> int:
        """The code of a relationship name; one that is not in use matches nothing."""
        return self._relationship_names.get(name, -1)

    # -- fields ---------------------------------------------------------------------------

    def field(self, ref: FieldRef, n: int) -> str:
        """The field of twin `t<n>` (or relationship `r<n>`), comparable with `encode`d values."""
        if ref.on == "edge" and ref.name == ID:
            return f"r{n}.id"
        if ref.on == "node" and ref.name in _NODE_FIELDS:
            return _NODE_FIELDS[ref.name].format(n=n)
        if ref.name.startswith("_"):
            raise UnknownName(f"a relationship has no field {ref.name!r}")
        place = f"r{n}" if ref.on == "edge" else f"t{n}"
        path = self.value(json_path(content_name(ref.name)))
        if ref.type == "float":
            return f"json_extract({place}.keys, {path})"
        content = f"json_extract({place}.content, {path})"
        if ref.type == "unsignedLong":
            return f"coalesce(json_extract({place}.keys, {path}), {content})"
        if ref.type == "dateTime":
            return f"rtrim({content}, 'Z')"
        if ref.type in ("list", "json"):
            return f"json_type({place}.content, {path})"
        return content

    # -- conditions -----------------------------------------------------------------------

    def condition(self, where: Condition | None, n: int, depth: int = 0) -> str:
        """`where` about twin `t<n>` and relationship `r<n>`."""
        if depth > MAX_NESTING:
            raise Refused(
                f"conditions are nested deeper than {MAX_NESTING}",
                code="TOO_COSTLY",
                cure="ask in two steps",
            )
        match where:
            case None:
                return "1"
            case Compare():
                return self._compare(where, n)
            case Ids():
                return f"t{n}.id IN (SELECT value FROM json_each({self._list(where.ids)}))"
            case IsA():
                return self._is_a(where, n)
            case All():
                return self._joined(where.of, " AND ", "1", n, depth)
            case Either():
                return self._joined(where.of, " OR ", "0", n, depth)
            case Not():
                return f"NOT ({self.condition(where.of, n, depth + 1)})"
        return self._about_others(where, n, depth)

    def _about_others(self, where: Related | Component, n: int, depth: int) -> str:
        if isinstance(where, Related):
            return self._related(where, n, depth)
        return self._component(where, n, depth)

    def _list(self, values: Any) -> str:
        return self.value(json_text(list(values)))

    def _is_a(self, where: IsA, n: int) -> str:
        codes = [self.model_code(dtmi) for dtmi in where.models]
        if len(codes) == 1:
            return f"t{n}.model = {self.value(codes[0])}"
        return f"t{n}.model IN (SELECT value FROM json_each({self._list(codes)}))"

    def _joined(
        self, parts: tuple[Condition, ...], word: str, empty: str, n: int, depth: int
    ) -> str:
        if not parts:
            return empty
        if len(parts) == 1:
            return self.condition(parts[0], n, depth)
        return f"({word.join(self.condition(part, n, depth + 1) for part in parts)})"

    def _compare(self, where: Compare, n: int) -> str:
        field = self.field(where.field, n)
        kind = where.field.type
        if where.op == "null":
            return f"{field} IS {'' if where.value else 'NOT '}NULL"
        if where.op == "in":
            values = self._list(encode(value, kind) for value in where.value if value is not None)
            test = f"{field} IN (SELECT value FROM json_each({values}))"
        elif where.op in _ORDER:
            if where.value is None:
                return "0"
            test = f"{field} {_ORDER[where.op]} {self.value(encode(where.value, kind))}"
        else:
            test = self._text_test(where, field)
        indexed = where.field.on == "node" and where.field.name in _NODE_FIELDS
        return test if indexed else f"coalesce({test}, 0)"

    def _text_test(self, where: Compare, field: str) -> str:
        part = self.value(encode(where.value, "text"))
        if where.op == "contains":
            return f"instr({field}, {part}) > 0"
        if where.op == "startsWith":
            return f"substr({field}, 1, length({part})) = {part}"
        if where.value == "":
            return f"{field} IS NOT NULL"
        return f"substr({field}, -length({part})) = {part}"

    def _related(self, where: Related, n: int, depth: int) -> str:
        other = self.alias()
        near, far = ("source", "target") if where.direction == "out" else ("target", "source")
        inner = self.condition(where.where, other, depth + 1)
        if where.quantifier == "all":
            inner = f"NOT ({inner})"
        word = "EXISTS" if where.quantifier == "some" else "NOT EXISTS"
        name = self.value(self.relationship_code(where.name))
        return (
            f"{word} (SELECT 1 FROM relationships r{other}"
            f" CROSS JOIN twins t{other} ON t{other}.ix = r{other}.{far}"
            f" WHERE r{other}.{near} = t{n}.ix AND r{other}.name = {name} AND {inner})"
        )

    def _component(self, where: Component, n: int, depth: int) -> str:
        part = self.alias()
        inner = self.condition(where.where, part, depth + 1)
        return (
            f"EXISTS (SELECT 1 FROM twins t{part}"
            f" WHERE t{part}.id = t{n}.id || '/' || {self.value(where.name)} AND {inner})"
        )
