"""Elements from JSON objects: one reader for every class of the metamodel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinfall.ontology.dtdl.classes import Slot, check_rootable, read_types
from twinfall.ontology.dtdl.contexts import read_context
from twinfall.ontology.dtdl.elements import Context, Element, Link, Opening, Path, Reading
from twinfall.ontology.dtdl.identifiers import check_length, check_reference, element_id
from twinfall.ontology.dtdl.literals import Place, is_absent, read_literal
from twinfall.ontology.dtdl.metamodel import ENTITY_KEYWORDS, PropertyRule
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.dtdl.supplement import check_cotypes, find_extra, read_unknown
from twinfall.ontology.dtdl.text import canonical


def read_document(reading: Reading, value: Any, path: Path = None) -> None:
    """Read one document: an object, or an array of objects (nested ones mean nothing)."""
    if isinstance(value, list):
        for position, item in enumerate(value):
            read_document(reading, item, (path, position))
    else:
        _read_root(reading, value, path)


def _read_root(reading: Reading, raw: Any, path: Path) -> None:
    if not isinstance(raw, dict):
        reading.report("notJsonObject", "a model must be a JSON object", path)
        return
    if "@context" not in raw:
        cure = 'add "@context": "dtmi:dtdl:context;3"'
        reading.report("missingContext", "a model needs a @context", path, _said_id(raw), cure)
        return
    if "@graph" in raw:
        code = "topLevelGraphDisallowed" if isinstance(raw["@graph"], dict) else "graphNotObject"
        reading.report(code, '"@graph" is not part of DTDL', path)
        return
    element = read_element(reading, raw, Opening(None, path, None, None))
    if element is not None and reading.large:
        _check_size(reading, raw, element)


def _check_size(reading: Reading, raw: dict[str, Any], element: Element) -> None:
    """An interface's own text is bounded; only looked at in texts that are large themselves."""
    limits = reading.metamodel.partition_bytes[element.version]
    most = limits.get(element.context.limits, limits.get(""))
    if most is not None and len(canonical(raw).encode()) > most:
        message = f"the text of {element.id} is longer than {most} bytes"
        reading.report("partitionTooLarge", message, element.path, element.id)


def read_element(reading: Reading, raw: dict[str, Any], at: Opening) -> Element | None:
    """Read one object and all inside it; None, with problems, where it is no element."""
    context = at.context
    if "@context" in raw:
        context = read_context(reading, raw["@context"], context, at.path)
    if context is None:
        return None
    _check_keywords(reading, raw, at, context)
    _check_version(reading, at, context)
    owner = at.parent.id if at.parent else ""
    slot = Slot(context, at.path, at.rule, owner, _said_id(raw) or owner)
    if at.parent is None and "@id" in raw and not check_rootable(reading, raw, slot):
        return None
    identifier = element_id(reading, raw, at, context)
    if identifier is None:
        return None
    slot.element = identifier
    before = len(reading.problems)
    types = read_types(reading, raw, slot)
    if types.rule is None:
        return None
    element = Element(identifier, types.rule, context, reading.document, at.path, at.parent)
    element.via = at.rule.name if at.rule else ""
    element.undefined_types = types.undefined
    element.inferred = "@type" not in raw
    if not _admit(reading, raw, element, at):
        return None
    check_cotypes(reading, element, types.supplements)
    element.doubtful = len(reading.problems) > before
    _read_members(reading, raw, element)
    _check_required(reading, element)
    return element


def _said_id(raw: dict[str, Any]) -> str:
    given = raw.get("@id")
    return given if isinstance(given, str) else ""


def _check_version(reading: Reading, at: Opening, context: Context) -> None:
    """An element may stand in one of its own or a newer version of DTDL, where that allows it."""
    rule, parent = at.rule, at.parent
    if rule is None or parent is None:
        return
    if context.version > parent.version or (rule.versions and context.version not in rule.versions):
        message = f'"{rule.name}" may not hold an element of DTDL {context.version}'
        reading.report("disallowedVersionDefinition", message, at.path, parent.id)


