"""A scenario: what is assumed to fail, to be in order, to be built, removed or set, as a file says.

It is read once, at the door. Reading goes on after a problem, so that all of them are told at once,
each with its line, its place and its cure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from twinfall.analytics.members import BadDocument, Members, step
from twinfall.analytics.whatif.areas import Area, crs_of, is_finite, read_area
from twinfall.analytics.whatif.later import Later, When, read_later, read_when
from twinfall.ontology.dependencies.sidecar import Sidecar, read_sidecar
from twinfall.ontology.dtdl.text import NotStrict
from twinfall.ontology.durations import CURE, duration_seconds, why_no_duration
from twinfall.ontology.errors import BadInput, Problem, Refused

MAX_BYTES = 1_000_000
MAX_IDS = 10_000
MAX_EDITS = 10_000
MAX_SAMPLES = 5_000
MAX_TOLD = 100
"""Problems, or warnings, that are told of one scenario; the rest is counted."""
MAX_NAME = 128
VERSION = 1


class BadScenario(BadDocument):
    """A scenario that cannot be read, or does not fit the plant; `problems` has what is wrong."""

    code = "BAD_SCENARIO"
    place = "scenario"
    page = "docs/whatif.md"


@dataclass(frozen=True, slots=True)
class Link:
    """A relationship; `properties` as it would be written, `place` where the scenario has it."""

    source: str
    name: str
    target: str
    properties: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Hazard:
    """An event of one intensity over an area, tried `samples` times. Given its intensity, assets
    fail independently, each with the probability of its fragility.
    """

    area: Area
    intensity: float
    samples: int = 200
    seed: int = 1
    crs: str = ""
    """The coordinate system of the area, where the scenario names one."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is assumed; ids are twins, components or failure domains. `add` has relationships that
    are built, `change` properties that existing ones have instead, `remove` those that are gone;
    `set` values by twin; `horizon` is in seconds (None: to the end).
    """

    name: str = ""
    fail: tuple[str, ...] = ()
    repair: tuple[str, ...] = ()
    add: tuple[Link, ...] = ()
    change: tuple[Link, ...] = ()
    remove: tuple[Link, ...] = ()
    set: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    hazard: Hazard | None = None
    horizon: float | None = None
    at: When | None = None
    """When it happens; None: now."""
    then: tuple[Later, ...] = ()
    repairs: bool = False
    """Whether what fails is in order again after its declared time of repair."""
    written: Sidecar | None = field(default=None, compare=False, repr=False)
    """What it was read from."""

    @property
    def edits(self) -> bool:
        """Whether the plant itself is another one."""
        return bool(self.add or self.change or self.remove or self.set)

    def listed(self, member: str) -> Iterator[tuple[str, str]]:
        """The ids under `fail` or `repair`, each once, with the place of each."""
        found = self.written.value if self.written else None
        rows = found.get(member) if isinstance(found, Mapping) else None
        ids = getattr(self, member)
        rows = rows if isinstance(rows, list) else ids
        places = {one: i for i, one in reversed([*enumerate(rows)]) if isinstance(one, str)}
        for i, id_ in enumerate(ids):
            yield f"/{member}/{places.get(id_, i)}", id_

    def links(self, member: str) -> Iterator[tuple[str, Link]]:
        """The relationships under `add`, `change` or `remove`, with the place of each."""
        for i, link in enumerate(getattr(self, member)):
            yield link.place or f"/{member}/{i}", link

    def members(self) -> Members:
        """Notes what is wrong with it, with lines where it was read from a text."""
        return Members(self.written or Sidecar({}), MAX_TOLD)


def read_scenario(given: Any) -> Scenario:
    """A scenario from YAML or JSON text, or from parsed JSON. Raises BadScenario."""
    scenario, members = draft(given)
    check(members)
    return scenario


def draft(given: Any) -> tuple[Scenario, Members]:
    """What can be read of a scenario, and what is wrong with the rest. Raises BadScenario where
    the text itself cannot be read.
    """
    source = parsed(given) if isinstance(given, str | bytes | Mapping) else Sidecar(given)
    members = Members(source, MAX_TOLD)
    found = members.mapping(source.value, "", tuple(MEMBERS))
    said = {n: v for n, v in found.items() if v is not None}
    read = {n: MEMBERS[n](members, value, f"/{n}") for n, value in said.items()}
    read.pop("version", None)
    kept = {n: value for n, value in read.items() if value is not None}
    scenario = Scenario(**kept, written=source)
    failed = set(scenario.fail)
    for place, id_ in scenario.listed("repair"):
        if id_ in failed:
            members.bad("contradiction", place, f"{id_[:MAX_NAME]!r} is to fail, too", "keep one")
    return scenario, members


def check(members: Members) -> None:
    """Raise BadScenario if something is wrong."""
    if members.problems:
        raise BadScenario(members.problems, members.more)


def parsed(given: str | bytes | Mapping[str, Any]) -> Sidecar:
    """The content of a text in YAML or JSON. Raises BadScenario, Refused TOO_LARGE."""
    if isinstance(given, str | bytes) and len(given) > MAX_BYTES:
        raise Refused(
            f"longer than {MAX_BYTES} bytes",
            code="TOO_LARGE",
            path="scenario",
            cure="several scenarios with less in each",
        )
    try:
        return read_sidecar(given, any_integer=True)
    except NotStrict as error:
        problem = Problem(error.code, error.message, "/", line=error.line)
        raise BadScenario([problem]) from None


# -- one function for each member: None where nothing can be read of it --------------------------


def _version(members: Members, value: Any, place: str) -> None:
    if value != VERSION or isinstance(value, bool):
        members.bad("badVersion", place, f"only version {VERSION} is known")


def _name(members: Members, value: Any, place: str) -> str | None:
    if isinstance(value, str) and len(value) <= MAX_NAME and value.isprintable():
        return value
    members.bad("notText", place, f"it must be a line of at most {MAX_NAME} printable letters")
    return None


def _ids(members: Members, value: Any, place: str) -> tuple[str, ...] | None:
    if not isinstance(value, list) or len(value) > MAX_IDS:
        members.bad("notList", place, f"it must be a list of at most {MAX_IDS} ids")
        return None
    for i, one in enumerate(value):
        if not isinstance(one, str):
            members.bad("notText", f"{place}/{i}", "an id is a text", "write it in quotes")
    return tuple(dict.fromkeys(one for one in value if isinstance(one, str)))


def _links(members: Members, value: Any, place: str) -> tuple[Link, ...] | None:
    if not isinstance(value, list) or len(value) > MAX_EDITS:
        members.bad("notList", place, f"it must be a list of at most {MAX_EDITS} relationships")
        return None
    found = (_link(members, one, f"{place}/{i}") for i, one in enumerate(value))
    return tuple(one for one in found if one is not None)


def _link(members: Members, value: Any, place: str) -> Link | None:
    found = members.mapping(value, place, ("source", "name", "target", "properties"))
    if not isinstance(value, dict):
        return None
    source, name, target = (members.text(found, n, place, required=True) for n in _ENDS)
    properties = found.get("properties")
    if properties is not None and not isinstance(properties, dict):
        members.bad("notMembers", f"{place}/properties", "it must be an object of values")
        return None
    said = source and name and target
    return Link(source, name, target, properties or {}, place) if said else None


_ENDS = ("source", "name", "target")


def _values(members: Members, value: Any, place: str) -> Mapping[str, Mapping[str, Any]] | None:
    cure = 'such as {"V12": {"open": false}}'
    if not isinstance(value, dict) or len(value) > MAX_EDITS:
        message = f"it must be an object of at most {MAX_EDITS} twins, each with values"
        members.bad("notMembers", place, message, cure)
        return None
    for id_, said in value.items():
        if not isinstance(said, dict):
            members.bad(
                "notMembers", f"{place}/{step(id_)}", "it must be an object of values", cure
            )
    return {id_: said for id_, said in value.items() if isinstance(said, dict)}


def _hazard(members: Members, value: Any, place: str) -> Hazard | None:
    found = members.mapping(value, place, _HAZARD)
    if not isinstance(value, dict):
        return None
    for name in ("kind", "crs"):
        members.text(found, name, place)
    area = _area(members, found.get("polygon"), f"{place}/polygon")
    intensity = _number(members, found.get("intensity"), f"{place}/intensity")
    samples = _whole(members, found.get("samples", 200), f"{place}/samples", (1, MAX_SAMPLES))
    seed = _whole(members, found.get("seed", 1), f"{place}/seed", (0, 2**31 - 1))
    if area is None or intensity is None:
        return None
    return Hazard(area, intensity, samples, seed, found.get("crs") or crs_of(found["polygon"]))


_HAZARD = ("polygon", "intensity", "samples", "seed", "kind", "crs")


def _area(members: Members, value: Any, place: str) -> Area | None:
    try:
        return read_area(value, place)
    except BadInput as error:
        members.bad("badPolygon", error.path or place, error.message, error.cure)
    return None


def _number(members: Members, value: Any, place: str) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if good and is_finite(value):
        return float(value)
    members.bad("notNumber", place, "it must be a finite number")
    return None


def _whole(members: Members, value: Any, place: str, between: tuple[int, int]) -> int:
    low, high = between
    if type(value) is int and low <= value <= high:
        return value
    members.bad("notWhole", place, f"it must be a whole number from {low} to {high}")
    return low


def _truth(members: Members, value: Any, place: str) -> bool | None:
    if isinstance(value, bool):
        return value
    members.bad("notBoolean", place, "it must be true or false")
    return None


def _duration(members: Members, value: Any, place: str) -> float | None:
    seconds = duration_seconds(value) if isinstance(value, str) else None
    if seconds is None:
        message = why_no_duration(value) if isinstance(value, str) else "it must be a duration"
        members.bad("badDuration", place, message, CURE)
    return seconds


MEMBERS: Mapping[str, Callable[[Members, Any, str], Any]] = MappingProxyType(
    {
        "version": _version,
        "name": _name,
        "fail": _ids,
        "repair": _ids,
        "add": _links,
        "change": _links,
        "remove": _links,
        "set": _values,
        "hazard": _hazard,
        "horizon": _duration,
        "at": read_when,
        "then": read_later,
        "repairs": _truth,
    }
)
"""The members of a scenario, and who reads each."""
