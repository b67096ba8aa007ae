"""How values lie in the file so that SQLite orders and compares them exactly as promised.

`content` is the canonical JSON, which readers get back verbatim. SQLite can extract and compare
text, dates and 64-bit integers from it, in code point order. Two types need help, which `keys`
holds by property name:

float: SQLite parses decimals through a long double, which may be one unit in the last place
off; a page that continues after such a value would repeat or lose a row. The key is the bit
pattern as an integer that orders like the number.

unsignedLong beyond 64-bit signed: SQLite would read it as an inexact real. The key is 20-digit
text, which SQLite orders after every integer.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Any

import orjson

from twinfall.graph.values import FieldType
from twinfall.ontology.errors import BadQuery, UnknownName

LONG_MAX = 2**63 - 1
LONG_MIN = -(2**63)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,511}")
_BITS = 0x7FFF_FFFF_FFFF_FFFF


def json_path(name: str) -> str:
    """The JSON path of a property: the one place where names enter a path."""
    if not _NAME.fullmatch(name):
        raise UnknownName(f"{name!r} is not a property name")
    return f'$."{name}"'


def content_text(values: Mapping[str, Any]) -> str:
    """Canonical values as the JSON text that is stored."""
    return json_text(dict(values))


def json_text(value: Any) -> str:
    """A JSON value as text."""
    return orjson.dumps(value, default=_plain).decode()


def keys_text(values: Mapping[str, Any]) -> str | None:
    """The sortable forms of those values that need one."""
    keys: dict[str, int | str] = {}
    for name, value in values.items():
        if isinstance(value, float):
            keys[name] = sortable(value)
        elif isinstance(value, int) and value > LONG_MAX:
            keys[name] = f"{value:020d}"
    return orjson.dumps(keys).decode() if keys else None


def sortable(value: float) -> int:
    """An integer that orders like the number; both zeros are 0."""
    bits: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return bits if bits >= 0 else -(bits & _BITS)


def unsortable(key: int) -> float:
    """The number of a sortable integer."""
    bits = key if key >= 0 else -key | LONG_MIN
    value: float = struct.unpack("<d", struct.pack("<q", bits))[0]
    return value


def encode(value: Any, kind: FieldType) -> Any:
    """A value of this field type as SQLite compares it. Raises BadQuery where none fits."""
    try:
        return _encode(value, kind)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise BadQuery(f"{value!r} cannot be compared with a {kind} field") from error


def _encode(value: Any, kind: FieldType) -> Any:
    if kind == "float":
        return sortable(float(value))
    if kind == "boolean":
        return int(bool(value))
    if kind in ("integer", "unsignedLong"):
        number = int(value)
        if kind == "unsignedLong" and number > LONG_MAX:
            return f"{number:020d}"
        if not LONG_MIN <= number <= LONG_MAX:
            raise OverflowError("more than 64 bits")
        return number
    if kind == "dateTime":
        return value.rstrip("Z")
    if kind in ("list", "json"):
        raise TypeError("structured values have no order")
    return str(value)


def decode(key: Any, kind: FieldType) -> Any:
    """The canonical value of what SQLite compared: the inverse of `encode`."""
    if key is None:
        return None
    if kind == "float":
        return unsortable(key)
    if kind == "boolean":
        return bool(key)
    if kind == "unsignedLong":
        return int(key)
    return f"{key}Z" if kind == "dateTime" else key


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")
