"""Values judged by schemas."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ontology.reference import one
from twinfall.ontology import Ontology
from twinfall.ontology.errors import UnknownName
from twinfall.ontology.model import Primitive, Schema
from twinfall.ontology.values import MAX_DEPTH

POINT = {"type": "Point", "coordinates": [24.9, 60.2]}
RING = [[0, 0], [1, 0], [1, 1], [0, 0]]


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    states = {
        "@type": "Enum", "@id": "dtmi:example:State;1", "valueSchema": "integer",
        "enumValues": [{"name": "off", "enumValue": 0}, {"name": "on", "enumValue": 1}],
    }  # fmt: skip
    reading = {
        "@type": "Object", "@id": "dtmi:example:Reading;1",
        "fields": [
            {"@type": ["Field", "Required"], "name": "value", "schema": "double"},
            {"name": "tags", "schema": {
                "@type": "Map", "mapKey": {"name": "k", "schema": "string"},
                "mapValue": {"name": "v", "schema": {"@type": "Array", "elementSchema": "byte"}}}},
        ],
    }  # fmt: skip
    context = ["dtmi:dtdl:context;4", "dtmi:dtdl:extension:requirement;1"]
    return one(**{"@context": context, "schemas": [states, reading]})


GOOD: dict[str, list[Any]] = {
    "boolean": [True, False],
    "byte": [-128, 127],
    "unsignedByte": [0, 255],
    "long": [-(2**63), 2**63 - 1],
    "unsignedLong": [2**64 - 1],
    "double": [1, 1.5, -1e308],
    "float": [3.4e38],
    "string": ["", "ä", "😀"],
    "date": ["2024-02-29"],
    "time": ["23:59:59.123456789Z", "00:00:00+14:00"],
    "dateTime": ["2026-11-23T06:30:00Z", "0001-01-01T00:00:00.5-00:00"],
    "duration": ["PT5S", "P1Y2M", "P2W4DT8H"],
    "decimal": ["12.50", "-0", "1."],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000"],
    "bytes": ["", "aGk="],
    "point": [POINT],
    "lineString": [{"type": "LineString", "coordinates": [[0, 0], [1, 1, 5]]}],
    "polygon": [{"type": "Polygon", "coordinates": [RING]}],
    "multiPolygon": [{"type": "MultiPolygon", "coordinates": [[RING]]}],
}
BAD: dict[str, list[Any]] = {
    "boolean": [1, "true", None],
    "byte": [128, -129, 1.0, True, "1", None],
    "unsignedByte": [-1, 256],
    "long": [2**63],
    "unsignedLong": [2**64, -1],
    "double": [True, "1", 10**400, float("inf"), float("nan"), None, []],
    "float": [3.5e38],
    "string": [1, None, "\ud800"],
    "date": ["2023-02-29", "2026-1-1", "20260101", "2026-11-23T00:00:00Z"],
    "time": ["24:00:00Z", "00:00:60Z", "06:00:00", "06:00Z", "06:00:00+25:00"],
    "dateTime": ["2026-11-23 06:30:00Z", "2026-11-23T06:30:00", "2026-13-01T00:00:00Z"],
    "duration": ["P", "PT", "5S", "P1Y3W", "PT5S9M"],
    "decimal": [12.5, "1e3", "01", ".5"],
    "uuid": ["123e4567"],
    "bytes": ["aGk", "a-_="],
    "point": [[1, 2], {"type": "Point"}, POINT | {"type": "Line"}, POINT | {"crs": "x"},
              {"type": "Point", "coordinates": ["1", 2]}, {"type": "Point", "coordinates": [1]}],
    "lineString": [{"type": "LineString", "coordinates": [[0, 0]]}],
    "polygon": [{"type": "Polygon", "coordinates": [RING[:3]]},
                {"type": "Polygon", "coordinates": [[*RING[:3], [9, 9]]]}],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in GOOD.items() for v in values])
def test_a_value_of_a_schema_is_accepted(ontology: Ontology, name: str, value: Any) -> None:
    assert ontology.check_value(Primitive(name), value) == []


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in BAD.items() for v in values])
def test_a_value_of_no_schema_is_refused(ontology: Ontology, name: str, value: Any) -> None:
    (problem,) = ontology.check_value(Primitive(name), value)
    assert problem.message


def reading(ontology: Ontology) -> Schema:
    return ontology.schemas["dtmi:example:Reading;1"]


def test_every_fault_of_a_structure_is_told_with_its_path(ontology: Ontology) -> None:
    value = {"vlue": 1, "tags": {"a/b": [1, "x"], "c": 5}}
    found = {p.path: p for p in ontology.check_value(reading(ontology), value)}
    assert set(found) == {"", "/vlue", "/tags/a~1b/1", "/tags/c"}
    assert found["/vlue"].cure == 'did you mean "value"?'
    assert found[""].code == "missingField"


def test_an_enumeration_is_checked_by_value(ontology: Ontology) -> None:
    schema = ontology.schemas["dtmi:example:State;1"]
    assert ontology.check_value(schema, 1) == []
    for bad in (True, 1.0, "1", 2):
        assert len(ontology.check_value(schema, bad)) == 1
    assert ontology.check_value(schema, "on")[0].cure == '"on" is written as 1'


def test_a_value_that_nests_too_deep_is_refused() -> None:
    tree = {
        "@type": "Array", "@id": "dtmi:example:Tree;1", "elementSchema": "dtmi:example:Tree;1",
    }  # fmt: skip
    ontology = one(**{"@context": "dtmi:dtdl:context;4", "schemas": [tree]})
    value: Any = []
    for _ in range(MAX_DEPTH + 5):
        value = [value]
    problems = ontology.check_value(ontology.schemas["dtmi:example:Tree;1"], value)
    assert [p.code for p in problems] == ["tooDeep"]


@pytest.mark.parametrize("text", ["", "$$", "{", '{"a": 1, "a": 2}', "NaN", "[1,]", '"\\ud800"'])
def test_a_text_that_is_no_json_is_no_instance(ontology: Ontology, text: str) -> None:
    assert ontology.check_instance("dtmi:dtdl:instance:Schema:string;2", text)


def test_an_instance_of_what_is_no_schema_is_an_error(ontology: Ontology) -> None:
    with pytest.raises(UnknownName):
        ontology.check_instance("dtmi:example:Pump;1", "1")
