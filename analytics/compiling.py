"""From the graph and its declarations to the arrays of a network.

Every twin and component is a position, assets or not: a topology's positions are kept, and those
that take no part cost nothing when a question is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.assembling import arrays_of
from twinfall.analytics.columns import number, seconds, truth
from twinfall.analytics.degrading import Soft
from twinfall.analytics.domains import Builder, Gates, connections_through_gates, through_gates
from twinfall.analytics.feeds import Feeds, Said, feeds_of
from twinfall.analytics.gathering import Gathering, NotEvaluated, Places, carriers_in
from twinfall.analytics.grouping import NO_DOMAIN, Columns, Groups, grouped
from twinfall.analytics.limits import limit_names
from twinfall.analytics.links import links_of
from twinfall.analytics.network import Network
from twinfall.analytics.votes import RULES, Ballot, rule_codes
from twinfall.graph.store import Topology, TopologyRequest
from twinfall.ontology.declarations import Dependencies
from twinfall.ontology.ontology import Ontology

Rows = NDArray[np.int32]
Floats = NDArray[np.float64]


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


def compile_network(
    topology: Topology, dependencies: Dependencies, position: Mapping[str, int]
) -> Compiled:
    """The arrays of a graph, `position` where each twin is in it; what cannot be followed is in
    `not_evaluated`, never left out.
    """
    work = Gathering(topology, dependencies, position)
    rows = work.reader.read(work.feeds("directed"))
    connected = work.feeds("network")
    carried = {item.feed.carrier or "" for item in connected}
    work.carriers = carriers_in(topology, dependencies, carried)
    pairs, carrier, oneway, domain = work.connections(connected)
    builder = Builder(work.n + len(work.domains.free))
    if (rows.domain != NO_DOMAIN).any():
        rows = through_gates(numbered(work, rows), builder)
    pairs, carrier, oneway = connections_through_gates(pairs, carrier, oneway, domain, builder)
    gates = builder.built()
    hard = numbered(work, rows.take(rows.degrade == 0) if rows.degrade.any() else rows)
    soft = numbered(work, rows.take(rows.degrade == 1))
    bits, storages = work.sources()
    n = gates.first + gates.count
    feeds = hard_feeds(n, hard, gates, padded(black_starts(work), n, False))
    assets = padded(bits, n, 0), padded(switches(work), n, True)
    links = links_of(n, pairs, carrier, oneway, assets, storages)
    worth = np.broadcast_to(1.0, n)
    network = Network(feeds, links, arrays_of(n, feeds, links), worth, gates.first)
    degrading = Soft.of(n, soft, work.reader.names)
    note_unsatisfiable(work, network.feeds, hard)
    note_unsatisfiable(work, degrading.feeds, soft)
    customers, value, failure_rate, repair_time = (
        padded(column, n, fill) for column, fill in worths(work)
    )
    return Compiled(
        network,
        tuple(work.domains.free),
        gates.behind,
        degrading,
        (*work.reader.names, "failureDomain"),
        padded(hard.of("name"), network.feeds.count, len(work.reader.names)),
        tuple(work.carriers),
        customers,
        value,
        failure_rate,
        repair_time,
        work.services(),
        tuple(sorted(work.reasons)),
        work.places(n),
    )


def worths(work: Gathering) -> list[tuple[Floats, float]]:
    """Customers, value, failure rate and repair time by position, each with what is said of who
    has none.
    """
    return [
        (work.per_twin("customers", number, 0.0, needed=False), 0.0),
        (work.per_twin("value", number, 0.0, needed=False), 0.0),
        (work.per_twin("failure_rate", number, np.nan, needed=False), np.nan),
        (work.per_twin("repair_time", seconds, np.nan, needed=False), np.nan),
    ]


def black_starts(work: Gathering) -> NDArray[np.bool_]:
    """Who starts by itself, by position."""
    found: NDArray[np.bool_] = work.per_twin("black_start", truth, 0.0, needed=True) > 0
    return found


def switches(work: Gathering) -> NDArray[np.bool_]:
    """Who conducts, by position."""
    found: NDArray[np.bool_] = work.per_twin("conducts", truth, 1.0, needed=True) > 0
    return found


def numbered(work: Gathering, rows: Columns) -> Groups:
    """The rows in groups."""
    return grouped(rows, len(work.reader.names), work.note)


def hard_feeds(n: int, groups: Groups, gates: Gates, black_start: NDArray[np.bool_]) -> Feeds:
    """The feeds whose loss takes down, those of gates behind them."""
    extra, more, rows = len(gates.rules), len(gates.provider), groups.rows
    ballot = Ballot(
        np.concatenate([groups.rules(), rule_codes(gates.rules)]),
        np.append(groups.wanted(), np.zeros(extra, np.int32)),
        _unusual(rows.share, 1.0, more),
        np.append(groups.of("min_share"), np.zeros(extra)),
        _unusual(rows.priority, 1.0, more),
        _unusual(rows.start, 0.0, more),
    )
    said = Said(
        ballot,
        np.append(groups.of("autonomy"), np.zeros(extra)),
        np.append(groups.of("sustain") == 1, np.zeros(extra, bool)),
        np.append(rows.transfer, np.zeros(more)),
        np.append(groups.of("recharge"), np.zeros(extra)),
    )
    edges = (
        np.concatenate([rows.provider, gates.provider]),
        np.concatenate([rows.consumer, gates.gate]),
        np.concatenate([groups.group, gates.group + len(groups.first)]),
    )
    return feeds_of(n, edges, said, black_start)


def _unusual(values: Floats, usual: float, more: int) -> Floats | None:
    """The values of feeds and `more` usual ones of gates; None where all are usual."""
    if (values == usual).all():
        return None
    return np.append(values, np.full(more, usual))


def padded(values: Any, count: int, fill: Any) -> Any:
    """The values, and `fill` for the positions behind."""
    return np.append(values, np.full(count - len(values), fill, values.dtype))


def note_unsatisfiable(work: Gathering, feeds: Feeds, groups: Groups) -> None:
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
