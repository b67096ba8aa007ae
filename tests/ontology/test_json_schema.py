"""JSON Schema: it takes what a check of ours takes, as far as it can say so."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from benchmarks.conformance import FOLDER, cases, run
from tests.ontology.reference import interface, needs_reference_data, one, texts
from twinfall.ontology import Ontology, parse
from twinfall.ontology.durations import DURATION
from twinfall.ontology.errors import UnknownName
from twinfall.ontology.instances import read_instance, standard_schema
from twinfall.ontology.json_schema import _DURATION, model_schema, value_schema
from twinfall.ontology.model import Primitive
from twinfall.ontology.values import INTEGER_RANGES, LARGEST, compile_check

PUMP, MOTOR = "dtmi:example:Pump;1", "dtmi:example:Motor;1"
EMPTY = parse([])


def takes(schema: dict[str, Any], value: Any) -> bool:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema).is_valid(value)


def beyond_words(text: str) -> bool:
    """What no JSON Schema can tell: a fraction that is none, a sign of zero, an open ring."""
    return re.search(r"(?<![\w\"])-?\d+\.0+(?!\d)|(?<![\w\"])-0(?![\d.])", text) is not None


# -- against our own check ---------------------------------------------------------------------


@needs_reference_data
def test_conformance_instances_are_judged_alike() -> None:
    judged, untold = 0, []
    for case in cases(FOLDER):
        if not case.get("instances") or case.get("quirks"):
            continue
        ontology = run(case)
        for instance in case["instances"]:
            found = _agree(ontology, instance["subject"], instance["submit"])
            judged += found is not None
            if found is False:
                untold.append((case["name"], instance["submit"]))
    assert judged > 100
    assert [pair for pair in untold if not beyond_words(pair[1])] == []
    assert len(untold) < judged / 10


def _agree(ontology: Ontology, subject: str, submit: str) -> bool | None:
    """Whether schema and check say the same; None for what is no JSON, or no schema's."""
    schema = ontology.schemas.get(subject) or standard_schema(subject)
    if schema is None:
        return None
    try:
        value = read_instance(submit)
    except ValueError:
        return None
    judged = not ontology.check_value(schema, value)
    return takes(value_schema(ontology, schema), json.loads(submit)) == judged


