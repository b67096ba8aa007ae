"""The rules of DTDL one by one, each with the code that the reference parser gives.

What is written here was asked of that parser too; see docs/inside.md.
"""

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
from twinfall.ontology import Ontology, parse
from twinfall.ontology.errors import ModelInvalid

ANNOTATION = "dtmi:dtdl:extension:annotation;1"


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ([], "emptyContext"),
        ({}, "missingDtdlContext"),
        ("text", "missingDtdlContext"),
        (CORE[:-1], "missingDtdlContext"),
        (5, "invalidContext"),
        ([[f"{CORE}3"]], "invalidContext"),
        (f"{CORE}1", "unrecognizedContextVersion"),
        (f"{CORE}5", "unrecognizedContextVersion"),
        (f"{CORE}3.7", "ok"),
        (f"{CORE}2.1", "invalidContextSpecifierForVersion"),
        (f"{CORE}3#limitless", "disallowedContextFragment"),
        (f"{CORE}4#other", "invalidContextFragment"),
        (f"{CORE}4#limits", "misplacedLimitContext"),
        (f"{CORE}4#limitless", "missingLimitContext"),
        ([f"{CORE}4#limitless", "dtmi:ex:other;1"], "missingLimitContext"),
        ([f"{CORE}4#limitless", f"{CORE}4#limits"], "ok"),
        ([f"{CORE}4", "dtmi:dtdl:limits:onvif;1"], "misplacedLimitContext"),
        ([f"{CORE}4#limitless", "dtmi:dtdl:limits:onvif;1"], "disallowedLimitContext"),
        ([f"{CORE}3", {"term": "dtmi:ex:x;1"}], "disallowedLocalContext"),
        ([f"{CORE}3", {"term": 5}], "termDefinitionNotStringOrObject"),
        ([f"{CORE}3", {"term": {}}], "termDefinitionMissingIdProperty"),
        ([f"{CORE}3", {"term": {"@id": 5}}], "termDefinitionIdPropertyNotString"),
        ([f"{CORE}3", "text"], "nonDtmiContextSpecifier"),
        ([f"{CORE}3", "dtmi:ex:other;1"], "unresolvableContextSpecifier"),
        ([f"{CORE}3", "dtmi:ex:other;1#part"], "invalidContextSpecifier"),
        ([f"{CORE}3", ANNOTATION[:-2]], "missingContextVersion"),
        ([f"{CORE}3", "dtmi:dtdl:extension:annotation;9"], "unresolvableContextVersion"),
        ([f"{CORE}3", "dtmi:dtdl:extension:annotation;1.4"], "ok"),
        ([f"{CORE}3", ANNOTATION, f"{CORE}3"], "dtdlContextFollowsAffiliate"),
        ([ANNOTATION, f"{CORE}3"], "missingDtdlContext"),
        (["dtmi:iotcentral:context;2", f"{CORE}2"], "ok"),
        (["dtmi:iotcentral:context;2"], "missingDtdlContext"),
        ([f"{CORE}2", "dtmi:ex:other;1"], "ok"),
        ([f"{CORE}2", "dtmi:ex:other"], "invalidContextSpecifierForVersion"),
    ],
)  # fmt: skip
def test_a_context_begins_with_the_language_and_names_what_is_known(
    context: Any, said: str
) -> None:
    document = {"@context": context, "@id": "dtmi:ex:a;1", "@type": "Interface"}
    assert verdict(document) == said


def test_the_limits_of_a_context_hold_where_they_are_accepted() -> None:
    long = "x" * 4_000
    document = model(context=[f"{CORE}4#limitless", "dtmi:dtdl:limits:onvif;1"], description=long)
    assert verdict(document) == "disallowedLimitContext"
    assert verdict(document, acceptable_limits=["dtmi:dtdl:limits:onvif"]) == "ok"
    assert verdict(model(4, description=long)) == "langStringValueTooLong"


@pytest.mark.parametrize("outer", VERSIONS)
@pytest.mark.parametrize("inner", VERSIONS)
def test_an_element_may_be_of_an_older_language_than_the_one_it_stands_in(
    outer: int, inner: int
) -> None:
    document = telemetry(outer, **{"@context": f"{CORE}{inner}"})
    assert verdict(document) == ("ok" if inner <= outer else "disallowedVersionDefinition")


