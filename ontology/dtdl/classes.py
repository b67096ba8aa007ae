"""`@type`: the class of an element and the supplemental types beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twinfall.ontology.dtdl.elements import Context, Path, Reading
from twinfall.ontology.dtdl.identifiers import is_definable
from twinfall.ontology.dtdl.metamodel import ClassRule, PropertyRule, SupplementalType
from twinfall.ontology.dtdl.suggest import did_you_mean

CLASS = "dtmi:dtdl:class:"


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
    if "@type" not in raw:
        return Types(rule=_implied(reading, slot))
    written = raw["@type"]
    names = written if isinstance(written, list) else [written] if isinstance(written, str) else []
    types = Types()
    materials: list[ClassRule] = []
    before = len(reading.problems)
    for name in names:
        if not isinstance(name, str):
            reading.report("typeNotString", "@type must be text", (slot.path, "@type"))
        elif not _read_one(reading, name, slot, types, materials):
            _bad_type(reading, slot, f'is a "{name}", which does not fit')
            return types
    if len(materials) > 1:
        found = " and ".join(m.name for m in materials)
        message = f"@type names several classes: {found}"
        reading.report("multipleMaterialTypes", message, (slot.path, "@type"), slot.element)
    elif materials:
        types.rule = materials[0]
    elif len(reading.problems) == before:
        _bad_type(reading, slot, "has no type of DTDL")
    return types


def check_rootable(reading: Reading, raw: dict[str, Any], slot: Slot) -> bool:
    """Whether an object at the root says that it is what may stand there."""
    version = slot.context.version
    given = raw.get("@type")
    names = [n for n in (given if isinstance(given, list) else [given]) if isinstance(n, str)]
    rootable = reading.metamodel.rootable[version]
    if any(n in rootable or n in {f"{CLASS}{r};{version}" for r in rootable} for n in names):
        return True
    wanted = " or ".join(sorted(rootable))
    message = f"a model must have the @type {wanted}"
    cure = did_you_mean(names[0], rootable) if len(names) == 1 else ""
    if names and names[0] in reading.metamodel.classes[version]:
        message, cure = f"a {names[0]} cannot stand alone", f"put it inside an {wanted}"
    reading.report("typeNotRootable", message, slot.path, slot.element, cure)
    return False


def _expected(reading: Reading, slot: Slot) -> frozenset[str]:
    """The classes that an object may have here."""
    classes = reading.metamodel.classes[slot.context.version]
    if slot.property is None or not slot.property.of:
        return reading.metamodel.definable[slot.context.version]
    rule = classes.get(slot.property.of)
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
    cure = f"give it @type {expected}" if expected and slot.property else ""
    reading.report("badType", f"{where} {what}", slot.path, slot.owner, cure)


def _read_one(
    reading: Reading, name: str, slot: Slot, types: Types, materials: list[ClassRule]
) -> bool:
    """Note one type; false where it is a class of DTDL that does not fit here."""
    metamodel = reading.metamodel
    known = slot.context.terms.get(name, name if name.startswith("dtmi:") else "")
    supplemental = metamodel.supplemental.get(known)
    material = metamodel.class_ids.get(known)
    if material is not None and material[1] == slot.context.version:
        rule = metamodel.classes[material[1]][material[0]]
        if rule.name not in _expected(reading, slot):
            return False
        if rule not in materials:
            materials.append(rule)
    elif material is not None or (supplemental is None and name in metamodel.class_names):
        return False  # a class of another version of DTDL
    elif supplemental is not None and supplemental.kind == "Unit":
        return False  # DTDL v2 has its types of units as classes
    elif supplemental is None:
        _undefined(reading, name, known, slot, types)
    elif supplemental not in types.supplements:
        types.supplements.append(supplemental)
    return True


def _undefined(reading: Reading, name: str, known: str, slot: Slot, types: Types) -> None:
    """A type that no context defines: an error, or one of an extension nobody knows here."""
    rules = reading.metamodel.apocrypha[slot.context.version]
    if name.startswith("dtmi:"):
        valid = is_definable(reading, slot.context.version, name)
        case = "irrelevantDtmiOrTerm" if valid else "invalidDtmi"
    elif ":" in name:
        case = "notDtmiNorTerm"
    else:
        case = "irrelevantDtmiOrTerm" if known else "undefinedTerm"
    verdict = rules[f"{case}AsCotype"]
    if verdict == "valid" or (verdict == "tenable" and slot.context.open):
        types.undefined.append(name)
        return
    cure = "" if name in slot.context.terms else did_you_mean(name, slot.context.terms)
    code = f"type{case[0].upper()}{case[1:]}"
    reading.report(code, f'"{name}" is not a type', (slot.path, "@type"), slot.element, cure)
