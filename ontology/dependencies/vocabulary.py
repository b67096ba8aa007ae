"""The members of a dependency declaration: what each may say. Meaning: `docs/dependencies.md`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Shape = Literal[
    "word",
    "choice",
    "number",
    "integer",
    "flag",
    "duration",
    "words",
    "sources",
    "limits",
    "fragility",
    "location",
]


@dataclass(frozen=True, slots=True)
class Member:
    """One member. `bound`: may be read from a property with `{from, default}`, `live`: or from
    telemetry; `low` and `high` bound numbers, both inclusive; `default` holds where nothing is
    declared.
    """

    attribute: str
    shape: Shape
    default: Any = None
    bound: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above_low: bool = False
    live: bool = False


FEED: Mapping[str, Member] = MappingProxyType(
    {
        "dependent": Member("dependent", "choice", choices=("source", "target")),
        "mode": Member("mode", "choice", "directed", choices=("directed", "network")),
        "carrier": Member("carrier", "word"),
        "group": Member("group", "word", ""),
        "rule": Member("rule", "choice", "all", choices=("all", "any", "atLeast", "capacity")),
        "k": Member("k", "integer", bound=True, low=1),
        "minShare": Member("min_share", "number", bound=True, low=0, above_low=True),
        "share": Member("share", "number", 1.0, bound=True, low=0),
        "priority": Member("priority", "integer", 1, bound=True, low=1),
        "startTime": Member("start_time", "duration", 0.0, bound=True),
        "startFailure": Member("start_failure", "number", 0.0, bound=True, low=0, high=1),
        "effect": Member("effect", "choice", "fail", choices=("fail", "degrade")),
        "level": Member("level", "number", bound=True, low=0, high=1),
        "transfer": Member("transfer", "duration", 0.0, bound=True),
        "autonomy": Member("autonomy", "duration", 0.0, bound=True),
        "recharge": Member("recharge", "duration", bound=True),
        "probability": Member("probability", "number", 1.0, bound=True, low=0, high=1),
        "failureDomain": Member("failure_domain", "word", bound=True),
        "loop": Member("loop", "choice", "grounded", choices=("grounded", "sustain")),
    }
)
"""On a relationship or component."""

ASSET: Mapping[str, Member] = MappingProxyType(
    {
        "source": Member("source", "sources", ()),
        "blackStart": Member("black_start", "flag", False, bound=True),
        "conducts": Member("conducts", "flag", True, bound=True, live=True),
        "limits": Member("limits", "limits", MappingProxyType({})),
        "stale": Member("stale", "duration", bound=True),
        "demand": Member("demand", "number", bound=True, low=0),
        "capacity": Member("capacity", "number", bound=True, low=0),
        "value": Member("value", "number", bound=True, low=0),
        "customers": Member("customers", "number", bound=True, low=0),
        "services": Member("services", "words", ()),
        "repairTime": Member("repair_time", "duration", bound=True),
        "crew": Member("crew", "word", bound=True),
        "failureRate": Member("failure_rate", "number", bound=True, low=0),
        "fragility": Member("fragility", "fragility", ()),
        "location": Member("location", "location"),
    }
)
"""On an interface."""

SOURCE: Mapping[str, Member] = MappingProxyType(
    {
        "carrier": Member("carrier", "word"),
        "autonomy": Member("autonomy", "duration", bound=True),
        "recharge": Member("recharge", "duration", bound=True),
    }
)
"""One entry of `source` that is storage."""

LIMIT: Mapping[str, Member] = MappingProxyType(
    {
        "min": Member("min", "number"),
        "max": Member("max", "number"),
    }
)
"""`degraded` or `failed` of one entry of `limits`."""

LOCATION: Mapping[str, Member] = MappingProxyType(
    {
        "x": Member("x", "number", bound=True),
        "y": Member("y", "number", bound=True),
        "crs": Member("crs", "word"),
    }
)

GROUP = frozenset({"rule", "k", "minShare", "autonomy", "recharge", "loop", "effect", "level"})
"""Members that belong to the group, not to one feed of it."""

DIRECTED_ONLY = frozenset(
    {"group", "rule", "k", "minShare", "share", "priority", "startTime", "startFailure"}
    | {"autonomy", "recharge", "effect", "level"}
)
"""Members that mean nothing on a connection of a network."""

EXTENSION = "dtmi:twinfall:dependency;1"
DECLARATION_VERSION = 1
