"""From the graph and its declarations to the arrays of a network.

Every twin and component is a position, assets or not: a topology's positions are kept, and those
that take no part cost nothing when a question is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.columns import Place, column, number, seconds, truth, words
from twinfall.analytics.degrading import Soft
from twinfall.analytics.domains import (
    Builder,
    Domains,
    Gates,
    connections_through_gates,
    through_gates,
)
from twinfall.analytics.feeds import Feeds
from twinfall.analytics.grouping import NO_DOMAIN, Columns, Declared, Groups, Reader, grouped
from twinfall.analytics.limits import limit_names
from twinfall.analytics.links import MAX_CARRIERS, Storages
from twinfall.analytics.network import Network
from twinfall.analytics.votes import RULES, rule_codes
from twinfall.graph.store import EdgeColumns, Topology, TopologyRequest
from twinfall.ontology.declarations import Asset, Dependencies, Feed
from twinfall.ontology.errors import BadInput
from twinfall.ontology.ontology import Ontology

Rows = NDArray[np.int32]
Floats = NDArray[np.float64]


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


@dataclass(frozen=True, slots=True)
class Compiled:
    """A network with what the arrays do not say: names of groups and carriers, worth, reasons.

    Positions are those of the topology, then `domains` (free failure domains), then gates;
    `behind` is the asset for which each gate stands in an answer.
    """

    network: Network
    domains: tuple[str, ...]
    behind: Rows
    soft: Soft
    group_names: tuple[str, ...]
    group_name: Rows
    carriers: tuple[str, ...]
    customers: Floats
    value: Floats
    failure_rate: Floats
    """Failures a year; NaN where nothing is declared."""
    repair_time: Floats
    """Seconds; NaN where nothing is declared."""
    services: tuple[tuple[str, Rows], ...]
    not_evaluated: tuple[NotEvaluated, ...]
    places: Places = field(default_factory=Places)


def topology_request(ontology: Ontology, dependencies: Dependencies) -> TopologyRequest:
    """What must be read to compile: declared relationships, and every property that is bound."""
    names = {
        name
        for dtmi, feeds in dependencies.feeds.items()
        for name in feeds
        if ontology.interfaces[dtmi].contents[name].kind == "Relationship"
    }
    bound = dependencies.bound_names()
    read = bound | limit_names(ontology, dependencies)
    return TopologyRequest(tuple(sorted(names)), tuple(sorted(read)), tuple(sorted(bound)))


class _Compiler:
    def __init__(
        self,
        topology: Topology,
        ontology: Ontology,
        dependencies: Dependencies,
        position: Mapping[str, int],
    ) -> None:
        self.topology = topology
        self.ontology = ontology
        self.dependencies = dependencies
        self.n = len(topology.ids)
        self.carriers: dict[str, int] = {}
        self.reasons: set[NotEvaluated] = set()
        self.domains = Domains(position, self.n, self.note)
        self.reader = Reader(dependencies.groups, self.note, self.domains.of)

    # -- gathering ------------------------------------------------------------------------

    def feeds(self) -> Iterator[Declared]:
        """Every declared feed of the graph, by declaration."""
        for name, edges in self.topology.edges.items():
            for feed, rows in self._by_feed(name, self.topology.model[edges.source]):
                yield self._relationships(feed, edges, rows)
        owned = np.flatnonzero(self.topology.owner >= 0).astype(np.int32)
        names = np.array([self.topology.component[p] for p in owned], dtype=object)
        for name in dict.fromkeys(names.tolist()):
            of_name = owned[names == name]
            owners = self.topology.owner[of_name]
            for feed, rows in self._by_feed(name, self.topology.model[owners]):
                source, target = owners[rows], of_name[rows]
                twins = source if feed.dependent == "source" else target
                yield Declared(feed, source, target, Place(self.topology, twins))

    def _by_feed(self, content: str, models: Rows) -> Iterator[tuple[Feed, Rows]]:
        """Rows of these source models that carry failure, by declaration."""
        declared: dict[Feed, list[int]] = {}
        for code in np.unique(models):
            feeds = self.dependencies.feeds.get(self.topology.models[code], {})
            if content in feeds:
                declared.setdefault(feeds[content], []).append(int(code))
        for feed, codes in declared.items():
            yield feed, np.flatnonzero(np.isin(models, codes)).astype(np.int32)

    def _relationships(self, feed: Feed, edges: EdgeColumns, rows: Rows) -> Declared:
        source, target = edges.source[rows], edges.target[rows]
        twins = source if feed.dependent == "source" else target
        place = Place(self.topology, twins, edges.properties, rows)
        return Declared(feed, source, target, place)

    def carrier(self, name: str) -> int:
        """The number of a carrier."""
        if name not in self.carriers and len(self.carriers) == MAX_CARRIERS:
            raise BadInput(f"more than {MAX_CARRIERS} carriers are declared", path=name)
        return self.carriers.setdefault(name, len(self.carriers))

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

    def connections(self, feeds: list[Declared]) -> tuple[Any, Any, Any, Any]:
        """Connections [m, 2] in the direction that carries, carrier, oneway, domain [m]."""
        pairs, carrier, oneway = [np.zeros((0, 2), np.int32)], [_none()], [np.zeros(0, bool)]
        domain = [_none()]
        for item in feeds:
            feed, count = item.feed, len(item.source)
            ends = (item.target, item.source) if feed.dependent == "source" else None
            pairs.append(np.stack(ends or (item.source, item.target), axis=1))
            carrier.append(np.full(count, self.carrier(feed.carrier or ""), np.int32))
            oneway.append(np.full(count, feed.dependent is not None))
            twins = item.source if feed.dependent == "source" else item.target
            domain.append(self.domains.of(twins, feed.failure_domain, item.place))
        columns = (pairs, carrier, oneway, domain)
        first, second, third, fourth = (np.concatenate(column) for column in columns)
        return first, second, third, fourth

    # -- assets ---------------------------------------------------------------------------

    def twins_of(self) -> Iterator[tuple[Asset, Rows]]:
        """Positions by what their interface declares of them as assets."""
        for code, model in enumerate(self.topology.models):
            asset = self.dependencies.assets.get(model)
            if asset is not None:
                yield asset, np.flatnonzero(self.topology.model == code).astype(np.int32)

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
            for source in asset.source:
                carrier = self.carrier(source.carrier)
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
        systems: set[str] = set()
        for asset, twins in self.twins_of():
            if asset.location is None:
                continue
            place = Place(self.topology, twins)
            x[twins] = column(asset.location.get("x"), place, number)
            y[twins] = column(asset.location.get("y"), place, number)
            systems.update(one for one in words(asset.location.get("crs"), place) if one)
        return Places(x, y, tuple(sorted(systems)))

    def services(self) -> tuple[tuple[str, Rows], ...]:
        """Positions by the service they give."""
        found: dict[str, list[Rows]] = {}
        for asset, twins in self.twins_of():
            for service in asset.services:
                found.setdefault(service, []).append(twins)
        return tuple((name, np.sort(np.concatenate(rows))) for name, rows in sorted(found.items()))


def _none() -> Rows:
    return np.zeros(0, np.int32)


def compile_network(
    topology: Topology,
    ontology: Ontology,
    dependencies: Dependencies,
    position: Mapping[str, int],
) -> Compiled:
    """The arrays of a graph, `position` where each twin is in it; what cannot be followed is in
    `not_evaluated`, never left out.
    """
    work = _Compiler(topology, ontology, dependencies, position)
    feeds = list(work.feeds())
    rows = work.reader.read([f for f in feeds if f.feed.mode == "directed"])
    links = work.connections([f for f in feeds if f.feed.mode == "network"])
    builder = Builder(work.n + len(work.domains.free))
    if (rows.domain != NO_DOMAIN).any():
        rows = through_gates(_numbered(work, rows), builder)
    pairs, carrier, oneway, domain = links
    pairs, carrier, oneway = connections_through_gates(pairs, carrier, oneway, domain, builder)
    gates = builder.built()
    hard = _numbered(work, rows.take(rows.degrade == 0) if rows.degrade.any() else rows)
    soft = _numbered(work, rows.take(rows.degrade == 1))
    source, storages = work.sources()
    n = gates.first + gates.count
    network = Network.from_arrays(
        n,
        np.concatenate([hard.rows.provider, gates.provider]),
        np.concatenate([hard.rows.consumer, gates.gate]),
        group=np.concatenate([hard.group, gates.group + len(hard.first)]),
        **_said(hard, gates),
        black_start=_padded(work.per_twin("black_start", truth, 0.0, needed=True) > 0, n, False),
        connections=pairs,
        carrier=carrier,
        oneway=oneway,
        source=_padded(source, n, 0),
        conducts=_padded(work.per_twin("conducts", truth, 1.0, needed=True) > 0, n, True),
        storages=storages,
        visible=gates.first,
    )
    degrading = Soft.of(n, soft, work.reader.names)
    _note_unsatisfiable(work, network.feeds, hard)
    _note_unsatisfiable(work, degrading.feeds, soft)
    return Compiled(
        network,
        tuple(work.domains.free),
        gates.behind,
        degrading,
        (*work.reader.names, "failureDomain"),
        _padded(hard.of("name"), network.feeds.count, len(work.reader.names)),
        tuple(work.carriers),
        _padded(work.per_twin("customers", number, 0.0, needed=False), n, 0.0),
        _padded(work.per_twin("value", number, 0.0, needed=False), n, 0.0),
        _padded(work.per_twin("failure_rate", number, np.nan, needed=False), n, np.nan),
        _padded(work.per_twin("repair_time", seconds, np.nan, needed=False), n, np.nan),
        work.services(),
        tuple(sorted(work.reasons)),
        work.places(n),
    )


def _numbered(work: _Compiler, rows: Columns) -> Groups:
    return grouped(rows, len(work.reader.names), work.note)


def _said(groups: Groups, gates: Gates) -> dict[str, Any]:
    """What is said of groups and feeds, those of gates behind them."""
    extra, more = len(gates.rules), len(gates.provider)
    rows = groups.rows
    return {
        "rule": np.concatenate([groups.rules(), rule_codes(gates.rules)]),
        "k": np.append(groups.wanted(), np.zeros(extra, np.int32)),
        "min_share": np.append(groups.of("min_share"), np.zeros(extra)),
        "autonomy": np.append(groups.of("autonomy"), np.zeros(extra)),
        "recharge": np.append(groups.of("recharge"), np.zeros(extra)),
        "sustain": np.append(groups.of("sustain") == 1, np.zeros(extra, bool)),
        "transfer": np.append(rows.transfer, np.zeros(more)),
        "share": _unusual(rows.share, 1.0, more),
        "priority": _unusual(rows.priority, 1.0, more),
        "start": _unusual(rows.start, 0.0, more),
    }


def _unusual(values: Floats, usual: float, more: int) -> Floats | None:
    """The values of feeds and `more` usual ones of gates; None where all are usual."""
    if (values == usual).all():
        return None
    return np.append(values, np.full(more, usual))


def _padded(values: Any, count: int, fill: Any) -> Any:
    """The values, and `fill` for the positions behind."""
    return np.append(values, np.full(count - len(values), fill, values.dtype))


def _note_unsatisfiable(work: _Compiler, feeds: Feeds, groups: Groups) -> None:
    names = list(work.reader.names)
    rules, name = groups.rules(), groups.of("name")
    sizes, wanted = np.bincount(feeds.group, minlength=feeds.count), groups.of("k")
    for group in feeds.unsatisfiable:
        size = int(sizes[group])
        said = "has no usable value" if np.isnan(wanted[group]) else f"is {wanted[group]:g}"
        lacks = f"k {said}, and must be from 1 to {size}, the feeds that it has"
        if RULES[rules[group]] == "capacity":
            lacks = "all its shares together are less than minShare"
        work.note([feeds.consumer[group]], f'group "{names[name[group]]}": {lacks}')
