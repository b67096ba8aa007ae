"""Rules over many elements: unique names, depth, recursion, what may not contain what."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from typing import Any

from twinfall.ontology.dtdl.cotype_rules import check_cotype_rules
from twinfall.ontology.dtdl.elements import Element, Reading
from twinfall.ontology.dtdl.literals import is_int32
from twinfall.ontology.dtdl.resolve import find

MAX_LINKS = 200
"""Links followed downwards through schemas: far more than the deepest that any limits allow."""


def check_names(reading: Reading, since: int) -> None:
    """Judge names that may occur once, in the elements after the first `since`."""
    for element in islice(reading.elements.values(), since, None):
        _check_unique(reading, element)


def check_rules(reading: Reading) -> None:
    """Judge what needs the whole set."""
    for element in reading.elements.values():
        if element.type == "Enum":
            _check_enum(reading, element)
    hierarchy = Hierarchy(reading)
    hierarchy.check()
    for control in reading.metamodel.controls:
        if "maxDepth" in control and not control.get("narrow"):
            _check_depth(reading, control)
        elif "excludeType" in control and not control.get("narrow"):
            _check_excluded(reading, control)
    check_cotype_rules(reading, hierarchy.contents)


def _check_unique(reading: Reading, element: Element) -> None:
    for name, targets in element.links.items():
        rule = element.rule.properties[name]
        for key in rule.unique:
            seen: dict[Any, str] = {}
            for target in targets:
                other = reading.elements.get(target)
                value = other.literals.get(key) if other else None
                if value is None or target in reading.redefined:
                    continue
                mark = (type(value), value)
                if mark in seen:
                    message = f'two {name} of {element.id} have the {key} "{value}"'
                    reading.blame("nonUniquePropertyValue", message, element, name)
                seen[mark] = target


def _check_enum(reading: Reading, element: Element) -> None:
    schema = next(iter(element.links.get("valueSchema", ())), "")
    wanted = int if ":integer;" in schema else str
    for target in element.links.get("enumValues", ()):
        value = reading.elements.get(target)
        written = value.literals.get("enumValue") if value else None
        fits = type(written) is wanted and not (isinstance(written, int) and not is_int32(written))
        if value is not None and "enumValue" in value.literals and not fits:
            kind = "an integer of 32 bits" if wanted is int else "a text"
            message = f'"enumValue" must be {kind}, as the valueSchema of the Enum says'
            reading.blame("nonConformantDatatype", message, value, "enumValue")


@dataclass(slots=True)
class Hierarchy:
    """Interfaces and what they extend."""

    reading: Reading
    contents: dict[str, dict[str, list[Element]]] = field(default_factory=dict)
    """Contents by interface and name, inherited ones included."""
    _depths: dict[str, int] = field(default_factory=dict)

    def check(self) -> None:
        """Judge every interface."""
        interfaces = [e for e in self.reading.elements.values() if e.type == "Interface"]
        for element in self._ordered(interfaces):
            if self._check_extends(element):
                self.contents[element.id] = self._gather(element)
        for element in interfaces:
            if element.id in self.contents:
                self._check_imported(element)
        self._check_components()

    def _control(self, element: Element, key: str, properties: list[str]) -> Any:
        for control in self.reading.metamodel.controls:
            if (
                control["dtdlVersion"] == element.version
                and control["rootClass"] == element.type
                and control["properties"] == properties
                and key in control
            ):
                return _limit(control[key], element)
        return None

    def ancestors(self, element: Element) -> Iterator[Element]:
        """Every interface above, once, and the element itself where it extends itself."""
        seen: set[str] = set()
        waiting = deque(element.links.get("extends", ()))
        while waiting:
            id_ = waiting.popleft()
            above = self.reading.elements.get(id_)
            if above is None or id_ in seen:
                continue
            seen.add(id_)
            yield above
            waiting += above.links.get("extends", ())

    def _ordered(self, interfaces: list[Element]) -> Iterator[Element]:
        """Interfaces after those they extend, their depth noted; loops are problems."""
        known = {e.id for e in interfaces}
        above = {e.id: known.intersection(e.links.get("extends", ())) for e in interfaces}
        below: dict[str, list[str]] = {}
        for id_, parents in above.items():
            for parent in parents:
                below.setdefault(parent, []).append(id_)
        waiting = {id_: len(parents) for id_, parents in above.items()}
        ready = [id_ for id_, count in waiting.items() if not count]
        while ready:
            id_ = ready.pop()
            del waiting[id_]
            self._depths[id_] = 1 + max((self._depths[p] for p in above[id_]), default=-1)
            yield self.reading.elements[id_]
            for child in below.get(id_, ()):
                waiting[child] -= 1
                if not waiting[child]:
                    ready.append(child)
        self._blame_loops(waiting, below)

    def _blame_loops(self, waiting: dict[str, int], below: dict[str, list[str]]) -> None:
        """What is left waits on a loop; without those that only extend one, it is the loops."""
        looping = set(waiting)
        changed = True
        while changed:
            ends = {i for i in looping if not looping.intersection(below.get(i, ()))}
            looping -= ends
            changed = bool(ends)
        for id_ in sorted(looping):
            message, element = f"{id_} extends itself", self.reading.elements[id_]
            self.reading.blame("recursiveStructureNarrow", message, element, "extends")

    def _check_extends(self, element: Element) -> bool:
        deepest = self._control(element, "maxDepth", ["extends"])
        if deepest is not None and self._depths[element.id] > deepest:
            message = f"extends goes deeper than {deepest} levels"
            self.reading.blame("excessiveDepthNarrow", message, element, "extends")
            return False
        above = list(self.ancestors(element))
        most = self._control(element, "maxCount", ["extends"])
        if most is not None and len(above) > most:
            message = f"more than {most} interfaces are extended"
            self.reading.blame("excessiveCountNarrow", message, element, "extends")
        return True

    def _gather(self, element: Element) -> dict[str, list[Element]]:
        named: dict[str, list[Element]] = {}
        for interface in (element, *self.ancestors(element)):
            for id_ in interface.links.get("contents", ()):
                content = self.reading.elements.get(id_)
                name = content.literals.get("name") if content else None
                if content is not None and name is not None:
                    found = named.setdefault(name, [])
                    if content not in found:
                        found.append(content)
        return named

    def _check_imported(self, element: Element) -> None:
        own = set(element.links.get("contents", ()))
        named = self.contents[element.id]
        for name, found in named.items():
            if len(found) > 1 and not all(c.id in own for c in found):
                others = " and ".join(sorted({c.partition for c in found}))
                message = f'{element.id} has the content "{name}" twice, from {others}'
                self.reading.blame("nonUniqueImportedPropertyValue", message, element)
        most = element.rule.properties["contents"].max_count
        count = sum(map(len, named.values()))
        if most is not None and len(own) <= most < count:
            message = f"{count} contents with the inherited ones, at most {most} are allowed"
            self.reading.blame("objectCountAboveMax", message, element, "contents")

    def _check_components(self) -> None:
        for element in list(self.reading.elements.values()):
            if element.type != "Component":
                continue
            for target in element.links.get("schema", ()):
                inner = self.contents.get(target, {})
                nested = [c for found in inner.values() for c in found if c.type == "Component"]
                for component in nested:
                    message = f"its interface {target} has a component itself, {component.id}"
                    if component is element:
                        message = "the component contains itself"
                    self.reading.blame("excludedType", message, element, "schema")


def _limit(given: Any, element: Element) -> Any:
    if isinstance(given, Mapping):
        return given.get(element.context.limits, given.get(""))
    return given


def _check_depth(reading: Reading, control: Mapping[str, Any]) -> None:
    """How deep schemas nest, and whether one contains itself."""
    if control["rootClass"] != "ComplexSchema":
        return
    nesting = _Nesting(reading, frozenset(control["properties"]))
    for element in reading.elements.values():
        if element.version != control["dtdlVersion"] or not element.is_a("ComplexSchema"):
            continue
        deepest = _limit(control["maxDepth"], element)
        if nesting.depth(element) > deepest:
            message = f"schemas nest deeper than {deepest} levels"
            reading.blame("excessiveDepthWide", message, element)
    if not control.get("allowSelf"):
        for id_ in sorted(nesting.loops):
            element = reading.elements[id_]
            if element.version == control["dtdlVersion"]:
                reading.blame("recursiveStructureWide", f"{id_} contains itself", element)


@dataclass(slots=True)
class _Nesting:
    """How deep elements nest along the counted properties. Each is visited once: a link back to
    one that is being visited counts nothing, and is noted in `loops`.
    """

    reading: Reading
    counted: frozenset[str]
    loops: set[str] = field(default_factory=set)
    _known: dict[str, float] = field(default_factory=dict)
    _visiting: set[str] = field(default_factory=set)

    def depth(self, element: Element, level: int = 0) -> float:
        """The longest chain of counted links below; infinite where it is longer than any limit."""
        known = self._known.get(element.id)
        if known is not None:
            return known
        if element.id in self._visiting:
            self.loops.add(element.id)
            return 0
        if level > MAX_LINKS:
            return inf
        self._visiting.add(element.id)
        deepest = 0.0
        for name, targets in element.links.items():
            for target in targets:
                below = find(self.reading, target)
                if below is not None and below.type != "Interface":
                    step = 1 if name in self.counted else 0
                    deepest = max(deepest, step + self.depth(below, level + 1))
        self._visiting.discard(element.id)
        self._known[element.id] = deepest
        return deepest


def _check_excluded(reading: Reading, control: Mapping[str, Any]) -> None:
    """A class that may not occur anywhere below (no Array in a DTDL v2 Property)."""
    start = frozenset(control["properties"])
    for element in reading.elements.values():
        if element.version != control["dtdlVersion"] or element.type != control["rootClass"]:
            continue
        waiting = [t for name in start for t in element.links.get(name, ())]
        seen: set[str] = set()
        while waiting:
            id_ = waiting.pop()
            below = find(reading, id_)
            if id_ in seen or below is None:
                continue
            seen.add(id_)
            if below.type == control["excludeType"]:
                message = f"a {element.type} of DTDL {element.version} may not hold an {below.type}"
                reading.blame("excludedType", message, element, "schema")
                break
            waiting += [t for targets in below.links.values() for t in targets]
