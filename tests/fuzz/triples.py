"""Targets: classes in RDF, whose DTDL must hold together, and twins in RDF. The first byte chooses
the format.
"""

from __future__ import annotations

from tests.fuzz.law import Target
from tests.fuzz.telling import Filled
from twinfall.graph.rdf import export_rdf, import_rdf
from twinfall.ontology import parse
from twinfall.ontology.errors import ModelIncomplete, ModelInvalid
from twinfall.ontology.rdf import Source, read_models

_FORMATS = {b"t": "turtle", b"n": "nt", b"j": "json-ld"}
_PREFIXES = b"""t@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix ex: <http://example.org/plant#> .
"""
_SEEDS = (
    _PREFIXES
    + b"""ex:Pump a owl:Class ; rdfs:subClassOf ex:Asset ; rdfs:label "Pump"@en, "Pumpe"@de .
ex:Asset a owl:Class ; rdfs:comment "Anything." .
ex:feeds a owl:ObjectProperty ; rdfs:domain ex:Pump ; rdfs:range ex:Asset .
ex:flow a owl:DatatypeProperty ; rdfs:domain ex:Pump ; rdfs:range xsd:double .
ex:state a owl:DatatypeProperty, owl:FunctionalProperty ; rdfs:domain ex:Pump ;
  rdfs:range [ a rdfs:Datatype ; owl:oneOf ( "on" "off" ) ] .
""",
    _PREFIXES
    + b"""ex:Tank a owl:Class, sh:NodeShape ;
  sh:property [ sh:path ex:level ; sh:datatype xsd:double ; sh:maxCount 1 ; sh:name "level" ] ,
    [ sh:path ex:next ; sh:class ex:Tank ; sh:maxCount 2 ] ,
    [ sh:path ex:mode ; sh:in ( 1 2 3 ) ; sh:minCount 1 ] ,
    [ sh:path ex:at ; sh:node [ sh:property [ sh:path ex:x ; sh:datatype xsd:integer ] ] ] .
ex:Big a owl:Class ; rdfs:subClassOf ex:Tank, [ a owl:Restriction ; owl:onProperty ex:next ;
  owl:allValuesFrom ex:Big ] ; owl:deprecated true .
""",
    b"n<http://e/A> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> "
    b"<http://www.w3.org/2002/07/owl#Class> .\n<http://e/A> "
    b'<http://www.w3.org/2000/01/rdf-schema#label> "a\\u00e9" .\n',
    b'j{"@context": {"owl": "http://www.w3.org/2002/07/owl#", "rdfs": '
    b'"http://www.w3.org/2000/01/rdf-schema#"}, "@graph": [{"@id": "http://e/A", "@type": '
    b'"owl:Class", "rdfs:subClassOf": {"@id": "http://e/B"}, "rdfs:label": {"@value": "x", '
    b'"@language": "en"}}, {"@id": "http://e/B", "@type": "owl:Class"}]}',
)
_WORDS = (
    "a", "owl:Class", "owl:unionOf", "owl:oneOf", "owl:onProperty", "owl:Restriction",
    "owl:someValuesFrom", "owl:maxCardinality", "owl:equivalentClass", "owl:inverseOf",
    "rdfs:subClassOf", "rdfs:subPropertyOf", "rdfs:domain", "rdfs:range", "sh:path", "sh:in",
    "sh:or", "sh:node", "sh:class", "sh:datatype", "sh:minCount", "sh:maxCount", "xsd:dateTime",
    "xsd:integer", "ex:Pump", "ex:Asset", "ex:-1", "<http://e/%zz>", "<>", "_:b", "[]", "( )",
    '"x"@en', '"1"^^xsd:integer', '"""', ".", ";", ",", "@base <http://b/> .", "PREFIX", "true",
    "@context", "@graph", "@id", "@type", "@reverse", "@list", "@set", "@language", "@import",
    "\\u0000", "\\U0010FFFF", "owl:Thing", "rdfs:Resource", "brick:Point",
)  # fmt: skip


def classes() -> Target:
    """Refused, or documents that are DTDL."""

    def take(data: bytes) -> None:
        format_ = _FORMATS.get(data[:1], "turtle")
        read = read_models([Source("classes", data[1:], format_)])
        try:
            parse(read.documents)
        except (ModelInvalid, ModelIncomplete) as error:
            raise AssertionError(str(error)) from error

    return Target("rdf", take, lambda: list(_SEEDS), _WORDS)


def twins() -> Target:
    """Twins and relationships into the plant, and out again."""
    filled = Filled()

    def take(data: bytes) -> None:
        graph = filled.plant.graph
        try:
            import_rdf(graph, [Source("twins", data[1:], _FORMATS.get(data[:1], "turtle"))])
            export_rdf(graph, "turtle")
        finally:
            filled.restore()

    def begin() -> list[bytes]:
        formats = {b"t": "turtle", b"n": "ntriples", b"j": "jsonld"}
        graph = filled.plant.graph
        return [mark + export_rdf(graph, name).encode() for mark, name in formats.items()]

    return Target("rdf-twins", take, begin, _WORDS, lambda: filled.plant.close())
