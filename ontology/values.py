"""Values against schemas: one compiled check per schema, a list of problems with paths out.

Types are JSON's: `1.0` is no integer, `true` no number, null no value. Enumerations are checked
by value. Texts of time follow RFC 3339, durations ISO 8601, geospatial values GeoJSON (RFC 7946).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any, TypeAlias

from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.durations import DURATION
from twinfall.ontology.errors import Problem
from twinfall.ontology.geojson import GEOMETRIES, check_geometry
from twinfall.ontology.model import (
    Array,
    Enum,
    Field,
    Map,
    Object,
    Primitive,
    Schema,
    SchemaReference,
)

MAX_DEPTH = 64
"""Nesting of a value; DTDL v4 schemas may refer to themselves."""
MAX_PROBLEMS = 100
"""Of one value; further ones are not looked for."""

Check: TypeAlias = Callable[[Any, str, list[Problem], int], None]
"""(value, path, problems, depth): appends a problem for whatever is wrong."""

INTEGER_RANGES: Mapping[str, tuple[int, int]] = {
    "byte": (-(2**7), 2**7 - 1),
    "short": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
    "unsignedByte": (0, 2**8 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedInteger": (0, 2**32 - 1),
    "unsignedLong": (0, 2**64 - 1),
}
LARGEST = {"double": 1.7976931348623157e308, "float": 3.4028234663852886e38}
_OFFSET = r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(rf"(\d{{2}}:\d{{2}}:\d{{2}})(?:\.\d+)?{_OFFSET}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:[1-9][0-9]*|0)(?:\.[0-9]*)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


class MinusZero(int):
    """`-0` as written in a text: an integer, but not one of the unsigned."""


def compile_check(schema: Schema, schemas: Mapping[str, Schema]) -> Check:
    """The check for a schema. `schemas` resolves references."""
    return _Compiler(schemas).check(schema)


class _Compiler:
    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self.schemas = schemas
        self.referred: dict[str, Check] = {}

    def check(self, schema: Schema) -> Check:
        if isinstance(schema, Primitive):
            return _primitive(schema.name)
        if isinstance(schema, Enum):
            return _enum(schema)
        if isinstance(schema, Array):
            return _array(self.check(schema.element))
        if isinstance(schema, Map):
            return _map(self.check(schema.value))
        if isinstance(schema, Object):
            return _object(schema.fields, {f.name: self.check(f.schema) for f in schema.fields})
        return self.reference(schema)

    def reference(self, schema: SchemaReference) -> Check:
        """A check that is compiled when first needed: the schema refers to itself."""

        def check(value: Any, path: str, problems: list[Problem], depth: int) -> None:
            known = self.referred.get(schema.id)
            if known is None:
                known = self.check(self.schemas[schema.id])
                self.referred[schema.id] = known
            known(value, path, problems, depth)

        return check


def _primitive(name: str) -> Check:
    if name in INTEGER_RANGES:
        return _integer(name, *INTEGER_RANGES[name])
    if name in LARGEST:
        return _real(name, LARGEST[name])
    if name in GEOMETRIES:
        return _geometry(name)
    if name == "boolean":
        return _boolean
    return _text(name)


def _boolean(value: Any, path: str, problems: list[Problem], depth: int) -> None:
    if value is not True and value is not False:
        problems.append(_bad(value, "true or false", path))


def _bad(value: Any, wanted: str, path: str) -> Problem:
    return Problem("badValue", f"must be {wanted}, not {_shown(value)}", path)


def _shown(value: Any) -> str:
    """A value in a message: what it is, and a glance at short ones."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'the text "{value}"' if len(value) <= 40 else f'the text "{value[:40]}..."'
    if isinstance(value, int | float):
        text = str(value) if not isinstance(value, int) or abs(value) < 10**40 else "so large"
        return f"the number {text}"
    return "an object" if isinstance(value, dict) else "a list"


def _integer(name: str, low: int, high: int) -> Check:
    def check(value: Any, path: str, problems: list[Problem], depth: int) -> None:
        if type(value) is int:
            if low <= value <= high:
                return
            message = f"{name} is {low} to {high}, not {_shown(value)}"
            problems.append(Problem("outOfRange", message, path))
        elif type(value) is not MinusZero or low == 0:
            problems.append(_bad(value, "an integer", path))

    return check