PRIMITIVES = (
    *INTEGER_RANGES, *LARGEST, "boolean", "string", "date", "time", "dateTime", "duration",
    "decimal", "uuid", "bytes", "point", "multiPoint", "lineString", "multiLineString", "polygon",
    "multiPolygon",
)  # fmt: skip
VALUES = (
    None, True, False, 0, 1, -1, 127, 128, -128, -129, 255, 256, 2**15, 2**16, 2**31 - 1, 2**31,
    2**32, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 0.5, 3.5e38, 3.4e38, "", "a", "1", "-1.50", "01",
    "2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "0000-01-01", "0001-01-01",
    "2023-04-31", "2023-12-31", "23:59:59Z", "24:00:00Z", "06:30:00.123+05:30", "06:30:00",
    "2026-11-23T06:30:00Z", "2026-11-23 06:30:00Z", "2026-13-23T06:30:00Z", "P1Y2M3DT4H5M6.5S",
    "P", "PT", "P1.5D", "P1.5DT1H", "P1W", "P1Y1W", "PT1.5M", "PT1M1H", "AAAA", "AAA=", "AAA",
    "12345678-1234-1234-1234-123456789abc", [], {}, [1], {"a": 1},
    {"type": "Point", "coordinates": [1, 2]}, {"type": "Point", "coordinates": [1]},
    {"type": "Point", "coordinates": [1, 2], "bbox": []}, {"type": "point", "coordinates": [1, 2]},
    {"type": "MultiPoint", "coordinates": []}, {"type": "LineString", "coordinates": [[1, 2]]},
    {"type": "LineString", "coordinates": [[1, 2], [3, 4, 5]]},
    {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
    {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]},
    {"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 0]]]]},
    {"type": "MultiLineString", "coordinates": [[[1, 2], [True, 4]]]},
)  # fmt: skip


@pytest.mark.parametrize("name", PRIMITIVES)
def test_values_of_primitives_are_judged_alike(name: str) -> None:
    check, schema = compile_check(Primitive(name), {}), value_schema(EMPTY, Primitive(name))
    for value in VALUES:
        problems: list[Any] = []
        check(value, "", problems, 0)
        assert takes(schema, value) == (not problems), value


@settings(max_examples=300, deadline=None)
@given(st.text("PTYMWDHS1.", max_size=14) | st.from_regex(DURATION, fullmatch=True))
def test_durations_are_told_without_looking_ahead(text: str) -> None:
    ours = re.fullmatch(_DURATION, text, re.ASCII) is not None
    assert ours == (DURATION.fullmatch(text) is not None)


DATES = st.dates().map(str) | st.tuples(
    st.sampled_from(["0000", "0004", "0100", "0400", "1900", "2023", "2024", "9999"]),
    st.integers(0, 13),
    st.integers(0, 32),
).map(lambda parts: f"{parts[0]}-{parts[1]:02}-{parts[2]:02}")


@settings(max_examples=300, deadline=None)
@given(DATES)
def test_days_are_those_of_the_calendar(text: str) -> None:
    problems: list[Any] = []
    compile_check(Primitive("date"), {})(text, "", problems, 0)
    assert takes(value_schema(EMPTY, Primitive("date")), text) == (not problems)


# -- of a model ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pump() -> dict[str, Any]:
    motor = interface("Motor", contents=[{"@type": "Property", "name": "power", "schema": "long"}])
    size = {"@type": "Object", "fields": [{"name": "width", "schema": "double"}]}
    flow = {"@type": "Telemetry", "name": "flow", "schema": "double"}
    target = {"name": "to", "schema": {"@type": "Array", "elementSchema": "date"}}
    of = [{"@type": "Property", "name": "since", "schema": "dateTime"}]
    model = interface(
        displayName={"de": "Pumpe", "en": "Pump"},
        contents=[
            {"@type": "Property", "name": "size", "schema": size, "description": "In metres."},
            {"@type": "Component", "name": "motor", "schema": MOTOR},
            flow,
            {"@type": "Command", "name": "move", "request": target},
            {"@type": "Relationship", "name": "feeds", "properties": of},
        ],
    )
    made = model_schema(parse([motor, model]), PUMP)
    Draft202012Validator.check_schema(made)
    return made


def part(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The schema at `$defs` as a document of its own."""
    return {"$ref": f"#/$defs/{name}", "$defs": document["$defs"]}


def test_a_twin_is_an_object_of_its_properties_with_components_nested(pump: dict[str, Any]) -> None:
    assert takes(pump, {})
    assert takes(pump, {"size": {"width": 1.5}, "motor": {"power": 2**63 - 1}})
    assert not takes(pump, {"size": {"width": "1.5"}})
    assert not takes(pump, {"size": {"height": 1}})
    assert not takes(pump, {"motor": {"power": 2**63}})
    assert not takes(pump, {"flow": 1.0})
    assert not takes(pump, {"feeds": []})


def test_a_row_of_an_import_is_a_twin(pump: dict[str, Any]) -> None:
    row = {"$dtId": "P1", "$metadata": {"$model": PUMP}, "motor": {"$metadata": {}, "power": 1}}
    assert takes(pump, row)


def test_telemetry_payloads_and_relationships_have_schemas_of_their_own(
    pump: dict[str, Any],
) -> None:
    assert takes(part(pump, "telemetry"), {"flow": 1})
    assert not takes(part(pump, "telemetry"), {"flow": "1"})
    assert takes(part(pump, "move.request"), ["2024-02-29"])
    assert not takes(part(pump, "move.request"), ["2023-02-29"])
    assert takes(part(pump, "feeds.properties"), {"since": "2026-11-23T06:30:00Z"})
    assert not takes(part(pump, "feeds.properties"), {"since": "yesterday"})


def test_what_people_read_comes_along(pump: dict[str, Any]) -> None:
    assert pump["title"] == "Pump"
    assert pump["properties"]["size"]["description"] == "In metres."


def test_a_unit_is_a_comment() -> None:
    power = {"@type": ["Property", "Power"], "name": "p", "schema": "double", "unit": "kilowatt"}
    model = interface(contents=[power]) | {"@context": "dtmi:dtdl:context;2"}
    made = model_schema(parse([model]), PUMP)
    assert made["properties"]["p"]["$comment"] == "unit: kilowatt"


def test_a_schema_that_refers_to_itself_ends() -> None:
    tree = "dtmi:example:tree;1"
    fields = [{"name": "size", "schema": "integer"}, {"name": "left", "schema": tree}]
    model = interface(
        schemas=[{"@id": tree, "@type": "Object", "fields": fields}],
        contents=[{"@type": "Property", "name": "tree", "schema": tree}],
    ) | {"@context": "dtmi:dtdl:context;4"}
    made = model_schema(parse([model]), PUMP)
    assert takes(made, {"tree": {"left": {"left": {"size": 1}}}})
    assert not takes(made, {"tree": {"left": {"left": {"size": "1"}}}})


def test_an_unknown_model_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="dtmi:example:Pump;1"):
        model_schema(one(), "dtmi:example:Pumb;1")


@needs_reference_data
@pytest.mark.parametrize("name", ["isa95", "smartcities"])
def test_every_model_of_a_public_ontology_has_a_sound_schema(name: str) -> None:
    ontology = parse(texts(name))
    for dtmi in ontology.interfaces:
        made = model_schema(ontology, dtmi)
        Draft202012Validator.check_schema(made)
        assert Draft202012Validator(made).is_valid({})


def test_what_json_schema_cannot_say_is_told_in_the_document() -> None:
    place = {"@type": "Property", "name": "site", "schema": "polygon"}
    made = model_schema(one(contents=[place]), PUMP)
    assert "a ring ends where it begins" in made["$defs"]["polygon"]["$comment"]
    assert "1.0 is no integer" in made["$comment"]
    assert "null" in made["$comment"]
