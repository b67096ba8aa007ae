"""Reading selections: fragments, inline fragments, @include and @skip, merged fields, arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
)
from graphql.execution.values import VariableValues, get_argument_values, get_directive_values

SelectionSets: TypeAlias = tuple[SelectionSetNode, ...]
"""The selection sets of several mentions of one field, which count as one."""


@dataclass(frozen=True, slots=True)
class Mention:
    """All mentions of one response key: their common field and what is selected below."""

    key: str
    name: str
    node: FieldNode
    below: SelectionSets


class Selections:
    """The selections of one operation with its variables."""

    def __init__(
        self, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self._fragments = fragments
        self._variables = VariableValues({}, dict(variables))

    def arguments(self, field: GraphQLField, node: FieldNode) -> dict[str, Any]:
        """The argument values of a mention."""
        if not field.args:
            return {}
        return get_argument_values(field, node, self._variables)

    def conditions(self, sets: SelectionSets) -> frozenset[str]:
        """The type conditions of all fragments that count at this level."""
        found: set[str] = set()

        def note(name: str) -> bool:
            found.add(name)
            return True

        for _ in self._fields(sets, note):
            pass
        return frozenset(found)

    def fields(self, sets: SelectionSets, holds: Callable[[str], bool]) -> list[Mention]:
        """The fields selected for a type, in order; `holds` says which type conditions do."""
        grouped: dict[str, list[FieldNode]] = {}
        for node in self._fields(sets, holds):
            key = node.alias.value if node.alias else node.name.value
            grouped.setdefault(key, []).append(node)
        return [
            Mention(
                key,
                nodes[0].name.value,
                nodes[0],
                tuple(n.selection_set for n in nodes if n.selection_set is not None),
            )
            for key, nodes in grouped.items()
        ]

    def _fields(self, sets: SelectionSets, holds: Callable[[str], bool]) -> Iterator[FieldNode]:
        seen: set[str] = set()
        for one in sets:
            yield from self._walk(one, holds, seen)

    def _walk(
        self, selections: SelectionSetNode, holds: Callable[[str], bool], seen: set[str]
    ) -> Iterator[FieldNode]:
        for node in selections.selections:
            if node.directives and not self._counts(node):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                if condition is None or holds(condition.name.value):
                    yield from self._walk(node.selection_set, holds, seen)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                fragment = self._fragments[name]
                if name not in seen and holds(fragment.type_condition.name.value):
                    seen.add(name)
                    yield from self._walk(fragment.selection_set, holds, seen)

    def _counts(self, node: SelectionNode) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        if skip and skip["if"]:
            return False
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return not include or bool(include["if"])
