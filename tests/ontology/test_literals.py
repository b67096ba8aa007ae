"""Names, numbers, truths and texts: each way to write them, with the reference parser's code."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ontology.language import VERSIONS, model, relationship, telemetry, verdict


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        (["t"], "ok"), ([["t"]], "ok"), ({"@value": "t"}, "ok"),
        ({"@value": "t", "@type": "xsd:string"}, "ok"),
        ({"@value": "t", "@type": "xsd:integer"}, "dtmiSegPropertyNotStringOrNumber"),
        ({"@value": 5, "@type": "xsd:integer"}, "stringTypeNotString"),
        (5, "stringNotString"), (1.5, "stringNotString"), ({"@value": 5}, "stringValueNotString"),
        (True, "dtmiSegPropertyNotStringOrNumber"), (None, "dtmiSegPropertyNotStringOrNumber"),
        ([], "dtmiSegPropertyNotStringOrNumber"), (["t", "u"], "dtmiSegPropertyNotStringOrNumber"),
        ({"en": "t"}, "dtmiSegPropertyNotStringOrNumber"),
        ("9", "stringInvalid"), ("t_", "stringInvalid"), ("a b", "stringInvalid"),
        ("é", "stringInvalid"),
    ],
)  # fmt: skip
def test_a_name_makes_the_identifier_of_what_has_none(version: int, name: Any, said: str) -> None:
    assert verdict(telemetry(version, name=name)) == said


def test_a_content_without_name_and_identifier_cannot_be_told_from_others() -> None:
    assert verdict(model(contents=[{"@type": "Command"}])) == "missingDtmiSegPropertyValue"
    named = {"@type": "Command", "@id": "dtmi:ex:c;1"}
    assert verdict(model(contents=[named])) == "missingLiteralProperty"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1, "ok"), (1.0, "ok"), ([1], "ok"), ([[1]], "ok"), ([], "ok"), ([[]], "ok"),
        ({"@value": 1}, "ok"), ({"@value": 1.0, "@type": "xsd:integer"}, "ok"),
        ({"@value": 1, "@type": "http://www.w3.org/2001/XMLSchema#integer"}, "ok"),
        (0, "valueBelowMin"), (2**31, "integerNotInteger"), (1e20, "integerNotInteger"),
        (1.5, "integerNotInteger"), ("1", "integerNotInteger"), (True, "integerNotInteger"),
        (None, "integerNotInteger"), ([1, 1], "integerMultipleValues"),
        ({"@value": "1"}, "integerValueNotInteger"),
        ({"x": 1}, "integerObjectNoValue valueObjectInvalidProp"),
        ({"@value": 1, "@type": "xsd:string"}, "integerTypeNotInteger"),
        ({"@value": 1, "@type": "integer"}, "integerTypeNotInteger"),
        ({"@value": 1, "@type": 5}, "literalTypeNotSingular"),
        ({"@value": 1, "@type": ["xsd:integer", "xsd:string"]}, "literalTypeNotSingular"),
        ({"@value": 1, "@id": "dtmi:ex:b;1"}, "valueObjectId"),
    ],
)  # fmt: skip
def test_a_whole_number_is_one_in_each_way_to_write_it(version: int, value: Any, said: str) -> None:
    if said == "valueBelowMin" and version == 2:
        said = "valueBelowRange"
    assert verdict(relationship(version, maxMultiplicity=value)) == said


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "ok"), ([True], "ok"), ({"@value": True}, "ok"), ("true", "booleanNotBoolean"),
        (1, "booleanNotBoolean"), ({"@value": "true"}, "booleanValueNotBoolean"),
        ({"@value": None}, "booleanValueNotBoolean"), ([True, True], "booleanMultipleValues"),
    ],
)  # fmt: skip
def test_a_truth_is_one_in_each_way_to_write_it(version: int, value: Any, said: str) -> None:
    content = {"@type": "Property", "name": "p", "schema": "double", "writable": value}
    assert verdict(model(version, contents=content)) == said


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a", "ok"), (["a"], "ok"), ({"en": "a", "de-AT": "b", "zh-Hans-CN": "c"}, "ok"),
        ({}, "ok"),
        ([], "ok"), ([["a"], [{"@value": "b", "@language": "it"}]], "ok"),
        ([{"@value": "a"}], "ok"),
        (5, "langStringElementNotStringOrObject"), (None, "langStringElementNotStringOrObject"),
        ([5], "langStringElementNotStringOrObject"), (["a", "b"], "langStringElementCodeNotUnique"),
        (["a", {"@value": "b", "@language": "en"}], "langStringElementCodeNotUnique"),
        ({"@value": "a", "@language": "en"}, "langTagValueInLangMap"),
        ({"@value": "a"}, "langMapObjKeyword"), ({"en": "a", "@id": "b"}, "langMapObjKeyword"),
        ({"EN": "a"}, "langStringInvalidCode"), ({"en": 5}, "langStringValueNotString"),
        ([{"@language": "en"}], "langStringElementNoValue"),
        ([{"@value": 5}], "langStringElementValueNotString"),
        ([{"@value": "a", "@language": "EN"}], "langStringElementInvalidCode"),
        ([{"@value": "a", "@language": 5}], "langStringElementCodeNotString"),
        ([{"en": "a"}], "langStringElementInvalidProp langStringElementNoValue"),
    ],
)  # fmt: skip
def test_a_text_for_people_comes_in_several_languages(version: int, value: Any, said: str) -> None:
    assert verdict(model(version, displayName=value)) == said
