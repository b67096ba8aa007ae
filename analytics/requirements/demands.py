"""What may stand under `require`, word by word."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, get_args

from twinfall.analytics.members import Members
from twinfall.analytics.requirements.requirement import (
    LIMITED,
    Autonomy,
    CutSets,
    Demand,
    Evaluated,
    ImpactLimits,
    InState,
    Limit,
    Margin,
    Named,
    SinglePoints,
    Survival,
    Up,
)
from twinfall.analytics.requirements.vocabulary import Vocabulary
from twinfall.analytics.states import State

MAX_ORDER = 3
"""Largest cut sets that are looked for."""
ReadNamed = Callable[[Any, str], Named]


class Reading(ABC):
    """Reads the content of one demand."""

    def __init__(self, members: Members, vocabulary: Vocabulary, named: ReadNamed) -> None:
        self.members = members
        self.vocabulary = vocabulary
        self.named = named

    @abstractmethod
    def demand(self, value: Any, place: str) -> Demand:
        """The demand that this says; what is wrong is noted."""

    def excepted(self, found: Mapping[str, Any], place: str) -> Named:
        """Failures that are not counted."""
        return self.named(found["except"], f"{place}/except") if "except" in found else Named()

    def group(self, found: Mapping[str, Any], place: str) -> str | None:
        """A declared group."""
        group = self.members.text(found, "group", place)
        if group:
            self.vocabulary.check_group(group, f"{place}/group", self.members)
        return group or None

    def true(self, value: Any, place: str) -> None:
        """Nothing but true makes sense."""
        if value is not True:
            self.members.bad("notTrue", place, "it must be true", "leave it out otherwise")


class _SinglePoints(Reading):
    def demand(self, value: Any, place: str) -> Demand:
        found = self.members.mapping(value, place, ("max", "except", "within"))
        most = self.members.count(found, "max", place, 0)
        within = self.members.duration(found, "within", place)
        return SinglePoints(most, self.excepted(found, place), within)


class _CutSets(Reading):
    def demand(self, value: Any, place: str) -> Demand:
        found = self.members.mapping(value, place, ("order", "max", "except"))
        order = self.members.count(found, "order", place, 2)
        if not 1 <= order <= MAX_ORDER:
            message = f"it must be from 1 to {MAX_ORDER}"
            self.members.bad("badOrder", f"{place}/order", message)
        most = self.members.count(found, "max", place, 0)
        return CutSets(order, most, self.excepted(found, place))


class _Impact(Reading):
    def demand(self, value: Any, place: str) -> Demand:
        found = self.members.mapping(value, place, (*LIMITED, "services", "within"))
        limits = [
            Limit(name, self._most(found[name], f"{place}/{name}"))
            for name in LIMITED
            if name in found
        ]
        if "services" in found:
            limits += self._services(found["services"], f"{place}/services")
        if isinstance(value, dict) and not limits:
            message = f"it must limit one of {', '.join(LIMITED)}, services"
            self.members.bad("noLimit", place, message)
        return ImpactLimits(tuple(limits), self.members.duration(found, "within", place))

    def _services(self, value: Any, place: str) -> list[Limit]:
        if not isinstance(value, dict):
            message = "it must have a limit for each service: {health: {max: 0}}"
            self.members.bad("notMembers", place, message)
            return []
        limits = []
        for name, content in value.items():
            self.vocabulary.check_service(name, f"{place}/{name}", self.members)
            limits.append(Limit(name, self._most(content, f"{place}/{name}"), service=True))
        return limits

    def _most(self, value: Any, place: str) -> float:
        found = self.members.mapping(value, place, ("max",))
        if "max" in found:
            return self.members.number(found["max"], f"{place}/max")
        if isinstance(value, dict):
            self.members.bad("missing", f"{place}/max", "it is missing", "{max: 500}")
        return 0.0


class _Survival(Reading):
    def demand(self, value: Any, place: str) -> Demand:
        found = self.members.mapping(value, place, ("min", "except"))
        return Survival(_least(self.members, found, place), self.excepted(found, place))


class _Autonomy(Reading):
    def demand(self, value: Any, place: str) -> Demand:
        found = self.members.mapping(value, place, ("min", "group"))
        return Autonomy(_least(self.members, found, place), self.group(found, place))


def _least(members: Members, found: Mapping[str, Any], place: str) -> float:
    seconds = members.duration(found, "min", place)
    if seconds is None:
        members.bad("missing", f"{place}/min", "it is missing", "such as PT4H")
    return seconds or 0.0


class _Margin(Reading):
    def demand(self, value: Any, place: str) -> Demand:
        found = self.members.mapping(value, place, ("min", "group"))
        return Margin(self.members.count(found, "min", place, None), self.group(found, place))


class _Up(Reading):
    def demand(self, value: Any, place: str) -> Demand:
        self.true(value, place)
        return Up()


class _Evaluated(Reading):
    def demand(self, value: Any, place: str) -> Demand:
        self.true(value, place)
        return Evaluated()


class _States(Reading):
    def demand(self, value: Any, place: str) -> Demand:
        known: tuple[State, ...] = get_args(State)
        found: list[State] = []
        for n, word in enumerate(self.members.rows(value, place, len(known))):
            if word in known:
                found.append(word)
            else:
                message = f"it must be one of {', '.join(known)}"
                self.members.bad("badWord", f"{place}/{n}", message)
        return InState(tuple(dict.fromkeys(found)))


KINDS: Mapping[str, type[Reading]] = {
    "singlePointsOfFailure": _SinglePoints,
    "cutSets": _CutSets,
    "impact": _Impact,
    "survival": _Survival,
    "autonomy": _Autonomy,
    "margin": _Margin,
    "up": _Up,
    "states": _States,
    "evaluated": _Evaluated,
}
