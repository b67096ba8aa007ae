"""Values of the ontology's schemas in the one form that is stored (see `values`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from twinfall.ontology.model import Array, Map, Object, Primitive, Schema, SchemaReference

_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_FRACTION = 9
_FLOATS = frozenset({"double", "float"})
_INTEGERS = frozenset(
    {
        "byte",
        "short",
        "integer",
        "long",
        "unsignedByte",
        "unsignedShort",
        "unsignedInteger",
        "unsignedLong",
    }
)


def canonical(value: Any, schema: Schema | None, schemas: Mapping[str, Schema]) -> Any:
    """A valid value in its stored form. Raises ValueError where it has none: a time without
    zone, or out of the years 1 to 9999 in UTC, or finer than a nanosecond.
    """
    if isinstance(schema, SchemaReference):
        schema = schemas[schema.id]
    if isinstance(schema, Primitive):
        return _primitive(value, schema.name)
    if isinstance(schema, Array) and isinstance(value, list):
        return [canonical(item, schema.element, schemas) for item in value]
    if isinstance(schema, Map) and isinstance(value, Mapping):
        return {key: canonical(item, schema.value, schemas) for key, item in value.items()}
    if isinstance(schema, Object) and isinstance(value, Mapping):
        fields = {field.name: field.schema for field in schema.fields}
        return {key: canonical(item, fields.get(key), schemas) for key, item in value.items()}
    return value


def canonical_instant(text: str) -> str:
    """An RFC 3339 instant in UTC: `2026-11-23T06:30:00Z`, the fraction without trailing zeros.
    Raises ValueError.
    """
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not an RFC 3339 time with a zone, such as Z or +02:00")
    day, time, fraction, zone = found.groups()
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > _FRACTION:
        raise ValueError(f"{text!r} is finer than a nanosecond")
    zone = "+00:00" if zone in "Zz" else zone
    try:
        instant = datetime.fromisoformat(f"{day}T{time}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a time in the years 1 to 9999") from None
    stem = instant.replace(tzinfo=None).isoformat(timespec="seconds")
    return f"{stem}.{fraction}Z" if fraction else f"{stem}Z"


def _primitive(value: Any, name: str) -> Any:
    if name == "dateTime" and isinstance(value, str):
        return canonical_instant(value)
    if isinstance(value, bool):
        return value
    if name in _FLOATS and isinstance(value, int | float):
        return float(value) + 0.0  # one zero: -0.0 + 0.0 is 0.0
    if name in _INTEGERS and isinstance(value, float) and value.is_integer():
        return int(value)
    return value
