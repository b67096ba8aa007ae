"""Rules over many elements: unique names, depth, recursion, what may not contain what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from twinfall.ontology.dtdl.cotype_rules import check_cotype_rules
from twinfall.ontology.dtdl.elements import Element, Reading
from twinfall.ontology.dtdl.resolve import find


def check_rules(reading: Reading) -> None:
    """Judge what needs the whole set."""
    for element in reading.elements.values():
        _check_unique(reading, element)
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
                if value is None:
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
        if value is not None and written is not None and type(written) is not wanted:
            kind = "an integer" if wanted is int else "a text"
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
        for element in interfaces:
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
        waiting = list(element.links.get("extends", ()))
        while waiting:
            id_ = waiting.pop(0)
            above = self.reading.elements.get(id_)
            if above is None or id_ in seen:
                continue
            seen.add(id_)
            yield above
            waiting += above.links.get("extends", ())

    def _check_extends(self, element: Element) -> bool:
        if not element.links.get("extends"):
            self._depths[element.id] = 0
            return True
        above = list(self.ancestors(element))
        if element in above:
            message = f"{element.id} extends itself"
            self.reading.blame("recursiveStructureNarrow", message, element, "extends")
            return False
        if any(a in self.ancestors(a) for a in above):
            return False
        deepest = self._control(element, "maxDepth", ["extends"])
        if deepest is not None and self._depth(element) > deepest:
            message = f"extends goes deeper than {deepest} levels"
            self.reading.blame("excessiveDepthNarrow", message, element, "extends")
        most = self._control(element, "maxCount", ["extends"])
        if most is not None and len(above) > most:
            message = f"more than {most} interfaces are extended"
            self.reading.blame("excessiveCountNarrow", message, element, "extends")
        return True

    def _depth(self, element: Element) -> int:
        known = self._depths.get(element.id)
        if known is None:
            parents = (self.reading.elements.get(i) for i in element.links.get("extends", ()))
            known = 1 + max((self._depth(p) for p in parents if p), default=-1)
            self._depths[element.id] = known
        return known

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
            self.reading.blame("importedCountAboveMax", message, element, "contents")

    def _check_components(self) -> None:
        for element in list(self.reading.elements.values()):
            if element.type != "Component":
                continue
            for target in element.links.get("schema", ()):
                inner = self.contents.get(target, {})
                nested = [c for found in inner.values() for c in found if c.type == "Component"]
                for component in nested:
                    code = "excludedType"
                    message = f"its interface {target} has a component itself, {component.id}"
                    if component is element:
                        code, message = "recursiveStructureNarrow", "the component contains itself"
                    self.reading.blame(code, message, element, "schema")


def _limit(given: Any, element: Element) -> Any:
    if isinstance(given, Mapping):
        return given.get(element.context.limits, given.get(""))
    return given


def _check_depth(reading: Reading, control: Mapping[str, Any]) -> None:
    """How deep schemas nest, and whether one contains itself."""
    if control["rootClass"] != "ComplexSchema":
        return
    depths: dict[str, float] = {}
    counting = frozenset(control["properties"])
    for element in reading.elements.values():
        if element.version != control["dtdlVersion"] or not element.is_a("ComplexSchema"):
            continue
        trail: list[str] = []
        depth = _depth_of(reading, element, counting, depths, trail)
        if trail and not control.get("allowSelf") and element.id in trail:
            reading.blame("recursiveStructureWide", f"{element.id} contains itself", element)
        deepest = _limit(control["maxDepth"], element)
        if depth > deepest and not trail:
            message = f"schemas nest deeper than {deepest} levels"
            reading.blame("excessiveDepthWide", message, element)


def _depth_of(
    reading: Reading,
    element: Element,
    counting: frozenset[str],
    depths: dict[str, float],
    trail: list[str],
) -> float:
    """The longest chain of counted links below; ids on a loop are added to `trail`."""
    known = depths.get(element.id)
    if known is not None:
        if known < 0:
            trail.append(element.id)
            return 0
        return known
    depths[element.id] = -1
    deepest = 0.0
    for name, targets in element.links.items():
        for target in targets:
            below = find(reading, target)
            if below is None or below.type == "Interface":
                continue
            step = 1 if name in counting else 0
            deepest = max(deepest, step + _depth_of(reading, below, counting, depths, trail))
    if trail:
        del depths[element.id]
    else:
        depths[element.id] = deepest
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
