"""RDF about things as rows of twins and relationships; what does not fit is said, triple by
triple.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from rdflib import OWL, RDF, RDFS, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from twinfall.graph.identity import component_address, default_relationship_id, twin_id_fault
from twinfall.graph.rdf.identity import BLANK, TwinIds
from twinfall.graph.rdf.literals import NoValue, value_of
from twinfall.ontology import Ontology
from twinfall.ontology.model import Array, Content, Interface
from twinfall.ontology.rdf.identifiers import digest
from twinfall.ontology.rdf.iris import Iris
from twinfall.ontology.rdf.ordering import ordered
from twinfall.ontology.rdf.vocabulary import (
    IDENTITY,
    RELATIONSHIP_ID,
    SH,
    TWIN_ID,
    is_built_in,
)

SCHEMA_TYPES = frozenset(
    {
        OWL.Class, RDFS.Class, RDF.Property, OWL.ObjectProperty, OWL.DatatypeProperty,
        OWL.AnnotationProperty, OWL.Ontology, OWL.Restriction, RDFS.Datatype, SH.NodeShape,
        SH.PropertyShape, RDF.Statement, RDF.List,
    }
)  # fmt: skip
"""What is no twin: models, and RDF's own constructions."""
NAMED = 3
"""Types that one message names."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A thing or a triple that could not be taken; `subject` is an IRI, `triple` its text."""

    subject: str
    code: str
    message: str
    triple: str = ""


@dataclass(slots=True)
class Rows:
    """Rows in the layout of an import: twins, then relationships, and what was not taken."""

    twins: list[Row] = field(default_factory=list)
    relationships: list[Row] = field(default_factory=list)
    refused: list[NotTaken] = field(default_factory=list)
    iris: dict[str, str] = field(default_factory=dict)
    """The IRI of each twin by its id."""


def read_rows(graph: Graph, ontology: Ontology, ids: TwinIds) -> Rows:
    """The things that the triples speak of, in order of IRI."""
    return _Reader(graph, ontology, ids).read()