def _admit(reading: Reading, raw: dict[str, Any], element: Element, at: Opening) -> bool:
    """Give the element its place among the others, if its identifier allows."""
    if "@id" not in raw and element.rule.id_required:
        owner = at.parent.id if at.parent else ""
        message = f"this {element.type} needs an @id"
        reading.report("missingRequiredId", message, element.path, owner)
        return False
    if "@id" in raw and not check_length(reading, element):
        return False
    element.partition = element.id
    if element.type != "Interface" and at.parent is not None:
        element.partition = at.parent.partition
    earlier = reading.elements.get(element.id)
    if earlier is None:
        reading.elements[element.id] = element
        return True
    if at.parent is not None and "@id" not in raw:
        known = at.parent.repeated or at.parent.id in reading.redefined
        element.repeated = known or earlier.parent is at.parent
    if not element.repeated:
        message = f"{element.id} is defined more than once"
        cure = "give one of them another @id"
        reading.report("duplicateDefinition", message, at.path, element.id, cure)
        reading.redefined.add(element.id)
    return True


def _check_keywords(reading: Reading, raw: dict[str, Any], at: Opening, context: Context) -> None:
    if context.version not in reading.metamodel.keyword_versions and "@graph" not in raw:
        return
    for key in raw:
        if key.startswith("@") and key not in ENTITY_KEYWORDS:
            code = "keywordDisallowed"
            if key == "@graph":
                code = "graphDisallowed" if isinstance(raw[key], dict) else "graphNotObject"
            elif at.parent is None:
                code = "topLevelKeywordDisallowed"
            owner = _said_id(raw) or (at.parent.id if at.parent else "")
            reading.report(code, f'"{key}" is not part of DTDL', at.path, owner)


def _read_members(reading: Reading, raw: dict[str, Any], element: Element) -> None:
    keys = element.rule.keys
    for key, value in raw.items():
        if key[:1] == "@":
            continue
        rule = keys.get(key)
        if rule is not None:
            _read_member(reading, element, rule, value, key)
            continue
        extra = find_extra(element, key)
        if extra is not None:
            _read_extra(reading, element, extra, value, key)
        else:
            read_unknown(reading, element, key, value)


def _read_member(
    reading: Reading, element: Element, rule: PropertyRule, value: Any, key: str
) -> None:
    name = rule.name
    if name in element.literals or name in element.links:
        message = f'"{name}" is given twice, as a term and as a DTMI'
        reading.report("duplicatePropertyName", message, (element.path, key), element.id)
        return
    if rule.datatype:
        place = Place(reading, element, rule, (element.path, key))
        found = read_literal(place, value)
        element.literals[name] = None if is_absent(found) else found
    else:
        element.links[name] = read_links(reading, element, rule, value, key)


def _read_extra(
    reading: Reading, element: Element, rule_id: tuple[str, PropertyRule], value: Any, key: str
) -> None:
    id_, rule = rule_id
    if id_ in element.extras:
        message = f'"{rule.name}" is given twice, as a term and as a DTMI'
        reading.report("duplicatePropertyName", message, (element.path, key), element.id)
        return
    if rule.datatype:
        found = read_literal(Place(reading, element, rule, (element.path, key)), value)
        element.extras[id_] = None if is_absent(found) else found
    else:
        targets = read_links(reading, element, rule, value, key, id_)
        element.extras[id_] = targets if rule.plural else (targets[0] if targets else None)


def read_links(
    reading: Reading, element: Element, rule: PropertyRule, value: Any, key: str, extra: str = ""
) -> list[str]:
    """The identifiers that a member points at, reading inline elements on the way."""
    path: Path = (element.path, key)
    items = list(_placed(value, path))
    if not _check_count(reading, element, rule, len(items), path):
        return []
    found: list[str] = []
    for item, place in items:
        if isinstance(item, str):
            target = _reference(reading, element, rule, item, place)
        elif isinstance(item, dict):
            target = _inline(reading, element, rule, item, place)
        else:
            code = "refNotStringOrObject" if rule.links else "identifierNotString"
            message = f'"{rule.name}" must be a DTMI, a known name or an object'
            reading.report(code, message, place, element.id)
            continue
        if target:
            found.append(target)
            link = Link(element, rule, target, place, extra, isinstance(item, dict))
            link.term = isinstance(item, str) and item in element.context.terms
            reading.links.append(link)
    return found


