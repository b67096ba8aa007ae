"""Ontologies in RDF: OWL, SHACL and Brick classes to DTDL, and DTDL models to OWL and SHACL."""

from __future__ import annotations

from collections.abc import Sequence

from rdflib import Graph

from twinfall.ontology.errors import BadInput
from twinfall.ontology.ontology import Ontology
from twinfall.ontology.rdf.classes import Loss, read_classes
from twinfall.ontology.rdf.documents import Read, write_documents
from twinfall.ontology.rdf.fields import read_fields
from twinfall.ontology.rdf.iris import Iris
from twinfall.ontology.rdf.placing import place
from twinfall.ontology.rdf.reading import Source, is_rdf, triples

__all__ = ["Loss", "Read", "Source", "is_rdf", "read_models", "read_triples", "triples"]

MAX_VERSION = 10**9
"""Of a model, as DTMIs are written."""


def read_models(
    sources: Sequence[Source], *, known: Ontology | None = None, version: int = 1
) -> Read:
    """DTDL documents of the classes in these texts, which are read together.

    `known` are models that are loaded already: they may be extended and led to. `version` is the
    number that the models get. Raises BadInput BAD_FILE and Refused TOO_LARGE for texts that cannot
    be read.
    """
    return read_triples(triples(sources), known=known, version=version)


def read_triples(graph: Graph, *, known: Ontology | None = None, version: int = 1) -> Read:
    """As `read_models`, of triples."""
    if not 1 <= version < MAX_VERSION:
        raise BadInput(f"{version} is no version of a model", cure="it is a number from 1")
    iris = Iris.of(known) if known is not None else Iris({}, {}, {})
    has = {
        iri: frozenset(iris.predicates(known.interfaces[dtmi]) if known else ())
        for iri, dtmi in iris.classes.items()
    }
    found = read_classes(graph)
    read_fields(graph, found)
    family = place(found, has)
    return write_documents(found, family, iris.classes, version)
