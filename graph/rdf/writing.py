"""Twins and relationships as RDF: what `read_rows` reads back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rdflib import RDF, XSD, BNode, Graph, Literal, URIRef

from twinfall.graph.rdf.identity import BASE, TwinIds, iri_of
from twinfall.graph.rdf.literals import term_of
from twinfall.ontology import Ontology
from twinfall.ontology.errors import Refused
from twinfall.ontology.model import Content, Interface
from twinfall.ontology.rdf.iris import Iris
from twinfall.ontology.rdf.vocabulary import RELATIONSHIP_ID, TWIN_ID

MAX_ROWS = 2_000_000
"""Twins and relationships in one export: a graph of triples stands in memory."""
Row = Mapping[str, Any]


def triples_of(rows: Iterable[tuple[str, Row]], ontology: Ontology, base: str = BASE) -> Graph:
    """The triples of an export's rows, each with its section. Raises Refused TOO_LARGE."""
    written = _Writer(ontology, base)
    edges: list[Row] = []
    for number, (section, row) in enumerate(rows):
        if number >= MAX_ROWS:
            raise Refused(f"more than {MAX_ROWS} rows for one RDF file", code="TOO_LARGE")
        if section == "Twins":
            written.twin(row)
        elif section == "Relationships":
            edges.append(row)
    several = Counter((e["$sourceId"], e["$relationshipName"], e["$targetId"]) for e in edges)
    for edge in edges:
        key = (edge["$sourceId"], edge["$relationshipName"], edge["$targetId"])
        written.relationship(edge, alone=several[key] == 1)
    return written.graph


class _Writer:
    """Collects triples."""

    def __init__(self, ontology: Ontology, base: str) -> None:
        self.graph = Graph()
        self._ontology = ontology
        self._iris = Iris.of(ontology)
        self._base = base
        self._nodes: dict[str, URIRef] = {}
        self._models: dict[str, Interface] = {}
        self._ids = TwinIds({}, {}, base)

    def twin(self, row: Row) -> None:
        """A twin with its components."""
        id_ = row["$dtId"]
        interface = self._ontology.interfaces[row["$metadata"]["$model"]]
        identity = self._iris.identity(interface)
        own = row.get(identity) if identity else None
        iri = own if isinstance(own, str) and _is_iri(own) else iri_of(id_, self._base)
        node = self._node(id_, iri, interface)
        if iri == own and self._ids.of(iri) != id_ and iri != iri_of(id_, self._base):
            self.graph.add((node, TWIN_ID, Literal(id_)))
        left_out = identity if iri == own else None
        for name, content in interface.contents.items():
            if name not in row or name == left_out:
                continue
            if content.kind == "Property":
                self._value(node, content, row[name])
            elif content.kind == "Component" and content.interface is not None:
                self._component(node, id_, content, row[name])

    def _node(self, address: str, iri: str, interface: Interface) -> URIRef:
        node = URIRef(iri)
        self._nodes[address], self._models[address] = node, interface
        self.graph.add((node, RDF.type, URIRef(self._iris.class_iri(interface.id))))
        return node

    def _component(self, owner: URIRef, id_: str, content: Content, values: Row) -> None:
        interface = self._ontology.interfaces[str(content.interface)]
        address = f"{id_}/{content.name}"
        node = self._node(address, f"{owner}/{content.name}", interface)
        self.graph.add((owner, URIRef(self._iris.content_iri(content).predicate), node))
        for name, part in interface.contents.items():
            if part.kind == "Property" and name in values:
                self._value(node, part, values[name])

    def _value(self, node: URIRef | BNode, content: Content, value: Any) -> None:
        assert content.schema is not None  # a property has one
        called = self._iris.content_iri(content)
        term = term_of(self.graph, value, content.schema, called.fields)
        self.graph.add((node, URIRef(called.predicate), term))

    def relationship(self, row: Row, *, alone: bool) -> None:
        """A relationship; a statement about it where a triple cannot say all."""
        source, target = row["$sourceId"], row["$targetId"]
        content = self._models[source].contents[row["$relationshipName"]]
        predicate = URIRef(self._iris.content_iri(content).predicate)
        start, end = self._nodes[source], self._nodes[target]
        self.graph.add((start, predicate, end))
        plain = row["$relationshipId"] == f"{content.name}:{target}"
        values = {name: value for name, value in row.items() if not name.startswith("$")}
        if plain and alone and not values:
            return
        statement = BNode()
        self.graph.add((statement, RDF.type, RDF.Statement))
        for word, node in ((RDF.subject, start), (RDF.predicate, predicate), (RDF.object, end)):
            self.graph.add((statement, word, node))
        if not plain:
            told = Literal(row["$relationshipId"], datatype=XSD.string)
            self.graph.add((statement, RELATIONSHIP_ID, told))
        for name, value in values.items():
            property_ = content.properties[name]
            assert property_.schema is not None  # a property has one
            term = term_of(self.graph, value, property_.schema, {})
            self.graph.add((statement, URIRef(property_.id), term))


def _is_iri(text: str) -> bool:
    return ":" in text and not any(mark in text for mark in ' <>"{}|\\^`\n\t\r')
