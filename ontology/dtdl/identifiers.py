"""`@id`: what an element may be called, and the name it gets where it has none."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from twinfall.ontology.dtdl.elements import Context, Element, Opening, Path, Reading
from twinfall.ontology.dtdl.literals import flat
from twinfall.ontology.dtdl.metamodel import PropertyRule
from twinfall.ontology.dtmi import child_id


@lru_cache(maxsize=64)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def is_definable(reading: Reading, version: int, text: str) -> bool:
    """Whether a model of this version may call something of its own by this identifier."""
    pattern = reading.metamodel.identifiers["definition"][str(version)]["pattern"]
    return _pattern(pattern).fullmatch(text) is not None


def element_id(reading: Reading, raw: dict[str, Any], at: Opening, context: Context) -> str | None:
    """The element's `@id`, or one made from its parent's and its name; None, with a problem,
    where it can have none.
    """
    if "@id" in raw:
        return _given_id(reading, raw, at, context)
    rule, parent = at.rule, at.parent
    if parent is None or rule is None:
        cure = 'such as "dtmi:com:example:Pump;1"'
        reading.report("missingTopLevelId", "a model needs an @id", at.path, cure=cure)
        return None
    if rule.id_required:
        message = f'the value of "{rule.name}" needs an @id'
        reading.report("missingRequiredId", message, at.path, parent.id)
        return None
    if not rule.plural:
        return child_id(parent.id, f"_{rule.name}")
    return _named_id(reading, raw, at, parent)


def _given_id(reading: Reading, raw: dict[str, Any], at: Opening, context: Context) -> str | None:
    given = raw["@id"]
    if not isinstance(given, str) or not given:
        message = "@id must be a text" if given != "" else "@id is empty"
        reading.report("idNotString", message, (at.path, "@id"), at.parent.id if at.parent else "")
        return None
    return given if _check_given(reading, given, at, context) else None


def _named_id(reading: Reading, raw: dict[str, Any], at: Opening, parent: Element) -> str | None:
    assert at.rule is not None
    segment = at.rule.segment or "name"
    written = [f"dtmi:dtdl:property:{segment};{v}" for v in reading.metamodel.classes]
    key = next((k for k in (segment, *written) if k in raw), "")
    if not key:
        message = f'a value of "{at.rule.name}" needs a "{segment}"'
        reading.report("missingDtmiSegPropertyValue", message, at.path, parent.id)
        return None
    name = raw[key]
    if isinstance(name, list):
        found = flat(name)
        name = found[0] if len(found) == 1 else None
    if isinstance(name, dict):
        name = _value(name)
    if isinstance(name, bool) or not isinstance(name, str | int | float):
        message = f'"{segment}" must be a text'
        reading.report("dtmiSegPropertyNotStringOrNumber", message, (at.path, key), parent.id)
        return None
    text = str(name).replace(".", "_") if isinstance(name, float) else str(name)
    return child_id(parent.id, f"_{at.rule.name}", f"__{text}")


def _value(literal: dict[str, Any]) -> Any:
    """What a value object holds; None where that is not of the type it says."""
    value, said = literal.get("@value"), literal.get("@type", "xsd:string")
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
    kind = str(said).removeprefix("xsd:").removeprefix("http://www.w3.org/2001/XMLSchema#")
    if "@type" not in literal or (kind == "string" and isinstance(value, str) and kind != said):
        return value
    numbers = kind in ("integer", "decimal") and kind != said
    return value if numbers and isinstance(value, int | float) else None


def _check_given(reading: Reading, given: str, at: Opening, context: Context) -> bool:
    path: Path = (at.path, "@id")
    if not given.startswith("dtmi:"):
        cure = 'such as "dtmi:com:example:Pump;1"'
        reading.report("invalidId", f'"{given}" is not a DTMI', path, given, cure)
        return False
    if not is_definable(reading, context.version, given):
        cure = "a version such as ;1 at the end" if ";" not in given else ""
        if "#" in given:
            cure = 'no "#" in an @id'
        reading.report("invalidId", f'"{given}" is not a valid DTMI', path, given, cure)
        return False
    for prefix in context.reserved:
        if given.startswith(prefix):
            message = f'identifiers that begin with "{prefix}" are reserved'
            reading.report("reservedId", message, path, given)
            return False
    return True


def check_length(reading: Reading, element: Element) -> bool:
    """Whether an identifier that a model gives is as short as its element's must be."""
    rules = reading.metamodel.identifiers["definition"]
    version = str(element.version)
    own = rules.get(element.type, {}).get(version, rules[version])["maxLength"]
    most = own.get(element.context.limits, own[""])
    if len(element.id) <= most:
        return True
    code = "idTooLongForType" if element.type in rules else "idTooLong"
    message = f"the @id is longer than {most} characters"
    reading.report(code, message, (element.path, "@id"), element.id)
    return False


def check_reference(
    reading: Reading, element: Element, rule: PropertyRule, text: str, path: Path
) -> bool:
    """Whether a text may refer to an element."""
    known = reading.metamodel.identifiers["reference"][str(element.version)]
    if not _pattern(known["pattern"]).fullmatch(text):
        message = f'"{rule.name}": "{text}" is not a valid DTMI'
        code = "badDtmiOrTerm" if rule.links else "identifierNotDtmi"
        reading.report(code, message, path, element.id)
        return False
    limits = known["maxLength"]
    most = limits.get(element.context.limits, limits[""])
    if rule.max_length:
        most = min(most, rule.max_length.get("", most))
    if len(text) > most:
        message = f'"{rule.name}" is longer than {most} characters'
        reading.report("idReferenceTooLong", message, path, element.id)
        return False
    return True
