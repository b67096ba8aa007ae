"""Latest readings as fields of their twins, each with its history, and lines over all twins that a
query found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from twinfall.api.graphql import connections
from twinfall.api.graphql.periods import Period, PointShape
from twinfall.api.graphql.planning import Shape, Shaping, enum_names
from twinfall.api.graphql.shapes import Field, Telemetry, Type
from twinfall.api.graphql.watches import instant

if TYPE_CHECKING:
    from twinfall.api.graphql.compiler import Compiler
    from twinfall.api.graphql.selection import Mention, SelectionSets

MAX_NAMES = 500
"""Names that one `_telemetry` may list."""


def latest(compiler: Compiler, field: Field, meaning: Telemetry, mention: Mention) -> Shape:
    """The latest reading of one name."""
    name = (meaning.name,)
    below = _reading(compiler, field.type_name, meaning.names, mention.below)

    def shape(row: Any, shaping: Shaping) -> Any:
        found = shaping.readings.of(row.id, name).get(meaning.name)
        return None if found is None else below(row.id, found, shaping)

    return shape


def latest_by_name(compiler: Compiler, shape: Type, field: Field, mention: Mention) -> Shape:
    """The latest readings of a twin, by name."""
    names = compiler.arguments(shape, field, mention).get("names")
    below = _reading(compiler, "Latest", None, mention.below)

    def made(row: Any, shaping: Shaping) -> Any:
        found = shaping.readings.of(row.id, names)
        return [below(row.id, found[name], shaping) for name in sorted(found)[:MAX_NAMES]]

    return made


_PARTS: Mapping[str, Callable[[Any], Any]] = {
    "name": lambda found: found.name,
    "time": lambda found: instant(found.time),
    "received": lambda found: instant(found.received),
    "unit": lambda found: found.unit,
    "stale": lambda found: found.stale,
    "untimed": lambda found: found.untimed,
}


def _reading(
    compiler: Compiler, type_name: str, names: Mapping[Any, str] | None, sets: SelectionSets
) -> Callable[[str, Any, Shaping], dict[str, Any]]:
    shape = compiler.schema.shapes.types[type_name]
    parts: list[tuple[str, Callable[[str, Any, Shaping], Any]]] = []
    for mention in connections.mentions(compiler, sets):
        if mention.name == connections.TYPENAME:
            parts.append((mention.key, lambda *_: type_name))
        elif mention.name == "value":
            parts.append((mention.key, _value(names)))
        elif mention.name == "history":
            parts.append((mention.key, _history(compiler, shape, names, mention)))
        else:
            part = _PARTS[mention.name]
            parts.append((mention.key, lambda _, found, __, part=part: part(found)))  # type: ignore[misc]
    return lambda twin, found, shaping: {k: make(twin, found, shaping) for k, make in parts}


def _value(names: Mapping[Any, str] | None) -> Callable[[str, Any, Shaping], Any]:
    if names is None:
        return lambda _, found, __: found.value
    return lambda _, found, __: enum_names(found.value, names)


def _history(
    compiler: Compiler, shape: Type, names: Mapping[Any, str] | None, mention: Mention
) -> Callable[[str, Any, Shaping], Any]:
    field = shape.fields["history"]
    arguments = compiler.arguments(shape, field, mention)
    listed = all(argument.name != "fn" for argument in field.arguments)
    period = Period.of(arguments, "raw" if listed else None)
    point = _point(compiler, field.type_name, names, mention.below)
    return lambda twin, found, shaping: shaping.readings.history(twin, found.name, period, point)


def _point(
    compiler: Compiler, type_name: str, names: Mapping[Any, str] | None, sets: SelectionSets
) -> PointShape:
    parts: list[tuple[str, PointShape]] = []
    for mention in connections.mentions(compiler, sets):
        if mention.name == "time":
            parts.append((mention.key, lambda time, _: instant(time)))
        elif mention.name == "value":
            parts.append((mention.key, _point_value(names)))
        else:
            parts.append((mention.key, lambda *_: type_name))
    return lambda time, value: {key: make(time, value) for key, make in parts}


def _point_value(names: Mapping[Any, str] | None) -> PointShape:
    if names is None:
        return lambda _, value: value
    return lambda _, value: enum_names(value, names)


def aggregate(compiler: Compiler, type_name: str, sets: SelectionSets) -> Callable[[Shaping], Any]:
    """Lines over all twins that the root field's query found."""
    shape = compiler.schema.shapes.types[type_name]
    parts: list[tuple[str, Callable[[Shaping], Any]]] = []
    for mention in connections.mentions(compiler, sets):
        if mention.name == connections.TYPENAME:
            parts.append((mention.key, lambda _: type_name))
        else:
            parts.append((mention.key, _line(compiler, shape, mention)))
    return lambda shaping: {key: make(shaping) for key, make in parts}


def _line(compiler: Compiler, shape: Type, mention: Mention) -> Callable[[Shaping], Any]:
    field = shape.fields[mention.name]
    assert isinstance(field.meaning, Telemetry)
    arguments = compiler.arguments(shape, field, mention)
    if arguments.get("every") is None and arguments.get("points") is None:
        arguments = {**arguments, "points": 1}
    period, name = Period.of(arguments), field.meaning.name
    point = _point(compiler, "FloatPoint", None, mention.below)
    return lambda shaping: shaping.readings.sum(name, period, point)
