"""The words that may stand in a query: every label, type and key is quoted here, after a check.

A name gets into a query only if a loaded model declares it (or Twinfall itself uses it) and if it
looks like a name. Everything else is a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from twinfall.graph.values import FieldType, FieldTypes
from twinfall.ontology import field_name
from twinfall.ontology.errors import UnknownName

HAS_COMPONENT = "_hasComponent"
"""The relationship from a twin to its component; its property `name` is the component's name."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,511}")
_NO_TYPES: Mapping[str, FieldType] = {}


def quoted(name: str, known: frozenset[str]) -> str:
    """A label, relationship type or property key as Cypher. Raises UnknownName for any other."""
    if name not in known or not _NAME.fullmatch(name):
        raise UnknownName(f"{name!r} is declared by no loaded model", cure="load the model first")
    return f"`{name}`"


@dataclass(frozen=True, slots=True)
class Words:
    """The vocabulary of the loaded models, and how their properties are stored."""

    types: FieldTypes = field(default_factory=FieldTypes)
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By model: its registered name and those of its ancestors."""
    all_labels: frozenset[str] = frozenset()
    relationships: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    """Property keys of twins and of relationships."""

    @classmethod
    def of(cls, types: FieldTypes, names: Mapping[str, str]) -> Words:
        """The words of these models, by their registered names."""
        labels = {
            model: tuple(names[dtmi] for dtmi in (model, *ancestors) if dtmi in names)
            for model, ancestors in types.ancestors.items()
        }
        declared = types.relationships.values()
        return cls(
            types,
            labels,
            frozenset(names.values()),
            frozenset(name for by_name in declared for name in by_name),
            frozenset(
                field_name(name)
                for names_of in (*types.twins.values(), *_values(declared))
                for name in names_of
            ),
        )

    def key(self, content: str) -> str:
        """A modelled property, by its content name, as Cypher."""
        return quoted(field_name(content), self.keys)

    def relationship(self, name: str) -> str:
        """A relationship type as Cypher."""
        return quoted(name, self.relationships)

    def labels_text(self, labels: Iterable[str]) -> str:
        """Labels as Cypher, `:A:B`."""
        return "".join(f":{quoted(label, self.all_labels)}" for label in labels)

    def declared(self, model: str) -> Mapping[str, FieldType] | None:
        """How this model's properties are stored; None where it is not loaded."""
        return self.types.twins.get(model)

    def twin_types(self, model: str) -> Mapping[str, FieldType]:
        """How this model's properties are stored."""
        return self.types.twins.get(model, _NO_TYPES)

    def relationship_types(self, model: str, name: str) -> Mapping[str, FieldType]:
        """How the properties of this relationship, from twins of this model, are stored."""
        return self.types.relationships.get(model, {}).get(name, _NO_TYPES)


def _values(
    declared: Iterable[Mapping[str, Mapping[str, FieldType]]],
) -> list[Mapping[str, FieldType]]:
    return [types for by_name in declared for types in by_name.values()]
