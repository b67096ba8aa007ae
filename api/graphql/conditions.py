"""Where and sort arguments as conditions and sort keys of a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast

from twinfall.analytics import State
from twinfall.api.graphql.shapes import Shapes, Where
from twinfall.graph.models import Models
from twinfall.graph.plan import (
    ID,
    All,
    Compare,
    Component,
    Condition,
    Either,
    FieldRef,
    Ids,
    IsA,
    Not,
    Operator,
    Quantifier,
    Related,
    Sort,
)
from twinfall.ontology.errors import BadQuery, Refused, UnknownName

MAX_CONDITIONS = 500
"""Comparisons in one where argument."""
MAX_NESTING = 10
MAX_VALUES = 10_000
"""Values of one `in`."""

IdsInState = Callable[[Sequence[State]], Condition]
IdsByLatest = Callable[[str, str, Any], Condition]
"""Reading name, word of the filter, value: the twins whose latest reading passes."""


class Conditions:
    """Compiles the arguments of one root field. `in_state` answers filters on `_state`,
    `by_latest` those on readings.
    """

    def __init__(
        self, shapes: Shapes, models: Models, in_state: IdsInState, by_latest: IdsByLatest
    ) -> None:
        self._shapes = shapes
        self._ontology = models.ontology
        self._names = models.names
        self._in_state = in_state
        self._by_latest = by_latest
        self._left = MAX_CONDITIONS

    def where(self, type_name: str, value: Mapping[str, Any] | None) -> Condition | None:
        """A where argument of this input type; None where nothing is asked."""
        if not value:
            return None
        found = self._all(type_name, value, 0)
        return found.of[0] if len(found.of) == 1 else found

    def sort(self, type_name: str, value: Sequence[Mapping[str, Any]] | None) -> tuple[Sort, ...]:
        """A sort argument: entries of one field each."""
        keys = []
        for entry in value or ():
            given = {name: order for name, order in entry.items() if order is not None}
            if len(given) != 1:
                raise BadQuery(
                    f"an entry of sort names {len(given)} fields, it needs exactly one",
                    cure="sort: [{_name: ASC}, {id: DESC}]",
                )
            [(name, order)] = given.items()
            keys.append(Sort(self._shapes.types[type_name].sort[name], order == "desc"))
        return tuple(dict.fromkeys(keys))

    def family(self, model: str) -> IsA:
        """Twins of a model, by DTMI or name, and of those that extend it."""
        return IsA(self._ontology.family(self._dtmi(model)))

    # -- the tree -------------------------------------------------------------------------

    def _all(self, type_name: str, value: Mapping[str, Any], depth: int) -> All:
        if depth > MAX_NESTING:
            raise _too_costly(f"a where argument nests deeper than {MAX_NESTING}")
        meanings = self._shapes.types[type_name].where
        parts: list[Condition] = []
        for name, given in value.items():
            if given is None:
                raise _null(name)
            parts.append(self._one(type_name, meanings[name], given, depth))
        return All(tuple(parts))

    def _one(self, type_name: str, meaning: Where, given: Any, depth: int) -> Condition:
        if meaning.kind == "word":
            return self._word(type_name, meaning.name, given, depth)
        if meaning.kind == "component":
            return Component(meaning.name, self._all(meaning.of, given, depth + 1))
        if meaning.kind == "relation":
            return self._relation(meaning, given, depth)
        if meaning.kind == "incoming":
            return self._all(meaning.of, given, depth)
        return self._field(meaning, given)

    def _word(self, type_name: str, word: str, given: Any, depth: int) -> Condition:
        if word == "not":
            return Not(self._all(type_name, given, depth + 1))
        parts = tuple(self._all(type_name, one, depth + 1) for one in given)
        return All(parts) if word == "and" else Either(parts)

    def _relation(self, meaning: Where, given: Mapping[str, Any], depth: int) -> Condition:
        parts = []
        for quantifier, where in given.items():
            if where is None:
                raise _null(quantifier)
            inner = self._all(meaning.of, where, depth + 1)
            parts.append(
                Related(meaning.name, meaning.direction, cast(Quantifier, quantifier), inner)
            )
        return All(tuple(parts))

    def _field(self, meaning: Where, given: Mapping[str, Any]) -> Condition:
        parts: list[Condition] = []
        for word, value in given.items():
            self._count(word, value)
            if value is None:
                raise BadQuery(
                    f"{word}: null compares with nothing",
                    cure="ask {null: true} for twins without a value",
                )
            if meaning.kind == "state":
                parts.append(self._in_state(value if word == "in" else [value]))
            elif meaning.kind == "telemetry":
                parts.append(self._by_latest(meaning.name, word, value))
            elif meaning.kind == "model":
                parts.append(self._model(word, value))
            else:
                assert meaning.ref is not None
                parts.append(_compare(meaning.ref, word, value))
        return All(tuple(parts))

    def _count(self, word: str, value: Any) -> None:
        self._left -= 1
        if self._left < 0:
            raise _too_costly(f"a where argument has more than {MAX_CONDITIONS} comparisons")
        if word == "in" and value is not None and len(value) > MAX_VALUES:
            raise _too_costly(f"`in` has more than {MAX_VALUES} values")

    def _model(self, word: str, value: Any) -> Condition:
        if word == "is":
            return self.family(value)
        wanted = [value] if word == "eq" else value
        return IsA(tuple(self._dtmi(one) for one in wanted))

    def _dtmi(self, model: str) -> str:
        if model in self._ontology.interfaces:
            return model
        dtmi = self._names.dtmi(model)
        if dtmi is not None and dtmi in self._ontology.interfaces:
            return dtmi
        near = get_close_matches(model, self._known_models(), n=1)
        raise UnknownName(
            f"no model {model!r} is loaded",
            cure=f"did you mean {near[0]!r}?" if near else "the field `models` lists them",
        )

    def _known_models(self) -> list[str]:
        return [*self._ontology.interfaces, *(self._names.of(d) for d in self._ontology.interfaces)]


def _compare(ref: FieldRef, word: str, value: Any) -> Condition:
    if ref.name == ID and ref.on == "node" and word in ("eq", "in"):
        return Ids((value,) if word == "eq" else tuple(dict.fromkeys(value)))
    if word == "in":
        value = list(value)
    return Compare(ref, cast(Operator, word), value)


def _null(name: str) -> BadQuery:
    return BadQuery(
        f"where: {name} is null, which says nothing",
        cure=f"leave {name} out, or ask {{null: true}} for twins without a value",
    )


def _too_costly(message: str) -> Refused:
    return Refused(message, code="TOO_COSTLY", cure="ask in several steps")
