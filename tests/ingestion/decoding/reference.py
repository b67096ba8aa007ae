"""Line protocol written by the book, for round trips: the reference encoder of these tests.

InfluxData, Line protocol reference: measurements escape commas and spaces; names of tags and
fields and tag values equals signs too; strings escape quotes and backslashes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def _escaped(text: str, characters: str) -> str:
    return re.sub(f"([{characters}])", r"\\\1", text)


def line(
    measurement: str,
    tags: Mapping[str, str],
    fields: Mapping[str, Any],
    time: int | None = None,
) -> bytes:
    """A line without its end. An int is written as `i`, a float as Python writes it."""
    head = _escaped(measurement, ", ") + "".join(
        f",{_escaped(name, ',= ')}={_escaped(value, ',= ')}" for name, value in tags.items()
    )
    written = ",".join(f"{_escaped(n, ',= ')}={_value(v)}" for n, v in fields.items())
    stamp = "" if time is None else f" {time}"
    return f"{head} {written}{stamp}".encode()


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}i"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)
