"""What classes may have: property shapes, domains and ranges, restrictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from rdflib import OWL, RDF, RDFS, BNode, Graph, URIRef
from rdflib.term import Node

from twinfall.ontology.rdf import values
from twinfall.ontology.rdf import vocabulary as words
from twinfall.ontology.rdf.classes import Field, Vocabulary, described, is_value_shape
from twinfall.ontology.rdf.identifiers import namespace
from twinfall.ontology.rdf.ordering import ordered
from twinfall.ontology.rdf.vocabulary import SH


def read_fields(graph: Graph, found: Vocabulary) -> None:
    """Give each class its fields."""
    for iri in sorted(found.classes):
        for shape in _shapes(graph, URIRef(iri)):
            for property_shape in ordered(graph, graph.objects(shape, SH.property)):
                _take(found, iri, _shape_field(graph, iri, property_shape, found))
        for restriction in ordered(graph, graph.objects(URIRef(iri), RDFS.subClassOf)):
            if isinstance(restriction, BNode):
                _take(found, iri, _restricted(graph, iri, restriction, found))
    for predicate in sorted(_declared(graph)):
        _declare(graph, predicate, found)


def _shapes(graph: Graph, iri: URIRef) -> list[Node]:
    targeting = ordered(graph, graph.subjects(SH.targetClass, iri))
    return [iri, *(shape for shape in targeting if shape != iri)]


def _take(found: Vocabulary, iri: str, field: Field | None) -> None:
    if field is None:
        return
    fields = found.classes[iri].fields
    known = fields.get(field.predicate)
    fields[field.predicate] = field if known is None else _both(found, iri, known, field)


def _both(found: Vocabulary, iri: str, one: Field, other: Field) -> Field:
    """What two statements about one predicate of one class say together."""
    if one.kind != other.kind:
        found.lose("kind", iri, f"has {one.predicate} as a value and as a relation: the relation")
        return one if one.kind == "Relationship" else other
    targets = one.targets or other.targets
    if one.targets and other.targets and one.targets != other.targets:
        narrow = [t for t in (one.targets, other.targets) if len(t) == 1]
        targets = min(narrow, default=())
        found.lose("range", iri, f"has {one.predicate} with several ranges; one is kept")
    most = [count for count in (one.most, other.most) if count is not None]
    schema = one.schema if one.schema not in (None, "string") else other.schema or one.schema
    return replace(
        one, targets=targets, most=min(most, default=None), schema=schema,
        labels=one.labels or other.labels, comments=one.comments or other.comments,
        extra={**other.extra, **one.extra},
    )  # fmt: skip


# -- SHACL ---------------------------------------------------------------------------------------


def _shape_field(graph: Graph, iri: str, shape: Node, found: Vocabulary) -> Field | None:
    path = graph.value(shape, SH.path)
    if not isinstance(path, URIRef):
        found.lose("path", iri, "has a property whose path is no single predicate")
        return None
    most = _count(graph, shape, SH.maxCount)
    if most == 0:
        found.lose("forbidden", iri, f"must not have {path}")
        return None
    least = _count(graph, shape, SH.minCount)
    if least:
        found.lose("cardinality", iri, f"must have {least} of {path} or more")
    for word in _CONDITIONS:
        if graph.value(shape, SH[word]) is not None:
            found.lose("constraint", iri, f"has a condition on {path} (sh:{word})")
    made = _literal(graph, iri, shape, path, found) or _thing(graph, iri, shape, path, found)
    if made is None:
        found.lose("kind", iri, f"has {path} without saying whether it is a value or a relation")
        return None
    made = replace(made, most=most, extra=told(graph, shape))
    if kind := told_kind(graph, shape):
        made = replace(made, kind=kind)  # type: ignore[arg-type]  # one of words.KINDS
    return _counted(described(graph, (shape, path), made, found), iri, found)


_CONDITIONS = (
    "pattern", "minLength", "maxLength", "minInclusive", "maxInclusive", "minExclusive",
    "maxExclusive", "hasValue", "uniqueLang", "equals", "disjoint", "lessThan", "qualifiedMinCount",
    "defaultValue", "languageIn",
)  # fmt: skip


def _literal(graph: Graph, iri: str, shape: Node, path: URIRef, found: Vocabulary) -> Field | None:
    predicate = found.representative(path)
    schema = values.schema_of_shape(graph, shape, iri, found)
    if schema is not None:
        return Field(predicate, "Property", schema=schema)
    if _target(graph, shape) or graph.value(shape, SH.nodeKind) is not None:
        return None
    if values.is_data(graph, path):
        ranges = [
            r
            for r in ordered(graph, graph.objects(path, RDFS.range))
            if values.is_datatype(graph, r)
        ]
        kind = values.datatype_schema(graph, ranges[0], str(path), found) if ranges else "string"
        return Field(predicate, "Property", schema=kind)
    return None


def _thing(graph: Graph, iri: str, shape: Node, path: URIRef, found: Vocabulary) -> Field | None:
    targets = _target(graph, shape)
    things = graph.value(shape, SH.nodeKind) in (SH.IRI, SH.BlankNodeOrIRI, SH.BlankNode)
    if not targets and not things and values.is_data(graph, path) is not False:
        return None
    return Field(found.representative(path), "Relationship", targets=targets)


def _target(graph: Graph, shape: Node) -> tuple[str, ...]:
    """Classes of which the object is one; of a shape, the classes that it targets."""
    told = list(graph.objects(shape, SH["class"]))
    for node in graph.objects(shape, SH.node):
        told += [node, *graph.objects(node, SH.targetClass)]
    for head in graph.objects(shape, SH["or"]):
        for one in values.members_of(graph, head):
            told += graph.objects(one, SH["class"])
    return tuple(sorted({str(one) for one in told if isinstance(one, URIRef)}))


def _count(graph: Graph, shape: Node, word: URIRef) -> int | None:
    given = graph.value(shape, word)  # a literal of 0 is false
    text = "" if given is None else str(given)
    return int(text) if text.isdecimal() and len(text) < 10 else None


def told(graph: Graph, subject: Node) -> dict[str, Any]:
    """Members of the content that an export of ours wrote beside."""
    found: dict[str, Any] = {}
    for word, member in (
        (words.NAME, "name"), (words.UNIT, "unit"), (words.SEMANTIC_TYPE, "semanticType"),
    ):  # fmt: skip
        if (value := graph.value(subject, word)) is not None:
            found[member] = str(value)
    if str(graph.value(subject, words.WRITABLE) or "") == "true":
        found["writable"] = True
    for word, member in (
        (words.PROPERTIES, "properties"), (words.REQUEST, "request"), (words.RESPONSE, "response"),
    ):  # fmt: skip
        if (text := graph.value(subject, word)) is not None:
            found[member] = values.told_json(text, subject)
    return found


def told_kind(graph: Graph, subject: Node) -> str:
    """The kind that RDF does not tell, where it is marked."""
    return next((k for k, mark in words.KINDS.items() if (subject, RDF.type, mark) in graph), "")


def _counted(field: Field, iri: str, found: Vocabulary) -> Field:
    """A property that may be given several times becomes an array where a count says so."""
    if field.kind != "Property" or field.most == 1:
        return field
    if field.most is None:
        found.lose("cardinality", iri, f"may have {field.predicate} several times: one is kept")
        return replace(field, most=1)
    array = {"@type": "Array", "elementSchema": field.schema}
    found.lose("cardinality", iri, f"may have up to {field.most} of {field.predicate}: an array")
    return replace(field, schema=array, most=1)


# -- OWL -----------------------------------------------------------------------------------------


def _declared(graph: Graph) -> set[URIRef]:
    kinds = (OWL.ObjectProperty, OWL.DatatypeProperty, RDF.Property, *words.KINDS.values())
    found = {p for kind in kinds for p in graph.subjects(RDF.type, kind)}
    found |= set(graph.subjects(RDFS.domain, None))
    return {p for p in found if isinstance(p, URIRef) and not words.is_built_in(str(p))}


def _declare(graph: Graph, predicate: URIRef, found: Vocabulary) -> None:
    """A predicate by itself: its domain has it, or everything of its namespace."""
    owners, said = _owners(graph, predicate, found)
    if not said:
        if _has_owner(found, predicate) or _is_annotation(graph, predicate, found):
            return
        owners = _roots(found, predicate)
        if not owners:
            found.lose("domain", predicate, "is nobody's: no class is told to have it")
            return
        found.lose("domain", predicate, f"has no domain: {len(owners)} root classes have it")
    field = _owl_field(graph, predicate, found)
    if field is None:
        found.lose("kind", predicate, "may be a value or a relation: it is not told")
        return
    for owner in owners:
        known = found.classes[owner].fields.get(field.predicate)
        if known is None:
            _take(found, owner, field)
        else:
            merged = _enriched(known, field)
            found.classes[owner].fields[field.predicate] = merged


def _enriched(known: Field, field: Field) -> Field:
    """A restriction on the class itself is narrower than the predicate's own range."""
    kind = known.kind if field.kind not in words.KINDS else field.kind
    return replace(
        known, kind=kind, targets=known.targets or field.targets,
        schema=known.schema or field.schema, labels=known.labels or field.labels,
        comments=known.comments or field.comments, extra={**field.extra, **known.extra},
    )  # fmt: skip


