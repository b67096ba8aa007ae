"""Literal values: bare, in a one-element array, or as `{"@value": ..., "@type": ...}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from twinfall.ontology.dtdl.elements import Element, Path, Reading
from twinfall.ontology.dtdl.metamodel import PropertyRule
from twinfall.ontology.durations import DURATION

_XSD = ("xsd:", "http://www.w3.org/2001/XMLSchema#")
_LANGUAGE = re.compile(r"[a-z]{2,4}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?")
_OBJECT_KEYWORDS = {
    "@context": "Context",
    "@graph": "Graph",
    "@id": "Id",
    "@language": "Language",
}
_KINDS = {"string": str, "integer": int, "boolean": bool}
_NOTHING = object()
_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


@dataclass(slots=True)
class Place:
    """Where a literal stands: everything a problem needs to say."""

    reading: Reading
    element: Element
    rule: PropertyRule
    path: Path

    def fail(self, code: str, message: str, cure: str = "") -> Any:
        """Note a problem; the value counts as absent."""
        what = f'"{self.rule.name}": {message}'
        self.reading.report(code, what, self.path, self.element.id, cure)
        return _NOTHING

    def limit(self) -> int | None:
        """The longest text allowed under the limits in force."""
        lengths = self.rule.max_length
        return lengths.get(self.element.context.limits, lengths.get("")) if lengths else None


def read_literal(place: Place, raw: Any) -> Any:
    """The value, or `absent()` after noting problems."""
    datatype = place.rule.datatype
    if datatype == "string":
        if type(raw) is str:
            return _bounded(place, raw)
    elif datatype == "langString":
        return read_localized(place, raw)
    elif datatype == "json":
        return raw
    if isinstance(raw, list):
        items = flat(raw)
        if len(items) != 1:
            kind = "literal" if datatype == "any" else datatype
            if not items and place.rule.optional:
                return _NOTHING
            code = f"{kind}MultipleValues" if items else f"{kind}CountBelowMin"
            return place.fail(code, "needs exactly one value")
        raw = items[0]
    if isinstance(raw, dict):
        raw = _value_of(place, raw, datatype)
        if raw is _NOTHING:
            return raw
    return _typed(place, raw, datatype)


def flat(values: list[Any]) -> list[Any]:
    """The values with those of arrays inside arrays: in JSON-LD nesting them means nothing."""
    found: list[Any] = []
    for value in values:
        if isinstance(value, list):
            found += flat(value)
        else:
            found.append(value)
    return found


def is_absent(value: Any) -> bool:
    """Whether `read_literal` found nothing usable."""
    return value is _NOTHING


def _typed(place: Place, raw: Any, datatype: str) -> Any:
    if datatype == "integer":
        return _integer(place, raw)
    if datatype == "boolean":
        if not isinstance(raw, bool):
            return place.fail("booleanNotBoolean", "must be true or false")
        return raw
    if datatype == "any":
        if not isinstance(raw, str | int | float):
            return place.fail("literalNotValid", "must be a text or an integer")
        whole = isinstance(raw, float) and raw.is_integer()
        return int(raw) if whole else raw
    if datatype == "decimal":
        return _decimal(place, raw)
    if not isinstance(raw, str):
        return place.fail("stringNotString", "must be a text")
    if datatype == "duration" and not DURATION.fullmatch(raw):
        cure = 'write it as in "PT30S" or "P1D"'
        return place.fail("durationInvalid", f'"{raw}" is not an ISO 8601 duration', cure)
    return _bounded(place, raw)


def _integer(place: Place, raw: Any) -> Any:
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or not is_int32(raw):
        return place.fail("integerNotInteger", "must be an integer of 32 bits")
    low, high = place.rule.min_inclusive, place.rule.max_inclusive
    if low is not None and low == high and raw != low:
        return place.fail("valueNotExact", f"must be {low}")
    if low is not None and raw < low:
        return place.fail("valueBelowMin" if high is None else "valueBelowRange", f"is below {low}")
    if high is not None and raw > high:
        return place.fail("valueAboveMax" if low is None else "valueAboveRange", f"is above {high}")
    return raw


def is_int32(value: int) -> bool:
    """Whether an integer is one of DTDL's own members and of its schema `integer`."""
    return -(2**31) <= value < 2**31


def _decimal(place: Place, raw: Any) -> Any:
    if isinstance(raw, str) and _DECIMAL.fullmatch(raw):
        return raw
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return place.fail("numericNotNumeric", "must be a number")
    return raw


def _bounded(place: Place, raw: str) -> Any:
    limit = place.limit()
    if limit is not None and len(raw) > limit:
        return place.fail("stringTooLong", f"is longer than {limit} characters")
    pattern = place.rule.pattern
    if pattern is not None and not pattern.fullmatch(raw):
        cure = "letters, digits and underscores, first a letter, last no underscore"
        return place.fail("stringInvalid", f'"{raw}" is malformed', cure)
    return raw


