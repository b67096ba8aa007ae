"""Models as OWL and as SHACL: what `read_models` reads back.

What RDF has no word for (kinds, units, writing, structured schemas, payloads) stands beside it
under DTDL's own words; other tools pass over that. `lost` tells the rest.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from rdflib import OWL, RDF, RDFS, XSD, BNode, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

from twinfall.ontology.model import Content, Enum, Interface, Primitive, Schema
from twinfall.ontology.ontology import Ontology
from twinfall.ontology.rdf import vocabulary as words
from twinfall.ontology.rdf.classes import Loss
from twinfall.ontology.rdf.iris import ContentIri, Iris
from twinfall.ontology.rdf.vocabulary import SH
from twinfall.ontology.writing import element_json

_DATA = ("Property", "Telemetry")
_KEPT = ("quantitativeTypes", "dtmi:standard:", "dtmi:twinfall:rdf:")
"""Extensions whose types are carried over; the others are lost."""
_FLAT = frozenset({"Interface", "Property", "Telemetry", "Relationship", "Component", "Command"})


def to_owl(ontology: Ontology) -> Graph:
    """OWL classes and properties; ranges and counts of a class as restrictions of it."""
    return _Owl(ontology).written()


def to_shacl(ontology: Ontology) -> Graph:
    """Classes that are node shapes, with a property shape for each content."""
    return _Shacl(ontology).written()


def lost(ontology: Ontology) -> list[Loss]:
    """What neither carries over, by element."""
    found = set()
    for id_ in ontology.elements:
        if id_.startswith(("dtmi:dtdl:", "dtmi:standard:")):
            continue
        element = ontology.elements[id_]
        for type_ in element["supplementalTypes"]:
            if not any(kept in type_ for kept in _KEPT) and element["type"] in _FLAT:
                found.add(Loss("extension", id_, f"is a {type_.rsplit(':', 1)[-1]}: not carried"))
        if element["type"] in _FLAT and element["properties"].get("comment"):
            found.add(Loss("comment", id_, "has a comment for authors, which is not carried"))
        if element["type"] == "Interface" and element["properties"].get("schemas"):
            found.add(Loss("schemas", id_, "names schemas: they stand where they are used"))
    return sorted(found | _several_words(ontology))


def _several_words(ontology: Ontology) -> set[Loss]:
    """Predicates that classes describe differently: in OWL they stand at the predicate, once."""
    iris = Iris.of(ontology)
    said: dict[str, set[str]] = defaultdict(set)
    for dtmi, interface in ontology.interfaces.items():
        for content in interface.contents.values():
            if content.declared_in == dtmi:
                told = (
                    f"{sorted(content.display_name.items())}{sorted(content.description.items())}"
                )
                said[iris.content_iri(content).predicate].add(told)
    return {
        Loss("words", predicate, "has other words in other classes: OWL has them mixed")
        for predicate, told in said.items() if len(told) > 1
    }  # fmt: skip


class _Writer:
    """What both have in common: classes, their words, and what stands under DTDL's own."""

    def __init__(self, ontology: Ontology) -> None:
        self.graph = Graph()
        self.ontology = ontology
        self.iris = Iris.of(ontology)
        self.graph.bind("dtdl", "dtmi:dtdl:property:")
        self.graph.bind("sh", str(SH))
        self.graph.bind("skos", words.SKOS_IRI)

    def written(self) -> Graph:
        """All models."""
        for dtmi, interface in sorted(self.ontology.interfaces.items()):
            if dtmi == words.RESOURCE:
                continue
            node = self.class_node(dtmi)
            self._class(node, interface)
            for content in interface.contents.values():
                if content.declared_in == dtmi:
                    self.content(node, content)
        return self.graph

    def class_node(self, dtmi: str) -> URIRef:
        """The IRI of a model."""
        return URIRef(self.iris.class_iri(dtmi))

    def _class(self, node: URIRef, interface: Interface) -> None:
        add = self.graph.add
        add((node, RDF.type, OWL.Class))
        for parent in interface.extends:
            if parent != words.RESOURCE:
                add((node, RDFS.subClassOf, self.class_node(parent)))
        native = self.iris.class_iri(interface.id) == interface.id
        if native:
            version = Literal(str(interface.dtdl_version), datatype=XSD.int, normalize=False)
            add((node, words.VERSION, version))
        self.texts(node, interface, RDFS.label, RDFS.comment)

    def texts(self, node: Node, said: Interface | Content, label: URIRef, comment: URIRef) -> None:
        """Display names and descriptions, each in its language."""
        for predicate, texts in ((label, said.display_name), (comment, said.description)):
            for language, text in texts.items():
                self.graph.add((node, predicate, Literal(text, lang=language)))

    def content(self, owner: URIRef, content: Content) -> None:
        """One content of a class; either language has its own."""
        raise NotImplementedError

    def predicate(self, content: Content) -> tuple[URIRef, ContentIri]:
        """The predicate of a content, with what it is known to be the same as, or the inverse."""
        called = self.iris.content_iri(content)
        node = URIRef(called.predicate)
        kind = OWL.DatatypeProperty if content.kind in _DATA else OWL.ObjectProperty
        if content.kind != "Command":
            self.graph.add((node, RDF.type, kind))
        for same in called.same:
            self.graph.add((node, OWL.equivalentProperty, URIRef(same)))
        if called.inverse:
            self.graph.add((node, OWL.inverseOf, URIRef(called.inverse)))
        return node, called

    def beside(self, node: Node, content: Content) -> None:
        """What only DTDL says."""
        add = self.graph.add
        add((node, words.NAME, Literal(content.name)))
        if content.kind in words.KINDS:
            add((node, RDF.type, words.KINDS[content.kind]))
        if content.writable:
            add((node, words.WRITABLE, Literal("true", datatype=XSD.boolean, normalize=False)))
        for word, text in (
            (words.UNIT, content.unit),
            (words.SEMANTIC_TYPE, content.semantic_type),
        ):
            if text is not None:
                add((node, word, Literal(text)))
        for word, value in self._json(content):
            text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            add((node, word, Literal(text, datatype=RDF.JSON, normalize=False)))

    def _json(self, content: Content) -> Iterator[tuple[URIRef, object]]:
        properties = self.ontology.elements[content.id]["properties"]
        if content.kind in _DATA and not _says(content.schema):
            yield words.SCHEMA, element_json(self.ontology, properties["schema"])
        if content.properties:
            values = [element_json(self.ontology, p.id) for p in content.properties.values()]
            yield words.PROPERTIES, values
        for word, member in ((words.REQUEST, "request"), (words.RESPONSE, "response")):
            if properties.get(member):
                yield word, element_json(self.ontology, properties[member])

    def datatype(self, schema: Schema | None) -> URIRef:
        """The datatype of a schema's literals."""
        if isinstance(schema, Primitive):
            return words.DATATYPES.get(schema.name, XSD.string if _is_text(schema) else RDF.JSON)
        if isinstance(schema, Enum):
            return XSD.int if schema.value_schema == "integer" else XSD.string
        return RDF.JSON

    def values(self, schema: Enum) -> Node:
        """The values of an enumeration as a list."""
        head = BNode()
        kind = self.datatype(schema)
        plain = kind == XSD.string
        Collection(
            self.graph,
            head,
            [
                Literal(str(one.value)) if plain
                else Literal(str(one.value), datatype=kind, normalize=False)
                for one in schema.values
            ],
        )  # fmt: skip
        return head


