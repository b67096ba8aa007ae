"""From the graph and its declarations to the arrays of a network.

Every twin and component is a position, assets or not: a topology's positions are kept, and those
that take no part cost nothing when a question is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.columns import Place, column, number, seconds, truth, whole
from twinfall.analytics.limits import limit_names
from twinfall.analytics.links import MAX_CARRIERS, Storages
from twinfall.analytics.network import Network
from twinfall.graph.store import EdgeColumns, Topology, TopologyRequest
from twinfall.ontology.declarations import Asset, Dependencies, Feed, Group
from twinfall.ontology.errors import BadInput
from twinfall.ontology.ontology import Ontology

Rows = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, order=True)
class NotEvaluated:
    """A twin whose declarations could not be followed fully, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """A network with what the arrays do not say: names of groups and carriers, worth, reasons."""

    network: Network
    group_names: tuple[str, ...]
    group_name: Rows
    carriers: tuple[str, ...]
    customers: Floats
    value: Floats
    services: tuple[tuple[str, Rows], ...]
    not_evaluated: tuple[NotEvaluated, ...]


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


@dataclass(frozen=True, slots=True)
class _Feeds:
    """Relationships, or components and their owners, of one declaration."""

    feed: Feed
    source: Rows
    target: Rows
    place: Place


@dataclass(slots=True)
class _Directed:
    """Directed feeds gathered: one array each per declaration, joined at the end."""

    provider: list[Rows] = field(default_factory=list)
    consumer: list[Rows] = field(default_factory=list)
    name: list[Rows] = field(default_factory=list)
    transfer: list[Floats] = field(default_factory=list)
    k: list[Floats] = field(default_factory=list)
    autonomy: list[Floats] = field(default_factory=list)
    certain: list[Rows] = field(default_factory=list)


