"""What a property holds: datatypes, lists of values and shapes of values, as DTDL schemas."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rdflib import OWL, RDF, RDFS, BNode, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

from twinfall.ontology.errors import BadInput
from twinfall.ontology.rdf import vocabulary as words
from twinfall.ontology.rdf.classes import Dtdl, Vocabulary, is_value_shape
from twinfall.ontology.rdf.identifiers import local, segment
from twinfall.ontology.rdf.ordering import ordered
from twinfall.ontology.rdf.vocabulary import SH

MAX_NESTED = 6
"""Shapes of values within each other; DTDL v4 takes eight schemas."""
MAX_LIST = 10_000
"""Members of a list."""
MAX_ENUM = 1_000


def members_of(graph: Graph, head: Node) -> list[Node]:
    """A list's members. A circle or a longer list than `MAX_LIST` ends."""
    found: list[Node] = []
    try:
        for one in Collection(graph, head):
            found.append(one)
            if len(found) >= MAX_LIST:
                break
    except ValueError:  # a circle
        return found
    return found


def enum_of(members: Iterable[Node]) -> Dtdl | None:
    """An enumeration of these literals or IRIs; None where they are neither texts nor integers."""
    values: list[str | int] = []
    for one in members:
        value = one.toPython() if isinstance(one, Literal) else str(one)
        if isinstance(value, bool) or isinstance(one, BNode):
            return None
        values.append(value if isinstance(value, int) else str(one))
    if not values or len(values) > MAX_ENUM:
        return None
    if not all(isinstance(value, int) for value in values):
        values = [str(value) for value in values]
    unique = list(dict.fromkeys(values))
    kind = "integer" if isinstance(unique[0], int) else "string"
    if kind == "integer" and not all(-(2**31) <= int(value) < 2**31 for value in unique):
        return None
    return {"@type": "Enum", "valueSchema": kind, "enumValues": _named(unique)}


def _named(values: list[str | int]) -> list[dict[str, Any]]:
    taken: set[str] = set()
    named = []
    for value in values:
        text = f"minus{-value}" if isinstance(value, int) and value < 0 else str(value)
        base = segment(local(text) if "/" in text or "#" in text else text)[:60].rstrip("_")
        name, number = base, 2
        while name in taken:
            name, number = f"{base}{number}", number + 1
        taken.add(name)
        named.append({"name": name, "enumValue": value})
    return named


def datatype_schema(graph: Graph, datatype: Node, subject: str, found: Vocabulary) -> Dtdl:
    """The schema of a datatype, of a data range with its members, or of one of ours."""
    members = graph.value(datatype, OWL.oneOf)
    if members is not None:
        enum = enum_of(members_of(graph, members))
        if enum is not None:
            return enum
    if isinstance(datatype, BNode):
        base = graph.value(datatype, OWL.onDatatype)
        if base is None:
            found.lose("datatype", subject, "has an expression as its range: kept as string")
            return "string"
        found.lose("constraint", subject, "has a datatype with conditions, which are not kept")
        datatype = base
    schema, loss = words.schema_of(URIRef(str(datatype)))
    if loss:
        found.lose("datatype", subject, loss)
    return schema


def schema_of_shape(
    graph: Graph, shape: Node, subject: str, found: Vocabulary, depth: int = 0
) -> Dtdl | None:
    """What a property shape says of literals; None where it speaks of things."""
    own = told_schema(graph, shape)
    if own is not None:
        return own
    members = graph.value(shape, SH["in"])
    if members is not None:
        enum = enum_of(members_of(graph, members))
        if enum is not None:
            return enum
        found.lose("constraint", subject, "has a list of values that no enumeration can hold")
    datatype = graph.value(shape, SH.datatype)
    if datatype is not None:
        return datatype_schema(graph, datatype, subject, found)
    either = _either(graph, shape, subject, found)
    if either is not None:
        return either
    if members is not None or graph.value(shape, SH.nodeKind) == SH.Literal:
        return "string"
    values = graph.value(shape, SH.node) or graph.value(shape, SH["class"])
    if values is not None and is_value_shape(graph, values):
        return _object(graph, values, found, depth)
    return None


