"""Supplemental types: where they may stand and the members they bring."""

from __future__ import annotations

from typing import Any

from twinfall.ontology.dtdl.elements import Element, Reading
from twinfall.ontology.dtdl.identifiers import is_definable
from twinfall.ontology.dtdl.metamodel import PropertyRule, SupplementalType
from twinfall.ontology.dtdl.suggest import did_you_mean

_UNTYPED_KINDS = ("None", "Unit", "UnitAttribute", "SemanticUnit", "LatentType", "NamedLatentType")


def check_cotypes(reading: Reading, element: Element, given: list[SupplementalType]) -> None:
    """Keep the types that fit the element; say why others do not."""
    path = (element.path, "@type")
    for known in given:
        if known.abstract:
            code, why = "abstractSupplementalType", "is abstract"
        elif known.kind in _UNTYPED_KINDS or element.type not in known.cotypes:
            fits = " or ".join(sorted(known.cotypes)) or "nothing in a model"
            code, why = "invalidCotype", f"does not go with {element.type} but with {fits}"
        elif element.version not in known.cotype_versions:
            code, why = "invalidCotypeVersion", f"is not for DTDL {element.version}"
        else:
            element.supplements.append(known)
            continue
        reading.report(code, f"the type {known.term} {why}", path, element.id)
    _check_company(reading, element)


def _check_company(reading: Reading, element: Element) -> None:
    path = (element.path, "@type")
    ids = {s.id for s in element.supplements}
    for known in element.supplements:
        if known.cocotypes and not ids.intersection(known.cocotypes):
            wanted = " or ".join(c.rsplit(":", 1)[-1] for c in known.cocotypes)
            message = f"the type {known.term} needs {wanted} beside it"
            reading.report("missingCocotype", message, path, element.id)
        for barred in ids.intersection(known.discotypes):
            other = reading.metamodel.supplemental[barred].term
            message = f"the types {known.term} and {other} exclude each other"
            reading.report("disallowedCocotype", message, path, element.id)
    _check_shared(reading, element)


def _check_shared(reading: Reading, element: Element) -> None:
    seen: dict[str, str] = {}
    for known in element.supplements:
        for id_, rule in known.properties.items():
            if id_ in seen:
                message = f'{seen[id_]} and {known.term} both define "{rule.name}"'
                code = "conflictingSupplementalTypes"
                reading.report(code, message, (element.path, "@type"), element.id)
            seen[id_] = known.term


def find_extra(element: Element, key: str) -> tuple[str, PropertyRule] | None:
    """The supplemental property that `key` means on this element."""
    if not element.supplements:
        return None
    id_ = element.context.terms.get(key, key)
    for known in element.supplements:
        rule = known.properties.get(id_)
        if rule is not None:
            return id_, rule
    return None


def read_unknown(reading: Reading, element: Element, key: str, value: Any) -> None:
    """A member that neither the class nor the types of the element define."""
    path = (element.path, key)
    known = element.context.terms.get(key, "")
    if key.startswith("dtmi:"):
        valid = is_definable(reading, element.version, key)
        case = "irrelevantDtmiOrTerm" if valid else "invalidDtmi"
    elif ":" in key:
        case = "notDtmiNorTerm"
    else:
        case = "irrelevantDtmiOrTerm" if known else "undefinedTerm"
    verdict = reading.metamodel.apocrypha[element.version][f"{case}AsProperty"]
    open_ = element.context.open
    if element.doubtful:
        return
    if verdict == "invalid" or (verdict == "tenable" and not open_):
        code = f"property{case[0].upper()}{case[1:]}"
        cure = did_you_mean(key, _members(element))
        message = f'a {element.type} has no member "{key}"'
        reading.report(code, message, path, element.id, cure)
    elif not element.undefined_types:
        message = f'no type of this {element.type} allows "{key}"'
        code = "inferredTypeDoesNotAllow" if element.inferred else "noTypeThatAllows"
        reading.report(code, message, path, element.id)
    else:
        element.undefined[key] = value


def _members(element: Element) -> list[str]:
    names = [r.name for r in element.rule.properties.values() if not r.barred]
    for known in element.supplements:
        names += [r.name for r in known.properties.values()]
    return names