class _Compiler:
    def __init__(self, topology: Topology, ontology: Ontology, dependencies: Dependencies) -> None:
        self.topology = topology
        self.ontology = ontology
        self.dependencies = dependencies
        self.n = len(topology.ids)
        self.group_names: dict[str, int] = {}
        self.carriers: dict[str, int] = {}
        self.reasons: set[NotEvaluated] = set()

    # -- gathering ------------------------------------------------------------------------

    def feeds(self) -> Iterator[_Feeds]:
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
                yield _Feeds(feed, source, target, Place(self.topology, twins))

    def _by_feed(self, content: str, models: Rows) -> Iterator[tuple[Feed, Rows]]:
        """Rows of these source models that carry failure, by declaration."""
        declared: dict[Feed, list[int]] = {}
        for code in np.unique(models):
            feeds = self.dependencies.feeds.get(self.topology.models[code], {})
            if content in feeds:
                declared.setdefault(feeds[content], []).append(int(code))
        for feed, codes in declared.items():
            yield feed, np.flatnonzero(np.isin(models, codes)).astype(np.int32)

    def _relationships(self, feed: Feed, edges: EdgeColumns, rows: Rows) -> _Feeds:
        source, target = edges.source[rows], edges.target[rows]
        twins = source if feed.dependent == "source" else target
        place = Place(self.topology, twins, edges.properties, rows)
        return _Feeds(feed, source, target, place)

    def carrier(self, name: str) -> int:
        """The number of a carrier."""
        if name not in self.carriers and len(self.carriers) == MAX_CARRIERS:
            raise BadInput(f"more than {MAX_CARRIERS} carriers are declared", path=name)
        return self.carriers.setdefault(name, len(self.carriers))

    def note(self, positions: Any, reason: str) -> None:
        """These twins are not evaluated fully."""
        ids = self.topology.ids
        self.reasons.update(NotEvaluated(ids[int(p)], reason) for p in positions)

    def certain(self, values: Floats, twins: Rows, what: str, default: float) -> Floats:
        """Values with the default where there is none, and a note about each of those."""
        missing = np.isnan(values)
        if missing.any():
            self.note(twins[missing], f"{what} has no usable value")
            values = np.where(missing, default, values)
        return values

    # -- directed feeds -------------------------------------------------------------------

    def directed(self, feeds: list[_Feeds]) -> _Directed:
        """All directed feeds, as columns."""
        found = _Directed()
        for item in feeds:
            for group, rows in self._by_group(item):
                self._add(found, item, group, rows)
        return found

    def _by_group(self, item: _Feeds) -> Iterator[tuple[Group | None, Rows]]:
        """Rows by what the consumers' models say about the group."""
        consumer = item.source if item.feed.dependent == "source" else item.target
        models = self.topology.model[consumer]
        declared: dict[Group | None, list[int]] = {}
        for code in np.unique(models):
            groups = self.dependencies.groups.get(self.topology.models[code], {})
            declared.setdefault(groups.get(item.feed.group), []).append(int(code))
        for group, codes in declared.items():
            yield group, np.flatnonzero(np.isin(models, codes)).astype(np.int32)

    def _add(self, found: _Directed, item: _Feeds, group: Group | None, rows: Rows) -> None:
        feed = item.feed
        source, target = item.source[rows], item.target[rows]
        ends = (target, source) if feed.dependent == "source" else (source, target)
        provider, consumer = ends
        edge_rows = None if item.place.rows is None else item.place.rows[rows]
        place = Place(self.topology, consumer, item.place.edges, edge_rows)
        said = group or Group(feed.rule, feed.k, feed.min_share, feed.autonomy)
        usable = self._usable(feed, said, consumer, place)
        wanted = {"all": 0.0, "any": 1.0}.get(said.rule)
        k = np.full(len(rows), wanted) if wanted is not None else column(said.k, place, whole)
        transfer = self.certain(
            column(feed.transfer, place, seconds), consumer, f'transfer of "{feed.group}"', 0.0
        )
        autonomy = self.certain(
            column(said.autonomy, place, seconds), consumer, f'autonomy of "{feed.group}"', 0.0
        )
        name = self.group_names.setdefault(feed.group, len(self.group_names))
        sustain = 2 if said.loop == "sustain" else 0
        found.provider.append(provider)
        found.consumer.append(consumer)
        found.name.append(np.full(len(rows), name, np.int32))
        found.transfer.append(transfer)
        found.k.append(k)
        found.autonomy.append(autonomy)
        found.certain.append(np.full(len(rows), int(usable) + sustain, np.int32))

    def _usable(self, feed: Feed, group: Group, consumer: Rows, place: Place) -> bool:
        """Whether the group can be voted on; what is left out is noted with each consumer."""
        name = f'group "{feed.group}"'
        if group.rule == "capacity" or group.effect == "degrade":
            what = "the rule capacity" if group.rule == "capacity" else "degradation"
            self.note(np.unique(consumer), f"{name}: {what} is not evaluated")
            return False
        standby = column(feed.priority, place, number) > 1
        self.note(consumer[standby], f"{name}: a standby counts as running")
        unsure = column(feed.probability, place, number) < 1
        self.note(consumer[unsure], f"{name}: a probability counts as certain")
        if feed.failure_domain is not None:
            self.note(np.unique(consumer), f"{name}: failure domains are not evaluated")
        return True

    # -- networks -------------------------------------------------------------------------

    def connections(self, feeds: list[_Feeds]) -> tuple[Any, Any, Any]:
        """Connections [m, 2] in the direction that carries, carrier [m], oneway [m]."""
        pairs, carrier, oneway = [np.zeros((0, 2), np.int32)], [_none()], [np.zeros(0, bool)]
        for item in feeds:
            feed, count = item.feed, len(item.source)
            ends = (item.target, item.source) if feed.dependent == "source" else None
            pairs.append(np.stack(ends or (item.source, item.target), axis=1))
            carrier.append(np.full(count, self.carrier(feed.carrier or ""), np.int32))
            oneway.append(np.full(count, feed.dependent is not None))
        return np.concatenate(pairs), np.concatenate(carrier), np.concatenate(oneway)

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
        spots: list[tuple[Rows, Rows, Floats]] = [(_none(), _none(), np.zeros(0))]
        for asset, twins in self.twins_of():
            for source in asset.source:
                carrier = self.carrier(source.carrier)
                if source.autonomy is None:
                    bits[twins] |= 1 << carrier
                    continue
                lasts = column(source.autonomy, Place(self.topology, twins), seconds)
                lasts = self.certain(lasts, twins, f"autonomy of {source.carrier}", 0.0)
                spots.append((twins, np.full(len(twins), carrier, np.int32), lasts))
        joined = [np.concatenate(part) for part in zip(*spots, strict=True)]
        return bits, Storages(*joined)

    def services(self) -> tuple[tuple[str, Rows], ...]:
        """Positions by the service they give."""
        found: dict[str, list[Rows]] = {}
        for asset, twins in self.twins_of():
            for service in asset.services:
                found.setdefault(service, []).append(twins)
        return tuple((name, np.sort(np.concatenate(rows))) for name, rows in sorted(found.items()))


