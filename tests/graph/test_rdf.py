"""Twins in RDF: in, out and back, and what does not fit is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ontology.rdf.reading import PREFIXES, read
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import export_rows
from twinfall.graph.rdf import NotTaken, export_rdf, import_rdf
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput
from twinfall.ontology.errors import BadInput
from twinfall.ontology.rdf import Source

FORMATS = {"turtle": "turtle", "jsonld": "json-ld", "ntriples": "nt"}
CLASSES = """
ex:Asset a owl:Class .
ex:Pump a owl:Class, sh:NodeShape ; rdfs:subClassOf ex:Asset ;
  sh:property [ sh:path ex:flow ; sh:datatype xsd:double ; sh:maxCount 1 ] ,
    [ sh:path ex:size ; sh:node ex:Quantity ; sh:maxCount 1 ] .
ex:Quantity a sh:NodeShape ; sh:property [ sh:path ex:value ; sh:datatype xsd:double ] ,
    [ sh:path ex:unit ; sh:in ( ex:metre ex:foot ) ] .
ex:Tank a owl:Class ; rdfs:subClassOf ex:Asset .
ex:feeds a owl:ObjectProperty ; rdfs:domain ex:Pump ; rdfs:range ex:Tank ;
  owl:inverseOf ex:isFedBy ; owl:equivalentProperty other:supplies .
"""
THINGS = """
ex:P1 a ex:Pump ; rdfs:label "Pump one" ; ex:flow 2.5 ; ex:feeds ex:T1 ;
  ex:size [ ex:value 3 ; ex:unit ex:metre ] .