@pytest.mark.parametrize("outer", VERSIONS)
@pytest.mark.parametrize("inner", VERSIONS)
def test_an_interface_may_extend_one_of_an_older_language(outer: int, inner: int) -> None:
    base = {**model(inner), "@id": "dtmi:ex:base;1"}
    said = verdict(model(outer, extends="dtmi:ex:base;1"), base)
    assert said == ("ok" if inner <= outer else "disallowedVersionReference")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (5, "idNotString"), (None, "idNotString"), ("", "idNotString"),
        (["dtmi:ex:b;1"], "idNotString"),
        ("text", "invalidId"), ("dtmi:;1", "invalidId"), ("dtmi:ex:b_;1", "invalidId"),
        ("dtmi:ex:_b;1", "invalidId"), ("dtmi:ex:b;0", "invalidId"), ("dtmi:ex:b;01", "invalidId"),
        ("dtmi:ex:b;1234567890", "invalidId"), ("dtmi:ex:b;1#part", "invalidId"),
        ("dtmi:dtdl:b;1", "reservedId"), ("dtmi:standard:b;1", "reservedId"),
        ("dtmi:ex:" + "b" * 117 + ";1", "ok"), ("dtmi:ex:" + "b" * 119 + ";1", "idTooLongForType"),
    ],
)  # fmt: skip
def test_an_identifier_follows_the_rules_of_dtmis(version: int, given: Any, said: str) -> None:
    assert verdict({**model(version), "@id": given}) == said


@pytest.mark.parametrize(
    ("identifier", "since"), [("dtmi:ex:b", 3), ("dtmi:ex:b;1.2", 3), ("dtmi:ex:b;1", 2)]
)
def test_versions_of_identifiers_are_freer_since_dtdl_3(identifier: str, since: int) -> None:
    for version in VERSIONS:
        said = verdict({**model(version), "@id": identifier})
        assert said == ("ok" if version >= since else "invalidId")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("types", "said"),
    [
        (5, "typeNotRootable"), ([], "typeNotRootable"), ("Telemetry", "typeNotRootable"),
        ("Nothing", "typeNotRootable"), ("dtmi:dtdl:class:Interface;9", "typeNotRootable"),
        (["Interface", "Telemetry"], "multipleMaterialTypes"),
        (["Interface", "Interface"], "ok"), (["Interface"], "ok"),
        (["Interface", "Content"], "badType"), (["Interface", "Schema"], "badType"),
        (["Interface", "integer"], "typeIrrelevantDtmiOrTerm"),
        (["Interface", "dtmi:ex:b;1"], "typeIrrelevantDtmiOrTerm"),
        (["Interface", "dtmi:_b;1"], "typeInvalidDtmi"),
    ],
)  # fmt: skip
def test_a_model_is_an_interface(version: int, types: Any, said: str) -> None:
    assert verdict({**model(version), "@type": types}) == said


