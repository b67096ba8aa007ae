"""Declarations applied along inheritance: the nearest wins, member by member."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from twinfall.ontology.declarations import Asset, Feed
from twinfall.ontology.dependencies.layers import Given, Layer, Place
from twinfall.ontology.dependencies.values import Scope, read_members
from twinfall.ontology.dependencies.vocabulary import ASSET, DIRECTED_ONLY, FEED
from twinfall.ontology.errors import Problem
from twinfall.ontology.model import Content, Interface
from twinfall.ontology.ontology import Ontology

_NO_CONTENT: Mapping[str, Content] = MappingProxyType({})


@dataclass(slots=True)
class Declared:
    """A feed of one interface: its members as declared, nearest first, and where."""

    interface: str
    content: Content
    members: dict[str, Any]
    places: dict[str, Place]
    place: Place

    def get(self, name: str) -> Any:
        """The declared value, else the vocabulary's default."""
        return self.members.get(name, FEED[name].default)

    @property
    def group(self) -> str:
        """The group's name, by default the content's."""
        return str(self.members.get("group", self.content.name))

    @property
    def consumer(self) -> str | None:
        """The interface that depends where it is not the declaring one; None: any."""
        if self.content.kind == "Component":
            return self.content.interface
        return self.content.target

    def feed(self) -> Feed:
        """The declaration with defaults filled in."""
        values = {FEED[n].attribute: v for n, v in self.members.items()}
        values.setdefault("dependent", None)
        return Feed(**{**values, "group": self.group})


@dataclass(slots=True)
class Inheritance:
    """Typed declarations by interface and what is wrong with them."""

    ontology: Ontology
    layers: Mapping[str, Layer]
    problems: list[Problem] = field(default_factory=list)
    assets: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, dict[str, tuple[Place, dict[str, Any], dict[str, Place]]]] = field(
        default_factory=dict
    )

    def read(self) -> None:
        """Turn every layer into final values."""
        for dtmi, layer in self.layers.items():
            interface = self.ontology.interfaces[dtmi]
            scope = Scope(
                interface.of_kind("Property"), interface.id, interface.of_kind("Telemetry")
            )
            self.assets[dtmi] = read_members(layer.asset, ASSET, scope)
            self.problems += scope.problems
            self.contents[dtmi] = {
                name: self._read_content(interface, name, given)
                for name, given in layer.contents.items()
            }

    def _read_content(
        self, interface: Interface, name: str, given: Mapping[str, Given]
    ) -> tuple[Place, dict[str, Any], dict[str, Place]]:
        scope = self._scope(interface, name)
        values = read_members(given, FEED, scope)
        self.problems += scope.problems
        place = self.layers[interface.id].places[name]
        return place, values, {n: g.place for n, g in given.items()}

    def _scope(self, interface: Interface, name: str) -> Scope:
        """What a binding on this content may read: the relationship's properties, then those of
        the dependent twin.
        """
        content = interface.contents[name]
        dependent = self._written(interface, name, "dependent")
        twin: Mapping[str, Content] = _NO_CONTENT
        owners, any_twin = f'the relationship "{name}"', False
        if dependent == "source":
            twin = interface.of_kind("Property")
            owners += f" and {interface.id}"
        elif dependent == "target":
            target = content.interface if content.kind == "Component" else content.target
            known = self.ontology.interfaces.get(target) if target else None
            any_twin = known is None
            if known is not None:
                twin = known.of_kind("Property")
                owners += f" and {known.id}"
        return Scope({**twin, **content.properties}, owners, any_twin=any_twin)

    def _written(self, interface: Interface, content: str, member: str) -> Any:
        for dtmi in (interface.id, *interface.ancestors):
            layer = self.layers.get(dtmi)
            given = layer.contents.get(content, {}).get(member) if layer else None
            if given is not None:
                return given.value
        return None

    def feeds_of(self, interface: Interface) -> Iterator[Declared]:
        """The feeds that an interface has, its own declarations before its ancestors'."""
        found: dict[str, Declared] = {}
        for dtmi in (interface.id, *interface.ancestors):
            for name, (place, values, places) in self.contents.get(dtmi, {}).items():
                declared = found.get(name)
                if declared is None:
                    content = interface.contents[name]
                    found[name] = Declared(interface.id, content, {}, {}, place)
                    declared = found[name]
                for member, value in values.items():
                    declared.members.setdefault(member, value)
                    declared.places.setdefault(member, places[member])
        yield from found.values()

    def asset_of(self, interface: Interface) -> Asset | None:
        """What the interface says of its twins as assets; None where nobody in its line does."""
        merged: dict[str, Any] = {}
        for dtmi in (interface.id, *interface.ancestors):
            for member, value in self.assets.get(dtmi, {}).items():
                merged.setdefault(ASSET[member].attribute, value)
        line = (interface.id, *interface.ancestors)
        declared = any(self.layers[d].asset for d in line if d in self.layers)
        return Asset(**merged) if declared else None


def check_feed(declared: Declared) -> list[Problem]:
    """What is wrong with a whole declaration, its members being right."""
    if declared.get("mode") == "network":
        return list(_check_network(declared))
    return list(_check_directed(declared))


def _check_network(declared: Declared) -> Iterator[Problem]:
    if "carrier" not in declared.members:
        message = "a connection of a network needs a carrier"
        yield declared.place.problem("missingMember", message, "add carrier: electricity or such")
    for name in sorted(DIRECTED_ONLY.intersection(declared.members)):
        message = f'"{name}" means nothing on a connection of a network'
        cure = "leave it out, or say mode: directed"
        yield declared.places[name].problem("wrongMember", message, cure)


def _check_directed(declared: Declared) -> Iterator[Problem]:
    place, written = declared.place, declared.members
    if "dependent" not in written:
        cure = "add dependent: source or dependent: target, the end that fails with the other"
        yield place.problem("missingMember", 'it does not say which end is "dependent"', cure)
    yield from _needs(declared, "rule", "atLeast", "k")
    yield from _needs(declared, "rule", "capacity", "minShare")
    yield from _needs(declared, "effect", "degrade", "level")
    if declared.get("priority") == 1:
        for name in ("startTime", "startFailure"):
            if name in written:
                message = f'"{name}" is for a standby'
                yield declared.places[name].problem("wrongMember", message, "add priority: 2")


def _needs(declared: Declared, name: str, value: str, needed: str) -> Iterator[Problem]:
    chosen = declared.get(name)
    if chosen == value and needed not in declared.members and name in declared.places:
        place = declared.places[name]
        yield place.problem("missingMember", f'{name}: {value} needs "{needed}"', f"add {needed}")
    if needed in declared.members and chosen != value and name in declared.places:
        message = f'"{needed}" goes with {name}: {value}, not with {name}: {chosen}'
        yield declared.places[needed].problem("wrongMember", message)
