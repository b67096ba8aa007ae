"""The cascade in the plainest way: sets, dictionaries and networkx, nothing kept up to date.

Every round looks at everything again. Slow on purpose; `docs/cascade.md` in code.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import networkx as nx

FOREVER = float("inf")


@dataclass(frozen=True)
class Group:
    """Feeds of one consumer that vote together: provider -> transfer seconds, and its votes
    where they are not one each.
    """

    consumer: int
    feeds: dict[int, float]
    fail_at: int
    autonomy: float = 0.0
    sustain: bool = False
    votes: dict[int, int] | None = None

    def of(self, provider: int) -> int:
        return 1 if self.votes is None else self.votes[provider]

    @property
    def total(self) -> int:
        return sum(self.of(p) for p in self.feeds)


@dataclass
class Plant:
    """A small network in words; `storages` maps (asset, carrier) to seconds."""

    n: int
    groups: list[Group] = field(default_factory=list)
    carriers: dict[int, nx.DiGraph] = field(default_factory=dict)
    sources: set[tuple[int, int]] = field(default_factory=set)
    storages: dict[tuple[int, int], float] = field(default_factory=dict)
    insulating: set[int] = field(default_factory=set)
    black_start: set[int] = field(default_factory=set)


class Moment:
    """What is known at one time: who is down since when, what runs on a buffer."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.now = 0.0
        self.down: dict[int, float] = {}
        self.wave: dict[int, int] = {}
        self.baseline: set[int] = set()
        self.lost_since: dict[int, float] = {}
        self.dry_since: dict[tuple[int, int], float] = {}
        self.empty: set[tuple[int, int]] = set()
        while unsupported := self.up() - self.supported():
            self.baseline |= unsupported

    def up(self) -> set[int]:
        return set(range(self.plant.n)) - set(self.down) - self.baseline

    def lost_feeds(self, group: Group) -> int:
        return sum(group.of(p) for p, t in group.feeds.items() if self.feed_is_lost(p, t))

    def feed_is_lost(self, provider: int, transfer: float) -> bool:
        if provider in self.baseline:
            return True
        return provider in self.down and self.down[provider] + transfer <= self.now

    def reached(self, carrier: int, starts: set[int], up: set[int]) -> set[int]:
        graph = self.plant.carriers[carrier]
        live = nx.DiGraph()
        live.add_nodes_from(up & set(graph))
        live.add_edges_from(
            (a, b) for a, b in graph.edges if a in up and b in up and a not in self.plant.insulating
        )
        begin = starts & set(live)
        return begin.union(*(nx.descendants(live, s) for s in begin))

    def supported(self) -> set[int]:
        """Everything whose support can be derived, black starters helping where they hold."""
        return self.derivation()[0]

    def derivation(self) -> tuple[set[int], set[tuple[int, int]]]:
        assumed = set(self.plant.black_start) & self.up()
        while True:
            found, fed = self.derive(assumed)
            kept = {a for a in assumed if self.is_supported(a, found, fed)}
            if kept == assumed:
                return found, fed
            assumed = kept

    def derive(self, assumed: set[int]) -> tuple[set[int], set[tuple[int, int]]]:
        """From the assumed ones on, all that is supported and all (asset, carrier) that is fed."""
        up, found, fed = self.up(), set(assumed), set()
        while True:
            size = len(found) + len(fed)
            for carrier, graph in self.plant.carriers.items():
                fed |= {
                    (a, carrier) for a in up & set(graph) if self.is_fed(a, carrier, found, fed)
                }
            found |= {a for a in up if self.is_supported(a, found, fed)}
            if len(found) + len(fed) == size:
                return found, fed

    def is_supported(self, asset: int, found: set[int], fed: set[tuple[int, int]]) -> bool:
        plant = self.plant
        return all(
            self.holds(i, found) for i, g in enumerate(plant.groups) if g.consumer == asset
        ) and all((asset, c) in fed for c, graph in plant.carriers.items() if asset in graph)

    def is_fed(self, asset: int, carrier: int, found: set[int], fed: set[tuple[int, int]]) -> bool:
        spot = (asset, carrier)
        if spot in self.plant.sources or (spot in self.dry_since and spot not in self.empty):
            return True
        into = set(self.plant.carriers[carrier].predecessors(asset)) - self.plant.insulating
        return any(a in found and (a, carrier) in fed for a in into)

    def holds(self, index: int, found: set[int]) -> bool:
        group = self.plant.groups[index]
        if index in self.lost_since:
            return group.autonomy > 0
        if group.sustain and self.lost_feeds(group) < group.fail_at:
            return True
        return self.votes(group, found) > group.total - group.fail_at

    def votes(self, group: Group, found: set[int]) -> int:
        late = {p for p, t in group.feeds.items() if p in self.down and not self.feed_is_lost(p, t)}
        return sum(group.of(p) for p in group.feeds if p in found or p in late)