@pytest.mark.parametrize("version", VERSIONS)
def test_a_class_of_another_version_does_not_fit(version: int) -> None:
    for other in VERSIONS:
        types = ["Interface", f"dtmi:dtdl:class:Interface;{other}"]
        said = verdict({**model(version), "@type": types})
        assert said == ("ok" if other == version else "badType")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("string", "ok"), (["string"], "ok"), ([["string"]], "ok"),
        ({"@type": "Array", "elementSchema": "date"}, "ok"),
        (None, "refNotStringOrObject"), (5, "refNotStringOrObject"), ([], "objectCountBelowMin"),
        (["string", "string"], "objectMultipleValues"), (["string", None], "objectMultipleValues"),
        ("Nothing", "badDtmiOrTerm"), ("ex:b", "badDtmiOrTerm"),
        ("dtmi:ex:b;1#part", "badDtmiOrTerm"),
        ("dtmi:ex:a:_contents:__t;1", "badDtmiOrTerm"), ("dtmi:ex:b;1", "incomplete"),
        ("dtmi:ex:a;1", "badType"),
        ("Property", "badType"), ("Array", "badType"), ("name", "badType"),
        ("dtmi:dtdl:nothing;2", "undefinedReservedId"), ({"@id": "dtmi:ex:b;1"}, "idReference"),
        ({}, "badType"), ({"@type": "Long"}, "badType"), ({"@type": "Field"}, "badType"),
        ({"@type": ["Array", "Object"]}, "multipleMaterialTypes"),
        ({"@type": "Array"}, "missingObjectProperty"),
    ],
)  # fmt: skip
def test_a_schema_is_a_known_word_a_dtmi_or_an_object(version: int, value: Any, said: str) -> None:
    assert verdict(telemetry(version, schema=value)) == said


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("dtmi:ex:nowhere;1", "ok"), ([["dtmi:ex:nowhere;1"]], "ok"), ([], "ok"),
        (None, "identifierNotString"), (5, "identifierNotString"),
        ({"@id": "dtmi:ex:b;1"}, "identifierNotString"),
        (["dtmi:ex:b;1", "dtmi:ex:c;1"], "identifierMultipleValues"),
        ("Nothing", "identifierNotDtmi"), ("dtmi:ex:b;1#part", "identifierNotDtmi"),
    ],
)  # fmt: skip
def test_a_target_is_an_identifier_and_need_not_exist(version: int, target: Any, said: str) -> None:
    assert verdict(relationship(version, target=target)) == said


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("integer", "ok"), ("long", "incorrectPropertyValue"), ("point", "badType"),
        ("Array", "badType"),
        ("dtmi:ex:e;1", "badType"), ("dtmi:ex:b;1", "incomplete"),
        ({"@type": "Object"}, "missingRequiredId"),
    ],
)  # fmt: skip
def test_an_enumeration_is_of_texts_or_integers(version: int, schema: Any, said: str) -> None:
    assert verdict(enum(version, valueSchema=schema)) == said


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1, "ok"), (1.0, "ok"), ([1], "ok"), ({"@value": 1}, "ok"), (2**31 - 1, "ok"),
        ("low", "nonConformantDatatype"), (1.5, "nonConformantDatatype"),
        (True, "nonConformantDatatype"),
        (2**31, "nonConformantDatatype"), (None, "literalNotValid"), ([], "literalCountBelowMin"),
        ({"@value": {"x": 1}}, "literalNotValid"),
    ],
)  # fmt: skip
def test_a_value_of_an_enumeration_is_of_its_schema(version: int, value: Any, said: str) -> None:
    assert verdict(enum(version, enumValues=[{"name": "low", "enumValue": value}])) == said


@pytest.mark.parametrize("version", VERSIONS)
def test_names_are_given_once_even_where_something_is_missing_too(version: int) -> None:
    twice = [{"@type": "Telemetry", "name": "t", "schema": s} for s in ("double", "dtmi:ex:b;1")]
    assert verdict(model(version, contents=twice)) == "nonUniquePropertyValue"
    inside = {"@type": "Object", "fields": [{"name": "f", "schema": "date"}]}
    deep = [{"@type": "Telemetry", "name": "t", "schema": inside} for _ in range(2)]
    assert verdict(model(version, contents=deep)) == "nonUniquePropertyValue"
    same = [{"@id": "dtmi:ex:t;1", "@type": "Telemetry", "name": "t", "schema": "date"}] * 2
    assert verdict(model(version, contents=same)) == "duplicateDefinition"


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"foo": 1}, "noTypeThatAllows"), ({"dtmi:ex:b;1": 1}, "noTypeThatAllows"),
        ({"@type": ["Telemetry", "Foo"], "foo": 1}, "ok"),
        ({"@type": ["Telemetry", "dtmi:ex:b;1"]}, "typeIrrelevantDtmiOrTerm"),
        ({"@type": ["Telemetry", "dtmi:ex:b"]}, "typeInvalidDtmi"),
        ({"@foo": 1}, "ok"),
    ],
)  # fmt: skip
def test_dtdl_2_is_open_to_what_it_does_not_know(members: dict[str, Any], said: str) -> None:
    assert verdict(telemetry(2, **members)) == said