def _value_of(place: Place, raw: dict[str, Any], datatype: str) -> Any:
    kind = "string" if datatype in ("duration", "IRI") else datatype
    before = len(place.reading.problems)
    for key in raw:
        if key in ("@value", "@type"):
            continue
        _refuse_member(place, key)
    written = _written_type(place, raw, kind) if "@type" in raw else kind
    if "@value" not in raw:
        said = "literal" if kind == "any" else kind
        place.fail(f"{said}ObjectNoValue", 'an object must have "@value"')
    elif written in _KINDS and not _is_kind(raw["@value"], written):
        place.fail(f"{written}ValueNot{written.capitalize()}", f'"@value" must be a {written}')
    return _NOTHING if len(place.reading.problems) > before else raw["@value"]


def _written_type(place: Place, raw: dict[str, Any], kind: str) -> str:
    given = raw["@type"]
    if isinstance(given, list) and len(given) == 1:
        given = given[0]
    elif not isinstance(given, str):
        place.fail("literalTypeNotSingular", '"@type" must be one type')
        return ""
    name = str(given)
    for prefix in _XSD:
        name = name.removeprefix(prefix)
    if name == str(given) or (kind in _KINDS and name != kind) or name not in _KINDS:
        code = f"{kind}TypeNot{kind.capitalize()}" if kind in _KINDS else "literalTypeInvalid"
        place.fail(code, f'"@type" cannot be "{given}"')
        return ""
    return name


def _is_kind(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _KINDS[kind])


def _refuse_member(place: Place, key: str) -> None:
    if key == "@language" and place.element.version in place.reading.metamodel.open_versions:
        return
    if key in _OBJECT_KEYWORDS:
        place.fail(f"valueObject{_OBJECT_KEYWORDS[key]}", f'"{key}" has no place beside "@value"')
    elif key.startswith("@"):
        if place.element.version in place.reading.metamodel.keyword_versions:
            place.fail("valueObjectKeyword", f'"{key}" has no place beside "@value"')
    else:
        place.fail("valueObjectInvalidProp", f'"{key}" has no place beside "@value"')


def read_localized(place: Place, raw: Any) -> Any:
    """Text by language code from any of the forms; a bare text is English."""
    if isinstance(raw, str):
        return {"en": raw} if _fits(place, raw) else _NOTHING
    if isinstance(raw, list):
        return _localized_list(place, raw)
    if isinstance(raw, dict):
        return _language_map(place, raw)
    return place.fail("langStringElementNotStringOrObject", "must be a text or texts by language")


def _fits(place: Place, text: str) -> bool:
    limit = place.limit()
    if limit is not None and len(text) > limit:
        place.fail("langStringValueTooLong", f"is longer than {limit} characters")
        return False
    return True


def _language_map(place: Place, raw: dict[str, Any]) -> Any:
    found: dict[str, str] = {}
    tagged = raw.keys() == {"@value", "@language"}
    if tagged and all(isinstance(v, str) for v in raw.values()):
        cure = 'write it in an array, or as {"en": ...}'
        return place.fail("langTagValueInLangMap", "one text with its language", cure)
    for code, text in raw.items():
        if code.startswith("@"):
            place.fail("langMapObjKeyword", f'"{code}" is not a language')
        elif not _LANGUAGE.fullmatch(code):
            place.fail("langStringInvalidCode", f'"{code}" is not a language code such as "en-US"')
        elif not isinstance(text, str):
            place.fail("langStringValueNotString", f'the text for "{code}" must be a text')
        elif _fits(place, text):
            found[code] = text
    return found


def _localized_list(place: Place, raw: list[Any]) -> Any:
    found: dict[str, str] = {}
    for item in flat(raw):
        if isinstance(item, str):
            code, text = "en", item
        elif isinstance(item, dict):
            code, text = _localized_element(place, item)
        else:
            place.fail("langStringElementNotStringOrObject", "must be texts or language objects")
            continue
        if not code:
            continue
        if code in found:
            place.fail("langStringElementCodeNotUnique", f'"{code}" is given twice')
        elif _fits(place, text):
            found[code] = text
    return found


def _localized_element(place: Place, item: dict[str, Any]) -> tuple[str, str]:
    before = len(place.reading.problems)
    for key in item:
        _refuse_element_member(place, key)
    code = item.get("@language", "en")
    if not isinstance(code, str):
        place.fail("langStringElementCodeNotString", '"@language" must be a text')
    elif not _LANGUAGE.fullmatch(code):
        place.fail("langStringElementInvalidCode", f'"{code}" is not a language code')
    if "@value" not in item:
        place.fail("langStringElementNoValue", 'an object must have "@value"')
    elif not isinstance(item["@value"], str):
        place.fail("langStringElementValueNotString", '"@value" must be a text')
    if len(place.reading.problems) > before:
        return "", ""
    return code, item["@value"]


def _refuse_element_member(place: Place, key: str) -> None:
    if key in ("@value", "@language"):
        return
    special = {"@context": "Context", "@graph": "Graph", "@id": "Id", "@type": "Type"}
    if key == "@type" and place.element.version in place.reading.metamodel.open_versions:
        return
    if key in special:
        place.fail(f"langStringElement{special[key]}", f'"{key}" has no place here')
    elif key.startswith("@"):
        if place.element.version in place.reading.metamodel.keyword_versions:
            place.fail("langStringElementKeyword", f'"{key}" has no place here')
    else:
        place.fail("langStringElementInvalidProp", f'"{key}" has no place here')
