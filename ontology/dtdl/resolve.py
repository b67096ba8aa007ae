"""Links between elements: that they exist, fit, and stay where they may."""

from __future__ import annotations

from twinfall.ontology.dtdl.elements import Element, Link, Reading, pointer
from twinfall.ontology.dtdl.standard import standard_element
from twinfall.ontology.errors import Problem


def find(reading: Reading, id_: str) -> Element | None:
    """The element of this identifier, read or standard."""
    return reading.elements.get(id_) or standard_element(id_)


def undefined_references(reading: Reading) -> list[str]:
    """Identifiers that elements depend on and nobody defined, in order of first use."""
    missing: dict[str, None] = {}
    for link in reading.links:
        if _depends(link) and link.target not in missing and find(reading, link.target) is None:
            missing[link.target] = None
    return list(missing)


def _depends(link: Link) -> bool:
    return link.rule.links


def check_links(reading: Reading) -> None:
    """Judge every link whose target exists."""
    for link in reading.links:
        if not _depends(link):
            continue
        target = find(reading, link.target)
        if target is None:
            _check_reserved(reading, link)
        else:
            _check_link(reading, link, target)


def _fail(reading: Reading, link: Link, code: str, message: str, cure: str = "") -> None:
    owner = link.element
    problem = Problem(code, message, pointer(link.path), owner.document, element=owner.id)
    reading.problems.append(problem if not cure else _cured(problem, cure))


def _cured(problem: Problem, cure: str) -> Problem:
    return Problem(
        problem.code,
        problem.message,
        problem.path,
        problem.document,
        problem.line,
        problem.element,
        cure,
    )


def _check_reserved(reading: Reading, link: Link) -> None:
    if link.term:
        message = f'"{link.rule.name}": {link.target} is a word of DTDL\'s own, not an element'
        _fail(reading, link, "badType", message, _wanted(reading, link))
    elif link.target.startswith(reading.metamodel.reserved_prefixes):
        message = f'"{link.rule.name}": {link.target} is reserved and not defined'
        _fail(reading, link, "undefinedReservedId", message)


def _check_link(reading: Reading, link: Link, target: Element) -> None:
    rule = link.rule
    if link.extra:
        _check_extra(reading, link, target)
        return
    if not _fits(reading, link, target):
        message = f'"{rule.name}" points at {target.id}, which is a {target.type}'
        _fail(reading, link, "badType", message, _wanted(reading, link))
        return
    if rule.value_ids and target.id not in rule.value_ids:
        message = f'"{rule.name}" cannot be {target.id}'
        _fail(reading, link, "incorrectPropertyValue", message, _wanted(reading, link))
        return
    if rule.versions and target.version not in rule.versions and not link.inline:
        message = f'"{rule.name}" may not refer to {target.id} of DTDL {target.version}'
        _fail(reading, link, "disallowedVersionReference", message)
        return
    _check_partition(reading, link, target)


def _wanted(reading: Reading, link: Link) -> str:
    if link.rule.value_ids:
        return f"it must be {' or '.join(link.rule.values)}"
    expected = reading.metamodel.classes[link.element.version].get(link.rule.of)
    return f"it must be a {' or '.join(sorted(expected.concrete)) if expected else link.rule.of}"


def _fits(reading: Reading, link: Link, target: Element) -> bool:
    rule = reading.metamodel.classes[link.element.version].get(link.rule.of)
    if link.rule.of in target.rule.ancestry:
        return True
    return rule is not None and (target.type in rule.concrete or target.type in rule.elemental)


def _check_partition(reading: Reading, link: Link, target: Element) -> None:
    if target.type == "Interface" or target.document < 0:
        return
    if target.partition != link.element.partition:
        message = (
            f'"{link.rule.name}" refers to {target.id}, which belongs to {target.partition}: '
            "only interfaces can be shared"
        )
        _fail(reading, link, "crossPartitionReference", message, "define it in both interfaces")


def _check_extra(reading: Reading, link: Link, target: Element) -> None:
    rule = link.rule
    if rule.child_of:
        family = find(reading, rule.child_of)
        members = family.links.get("enumValues", []) if family else []
        if target.id not in members:
            unit_type = rule.child_of.rsplit(":", 1)[-1]
            message = f'"{rule.name}": {target.id.rsplit(":", 1)[-1]} is not a {unit_type}'
            named = [
                m
                for m in members
                if m.rpartition(":")[2] == target.id.partition(";")[0].rpartition(":")[2]
            ]
            cure = f"write it as its DTMI, {named[0]}" if named else ""
            _fail(reading, link, "wrongParent", message, cure)
        return
    wanted = rule.instance_of
    if wanted in reading.metamodel.supplemental:
        kinds = {s.id for s in target.supplements}
        if not any(reading.metamodel.is_a(k, wanted) for k in kinds):
            name = wanted.partition(";")[0].rsplit(":", 1)[-1]
            message = f'"{rule.name}": {target.id} is not a {name}'
            _fail(reading, link, "notRequiredType", message)