def _placed(value: Any, path: Path) -> Iterator[tuple[Any, Path]]:
    """A value, or those of an array, with their places; arrays in arrays mean nothing."""
    if not isinstance(value, list):
        yield value, path
        return
    for position, item in enumerate(value):
        yield from _placed(item, (path, position))


def _check_count(
    reading: Reading, element: Element, rule: PropertyRule, count: int, path: Path
) -> bool:
    """Whether a member has as many values as it may; one too many is not read."""
    most = rule.max_count
    if most is not None and count > most:
        code = "objectCountAboveMax"
        if most == 1:
            code = "objectMultipleValues" if rule.links else "identifierMultipleValues"
        message = f'"{rule.name}" has {count} values, at most {most} are allowed'
        reading.report(code, message, path, element.id)
        return most > 1
    if count < rule.min_count:
        message = f'"{rule.name}" needs at least {rule.min_count} value'
        reading.report("objectCountBelowMin", message, path, element.id)
    return True


def _reference(
    reading: Reading, element: Element, rule: PropertyRule, text: str, path: Path
) -> str:
    terms = element.context.terms
    target = terms.get(text, "")
    if not target:
        if not text.startswith("dtmi:"):
            _no_such_name(reading, element, rule, text, path)
            return ""
        if not check_reference(reading, element, rule, text, path):
            return ""
        target = text
    return reading.metamodel.aliases.get(target, target)


def _no_such_name(
    reading: Reading, element: Element, rule: PropertyRule, text: str, path: Path
) -> None:
    if not rule.links:
        message = f'"{rule.name}": "{text}" is not a DTMI'
        reading.report("identifierNotDtmi", message, path, element.id)
        return
    wanted = reading.metamodel.classes[element.version].get(rule.of)
    names = [
        term
        for term, id_ in element.context.terms.items()
        if ":class:" not in id_ and ":property:" not in id_
    ]
    what = "a schema" if wanted is not None and "Schema" in wanted.name else "a DTMI or known name"
    reading.report(
        "badDtmiOrTerm",
        f'"{rule.name}": "{text}" is not {what}',
        path,
        element.id,
        did_you_mean(text, names),
    )


def _inline(
    reading: Reading, element: Element, rule: PropertyRule, raw: dict[str, Any], path: Path
) -> str:
    if not rule.links:
        message = f'"{rule.name}" must be a DTMI, not an object'
        reading.report("identifierNotString", message, path, element.id)
        return ""
    if rule.child_of:
        message = f'"{rule.name}" must be a DTMI or a known name, not an object'
        reading.report("refObjectNotAllowed", message, path, element.id)
        return ""
    if set(raw) == {"@id"}:
        message = f'"{rule.name}" refers to an element by an object'
        reading.report("idReference", message, path, element.id, "write the DTMI as a text")
        return ""
    made = read_element(reading, raw, Opening(element.context, path, element, rule))
    return made.id if made else ""


def _check_required(reading: Reading, element: Element) -> None:
    for name, rule in element.rule.properties.items():
        if (rule.optional and not rule.min_count) or rule.barred:
            continue
        if name in element.literals or name in element.links:
            continue
        code = "missingLiteralProperty" if rule.datatype else "missingObjectProperty"
        message = f'a {element.type} needs "{name}"'
        reading.report(code, message, element.path, element.id)
    for known in element.supplements:
        for id_, rule in known.properties.items():
            if rule.min_count and id_ not in element.extras:
                kind = "Literal" if rule.datatype else "Object"
                message = f'{known.term} needs "{rule.name}"'
                code = f"missingSupplemental{kind}Property"
                reading.report(code, message, element.path, element.id)
