"""What a topology's declarations say: feeds by declaration, assets, networks, place by place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.columns import Place, column, number, seconds, words
from twinfall.analytics.domains import Domains
from twinfall.analytics.grouping import Declared, Reader
from twinfall.analytics.links import MAX_CARRIERS, Storages
from twinfall.graph.store import EdgeColumns, Topology
from twinfall.ontology.declarations import Asset, Binding, Dependencies, Feed
from twinfall.ontology.errors import BadInput

Rows = NDArray[np.int32]
Floats = NDArray[np.float64]
Connections = tuple[Any, Any, Any, Any]


@dataclass(frozen=True, slots=True, order=True)
class NotEvaluated:
    """A twin whose declarations could not be followed fully, and why. What is merely `assumed`
    leaves its state known.
    """

    id: str
    reason: str
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """Where assets stand: x and y by position (NaN: nowhere), and the coordinate systems that are
    declared; none is a local plane.
    """

    x: Floats = field(default_factory=lambda: np.zeros(0))
    y: Floats = field(default_factory=lambda: np.zeros(0))
    systems: tuple[str, ...] = ()


class Gathering:
    """Reads a topology's declarations: of all twins, or `only` of these (ascending) with what
    feeds them. `position` is where each twin is.
    """

    def __init__(
        self,
        topology: Topology,
        dependencies: Dependencies,
        position: Mapping[str, int],
        only: Rows | None = None,
    ) -> None:
        self.topology = topology
        self.dependencies = dependencies
        self.n = len(topology.ids)
        self.only = only
        self._chosen = None if only is None else _flags(only, self.n)
        self.carriers: dict[str, int] = {}
        self.reasons: set[NotEvaluated] = set()
        self.domains = Domains(position, self.n, self.note)
        self.reader = Reader(
            dependencies.groups, self.note, self.domains.of, group_names(dependencies)
        )

    # -- gathering ------------------------------------------------------------------------

    def feeds(self, *modes: str) -> list[Declared]:
        """Every declared feed of the graph in one of these modes, by declaration."""
        found = []
        for name, edges in self.topology.edges.items():
            if not self._is_declared(name, modes):
                continue
            rows = self._near(edges.source, edges.target)
            models = self.topology.model[edges.source if rows is None else edges.source[rows]]
            for feed, some in self._by_feed(name, models, modes):
                found.append(self._relationships(feed, edges, some if rows is None else rows[some]))
        found.extend(self._components(modes))
        return [one for one in found if len(one.source)]

    def _components(self, modes: tuple[str, ...]) -> Iterator[Declared]:
        topology = self.topology
        owned = np.flatnonzero(topology.owner >= 0).astype(np.int32)
        near = self._near(topology.owner[owned], owned)
        owned = owned if near is None else owned[near]
        names = np.array([topology.component[p] for p in owned], dtype=object)
        for name in dict.fromkeys(names.tolist()):
            of_name = owned[names == name]
            owners = topology.owner[of_name]
            for feed, rows in self._by_feed(name, topology.model[owners], modes):
                source, target = self._dependents(feed, owners[rows], of_name[rows])
                twins = source if feed.dependent == "source" else target
                yield Declared(feed, source, target, Place(topology, twins))

    def _is_declared(self, content: str, modes: tuple[str, ...]) -> bool:
        declared = (feeds.get(content) for feeds in self.dependencies.feeds.values())
        return any(feed is not None and feed.mode in modes for feed in declared)

    def _near(self, source: Rows, target: Rows) -> Rows | None:
        """The rows at an end of which is one of `only`; None: all."""
        if self._chosen is None:
            return None
        return np.flatnonzero(self._chosen[source] | self._chosen[target]).astype(np.int32)

    def _by_feed(
        self, content: str, models: Rows, modes: tuple[str, ...]
    ) -> Iterator[tuple[Feed, Rows]]:
        """Rows of these source models that carry failure, by declaration."""
        declared: dict[Feed, list[int]] = {}
        for code in np.unique(models):
            feed = self.dependencies.feeds.get(self.topology.models[code], {}).get(content)
            if feed is not None and feed.mode in modes:
                declared.setdefault(feed, []).append(int(code))
        for feed, codes in declared.items():
            yield feed, np.flatnonzero(np.isin(models, codes)).astype(np.int32)

    def _relationships(self, feed: Feed, edges: EdgeColumns, rows: Rows) -> Declared:
        if self._chosen is not None:
            ends = edges.source if feed.dependent == "source" else edges.target
            rows = rows[self._chosen[ends[rows]]]
        source, target = edges.source[rows], edges.target[rows]
        twins = source if feed.dependent == "source" else target
        place = Place(self.topology, twins, edges.properties, rows)
        return Declared(feed, source, target, place)

    def _dependents(self, feed: Feed, source: Rows, target: Rows) -> tuple[Rows, Rows]:
        if self._chosen is None:
            return source, target
        kept = self._chosen[source if feed.dependent == "source" else target]
        return source[kept], target[kept]

    def note(self, positions: Any, reason: str, assumed: bool = False) -> None:
        """These twins are not evaluated fully."""
        ids = self.topology.ids
        self.reasons.update(NotEvaluated(ids[int(p)], reason, assumed) for p in positions)

    def certain(self, values: Floats, twins: Rows, what: str, default: float) -> Floats:
        """Values with the default where there is none, and a note about each of those."""
        missing = np.isnan(values)
        if missing.any():
            self.note(twins[missing], f"{what} has no usable value")
            values = np.where(missing, default, values)
        return values

    # -- networks -------------------------------------------------------------------------

    def connections(self, feeds: list[Declared]) -> Connections:
        """Connections [m, 2] in the direction that carries, carrier, oneway, domain [m]."""
        pairs, carrier, oneway = [np.zeros((0, 2), np.int32)], [_none()], [np.zeros(0, bool)]
        domain = [_none()]
        for item in feeds:
            feed, count = item.feed, len(item.source)
            ends = (item.target, item.source) if feed.dependent == "source" else None
            pairs.append(np.stack(ends or (item.source, item.target), axis=1))
            carrier.append(np.full(count, self.carriers[feed.carrier or ""], np.int32))
            oneway.append(np.full(count, feed.dependent is not None))
            twins = item.source if feed.dependent == "source" else item.target
            domain.append(self.domains.of(twins, feed.failure_domain, item.place))
        columns = (pairs, carrier, oneway, domain)
        first, second, third, fourth = (np.concatenate(column) for column in columns)
        return first, second, third, fourth

    # -- assets ---------------------------------------------------------------------------

    def twins_of(self) -> Iterator[tuple[Asset, Rows]]:
        """Positions by what their interface declares of them as assets."""
        model, only = self.topology.model, self.only
        for code, name in enumerate(self.topology.models):
            asset = self.dependencies.assets.get(name)
            if asset is None:
                continue
            if only is None:
                yield asset, np.flatnonzero(model == code).astype(np.int32)
            else:
                yield asset, only[model[only] == code]

    def per_twin(self, name: str, read: Any, default: float, *, needed: bool) -> Floats:
        """One number per position: what its declaration's member `name` says."""
        found = np.full(self.n, default)
        for asset, twins in self.twins_of():
            value = getattr(asset, name)
            if value is None:
                continue
            values = column(value, Place(self.topology, twins), read)
            if needed:
                values = self.certain(values, twins, f'"{name}"', default)
            found[twins] = np.where(np.isnan(values), default, values)
        return found

    def sources(self) -> tuple[Rows, Storages]:
        """Carrier bits of the sources, and the storages."""
        bits = np.zeros(self.n, np.int32)
        spots: list[tuple[Rows, Rows, Floats, Floats]] = [
            (_none(), _none(), np.zeros(0), np.zeros(0))
        ]
        for asset, twins in self.twins_of():
            for source in asset.source if len(twins) else ():
                carrier = self.carriers[source.carrier]
                if source.autonomy is None:
                    bits[twins] |= 1 << carrier
                    continue
                lasts = column(source.autonomy, Place(self.topology, twins), seconds)
                lasts = self.certain(lasts, twins, f"autonomy of {source.carrier}", 0.0)
                fills = column(source.recharge or 0.0, Place(self.topology, twins), seconds)
                fills = self.certain(fills, twins, f"recharge of {source.carrier}", 0.0)
                spots.append((twins, np.full(len(twins), carrier, np.int32), lasts, fills))
        joined = [np.concatenate(part) for part in zip(*spots, strict=True)]
        return bits, Storages(*joined)

    def places(self, n: int) -> Places:
        """Where the assets stand, as declared."""
        x, y = np.full(n, np.nan), np.full(n, np.nan)
        for asset, twins in self.twins_of():
            if asset.location is None:
                continue
            place = Place(self.topology, twins)
            x[twins] = column(asset.location.get("x"), place, number)
            y[twins] = column(asset.location.get("y"), place, number)
        return Places(x, y, self.systems())

    def systems(self) -> tuple[str, ...]:
        """The coordinate systems in which assets stand, in order."""
        found: set[str] = set()
        for asset, twins in self.twins_of():
            if asset.location is None or not len(twins):
                continue
            said = asset.location.get("crs")
            some = twins if isinstance(said, Binding) else twins[:1]
            found.update(one for one in words(said, Place(self.topology, some)) if one)
        return tuple(sorted(found))

    def services(self) -> tuple[tuple[str, Rows], ...]:
        """Positions by the service they give."""
        found: dict[str, list[Rows]] = {}
        for asset, twins in self.twins_of():
            for service in asset.services:
                found.setdefault(service, []).append(twins)
        return tuple((name, np.sort(np.concatenate(rows))) for name, rows in sorted(found.items()))


