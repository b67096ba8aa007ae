"""Declared limits as arrays: which readings say how an asset is, and from which value on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.columns import Place, column, number, seconds
from twinfall.graph.store import Topology
from twinfall.ontology.declarations import Asset, Binding, Dependencies
from twinfall.ontology.ontology import Ontology

Ints = NDArray[np.signedinteger[Any]]
Nanos = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ANY = ""
"""The name of a place that takes every reading of its asset: one with `stale` and no limits."""
LEVELS = ("degraded", "failed")
NEVER = 2**63 - 1
LONGEST = 2.0**62
"""Nanoseconds: what is longer lasts for ever, and can be added to a time."""
NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Places, one for each (asset, reading) that is watched, in order of asset.

    Rows of `low` and `high` are the levels degraded and failed, infinite where there is no limit.
    `spoken` are telemetry and grow stale; the others are properties, `given` their value in the
    graph. By asset: `stale` in ns (`NEVER`), `switch` the place whose reading it conducts by, -1.
    """

    ids: tuple[str, ...] = ()
    asset: Ints = field(default_factory=lambda: np.zeros(0, np.int32))
    name: tuple[str, ...] = ()
    low: Floats = field(default_factory=lambda: np.zeros((2, 0)))
    high: Floats = field(default_factory=lambda: np.zeros((2, 0)))
    hysteresis: Floats = field(default_factory=lambda: np.zeros(0))
    hold: Nanos = field(default_factory=lambda: np.zeros(0, np.int64))
    given: Floats = field(default_factory=lambda: np.zeros(0))
    spoken: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))
    stale: Nanos = field(default_factory=lambda: np.zeros(0, np.int64))
    switch: Ints = field(default_factory=lambda: np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.asset)

    def keys(self) -> Iterator[tuple[str, str]]:
        """(asset, reading) of every place."""
        return ((self.ids[a], name) for a, name in zip(self.asset, self.name, strict=True))


@dataclass(slots=True)
class _Part:
    """One reading of all twins of one model."""

    twins: Ints
    name: str
    said: Mapping[str, Any]
    given: Floats
    spoken: bool
    switch: bool
    stale: Floats


def limit_names(ontology: Ontology, dependencies: Dependencies) -> frozenset[str]:
    """The properties that have limits: their values must be read from the graph."""
    return frozenset(
        name
        for dtmi, asset in dependencies.assets.items()
        for name in asset.limits
        if ontology.interfaces[dtmi].contents[name].kind == "Property"
    )


def compile_limits(topology: Topology, ontology: Ontology, dependencies: Dependencies) -> Limits:
    """The places of a graph; O(watched readings)."""
    parts = [
        part
        for code, model in enumerate(topology.models)
        if (declared := dependencies.assets.get(model)) is not None
        for part in _parts(topology, ontology, code, declared)
        if len(part.twins)
    ]
    if not parts:
        return Limits()
    twins = np.concatenate([part.twins for part in parts])
    which = np.concatenate([np.full(len(p.twins), i) for i, p in enumerate(parts)])
    order = np.lexsort((which, twins))
    positions, first, asset = np.unique(twins[order], return_index=True, return_inverse=True)
    which = which[order]
    bounds = np.array([_bounds(part.said) for part in parts])[which]
    stale = np.concatenate([part.stale for part in parts])[order][first]
    switch = np.full(len(positions), -1, np.int32)
    places = np.flatnonzero(np.array([part.switch for part in parts])[which])
    asset = asset.reshape(-1).astype(np.int32)
    switch[asset[places]] = places
    hold = _nanos(np.array([float(part.said.get("hold", 0.0)) for part in parts]))
    return Limits(
        ids=tuple(topology.ids[int(p)] for p in positions),
        asset=asset,
        name=tuple(parts[int(i)].name for i in which),
        low=np.ascontiguousarray(bounds[:, :, 0].T),
        high=np.ascontiguousarray(bounds[:, :, 1].T),
        hysteresis=np.array([float(p.said.get("hysteresis", 0.0)) for p in parts])[which],
        hold=hold[which],
        given=np.concatenate([part.given for part in parts])[order],
        spoken=np.array([part.spoken for part in parts])[which],
        stale=_nanos(stale),
        switch=switch,
    )


def _parts(topology: Topology, ontology: Ontology, code: int, asset: Asset) -> Iterator[_Part]:
    contents = ontology.interfaces[topology.models[code]].contents
    twins = np.flatnonzero(topology.model == code).astype(np.int32)
    place = Place(topology, twins)
    stale = column(asset.stale, place, seconds)
    nothing = np.full(len(twins), np.nan)
    listened = False
    for name, said in asset.limits.items():
        spoken = contents[name].kind == "Telemetry"
        listened = listened or spoken
        given = nothing if spoken else column(Binding(name), place, number)
        yield _Part(twins, name, said, given, spoken, False, stale)
    conducts = asset.conducts
    if isinstance(conducts, Binding) and conducts.telemetry:
        listened = True
        default = 1.0 if conducts.default is not False else 0.0
        given = np.full(len(twins), default)
        yield _Part(twins, conducts.name, {}, given, True, True, stale)
    if asset.stale is not None and not listened:
        fresh = np.flatnonzero(~np.isnan(stale)).astype(np.int32)
        yield _Part(twins[fresh], ANY, {}, nothing[fresh], True, False, stale[fresh])


def _bounds(said: Mapping[str, Any]) -> list[list[float]]:
    levels = [said.get(level, {}) for level in LEVELS]
    return [[level.get("min", -np.inf), level.get("max", np.inf)] for level in levels]


def _nanos(lengths: Floats) -> Nanos:
    found = np.full(len(lengths), NEVER, np.int64)
    known = ~np.isnan(lengths)
    found[known] = np.minimum(lengths[known] * NANO, LONGEST).astype(np.int64)
    return found