def test_what_an_enumeration_value_may_hold_follows_from_its_place() -> None:
    value = {"name": "low", "enumValue": 1, "foo": 1}
    assert verdict(enum(2, enumValues=[value])) == "inferredTypeDoesNotAllow"
    assert verdict(enum(2, enumValues=[{"@type": "EnumValue", **value}])) == "noTypeThatAllows"
    assert verdict(enum(3, enumValues=[value])) == "propertyUndefinedTerm"


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"foo": 1}, "propertyUndefinedTerm"), ({"dtmi:ex:b;1": 1}, "propertyIrrelevantDtmiOrTerm"),
        ({"ex:b": 1}, "propertyNotDtmiNorTerm"), ({"dtmi:_b;1": 1}, "propertyInvalidDtmi"),
        ({"extends": "dtmi:ex:b;1"}, "propertyIrrelevantDtmiOrTerm"),
        ({"@foo": 1}, "keywordDisallowed"),
        ({"@graph": {}}, "graphDisallowed"), ({"@graph": 1}, "graphNotObject"),
        ({"@type": ["Telemetry", "Foo"]}, "typeUndefinedTerm"),
    ],
)  # fmt: skip
def test_newer_languages_know_all_their_words(
    version: int, members: dict[str, Any], said: str
) -> None:
    assert verdict(telemetry(version, **members)) == said
    if "@" not in "".join(members):
        open_ = telemetry(version, [f"{CORE}{version}", "dtmi:ex:other;1"], **members)
        allowed = verdict(open_, undefined_extensions="allow")
        assert allowed in ("noTypeThatAllows", said)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("metre", "ok"), (["metre"], "ok"), ("kilogram", "wrongParent"),
        ("Nothing", "badDtmiOrTerm"),
        ([], "objectCountBelowMin"), ({"@type": "Enum"}, "refObjectNotAllowed"),
        ("long", "wrongParent"),
    ],
)  # fmt: skip
def test_a_unit_measures_what_its_type_says(version: int, unit: Any, said: str) -> None:
    assert verdict(quantity(version, **{"@type": ["Telemetry", "Length"], "unit": unit})) == said


def test_words_of_the_language_come_before_those_of_extensions() -> None:
    """`byte` is a unit in quantitativeTypes and since DTDL 4 a schema, which wins there."""
    assert verdict(quantity(4, schema="byte")) == "ok"
    assert verdict(quantity(3, schema="byte")) == "badType"
    sized = {"@type": ["Telemetry", "DataSize"], "schema": "long"}
    assert verdict(quantity(3, **sized, unit="byte")) == "ok"
    assert verdict(quantity(4, **sized, unit="byte")) == "wrongParent"
    full = "dtmi:dtdl:extension:quantitativeTypes:v2:unit:byte"
    assert verdict(quantity(4, **sized, unit=full)) == "ok"
    with pytest.raises(ModelInvalid) as caught:
        parse([quantity(4, **sized, unit="byte")])
    assert caught.value.problems[0].cure == f"write it as its DTMI, {full}"
    old = [f"{CORE}2", "dtmi:dtdl:extension:quantitativeTypes;1"]
    warm = {"@type": ["Telemetry", "Temperature"], "unit": "degreeCelsius"}
    assert verdict(telemetry(2, old, **warm)) == "ok"


def nested(value: Any) -> Any:
    """The same model with every member's value inside two arrays, where that means nothing."""
    if isinstance(value, list):
        return [nested(v) for v in value]
    if not isinstance(value, dict):
        return value
    return {k: v if k[0] == "@" else [[nested(v)]] for k, v in value.items()}


def spelled(value: Any, version: int) -> Any:
    """The same model with every member written as its DTMI."""
    if isinstance(value, list):
        return [spelled(v, version) for v in value]
    if not isinstance(value, dict):
        return value
    said = {k: k if k[0] == "@" else f"dtmi:dtdl:property:{k};{version}" for k in value}
    return {said[k]: spelled(v, version) for k, v in value.items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_model_means_the_same_in_each_way_to_write_it(version: int) -> None:
    fields = [{"name": "x", "schema": "double", "displayName": "X"}]
    schema = {"@type": "Object", "fields": fields, "comment": "a place"}
    contents = [
        {"@type": "Telemetry", "name": "at", "schema": schema},
        {"@type": "Relationship", "name": "near", "target": "dtmi:ex:b;1", "maxMultiplicity": 2},
    ]
    plain = model(version, contents=contents, description="a thing")

    def elements(document: Any) -> Any:
        found: Ontology = parse([document])
        return {id_: dict(found.elements[id_]) for id_ in found.elements}

    assert elements(nested(plain)) == elements(plain)
    assert elements(spelled(plain, version)) == elements(plain)
    assert elements([[plain]]) == elements(plain)
    assert parse([plain]).interfaces["dtmi:ex:a;1"].contents.keys() == {"at", "near"}