def _none() -> Rows:
    return np.zeros(0, np.int32)


def compile_network(topology: Topology, ontology: Ontology, dependencies: Dependencies) -> Compiled:
    """The arrays of a graph; what cannot be followed is in `not_evaluated`, never left out."""
    work = _Compiler(topology, ontology, dependencies)
    feeds = list(work.feeds())
    groups = _groups(work, work.directed([f for f in feeds if f.feed.mode == "directed"]))
    pairs, carrier, oneway = work.connections([f for f in feeds if f.feed.mode == "network"])
    source, storages = work.sources()
    network = Network.from_arrays(
        work.n,
        groups.provider,
        groups.consumer,
        group=groups.group,
        rule=groups.rule,
        k=groups.k,
        transfer=groups.transfer,
        autonomy=groups.autonomy,
        sustain=groups.sustain,
        black_start=work.per_twin("black_start", truth, 0.0, needed=True) > 0,
        connections=pairs,
        carrier=carrier,
        oneway=oneway,
        source=source,
        conducts=work.per_twin("conducts", truth, 1.0, needed=True) > 0,
        storages=storages,
    )
    _note_unsatisfiable(work, network, groups)
    return Compiled(
        network,
        tuple(work.group_names),
        groups.name,
        tuple(work.carriers),
        work.per_twin("customers", number, 0.0, needed=False),
        work.per_twin("value", number, 0.0, needed=False),
        work.services(),
        tuple(sorted(work.reasons)),
    )


@dataclass(frozen=True, slots=True)
class _Groups:
    """Feeds with dense groups, and what each group says."""

    provider: Rows
    consumer: Rows
    group: Rows
    transfer: Floats
    rule: list[str]
    k: Rows
    autonomy: Floats
    sustain: NDArray[np.bool_]
    name: Rows
    usable: NDArray[np.bool_]


def _groups(work: _Compiler, found: _Directed) -> _Groups:
    """Number the groups: one for each consumer and group name."""
    joined = {
        name: np.concatenate([_none(), *getattr(found, name)])
        for name in ("provider", "consumer", "name", "transfer", "k", "autonomy", "certain")
    }
    key = joined["consumer"].astype(np.int64) * max(1, len(work.group_names)) + joined["name"]
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    for what in ("k", "autonomy"):
        _note_differences(work, joined, (first, group), what)
    k = joined["k"][first]
    flags = joined["certain"][first].astype(np.int32)
    unusable = (flags & 1) == 0
    rules = [_rule(float(v), bool(u)) for v, u in zip(k, unusable, strict=True)]
    wanted = np.where(np.isnan(k) | unusable, 0, k).astype(np.int32)
    return _Groups(
        joined["provider"].astype(np.int32),
        joined["consumer"].astype(np.int32),
        group.astype(np.int32).reshape(-1),
        joined["transfer"].astype(np.float64),
        rules,
        wanted,
        joined["autonomy"][first].astype(np.float64),
        (flags & 2) != 0,
        joined["name"][first].astype(np.int32),
        ~unusable,
    )


def _rule(k: float, unusable: bool) -> str:
    return "all" if k == 0 and not unusable else "atLeast"


def _note_differences(work: _Compiler, joined: Any, groups: Any, what: str) -> None:
    """A group whose feeds are bound to different values takes the first, and says so."""
    first, group = groups
    values = joined[what]
    differs = ~((values == values[first][group]) | np.isnan(values))
    if differs.any():
        work.note(joined["consumer"][differs], f"its feeds give different values for {what}")


def _note_unsatisfiable(work: _Compiler, network: Network, groups: _Groups) -> None:
    names = list(work.group_names)
    for group in network.feeds.unsatisfiable:
        if not groups.usable[group]:
            continue  # already said why
        size = int(network.arrays.in_start[group + 1] - network.arrays.in_start[group])
        reason = f'group "{names[groups.name[group]]}": needs k between 1 and {size} of {size}'
        work.note([network.feeds.consumer[group]], reason)