def group_names(dependencies: Dependencies) -> dict[str, int]:
    """The groups that are declared anywhere, numbered by name."""
    feeds = (feed for of_model in dependencies.feeds.values() for feed in of_model.values())
    names = sorted({feed.group for feed in feeds if feed.mode == "directed"})
    return {name: number for number, name in enumerate(names)}


def carriers_in(
    topology: Topology, dependencies: Dependencies, connected: Iterable[str]
) -> dict[str, int]:
    """The carriers `connected` in and those that a twin may feed, numbered by name.

    Raises BadInput where there are too many.
    """
    there = np.bincount(topology.model, minlength=len(topology.models))
    assets = (
        dependencies.assets.get(model)
        for model, count in zip(topology.models, there.tolist(), strict=True)
        if count
    )
    fed = {source.carrier for asset in assets if asset for source in asset.source}
    names = sorted({*connected, *fed})
    if len(names) > MAX_CARRIERS:
        raise BadInput(f"more than {MAX_CARRIERS} carriers are declared", path=names[MAX_CARRIERS])
    return {name: number for number, name in enumerate(names)}


def _flags(at: Rows, count: int) -> NDArray[np.bool_]:
    flags = np.zeros(count, np.bool_)
    flags[at] = True
    return flags


def _none() -> Rows:
    return np.zeros(0, np.int32)
