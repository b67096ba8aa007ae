"""What a dependency declaration says, after reading: which relationships carry failure and how.

Vocabulary, defaults and the meaning of groups: CONTRACTS section 1, `docs/dependencies.md`.
Durations are seconds here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Binding:
    """A value read from the graph: the relationship's property `name` where the relationship
    has one, else the dependent twin's; `default` where neither has a value. With `telemetry` it
    is the twin's reading of that name instead, `default` before the first one.
    """

    name: str
    default: Any = None
    telemetry: bool = False


Value: TypeAlias = Any | Binding
"""A constant already in its final type (durations in seconds), or a Binding."""


@dataclass(frozen=True, slots=True)
class Feed:
    """How one relationship or component carries failure.

    `dependent` says which end depends: for a component the owner is the source. In network mode
    None means both ways. `priority` 1 is a normal feed, 2 and above a standby.
    """

    dependent: Literal["source", "target"] | None
    mode: Literal["directed", "network"] = "directed"
    carrier: str | None = None
    group: str = ""
    rule: Literal["all", "any", "atLeast", "capacity"] = "all"
    k: Value = None
    min_share: Value = None
    share: Value = 1.0
    priority: Value = 1
    start_time: Value = 0.0
    start_failure: Value = 0.0
    effect: Literal["fail", "degrade"] = "fail"
    level: Value = None
    transfer: Value = 0.0
    autonomy: Value = 0.0
    recharge: Value = None
    probability: Value = 1.0
    failure_domain: Value = None
    loop: Literal["grounded", "sustain"] = "grounded"


@dataclass(frozen=True, slots=True)
class Group:
    """What a consumer's group says, put together from whichever of its feeds say it.

    A consumer's group may be fed from several relationships, some declared on other interfaces.
    """

    rule: Literal["all", "any", "atLeast", "capacity"] = "all"
    k: Value = None
    min_share: Value = None
    autonomy: Value = 0.0
    recharge: Value = None
    loop: Literal["grounded", "sustain"] = "grounded"
    effect: Literal["fail", "degrade"] = "fail"
    level: Value = None


@dataclass(frozen=True, slots=True)
class Source:
    """An asset that feeds a carrier by itself; storage where `autonomy` is given: a source for
    that many seconds after it lost its own supply.
    """

    carrier: str
    autonomy: Value = None
    recharge: Value = None


@dataclass(frozen=True, slots=True)
class Asset:
    """What an interface says of its twins as assets. `repair_time` is in seconds, `failure_rate`
    per year, `fragility` (intensity, probability) pairs, `location` x, y and an optional crs.
    """

    source: tuple[Source, ...] = ()
    black_start: Value = False
    conducts: Value = True
    limits: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    stale: Value = None
    demand: Value = None
    capacity: Value = None
    value: Value = None
    customers: Value = None
    services: tuple[str, ...] = ()
    repair_time: Value = None
    crew: Value = None
    failure_rate: Value = None
    fragility: tuple[tuple[float, float], ...] = ()
    location: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class Dependencies:
    """All declarations of a model set, inheritance already applied.

    `feeds[interface][content]` holds the declared contents only (absent: carries nothing),
    `assets[interface]` an entry for every interface that it or an ancestor declares.
    A Feed carries its group's members too, where all its possible consumers agree on them;
    `groups[consumer interface][group name]` is always right.
    `documents` are the sidecars as canonical JSON texts, `hash` covers them and the extension.
    """

    feeds: Mapping[str, Mapping[str, Feed]]
    assets: Mapping[str, Asset]
    documents: tuple[str, ...] = ()
    hash: str = ""
    groups: Mapping[str, Mapping[str, Group]] = field(default_factory=lambda: MappingProxyType({}))

    def bound_names(self) -> frozenset[str]:
        """Every property name that some Binding reads, on twins or relationships; no telemetry."""
        return bound_in(self.feeds, self.assets)

    def read_of(self, interface: str) -> frozenset[str]:
        """The properties of its twins that a Binding reads: as assets, or as the end of a feed that
        depends, whichever declares that.
        """
        return bound_in(self.assets.get(interface), self.groups.get(interface), self.feeds)

    def read_of_feed(self, interface: str, name: str) -> frozenset[str]:
        """The properties of such a relationship that a Binding reads, its group's included."""
        feed = self.feeds.get(interface, {}).get(name)
        groups = () if feed is None else tuple(g.get(feed.group) for g in self.groups.values())
        return bound_in(feed, groups)


def bound_in(*declared: Any) -> frozenset[str]:
    """Every property name that some Binding in these reads; no telemetry."""
    found: set[str] = set()
    for one in declared:
        _collect(one, found)
    return frozenset(found)


def _collect(value: Any, found: set[str]) -> None:
    if isinstance(value, Binding):
        if not value.telemetry:
            found.add(value.name)
    elif isinstance(value, Mapping):
        for item in value.values():
            _collect(item, found)
    elif isinstance(value, tuple):
        for item in value:
            _collect(item, found)
    elif isinstance(value, Feed | Source | Asset | Group):
        for name in type(value).__dataclass_fields__:
            _collect(getattr(value, name), found)
