"""Models into OWL, SHACL and JSON-LD and back are the same models, up to what is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examples.building import brick_file
from tests.ontology.reference import needs_reference_data, texts
from twinfall.ontology import Ontology, parse
from twinfall.ontology.model import Array, Content, Enum, Map, Object, Schema
from twinfall.ontology.rdf import Read, Source, read_models
from twinfall.ontology.rdf.writing import WRITERS, files, lost

ENDS = {"turtle": "turtle", "json-ld": "json-ld"}
NAMES = ("flow", "state", "near", "motor", "start", "x1", "Level", "a_b")
PRIMITIVES = (
    "boolean", "date", "dateTime", "double", "duration", "float", "integer", "long", "string",
    "time", "decimal", "uuid", "bytes", "unsignedLong", "short",
    "dtmi:dtdl:instance:Schema:byte;4", "unsignedInteger", "point",
)  # fmt: skip


def _there_and_back(ontology: Ontology, format_: str) -> Read:
    name, text = next(files(ontology, format_))
    return read_models([Source(name, text.encode(), ENDS[WRITERS[format_][1]])])


def _said(ontology: Ontology) -> Mapping[str, Any]:
    """All that models say, without the identifiers of unnamed elements."""
    return {
        dtmi: (
            one.dtdl_version, dict(one.display_name), dict(one.description), set(one.extends),
            {name: _content(content) for name, content in one.contents.items()},
        )
        for dtmi, one in ontology.interfaces.items()
    }  # fmt: skip


def _content(content: Content) -> Content:
    return replace(
        content, id="", schema=_bare(content.schema), request=_bare(content.request),
        response=_bare(content.response), display_name=dict(content.display_name),
        description=dict(content.description),
        properties={name: _content(one) for name, one in content.properties.items()},
    )  # fmt: skip


def _bare(schema: Schema | None) -> Schema | None:
    match schema:
        case Enum():
            return replace(schema, id="")
        case Array():
            return replace(schema, id="", element=_bare(schema.element) or schema.element)
        case Map():
            return replace(schema, id="", value=_bare(schema.value) or schema.value)
        case Object():
            fields = (replace(f, schema=_bare(f.schema) or f.schema) for f in schema.fields)
            return replace(schema, id="", fields=tuple(fields))
    return schema


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)
_ENUM = st.lists(st.integers(-9, 9), min_size=1, max_size=4, unique=True).map(
    lambda values: {
        "@type": "Enum", "valueSchema": "integer",
        "enumValues": [{"name": f"v{n}", "enumValue": v} for n, v in enumerate(values)],
    }
)  # fmt: skip
_SCHEMA = st.recursive(
    st.sampled_from(PRIMITIVES) | _ENUM,
    lambda inner: st.one_of(
        inner.map(lambda s: {"@type": "Array", "elementSchema": s}),
        inner.map(lambda s: {
            "@type": "Map", "mapKey": {"name": "k", "schema": "string"},
            "mapValue": {"name": "v", "schema": s},
        }),
        inner.map(lambda s: {"@type": "Object", "fields": [{"name": "f", "schema": s}]}),
    ),
    max_leaves=3,
)  # fmt: skip


def _words() -> st.SearchStrategy[dict[str, Any]]:
    text = st.dictionaries(st.sampled_from(["en", "de", "it"]), _TEXT, max_size=2)
    return st.fixed_dictionaries({}, optional={"displayName": text, "description": text})


@st.composite
def _content_json(draw: st.DrawFn, name: str, models: list[str]) -> dict[str, Any]:
    kind = draw(st.sampled_from(["Property", "Telemetry", "Relationship", "Command"]))
    made: dict[str, Any] = {"@type": kind, "name": name, **draw(_words())}
    if kind in ("Property", "Telemetry"):
        made["schema"] = draw(_SCHEMA)
    if kind in ("Property", "Relationship"):
        made["writable"] = draw(st.booleans())
    if kind == "Telemetry" and draw(st.booleans()):
        made |= {"@type": [kind, "Temperature"], "schema": "double", "unit": "degreeCelsius"}
    if kind == "Relationship":
        made |= draw(st.sampled_from([{}, {"target": models[0]}, {"maxMultiplicity": 3}]))
        if draw(st.booleans()):
            made["properties"] = [{"@type": "Property", "name": "q", "schema": draw(_SCHEMA)}]
    if kind == "Command" and draw(st.booleans()):
        made["request"] = {"name": "r", "schema": draw(_SCHEMA)}
    return made


@st.composite
def _documents(draw: st.DrawFn) -> list[dict[str, Any]]:
    models = [f"dtmi:law:M{n};{1 + n % 2}" for n in range(draw(st.integers(1, 4)))]
    names = draw(st.permutations(NAMES))
    made = []
    for n, dtmi in enumerate(models):
        own = names[n * 2 : n * 2 + draw(st.integers(0, 2))]
        made.append({
            "@context": ["dtmi:dtdl:context;4", "dtmi:dtdl:extension:quantitativeTypes;2"],
            "@id": dtmi, "@type": "Interface", **draw(_words()),
            "extends": draw(st.lists(st.sampled_from(models[:n]), unique=True, max_size=2))
            if n else [],
            "contents": [draw(_content_json(name, models)) for name in own],
        })  # fmt: skip
    return made


@pytest.mark.parametrize("format_", sorted(WRITERS))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents=_documents())
def test_models_of_any_kind_come_back(format_: str, documents: list[dict[str, Any]]) -> None:
    before = parse(documents)
    after = parse(_there_and_back(before, format_).documents)
    assert _said(after) == _said(before)


@needs_reference_data
@pytest.mark.parametrize("format_", ["owl", "shacl"])
@pytest.mark.parametrize("name", ["building-rec33", "isa95"])
def test_public_ontologies_come_back(name: str, format_: str) -> None:
    before = parse(texts(name))
    told = _there_and_back(before, format_)
    assert told.losses == ()
    assert _said(parse(told.documents)) == _said(before)


def test_components_and_extensions_come_back_or_are_told() -> None:
    before = parse([
        {"@context": "dtmi:dtdl:context;3", "@id": "dtmi:a:Motor;1", "@type": "Interface"},
        {
            "@context": ["dtmi:dtdl:context;3", "dtmi:twinfall:dependency;1"],
            "@id": "dtmi:a:Pump;1", "@type": ["Interface", "Asset"], "services": ["water"],
            "contents": [{"@type": "Component", "name": "motor", "schema": "dtmi:a:Motor;1"}],
        },
    ])  # fmt: skip
    for format_ in WRITERS:
        assert _said(parse(_there_and_back(before, format_).documents)) == _said(before)
    assert [(one.code, one.subject) for one in lost(before)] == [("extension", "dtmi:a:Pump;1")]


def test_brick_comes_back_from_shacl_but_for_what_is_told() -> None:
    file = brick_file()
    if file is None:
        pytest.skip("the package brickschema is not installed")
    before = parse(read_models([Source.of_file(str(file), file.read_bytes())]).documents)
    told = _there_and_back(before, "shacl")
    after = _said(parse(told.documents))
    differing = {dtmi for dtmi, said in _said(before).items() if after[dtmi] != said}
    cut = {loss.subject.rsplit("#", 1)[-1] for loss in told.losses if loss.code == "depth"}
    assert {dtmi.rpartition(":")[2].partition(";")[0] for dtmi in differing} <= cut
