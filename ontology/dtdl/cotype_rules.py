"""Rules that supplemental types put on their element, its siblings and its parent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twinfall.ontology.dtdl.elements import Element, Reading
from twinfall.ontology.dtdl.metamodel import SupplementalType
from twinfall.ontology.dtdl.resolve import find

Contents = Mapping[str, Mapping[str, list[Element]]]
_INTEGRAL = frozenset(
    {"Byte", "Short", "Integer", "Long"}
    | {"UnsignedByte", "UnsignedShort", "UnsignedInteger", "UnsignedLong"}
)


def check_cotype_rules(reading: Reading, contents: Contents) -> None:
    """Judge every element that has supplemental types. `contents` holds inherited ones too."""
    judge = _Judge(reading, contents)
    for element in reading.elements.values():
        for known in element.supplements:
            for inherited in _line(reading, known):
                judge.check(element, inherited)
    judge.check_references()


def _line(reading: Reading, known: SupplementalType | None) -> Iterator[SupplementalType]:
    """A type and those it derives from."""
    while known is not None:
        yield known
        known = reading.metamodel.supplemental.get(known.parent)


@dataclass(slots=True)
class _Judge:
    reading: Reading
    contents: Contents

    def check(self, element: Element, known: SupplementalType) -> None:
        for constraint in known.constraints:
            if constraint.get("inverse"):
                self.parent(element, known, constraint)
            elif "siblingParentOf" in constraint:
                continue
            else:
                self.linked(element, known, constraint)
        for rule in known.siblings:
            self.siblings(element, known, rule)
        for id_, member in known.properties.items():
            if member.unique_value and element.extras.get(id_) is not None:
                self.unique(element, id_, member.name)
            if member.datatype == "decimal" and element.extras.get(id_) is not None:
                self.conforms(element, id_, member.name)

    def linked(
        self, element: Element, known: SupplementalType, constraint: Mapping[str, Any]
    ) -> None:
        """The values of a property must be of certain types, or certain ones."""
        name = constraint["property"]
        for target in element.links.get(name, ()):
            below = find(self.reading, target)
            if below is None:
                continue
            types = constraint.get("requiredTypes")
            if types is not None and not self.is_of(below, types):
                wanted = " or ".join(_bare(t) for t in dict.fromkeys(map(_bare, types)))
                message = f'{known.term} needs a "{name}" that is {wanted}, not {below.type}'
                self.reading.blame("notRequiredType", message, element, name)
            values = constraint.get("requiredValues")
            if values is not None and target not in values:
                wanted = " or ".join(_bare(v) for v in values)
                message = f'{known.term} needs "{name}" to be {wanted}'
                self.reading.blame("notRequiredValue", message, element, name)

    def is_of(self, element: Element, types: list[str]) -> bool:
        """Whether an element has one of these material or supplemental types."""
        kinds = {s.id for s in element.supplements}
        for wanted in types:
            if wanted in kinds:
                return True
            name, _, version = wanted.rpartition(":")[2].partition(";")
            if version and name in element.rule.ancestry and ":class:" in wanted:
                return True
        return False

    def parent(
        self, element: Element, known: SupplementalType, constraint: Mapping[str, Any]
    ) -> None:
        """The element that holds this one must be of a type; some siblings must, or must not."""
        holder = element.parent
        if holder is None:
            return
        ids = {s.id for s in holder.supplements}
        wanted = constraint.get("requiredTypes", ())
        if wanted and not ids.intersection(wanted):
            needed = " or ".join(map(_bare, wanted))
            message = f"{known.term} may only stand in {needed}"
            self.reading.blame("parentMissingCotype", message, element)
        others = [
            e
            for t in holder.links.get(constraint["property"], ())
            if (e := self.reading.elements.get(t)) is not None and e is not element
        ]
        kinds = {s.id for e in others for s in e.supplements}
        if constraint.get("noneOtherType") in kinds:
            message = f"only one may be {_bare(constraint['noneOtherType'])}"
            self.reading.blame("siblingDuplicatesCotype", message, element)
        beside = constraint.get("someOtherType")
        if beside is not None and beside not in kinds:
            message = f"{known.term} needs another that is {_bare(beside)}"
            self.reading.blame("siblingMissingCotype", message, element)

    def named_siblings(self, element: Element, name: Any) -> Iterator[tuple[str, Element]]:
        """Contents of this name in every interface that has `element`, itself included."""
        for interface, named in self.contents.items():
            if any(element in found for found in named.values()):
                for other in named.get(name, ()):
                    yield interface, other

    def siblings(self, element: Element, known: SupplementalType, rule: Mapping[str, Any]) -> None:
        name = element.extras.get(rule["keyref"])
        if name is None:
            return
        found = list({id(e): e for _, e in self.named_siblings(element, name)}.values())
        for other in found:
            self.sibling(element, known, rule, other)

    def sibling(
        self, element: Element, known: SupplementalType, rule: Mapping[str, Any], other: Element
    ) -> None:
        blame = self.reading.blame
        name = other.literals.get("name")
        types = rule.get("requiredTypes")
        if types is not None and not self.is_of(other, types):
            message = (
                f'{known.term}: "{name}" must be {" or ".join(dict.fromkeys(map(_bare, types)))}'
            )
            blame("notSiblingRequiredType", message, element)
        barred = rule.get("disallowedType")
        if barred is not None and any(s.id == barred for s in other.supplements):
            blame("disallowedType", f'{known.term}: "{name}" may not be {_bare(barred)}', element)
        property_ = rule.get("supplementalProperty")
        if property_ is not None and element.extras.get(property_) is not None:
            self.overridden(element, known, element.extras[property_], other)

    def overridden(
        self, element: Element, known: SupplementalType, wanted: str, other: Element
    ) -> None:
        """The sibling must have the supplemental property that this element overrides."""
        id_ = element.context.terms.get(wanted, wanted)
        same = [i for i in other.extras if _bare(i) == _bare(id_)]
        name = other.literals.get("name")
        if wanted in other.rule.keys or id_ in other.rule.keys:
            message = f'"{wanted}" of "{name}" is no property of an extension'
            self.reading.blame("matchingPropertyNotSupplemental", message, element)
        elif not same:
            message = f'{known.term}: "{name}" has no "{wanted}"'
            self.reading.blame("noMatchingSupplementalProperty", message, element)
        else:
            self.matched(element, known, other.extras[same[0]])

    def matched(self, element: Element, known: SupplementalType, value: Any) -> None:
        """The schema must be what the overridden value belongs to, such as TemperatureUnit."""
        if not any("siblingParentOf" in c for c in known.constraints):
            return
        for target in element.links.get("schema", ()):
            schema = find(self.reading, target)
            members = schema.links.get("enumValues", ()) if schema else ()
            if value not in members:
                message = f'"schema" must be the type that {_bare(str(value))} belongs to'
                self.reading.blame("siblingPropertyMismatch", message, element, "schema")

    def unique(self, element: Element, id_: str, name: str) -> None:
        holder = element.parent
        if holder is None:
            return
        for target in holder.links.get(element.via, ()):
            other = self.reading.elements.get(target)
            if other is None or other is element:
                continue
            if other.extras.get(id_) == element.extras[id_]:
                message = f'two {element.via} have the {name} "{element.extras[id_]}"'
                self.reading.blame("nonUniquePropertyValue", message, holder, element.via)
                return

    def conforms(self, element: Element, id_: str, name: str) -> None:
        """A number about a schema's values must be one of them."""
        for target in element.links.get("schema", ()):
            schema = find(self.reading, target)
            value = element.extras[id_]
            if schema is None or isinstance(value, str):
                continue
            integral = schema.type in _INTEGRAL
            numeric = schema.is_a("NumericSchema")
            if not numeric or (integral and not float(value).is_integer()):
                message = f'"{name}" must be a value of the schema, {schema.type}'
                self.reading.blame("nonConformantPropertyValue", message, element, name)

    def check_references(self) -> None:
        """No two siblings may refer to the same thing where a type forbids it."""
        for interface, named in self.contents.items():
            seen: set[tuple[Any, ...]] = set()
            for element in (e for found in named.values() for e in found):
                for mark in _references(element):
                    if mark in seen:
                        message = f'two contents override "{mark[2]}" of "{mark[1]}"'
                        holder = self.reading.elements[interface]
                        self.reading.blame("multipleReference", message, holder, "contents")
                    seen.add(mark)


def _references(element: Element) -> Iterator[tuple[Any, ...]]:
    for known in element.supplements:
        for rule in known.siblings:
            unique = rule.get("uniqueReference")
            if unique is not None:
                yield unique, element.extras.get(rule["keyref"]), element.extras.get(unique)


def _bare(id_: str) -> str:
    return id_.partition(";")[0].rsplit(":", 1)[-1]
