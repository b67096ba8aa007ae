"""`@type`: the class of an element and the supplemental types beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twinfall.ontology.dtdl.elements import Context, Path, Reading
from twinfall.ontology.dtdl.metamodel import ClassRule, PropertyRule, SupplementalType
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.dtmi import read_dtmi


@dataclass(slots=True)
class Types:
    """What an element's `@type` says."""

    rule: ClassRule | None = None
    supplements: list[SupplementalType] = field(default_factory=list)
    undefined: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Slot:
    """Where an element stands: what is expected of it there, for classes and messages."""

    context: Context
    path: Path
    property: PropertyRule | None
    owner: str
    element: str = ""


def read_types(reading: Reading, raw: dict[str, Any], slot: Slot) -> Types:
    """The types of an object; `rule` is None, with problems noted, where it has no usable class."""
    written = raw.get("@type")
    if "@type" not in raw:
        return Types(rule=_implied(reading, slot))
    names = written if isinstance(written, list) else [written]
    types = Types()
    materials: list[ClassRule] = []
    before = len(reading.problems)
    for name in names:
        if isinstance(name, str):
            _read_one(reading, name, slot, types, materials)
        else:
            reading.report("typeNotString", "@type must be text", (slot.path, "@type"))
    if len(materials) > 1:
        found = " and ".join(m.name for m in materials)
        message = f"@type names several classes: {found}"
        reading.report("multipleMaterialTypes", message, (slot.path, "@type"), slot.element)
    elif not materials:
        if len(reading.problems) == before or slot.property is None:
            _bad_type(reading, slot, "has no type of DTDL")
    else:
        types.rule = _fitting(reading, materials[0], slot)
    return types


def _expected(reading: Reading, slot: Slot) -> frozenset[str]:
    version = slot.context.version
    if slot.property is None:
        return reading.metamodel.rootable[version]
    rule = reading.metamodel.classes[version].get(slot.property.of)
    return rule.concrete if rule is not None else frozenset()


def _implied(reading: Reading, slot: Slot) -> ClassRule | None:
    expected = _expected(reading, slot)
    if slot.property is not None and slot.property.type_implied and len(expected) == 1:
        (name,) = expected
        return reading.metamodel.classes[slot.context.version][name]
    _bad_type(reading, slot, "has no @type")
    return None


def _bad_type(reading: Reading, slot: Slot, what: str) -> None:
    expected = " or ".join(sorted(_expected(reading, slot)))
    where = f'the value of "{slot.property.name}"' if slot.property else "the element"
    cure = f"give it @type {expected}" if expected else ""
    reading.report("badType", f"{where} {what}", slot.path, slot.owner, cure)


def _fitting(reading: Reading, rule: ClassRule, slot: Slot) -> ClassRule | None:
    if slot.property is None:
        if rule.name in reading.metamodel.rootable[slot.context.version]:
            return rule
        message = f"a {rule.name} cannot stand alone"
        cure = "put it inside an Interface"
        reading.report("typeNotRootable", message, slot.path, slot.element, cure)
        return None
    if rule.name in _expected(reading, slot):
        return rule
    if slot.property.of:
        _bad_type(reading, slot, f"is a {rule.name}, which does not fit")
        return None
    return rule


def _read_one(
    reading: Reading, name: str, slot: Slot, types: Types, materials: list[ClassRule]
) -> None:
    metamodel = reading.metamodel
    known = slot.context.terms.get(name, name if name.startswith("dtmi:") else "")
    material = metamodel.class_ids.get(known)
    if material is not None and material[1] == slot.context.version:
        rule = metamodel.classes[material[1]][material[0]]
        if rule not in materials:
            materials.append(rule)
        return
    supplemental = metamodel.supplemental.get(known)
    if supplemental is not None:
        if supplemental not in types.supplements:
            types.supplements.append(supplemental)
        return
    _undefined(reading, name, known, slot, types)


def _undefined(reading: Reading, name: str, known: str, slot: Slot, types: Types) -> None:
    """A type that no context defines: an error, or one of an extension nobody knows here."""
    rules = reading.metamodel.apocrypha[slot.context.version]
    if name.startswith("dtmi:"):
        valid = read_dtmi(name)
        case = "invalidDtmi" if valid is None or valid.is_reserved else "irrelevantDtmiOrTerm"
    elif ":" in name:
        case = "notDtmiNorTerm"
    else:
        case = "irrelevantDtmiOrTerm" if known else "undefinedTerm"
    verdict = rules[f"{case}AsCotype"]
    if verdict == "valid" or (verdict == "tenable" and may_be_undefined(reading, slot.context)):
        types.undefined.append(name)
        return
    cure = did_you_mean(name, slot.context.terms)
    code = f"type{case[0].upper()}{case[1:]}"
    reading.report(code, f'"{name}" is not a type', (slot.path, "@type"), slot.element, cure)


def may_be_undefined(reading: Reading, context: Context) -> bool:
    """Whether an unknown term may belong to an extension that is not known here."""
    if context.open:
        return True
    option = reading.options.undefined_extensions
    return option != "disallow" and context.version in reading.metamodel.open_versions
