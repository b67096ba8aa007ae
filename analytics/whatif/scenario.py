"""A scenario: what is assumed to fail, to be in order, to be built, removed or set, as a file says.

It is read once, at the door, and all that is wrong with it is said with its place and cure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from twinfall.analytics.whatif.areas import Area, is_finite, read_area
from twinfall.ontology.dependencies.sidecar import read_sidecar
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.dtdl.text import NotStrict
from twinfall.ontology.durations import duration_seconds
from twinfall.ontology.errors import BadInput

MAX_BYTES = 1_000_000
MAX_IDS = 10_000
MAX_EDITS = 10_000
MAX_SAMPLES = 5_000
MEMBERS = ("version", "name", "fail", "repair", "add", "remove", "set", "hazard", "horizon")
VERSION = 1


@dataclass(frozen=True, slots=True)
class Link:
    """A relationship that is added; `properties` as it would be written."""

    source: str
    name: str
    target: str
    properties: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Hazard:
    """An event of one intensity over an area, tried `samples` times. Given its intensity, assets
    fail independently, each with the probability of its fragility.
    """

    area: Area
    intensity: float
    samples: int = 200
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is assumed; ids are twins, components or failure domains. `remove` has (source, name,
    target) of relationships, `set` values by twin; `horizon` is in seconds (None: to the end).
    """

    name: str = ""
    fail: tuple[str, ...] = ()
    repair: tuple[str, ...] = ()
    add: tuple[Link, ...] = ()
    remove: tuple[Link, ...] = ()
    set: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    hazard: Hazard | None = None
    horizon: float | None = None

    @property
    def edits(self) -> bool:
        """Whether the plant itself is another one."""
        return bool(self.add or self.remove or self.set)


def read_scenario(given: Any) -> Scenario:
    """A scenario from YAML or JSON text, or from parsed JSON. Raises BadInput."""
    if isinstance(given, str | bytes | Mapping):
        given = parsed(given)
    if not isinstance(given, Mapping):
        raise BadInput("a scenario is an object", cure='such as {"fail": ["P1"]}')
    for name in given:
        if name not in MEMBERS:
            cure = did_you_mean(str(name), MEMBERS) or f"known are {', '.join(MEMBERS)}"
            raise BadInput(f"a scenario has no member {str(name)[:64]!r}", path="", cure=cure)
    if given.get("version", VERSION) != VERSION:
        raise BadInput(f"only version {VERSION} is known", path="version")
    read: dict[str, Callable[[Any, str], Any]] = {
        "name": _text,
        "fail": _ids,
        "repair": _ids,
        "add": _links,
        "remove": _links,
        "set": _values,
        "hazard": _hazard,
        "horizon": _duration,
    }
    said = {n: read[n](given[n], n) for n in read if given.get(n) is not None}
    scenario = Scenario(**said)
    if both := set(scenario.fail) & set(scenario.repair):
        raise BadInput(f"{min(both)} is to fail and to be repaired", path="repair")
    return scenario


def parsed(given: str | bytes | Mapping[str, Any]) -> Any:
    """The JSON value of a text in YAML or JSON. Raises BadInput."""
    if isinstance(given, str | bytes) and len(given) > MAX_BYTES:
        raise BadInput(f"longer than {MAX_BYTES} bytes", code="TOO_LARGE")
    try:
        return read_sidecar(given, any_integer=True).value
    except NotStrict as error:
        place = f"line {error.line}" if error.line else ""
        raise BadInput(error.message, path=place) from None


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) or len(value) > 128:
        raise BadInput("must be a text of at most 128 characters", path=path)
    return value


def _ids(value: Any, path: str) -> tuple[str, ...]:
    good = isinstance(value, list) and all(isinstance(one, str) for one in value)
    if not good or len(value) > MAX_IDS:
        raise BadInput(f"must be a list of at most {MAX_IDS} ids", path=path)
    return tuple(dict.fromkeys(value))


def _links(value: Any, path: str) -> tuple[Link, ...]:
    if not isinstance(value, list) or len(value) > MAX_EDITS:
        raise BadInput(f"must be a list of at most {MAX_EDITS} relationships", path=path)
    return tuple(_link(one, f"{path}/{i}") for i, one in enumerate(value))


def _link(value: Any, path: str) -> Link:
    names = ("source", "name", "target", "properties")
    if not isinstance(value, Mapping):
        raise BadInput("must be an object with source, name and target", path=path)
    for name in value:
        if name not in names:
            raise BadInput(f"has no member {str(name)[:64]!r}", path=path, cure=", ".join(names))
    for name in names[:3]:
        if not isinstance(value.get(name), str):
            raise BadInput(f'"{name}" must be given, as text', path=f"{path}/{name}")
    properties = value.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise BadInput("must be an object", path=f"{path}/properties")
    return Link(value["source"], value["name"], value["target"], dict(properties))


def _values(value: Any, path: str) -> Mapping[str, Mapping[str, Any]]:
    good = isinstance(value, Mapping) and all(isinstance(one, Mapping) for one in value.values())
    if not good or len(value) > MAX_EDITS:
        raise BadInput(
            f"must be an object of at most {MAX_EDITS} twins, each with values",
            path=path,
            cure='such as {"V12": {"open": false}}',
        )
    return {str(id_): dict(said) for id_, said in value.items()}


def _hazard(value: Any, path: str) -> Hazard:
    names = ("polygon", "intensity", "samples", "seed", "kind")
    if not isinstance(value, Mapping) or "polygon" not in value:
        raise BadInput("must be an object with a polygon and an intensity", path=path)
    for name in value:
        if name not in names:
            raise BadInput(f"has no member {str(name)[:64]!r}", path=path, cure=", ".join(names))
    intensity = value.get("intensity")
    if isinstance(intensity, bool) or not isinstance(intensity, int | float):
        raise BadInput("must be a number", path=f"{path}/intensity")
    if not is_finite(intensity):
        raise BadInput("must be a number", path=f"{path}/intensity")
    samples = _whole(value.get("samples", 200), 1, MAX_SAMPLES, f"{path}/samples")
    seed = _whole(value.get("seed", 1), 0, 2**31 - 1, f"{path}/seed")
    return Hazard(read_area(value["polygon"], f"{path}/polygon"), float(intensity), samples, seed)


def _whole(value: Any, low: int, high: int, path: str) -> int:
    if type(value) is not int or not low <= value <= high:
        raise BadInput(f"must be a whole number from {low} to {high}", path=path)
    return value


def _duration(value: Any, path: str) -> float:
    seconds = duration_seconds(value) if isinstance(value, str) else None
    if seconds is None:
        raise BadInput("must be an ISO 8601 duration in days and time", path=path, cure="PT24H")
    return seconds
