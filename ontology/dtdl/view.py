"""Elements as the conformance data describes them, made when looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from twinfall.ontology.dtdl.elements import Element
from twinfall.ontology.dtdl.metamodel import PropertyRule
from twinfall.ontology.dtdl.standard import standard_element
from twinfall.ontology.durations import duration_seconds

_KINDS = {
    "commands": "Command",
    "components": "Component",
    "properties": "Property",
    "relationships": "Relationship",
    "telemetries": "Telemetry",
}
_DEFAULTS = {"boolean": False}


class Elements(Mapping[str, Mapping[str, Any]]):
    """Every element of a model set by id, with the standard elements it reaches."""

    def __init__(self, own: Mapping[str, Element]) -> None:
        self._own = own

    def __getitem__(self, id_: str) -> Mapping[str, Any]:
        element = self._all[id_]
        properties = _properties(element, self._all)
        if element.type == "Interface":
            properties["extendedBy"] = list(self._extended.get(element.id, ()))
        return {
            "id": element.id,
            "type": element.type,
            "properties": properties,
            "supplementalTypes": [s.id for s in element.supplements],
            "supplementalProperties": {
                k: _extra(element, k, v) for k, v in element.extras.items() if v is not None
            },
            "undefinedTypes": list(element.undefined_types),
            "undefinedProperties": dict(element.undefined),
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def _all(self) -> dict[str, Element]:
        found = dict(self._own)
        waiting = list(found.values())
        while waiting:
            for id_ in _targets(waiting.pop()):
                if id_ not in found:
                    element = standard_element(id_)
                    if element is not None:
                        found[id_] = element
                        waiting.append(element)
        return found

    @cached_property
    def _extended(self) -> dict[str, list[str]]:
        """Who extends whom: interfaces by the one above them."""
        found: dict[str, list[str]] = {}
        for element in self._all.values():
            for above in dict.fromkeys(element.links.get("extends", ())):
                found.setdefault(above, []).append(element.id)
        return found


def _targets(element: Element) -> Iterator[str]:
    for targets in element.links.values():
        yield from targets
    for value in element.extras.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str) and item.startswith("dtmi:"):
                yield item


def _properties(element: Element, known: Mapping[str, Element]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, rule in element.rule.properties.items():
        value = _value(element, rule, known)
        if value is not None:
            found[name] = value
    if element.type == "Interface":
        found["contents"] = _contents(element, known)
        found.update(_by_kind(found["contents"], known))
    if element.partition and element.partition != element.id:
        found["definedIn"] = element.partition
    if element.parent is not None and element.parent.id != element.partition:
        found["childOf"] = element.parent.id
    return found


def _contents(interface: Element, known: Mapping[str, Element]) -> dict[str, str]:
    """Contents by name, inherited ones included."""
    found: dict[str, str] = {}
    waiting, seen = [interface], {interface.id}
    while waiting:
        above = waiting.pop(0)
        for id_ in above.links.get("contents", ()):
            found.setdefault(known[id_].literals["name"], id_)
        parents = [p for p in above.links.get("extends", ()) if p not in seen]
        seen.update(parents)
        waiting += [known[p] for p in parents]
    return found


def _by_kind(contents: Mapping[str, str], known: Mapping[str, Element]) -> dict[str, Any]:
    """The contents once more, sorted by class."""
    return {
        plural: {n: t for n, t in contents.items() if known[t].type == kind}
        for plural, kind in _KINDS.items()
    }


def _extra(element: Element, id_: str, value: Any) -> Any:
    for supplement in element.supplements:
        rule = supplement.properties.get(id_)
        if rule is not None and rule.datatype == "duration":
            return _clock(value)
    return value


def _clock(text: str) -> str:
    """A duration as the reference parser prints it, `00:00:15`; as written where it has months."""
    seconds = duration_seconds(text)
    if seconds is None or seconds != int(seconds):
        return text
    days, rest = divmod(int(seconds), 86_400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}.{clock}" if days else clock


def _value(element: Element, rule: PropertyRule, known: Mapping[str, Element]) -> Any:
    if rule.name == "languageMajorVersion":
        return element.version
    if rule.datatype:
        default = _DEFAULTS.get(rule.datatype) if not rule.barred else None
        value = element.literals.get(rule.name)
        return default if value is None else value
    targets = element.links.get(rule.name, [])
    if rule.by_name:
        return {known[t].literals.get("name"): t for t in targets if t in known}
    if rule.plural:
        return list(targets)
    return targets[0] if targets else None
