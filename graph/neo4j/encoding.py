"""Canonical values as Neo4j's own, and back.

Scalars are native: instants ZONED DATETIME in UTC, dates DATE. unsignedLong, which may exceed
Neo4j's integers, is text of 20 digits, so that it orders as numbers do. Structures are JSON text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import orjson
from neo4j.time import Date, DateTime

from twinfall.graph.canonical import canonical_instant
from twinfall.graph.values import FieldType
from twinfall.ontology import content_name, field_name
from twinfall.ontology.errors import BadQuery

LONG_MAX = 2**63 - 1
LONG_MIN = -(2**63)
UNSIGNED_MAX = 2**64 - 1
_INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


def native_values(values: Mapping[str, Any], types: Mapping[str, FieldType]) -> dict[str, Any]:
    """Content names and canonical values as property keys and Neo4j values."""
    return {field_name(name): _native(value, types.get(name)) for name, value in values.items()}


def canonical_values(found: Mapping[str, Any], types: Mapping[str, FieldType]) -> dict[str, Any]:
    """The modelled properties of a node or relationship; our own (`id`, `_...`) are left out."""
    values = {}
    for key, value in found.items():
        if key not in ("id", "model") and not key.startswith("_"):
            name = content_name(key)
            values[name] = canonical_value(value, types.get(name))
    return values


def twin_values(found: Mapping[str, Any], types: Mapping[str, FieldType] | None) -> dict[str, Any]:
    """The property values of a twin's node: what else stands on it, such as the copy of its latest
    readings, is not among them. `types` None: of a model that is not loaded, then all are.
    """
    values = canonical_values(found, types or {})
    return values if types is None else {n: v for n, v in values.items() if n in types}


def canonical_value(value: Any, kind: FieldType | None) -> Any:
    """One value; what somebody wrote with another type in Neo4j Browser stays as near as it can."""
    if isinstance(value, str):
        return _from_text(value, kind)
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, DateTime):
        return _instant_text(value)
    if hasattr(value, "iso_format"):
        return value.iso_format()
    return value


def comparable(value: Any, kind: FieldType) -> Any:
    """A value to compare a field of this type with. Raises BadQuery where none fits."""
    try:
        return _comparable(value, kind)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise BadQuery(f"{value!r} cannot be compared with a {kind} field") from error


def _comparable(value: Any, kind: FieldType) -> Any:
    if kind in ("list", "json"):
        raise TypeError("structured values have no order")
    if kind == "float":
        return float(value)
    if kind == "boolean":
        return bool(value)
    if kind == "text":
        return str(value)
    if kind in ("integer", "unsignedLong"):
        number = int(value)
        least, most = (LONG_MIN, LONG_MAX) if kind == "integer" else (0, UNSIGNED_MAX)
        if not least <= number <= most:
            raise OverflowError("more than 64 bits")
        return number if kind == "integer" else f"{number:020d}"
    return _native(canonical_instant(value) if kind == "dateTime" else value, kind)


def _native(value: Any, kind: FieldType | None) -> Any:
    if kind == "json" or (kind is None and isinstance(value, Mapping | list)):
        return orjson.dumps(value, default=dict).decode()
    if kind == "unsignedLong":
        return f"{value:020d}"
    if kind == "dateTime":
        return _instant(value)
    if kind == "date":
        return Date.from_iso_format(value)
    if kind == "list":
        return list(value)
    return value


def _from_text(value: str, kind: FieldType | None) -> Any:
    if kind == "json":
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    if kind == "unsignedLong" and value.isdecimal():
        return int(value)
    return value


def _instant(text: str) -> DateTime:
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a canonical instant")
    *parts, fraction = found.groups()
    year, month, day, hour, minute, second = map(int, parts)
    nanoseconds = int((fraction or "").ljust(9, "0"))
    return DateTime(year, month, day, hour, minute, second, nanoseconds, tzinfo=UTC)


def _instant_text(value: DateTime) -> str:
    offset = value.utcoffset()
    if offset:
        value = value.as_timezone(UTC)
    fraction = f".{value.nanosecond:09d}".rstrip("0") if value.nanosecond else ""
    return (
        f"{value.year:04d}-{value.month:02d}-{value.day:02d}"
        f"T{value.hour:02d}:{value.minute:02d}:{value.second:02d}{fraction}Z"
    )
