"""What is written where: declarations by interface, from sidecars and the DTDL extension."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from twinfall.ontology.dependencies.sidecar import Sidecar
from twinfall.ontology.dependencies.vocabulary import DECLARATION_VERSION
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.errors import Problem, stop_at_limit
from twinfall.ontology.ontology import Ontology

_TOP = ("version", "interfaces")
_INTERFACE = ("asset", "contents")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: a sidecar (`document` from 0) or a model (`element`)."""

    document: int | None
    pointer: str
    element: str = ""
    sidecar: Sidecar | None = None

    def at(self, *steps: str | int) -> Place:
        """A place further in."""
        escaped = (str(s).replace("~", "~0").replace("/", "~1") for s in steps)
        return replace(self, pointer="/".join((self.pointer, *escaped)))

    def problem(self, code: str, message: str, cure: str = "") -> Problem:
        """A problem at this place."""
        line = self.sidecar.line(self.pointer) if self.sidecar else None
        return Problem(code, message, self.pointer, self.document, line, self.element, cure)


@dataclass(frozen=True, slots=True)
class Given:
    """One member as written."""

    value: Any
    place: Place


@dataclass(slots=True)
class Layer:
    """All that is written for one interface."""

    place: Place
    asset: dict[str, Given] = field(default_factory=dict)
    contents: dict[str, dict[str, Given]] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    """Where each content is declared."""


@dataclass(slots=True)
class Layers:
    """Layers by interface, and what was wrong on the way."""

    ontology: Ontology
    found: dict[str, Layer] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def fail(self, place: Place, code: str, message: str, cure: str = "") -> None:
        """Note a problem."""
        self.problems.append(place.problem(code, message, cure))
        stop_at_limit(self.problems)


def layers_of_sidecars(sidecars: list[Sidecar], layers: Layers) -> None:
    """Add what sidecars say. The same member given twice must say the same."""
    for number, sidecar in enumerate(sidecars):
        place = Place(number, "", sidecar=sidecar)
        for dtmi, written, at in _interfaces(sidecar.value, place, layers):
            _add_interface(layers, dtmi, written, at)


def layers_of_extension(ontology: Ontology) -> Layers:
    """What the models themselves say through the DTDL extension."""
    layers = Layers(ontology)
    for dtmi, written in ontology.extension.items():
        place = Place(None, "", element=dtmi)
        layer = layers.found.setdefault(dtmi, Layer(place))
        for name, value in written.get("asset", {}).items():
            layer.asset[name] = Given(value, place.at(name))
        for content, members in written.get("contents", {}).items():
            at = place.at("contents", content)
            layer.places[content] = at
            layer.contents[content] = {n: Given(v, at.at(n)) for n, v in members.items()}
    return layers


def overlaid(below: Layers, above: Layers) -> dict[str, Layer]:
    """Both together, member by member; `above` wins."""
    both: dict[str, Layer] = {}
    for dtmi in sorted({*below.found, *above.found}):
        lower, upper = below.found.get(dtmi), above.found.get(dtmi)
        if lower is None or upper is None:
            both[dtmi] = lower or upper  # type: ignore[assignment]
            continue
        names = [*lower.contents, *(n for n in upper.contents if n not in lower.contents)]
        contents = {n: {**lower.contents.get(n, {}), **upper.contents.get(n, {})} for n in names}
        places = {**lower.places, **upper.places}
        both[dtmi] = Layer(upper.place, {**lower.asset, **upper.asset}, contents, places)
    return both


def _interfaces(
    value: Any, place: Place, layers: Layers
) -> Iterator[tuple[str, Mapping[str, Any], Place]]:
    if not isinstance(value, dict):
        cure = "begin with version: 1 and interfaces:"
        layers.fail(place, "notDeclaration", "a declaration must be a mapping", cure)
        return
    _check_members(value, _TOP, place, layers)
    version = value.get("version")
    if version != DECLARATION_VERSION or isinstance(version, bool):
        cure = f"write version: {DECLARATION_VERSION}"
        layers.fail(place.at("version"), "badVersion", f"version {version} is not known", cure)
    interfaces = value.get("interfaces", {})
    at = place.at("interfaces")
    if not isinstance(interfaces, dict):
        layers.fail(at, "notDeclaration", '"interfaces" must map DTMIs to declarations')
        return
    for dtmi, written in interfaces.items():
        here = at.at(dtmi)
        if dtmi not in layers.ontology.interfaces:
            _unknown_interface(layers, dtmi, here)
        elif not isinstance(written, dict):
            layers.fail(here, "notDeclaration", "must hold asset: and contents:")
        else:
            yield dtmi, written, here


def _unknown_interface(layers: Layers, dtmi: str, place: Place) -> None:
    cure = did_you_mean(dtmi, layers.ontology.interfaces)
    if "://" in dtmi:
        cure = "classes of RDF ontologies cannot be loaded yet; name a DTDL interface"
    layers.fail(place, "unknownInterface", f"there is no interface {dtmi}", cure)


def _check_members(
    value: Mapping[str, Any], known: tuple[str, ...], place: Place, layers: Layers
) -> None:
    for name in value:
        if name not in known:
            cure = did_you_mean(name, known) or f"known here: {', '.join(known)}"
            layers.fail(place.at(name), "unknownMember", f'there is no member "{name}"', cure)


def _add_interface(layers: Layers, dtmi: str, written: Mapping[str, Any], place: Place) -> None:
    _check_members(written, _INTERFACE, place, layers)
    layer = layers.found.setdefault(dtmi, Layer(place))
    asset = written.get("asset") or {}
    if isinstance(asset, dict):
        _add_members(layers, layer.asset, asset, place.at("asset"))
    else:
        layers.fail(place.at("asset"), "notDeclaration", "must be a mapping of members")
    contents = written.get("contents") or {}
    if not isinstance(contents, dict):
        layers.fail(place.at("contents"), "notDeclaration", "must map contents to members")
        return
    for name, members in contents.items():
        _add_content(layers, layer, (dtmi, name), members, place.at("contents", name))


def _add_content(
    layers: Layers, layer: Layer, which: tuple[str, str], members: Any, place: Place
) -> None:
    dtmi, name = which
    known = layers.ontology.interfaces[dtmi].contents
    carrying = [n for n, c in known.items() if c.kind in ("Relationship", "Component")]
    if name not in known:
        cure = did_you_mean(name, carrying)
        layers.fail(place, "unknownContent", f'{dtmi} has no content "{name}"', cure)
    elif name not in carrying:
        message = f'"{name}" is a {known[name].kind}; only relationships and components carry'
        layers.fail(place, "wrongContent", message, did_you_mean(name, carrying))
    elif not isinstance(members, dict):
        layers.fail(place, "notDeclaration", "must be a mapping of members")
    else:
        layer.places[name] = place
        _add_members(layers, layer.contents.setdefault(name, {}), members, place)


def _add_members(
    layers: Layers, into: dict[str, Given], written: Mapping[str, Any], place: Place
) -> None:
    for name, value in written.items():
        earlier = into.get(name)
        if earlier is not None and earlier.value != value:
            message = (
                f'"{name}" is declared twice and differently, before at {earlier.place.pointer}'
            )
            layers.fail(place.at(name), "declaredTwice", message, "keep one of them")
        into[name] = Given(value, place.at(name))