class _Owl(_Writer):
    """Domains as unions of classes, and restrictions of each class."""

    def __init__(self, ontology: Ontology) -> None:
        super().__init__(ontology)
        self._domains: Mapping[URIRef, list[URIRef]] = defaultdict(list)

    def written(self) -> Graph:
        graph = super().written()
        for predicate, owners in sorted(self._domains.items()):
            if len(owners) == 1:
                graph.add((predicate, RDFS.domain, owners[0]))
                continue
            head, union = BNode(), BNode()
            Collection(graph, head, [*sorted(owners)])
            graph.add((union, RDF.type, OWL.Class))
            graph.add((union, OWL.unionOf, head))
            graph.add((predicate, RDFS.domain, union))
        return graph

    def content(self, owner: URIRef, content: Content) -> None:
        node, called = self.predicate(content)
        self._domains[node].append(owner)
        own = called.predicate == content.id
        self.beside(node, content)
        self.texts(node, content, RDFS.label, RDFS.comment)
        if content.kind == "Command":
            return
        place: Node = node
        if not own:
            place = self._restriction(owner, node)
        range_ = self._range(content)
        if range_ is not None:
            self.graph.add((place, RDFS.range if own else OWL.allValuesFrom, range_))
        if content.kind in _DATA:
            self.graph.add((node, RDF.type, OWL.FunctionalProperty))
        elif content.max_multiplicity is not None:
            limited = self._restriction(owner, node) if own else place
            most = str(content.max_multiplicity)
            count = Literal(most, datatype=XSD.nonNegativeInteger, normalize=False)
            self.graph.add((limited, OWL.maxCardinality, count))

    def _restriction(self, owner: URIRef, predicate: URIRef) -> BNode:
        node = BNode()
        self.graph.add((node, RDF.type, OWL.Restriction))
        self.graph.add((node, OWL.onProperty, predicate))
        self.graph.add((owner, RDFS.subClassOf, node))
        return node

    def _range(self, content: Content) -> Node | None:
        if content.kind in _DATA:
            if not isinstance(content.schema, Enum):
                return self.datatype(content.schema)
            node = BNode()
            self.graph.add((node, RDF.type, RDFS.Datatype))
            self.graph.add((node, OWL.oneOf, self.values(content.schema)))
            return node
        target = content.interface if content.kind == "Component" else content.target
        return None if target is None else self.class_node(target)


