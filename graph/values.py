"""How property values are stored, by field type.

Canonical values, as they stand in `Node.values` and come out of a store:

boolean bool · integer int (64-bit signed) · unsignedLong int · float float · text str ·
dateTime str in UTC, `2026-11-23T06:30:00Z`, the fraction without trailing zeros, at most 9
digits · date str · list (of scalars) and json: JSON values.
DTDL `decimal`, `time`, `duration`, `uuid` and `bytes` are text. An integer enumeration is
integer, a string one text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from twinfall.ontology.model import Array, Content, Enum, Interface, Primitive, Schema

FieldType = Literal[
    "boolean", "integer", "unsignedLong", "float", "text", "dateTime", "date", "list", "json"
]

_PRIMITIVES: Mapping[str, FieldType] = MappingProxyType(
    {
        "boolean": "boolean",
        "byte": "integer",
        "short": "integer",
        "integer": "integer",
        "long": "integer",
        "unsignedByte": "integer",
        "unsignedShort": "integer",
        "unsignedInteger": "integer",
        "unsignedLong": "unsignedLong",
        "double": "float",
        "float": "float",
        "date": "date",
        "dateTime": "dateTime",
        "string": "text",
        "time": "text",
        "duration": "text",
        "decimal": "text",
        "uuid": "text",
        "bytes": "text",
    }
)
_LISTABLE = frozenset({"boolean", "integer", "float", "text"})


def field_type(schema: Schema | None) -> FieldType:
    """How a property of this schema is stored; geospatial and structured ones are json."""
    if isinstance(schema, Primitive):
        return _PRIMITIVES.get(schema.name, "json")
    if isinstance(schema, Enum):
        return "integer" if schema.value_schema == "integer" else "text"
    if isinstance(schema, Array) and field_type(schema.element) in _LISTABLE:
        return "list"
    return "json"


@dataclass(frozen=True, slots=True)
class FieldTypes:
    """Field types of all loaded models: `twins[model][property]` and
    `relationships[source model][relationship name][property]`. `ancestors[model]` are the models
    it extends, nearest first, without itself.
    """

    twins: Mapping[str, Mapping[str, FieldType]] = field(default_factory=dict)
    relationships: Mapping[str, Mapping[str, Mapping[str, FieldType]]] = field(default_factory=dict)
    ancestors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, interfaces: Mapping[str, Interface]) -> FieldTypes:
        """The types that these flattened interfaces declare."""
        twins = {dtmi: _types(i.of_kind("Property")) for dtmi, i in interfaces.items()}
        relationships = {
            dtmi: {n: _types(r.properties) for n, r in i.of_kind("Relationship").items()}
            for dtmi, i in interfaces.items()
        }
        ancestors = {dtmi: i.ancestors for dtmi, i in interfaces.items()}
        return cls(twins, relationships, ancestors)


def _types(contents: Mapping[str, Content]) -> dict[str, FieldType]:
    return {name: field_type(content.schema) for name, content in contents.items()}
