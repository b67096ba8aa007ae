"""What a query may cost, found before it is validated.

One walk over the selections as they would be merged: every step (a field, a fragment used) is
taken from a budget, so that the walk ends quickly whatever fragments do to each other. Types are
not known yet; a field with `nodes` or `edges` below it is a connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

from twinfall.api.graphql.periods import DEFAULT_POINTS, MAX_POINTS, buckets
from twinfall.ontology.errors import BadQuery, Refused, TwinError

MAX_TEXT = 50_000
"""Characters of a query; variables come on top."""
MAX_TOKENS = 2_000
MAX_STEPS = 4_000
"""Fields and fragment uses, each as often as it is used."""
MAX_FIELDS = 2_000
"""Selected fields after fragments are expanded."""
MAX_DEPTH = 10
"""Nested fields; a connection's own `nodes` and `edges` do not count."""
MAX_RAW_DEPTH = 40
"""Nested fields, all counted, introspection too."""
MAX_FRAGMENTS = 50
"""Validation compares every fragment with every other."""
MAX_ROOT_FIELDS = 20
MAX_COST = 20_000
"""Rows that the pages asked for may hold together: three nested connections of the default page
are 16,275."""
MAX_OVERLAPS = 5_000
"""Pairs of fields with one response name, which validation compares with each other."""

