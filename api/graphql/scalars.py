"""The scalars beyond GraphQL's own, and which of them a DTDL schema becomes.

Values come out of the store in canonical form (`twinfall.graph.values`), which is also their
form on the wire; what comes in is checked and brought into it.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from twinfall.graph.canonical import canonical_instant
from twinfall.ontology.model import Array, Enum, Primitive, Schema

LONG_MIN = -(2**63)
LONG_MAX = 2**64 - 1
"""Long holds DTDL's unsignedLong too."""

_DURATION = re.compile(
    r"-?P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?", re.ASCII
)
_INT = frozenset({"byte", "short", "integer", "unsignedByte", "unsignedShort"})
_LONG = frozenset({"long", "unsignedInteger", "unsignedLong"})
_NAMED = {
    "boolean": "Boolean",
    "double": "Float",
    "float": "Float",
    "date": "Date",
    "dateTime": "DateTime",
    "duration": "Duration",
    "string": "String",
    "time": "String",
    "decimal": "String",
    "uuid": "String",
    "bytes": "String",
}


def scalar_name(schema: Schema | None) -> str:
    """The GraphQL type of a value that is no enumeration; `JSON` where it has a structure."""
    if isinstance(schema, Primitive):
        if schema.name in _INT:
            return "Int"
        return "Long" if schema.name in _LONG else _NAMED.get(schema.name, "JSON")
    if isinstance(schema, Enum):
        return "Long" if schema.value_schema == "integer" else "String"
    if isinstance(schema, Array):
        element = scalar_name(schema.element)
        return element if element == "JSON" else f"[{element}!]"
    return "JSON"


def _long(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise GraphQLError(f"{value!r} is not a number")
    if isinstance(value, float) and not value.is_integer():
        raise GraphQLError(f"{value!r} is not a whole number")
    if not LONG_MIN <= value <= LONG_MAX:
        raise GraphQLError(f"{value!r} does not fit 64 bits")
    return int(value)


def _instant(value: Any) -> str:
    if not isinstance(value, str):
        raise GraphQLError("a DateTime is a text such as 2026-11-23T06:30:00Z")
    try:
        return canonical_instant(value)
    except ValueError as error:
        raise GraphQLError(str(error)) from None


def _date(value: Any) -> str:
    if not isinstance(value, str) or len(value) != len("2026-11-23"):
        raise GraphQLError("a Date is a text such as 2026-11-23")
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise GraphQLError(f"{value!r} is not a day") from None


def _duration(value: Any) -> str:
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise GraphQLError("a Duration is ISO 8601 text such as PT8H or P1DT30M")
    return value


def _same(value: Any) -> Any:
    return value


class JSON:
    """Marks the type of values with a structure of their own."""


class Long:
    """Marks 64-bit integers."""


class DateTime:
    """Marks instants."""


class Date:
    """Marks days."""


class Duration:
    """Marks spans of time."""


MARKERS: dict[str, type] = {
    "JSON": JSON,
    "Long": Long,
    "DateTime": DateTime,
    "Date": Date,
    "Duration": Duration,
}


def scalar_map() -> dict[object, ScalarDefinition]:
    """Fresh definitions for one schema."""
    return {
        JSON: strawberry.scalar(
            name="JSON",
            description="Any JSON value.",
            serialize=_same,
            parse_value=_same,
        ),
        Long: strawberry.scalar(
            name="Long",
            description="A 64-bit integer, signed or unsigned, as a JSON number.",
            serialize=_same,
            parse_value=_long,
        ),
        DateTime: strawberry.scalar(
            name="DateTime",
            description="An instant as RFC 3339 text with a zone; answers are in UTC.",
            serialize=_same,
            parse_value=_instant,
        ),
        Date: strawberry.scalar(
            name="Date",
            description="A day: 2026-11-23.",
            serialize=_same,
            parse_value=_date,
        ),
        Duration: strawberry.scalar(
            name="Duration",
            description="A span of time as ISO 8601 text: PT8H, P1DT30M, PT0.5S.",
            serialize=_same,
            parse_value=_duration,
        ),
    }
