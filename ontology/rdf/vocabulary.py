"""Words of RDF that are read and written, and how XSD datatypes and DTDL schemas correspond."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rdflib import OWL, RDF, RDFS, SKOS, XSD, Namespace, URIRef

SH = Namespace("http://www.w3.org/ns/shacl#")
BRICK = Namespace("https://brickschema.org/schema/Brick#")
SKOS_IRI = str(SKOS)
DTDL = "dtmi:dtdl:"
"""Words of DTDL as IRIs, without their version, as RealEstateCore writes them into its SHACL."""

IDENTITY = "dtmi:twinfall:rdf:v1:identity"
"""The predicate of the property that holds a twin's own IRI."""
RESOURCE = "dtmi:twinfall:rdf:Resource;1"
"""The interface that brings this property: what all classes that are read extend."""

NAME = URIRef("dtmi:dtdl:property:name")
WRITABLE = URIRef("dtmi:dtdl:property:writable")
UNIT = URIRef("dtmi:dtdl:property:unit")
SEMANTIC_TYPE = URIRef("dtmi:dtdl:property:semanticType")
SCHEMA = URIRef("dtmi:dtdl:property:schema")
PROPERTIES = URIRef("dtmi:dtdl:property:properties")
REQUEST = URIRef("dtmi:dtdl:property:request")
RESPONSE = URIRef("dtmi:dtdl:property:response")
RELATIONSHIP_ID = URIRef("dtmi:dtdl:property:relationshipId")
TWIN_ID = URIRef("dtmi:twinfall:rdf:v1:twinId")
VERSION = URIRef("dtmi:dtdl:property:languageVersion")
KINDS: Mapping[str, URIRef] = MappingProxyType(
    {kind: URIRef(f"{DTDL}class:{kind}") for kind in ("Telemetry", "Component", "Command")}
)
"""Marks of the kinds that RDF does not tell from properties and relationships."""

CLASSES = (OWL.Class, RDFS.Class)
BUILT_IN = (str(RDF), str(RDFS), str(OWL), str(SH), str(XSD), str(SKOS))
"""Namespaces of the languages themselves: their terms are no models."""
TOP = frozenset({OWL.Thing, RDFS.Resource, RDFS.Class, OWL.Class})

SCHEMAS: Mapping[URIRef, str] = MappingProxyType(
    {
        XSD.string: "string",
        XSD.boolean: "boolean",
        XSD.double: "double",
        XSD.float: "float",
        XSD.decimal: "decimal",
        XSD.long: "long",
        XSD.int: "integer",
        XSD.short: "short",
        XSD.byte: "byte",
        XSD.unsignedLong: "unsignedLong",
        XSD.unsignedInt: "unsignedInteger",
        XSD.unsignedShort: "unsignedShort",
        XSD.unsignedByte: "unsignedByte",
        XSD.date: "date",
        XSD.dateTime: "dateTime",
        XSD.time: "time",
        XSD.duration: "duration",
        XSD.base64Binary: "bytes",
    }
)
"""Datatypes that mean the same; these are written, too."""
NEAR: Mapping[URIRef, str] = MappingProxyType(
    {
        XSD.integer: "long",
        XSD.nonNegativeInteger: "unsignedLong",
        XSD.positiveInteger: "unsignedLong",
        XSD.negativeInteger: "long",
        XSD.nonPositiveInteger: "long",
        XSD.dateTimeStamp: "dateTime",
        XSD.dayTimeDuration: "duration",
        XSD.yearMonthDuration: "duration",
        XSD.anyURI: "string",
        XSD.normalizedString: "string",
        XSD.token: "string",
        RDF.langString: "string",
        RDFS.Literal: "string",
    }
)
"""Datatypes that DTDL says more or less narrowly."""
DATATYPES: Mapping[str, URIRef] = MappingProxyType({name: iri for iri, name in SCHEMAS.items()})
NUMBERS = ("byte", "short", "integer", "long", "float", "double")
"""From narrow to wide; other numbers are `double` where they are mixed."""


def is_built_in(iri: str) -> bool:
    """Whether a term belongs to RDF, RDFS, OWL, SHACL, XSD or SKOS."""
    return iri.startswith(BUILT_IN)


def schema_of(datatype: URIRef) -> tuple[str, str]:
    """The DTDL schema of a datatype, and what is lost by it ("" where nothing is)."""
    if datatype in SCHEMAS:
        return SCHEMAS[datatype], ""
    short = datatype.rsplit("#", 1)[-1]
    if datatype in NEAR:
        return NEAR[datatype], f"{short} is kept as {NEAR[datatype]}"
    return "string", f"{short} is kept as string"
