"""`@id`: what an element may be called, and the name it gets where it has none."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from twinfall.ontology.dtdl.elements import Element, Path, Reading
from twinfall.ontology.dtdl.metamodel import PropertyRule
from twinfall.ontology.dtmi import child_id


@lru_cache(maxsize=64)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def made_id(
    reading: Reading, raw: dict[str, Any], parent: Element | None, rule: PropertyRule | None
) -> str:
    """The element's `@id`, or one made from its parent's and its name; empty where impossible."""
    given = raw.get("@id")
    if isinstance(given, str):
        return given
    if "@id" in raw or parent is None or rule is None:
        return ""
    if not rule.plural:
        return child_id(parent.id, f"_{rule.name}")
    name = raw.get(rule.segment or "name")
    if isinstance(name, list) and len(name) == 1:
        name = name[0]
    if isinstance(name, dict):
        name = name.get("@value")
    if name is None:
        name = raw.get(f"dtmi:dtdl:property:{rule.segment};{parent.version}")
    return child_id(parent.id, f"_{rule.name}", f"__{name}") if isinstance(name, str) else ""


def check_fragment(reading: Reading, raw: dict[str, Any], path: Path) -> bool:
    """Refuse identifiers with a fragment: layers of models, which DTDL has not published."""
    given = raw.get("@id")
    if not isinstance(given, str) or "#" not in given:
        return True
    types = raw.get("@type")
    layered = "Layer" in (types if isinstance(types, list) else [types])
    code = "invalidId" if layered else "disallowedIdFragment"
    message = f'"{given}" is not a valid DTMI: no "#" in an @id'
    reading.report(code, message, (path, "@id"), given.partition("#")[0])
    return False


def check_definition(
    reading: Reading, raw: dict[str, Any], element: Element, rule: PropertyRule | None
) -> bool:
    """Whether the element may be called so; problems say why not."""
    given = raw.get("@id")
    if "@id" not in raw:
        return _check_made(reading, element, rule)
    if not isinstance(given, str):
        reading.report("identifierNotString", "@id must be a text", (element.path, "@id"))
        return False
    return _check_given(reading, element, given)


def _check_made(reading: Reading, element: Element, rule: PropertyRule | None) -> bool:
    if element.parent is None:
        cure = 'such as "dtmi:com:example:Pump;1"'
        reading.report("missingTopLevelId", "a model needs an @id", element.path, cure=cure)
        return False
    needed = rule is not None and (
        rule.id_required and not rule.value_ids and rule.name in ("schemas", "extends")
    )
    if element.rule.id_required or needed:
        message = f"this {element.type} needs an @id"
        reading.report("missingRequiredId", message, element.path, element.parent.id)
        return False
    if not element.id:
        _no_name(reading, element, rule)
        return False
    return True


def _no_name(reading: Reading, element: Element, rule: PropertyRule | None) -> None:
    parent = element.parent.id if element.parent else ""
    message = f'this {element.type} needs a "name"'
    reading.report("missingDtmiSegPropertyValue", message, element.path, parent)


def _check_given(reading: Reading, element: Element, given: str) -> bool:
    path: Path = (element.path, "@id")
    rules = reading.metamodel.identifiers["definition"]
    version = str(element.version)
    known = rules[version]
    if not given.startswith("dtmi:"):
        cure = 'such as "dtmi:com:example:Pump;1"'
        reading.report("invalidId", f'"{given}" is not a DTMI', path, element.id, cure)
        return False
    if not _pattern(known["pattern"]).fullmatch(given):
        code = "invalidId"
        cure = "a version such as ;1 at the end" if ";" not in given else ""
        reading.report(code, f'"{given}" is not a valid DTMI', path, element.id, cure)
        return False
    limits = element.context.limits
    own = rules.get(element.type, {}).get(version, known)["maxLength"]
    most, code = own.get(limits, own[""]), "idTooLongForType"
    if element.type not in rules:
        code = "idTooLong"
    if len(given) > most:
        reading.report(code, f"the @id is longer than {most} characters", path, element.id)
        return False
    for prefix in element.context.reserved:
        if given.startswith(prefix):
            message = f'identifiers that begin with "{prefix}" are reserved'
            reading.report("reservedId", message, path, element.id)
            return False
    return True


def check_reference(
    reading: Reading, element: Element, rule: PropertyRule, text: str, path: Path
) -> bool:
    """Whether a text may refer to an element."""
    known = reading.metamodel.identifiers["reference"][str(element.version)]
    if text in reading.metamodel.standard:
        return True
    if not _pattern(known["pattern"]).fullmatch(text):
        message = f'"{rule.name}": "{text}" is not a valid DTMI'
        reading.report("badDtmiOrTerm", message, path, element.id)
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
