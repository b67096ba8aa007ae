"""What is loaded and what runs: models and service, and answers that are plain records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from twinfall.api.graphql.connections import TYPENAME, mentions
from twinfall.api.graphql.naming import in_english
from twinfall.ontology.model import Array, Content, Enum, Map, Object, Primitive, Schema

if TYPE_CHECKING:
    from twinfall.api.graphql.compiler import Compiler
    from twinfall.api.graphql.roots import Asking
    from twinfall.api.graphql.selection import SelectionSets

PlainShape = Callable[[Mapping[str, Any]], dict[str, Any]]


def plain(compiler: Compiler, type_name: str, sets: SelectionSets) -> PlainShape:
    """Shapes records that are mappings by field name, and lists of such."""
    fields = compiler.schema.shapes.types[type_name].fields
    parts: list[tuple[str, str, PlainShape | None]] = []
    for mention in mentions(compiler, sets):
        below = None
        if mention.below:
            below = plain(compiler, fields[mention.name].type_name, mention.below)
        parts.append((mention.key, mention.name, below))

    def shape(value: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: type_name if name == TYPENAME else _below(value[name], below)
            for key, name, below in parts
        }

    return shape


def _below(value: Any, shape: PlainShape | None) -> Any:
    if shape is None or value is None:
        return value
    return [shape(one) for one in value] if isinstance(value, list) else shape(value)


def models(asking: Asking) -> Iterator[Mapping[str, Any]]:
    """Every loaded interface, by name."""
    counts = asking.graph.counts()
    known = asking.models
    for dtmi in sorted(known.ontology.interfaces, key=known.names.of):
        interface = known.ontology.interfaces[dtmi]
        yield {
            "id": dtmi,
            "name": known.names.of(dtmi),
            "displayName": in_english(interface.display_name),
            "description": in_english(interface.description),
            "extends": list(interface.extends),
            "twins": counts.twins.get(dtmi, 0) + counts.components.get(dtmi, 0),
            "decommissioned": dtmi in known.decommissioned,
            "contents": [_content(content) for content in interface.contents.values()],
        }


def _content(content: Content) -> dict[str, Any]:
    return {
        "name": content.name,
        "kind": content.kind,
        "target": content.target or content.interface,
        "declaredIn": content.declared_in,
        "schema": _schema_text(content.schema),
        "request": _schema_text(content.request),
        "response": _schema_text(content.response),
        "unit": content.unit,
        "writable": content.writable,
        "displayName": in_english(content.display_name),
        "description": in_english(content.description),
    }


def _schema_text(schema: Schema | None) -> str | None:
    """A schema in a word or two: `double`, `enum (on, off)`, `array of string`."""
    if schema is None or isinstance(schema, Primitive):
        return None if schema is None else schema.name
    if isinstance(schema, Enum):
        return f"enum ({', '.join(value.name for value in schema.values)})"
    if isinstance(schema, Array):
        return f"array of {_schema_text(schema.element)}"
    if isinstance(schema, Map):
        return f"map to {_schema_text(schema.value)}"
    if isinstance(schema, Object):
        return f"object ({', '.join(field.name for field in schema.fields)})"
    return schema.id


def service(asking: Asking) -> Mapping[str, Any]:
    """What this service is and holds."""
    counts = asking.graph.counts()
    return {
        "version": _version(),
        "cursor": asking.graph.cursor(),
        "models": len(asking.models.ontology.interfaces),
        "twins": sum(counts.twins.values()),
        "components": sum(counts.components.values()),
        "relationships": sum(counts.relationships.values()),
        "caller": {"name": asking.access.name, "role": asking.access.role},
    }


def _version() -> str:
    try:
        return version("twinfall")
    except PackageNotFoundError:  # run from a checkout that nobody installed
        return "unknown"
