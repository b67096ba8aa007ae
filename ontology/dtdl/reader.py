"""Elements from JSON objects: one reader for every class of the metamodel."""

from __future__ import annotations

from typing import Any

from twinfall.ontology.dtdl.classes import Slot, read_types
from twinfall.ontology.dtdl.contexts import read_context
from twinfall.ontology.dtdl.elements import Context, Element, Link, Path, Reading
from twinfall.ontology.dtdl.identifiers import (
    check_definition,
    check_fragment,
    check_reference,
    made_id,
)
from twinfall.ontology.dtdl.literals import Place, is_absent, read_literal
from twinfall.ontology.dtdl.metamodel import ENTITY_KEYWORDS, PropertyRule
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.dtdl.supplement import check_cotypes, find_extra, read_unknown
from twinfall.ontology.dtdl.text import canonical


def read_document(reading: Reading, value: Any) -> None:
    """Read one document: an object, or an array of objects."""
    if isinstance(value, list):
        for position, item in enumerate(value):
            _read_root(reading, item, (None, position))
    else:
        _read_root(reading, value, None)


def _read_root(reading: Reading, raw: Any, path: Path) -> None:
    if not isinstance(raw, dict):
        reading.report("notJsonObject", "a model must be a JSON object", path)
        return
    if "@context" not in raw:
        cure = 'add "@context": "dtmi:dtdl:context;3"'
        reading.report("missingContext", "a model needs a @context", path, _said_id(raw), cure)
        return
    if "@graph" in raw:
        reading.report("topLevelGraphDisallowed", '"@graph" is not part of DTDL', path)
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


class Opening:
    """Where an element is expected: inside `parent` as a value of `rule`, or at the root."""

    __slots__ = ("context", "parent", "path", "rule")

    def __init__(
        self, context: Context | None, path: Path, parent: Element | None, rule: PropertyRule | None
    ) -> None:
        self.context = context
        self.path = path
        self.parent = parent
        self.rule = rule


def read_element(reading: Reading, raw: dict[str, Any], at: Opening) -> Element | None:
    """Read one object and all inside it; None, with problems, where it is no element."""
    context = at.context
    if "@context" in raw:
        context = read_context(reading, raw["@context"], context, at.path)
    if context is None:
        return None
    owner = at.parent.id if at.parent else ""
    if not check_fragment(reading, raw, at.path):
        return None
    identifier = made_id(reading, raw, at.parent, at.rule)
    slot = Slot(context, at.path, at.rule, owner, identifier or owner)
    before = len(reading.problems)
    types = read_types(reading, raw, slot)
    if types.rule is None:
        return None
    element = Element(identifier, types.rule, context, reading.document, at.path, at.parent)
    element.via = at.rule.name if at.rule else ""
    element.undefined_types = types.undefined
    if not _admit(reading, raw, element, at):
        return None
    _check_keywords(reading, raw, element)
    check_cotypes(reading, element, types.supplements)
    element.doubtful = len(reading.problems) > before
    _read_members(reading, raw, element)
    _check_required(reading, element)
    return element


def _said_id(raw: dict[str, Any]) -> str:
    given = raw.get("@id")
    return given if isinstance(given, str) else ""


def _admit(reading: Reading, raw: dict[str, Any], element: Element, at: Opening) -> bool:
    """Give the element its place among the others, if its identifier and version allow."""
    rule = at.rule
    if rule is not None and rule.versions and element.version not in rule.versions:
        message = f'"{rule.name}" may not hold an element of DTDL {element.version}'
        owner = at.parent.id if at.parent else ""
        reading.report("disallowedVersionDefinition", message, at.path, owner)
    if not check_definition(reading, raw, element, rule):
        return False
    element.partition = element.id
    if element.type != "Interface" and at.parent is not None:
        element.partition = at.parent.partition
    earlier = reading.elements.get(element.id)
    if earlier is not None:
        message = f"{element.id} is defined more than once"
        cure = "give one of them another @id"
        same_name = at.parent is not None and "@id" not in raw and earlier.parent is at.parent
        if not same_name:
            reading.report("duplicateDefinition", message, at.path, element.id, cure)
    else:
        reading.elements[element.id] = element
    return True


def _check_keywords(reading: Reading, raw: dict[str, Any], element: Element) -> None:
    if element.version not in reading.metamodel.keyword_versions and "@graph" not in raw:
        return
    for key in raw:
        if key.startswith("@") and key not in ENTITY_KEYWORDS:
            code = "graphDisallowed" if key == "@graph" else "keywordDisallowed"
            if element.parent is None and key != "@graph":
                code = "topLevelKeywordDisallowed"
            reading.report(code, f'"{key}" is not part of DTDL', element.path, element.id)


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
    items = value if isinstance(value, list) else [value]
    path: Path = (element.path, key)
    found: list[str] = []
    for position, item in enumerate(items):
        place: Path = (path, position) if isinstance(value, list) else path
        if isinstance(item, str):
            target = _reference(reading, element, rule, item, place)
        elif isinstance(item, dict):
            target = _inline(reading, element, rule, item, place)
        else:
            code = "propertyValueNull" if item is None else "refNotStringOrObject"
            message = f'"{rule.name}" must be a DTMI, a known name or an object'
            reading.report(code, message, place, element.id)
            continue
        if target:
            found.append(target)
            reading.links.append(Link(element, rule, target, place, extra, isinstance(item, dict)))
    _check_count(reading, element, rule, len(items), path)
    return found


def _check_count(
    reading: Reading, element: Element, rule: PropertyRule, count: int, path: Path
) -> None:
    most = rule.max_count
    if most is not None and count > most:
        code = "objectMultipleValues" if most == 1 else "objectCountAboveMax"
        message = f'"{rule.name}" has {count} values, at most {most} are allowed'
        reading.report(code, message, path, element.id)
    elif count < rule.min_count:
        message = f'"{rule.name}" needs at least {rule.min_count} value'
        reading.report("objectCountBelowMin", message, path, element.id)


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
    if rule.value_ids and target not in rule.value_ids:
        cure = f"one of {', '.join(rule.values)}"
        message = f'"{rule.name}" cannot be "{text}"'
        reading.report("incorrectPropertyValue", message, path, element.id, cure)
        return ""
    return reading.metamodel.aliases.get(target, target)


def _no_such_name(
    reading: Reading, element: Element, rule: PropertyRule, text: str, path: Path
) -> None:
    if not rule.of and not rule.instance_of:
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
    if not rule.of and not rule.instance_of:
        message = f'"{rule.name}" must be a DTMI, not an object'
        reading.report("identifierNotString", message, path, element.id)
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
