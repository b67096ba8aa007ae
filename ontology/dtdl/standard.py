"""Elements that the language itself defines: primitive and geospatial schemas, units."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from twinfall.ontology.dtdl.elements import Context, Element
from twinfall.ontology.dtdl.metamodel import ClassRule, Metamodel, metamodel


def standard_element(id_: str) -> Element | None:
    """The standard element of this identifier, None where there is none."""
    known = metamodel()
    raw = known.standard.get(id_)
    return None if raw is None else _element(id_)


@lru_cache(maxsize=4_096)
def _element(id_: str) -> Element:
    known = metamodel()
    raw = known.standard[id_]
    return _build(known, raw, id_)


@lru_cache(maxsize=64)
def _context(specifiers: tuple[str, ...]) -> Context:
    known = metamodel()
    terms: dict[str, str] = {}
    for specifier in specifiers:
        terms.update(known.contexts[specifier])
    version = int(specifiers[0].rpartition(";")[2])
    return Context(version, "", (), terms, False, ())


def _guess(raw: Mapping[str, Any], id_: str) -> tuple[str, ...]:
    """The context, for nested elements the language of the identifier's own family."""
    given = raw.get("@context")
    if given is not None:
        return (given,) if isinstance(given, str) else tuple(given)
    if ":quantitativeTypes:" in id_:
        version = id_.partition(":quantitativeTypes:v")[2][0]
        core = "dtmi:dtdl:context;3" if version == "1" else "dtmi:dtdl:context;4"
        return (core, f"dtmi:dtdl:extension:quantitativeTypes;{version}")
    return (f"dtmi:dtdl:context;{id_.rpartition(';')[2]}",)


def _build(known: Metamodel, raw: Mapping[str, Any], id_: str) -> Element:
    context = _context(_guess(raw, id_))
    written = raw["@type"] if isinstance(raw["@type"], list) else [raw["@type"]]
    classes = known.classes[context.version]
    supplements = [
        known.supplemental[context.terms[t]]
        for t in written
        if context.terms.get(t, "") in known.supplemental
    ]
    above = [known.class_ids[s.parent][0] for s in supplements if s.parent in known.class_ids]
    rule = next((classes[t] for t in [*written, *above] if t in classes), classes["Unit"])
    element = Element(id_, rule, context, -1, None)
    element.supplements = supplements
    for key, value in raw.items():
        _fill(element, rule, key, value)
    return element


def _fill(element: Element, rule: ClassRule, key: str, value: Any) -> None:
    member = rule.properties.get(key)
    if member is None:
        _fill_extra(element, key, value)
    elif member.datatype == "langString":
        element.literals[key] = {"en": value} if isinstance(value, str) else value
    elif member.datatype:
        element.literals[key] = value
    else:
        items = value if isinstance(value, list) else [value]
        element.links[key] = [_target(element, key, item) for item in items]


def _fill_extra(element: Element, key: str, value: Any) -> None:
    id_ = element.context.terms.get(key, "")
    for known in element.supplements:
        rule = known.properties.get(id_)
        if rule is not None:
            element.extras[id_] = value if rule.datatype else _target(element, key, value)


def _target(element: Element, key: str, item: Any) -> str:
    if isinstance(item, str):
        target = element.context.terms.get(item, item)
        return metamodel().aliases.get(target, target)
    return str(item["@id"])
