"""Limits of DTDL by version, references across partitions, and types of the extensions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ontology.language import (
    CORE,
    VERSIONS,
    enum,
    model,
    quantity,
    relationship,
    telemetry,
    verdict,
)
from twinfall.ontology import parse
from twinfall.ontology.dtmi import read_dtmi
from twinfall.ontology.errors import ModelIncomplete

EXTENSION = "dtmi:dtdl:extension:"


def called(number: int, version: int, **members: Any) -> dict[str, Any]:
    return {**model(version, **members), "@id": f"dtmi:ex:i{number};1"}


def chain(links: int, version: int) -> list[dict[str, Any]]:
    """Interfaces of which each extends the next."""
    above = [called(n, version, extends=f"dtmi:ex:i{n + 1};1") for n in range(links)]
    return [*above, called(links, version)]


@pytest.mark.parametrize(("version", "most"), [(2, 10), (3, 10), (4, 12)])
def test_interfaces_extend_only_so_deep(version: int, most: int) -> None:
    assert verdict(*chain(most, version)) == "ok"
    assert verdict(*chain(most + 1, version)) == "excessiveDepthNarrow"


def arrays(depth: int) -> Any:
    return {"@type": "Array", "elementSchema": arrays(depth - 1)} if depth else "double"


@pytest.mark.parametrize(("version", "most"), [(2, 5), (3, 5), (4, 8)])
def test_schemas_nest_only_so_deep(version: int, most: int) -> None:
    assert verdict(telemetry(version, schema=arrays(most))) == "ok"
    assert verdict(telemetry(version, schema=arrays(most + 1))) == "excessiveDepthWide"


def contents(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [{"@type": "Command", "name": f"c{n}"} for n in range(start, start + count)]


def test_dtdl_2_counts_contents_with_those_inherited() -> None:
    assert verdict(model(2, contents=contents(300))) == "ok"
    assert verdict(model(2, contents=contents(301))) == "objectCountAboveMax"
    base = called(1, 2, contents=contents(200))
    below = called(2, 2, contents=contents(101, 200), extends="dtmi:ex:i1;1")
    assert verdict(base, below) == "objectCountAboveMax"
    assert verdict(model(3, contents=contents(301))) == "ok"


@pytest.mark.parametrize("version", VERSIONS)
def test_texts_are_only_so_long(version: int) -> None:
    most = 64 if version == 2 else 512
    assert verdict(telemetry(version, name="n" * most)) == "ok"
    assert verdict(telemetry(version, name="n" * (most + 1))) == "stringTooLong"
    assert verdict(model(version, displayName="n" * (most + 1))) == "langStringValueTooLong"
    assert verdict(model(version, comment="n" * 512)) == "ok"
    assert verdict(model(version, comment="n" * 513)) == "stringTooLong"


def test_dtdl_2_bounds_what_later_versions_do_not() -> None:
    values = [{"name": f"v{n}", "enumValue": n} for n in range(101)]
    assert verdict(enum(2, enumValues=values)) == "objectCountAboveMax"
    assert verdict(enum(3, enumValues=values)) == "ok"
    assert verdict(enum(2, enumValues=[])) == "objectCountBelowMin"
    assert verdict(enum(3, enumValues=[])) == "ok"
    assert verdict(relationship(2, maxMultiplicity=501)) == "valueAboveRange"
    assert verdict(relationship(3, maxMultiplicity=501)) == "ok"
    parents = [called(n, 2) for n in range(3)]
    assert verdict(*parents, model(2, extends=[p["@id"] for p in parents])) == "objectCountAboveMax"


def test_dtdl_2_has_no_lists_in_properties() -> None:
    def in_property(version: int, schema: Any) -> str:
        content = {"@type": "Property", "name": "p", "schema": schema}
        return verdict(model(version, contents=content))

    assert in_property(2, arrays(1)) == "excludedType"
    assert in_property(3, arrays(1)) == "ok"
    inside = {"@type": "Object", "fields": {"name": "f", "schema": arrays(1)}}
    assert in_property(2, inside) == "excludedType"


@pytest.mark.parametrize("version", VERSIONS)
def test_only_interfaces_are_shared(version: int) -> None:
    own = {"@id": "dtmi:ex:s;1", "@type": "Array", "elementSchema": "double"}
    uses = {"@type": "Telemetry", "name": "t", "schema": "dtmi:ex:s;1"}
    assert verdict(model(version, schemas=own, contents=uses)) == "ok"
    base = called(1, version, schemas=own)
    above = model(version, extends="dtmi:ex:i1;1", contents=uses)
    assert verdict(base, above) == "crossPartitionReference"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_schema_may_contain_itself_only_since_dtdl_4(version: int) -> None:
    loop = {"@id": "dtmi:ex:s;1", "@type": "Array", "elementSchema": "dtmi:ex:s;1"}
    said = verdict(model(version, schemas=loop))
    assert said == ("ok" if version == 4 else "recursiveStructureWide")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_component_has_no_components(version: int) -> None:
    def part(of: str) -> dict[str, Any]:
        return {"@type": "Component", "name": "part", "schema": of}

    outer = model(version, contents=part("dtmi:ex:i1;1"))
    inner = called(1, version, contents=part("dtmi:ex:i2;1"))
    assert verdict(outer, called(1, version)) == "ok"
    assert verdict(outer, inner, called(2, version)) == "excludedType"
    heir = called(1, version, extends="dtmi:ex:i3;1")
    base = called(3, version, contents=part("dtmi:ex:i2;1"))
    assert verdict(outer, heir, base, called(2, version)) == "excludedType"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_name_is_inherited_once(version: int) -> None:
    named = {"@type": "Command", "name": "c"}
    base = called(1, version, contents=named)
    twice = model(version, contents=named, extends="dtmi:ex:i1;1")
    assert verdict(base, twice) == "nonUniqueImportedPropertyValue"
    sides = [called(n, version, extends="dtmi:ex:i1;1") for n in (2, 3)]
    diamond = model(version, extends=["dtmi:ex:i2;1", "dtmi:ex:i3;1"])
    assert verdict(base, *sides, diamond) == "ok"


def extended(version: int, extensions: str, *contents: dict[str, Any]) -> str:
    context = [f"{CORE}{version}", *(f"{EXTENSION}{e}" for e in extensions.split())]
    return verdict(model(version, context, contents=list(contents)))


@pytest.mark.parametrize("version", [3, 4])
def test_historization_is_for_what_has_values(version: int) -> None:
    flow = {"@type": ["Property", "Historized"], "name": "p", "schema": "double"}
    assert extended(version, "historization;2", flow) == "ok"
    assert extended(version, "", flow) == "typeUndefinedTerm"
    command = {"@type": ["Command", "Historized"], "name": "c"}
    assert extended(version, "historization;2", command) == "invalidCotype"


def test_an_extension_is_for_the_languages_it_was_made_for() -> None:
    flow = {"@type": ["Property", "Historized"], "name": "p", "schema": "double"}
    assert extended(4, "historization;1", flow) == "invalidCotypeVersion"
    assert extended(2, "historization;1", flow) == "invalidCotypeVersion"


@pytest.mark.parametrize("version", [3, 4])
def test_an_annotation_is_of_a_sibling(version: int) -> None:
    flow = {"@type": "Telemetry", "name": "flow", "schema": "double"}

    def note(of: str) -> dict[str, Any]:
        types = ["Property", "ValueAnnotation"]
        return {"@type": types, "name": "note", "annotates": of, "schema": "string"}

    assert extended(version, "annotation;2", flow, note("flow")) == "ok"
    call = {"@type": "Command", "name": "call"}
    assert extended(version, "annotation;2", flow, call, note("call")) == "notSiblingRequiredType"
    without = {k: v for k, v in note("flow").items() if k != "annotates"}
    said = extended(version, "annotation;2", flow, without)
    assert said == "missingSupplementalLiteralProperty"


@pytest.mark.parametrize("version", [3, 4])
def test_a_quantity_has_a_number_and_one_unit(version: int) -> None:
    warm = {"@type": ["Telemetry", "Temperature"], "unit": "degreeCelsius"}
    assert verdict(quantity(version, **warm)) == "ok"
    assert verdict(quantity(version, **warm, schema="string")) == "notRequiredType"
    assert verdict(quantity(version, **{**warm, "unit": "metre"})) == "wrongParent"
    assert verdict(quantity(version, **{"@type": warm["@type"]})) == (
        "missingSupplementalObjectProperty"
    )
    both = ["Telemetry", "Temperature", "Length"]
    assert verdict(quantity(version, **{**warm, "@type": both})) == "conflictingSupplementalTypes"
    assert verdict(quantity(version, unit="degreeCelsius")) == "propertyIrrelevantDtmiOrTerm"


def test_a_resolver_is_asked_once_for_what_is_missing_and_may_fall_silent() -> None:
    asked: list[list[str]] = []

    def resolver(wanted: list[str]) -> list[Any] | None:
        asked.append(sorted(wanted))
        known = {"dtmi:ex:i1;1": called(1, 3, extends="dtmi:ex:i2;1")}
        found = [known[w] for w in wanted if w in known]
        return found or None

    with pytest.raises(ModelIncomplete) as caught:
        parse([model(extends="dtmi:ex:i1;1")], resolver=resolver)
    assert asked == [["dtmi:ex:i1;1"], ["dtmi:ex:i2;1"]]
    assert caught.value.undefined == ("dtmi:ex:i2;1",)


@pytest.mark.parametrize("text", ["dtmi:a:__;1", "dtmi:a:_;1", "dtmi:a_;1", "dtmi:a;1.0"])
def test_a_segment_is_more_than_underscores_and_a_version_no_zero(text: str) -> None:
    assert read_dtmi(text) is None