PAGE = 500
"""The largest page: a larger `first` is refused anyway."""
_DEFAULT_FIRST = {"affected": 100, "nearMisses": 20, "notEvaluated": 100, "baselineDown": 100}
_OTHER_FIRST = 25
_LISTS = {"path": 10, "nearMisses": 20, "notEvaluated": 100, "baselineDown": 100}
"""Lists that are no connections, and how long they usually are."""
_IMPACT_COST = 100
"""An impact computed for a row counts like so many rows."""
_POINTS_OF_A_ROW = 10
"""So many points of a history count like a row."""
_OF_CONNECTION = frozenset({"nodes", "edges"})
_INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(slots=True)
class Measure:
    """What was counted; `rows` is the estimate of the cost."""

    steps: int = 0
    fields: int = 0
    overlaps: int = 0
    rows: int = 0
    roots: tuple[str, ...] = ()


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation to run. Raises BadQuery where it is not clear which."""
    found = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if name:
        found = [d for d in found if d.name is not None and d.name.value == name]
    if len(found) == 1:
        return found[0]
    if name:
        raise BadQuery(f"the document has no operation {name!r}")
    raise BadQuery(
        "the document has no operation" if not found else "the document has several operations",
        cure="give operationName" if found else "write a query",
    )


def measure(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    into: Measure | None = None,
) -> Measure:
    """Walk one operation, counting `into` if given. Raises Refused TOO_COSTLY as soon as a limit
    is passed.
    """
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    if len(fragments) > MAX_FRAGMENTS:
        raise _refused(f"{len(fragments)} fragments", MAX_FRAGMENTS, "send several queries")
    defaults = {
        v.variable.name.value: _int(v.default_value)
        for v in operation.variable_definitions or ()
        if v.default_value is not None
    }
    walk = _Walk(fragments, {**defaults, **variables}, into or Measure())
    roots = walk.merged([operation.selection_set])
    if len(roots) > MAX_ROOT_FIELDS:
        raise _refused(f"{len(roots)} root fields", MAX_ROOT_FIELDS, "send several queries")
    for nodes in roots.values():
        if nodes[0].name.value in _INTROSPECTION:
            walk.introspection(nodes)
        else:
            walk.measure.rows += walk.rows(nodes, 1, 1)
    if walk.measure.rows > MAX_COST:
        raise _refused(
            f"pages of together {walk.measure.rows} rows",
            MAX_COST,
            "give smaller `first`s (25 where none is given), or ask in several steps",
        )
    walk.measure.roots = tuple(nodes[0].name.value for nodes in roots.values())
    return walk.measure


@dataclass(slots=True)
class _Walk:
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    measure: Measure

    def rows(self, nodes: list[FieldNode], depth: int, raw: int) -> int:
        """The rows that one merged field may bring."""
        if depth > MAX_DEPTH or raw > MAX_RAW_DEPTH:
            raise _refused("fields nested deeper", MAX_DEPTH, "ask in several steps")
        below = self.merged([n.selection_set for n in nodes if n.selection_set is not None])
        inner = 0
        connection = False
        lines = 0
        for mentions in below.values():
            wraps = mentions[0].name.value in _OF_CONNECTION
            connection = connection or wraps
            cost = self.rows(mentions, depth + (not wraps), raw + 1)
            if mentions[0].name.value == "aggregate":  # once, whatever the page
                lines += cost
            else:
                inner += cost
        name = nodes[0].name.value
        if name == "_impact":
            return _IMPACT_COST + inner
        if name == "history" and below and not connection:
            return self._line(nodes)
        if name == "aggregate" and not connection:
            return sum(map(self._line, below.values()))
        if connection:
            return max(map(self._first, nodes)) * (1 + inner) + lines
        inner += lines
        if name in _LISTS and below:
            size = max(map(self._first, nodes)) if name in _DEFAULT_FIRST else _LISTS[name]
            return size * (1 + inner)
        return inner

    def introspection(self, nodes: list[FieldNode], raw: int = 1) -> None:
        """Count the fields of an introspection; a rule of the validation limits its depth."""
        if raw > MAX_RAW_DEPTH:
            raise _refused("fields nested deeper", MAX_RAW_DEPTH, "ask in several steps")
        for mentions in self.merged(
            [n.selection_set for n in nodes if n.selection_set is not None]
        ).values():
            self.introspection(mentions, raw + 1)

    def merged(self, sets: Iterable[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        """The fields of these sets by response name, fragments expanded."""
        found: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        pending = list(sets)
        while pending:
            for node in pending.pop().selections:
                self._step()
                if isinstance(node, FieldNode):
                    self._add(node, found)
                elif isinstance(node, InlineFragmentNode):
                    pending.append(node.selection_set)
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                    seen.add(node.name.value)
                    fragment = self.fragments.get(node.name.value)
                    if fragment is not None:
                        pending.append(fragment.selection_set)
        return found

    def _add(self, node: FieldNode, found: dict[str, list[FieldNode]]) -> None:
        mentions = found.setdefault(node.alias.value if node.alias else node.name.value, [])
        self.measure.fields += 1
        self.measure.overlaps += len(mentions)
        mentions.append(node)
        if self.measure.fields > MAX_FIELDS:
            raise _refused("selected fields", MAX_FIELDS, "ask in several steps")
        if self.measure.overlaps > MAX_OVERLAPS:
            raise _refused("repetitions of fields", MAX_OVERLAPS, "name every field once")

    def _step(self) -> None:
        self.measure.steps += 1
        if self.measure.steps > MAX_STEPS:
            raise _refused("uses of fields and fragments", MAX_STEPS, "ask in several steps")

    def _first(self, node: FieldNode) -> int:
        """The page size that a field asks for, at most the largest there is; fewer where it
        names the twins by id.
        """
        arguments = {a.name.value: a.value for a in node.arguments or ()}
        value = self._value(arguments.get("first"))
        if value is None:
            size = _DEFAULT_FIRST.get(node.name.value, _OTHER_FIRST)
        else:
            size = min(max(value, 0), PAGE) if type(value) is int else PAGE
        return min(size, self._named(arguments.get("where")))

    def _line(self, nodes: list[FieldNode]) -> int:
        """What the points of a history cost."""
        arguments = [{a.name.value: a.value for a in n.arguments or ()} for n in nodes]
        return max(map(self._points, arguments)) // _POINTS_OF_A_ROW + 1

    def _points(self, arguments: Mapping[str, ValueNode]) -> int:
        """The points that a history may have, as far as its arguments say."""
        points = self._value(arguments.get("points"))
        if type(points) is int:
            return max(0, min(points, MAX_POINTS))
        if "every" not in arguments:
            return DEFAULT_POINTS
        words = {name: self._text(arguments.get(name)) for name in ("from", "to", "every")}
        try:
            return min(MAX_POINTS, buckets(words["from"], words["to"], words["every"]))
        except (ValueError, TwinError):
            return MAX_POINTS  # whoever reads them will refuse them

    def _text(self, node: Any) -> str:
        """A text argument; empty where it is none."""
        value = self._value(node) if isinstance(node, VariableNode) else node
        value = value.value if isinstance(value, StringValueNode) else value
        return value if isinstance(value, str) else ""

    def _named(self, where: ValueNode | None) -> int:
        """How many twins a filter can find because it names their ids."""
        where = self._member(where, "id")
        if self._member(where, "eq") is not None:
            return 1
        ids = self._value(self._member(where, "in"))
        return len(ids) if isinstance(ids, list) else PAGE

    def _member(self, value: Any, name: str) -> Any:
        """A member of an input object, which may come from a variable."""
        value = self._value(value) if isinstance(value, VariableNode) else value
        if isinstance(value, Mapping):
            return value.get(name)
        if isinstance(value, ObjectValueNode):
            return next((f.value for f in value.fields if f.name.value == name), None)
        return None

    def _value(self, node: Any) -> Any:
        """The value of an argument as far as it matters here: a number, a list, a variable's."""
        if isinstance(node, VariableNode):
            return self.variables.get(node.name.value)
        if isinstance(node, ListValueNode):
            return list(node.values)
        return _int(node) if isinstance(node, Node) else node


def _int(node: Any) -> int | None:
    return int(node.value[:10]) if isinstance(node, IntValueNode) else None


def _refused(what: str, limit: int, cure: str) -> Refused:
    return Refused(f"the query has {what}; the limit is {limit}", code="TOO_COSTLY", cure=cure)