def cascade(plant: Plant, failed: set[int] | dict[int, float], horizon: float = FOREVER) -> Moment:
    """Fail these at time 0, or each at its time; the moment when nothing more happens until the
    horizon.
    """
    m = Moment(plant)
    due = dict.fromkeys(failed, 0.0) if isinstance(failed, set) else failed
    _fail_due(m, due, 0)
    wave = 0
    while True:
        new = _round(m) or _unfounded(m)
        if new:
            wave += 1
            for asset in new:
                m.down[asset], m.wave[asset] = m.now, wave
            continue
        later = [t for t in [*_events(m), *due.values()] if t > m.now]
        if not later or min(later) > horizon:
            return m
        m.now = min(later)
        m.empty |= {s for s, t in m.dry_since.items() if t + plant.storages[s] <= m.now}
        wave += _fail_due(m, due, wave + 1)


def _fail_due(m: Moment, due: dict[int, float], wave: int) -> bool:
    """Fail what is due now; whether there was any."""
    new = {a for a, t in due.items() if t == m.now} & m.up()
    for asset in new:
        m.down[asset], m.wave[asset] = m.now, wave
    return bool(new)


def _round(m: Moment) -> set[int]:
    up, new = m.up(), set()
    for index, group in enumerate(m.plant.groups):
        if index not in m.lost_since and m.lost_feeds(group) >= group.fail_at:
            m.lost_since[index] = m.now
        if m.lost_since.get(index, FOREVER) + group.autonomy <= m.now:
            new.add(group.consumer)
    for carrier, graph in m.plant.carriers.items():
        own = m.reached(carrier, {a for a, c in m.plant.sources if c == carrier}, up)
        running = set()
        for asset, kind in m.plant.storages:
            if kind == carrier and asset in up and asset not in own:
                m.dry_since.setdefault((asset, carrier), m.now)
                if (asset, carrier) not in m.empty:
                    running.add(asset)
        new |= (set(graph) & up) - own - m.reached(carrier, running, up)
    return new & up


def _unfounded(m: Moment) -> set[int]:
    """What only keeps itself up, once the buffers in the circle have begun to run; what hangs
    behind over something that takes time is left for later.
    """
    if not m.down:
        return set()
    while True:
        found, fed = m.derivation()
        first = first_to_fall(_missing(m, found, fed))
        started = False
        for index, group in enumerate(m.plant.groups):
            waits = group.consumer in first and group.autonomy > 0 and index not in m.lost_since
            if waits and not m.holds(index, found):
                m.lost_since[index] = m.now
                started = True
        for spot in m.plant.storages:
            if spot[0] in first and spot not in fed and spot not in m.dry_since:
                m.dry_since[spot] = m.now
                started = True
        if not started:
            return first


def _missing(m: Moment, found: set[int], fed: set[tuple[int, int]]) -> nx.MultiDiGraph:
    """By whom each asset without support is held up all the same, and whether that loss would
    take time: to be felt, or because a buffer would begin.
    """
    idle = m.up() - found
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(idle)
    for index, group in enumerate(m.plant.groups):
        if group.consumer in idle and not m.holds(index, found):
            for provider in set(group.feeds) & idle:
                slow = group.feeds[provider] > 0 or group.autonomy > 0
                graph.add_edge(provider, group.consumer, slow=slow)
    for carrier, links in m.plant.carriers.items():
        for asset in idle & set(links):
            spot = (asset, carrier)
            if spot not in fed:
                slow = spot in m.plant.storages and spot not in m.dry_since
                for other in set(links.predecessors(asset)) & idle - m.plant.insulating:
                    graph.add_edge(other, asset, slow=slow)
    return graph


def first_to_fall(missing: nx.MultiDiGraph) -> set[int]:
    """The circles that are behind no other, and what hangs on them over nothing that takes time."""
    circles = nx.condensation(nx.DiGraph(missing))
    first = {
        asset
        for circle, assets in circles.nodes(data="members")
        if circles.in_degree(circle) == 0
        for asset in assets
    }
    waits = {b for _, b, slow in missing.edges(data="slow") if slow and b not in first}
    behind = set().union(*(nx.descendants(missing, asset) for asset in waits))
    return set(missing) - waits - behind


def _events(m: Moment) -> list[float]:
    times = [m.down[p] + t for g in m.plant.groups for p, t in g.feeds.items() if p in m.down]
    up = m.up()
    times += [
        t + m.plant.groups[i].autonomy
        for i, t in m.lost_since.items()
        if m.plant.groups[i].consumer in up
    ]
    times += [t + m.plant.storages[s] for s, t in m.dry_since.items()]
    return times