def _real(name: str, largest: float) -> Check:
    def check(value: Any, path: str, problems: list[Problem], depth: int) -> None:
        if type(value) is float or type(value) is int or type(value) is MinusZero:
            if -largest <= value <= largest:
                return
            known = f"within {largest:g}" if abs(value) < math.inf else "a finite number"
            problems.append(Problem("outOfRange", f"{name} must be {known}", path))
        else:
            problems.append(_bad(value, "a number", path))

    return check


def _geometry(name: str) -> Check:
    def check(value: Any, path: str, problems: list[Problem], depth: int) -> None:
        check_geometry(name, value, path, problems)

    return check


def _text(name: str) -> Check:
    test, wanted = _TEXTS.get(name, (_is_any_text, "a text"))

    def check(value: Any, path: str, problems: list[Problem], depth: int) -> None:
        if type(value) is not str or not test(value):
            problems.append(_bad(value, wanted, path))

    return check


def _is_any_text(text: str) -> bool:
    """Any text but one that cannot be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_time(text: str) -> bool:
    match = _TIME.fullmatch(text)
    if match is None:
        return False
    try:
        time.fromisoformat(match[1])
    except ValueError:
        return False
    return True


def _is_date_time(text: str) -> bool:
    return text[10:11] == "T" and _is_date(text[:10]) and _is_time(text[11:])


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


_TEXTS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "date": (_is_date, "a date such as 2026-11-23"),
    "time": (_is_time, "a time with zone such as 06:30:00Z"),
    "dateTime": (_is_date_time, "an instant with zone such as 2026-11-23T06:30:00Z"),
    "duration": (_matches(DURATION), "an ISO 8601 duration such as PT30S"),
    "decimal": (_matches(_DECIMAL), 'a decimal number as text such as "12.50"'),
    "uuid": (_matches(_UUID), "a UUID"),
    "bytes": (_matches(_BASE64), "base64 text"),
}


def _enum(schema: Enum) -> Check:
    allowed = frozenset(v.value for v in schema.values)
    wanted_type = int if schema.value_schema == "integer" else str
    by_name = {v.name: v.value for v in schema.values}

    def check(value: Any, path: str, problems: list[Problem], depth: int) -> None:
        if type(value) is wanted_type and value in allowed:
            return
        few = ", ".join(_quoted(v) for v in sorted(allowed, key=str)[:10])
        message = f"must be one of {few}{', ...' if len(allowed) > 10 else ''}"
        cure = did_you_mean(value, [str(v) for v in allowed]) if type(value) is str else ""
        if type(value) is str and value in by_name and by_name[value] != value:
            cure = f'"{value}" is written as {_quoted(by_name[value])}'
        problems.append(Problem("badValue", f"{message}, not {_shown(value)}", path, cure=cure))

    return check


def _quoted(value: str | int) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _step(path: str, name: str) -> str:
    return f"{path}/{name.replace('~', '~0').replace('/', '~1')}"


def _enough(path: str, problems: list[Problem], depth: int) -> bool:
    if depth > MAX_DEPTH:
        problems.append(Problem("tooDeep", f"nested deeper than {MAX_DEPTH} levels", path))
        return True
    return len(problems) >= MAX_PROBLEMS


def _array(element: Check) -> Check:
    def check(value: Any, path: str, problems: list[Problem], depth: int) -> None:
        if type(value) is not list:
            problems.append(_bad(value, "a list", path))
        elif not _enough(path, problems, depth):
            for position, item in enumerate(value):
                element(item, f"{path}/{position}", problems, depth + 1)

    return check


def _map(entry: Check) -> Check:
    def check(value: Any, path: str, problems: list[Problem], depth: int) -> None:
        if type(value) is not dict:
            problems.append(_bad(value, "an object", path))
        elif not _enough(path, problems, depth):
            for key, item in value.items():
                entry(item, _step(path, key), problems, depth + 1)

    return check


def _object(fields: tuple[Field, ...], checks: Mapping[str, Check]) -> Check:
    required = tuple(f.name for f in fields if f.required)

    def check(value: Any, path: str, problems: list[Problem], depth: int) -> None:
        if type(value) is not dict:
            problems.append(_bad(value, "an object", path))
            return
        if _enough(path, problems, depth):
            return
        for name, item in value.items():
            known = checks.get(name)
            if known is not None:
                known(item, _step(path, name), problems, depth + 1)
            else:
                cure = did_you_mean(name, checks) or f"known here: {', '.join(checks)}"
                message = f'there is no field "{name}"'
                problems.append(Problem("unknownField", message, _step(path, name), cure=cure))
        for name in required:
            if name not in value:
                problems.append(Problem("missingField", f'the field "{name}" is missing', path))

    return check
