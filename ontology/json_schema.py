"""JSON Schema (2020-12) of a model: its twins, telemetry, command payloads and relationships.

What a schema cannot say, `Ontology.check_value` says: that `1.0` is no integer and `-0` not
unsigned, that a ring of a polygon ends where it begins, how deep a value may nest, that a text is
well-formed and no member given twice. Patterns keep to what every dialect of regular expressions
has; in Python's, `$` lets a line feed at the end pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from twinfall.ontology.geojson import GEOMETRIES, MAX_POSITIONS
from twinfall.ontology.model import (
    Array,
    Content,
    Enum,
    Interface,
    Map,
    Object,
    Primitive,
    Schema,
)
from twinfall.ontology.ontology import Ontology
from twinfall.ontology.values import INTEGER_RANGES, LARGEST, MAX_DEPTH

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BEYOND = (
    "judged beyond this schema: 1.0 is no integer, -0 is not unsigned, values nest at most "
    f"{MAX_DEPTH} levels, a member is given once; null, taken for no value by a write, is not in it"
)
"""What JSON Schema cannot say, in each document."""
JsonSchema: TypeAlias = dict[str, Any]

_NOT_0 = "[0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3}"
_BY_4 = "0[48]|[2468][048]|[13579][26]"
_DAY = (
    f"(?:{_NOT_0})-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|(?:[0-9]{{2}}(?:{_BY_4})|(?:{_BY_4})00)-02-29"
)
"""A day of the calendar from year 1, leap years known."""
_CLOCK = (
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_N = "[0-9]+"
_F = rf"{_N}(?:\.{_N})?"
_TIME_PART = rf"(?:(?:{_N}H)?(?:{_N}M)?{_F}S|(?:{_N}H)?{_F}M|{_F}H)"
_DATE_PART = rf"(?:(?:{_N}Y)?(?:{_N}M)?|(?:{_N}W)?)"
_DURATION = (
    rf"P(?:{_DATE_PART}(?:{_N}D)?T{_TIME_PART}|{_DATE_PART}{_F}D|{_F}W|(?:{_N}Y)?{_F}M|{_F}Y)"
)
"""As `durations.DURATION`, without looking ahead."""


def _text(pattern: str, **more: Any) -> JsonSchema:
    return {"type": "string", "pattern": f"^(?:{pattern})$", **more}


def _geometries() -> dict[str, JsonSchema]:
    found = {}
    for name, (geometry, nesting, least) in GEOMETRIES.items():
        inner: JsonSchema = {
            "type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3
        }  # fmt: skip
        for level in range(nesting):
            inner = {"type": "array", "items": inner, "maxItems": MAX_POSITIONS}
            if level == 0 and least:
                inner["minItems"] = least
        members = {"type": {"const": geometry}, "coordinates": inner}
        found[name] = _closed(members, required=members)
        if name in ("polygon", "multiPolygon"):
            found[name]["$comment"] = "beyond this schema: a ring ends where it begins"
    return found


def _closed(properties: Mapping[str, JsonSchema], required: Iterable[str] = ()) -> JsonSchema:
    """An object of these members and no others."""
    made: JsonSchema = {
        "type": "object", "properties": dict(properties), "additionalProperties": False
    }  # fmt: skip
    if names := list(required):
        made["required"] = names
    return made


_PLAIN: Mapping[str, JsonSchema] = MappingProxyType(
    {
        "boolean": {"type": "boolean"},
        "string": {"type": "string"},
        **{
            name: {"type": "integer", "minimum": low, "maximum": high}
            for name, (low, high) in INTEGER_RANGES.items()
        },
        **{
            name: {"type": "number", "minimum": -largest, "maximum": largest}
            for name, largest in LARGEST.items()
        },
    }
)
_NAMED: Mapping[str, JsonSchema] = MappingProxyType(
    {
        "date": _text(_DAY, format="date"),
        "time": _text(_CLOCK, format="time"),
        "dateTime": _text(f"(?:{_DAY})T{_CLOCK}", format="date-time"),
        "duration": _text(_DURATION),
        "decimal": _text(r"[+-]?(?:[1-9][0-9]*|0)(?:\.[0-9]*)?"),
        "uuid": _text("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", format="uuid"),
        "bytes": _text(
            "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
            contentEncoding="base64",
        ),
        **_geometries(),
    }
)
"""Primitives that take some saying: they stand once in a document, under `$defs`."""


def model_schema(ontology: Ontology, dtmi: str) -> JsonSchema:
    """The schema of a model's twins: an object of its property values, components nested, as in
    `writeTwins` and, with members that begin with `$`, in the rows of an import.

    `$defs` has `telemetry` (readings by name), `NAME.request` and `NAME.response` of each command
    with a payload, `NAME.properties` of each relationship that has some, the component's models and
    the complex schemas by DTMI. Raises UnknownName.
    """
    interface = ontology.interface(dtmi)
    made = _Document(ontology)
    root = made.twin(interface)
    telemetry = interface.of_kind("Telemetry")
    if telemetry:
        members = {name: made.content(content) for name, content in telemetry.items()}
        made.defs["telemetry"] = _closed(members)
    for name, content in interface.contents.items():
        made.payloads(name, content)
    head = {"$schema": DIALECT, "$id": dtmi, "$comment": BEYOND}
    return {**head, **root, **({"$defs": made.sorted_defs()} if made.defs else {})}


def value_schema(ontology: Ontology, schema: Schema) -> JsonSchema:
    """The schema of the values that `Ontology.check_value` takes for this one."""
    made = _Document(ontology)
    root = made.schema(schema)
    return {"$schema": DIALECT, **root, **({"$defs": made.sorted_defs()} if made.defs else {})}


class _Document:
    """One document; `defs` grows as schemas are met."""

    def __init__(self, ontology: Ontology) -> None:
        self._ontology = ontology
        self.defs: dict[str, JsonSchema] = {}

    def sorted_defs(self) -> dict[str, JsonSchema]:
        """What was met, in order of name."""
        return dict(sorted(self.defs.items()))

    def twin(self, interface: Interface) -> JsonSchema:
        """The values of a twin."""
        members: dict[str, JsonSchema] = {}
        for name, content in interface.contents.items():
            if content.kind == "Property":
                members[name] = self.content(content)
            elif content.kind == "Component" and content.interface is not None:
                members[name] = {**self._component(content.interface), **_said(content)}
        made = _said(interface) | _closed(members)
        made["patternProperties"] = {r"^\$": {}}
        return made

    def content(self, content: Content) -> JsonSchema:
        """A property or telemetry."""
        assert content.schema is not None  # those kinds have one
        unit = {"$comment": f"unit: {content.unit}"} if content.unit else {}
        return {**self.schema(content.schema), **_said(content), **unit}

    def payloads(self, name: str, content: Content) -> None:
        """What a command carries, and what a relationship has."""
        for part, schema in (("request", content.request), ("response", content.response)):
            if schema is not None:
                self.defs[f"{name}.{part}"] = self.schema(schema)
        if content.properties:
            members = {key: self.content(one) for key, one in content.properties.items()}
            self.defs[f"{name}.properties"] = _closed(members)

    def schema(self, schema: Schema) -> JsonSchema:
        """A schema where it is used."""
        if not isinstance(schema, Primitive):
            return self._complex(schema)
        if schema.name in _NAMED:
            self.defs[schema.name] = _NAMED[schema.name]
            return _reference(schema.name)
        return dict(_PLAIN.get(schema.name, _PLAIN["string"]))

    def _complex(self, schema: Schema) -> JsonSchema:
        assert not isinstance(schema, Primitive)
        if schema.id not in self.defs:
            self.defs[schema.id] = {}  # so that one that refers to itself ends
            self.defs[schema.id] = self._written(self._ontology.schemas.get(schema.id, schema))
        return _reference(schema.id)

    def _written(self, schema: Schema) -> JsonSchema:
        if isinstance(schema, Enum):
            return {"type": schema.value_schema, "enum": [one.value for one in schema.values]}
        if isinstance(schema, Array):
            return {"type": "array", "items": self.schema(schema.element)}
        if isinstance(schema, Map):
            return {"type": "object", "additionalProperties": self.schema(schema.value)}
        if isinstance(schema, Object):
            members = {field.name: self.schema(field.schema) for field in schema.fields}
            return _closed(members, [field.name for field in schema.fields if field.required])
        return self.schema(schema)

    def _component(self, dtmi: str) -> JsonSchema:
        if dtmi not in self.defs:
            self.defs[dtmi] = {}
            self.defs[dtmi] = self.twin(self._ontology.interfaces[dtmi])
        return _reference(dtmi)


def _reference(name: str) -> JsonSchema:
    return {"$ref": f"#/$defs/{name}"}


def _said(named: Interface | Content) -> JsonSchema:
    """What people read, in English where it is said so."""
    texts = {"title": named.display_name, "description": named.description}
    return {
        word: said.get("en") or next(iter(said.values())) for word, said in texts.items() if said
    }
