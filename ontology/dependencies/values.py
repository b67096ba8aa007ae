"""The value of one member, from what is written to its final type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from twinfall.ontology.declarations import Binding, Source
from twinfall.ontology.dependencies.layers import Given, Place
from twinfall.ontology.dependencies.vocabulary import LIMIT, LOCATION, SOURCE, Member
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.durations import duration_seconds
from twinfall.ontology.errors import Problem, stop_at_limit
from twinfall.ontology.model import Content, Enum, Primitive, Schema

MAX_WORD = 512
MAX_ITEMS = 1_000
MAX_NUMBER = 1e30
"""Of either sign: sums over a whole graph, and their squares, stay far within a double."""
MAX_INTEGER = 2**31 - 1
MAX_SECONDS = 1e12
"""Thirty thousand years."""
BAD: Any = object()
"""Not a value: a problem was noted."""

_INTEGERS = frozenset(
    [
        "byte",
        "short",
        "integer",
        "long",
        "unsignedByte",
        "unsignedShort",
        "unsignedInteger",
        "unsignedLong",
    ]
)
_NUMBERS = _INTEGERS | {"double", "float", "decimal"}
_FITTING: Mapping[str, frozenset[str]] = {
    "number": _NUMBERS,
    "integer": _INTEGERS,
    "flag": frozenset({"boolean"}),
    "duration": frozenset({"duration"}) | _NUMBERS,
    "word": frozenset({"string"}),
}
_IN_WORDS = {
    "number": "a number",
    "integer": "an integer",
    "flag": "true or false",
    "duration": "an ISO 8601 duration of weeks, days and time such as PT30S or P1D",
    "word": "a word",
}


@dataclass(slots=True)
class Scope:
    """Which properties a binding may read, and where problems go.

    `readable` are those in reach, `owners` says in words whose they are; `any_twin` that the
    dependent twin's model is open, so that a property of any model may be meant.
    """

    readable: Mapping[str, Content]
    owners: str
    telemetry: Mapping[str, Content] = field(default_factory=lambda: MappingProxyType({}))
    any_twin: bool = False
    problems: list[Problem] = field(default_factory=list)

    def fail(self, place: Place, code: str, message: str, cure: str = "") -> Any:
        """Note a problem."""
        self.problems.append(place.problem(code, message, cure))
        stop_at_limit(self.problems)
        return BAD


def read_members(
    given: Mapping[str, Given], vocabulary: Mapping[str, Member], scope: Scope
) -> dict[str, Any]:
    """Final values of the members that are right, by member name; problems for the others."""
    found = {}
    for name, item in given.items():
        member = vocabulary.get(name)
        if member is None:
            cure = did_you_mean(name, vocabulary) or f"known here: {', '.join(vocabulary)}"
            scope.fail(item.place, "unknownMember", f'there is no member "{name}"', cure)
            continue
        value = read_value(name, member, item, scope)
        if value is not BAD:
            found[name] = value
    return found


def read_value(name: str, member: Member, given: Given, scope: Scope) -> Any:
    """One value, constant or Binding; BAD where it is neither."""
    if isinstance(given.value, dict) and member.bound and "from" in given.value:
        return _binding(name, member, given, scope)
    return _SHAPES[member.shape](name, member, given, scope)


def _binding(name: str, member: Member, given: Given, scope: Scope) -> Any:
    written = dict(given.value)
    source = written.pop("from")
    default = written.pop("default", None)
    for extra in written:
        cure = did_you_mean(extra, ("from", "default")) or "a binding has from and default"
        message = f'there is no member "{extra}"'
        scope.fail(given.place.at(extra), "unknownMember", message, cure)
    if not isinstance(source, str) or not _is_readable(source, member, given.place, scope):
        return BAD
    spoken = member.live and source in scope.telemetry
    if default is None:
        return Binding(source, member.default, spoken)
    constant = Given(default, given.place.at("default"))
    value = _SHAPES[member.shape](name, member, constant, scope)
    return BAD if value is BAD else Binding(source, value, spoken)


def _is_readable(source: str, member: Member, place: Place, scope: Scope) -> bool:
    at = place.at("from")
    prop = scope.readable.get(source)
    if prop is None and member.live:
        prop = scope.telemetry.get(source)
    if prop is None:
        if scope.any_twin:
            return True
        cure = did_you_mean(source, scope.readable)
        if source in scope.telemetry:
            cure = f'"{source}" is telemetry; bind to a property'
        scope.fail(at, "unknownBinding", f'{scope.owners} has no property "{source}"', cure)
        return False
    if not _is_fitting(member.shape, prop.schema):
        message = f'the {prop.kind.lower()} "{source}" does not hold {_IN_WORDS[member.shape]}'
        scope.fail(at, "unfitBinding", message)
        return False
    return True


def _is_fitting(shape: str, schema: Schema | None) -> bool:
    if isinstance(schema, Enum):
        return shape == "word" and schema.value_schema == "string"
    return isinstance(schema, Primitive) and schema.name in _FITTING[shape]


def _word(name: str, member: Member, given: Given, scope: Scope) -> Any:
    value = given.value
    if isinstance(value, str) and 0 < len(value.strip()) == len(value) <= MAX_WORD:
        return value
    return scope.fail(given.place, "badValue", f'"{name}" must be {_IN_WORDS["word"]}')


def _choice(name: str, member: Member, given: Given, scope: Scope) -> Any:
    if isinstance(given.value, str) and given.value in member.choices:
        return given.value
    choices = " or ".join(member.choices)
    cure = did_you_mean(str(given.value), member.choices)
    return scope.fail(given.place, "badValue", f'"{name}" must be {choices}', cure)


def _flag(name: str, member: Member, given: Given, scope: Scope) -> Any:
    if isinstance(given.value, bool):
        return given.value
    return scope.fail(given.place, "badValue", f'"{name}" must be true or false')


def _number(name: str, member: Member, given: Given, scope: Scope) -> Any:
    value = given.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return scope.fail(given.place, "badValue", f'"{name}" must be a number')
    if abs(value) > MAX_NUMBER:
        message = f'"{name}" must be within {MAX_NUMBER:g}, not {float(value):g}'
        return scope.fail(given.place, "outOfRange", message)
    return _ranged(name, member, given, scope, float(value))


def _integer(name: str, member: Member, given: Given, scope: Scope) -> Any:
    value = given.value
    if isinstance(value, bool) or not isinstance(value, int):
        return scope.fail(given.place, "badValue", f'"{name}" must be an integer')
    if value > MAX_INTEGER:
        return scope.fail(given.place, "outOfRange", f'"{name}" must be at most {MAX_INTEGER}')
    return _ranged(name, member, given, scope, value)


def _ranged(name: str, member: Member, given: Given, scope: Scope, value: float) -> Any:
    low, high = member.low, member.high
    if low is not None and (value < low or (member.above_low and value == low)):
        relation = "above" if member.above_low else "at least"
        return scope.fail(given.place, "outOfRange", f'"{name}" must be {relation} {low:g}')
    if high is not None and value > high:
        return scope.fail(given.place, "outOfRange", f'"{name}" must be at most {high:g}')
    return value


def _duration(name: str, member: Member, given: Given, scope: Scope) -> Any:
    seconds = duration_seconds(given.value) if isinstance(given.value, str) else None
    if seconds is not None and seconds > MAX_SECONDS:
        message = f'"{name}" is longer than {MAX_SECONDS:g} seconds'
        return scope.fail(given.place, "outOfRange", message, "leave it away where it never ends")
    if seconds is not None:
        return seconds
    return scope.fail(given.place, "badValue", f'"{name}" must be {_IN_WORDS["duration"]}')


def _items(name: str, given: Given, scope: Scope) -> list[Given]:
    value = given.value if isinstance(given.value, list) else [given.value]
    if len(value) > MAX_ITEMS:
        scope.fail(given.place, "tooMany", f'"{name}" has more than {MAX_ITEMS} entries')
        return []
    return [Given(item, given.place.at(i)) for i, item in enumerate(value)]


def _words(name: str, member: Member, given: Given, scope: Scope) -> Any:
    found = [_word(name, member, item, scope) for item in _items(name, given, scope)]
    return BAD if BAD in found else tuple(dict.fromkeys(found))


def _sources(name: str, member: Member, given: Given, scope: Scope) -> Any:
    found = [_source(name, member, item, scope) for item in _items(name, given, scope)]
    if BAD in found:
        return BAD
    carriers = [s.carrier for s in found]
    if len(set(carriers)) < len(carriers):
        return scope.fail(given.place, "declaredTwice", "a carrier is listed twice in source")
    return tuple(found)


def _source(name: str, member: Member, given: Given, scope: Scope) -> Any:
    if not isinstance(given.value, dict):
        carrier = _word(name, member, given, scope)
        return BAD if carrier is BAD else Source(carrier)
    before = len(scope.problems)
    values = _nested(given, SOURCE, scope)
    if len(scope.problems) > before:
        return BAD
    if "carrier" not in values:
        return scope.fail(given.place, "missingMember", 'a source needs "carrier"')
    return Source(**values)


def _nested(given: Given, vocabulary: Mapping[str, Member], scope: Scope) -> dict[str, Any]:
    inner = {n: Given(v, given.place.at(n)) for n, v in given.value.items()}
    return read_members(inner, vocabulary, scope)


def _location(name: str, member: Member, given: Given, scope: Scope) -> Any:
    if not isinstance(given.value, dict):
        return scope.fail(given.place, "badValue", '"location" must hold x and y')
    before = len(scope.problems)
    values = _nested(given, LOCATION, scope)
    for axis in ("x", "y"):
        if axis not in given.value:
            scope.fail(given.place, "missingMember", f'"location" needs "{axis}"')
    return BAD if len(scope.problems) > before else MappingProxyType(values)


def _fragility(name: str, member: Member, given: Given, scope: Scope) -> Any:
    points = given.value if isinstance(given.value, list) else None
    if not points or len(points) > MAX_ITEMS or not all(_is_point(p) for p in points):
        message = '"fragility" must list [intensity, probability] pairs'
        return scope.fail(given.place, "badValue", message, "as in [[0, 0], [2.5, 0.4]]")
    curve = tuple((float(x), float(p)) for x, p in points)
    steps = list(pairwise(curve))
    if any(b[0] <= a[0] or b[1] < a[1] for a, b in steps):
        message = '"fragility" must rise: intensities strictly, probabilities never fall'
        return scope.fail(given.place, "badValue", message)
    return curve


def _is_point(point: Any) -> bool:
    if not isinstance(point, list) or len(point) != 2:
        return False
    numbers = all(isinstance(n, int | float) and not isinstance(n, bool) for n in point)
    return numbers and abs(point[0]) <= MAX_NUMBER and 0 <= point[1] <= 1


def _limits(name: str, member: Member, given: Given, scope: Scope) -> Any:
    if not isinstance(given.value, dict):
        message = '"limits" must map telemetry or properties to limits'
        return scope.fail(given.place, "badValue", message)
    before = len(scope.problems)
    found = {}
    for measured, written in given.value.items():
        found[measured] = _limit(measured, Given(written, given.place.at(measured)), scope)
    return BAD if len(scope.problems) > before else MappingProxyType(found)


def _limit(measured: str, given: Given, scope: Scope) -> Any:
    known = {**scope.readable, **scope.telemetry}
    content = known.get(measured)
    if content is None:
        message = f'{scope.owners} has no telemetry or property "{measured}"'
        return scope.fail(given.place, "unknownBinding", message, did_you_mean(measured, known))
    if not _is_fitting("number", content.schema):
        return scope.fail(given.place, "unfitBinding", f'"{measured}" does not hold a number')
    if not isinstance(given.value, dict):
        return scope.fail(given.place, "badValue", "a limit must say degraded or failed")
    before = len(scope.problems)
    found: dict[str, Any] = {}
    for name, value in given.value.items():
        found[name] = _limit_member(name, Given(value, given.place.at(name)), scope)
    if not {"degraded", "failed"}.intersection(found) and len(scope.problems) == before:
        cure = "as in failed: {max: 95}"
        return scope.fail(given.place, "missingMember", "a limit needs degraded or failed", cure)
    if len(scope.problems) == before and not _leaves_room(found):
        message = "the hysteresis leaves no room between min and max: it would never end"
        return scope.fail(given.place.at("hysteresis"), "outOfRange", message)
    return MappingProxyType(found)


def _leaves_room(limit: Mapping[str, Any]) -> bool:
    """Whether some value lies inside every level by the hysteresis."""
    by = limit.get("hysteresis", 0.0)
    levels = [limit[name] for name in ("degraded", "failed") if name in limit]
    bounded = [level for level in levels if "min" in level and "max" in level]
    return all(level["min"] + by <= level["max"] - by for level in bounded)


def _limit_member(name: str, given: Given, scope: Scope) -> Any:
    if name == "hysteresis":
        return _number(name, Member(name, "number", low=0), given, scope)
    if name == "hold":
        return _duration(name, Member(name, "duration"), given, scope)
    if name not in ("degraded", "failed"):
        known = ("degraded", "failed", "hysteresis", "hold")
        cure = did_you_mean(name, known) or f"known here: {', '.join(known)}"
        return scope.fail(given.place, "unknownMember", f'there is no member "{name}"', cure)
    if not isinstance(given.value, dict) or not given.value:
        return scope.fail(given.place, "badValue", f'"{name}" must hold min or max')
    values = _nested(given, LIMIT, scope)
    if "min" in values and "max" in values and values["min"] > values["max"]:
        return scope.fail(given.place, "outOfRange", "min is above max")
    return MappingProxyType(values)


_SHAPES: Mapping[str, Callable[[str, Member, Given, Scope], Any]] = MappingProxyType(
    {
        "word": _word,
        "choice": _choice,
        "number": _number,
        "integer": _integer,
        "flag": _flag,
        "duration": _duration,
        "words": _words,
        "sources": _sources,
        "limits": _limits,
        "fragility": _fragility,
        "location": _location,
    }
)
