"""A compiled ontology as bytes and back: the same answers, or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ontology.reference import interface, needs_reference_data, texts
from twinfall.ontology import Ontology, parse
from twinfall.ontology.packing import MAGIC, pack, unpack


def _everything() -> list[dict[str, Any]]:
    """Every kind of content and schema."""
    node = {
        "@type": "Object", "@id": "dtmi:example:Node;1",
        "fields": [
            {"name": "value", "schema": "double"},
            {"name": "next", "schema": "dtmi:example:Node;1"},
        ],
    }  # fmt: skip
    level = {
        "@type": "Enum", "valueSchema": "integer",
        "enumValues": [{"name": "low", "enumValue": 1}, {"name": "high", "enumValue": 2}],
    }  # fmt: skip
    contents = [
        {"@type": "Property", "name": "list", "schema": "dtmi:example:Node;1", "writable": True},
        {"@type": "Property", "name": "level", "schema": level, "displayName": {"de": "Stand"}},
        {
            "@type": ["Telemetry", "Temperature"], "name": "heat", "schema": "double",
            "unit": "degreeCelsius",
        },
        {
            "@type": "Property", "name": "many",
            "schema": {"@type": "Array", "elementSchema": "string"},
        },
        {
            "@type": "Property", "name": "named",
            "schema": {
                "@type": "Map", "mapKey": {"name": "k", "schema": "string"},
                "mapValue": {"name": "v", "schema": "double"},
            },
        },
        {
            "@type": "Relationship", "name": "feeds", "target": "dtmi:example:Tank;1",
            "maxMultiplicity": 3, "properties": [
                {"@type": "Property", "name": "share", "schema": "double"}
            ],
        },
        {"@type": "Component", "name": "motor", "schema": "dtmi:example:Tank;1"},
        {
            "@type": "Command", "name": "start",
            "request": {"name": "how", "schema": "string"},
            "response": {"name": "done", "schema": "boolean"},
        },
    ]  # fmt: skip
    context = ["dtmi:dtdl:context;4", "dtmi:dtdl:extension:quantitativeTypes;2"]
    pump = {
        "@context": context, "@type": "Interface", "@id": "dtmi:example:Pump;1",
        "displayName": "Pump", "contents": contents, "schemas": [node],
    }  # fmt: skip
    big = {
        "@context": context, "@type": "Interface", "@id": "dtmi:example:Big;1",
        "extends": "dtmi:example:Pump;1",
    }  # fmt: skip
    return [pump, big, interface("Tank")]


def _same(found: Ontology | None, ontology: Ontology) -> bool:
    return (
        found is not None
        and dict(found.interfaces) == dict(ontology.interfaces)
        and list(found.interfaces) == list(ontology.interfaces)
        and dict(found.schemas) == dict(ontology.schemas)
        and dict(found.elements) == dict(ontology.elements)
        and (found.hash, found.documents) == (ontology.hash, ontology.documents)
        and dict(found.extension) == dict(ontology.extension)
    )


def test_everything_comes_back_as_it_was() -> None:
    ontology = parse(_everything())

    found = unpack(pack(ontology), ontology.documents)

    assert _same(found, ontology)
    assert found is not None
    assert found.is_a("dtmi:example:Big;1", "dtmi:example:Pump;1")
    assert found.check_instance("dtmi:example:Node;1", '{"next": {"value": "x"}}')


@needs_reference_data
@pytest.mark.parametrize("name", ["building-rec33", "isa95", "smartcities"])
def test_public_ontologies_come_back_as_they_were(name: str) -> None:
    ontology = parse(texts(name))

    assert _same(unpack(pack(ontology), ontology.documents), ontology)


def test_what_was_made_of_other_documents_is_not_opened() -> None:
    ontology = parse(_everything())

    assert unpack(pack(ontology), parse([interface("Tank")]).documents) is None


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_bytes_are_not_opened(data: st.DataObject) -> None:
    ontology = parse([interface("Tank")])
    packed = pack(ontology)
    kind = data.draw(st.sampled_from(["cut", "flip", "junk"]))
    at = data.draw(st.integers(0, len(packed) - 1))
    if kind == "cut":
        broken = packed[:at]
    elif kind == "flip":
        broken = packed[:at] + bytes([packed[at] ^ 0x41]) + packed[at + 1 :]
    else:
        broken = data.draw(st.sampled_from([b"", MAGIC])) + data.draw(st.binary())

    found = unpack(broken, ontology.documents)

    assert found is None or _same(found, ontology)
