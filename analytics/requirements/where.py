"""`where`: properties of the selected models, compared with constants.

where: {beds: {gte: 100}, kind: general, closed: {null: true}}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from twinfall.analytics.members import Members
from twinfall.analytics.requirements.vocabulary import Vocabulary
from twinfall.graph.canonical import canonical_instant
from twinfall.graph.plan import All, Compare, Condition, FieldRef, Operator
from twinfall.graph.values import FieldType, field_type
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.names import field_name

MAX_VALUES = 10_000
_ORDER = ("lt", "lte", "gt", "gte")
_SCALAR = ("eq", "in", *_ORDER)
_WORDS: Mapping[FieldType, tuple[str, ...]] = {
    "boolean": ("eq",),
    "integer": _SCALAR,
    "unsignedLong": _SCALAR,
    "float": _SCALAR,
    "text": (*_SCALAR, "contains", "startsWith", "endsWith"),
    "dateTime": _SCALAR,
    "date": _SCALAR,
    "list": (),
    "json": (),
}
_MAX_INTEGER: Mapping[str, int] = {"integer": 2**63 - 1, "unsignedLong": 2**64 - 1}


def condition(
    value: Any, place: str, members: Members, vocabulary: Vocabulary, models: Sequence[str]
) -> Condition | None:
    """All of the comparisons; every model must have the properties. What is wrong is noted."""
    if not isinstance(value, dict) or not value:
        members.bad("badWhere", place, "it must compare properties: {beds: {gte: 100}}")
        return None
    parts: list[Condition] = []
    for name, content in value.items():
        here = f"{place}/{name}"
        kind = _kind(name, here, members, vocabulary, models)
        if kind is None:
            continue
        given = content if isinstance(content, dict) else {"eq": content}
        words = (*_WORDS[kind], "null")
        for word, wanted in members.mapping(given, here, words).items():
            value_ = _value(kind, word, wanted)
            if value_ is None:
                shown = "true or false" if word == "null" else f"of the type {kind}"
                members.bad("badValue", f"{here}/{word}", f"it must be {shown}")
                continue
            reference = FieldRef(field_name(name), kind)
            parts.append(Compare(reference, cast(Operator, word), value_))
    return All(tuple(parts))


def _kind(
    name: str, place: str, members: Members, vocabulary: Vocabulary, models: Sequence[str]
) -> FieldType | None:
    """How the property is stored, the same on all models."""
    kinds: set[FieldType] = set()
    for model in models:
        properties = vocabulary.ontology.interfaces[model].of_kind("Property")
        if name not in properties:
            called = vocabulary.names.entries.get(model, model)
            cure = did_you_mean(name, properties) or f"it has {', '.join(properties) or 'none'}"
            message = f"{called} has no property {name[:200]!r}"
            members.bad("unknownProperty", place, message, cure)
            return None
        kinds.add(field_type(properties[name].schema))
    if len(kinds) > 1:
        members.bad("badWhere", place, f"the models have {name!r} with different types")
        return None
    return kinds.pop() if kinds else None


def _value(kind: FieldType, word: str, value: Any) -> Any:
    """The value as stores compare it; None where it is of another type."""
    if word == "null":
        return value if isinstance(value, bool) else None
    if word == "in":
        if not isinstance(value, list) or not 0 < len(value) <= MAX_VALUES:
            return None
        found = [_scalar(kind, one) for one in value]
        return None if None in found else found
    return _scalar(kind, value)


def _scalar(kind: FieldType, value: Any) -> Any:
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool):
        return None
    if kind in _MAX_INTEGER:
        fits = isinstance(value, int) and abs(value) <= _MAX_INTEGER[kind]
        return value if fits else None
    if kind == "float":
        return float(value) if isinstance(value, int | float) else None
    if not isinstance(value, str):
        return None
    return _instant(value) if kind == "dateTime" else value


def _instant(text: str) -> str | None:
    try:
        return canonical_instant(text)
    except ValueError:
        return None
