"""DTDL in, an ontology or every reason why not out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ontology.reference import interface, needs_reference_data, one, texts
from twinfall.ontology import parse
from twinfall.ontology.dtdl.text import MAX_DEPTH
from twinfall.ontology.errors import MAX_PROBLEMS, ModelIncomplete, ModelInvalid, Problem
from twinfall.ontology.model import Array, Enum, Map, Object, Primitive, SchemaReference


def problems(*documents: Any, **options: Any) -> list[Problem]:
    with pytest.raises(ModelInvalid) as caught:
        parse(documents, **options)
    return list(caught.value.problems)


def codes(*documents: Any, **options: Any) -> set[str]:
    return {p.code for p in problems(*documents, **options)}


@needs_reference_data
@pytest.mark.parametrize(
    ("name", "interfaces"), [("building-rec33", 767), ("isa95", 180), ("smartcities", 63)]
)
def test_a_real_ontology_is_valid(name: str, interfaces: int) -> None:
    ontology = parse(texts(name))
    assert len(ontology.interfaces) == interfaces
    for dtmi, known in ontology.interfaces.items():
        assert all(ontology.is_a(dtmi, ancestor) for ancestor in known.ancestors)
        assert all(dtmi in ontology.interfaces[d].ancestors for d in known.descendants)
        assert ontology.family(dtmi) == tuple(sorted((dtmi, *known.descendants)))


@needs_reference_data
def test_the_order_of_documents_changes_nothing() -> None:
    documents = texts("smartcities")
    one_way, other_way = parse(documents), parse(documents[::-1])
    assert one_way.hash == other_way.hash
    assert one_way.interfaces == other_way.interfaces


@needs_reference_data
def test_an_ontology_parses_again_from_its_own_documents() -> None:
    ontology = parse(texts("isa95"))
    again = parse(ontology.documents)
    assert again.hash == ontology.hash
    assert again.interfaces == ontology.interfaces


def city() -> list[dict[str, Any]]:
    quantities = ["dtmi:dtdl:context;3", "dtmi:dtdl:extension:quantitativeTypes;1"]
    states = {
        "@type": "Enum",
        "valueSchema": "string",
        "enumValues": [
            {"name": "open", "enumValue": "OPEN"},
            {"name": "shut", "enumValue": "SHUT"},
        ],
    }
    asset = interface(
        "Asset",
        displayName={"en": "Asset", "de": "Anlage"},
        contents=[
            {"@type": "Property", "name": "commissioned", "schema": "date"},
            {"@type": "Relationship", "name": "near", "properties": [
                {"@type": "Property", "name": "distance", "schema": "double"}]},
        ],
    )  # fmt: skip
    motor = interface("Motor", contents=[{"@type": "Telemetry", "name": "rpm", "schema": "double"}])
    pump = interface(
        "Pump",
        extends="dtmi:example:Asset;1",
        contents=[
            {"@type": ["Telemetry", "Power"], "name": "load", "schema": "double",
             "unit": "kilowatt"},
            {"@type": "Property", "name": "valve", "schema": states, "writable": True},
            {"@type": "Component", "name": "motor", "schema": "dtmi:example:Motor;1"},
            {"@type": "Relationship", "name": "feeds", "target": "dtmi:example:Tank;1",
             "maxMultiplicity": 3},
            {"@type": "Command", "name": "stop",
             "request": {"name": "after", "schema": "duration"}},
        ],
    )  # fmt: skip
    pump["@context"] = quantities
    return [pump, motor, asset, interface("Tank", extends=["dtmi:example:Asset;1"])]


def test_a_model_is_compiled_with_what_it_inherits() -> None:
    ontology = parse(city())
    pump = ontology.interfaces["dtmi:example:Pump;1"]
    assert pump.ancestors == ("dtmi:example:Asset;1",)
    assert list(pump.contents) == [
        "load", "valve", "motor", "feeds", "stop", "commissioned", "near",
    ]  # fmt: skip
    load, valve, feeds = (pump.contents[n] for n in ("load", "valve", "feeds"))
    assert (load.schema, load.unit, load.semantic_type) == (
        Primitive("double"), "kilowatt", "Power",
    )  # fmt: skip
    assert isinstance(valve.schema, Enum)
    assert [(v.name, v.value) for v in valve.schema.values] == [("open", "OPEN"), ("shut", "SHUT")]
    assert valve.writable
    assert not load.writable
    assert (feeds.target, feeds.max_multiplicity) == ("dtmi:example:Tank;1", 3)
    assert pump.contents["motor"].interface == "dtmi:example:Motor;1"
    assert pump.contents["stop"].request == Primitive("duration")
    assert pump.contents["stop"].response is None
    assert pump.contents["near"].declared_in == "dtmi:example:Asset;1"
    assert list(pump.contents["near"].properties) == ["distance"]
    asset = ontology.interfaces["dtmi:example:Asset;1"]
    assert asset.descendants == ("dtmi:example:Pump;1", "dtmi:example:Tank;1")
    assert asset.display_name == {"en": "Asset", "de": "Anlage"}


def test_structured_schemas_are_built_and_found_by_id() -> None:
    position = {
        "@type": "Object",
        "@id": "dtmi:example:Position;1",
        "fields": [{"name": "x", "schema": "double"}, {"name": "tags", "schema": {
            "@type": "Map", "mapKey": {"name": "key", "schema": "string"},
            "mapValue": {"name": "value", "schema": {"@type": "Array", "elementSchema": "long"}}}}],
    }  # fmt: skip
    ontology = one(
        schemas=[position],
        contents=[{"@type": "Property", "name": "at", "schema": "dtmi:example:Position;1"}],
    )
    schema = ontology.interfaces["dtmi:example:Pump;1"].contents["at"].schema
    assert isinstance(schema, Object)
    assert ontology.schemas["dtmi:example:Position;1"] is schema
    tags = schema.fields[1].schema
    assert isinstance(tags, Map)
    assert isinstance(tags.value, Array)
    assert tags.value.element == Primitive("long")


def test_a_schema_of_dtdl_4_may_contain_itself() -> None:
    tree = {
        "@type": "Object",
        "@id": "dtmi:example:Tree;1",
        "fields": [{"name": "children", "schema": {
            "@type": "Array", "elementSchema": "dtmi:example:Tree;1"}}],
    }  # fmt: skip
    document = interface(schemas=[tree])
    ontology = parse([document | {"@context": "dtmi:dtdl:context;4"}])
    made = ontology.schemas["dtmi:example:Tree;1"]
    assert isinstance(made, Object)
    assert made.fields[0].schema == Array(
        "dtmi:example:Tree:_fields:__children:_schema;1", SchemaReference("dtmi:example:Tree;1")
    )
    nested: Any = {}
    for _ in range(10):
        nested = {"children": [nested]}
    assert ontology.check_value(made, nested) == []
    assert ontology.check_value(made, {"children": [{"childen": []}]})[0].path == (
        "/children/0/childen"
    )
    assert "recursiveStructureWide" in codes(document)


TEN_ERRORS = """{
  "@context": "dtmi:dtdl:context;3",
  "@id": "dtmi:example:Pump;1",
  "@type": "Interface",
  "dislayName": "Pump",
  "contents": [
    {"@type": "Telemetry", "name": "flow", "schema": "flaot"},
    {"@type": "Telemetry", "name": "2nd", "schema": "double"},
    {"@type": "Property", "schema": "double"},
    {"@type": "Property", "name": "speed", "schema": "double", "writable": "yes"},
    {"@type": "Relationship", "name": "feeds", "maxMultiplicity": 0},
    {"@type": "Propety", "name": "head", "schema": "double"},
    {"@type": "Component", "name": "motor"},
    {"@type": "Property", "name": "mode", "schema": {"@type": "Enum", "enumValues": []}},
    {"@type": "Command", "name": "stop", "request": {"name": "x", "schema": null}}
  ]
}"""


def test_ten_errors_in_one_model_are_all_listed_with_place_and_cause() -> None:
    found = problems(TEN_ERRORS)
    by_path = {p.path: p for p in found}
    assert len(found) >= 10
    assert by_path["/dislayName"].cure == 'did you mean "displayName"?'
    flow = by_path["/contents/0/schema"]
    assert flow.message == '"schema": "flaot" is not a schema'
    assert flow.cure == 'did you mean "float"?'
    assert flow.line == 7
    assert flow.element == "dtmi:example:Pump:_contents:__flow;1"
    assert by_path["/contents/1/name"].code == "stringInvalid"
    assert by_path["/contents/2"].code == "missingDtmiSegPropertyValue"
    assert by_path["/contents/3/writable"].code == "booleanNotBoolean"
    assert by_path["/contents/4/maxMultiplicity"].code == "valueBelowMin"
    assert by_path["/contents/5/@type"].cure == 'did you mean "Property"?'
    assert by_path["/contents/6"].code == "missingObjectProperty"
    assert by_path["/contents/7/schema"].code == "missingObjectProperty"
    assert by_path["/contents/8/request/schema"].code == "refNotStringOrObject"
    assert {p.document for p in found} == {0}


def test_problems_of_one_document_do_not_hide_those_of_another() -> None:
    found = problems(TEN_ERRORS, "{", interface("Tank", contents={"@type": "Telemetry"}))
    assert {p.document for p in found} == {0, 1, 2}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"@id": "a", "@id": "b"}', "duplicateMember"),
        ('{"a": NaN}', "notJson"),
        ('{"a": 1e999}', "notJson"),
        ('{"a": "\\ud800"}', "notJson"),
        ('{"a": "\\u0000"}', "notJson"),
        ("[" * 100_000, "tooDeep"),
        ("{", "notJson"),
        ("", "notJson"),
        ('"dtmi:example:Pump;1"', "notJsonObject"),
        ("[[5]]", "notJsonObject"),
        ('{"@context": "dtmi:dtdl:context;9"}', "unrecognizedContextVersion"),
        ('{"@id": "dtmi:example:Pump;1"}', "missingContext"),
        ("1" * 5_000, "notJson"),
    ],
)
def test_a_text_that_is_no_model_is_refused(text: str, code: str) -> None:
    assert code in codes(text)


def test_a_model_that_nests_too_deep_is_refused() -> None:
    nested: Any = "double"
    for _ in range(MAX_DEPTH):
        nested = {"@type": "Array", "elementSchema": nested}
    document = interface(contents=[{"@type": "Telemetry", "name": "a", "schema": nested}])
    assert codes(document) == {"tooDeep"}
    assert codes(json.dumps(document)) == {"tooDeep"}


@pytest.mark.parametrize(
    ("documents", "code"),
    [
        ([interface("A", extends="dtmi:example:A;1")], "recursiveStructureNarrow"),
        (
            [interface(a, extends=f"dtmi:example:{b};1") for a, b in ("AB", "BC", "CA")],
            "recursiveStructureNarrow",
        ),
        ([interface("A"), interface("A")], "duplicateDefinition"),
        (
            [interface("A", contents={
                "@type": "Component", "name": "a", "schema": "dtmi:example:A;1"})],
            "excludedType",
        ),
        (
            [
                interface("A", contents={"@type": "Telemetry", "name": "t", "schema": "long"}),
                interface("B", extends="dtmi:example:A;1",
                          contents={"@type": "Property", "name": "t", "schema": "long"}),
            ],
            "nonUniqueImportedPropertyValue",
        ),
        ([interface("a" * 200)], "idTooLongForType"),
        ([interface("A_")], "invalidId"),
        (
            [interface(contents=[{"@type": "Telemetry", "name": f"t{n}", "schema": "long",
                                  "comment": "x" * 500} for n in range(2_000)])],
            "partitionTooLarge",
        ),
    ],
)  # fmt: skip
def test_a_set_that_breaks_a_rule_is_refused(documents: list[Any], code: str) -> None:
    assert code in codes(*documents)


def test_models_that_are_missing_make_a_set_incomplete_not_invalid() -> None:
    pump = interface(extends="dtmi:example:Asset;1")
    with pytest.raises(ModelIncomplete) as caught:
        parse([pump])
    assert caught.value.undefined == ("dtmi:example:Asset;1",)


def test_a_target_that_is_not_defined_is_legal() -> None:
    ontology = one(contents={"@type": "Relationship", "name": "r", "target": "dtmi:example:X;1"})
    content = ontology.interfaces["dtmi:example:Pump;1"].contents["r"]
    assert content.target == "dtmi:example:X;1"


def test_a_resolver_is_asked_until_nothing_is_missing() -> None:
    asked = []

    def resolver(wanted: list[str]) -> list[Any]:
        asked.append(wanted)
        if wanted == ["dtmi:example:B;1"]:
            return [interface("B", extends="dtmi:example:C;1")]
        return [interface("C")]

    ontology = parse([interface("A", extends="dtmi:example:B;1")], resolver=resolver)
    assert asked == [["dtmi:example:B;1"], ["dtmi:example:C;1"]]
    assert len(ontology.interfaces) == 3
    assert len(ontology.documents) == 3


def test_an_unknown_extension_is_an_error_unless_allowed() -> None:
    document = interface(contents={"@type": ["Telemetry", "Foo"], "name": "t", "schema": "long"})
    document["@context"] = ["dtmi:dtdl:context;3", "dtmi:example:foo;1"]
    assert codes(document) == {"unresolvableContextSpecifier"}
    ontology = parse([document], undefined_extensions="allow")
    (element,) = [e for e in ontology.elements.values() if e["type"] == "Telemetry"]
    assert element["undefinedTypes"] == ["Foo"]


def test_a_newer_language_than_allowed_is_refused() -> None:
    assert codes(interface(), max_version=2) == {"disallowedContextVersion"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["@id", "@type", "@context", "name", "schema", "contents", "x", "fields"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(contents=_JSON, context=st.sampled_from([2, 3, 4]))
def test_any_json_is_accepted_or_refused_with_reasons(contents: Any, context: int) -> None:
    document = interface(contents=contents) | {"@context": f"dtmi:dtdl:context;{context}"}
    try:
        ontology = parse([document])
    except (ModelInvalid, ModelIncomplete) as err:
        reasons = err.problems if isinstance(err, ModelInvalid) else err.undefined
    else:
        assert parse(ontology.documents).hash == ontology.hash
        return
    assert reasons
    assert all(r if isinstance(r, str) else r.code and r.message for r in reasons)


def test_hostile_sets_are_refused_without_end_or_crash() -> None:
    long_chain = [interface(f"I{n}", extends=f"dtmi:example:I{n + 1};1") for n in range(3_000)]
    assert "excessiveDepthNarrow" in codes(*long_chain, interface("I3000"))
    loop = [interface(f"I{n}", extends=f"dtmi:example:I{(n + 1) % 500};1") for n in range(500)]
    assert codes(*loop) == {"recursiveStructureNarrow"}
    mesh = [
        {"@type": "Object", "@id": f"dtmi:example:O{n};1",
         "fields": [{"name": f"f{m}", "schema": f"dtmi:example:O{m};1"} for m in range(25)]}
        for n in range(25)
    ]  # fmt: skip
    assert "recursiveStructureWide" in codes(interface(schemas=mesh))


def test_reading_stops_at_a_thousand_problems() -> None:
    wrong = [{"@type": "Telemetry", "name": f"t{n}", "schema": "flaot"} for n in range(5_000)]
    assert len(problems(interface(contents=wrong))) == MAX_PROBLEMS


def test_integers_beyond_64_bits_are_refused_with_their_place() -> None:
    enum = {"@type": "Enum", "valueSchema": "integer"}
    enum["enumValues"] = [{"name": "far", "enumValue": 2**70}]
    text = json.dumps(interface(contents=[{"@type": "Property", "name": "p", "schema": enum}]))
    with pytest.raises(ModelInvalid, match="too large for an integer"):
        parse([text])