ex:P2 a ex:Pump ; other:supplies ex:T1 .
ex:T1 a ex:Tank .
ex:T2 a ex:Tank ; ex:isFedBy ex:P2 .
"""


@pytest.fixture
def graph() -> Iterator[Graph]:
    with _graph(read(CLASSES).documents) as made:
        yield made


@contextmanager
def _graph(documents: Sequence[Any]) -> Iterator[Graph]:
    store = SQLiteStore(":memory:")
    made = Graph(store)
    made.load_models(documents)
    yield made
    store.close()


def _take(graph: Graph, turtle: str) -> list[NotTaken]:
    refused: list[NotTaken] = []
    source = Source("things.ttl", (PREFIXES + turtle).encode(), "turtle")
    report = import_rdf(graph, [source], refuse=refused.append)
    assert report.refused == len(refused)
    return refused


def _rows(graph: Graph) -> dict[str, dict[str, Any]]:
    rows = (json.loads(line) for line in export_rows(graph))
    return {row["$dtId"]: row for row in rows if "$dtId" in row}


def _edges(graph: Graph) -> set[tuple[str, str, str]]:
    rows = [json.loads(line) for line in export_rows(graph)]
    return {
        (row["$sourceId"], row["$relationshipName"], row["$targetId"])
        for row in rows if "$sourceId" in row
    }  # fmt: skip


def test_things_become_twins_that_keep_their_iri(graph: Graph) -> None:
    assert _take(graph, THINGS) == []
    pump = _rows(graph)["P1"]
    assert pump["iri"] == "https://example.org/plant#P1"
    assert (pump["label"], pump["flow"]) == ("Pump one", 2.5)
    assert pump["size"] == {"value": 3, "unit": "https://example.org/plant#metre"}


def test_inverse_and_equivalent_predicates_are_the_modelled_relationship(graph: Graph) -> None:
    _take(graph, THINGS)
    assert _edges(graph) == {
        ("P1", "feeds", "T1"), ("P2", "feeds", "T1"), ("P2", "feeds", "T2"),
    }  # fmt: skip


def test_importing_again_changes_nothing(graph: Graph) -> None:
    _take(graph, THINGS)
    before = graph.cursor()
    assert _take(graph, THINGS) == []
    assert graph.cursor() == before


def test_things_of_one_last_word_get_different_ids_each_time_the_same(graph: Graph) -> None:
    _take(graph, "ex:P1 a ex:Pump .")
    _take(graph, "other:P1 a ex:Pump ; ex:flow 1.0 . ex:P1 a ex:Pump ; ex:flow 2.0 .")
    flows = {row["iri"]: row["flow"] for row in _rows(graph).values()}
    assert flows == {
        "https://other.example/words#P1": 1.0, "https://example.org/plant#P1": 2.0
    }  # fmt: skip


@pytest.mark.parametrize(
    ("turtle", "code", "said"),
    [
        ("ex:X a ex:Nowhere .", "UNKNOWN_NAME", "Nowhere"),
        ("ex:X ex:flow 3.0 .", "UNKNOWN_NAME", "no type"),
        ("ex:X a ex:Pump, ex:Tank .", "NOT_ALLOWED", "several models"),
        ("ex:X a ex:Pump ; ex:colour 'red' .", "UNKNOWN_NAME", "called so"),
        ("ex:X a ex:Pump ; ex:flow 'much' .", "BAD_VALUE", "much"),
        ("ex:X a ex:Pump ; ex:flow 'INF'^^xsd:double .", "BAD_VALUE", "finite"),
        ("ex:X a ex:Pump ; ex:flow 1.0, 2.0 .", "DUPLICATE", "more than one"),
        ("ex:X a ex:Pump ; ex:size [ ex:weight 3 ] .", "BAD_VALUE", "no field"),
        ("ex:X a ex:Pump ; ex:size [ ex:unit ex:mile ] .", "BAD_VALUE", "unit"),
        ("ex:X a ex:Pump ; ex:size ex:X .", "BAD_VALUE", "blank node"),
        ("ex:X a ex:Pump ; ex:feeds ex:Gone .", "UNKNOWN_TWIN", "nothing that is here"),
        ("ex:X a ex:Pump ; ex:feeds ex:Y . ex:Y a ex:Pump .", "NOT_ALLOWED", "Tank"),
    ],
)
def test_what_cannot_be_taken_is_told_of_its_subject(
    graph: Graph, turtle: str, code: str, said: str
) -> None:
    refused = _take(graph, turtle + " ex:good a ex:Tank .")
    assert [(one.code, one.subject) for one in refused] == [(code, "https://example.org/plant#X")]
    assert said in refused[0].message
    assert "good" in _rows(graph)


def test_an_unknown_format_is_refused(graph: Graph) -> None:
    with pytest.raises(BadInput, match="not written as"):
        export_rdf(graph, "rdfxml")


# -- models that know nothing of RDF -----------------------------------------------------------

_CONTENTS = [
    *({"@type": "Property", "name": name, "schema": name} for name in (
        "double", "long", "boolean", "string", "dateTime", "duration", "decimal", "uuid",
    )),
    {"@type": "Property", "name": "list",
     "schema": {"@type": "Array", "elementSchema": "string"}},
    {"@type": "Property", "name": "map", "schema": {
        "@type": "Map", "mapKey": {"name": "k", "schema": "string"},
        "mapValue": {"name": "v", "schema": "double"},
    }},
    {"@type": "Component", "name": "motor", "schema": "dtmi:law:Motor;1"},
    {"@type": "Relationship", "name": "near",
     "properties": [{"@type": "Property", "name": "metres", "schema": "double"}]},
]  # fmt: skip
DTDL = [
    {"@context": "dtmi:dtdl:context;4", "@id": "dtmi:law:Motor;1", "@type": "Interface",
     "contents": [{"@type": "Property", "name": "power", "schema": "double"}]},
    {"@context": "dtmi:dtdl:context;4", "@id": "dtmi:law:Thing;1", "@type": "Interface",
     "contents": _CONTENTS},
]  # fmt: skip
_text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
_real = st.floats(allow_nan=False, allow_infinity=False)
_VALUES = st.fixed_dictionaries({}, optional={
    "double": _real,
    "long": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "string": _text,
    "dateTime": st.sampled_from(["2026-11-23T06:30:00Z", "2026-11-23T06:30:00.123456789Z"]),
    "duration": st.sampled_from(["PT36H", "P1DT12H", "P2W", "P1Y"]),
    "decimal": st.sampled_from(["1.50", "-0.001", "12345678901234567890.5"]),
    "uuid": st.just("123e4567-e89b-12d3-a456-426614174000"),
    "list": st.lists(_text, max_size=3),
    "map": st.dictionaries(st.text("abcXYZ", min_size=1), _real, max_size=2),
    "motor": st.fixed_dictionaries({}, optional={"power": _real}),
})  # fmt: skip
_ID = st.text("ABab01-.+%_#*?!(),=@$'", min_size=1, max_size=8)


@pytest.mark.parametrize("format_", sorted(FORMATS))
@settings(max_examples=25, deadline=None)
@given(
    twins=st.dictionaries(_ID, _VALUES, min_size=1, max_size=4),
    ends=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([None, 1.5]),
                            st.sampled_from(["", "a", "b:/c"])), max_size=4),
)  # fmt: skip
def test_twins_come_back_as_they_were(
    format_: str, twins: dict[str, Any], ends: list[tuple[int, int, float | None, str]]
) -> None:
    ids = sorted(twins)
    with _graph(DTDL) as before, _graph(DTDL) as after:
        before.write_twins([TwinInput(id_, "dtmi:law:Thing;1", v) for id_, v in twins.items()])
        for start, end, metres, id_ in ends:
            properties = {} if metres is None else {"metres": metres}
            source, target = ids[start % len(ids)], ids[end % len(ids)]
            row = RelationshipInput(source, "near", target, id_ or None, properties)
            before.write_relationships([row])

        text = export_rdf(before, format_)
        refused: list[NotTaken] = []
        import_rdf(after, [Source("x", text.encode(), FORMATS[format_])], refuse=refused.append)

        assert refused == []
        assert _content(after) == _content(before)


def _content(graph: Graph) -> list[Any]:
    rows = [json.loads(line) for line in export_rows(graph)]
    return [{key: value for key, value in row.items() if key != "$etag"} for row in rows]


def test_a_component_whose_twin_is_not_taken_is_told() -> None:
    with _graph(DTDL) as graph:
        refused = _take(
            graph,
            """
ex:a a ex:Unknown ; <dtmi:law:Thing:_contents:__motor;1> ex:motor .
ex:motor a <dtmi:law:Motor;1> ; <dtmi:law:Motor:_contents:__power;1> 3.0 .
""",
        )
    assert {one.subject.rpartition("#")[2] for one in refused} == {"a", "motor"}


def test_things_of_models_without_a_place_for_iris_have_them_as_ids() -> None:
    with _graph(DTDL) as graph:
        assert _take(graph, "<https://example.org/a/1> a <dtmi:law:Thing;1> .") == []
        assert list(_rows(graph)) == ["https%3A%2F%2Fexample.org%2Fa%2F1"]
        assert "<https://example.org/a/1>" in export_rdf(graph, "turtle")
