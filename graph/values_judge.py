"""Property values judged against the ontology and brought into their stored form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from twinfall.graph.canonical import canonical
from twinfall.graph.twins import JSON
from twinfall.graph.verdict import Fault, Suggestions
from twinfall.ontology import Ontology
from twinfall.ontology.model import Content

MAX_TWIN_BYTES = 1024 * 1024
"""JSON text of one twin's or relationship's values."""
MAX_TEXT = 65_536
"""Characters of one text."""
MAX_DEPTH = 32
"""How deep objects, maps and arrays may nest in a value."""
UNSIGNED_MAX = 2**64 - 1
SIGNED_MIN = -(2**63)

_ELSEWHERE = {
    "Telemetry": "it is telemetry: send it as a reading (MQTT or POST /ingest)",
    "Relationship": "it is a relationship: write it as one",
    "Command": "it is a command: it is sent, not stored",
    "Component": "a component has no components",
}


@dataclass(slots=True)
class Judged:
    """A twin's own properties and those of each component, in stored form, or faults."""

    own: dict[str, JSON] = field(default_factory=dict)
    components: dict[str, dict[str, JSON]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


class ValuesJudge:
    """Judges values against one ontology."""

    def __init__(self, ontology: Ontology, suggestions: Suggestions) -> None:
        self._ontology = ontology
        self._suggestions = suggestions

    def twin(self, model: str, values: Mapping[str, JSON]) -> Judged:
        """Judge a whole twin. Every component of the model is there, be it empty."""
        judged = Judged(faults=_size_faults(values))
        if judged.faults:
            return judged
        contents = self._ontology.interfaces[model].contents
        parts = {name: c for name, c in contents.items() if c.kind == "Component"}
        own = {name: value for name, value in values.items() if name not in parts}
        judged.own = self._properties(contents, own, "", judged.faults)
        for name, part in parts.items():
            given = values.get(name)
            if given is not None and not isinstance(given, Mapping):
                judged.faults.append(
                    Fault("BAD_VALUE", "a component is an object of its properties", f"/{name}")
                )
                continue
            below = self._ontology.interfaces[part.interface or ""].contents
            judged.components[name] = self._properties(
                below, given or {}, f"/{name}", judged.faults
            )
        return judged

    def relationship(
        self, content: Content, values: Mapping[str, JSON]
    ) -> tuple[dict[str, JSON], list[Fault]]:
        """Judge the properties of a relationship that `content` declares."""
        faults = _size_faults(values)
        if faults:
            return {}, faults
        return self._properties(content.properties, values, "", faults), faults

    def _properties(
        self,
        contents: Mapping[str, Content],
        values: Mapping[str, JSON],
        path: str,
        faults: list[Fault],
    ) -> dict[str, JSON]:
        found: dict[str, JSON] = {}
        for name, value in values.items():
            place = f"{path}/{name}"
            content = contents.get(name)
            if content is None or content.kind != "Property":
                faults.append(self._unknown(name, contents, place))
            elif value is not None:  # null is the absence of a value
                self._property(content, value, found, faults, place)
        return found

    def _property(
        self, content: Content, value: JSON, found: dict[str, JSON], faults: list[Fault], place: str
    ) -> None:
        assert content.schema is not None  # every property has one
        problems = self._ontology.check_value(content.schema, value)
        if problems:
            faults.extend(
                Fault("BAD_VALUE", problem.message, place + problem.path, problem.cure)
                for problem in problems
            )
            return
        try:
            found[content.name] = canonical(value, content.schema, self._ontology.schemas)
        except (ValueError, OverflowError) as error:
            faults.append(Fault("BAD_VALUE", str(error), place))

    def _unknown(self, name: str, contents: Mapping[str, Content], place: str) -> Fault:
        content = contents.get(name)
        if content is not None:
            kind = content.kind.lower()
            message = f"{name!r} is no property but a {kind}"
            return Fault("NOT_ALLOWED", message, place, _ELSEWHERE[content.kind])
        known = [n for n, c in contents.items() if c.kind in ("Property", "Component")]
        cure = self._suggestions.near(name, known)
        return Fault("UNKNOWN_NAME", f"the model has no property {name!r}", place, cure)


def _size_faults(values: JSON) -> list[Fault]:
    """Limits that hold whatever the schema: so nothing after this meets a value without end."""
    if not isinstance(values, Mapping):
        return [Fault("BAD_VALUE", "values are an object: names with their values")]
    pending: list[tuple[Any, str, int]] = [(values, "", 0)]
    while pending:
        value, path, depth = pending.pop()
        fault = _item_fault(value, path, depth)
        if fault is not None:
            return [fault]
        if isinstance(value, Mapping):
            pending.extend((item, f"{path}/{key}", depth + 1) for key, item in value.items())
            pending.extend((key, path, depth) for key in value)
        elif isinstance(value, list | tuple):
            pending.extend((item, f"{path}/{i}", depth + 1) for i, item in enumerate(value))
    size = len(orjson.dumps(values, default=dict))
    if size <= MAX_TWIN_BYTES:
        return []
    return [Fault("TOO_LARGE", f"the values take {size} bytes, at most {MAX_TWIN_BYTES} fit")]


def _item_fault(value: Any, path: str, depth: int) -> Fault | None:
    if depth > MAX_DEPTH:
        return Fault("TOO_LARGE", f"values nest deeper than {MAX_DEPTH}", path)
    if isinstance(value, str):
        return _text_fault(value, path)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        fits = SIGNED_MIN <= value <= UNSIGNED_MAX
        return None if fits else Fault("BAD_VALUE", "the number does not fit 64 bits", path)
    if isinstance(value, float):
        good = math.isfinite(value)
        return None if good else Fault("BAD_VALUE", "the number is not finite", path)
    if isinstance(value, Mapping | list | tuple):
        return None
    return Fault("BAD_VALUE", f"a {type(value).__name__} is not a JSON value", path)


def _text_fault(text: str, path: str) -> Fault | None:
    if len(text) > MAX_TEXT:
        return Fault("TOO_LARGE", f"a text has at most {MAX_TEXT} characters", path)
    if "\0" in text:
        return Fault("BAD_VALUE", "a text cannot hold the character U+0000", path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return Fault("BAD_VALUE", "the text holds half of a surrogate pair", path)
    return None
