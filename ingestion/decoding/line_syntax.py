"""One line of Influx line protocol, read with all of its syntax.

`measurement,tag=v,... field=1.5,other=2i 1465839830100400200`: commas, spaces and equals signs in
names are escaped by `\\`; strings stand in quotes, may hold anything, line feeds too, and escape
`"` and `\\`; `i` and `u` end integers of 64 bits. InfluxData, Line protocol reference, InfluxDB v2.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

MAX_NUMBER = 400
"""Characters of a number; what is longer is none that a machine sent."""
_NAME = rb"(?:[^,= \n\r\\]|\\.)+"
_MEASUREMENT = re.compile(rb"(?:[^, \n\r\\]|\\.)+")
_TAG = re.compile(rb",(" + _NAME + rb")=(" + _NAME + rb")")
_SPACES = re.compile(rb"[ \t]+")
_KEY = re.compile(rb"(" + _NAME + rb")=")
_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_TOKEN = re.compile(rb"[^, \n\r\t]+")
_END = re.compile(rb"(?:[ \t]+(-?[0-9]{1,25}))?[ \t]*\r?(?:\n|\Z)")
_FLOAT = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(rb"([+-]?[0-9]+)([iu])")
_ESCAPED = re.compile(r"\\([,= ])")
_STRING_ESCAPED = re.compile(r'\\(["\\])')
_WORDS = {
    **dict.fromkeys((b"t", b"T", b"true", b"True", b"TRUE"), True),
    **dict.fromkeys((b"f", b"F", b"false", b"False", b"FALSE"), False),
}
_RANGE = {b"i": (-(2**63), 2**63 - 1), b"u": (0, 2**64 - 1)}


class BadLine(Exception):
    """Why a line cannot be read."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it says itself. `time` counts in the precision of the request; None where the line
    has none. `end` is where the next line begins.
    """

    measurement: str
    tags: dict[str, str]
    fields: list[str]
    values: list[Any]
    time: int | None
    end: int


def read_line(body: bytes, at: int) -> Line:
    """The line that begins at `at`. Raises BadLine."""
    try:
        measurement, tags, at = read_head(body, at)
        space = _SPACES.match(body, at)
        if space is None:
            raise BadLine("has no fields after measurement and tags")
        fields, values, at = _fields(body, space.end())
    except UnicodeDecodeError:
        raise BadLine("is not UTF-8") from None
    end = _END.match(body, at)
    if end is None:
        raise BadLine(f"{_shown(body, at)} follows the fields, where only a time may stand")
    stamp = end[1]
    return Line(measurement, tags, fields, values, int(stamp) if stamp else None, end.end())


def read_head(body: bytes, at: int) -> tuple[str, dict[str, str], int]:
    """Measurement, tags and where they end. Raises BadLine, UnicodeDecodeError."""
    found = _MEASUREMENT.match(body, at)
    if found is None:
        raise BadLine("has no measurement")
    tags: dict[str, str] = {}
    at = found.end()
    while tag := _TAG.match(body, at):
        name = _unescaped(tag[1])
        if name in tags:
            raise BadLine(f"has the tag {name[:60]!r} twice")
        tags[name] = _unescaped(tag[2])
        at = tag.end()
    if body[at : at + 1] in (b",", b"="):
        raise BadLine(f"{_shown(body, at)} is no tag")
    return _unescaped(found[0]), tags, at


def _fields(body: bytes, at: int) -> tuple[list[str], list[Any], int]:
    fields: list[str] = []
    values: list[Any] = []
    while True:
        key = _KEY.match(body, at)
        if key is None:
            raise BadLine(f"{_shown(body, at)} is no field")
        fields.append(_unescaped(key[1]))
        value, at = _value_at(body, key.end())
        values.append(value)
        if body[at : at + 1] != b",":
            return fields, values, at
        at += 1


def _value_at(body: bytes, at: int) -> tuple[Any, int]:
    if body[at : at + 1] == b'"':
        text = _STRING.match(body, at)
        if text is None:
            raise BadLine("a string is not closed")
        return _STRING_ESCAPED.sub(r"\1", text[1].decode()), text.end()
    token = _TOKEN.match(body, at)
    if token is None:
        raise BadLine("a field has no value")
    return value_of(token[0]), token.end()


def value_of(token: bytes) -> Any:
    """A number or a boolean. Raises BadLine."""
    if token in _WORDS:
        return _WORDS[token]
    if len(token) <= MAX_NUMBER:
        if _FLOAT.fullmatch(token):
            number = float(token)
            if math.isfinite(number):
                return number
        elif whole := _INTEGER.fullmatch(token):
            least, most = _RANGE[whole[2]]
            if least <= (found := int(whole[1])) <= most:
                return found
            raise BadLine(f"{token[:60].decode()!r} does not fit 64 bits")
    raise BadLine(f"{token[:60].decode(errors='replace')!r} is no value")


def _unescaped(raw: bytes) -> str:
    text = raw.decode()
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def _shown(body: bytes, at: int) -> str:
    return repr(body[at : at + 60].partition(b"\n")[0].decode(errors="replace"))
