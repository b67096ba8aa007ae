"""The compiled ontology: what may exist, closed and immutable.

Interfaces are flattened: `Interface.contents` holds inherited contents too. DTDL forbids a name
to be declared twice along a hierarchy, so flattening is a union and never a choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

Kind = Literal["Property", "Telemetry", "Relationship", "Component", "Command"]


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Primitive:
    """A DTDL primitive or geospatial schema by its term: `double`, `dateTime`, `point`, ..."""

    name: str


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One value of an enumeration: `name` in GraphQL, `value` (str or int) on the wire."""

    name: str
    value: str | int


@dataclass(frozen=True, slots=True)
class Enum:
    """`value_schema` is `string` or `integer`."""

    id: str
    value_schema: str
    values: tuple[EnumValue, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an Object; optional in an instance unless `required`."""

    name: str
    schema: Schema
    required: bool = False


@dataclass(frozen=True, slots=True)
class Object:
    """A structure with named fields."""

    id: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """A list of `element`."""

    id: str
    element: Schema


@dataclass(frozen=True, slots=True)
class Map:
    """String keys to `value`."""

    id: str
    value: Schema


@dataclass(frozen=True, slots=True)
class SchemaReference:
    """Points back to an enclosing complex schema (`Ontology.schemas[id]`): DTDL v4 recursion."""

    id: str


Schema: TypeAlias = Primitive | Enum | Object | Array | Map | SchemaReference


@dataclass(frozen=True, slots=True)
class Content:
    """One entry of an interface's contents, or one property of a relationship.

    `declared_in` is the DTMI of the interface that declares it (itself or an ancestor).
    Set by kind: Property and Telemetry `schema` (and `unit`, the bare unit name such as
    `kilowatt`); Component `interface`; Relationship `target` (None: any twin), `properties`,
    `max_multiplicity`; Command `request` and `response` (None: no payload).
    """

    name: str
    kind: Kind
    id: str
    declared_in: str
    display_name: Mapping[str, str] = field(default_factory=_nothing)
    description: Mapping[str, str] = field(default_factory=_nothing)
    schema: Schema | None = None
    writable: bool = False
    unit: str | None = None
    semantic_type: str | None = None
    interface: str | None = None
    target: str | None = None
    properties: Mapping[str, Content] = field(default_factory=lambda: MappingProxyType({}))
    max_multiplicity: int | None = None
    request: Schema | None = None
    response: Schema | None = None


@dataclass(frozen=True, slots=True)
class Interface:
    """One model, flattened.

    `extends` holds the direct parents in the order written, `ancestors` all of them, nearest
    first and without itself, `descendants` all that extend it, without itself, sorted.
    """

    id: str
    dtdl_version: int
    display_name: Mapping[str, str]
    description: Mapping[str, str]
    extends: tuple[str, ...]
    ancestors: tuple[str, ...]
    descendants: tuple[str, ...]
    contents: Mapping[str, Content]

    def of_kind(self, kind: Kind) -> dict[str, Content]:
        """The contents of one kind, by name, in order of declaration."""
        return {name: c for name, c in self.contents.items() if c.kind == kind}
