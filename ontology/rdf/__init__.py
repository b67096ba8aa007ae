"""Ontologies in RDF: OWL, SHACL and Brick classes to DTDL, and DTDL models to OWL and SHACL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rdflib import Graph

from twinfall.ontology.rdf.classes import Loss, read_classes
from twinfall.ontology.rdf.documents import Read, write_documents
from twinfall.ontology.rdf.fields import read_fields
from twinfall.ontology.rdf.placing import place
from twinfall.ontology.rdf.reading import Source, is_rdf, triples

__all__ = ["Loss", "Read", "Source", "is_rdf", "read_models", "read_triples", "triples"]

_NONE: Mapping[str, str] = MappingProxyType({})


def read_models(
    sources: Sequence[Source], *, known: Mapping[str, str] = _NONE, version: int = 1
) -> Read:
    """DTDL documents of the classes in these texts, which are read together.

    `known` has the DTMIs of classes that are loaded already, by IRI: they may be extended and led
    to. `version` is the number that the models get. Raises BadInput BAD_FILE and Refused TOO_LARGE
    for texts that cannot be read.
    """
    return read_triples(triples(sources), known=known, version=version)


def read_triples(graph: Graph, *, known: Mapping[str, str] = _NONE, version: int = 1) -> Read:
    """As `read_models`, of triples."""
    found = read_classes(graph)
    read_fields(graph, found)
    family = place(found, known)
    return write_documents(found, family, known, version)