def told_schema(graph: Graph, subject: Node) -> Dtdl | None:
    """The schema that an export of ours wrote beside."""
    text = graph.value(subject, words.SCHEMA)
    return None if text is None else told_json(text, subject)


def told_json(text: Node, subject: Node) -> Any:
    """A JSON text that stands beside. Raises BadInput where it is none."""
    try:
        return json.loads(str(text))
    except (ValueError, RecursionError):
        raise BadInput(
            f"the text {str(text)[:80]!r} is no JSON", code="BAD_FILE", path=str(subject),
            cure="leave it out, or write it as twinfall model export does",
        ) from None  # fmt: skip


def _either(graph: Graph, shape: Node, subject: str, found: Vocabulary) -> Dtdl | None:
    """One schema wide enough for all datatypes of an `sh:or`."""
    head = graph.value(shape, SH["or"])
    if head is None:
        return None
    kinds = [graph.value(one, SH.datatype) for one in members_of(graph, head)]
    if not kinds or any(kind is None for kind in kinds):
        return None
    names = {words.schema_of(URIRef(str(kind)))[0] for kind in kinds}
    if len(names) == 1:
        return names.pop()
    numeric = {*words.NUMBERS, "decimal", *(n for n in words.DATATYPES if n.startswith("unsigned"))}
    wide = "double" if names <= numeric else "string"
    found.lose("datatype", subject, f"holds one of {len(names)} kinds of values, kept as {wide}")
    return wide


def _object(graph: Graph, shape: Node, found: Vocabulary, depth: int) -> Dtdl:
    """A structure of the properties of a shape of values."""
    fields: dict[str, dict[str, Any]] = {}
    for inner in ordered(graph, _properties(graph, shape)):
        path = graph.value(inner, SH.path)
        if not isinstance(path, URIRef):
            continue
        name = segment(local(str(path)))
        schema = (
            schema_of_shape(graph, inner, str(path), found, depth + 1)
            if depth < MAX_NESTED
            else None
        )
        if schema is None:
            found.lose("datatype", path, f"is kept as string in the values of {_short(shape)}")
            schema = "string"
        fields.setdefault(
            name, {"@type": ["Field", "Rdf"], "name": name, "iri": str(path), "schema": schema}
        )
    if not fields:
        return "string"
    found.lose("constraint", str(shape), "is kept as an object of optional fields")
    return {"@type": "Object", "fields": [fields[name] for name in sorted(fields)]}


def _properties(graph: Graph, shape: Node) -> set[Node]:
    found, waiting, seen = set(), [shape], {shape}
    while waiting:
        at = waiting.pop()
        found |= set(graph.objects(at, SH.property))
        above = {p for p in graph.objects(at, RDFS.subClassOf) if p not in seen}
        seen |= above
        waiting += ordered(graph, above)
    return found


def _short(shape: Node) -> str:
    return "a shape" if isinstance(shape, BNode) else local(str(shape))


def is_data(graph: Graph, predicate: Node) -> bool | None:
    """Whether a predicate leads to literals, as far as it is declared."""
    if (predicate, RDF.type, OWL.DatatypeProperty) in graph:
        return True
    if (predicate, RDF.type, OWL.ObjectProperty) in graph:
        return False
    ranges = list(graph.objects(predicate, RDFS.range))
    if ranges:
        return any(is_datatype(graph, one) for one in ranges)
    return None


def is_datatype(graph: Graph, one: Node) -> bool:
    """Whether this is the name of a datatype."""
    iri = URIRef(str(one))
    known = iri in words.SCHEMAS or iri in words.NEAR or iri == RDF.JSON
    return (
        known or str(one).startswith(words.BUILT_IN[4]) or ((one, RDF.type, RDFS.Datatype) in graph)
    )