class _Shacl(_Writer):
    """A property shape for each content."""

    def content(self, owner: URIRef, content: Content) -> None:
        node, _ = self.predicate(content)
        self.graph.add((owner, RDF.type, SH.NodeShape))
        if content.kind == "Command":
            self.graph.add((node, RDFS.domain, owner))
            self.beside(node, content)
            self.texts(node, content, RDFS.label, RDFS.comment)
            return
        shape = BNode()
        add = self.graph.add
        add((owner, SH.property, shape))
        add((shape, RDF.type, SH.PropertyShape))
        add((shape, SH.path, node))
        self.beside(shape, content)
        self.texts(shape, content, SH.name, SH.description)
        most = 1 if content.kind in (*_DATA, "Component") else content.max_multiplicity
        if most is not None:
            add((shape, SH.maxCount, Literal(str(most), datatype=XSD.integer, normalize=False)))
        if content.kind in _DATA:
            add((shape, SH.datatype, self.datatype(content.schema)))
            if isinstance(content.schema, Enum):
                add((shape, SH["in"], self.values(content.schema)))
            return
        target = content.interface if content.kind == "Component" else content.target
        if target is not None:
            add((shape, SH["class"], self.class_node(target)))
        add((shape, SH.nodeKind, SH.IRI))


def _says(schema: Schema | None) -> bool:
    """Whether the datatype alone says the schema."""
    return isinstance(schema, Primitive) and schema.name in words.DATATYPES


def _is_text(schema: Primitive) -> bool:
    return schema.name == "uuid"


WRITERS: Mapping[str, tuple[str, str, Callable[[Ontology], Graph]]] = {
    "owl": ("models.owl.ttl", "turtle", to_owl),
    "shacl": ("models.shacl.ttl", "turtle", to_shacl),
    "jsonld": ("models.jsonld", "json-ld", to_shacl),
}
"""Formats of `twinfall model export`: the file, rdflib's name, the triples."""


def files(ontology: Ontology, format_: str) -> Iterator[tuple[str, str]]:
    """The file of a format with its text, and `losses.txt` where something is lost."""
    name, form, triples = WRITERS[format_]
    yield name, triples(ontology).serialize(format=form)
    if losses := lost(ontology):
        yield "losses.txt", "".join(f"{one.subject} {one.message}\n" for one in losses)