class _Reader:
    """Reads one graph: first who there is, then what is said of them."""

    def __init__(self, graph: Graph, ontology: Ontology, ids: TwinIds) -> None:
        self._graph = graph
        self._ontology = ontology
        self._iris = Iris.of(ontology)
        self._ids = ids
        self._rows = Rows()
        self._models: dict[Node, Interface] = {}
        self._addresses: dict[Node, str] = {}
        self._values: dict[str, Row] = {}
        self._inner: set[Node] = set()
        self._blank: dict[str, int] = {}
        self._stated = _statements(graph)
        self._seen: set[tuple[str, str]] = set()
        self._terms: dict[str, tuple[dict[str, Content], dict[str, Content]]] = {}

    def read(self) -> Rows:
        self._find()
        for node in list(self._addresses):
            self._components(node)
        for node, address in self._addresses.items():
            self._describe(node, address)
        self._reified()
        self._rows.twins = [self._values[a] for a in self._addresses.values() if a in self._values]
        self._untyped()
        return self._rows

    # -- who there is ---------------------------------------------------------------------

    def _find(self) -> None:
        graph = self._graph
        self._inner = inner = self._inner_nodes()
        for node in ordered(graph, (s for s in graph.subjects(RDF.type, None) if s not in inner)):
            types = {t for t in graph.objects(node, RDF.type) if isinstance(t, URIRef)}
            if types & SCHEMA_TYPES:
                continue
            model = self._model(node, types)
            if model is not None:
                self._enter(node, model)

    def _inner_nodes(self) -> set[Node]:
        """Blank nodes that are values, and nodes of components: they belong to their twin."""
        graph = self._graph
        structured = {
            (URIRef(iri), content.kind)
            for interface in self._ontology.interfaces.values()
            for iri, content in self._predicates(interface)[0].items()
            if content.kind in ("Property", "Component")
        }
        return {
            value
            for predicate, kind in structured
            for value in graph.objects(None, predicate)
            if isinstance(value, BNode) or (kind == "Component" and isinstance(value, URIRef))
        }

    def _model(self, node: Node, types: set[URIRef]) -> Interface | None:
        known = {dtmi for t in types if (dtmi := self._iris.classes.get(str(t))) is not None}
        unknown = sorted(str(t) for t in types if str(t) not in self._iris.classes)
        for iri in unknown if known else ():
            if not is_built_in(iri):
                self._refuse(node, "UNKNOWN_NAME", f"no model has the IRI {iri}", RDF.type, iri)
        if not known:
            if any(not is_built_in(iri) for iri in unknown):
                named = ", ".join(unknown[:NAMED])
                self._refuse(node, "UNKNOWN_NAME", f"no loaded model has the IRI {named}")
            return None
        is_a = self._ontology.is_a
        lowest = [d for d in known if not any(o != d and is_a(o, d) for o in known)]
        if len(lowest) > 1:
            both = [d for d in self._ontology.interfaces if all(is_a(d, one) for one in lowest)]
            lowest = [d for d in both if not any(o != d and is_a(d, o) for o in both)]
        if len(lowest) != 1:
            named = ", ".join(sorted(str(t) for t in types)[:NAMED])
            message = f"is of several models, a twin is of one: {named}"
            self._refuse(node, "NOT_ALLOWED", message)
            return None
        return self._ontology.interfaces[lowest[0]]

    def _enter(self, node: Node, model: Interface) -> None:
        wish = str(self._graph.value(node, TWIN_ID) or "")
        name = f"{BLANK}{self._digest(node)}" if isinstance(node, BNode) else str(node)
        identity = self._iris.identity(model)
        id_ = self._ids.of(name, wish, kept=identity is not None)
        if (fault := twin_id_fault(id_)) is not None:
            self._refuse(node, "BAD_ID", fault)
            return
        if id_ in self._values:
            self._refuse(node, "DUPLICATE", f"is said of another thing: both would be {id_}")
            return
        self._models[node], self._addresses[node] = model, id_
        row: Row = {"$dtId": id_, "$metadata": {"$model": model.id}}
        if identity is not None and isinstance(node, URIRef) and not self._ids.is_based(name):
            row[identity] = name
        self._values[id_] = row
        self._rows.iris[id_] = name

    def _digest(self, node: Node) -> str:
        """A name for a blank node that is the same whenever the same is said of it."""
        told = sorted(f"{p} {o.n3() if not isinstance(o, BNode) else ''}"
                      for p, o in self._graph.predicate_objects(node))  # fmt: skip
        same = f"blank-{digest(' '.join(told))}"
        number = self._blank[same] = self._blank.get(same, 0) + 1
        return same if number == 1 else f"{same}-{number}"

    def _components(self, node: Node) -> None:
        predicates = self._predicates(self._models[node])[0]
        for iri, content in predicates.items():
            if content.kind != "Component" or content.interface is None:
                continue
            for part in ordered(self._graph, self._graph.objects(node, URIRef(iri))):
                address = component_address(self._addresses[node], content.name)
                if part in self._addresses or address in self._addresses.values():
                    message = f"has a second {content.name}, or one that another has"
                    self._refuse(node, "NOT_ALLOWED", message, URIRef(iri), part)
                    continue
                self._models[part] = self._ontology.interfaces[content.interface]
                self._addresses[part] = address
                self._values[self._addresses[node]][content.name] = {"$metadata": {}}

    # -- what is said of them -------------------------------------------------------------

    def _predicates(self, model: Interface) -> tuple[dict[str, Content], dict[str, Content]]:
        known = self._terms.get(model.id)
        if known is None:
            known = self._iris.predicates(model), self._iris.inverses(model)
            self._terms[model.id] = known
        return known

    def _describe(self, node: Node, address: str) -> None:
        graph = self._graph
        predicates = self._predicates(self._models[node])[0]
        for predicate in ordered(graph, graph.predicates(node, None)):
            if predicate in (RDF.type, TWIN_ID) or str(predicate) == IDENTITY:
                continue
            objects = ordered(graph, graph.objects(node, predicate))
            content = predicates.get(str(predicate))
            if content is None:
                self._turned(node, predicate, objects)
            elif content.kind == "Property":
                self._property(node, predicate, content, objects)
            elif content.kind == "Relationship":
                for one in objects:
                    self._relate(node, predicate, content, one)
            elif content.kind != "Component":
                for one in objects:
                    message = f"{content.name} is a {content.kind.lower()}, not a fact to import"
                    self._refuse(node, "NOT_ALLOWED", message, predicate, one)

    def _row_of(self, node: Node) -> Row:
        """Where the values of a twin or component stand."""
        owner, _, part = self._addresses[node].partition("/")
        row = self._values[owner]
        return row[part] if part else row

    def _property(self, node: Node, predicate: Node, content: Content, objects: list[Node]) -> None:
        row = self._row_of(node)
        assert content.schema is not None  # a property has one
        fields = self._iris.content_iri(content).fields
        values = []
        for one in objects:
            try:
                values.append((one, value_of(self._graph, one, content.schema, fields)))
            except NoValue as fault:
                self._refuse(node, "BAD_VALUE", str(fault), predicate, one)
        plain = all(not _is_json(one) for one, _ in values)
        if isinstance(content.schema, Array) and plain and values:
            row[content.name] = [value for _, several in values for value in several]
            return
        for one, value in values:
            if content.name not in row:
                row[content.name] = value
            elif row[content.name] != value:
                message = f"has more than one {content.name}; the first is kept"
                self._refuse(node, "DUPLICATE", message, predicate, one)

    def _turned(self, node: Node, predicate: Node, objects: list[Node]) -> None:
        """What is told from the other end: `P isFedBy Q` is `Q feeds P` where only that is
        modelled.
        """
        for one in objects:
            model = self._models.get(one)
            content = self._predicates(model)[1].get(str(predicate)) if model else None
            if content is not None:
                self._row(one, content, node)
                continue
            model_name = self._iris.class_iri(self._models[node].id)
            message = f"{model_name} has nothing that is called so"
            self._refuse(node, "UNKNOWN_NAME", message, predicate, one)

    def _relate(self, node: Node, predicate: Node, content: Content, target: Node) -> None:
        if (node, predicate, target) in self._stated:
            return  # the statement says it, and more
        if self._address(target) is None:
            message = "leads to nothing that is here, in this file or in the graph"
            self._refuse(node, "UNKNOWN_TWIN", message, predicate, target)
            return
        self._row(node, content, target)

    def _address(self, node: Node) -> str | None:
        known = self._addresses.get(node)
        if known is None and isinstance(node, URIRef):
            known = self._ids.known(str(node))
        return known

    def _row(self, source: Node, content: Content, target: Node, **more: Any) -> None:
        start, end = self._address(source), self._address(target)
        assert start is not None
        assert end is not None
        id_ = more.pop("id", None) or default_relationship_id(content.name, end)
        if (start, id_) in self._seen:
            return  # told from both ends
        self._seen.add((start, id_))
        self._rows.relationships.append(
            {
                "$relationshipId": id_, "$sourceId": start, "$targetId": end,
                "$relationshipName": content.name, **more.pop("properties", {}),
            }
        )  # fmt: skip

    # -- relationships with properties ----------------------------------------------------

    def _reified(self) -> None:
        graph = self._graph
        for one in ordered(graph, graph.subjects(RDF.type, RDF.Statement)):
            source, predicate = graph.value(one, RDF.subject), graph.value(one, RDF.predicate)
            target = graph.value(one, RDF.object)
            model = self._models.get(source) if source is not None else None
            content = self._predicates(model)[0].get(str(predicate)) if model else None
            known = target is not None and self._address(target) is not None
            if content is None or content.kind != "Relationship" or not known:
                message = "a statement about no relationship that is here"
                self._refuse(source or one, "UNKNOWN_RELATIONSHIP", message, predicate, target)
                continue
            assert source is not None
            assert target is not None
            id_ = str(graph.value(one, RELATIONSHIP_ID) or "")
            self._row(source, content, target, id=id_, properties=self._said(one, content))

    def _said(self, statement: Node, relationship: Content) -> Row:
        named = {c.id: c for c in relationship.properties.values()}
        found: Row = {}
        skipped = {RDF.type, RDF.subject, RDF.predicate, RDF.object, RELATIONSHIP_ID}
        for predicate, value in self._graph.predicate_objects(statement):
            content = named.get(str(predicate))
            if predicate in skipped:
                continue
            if content is None or content.schema is None:
                message = f"{relationship.name} has no property that is called so"
                self._refuse(statement, "UNKNOWN_NAME", message, predicate, value)
                continue
            try:
                found[content.name] = value_of(self._graph, value, content.schema, {})
            except NoValue as fault:
                self._refuse(statement, "BAD_VALUE", str(fault), predicate, value)
        return found

    # -- what is not taken ----------------------------------------------------------------

    def _untyped(self) -> None:
        """Things of which no type is told, and components whose twin was not taken."""
        graph = self._graph
        for node in ordered(graph, (s for s in graph.subjects() if isinstance(s, URIRef))):
            if node not in self._addresses and (node, RDF.type, None) not in graph:
                self._refuse(node, "UNKNOWN_NAME", "no type is told of it")
            elif node in self._inner and node not in self._addresses:
                self._refuse(node, "UNKNOWN_TWIN", "is a component of nothing that is here")

    def _refuse(
        self, node: Node, code: str, message: str, predicate: Any = None, value: Any = None
    ) -> None:
        subject = str(node) if isinstance(node, URIRef) else "a blank node"
        triple = " ".join(_shown(one) for one in (node, predicate, value) if one is not None)
        self._rows.refused.append(NotTaken(subject, code, message, triple))


def _statements(graph: Graph) -> set[tuple[Any, Any, Any]]:
    """The triples about which a statement says more."""
    return {
        (
            graph.value(one, RDF.subject),
            graph.value(one, RDF.predicate),
            graph.value(one, RDF.object),
        )
        for one in graph.subjects(RDF.type, RDF.Statement)
    }


def _is_json(term: Node) -> bool:
    return isinstance(term, Literal) and term.datatype == RDF.JSON


def _shown(term: Any) -> str:
    text = term.n3() if isinstance(term, URIRef | Literal) else f"<{term}>"
    return "[]" if isinstance(term, BNode) else text[:500]


def as_lines(rows: Rows) -> Iterator[bytes]:
    """The rows as an import file."""

    def line(value: Mapping[str, Any]) -> bytes:
        return orjson.dumps(value) + b"\n"

    yield line({"Section": "Header"})
    yield line({"fileVersion": "1.0.0", "author": "", "organization": ""})
    yield line({"Section": "Twins"})
    yield from map(line, rows.twins)
    yield line({"Section": "Relationships"})
    yield from map(line, rows.relationships)
