"""Which twin and which reading a field of line protocol is: a setting, because gateways differ.

A text without braces is the tag that holds the twin's address. Otherwise it is a pattern over tags,
such as `{site}-{device}`; `{_measurement}` and `{_field}` stand for the line's own names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from twinfall.ontology.errors import BadSettings

MEASUREMENT, FIELD = "_measurement", "_field"
_PART = re.compile(r"\{([^{}]+)\}|([^{}]+)")
Tags = Mapping[str, str]


class NoSuchTag(Exception):
    """The line has no tag that the naming asks for."""


class Naming:
    """See above. Raises BadSettings where a pattern cannot be read."""

    def __init__(self, twin: str = "twin", name: str = f"{{{FIELD}}}") -> None:
        self._twin = _parts(twin if "{" in twin or "}" in twin else f"{{{twin}}}")
        self._name = _parts(name)
        if not any(tag == FIELD for tag, _ in self._name):
            raise BadSettings(f"{name!r} names every field the same", cure="put `{_field}` into it")
        if any(tag == FIELD for tag, _ in self._twin):
            raise BadSettings(f"{twin!r} names a twin by a field", cure="use tags")

    def twin(self, measurement: str, tags: Tags) -> str:
        """The address. Raises NoSuchTag."""
        return _filled(self._twin, {**tags, MEASUREMENT: measurement})

    def names(self, measurement: str, tags: Tags, fields: list[str]) -> list[str]:
        """The readings' names. Raises NoSuchTag."""
        if self._name == [(FIELD, "")]:
            return fields
        known = {**tags, MEASUREMENT: measurement}
        return [_filled(self._name, {**known, FIELD: field}) for field in fields]


def _parts(pattern: str) -> list[tuple[str, str]]:
    found = [match.groups(default="") for match in _PART.finditer(pattern)]
    if not found or "".join(f"{{{tag}}}" if tag else text for tag, text in found) != pattern:
        raise BadSettings(f"{pattern!r} is no pattern", cure="a tag, or such as `{site}-{device}`")
    return [(tag, text) for tag, text in found]


def _filled(parts: list[tuple[str, str]], known: Mapping[str, str]) -> str:
    try:
        return "".join(known[tag] if tag else text for tag, text in parts)
    except KeyError as error:
        tag = str(error.args[0])
        raise NoSuchTag(f"has no tag `{tag}`, which names the twin") from None