def _owners(graph: Graph, predicate: URIRef, found: Vocabulary) -> tuple[list[str], bool]:
    """The classes of the domain, and whether there is one."""
    domains = list(graph.objects(predicate, RDFS.domain))
    wanted: list[Node] = []
    for domain in domains:
        union = graph.value(domain, OWL.unionOf)
        wanted += values.members_of(graph, union) if union is not None else [domain]
    named = {str(one) for one in wanted if isinstance(one, URIRef)}
    if len(domains) > 1:
        found.lose("domain", predicate, "has several domains: each of them has it")
    if named & {str(top) for top in words.TOP}:
        return [], False
    if unknown := sorted(named - set(found.classes)):
        found.lose("domain", predicate, f"belongs to {unknown[0]}, which is not here")
    return sorted(named & set(found.classes)), bool(domains)


def _has_owner(found: Vocabulary, predicate: URIRef) -> bool:
    wanted = found.representative(predicate)
    return any(wanted in one.fields for one in found.classes.values())


def _is_annotation(graph: Graph, predicate: URIRef, found: Vocabulary) -> bool:
    """Said of classes, not of things."""
    subjects = graph.subjects(predicate, None)
    if any(str(subject) in found.classes for subject in subjects):
        found.lose("annotation", predicate, "is said of classes, which have no such members")
        return True
    return False


