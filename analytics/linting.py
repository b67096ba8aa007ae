"""Lint of a graph: what its declarations can never do with the twins and relationships there are.

The findings of the models alone are `twinfall.ontology.lint`'s. Nothing here is an error: a graph
in the making has loose ends. Each finding names at most a few twins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from twinfall.analytics.assets import AssetNetwork
from twinfall.graph.store import Topology
from twinfall.ontology.declarations import Dependencies, Feed
from twinfall.ontology.lint import MAX_NAMED, Finding
from twinfall.ontology.model import Content
from twinfall.ontology.ontology import Ontology

Flags = NDArray[np.bool_]
Rows = NDArray[np.int32]
MAX_FINDINGS = 10_000
UNREAD = ("demand", "capacity")
"""What may be declared of an asset, and limits nothing in a cascade."""


def lint_graph(
    assets: AssetNetwork, ontology: Ontology, dependencies: Dependencies
) -> list[Finding]:
    """All findings, by element, then code; at most `MAX_FINDINGS`."""
    uses = _Uses(assets.topology, ontology, dependencies)
    loose = _Loose(assets)
    found = {
        *uses.idle(),
        *uses.feedless(),
        *uses.unread(),
        *loose.islands(),
        *loose.loops(),
        *_unclear(assets),
    }
    return sorted(found)[:MAX_FINDINGS]


class _Uses:
    """Which declarations the relationships and components of the graph use."""

    def __init__(self, topology: Topology, ontology: Ontology, dependencies: Dependencies) -> None:
        self._topology = topology
        self._ontology = ontology
        self._feeds = dependencies.feeds
        self._assets = dependencies.assets
        self._code = {model: code for code, model in enumerate(topology.models)}
        self._component = np.array(topology.component, dtype=object)

    def idle(self) -> Iterator[Finding]:
        """Declarations that no relationship or component of the graph has, where they are made."""
        for dtmi, feeds in self._feeds.items():
            for name, feed in feeds.items():
                if self._is_inherited(dtmi, name, feed):
                    continue
                twins = int(self._of_family(dtmi).sum())
                if not twins:
                    message = "no twin can have it: the declaration does nothing here"
                    yield Finding(f"{dtmi}/{name}", "noTwins", message, "", "hint")
                elif not len(self._ends(dtmi, name)[0]):
                    message = f"none of {twins} twins has it: it carries no failure on this graph"
                    cure = "write the relationships, or leave the declaration out"
                    yield Finding(f"{dtmi}/{name}", "neverFires", message, cure)

    def feedless(self) -> Iterator[Finding]:
        """Twins without any feed in a group that others of their model have feeds in."""
        wanted, fed = self._groups()
        for group, consumers in wanted.items():
            for code, model in enumerate(self._topology.models):
                of_model = consumers & (self._topology.model == code)
                lacking = of_model & ~fed[group]
                if not lacking.any() or not (of_model & fed[group]).any():
                    continue
                some = _named(self._topology.ids, np.flatnonzero(lacking))
                count = f"{int(lacking.sum())} of {int(of_model.sum())} twins"
                message = f'{count} have no feed in the group "{group}": {some}'
                cure = "as it is, they do not depend on it at all"
                yield Finding(model, "noFeeds", message, cure, "hint")

    def unread(self) -> Iterator[Finding]:
        """Where it is declared how much an asset draws or gives: no question reads that."""
        for dtmi, asset in self._assets.items():
            said = {n: getattr(asset, n) for n in UNREAD if getattr(asset, n) is not None}
            for above in self._ontology.interfaces[dtmi].ancestors:
                had = self._assets.get(above)
                said = {n: v for n, v in said.items() if getattr(had, n, None) != v}
            if said and self._of_family(dtmi).any():
                message = f"its {' and '.join(said)} limit nothing: what is reached is supplied"
                cure = "what each feed gives is a `share`, with the rule `capacity`"
                yield Finding(dtmi, "notRead", message, cure, "hint")

    def _groups(self) -> tuple[dict[str, Flags], dict[str, Flags]]:
        """By group: the twins that may have feeds in it, and those that do."""
        size = len(self._topology.ids)
        wanted: dict[str, Flags] = defaultdict(lambda: np.zeros(size, bool))
        fed: dict[str, Flags] = defaultdict(lambda: np.zeros(size, bool))
        for dtmi, feeds in self._feeds.items():
            for name, feed in feeds.items():
                if feed.mode != "directed":
                    continue
                source, target = self._ends(dtmi, name)
                owns = feed.dependent == "source"
                fed[feed.group][source if owns else target] = True
                if owns:
                    wanted[feed.group] |= self._of_model(dtmi)
                elif (end := self._content(dtmi, name).target) in self._ontology.interfaces:
                    wanted[feed.group] |= self._of_family(str(end))
        return wanted, fed

    def _ends(self, dtmi: str, name: str) -> tuple[Rows, Rows]:
        """Sources and targets of what the twins of a model and its descendants have of a name."""
        topology = self._topology
        if self._content(dtmi, name).kind == "Component":
            parts = np.flatnonzero((topology.owner >= 0) & (self._component == name))
            source, target = topology.owner[parts], parts.astype(np.int32)
        elif name in topology.edges:
            source, target = topology.edges[name].source, topology.edges[name].target
        else:
            return np.zeros(0, np.int32), np.zeros(0, np.int32)
        mine = self._of_family(dtmi)[source]
        return source[mine], target[mine]

    def _content(self, dtmi: str, name: str) -> Content:
        return self._ontology.interfaces[dtmi].contents[name]

    def _of_model(self, dtmi: str) -> Flags:
        return np.asarray(self._topology.model == self._code.get(dtmi, -1))

    def _of_family(self, dtmi: str) -> Flags:
        codes = [self._code[one] for one in self._ontology.family(dtmi) if one in self._code]
        return np.isin(self._topology.model, codes)

    def _is_inherited(self, dtmi: str, name: str, feed: Feed) -> bool:
        above = self._ontology.interfaces[dtmi].ancestors
        return any(self._feeds.get(one, {}).get(name) == feed for one in above)


class _Loose:
    """What is down before any failure because nothing supports it."""

    def __init__(self, assets: AssetNetwork) -> None:
        self._assets = assets
        self._network = assets.network
        self._down = np.asarray(self._network.baseline, bool)
        self._dry = np.zeros(len(self._down), bool)
        """Positions of islands without a source."""

    def islands(self) -> Iterator[Finding]:
        """Parts of a network that no source reaches along its ways, open switches or not."""
        links = self._network.links
        for number, carrier in enumerate(self._assets.compiled.carriers):
            arcs = links.carrier == number
            member = (links.member >> number & 1).astype(bool)
            feeding = (links.source >> number & 1).astype(bool)
            feeding[links.storages.asset[links.storages.carrier == number]] = True
            begin, end = links.begin[arcs], links.end[arcs]
            dry = member & ~_reached(begin, end, feeding)
            self._dry |= dry
            among = dry[begin] & dry[end]
            _, label = _parts(begin[among], end[among], len(member), "weak")
            for rows in _by_label(label, dry):
                message = f'{len(rows)} assets are connected to no source of "{carrier}"'
                yield self._finding(rows, "islandWithoutSource", f"{message}, and down",
                                    "connect them, or declare the source")  # fmt: skip

    def loops(self) -> Iterator[Finding]:
        """Assets that feed each other in a circle, which nothing outside began."""
        feeds = self._network.feeds
        consumer = feeds.consumer[feeds.group]
        inside = self._down[feeds.provider] & self._down[consumer]
        provider, consumer = feeds.provider[inside], consumer[inside]
        _, label = _parts(provider, consumer, len(self._down), "strong")
        circle = label[provider] == label[consumer]
        own = np.zeros(len(self._down), bool)
        own[provider[circle]] = own[consumer[circle]] = True
        caused = np.isin(label, label[consumer[~circle]]) | np.isin(label, label[self._dry & own])
        for rows in _by_label(label, own & ~caused):
            message = f"{len(rows)} assets feed each other in a circle that no source supports"
            cure = "give one of them a source or `blackStart`, or declare `loop: sustain`"
            yield self._finding(rows, "loopWithoutSource", f"{message}, and are down", cure)

    def _finding(self, rows: Rows, code: str, message: str, cure: str) -> Finding:
        seen = rows[rows < self._assets.visible]
        ids = self._assets.ids
        first = ids[int(seen[0])] if len(seen) else ids[int(rows[0])]
        return Finding(first, code, f"{message}: {_named(ids, seen)}", cure)


def _unclear(assets: AssetNetwork) -> Iterator[Finding]:
    """Twins whose declarations cannot be followed, by reason."""
    reasons: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for row in assets.not_evaluated:
        reasons[row.reason, row.assumed].append(row.id)
    for (reason, assumed), ids in reasons.items():
        more = f" and {len(ids) - MAX_NAMED} more" if len(ids) > MAX_NAMED else ""
        where = f"{', '.join(ids[:MAX_NAMED])}{more}"
        level = "hint" if assumed else "warning"
        yield Finding(ids[0], "notEvaluated", f"{reason}: {where}", "", level)  # type: ignore[arg-type]


def _parts(begin: Rows, end: Rows, size: int, connection: str) -> tuple[int, Rows]:
    """How many connected parts there are, and the part of each position."""
    graph = coo_array((np.ones(len(begin), np.int8), (begin, end)), shape=(size, size))
    count, label = connected_components(graph, directed=True, connection=connection)
    return int(count), label


def _reached(begin: Rows, end: Rows, start: Flags) -> Flags:
    """The positions that the arcs lead to from any of those in `start`, which are among them."""
    first, origin = np.flatnonzero(start), len(start)
    rows = np.concatenate([begin, np.full(len(first), origin)])
    columns = np.concatenate([end, first])
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(origin + 1,) * 2)
    order = breadth_first_order(graph.tocsr(), origin, return_predecessors=False)
    found = np.zeros(origin + 1, bool)
    found[order] = True
    return found[:origin]


def _by_label(label: Rows, flags: Flags) -> Iterator[Rows]:
    """The flagged positions by label, ascending, the first position first."""
    rows = np.flatnonzero(flags).astype(np.int32)
    order = np.argsort(label[rows], kind="stable")
    rows = rows[order]
    cuts = np.flatnonzero(np.diff(label[rows])) + 1
    yield from sorted((part for part in np.split(rows, cuts) if len(part)), key=lambda p: int(p[0]))


def _named(ids: Sequence[str], rows: NDArray[Any]) -> str:
    more = f" and {len(rows) - MAX_NAMED} more" if len(rows) > MAX_NAMED else ""
    return ", ".join(ids[int(row)] for row in rows[:MAX_NAMED]) + more
