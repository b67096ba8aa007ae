"""Short ways to read RDF in tests."""

from __future__ import annotations

from twinfall.ontology import Ontology, parse
from twinfall.ontology.rdf import Read, Source, read_models

PREFIXES = """
@prefix ex: <https://example.org/plant#> .
@prefix other: <https://other.example/words#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def read(turtle: str, known: Ontology | None = None) -> Read:
    """What a Turtle text says, with the usual prefixes before it."""
    return read_models([Source("test.ttl", (PREFIXES + turtle).encode(), "turtle")], known=known)


def ontology(turtle: str) -> Ontology:
    """The same, as models."""
    return parse(read(turtle).documents)


def dtmi(name: str) -> str:
    """The DTMI of a class `ex:NAME`."""
    return f"dtmi:org:example:plant:{name};1"


def codes(read_: Read) -> set[str]:
    """The kinds of losses."""
    return {loss.code for loss in read_.losses}