def _roots(found: Vocabulary, predicate: URIRef) -> list[str]:
    """The classes of the predicate's namespace that have no parents."""
    roots = [
        iri for iri, one in sorted(found.classes.items())
        if not any(parent in found.classes for parent in one.parents)
    ]  # fmt: skip
    own = namespace(str(predicate))
    return [iri for iri in roots if namespace(iri) == own]


def _owl_field(graph: Graph, predicate: URIRef, found: Vocabulary) -> Field | None:
    name = found.representative(predicate)
    kind = told_kind(graph, predicate)
    if kind == "Command":
        command = Field(name, "Command", extra=told(graph, predicate))
        return described(graph, (predicate,), command, found)
    data = values.is_data(graph, predicate)
    if data is None:
        return None
    ranges = ordered(graph, graph.objects(predicate, RDFS.range))
    if data:
        made = Field(name, "Property", schema=_range_schema(graph, predicate, ranges, found))
    else:
        made = Field(name, "Relationship", targets=tuple(_range_classes(graph, ranges)))
    if (predicate, RDF.type, OWL.FunctionalProperty) in graph:
        made = replace(made, most=1)
    made = replace(made, extra=told(graph, predicate))
    if kind:
        made = replace(made, kind=kind)  # type: ignore[arg-type]  # one of words.KINDS
    return _counted(described(graph, (predicate,), made, found), str(predicate), found)


def _range_schema(graph: Graph, predicate: URIRef, ranges: list[Node], found: Vocabulary) -> Any:
    own = values.told_schema(graph, predicate)
    if own is not None:
        return own
    if not ranges:
        found.lose("datatype", predicate, "has no range: kept as string")
        return "string"
    if len(ranges) > 1:
        found.lose("range", predicate, "has several ranges; one is kept")
    return values.datatype_schema(graph, ranges[0], str(predicate), found)


def _range_classes(graph: Graph, ranges: list[Node]) -> Iterator[str]:
    for one in ranges:
        union = graph.value(one, OWL.unionOf)
        members: Iterable[Node] = values.members_of(graph, union) if union is not None else [one]
        for member in members:
            if isinstance(member, URIRef) and member not in words.TOP:
                yield str(member)


def _restricted(graph: Graph, iri: str, node: Node, found: Vocabulary) -> Field | None:
    """An OWL restriction that a class is a part of."""
    predicate = graph.value(node, OWL.onProperty)
    if not isinstance(predicate, URIRef):
        if is_value_shape(graph, node) is False:
            found.lose("expression", iri, "extends what an expression says")
        return None
    for word in (OWL.hasValue, OWL.minCardinality, OWL.minQualifiedCardinality, OWL.hasSelf):
        if graph.value(node, word) is not None:
            found.lose("cardinality", iri, f"must have {predicate} (owl:{word.split('#')[1]})")
    base = _owl_field(graph, predicate, found)
    counts = [_count(graph, node, word) for word in _MOST]
    most = min((count for count in counts if count is not None), default=None)
    told_range = [graph.value(node, word) for word in _RANGES]
    ranges = [one for one in told_range if one is not None]
    if base is None and not ranges:
        return None
    if most == 0:
        found.lose("forbidden", iri, f"must not have {predicate}")
        return None
    if graph.value(node, OWL.someValuesFrom) is not None:
        found.lose("cardinality", iri, f"must have some {predicate}")
    made = _narrowed(graph, predicate, base, ranges, found)
    return replace(made, most=most if most is not None else made.most)


_MOST = (
    OWL.maxCardinality, OWL.cardinality, OWL.maxQualifiedCardinality, OWL.qualifiedCardinality
)  # fmt: skip
_RANGES = (OWL.allValuesFrom, OWL.someValuesFrom, OWL.onClass, OWL.onDataRange)


def _narrowed(
    graph: Graph, predicate: URIRef, base: Field | None, ranges: list[Node], found: Vocabulary
) -> Field:
    name = found.representative(predicate)
    data = bool(ranges) and values.is_datatype(graph, ranges[0])
    fallback: Field = Field(name, "Property" if data else "Relationship")
    made = base if base is not None else fallback
    if ranges and (data or made.kind == "Property"):
        if made.schema is None or values.told_schema(graph, predicate) is None:
            schema = values.datatype_schema(graph, ranges[0], str(predicate), found)
            made = replace(made, schema=schema)
    elif ranges:
        made = replace(made, targets=tuple(_range_classes(graph, ranges)))
    return made
