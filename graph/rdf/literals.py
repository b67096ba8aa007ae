"""Values as literals, and literals as values, by the schema that a property has."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from rdflib import RDF, XSD, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from twinfall.ontology.model import Array, Enum, Object, Primitive, Schema
from twinfall.ontology.rdf.vocabulary import DATATYPES

INTEGERS = frozenset(
    {"byte", "short", "integer", "long", "unsignedByte", "unsignedShort", "unsignedInteger"}
    | {"unsignedLong"}
)
REALS = frozenset({"double", "float"})
MAX_DIGITS = 400
"""Of a number's text."""


class NoValue(ValueError):
    """A term that is no value of the schema; the text says why."""


def value_of(graph: Graph, term: Node, schema: Schema, fields: Mapping[str, Any]) -> Any:
    """The JSON value of a term. `fields` has the predicates of an object's fields by name.

    Raises NoValue where it cannot be one; whether it fits, the graph judges.
    """
    if isinstance(term, Literal) and term.datatype == RDF.JSON:
        return _json(str(term))
    if isinstance(schema, Primitive):
        return _primitive(_text(term), schema.name)
    if isinstance(schema, Enum):
        return _integer(_text(term)) if schema.value_schema == "integer" else _text(term)
    if isinstance(schema, Object):
        return _object(graph, term, schema, fields)
    if isinstance(schema, Array):
        return [value_of(graph, term, schema.element, {})]
    raise NoValue("a structured value is written as a literal of rdf:JSON")


def _text(term: Node) -> str:
    if isinstance(term, BNode):
        raise NoValue("a blank node is no plain value")
    return str(term)


def _primitive(text: str, name: str) -> Any:
    if name in INTEGERS:
        return _integer(text)
    if name in REALS:
        return _real(text)
    if name == "boolean":
        if text not in ("true", "false", "1", "0"):
            raise NoValue(f"{text[:40]!r} is not true or false")
        return text in ("true", "1")
    return text


def _integer(text: str) -> int:
    bare = text.strip()
    if len(bare) > MAX_DIGITS or not bare.lstrip("+-").isascii():
        raise NoValue(f"{bare[:40]!r} is not an integer")
    try:
        return int(bare)
    except ValueError:
        raise NoValue(f"{bare[:40]!r} is not an integer") from None


def _real(text: str) -> float:
    try:
        value = float(text) if len(text) <= MAX_DIGITS else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise NoValue(f"{text[:40]!r} is not a finite number")
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NoValue("the literal of rdf:JSON is no JSON") from None


def _object(graph: Graph, term: Node, schema: Object, fields: Mapping[str, Any]) -> Any:
    if not isinstance(term, BNode):
        raise NoValue("an object is written as a blank node, or as a literal of rdf:JSON")
    names = {iri: (name, inner) for name, (iri, inner) in fields.items()}
    schemas = {one.name: one.schema for one in schema.fields}
    found: dict[str, Any] = {}
    for predicate, value in graph.predicate_objects(term):
        if predicate == RDF.type:
            continue
        name, inner = names.get(str(predicate), ("", {}))
        if name not in schemas:
            raise NoValue(f"its value has no field {predicate}")
        if name in found:
            raise NoValue(f"its value has {name} twice")
        found[name] = value_of(graph, value, schemas[name], inner)
    return found


def term_of(graph: Graph, value: Any, schema: Schema, fields: Mapping[str, Any]) -> Node:
    """A value as a term; the triples of an object whose fields have predicates go to `graph`."""
    if isinstance(schema, Primitive) and not isinstance(value, dict | list):
        return _literal(value, DATATYPES.get(schema.name, XSD.string))
    if isinstance(schema, Enum):
        return _literal(value, XSD.int if isinstance(value, int) else XSD.string)
    if (
        isinstance(schema, Object)
        and isinstance(value, dict)
        and value
        and fields.keys() >= value.keys()
    ):
        node = BNode()
        schemas = {one.name: one.schema for one in schema.fields}
        for name in sorted(value):
            predicate, inner = fields[name]
            graph.add((node, URIRef(predicate), term_of(graph, value[name], schemas[name], inner)))
        return node
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Literal(text, datatype=RDF.JSON, normalize=False)


def _literal(value: Any, datatype: URIRef) -> Literal:
    if isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = repr(float(value)) if datatype in (XSD.double, XSD.float) else str(value)
    if datatype == XSD.string:
        return Literal(text)
    return Literal(text, datatype=datatype, normalize=False)
