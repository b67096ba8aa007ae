"""A plant that goes on, in the plainest way: what `Evolution` must find, nothing kept up to date
but what is remembered. `docs/cascade.md`, "As time goes on", in code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import networkx as nx

from tests.analytics.reference import FOREVER, Group, Moment, Plant, first_to_fall

CHARGING, DRAINING, HOLDING = "charging", "draining", "holding"


@dataclass
class Buffer:
    """So many seconds were left `since`, of `full`; empty to full takes `recharge` seconds."""

    full: float
    recharge: float
    since: float
    level: float
    mode: str = CHARGING
    circled: bool = False

    def left(self, now: float) -> float:
        passed = now - self.since
        if self.mode == DRAINING:
            return max(self.level - passed, 0.0)
        if self.mode == HOLDING or passed == 0:
            return self.level
        if self.recharge == 0:
            return self.full
        return min(self.level + passed * self.full / self.recharge, self.full)

    def turn(self, mode: str, now: float) -> None:
        if mode != self.mode:
            self.level, self.since, self.mode = self.left(now), now, mode


class Lasting:
    """The state: who is down since when, who has failed by themselves, which losses are felt."""

    def __init__(self, plant: Plant, recharge: float) -> None:
        self.plant = replace(plant, carriers={c: g.copy() for c, g in plant.carriers.items()})
        self.now, self.own, self.bare = 0.0, set[int](), set[tuple[int, int]]()
        self.wants = {i: g.total - g.fail_at + 1 for i, g in enumerate(plant.groups)}
        self.feeds = {i: dict(g.feeds) for i, g in enumerate(plant.groups)}
        self.votes = {i: {p: g.of(p) for p in g.feeds} for i, g in enumerate(plant.groups)}
        self.all = {i for i, g in enumerate(plant.groups) if g.votes is None and g.fail_at == 1}
        self.insulating = set(plant.insulating)
        self.down = dict.fromkeys(Moment(plant).baseline, -FOREVER)
        self.lost = {(i, p) for i, feeds in self.feeds.items() for p in feeds if p in self.down}
        self.pending: dict[tuple[int, int], float] = {}
        self.buffers = {
            i: Buffer(g.autonomy, recharge, 0.0, g.autonomy)
            for i, g in enumerate(plant.groups)
            if g.autonomy
        }
        self.storages = {s: Buffer(t, recharge, 0.0, t) for s, t in plant.storages.items()}
        for i, buffer in self.buffers.items():
            if self.is_lost(i):
                buffer.level, buffer.mode = 0.0, HOLDING
        for (asset, _), buffer in self.storages.items():
            if asset in self.down:
                buffer.level, buffer.mode = 0.0, HOLDING
        self.moment(set())

    # -- what happens ---------------------------------------------------------------------

    def advance(self, to: float, *, whole: bool = True) -> None:
        while (due := self.next()) < to or (whole and due == to < FOREVER):
            self.now = due
            self.moment(set())
        self.now = to

    def fail(self, assets: set[int], at: float) -> None:
        self.advance(at, whole=False)
        self.own |= assets
        self.moment(assets)

    def repair(self, assets: set[int], at: float) -> None:
        self.advance(at, whole=False)
        self.own -= assets
        self.rise(assets)
        self.moment(set())

    def stop(self, assets: set[int], at: float) -> None:
        self.advance(at, whole=False)
        self.moment(assets - self.own)

    def switch(self, asset: int, on: bool, at: float) -> None:
        self.advance(at, whole=False)
        (self.insulating.discard if on else self.insulating.add)(asset)
        self.rise({b for g in self.plant.carriers.values() if asset in g for b in g[asset]})
        self.moment(set())

    def add_feed(self, provider: int, group: int, weight: int, at: float) -> None:
        self.advance(at, whole=False)
        self.feeds[group][provider], self.votes[group][provider] = 0.0, weight
        self.wants[group] += weight if group in self.all else 0
        if provider in self.down:
            self.lost.add((group, provider))
        self.revoted(group)

    def remove_feed(self, provider: int, group: int, at: float) -> None:
        self.advance(at, whole=False)
        del self.feeds[group][provider]
        weight = self.votes[group].pop(provider)
        self.wants[group] -= weight if group in self.all else 0
        self.lost.discard((group, provider))
        self.pending.pop((group, provider), None)
        self.revoted(group)

    def connect(self, one: int, other: int, carrier: int, oneway: bool, at: float) -> None:
        self.advance(at, whole=False)
        graph = self.plant.carriers.setdefault(carrier, nx.DiGraph())
        new = {(a, carrier) for a in (one, other) if a not in graph}
        graph.add_edges_from([(one, other)] if oneway else [(one, other), (other, one)])
        self.take_in(new)
        self.rise({other} if oneway else {one, other})
        self.bare = set()
        self.moment(set())

    def take_in(self, new: set[tuple[int, int]]) -> None:
        """Who is connected newly and has nothing of the carrier passes nothing on; storages run for
        those that nobody else feeds.
        """
        self.bare = set(new)
        while has := {spot for spot in self.bare if self.may_have(*spot, set(), set())}:
            self.bare -= has
        for asset, carrier in new - self.bare - self.plant.sources:
            if asset not in self.down and not self.is_passed(asset, carrier, new):
                self.storages[asset, carrier].turn(DRAINING, self.now)

    def is_passed(self, asset: int, carrier: int, new: set[tuple[int, int]]) -> bool:
        into = set(self.plant.carriers[carrier].predecessors(asset)) & self.up() - self.insulating
        return any((a, carrier) not in new - self.plant.sources for a in into)

    def disconnect(self, one: int, other: int, carrier: int, at: float) -> None:
        self.advance(at, whole=False)
        graph = self.plant.carriers[carrier]
        graph.remove_edges_from([(one, other), (other, one)])
        out = {a for a in (one, other) if not graph.degree(a)}
        graph.remove_nodes_from(out)
        self.hold({(asset, carrier) for asset in out})
        self.rise(out)
        self.moment(set())

    def revoted(self, group: int) -> None:
        self.rise({self.group(group).consumer})
        self.moment(set())

    # -- groups ---------------------------------------------------------------------------

    def group(self, i: int) -> Group:
        return self.plant.groups[i]

    def fail_at(self, i: int) -> int:
        total = sum(self.votes[i].values())
        return total - self.wants[i] + 1 if 1 <= self.wants[i] <= total else 0

    def lost_weight(self, i: int, without: set[int] = frozenset()) -> int:
        return sum(w for p, w in self.votes[i].items() if (i, p) in self.lost and p not in without)

    def is_lost(self, i: int, without: set[int] = frozenset()) -> bool:
        return 0 < self.fail_at(i) <= self.lost_weight(i, without)

    def groups_of(self, asset: int) -> list[int]:
        return [i for i, g in enumerate(self.plant.groups) if g.consumer == asset]

    def up(self) -> set[int]:
        return set(range(self.plant.n)) - set(self.down)

    def next(self) -> float:
        running = [*self.buffers.values(), *self.storages.values()]
        ends = [b.since + b.level for b in running if b.mode == DRAINING and b.level > 0]
        return min([*self.pending.values(), *ends], default=FOREVER)

    # -- falling --------------------------------------------------------------------------

    def fall(self, asset: int) -> None:
        self.down[asset] = self.now
        for i, feeds in self.feeds.items():
            if asset in feeds:
                if feeds[asset]:
                    self.pending[i, asset] = self.now + feeds[asset]
                else:
                    self.lost.add((i, asset))
        mine = [self.buffers[i] for i in self.groups_of(asset) if i in self.buffers]
        for buffer in mine:
            buffer.circled = False
        self.hold({spot for spot in self.storages if spot[0] == asset})
        self.set_buffers()

    def hold(self, spots: set[tuple[int, int]]) -> None:
        for buffer in (self.storages[spot] for spot in spots & set(self.storages)):
            buffer.circled = False
            buffer.turn(HOLDING, self.now)

    def set_buffers(self) -> None:
        for i, buffer in self.buffers.items():
            if not buffer.circled:
                lost, up = self.is_lost(i), self.group(i).consumer not in self.down
                mode = (DRAINING if up else HOLDING) if lost else CHARGING
                buffer.turn(mode, self.now)

    def moment(self, failed: set[int]) -> None:
        for spot, due in list(self.pending.items()):
            if due <= self.now:
                del self.pending[spot]
                self.lost.add(spot)
        for buffer in [*self.buffers.values(), *self.storages.values()]:
            if buffer.mode == DRAINING and buffer.left(self.now) <= 0:
                buffer.level, buffer.since = 0.0, self.now
        new = failed & self.up()
        while True:
            for asset in new:
                self.fall(asset)
            self.set_buffers()
            new = self.starved() | self.cut_off()
            new = new or self.unfounded()
            if not new:
                return

    def starved(self) -> set[int]:
        return {
            self.group(i).consumer
            for i in self.feeds
            if (self.is_lost(i) or (i in self.buffers and self.buffers[i].circled))
            and self.group(i).consumer not in self.down
            and not (i in self.buffers and self.buffers[i].left(self.now) > 0)
        }

    def cut_off(self) -> set[int]:
        new: set[int] = set()
        for carrier, graph in self.plant.carriers.items():
            own = self.reached(carrier, {a for a, c in self.plant.sources if c == carrier})
            running = set()
            for (asset, kind), buffer in self.storages.items():
                if kind != carrier or asset in self.down or asset not in graph:
                    continue
                if asset in own and not buffer.circled:
                    buffer.turn(CHARGING, self.now)
                elif asset not in own:
                    buffer.turn(DRAINING, self.now)
                    if buffer.left(self.now) > 0:
                        running.add(asset)
            new |= (set(graph) & self.up()) - own - self.reached(carrier, running)
        return new

    def reached(self, carrier: int, starts: set[int]) -> set[int]:
        graph, up = self.plant.carriers[carrier], self.up()
        found, new = set(), starts & up & set(graph)
        while new:
            found |= new
            new = {b for a in new - self.insulating for b in graph[a] if b in up} - found
        return found

    # -- support --------------------------------------------------------------------------

    def unfounded(self) -> set[int]:
        while True:
            found, fed = self.derivation(circled=True)
            first, started = first_to_fall(self.missing(found, fed)), False
            for i, buffer in self.buffers.items():
                begins = self.group(i).consumer in first and self.rests(buffer)
                if begins and not self.holds(i, found, True):
                    buffer.turn(DRAINING, self.now)
                    buffer.circled = started = True
            for spot, buffer in self.storages.items():
                asks = spot[0] in first & set(self.plant.carriers[spot[1]]) and spot not in fed
                if asks and self.rests(buffer):
                    buffer.turn(DRAINING, self.now)
                    buffer.circled = started = True
            if not started:
                return first

    def missing(self, found: set[int], fed: set[tuple[int, int]]) -> nx.MultiDiGraph:
        """As in the reference of a question."""
        idle = self.up() - found
        graph = nx.MultiDiGraph()
        graph.add_nodes_from(idle)
        for i, feeds in self.feeds.items():
            consumer, buffer = self.group(i).consumer, self.buffers.get(i)
            if consumer in idle and not self.holds(i, found, True):
                for provider in set(feeds) & idle:
                    slow = feeds[provider] > 0 or bool(buffer and self.rests(buffer))
                    graph.add_edge(provider, consumer, slow=slow)
        for carrier, links in self.plant.carriers.items():
            for asset in idle & set(links):
                buffer = self.storages.get((asset, carrier))
                if (asset, carrier) not in fed:
                    slow = bool(buffer and self.rests(buffer))
                    for other in set(links.predecessors(asset)) & idle - self.insulating:
                        graph.add_edge(other, asset, slow=slow)
        return graph

    def rests(self, buffer: Buffer) -> bool:
        """Whether it could begin to run."""
        return buffer.mode != DRAINING and buffer.left(self.now) > 0

    def derivation(
        self, *, circled: bool, sure: set[int] = frozenset()
    ) -> tuple[set[int], set[tuple[int, int]]]:
        """What can be derived, and what is fed; with the buffers that run in circles, or not."""
        assumed = self.plant.black_start & self.up()
        while True:
            found, fed = self.derive(assumed, circled, sure)
            kept = {a for a in assumed if self.is_supported(a, found, fed, circled)}
            if kept == assumed:
                return found, fed
            assumed = kept

    def derive(
        self, assumed: set[int], circled: bool, sure: set[int]
    ) -> tuple[set[int], set[tuple[int, int]]]:
        up, found = self.up(), assumed | sure
        fed = {(a, c) for c, graph in self.plant.carriers.items() for a in sure & set(graph)}
        while True:
            size = len(found) + len(fed)
            for carrier, graph in self.plant.carriers.items():
                for a in up & set(graph):
                    if self.is_fed(a, carrier, found, fed, circled):
                        fed.add((a, carrier))
            found |= {a for a in up if self.is_supported(a, found, fed, circled)}
            if len(found) + len(fed) == size:
                return found, fed

    def is_supported(self, asset: int, found: set[int], fed: set, circled: bool) -> bool:
        carriers = self.plant.carriers.items()
        return all(self.holds(i, found, circled) for i in self.groups_of(asset)) and all(
            (asset, c) in fed for c, graph in carriers if asset in graph
        )

    def is_fed(self, asset: int, carrier: int, found: set[int], fed: set, circled: bool) -> bool:
        buffer = self.storages.get((asset, carrier))
        # One that is empty now runs until that is taken: a repair comes before it.
        runs = buffer and buffer.mode == DRAINING and buffer.level > 0
        if runs and (circled or not buffer.circled):
            return True
        if (asset, carrier) in self.plant.sources:
            return True
        into = set(self.plant.carriers[carrier].predecessors(asset)) - self.insulating
        return any(a in found and (a, carrier) in fed for a in into)

    def holds(self, i: int, found: set[int], circled: bool) -> bool:
        if self.fail_at(i) == 0:
            return True
        buffer = self.buffers.get(i)
        lost = self.is_lost(i) or bool(buffer and buffer.circled and circled)
        if lost and buffer:
            return True
        if not lost and self.group(i).sustain:
            return True
        late = {p for p in self.feeds[i] if (i, p) in self.pending}
        votes = sum(w for p, w in self.votes[i].items() if p in found or p in late)
        return votes >= self.wants[i]

    # -- rising ---------------------------------------------------------------------------

    def rise(self, seeds: set[int]) -> None:
        assumed = {a for a in self.plant.black_start if a in self.down and a not in self.own}
        while True:
            found, fed = self.grown(assumed, seeds)
            kept = {a for a in assumed if self.is_ready(a, found, fed)}
            if kept == assumed:
                break
            assumed = kept
        for asset in found:
            del self.down[asset]
            self.lost -= {(i, asset) for i in self.feeds}
            for i in self.feeds:
                self.pending.pop((i, asset), None)
        self.set_buffers()
        self.leave_circles()

    def grown(self, assumed: set[int], seeds: set[int]) -> tuple[set[int], set[tuple[int, int]]]:
        found, fed, tried = set(assumed), set(), set(seeds)
        while True:
            size = len(found) + len(fed) + len(tried)
            spots = {(a, c) for c, g in self.plant.carriers.items() for a in found & set(g)}
            fed |= {(a, c) for a, c in spots if self.may_have(a, c, found, fed)}
            regained = (i for i in self.feeds if self.is_lost(i) and not self.is_lost(i, found))
            tried |= {self.group(i).consumer for i in regained}
            passing = ((a, c) for a, c in fed if a not in self.insulating)
            tried |= {b for a, c in passing for b in self.plant.carriers[c][a]}
            for asset in tried & set(self.down) - self.own - found:
                if self.is_ready(asset, found, fed):
                    found.add(asset)
            if len(found) + len(fed) + len(tried) == size:
                return found, fed

    def may_have(self, asset: int, carrier: int, found: set[int], fed: set) -> bool:
        buffer = self.storages.get((asset, carrier))
        if (asset, carrier) in self.plant.sources or (buffer and buffer.left(self.now) > 0):
            return True
        into = set(self.plant.carriers[carrier].predecessors(asset)) - self.insulating
        up = {a for a in self.up() if (a, carrier) not in self.bare}
        return any(a in up or (a in found and (a, carrier) in fed) for a in into)

    def is_ready(self, asset: int, found: set[int], fed: set) -> bool:
        for i in self.groups_of(asset):
            stored = i in self.buffers and self.buffers[i].left(self.now) > 0
            if self.is_lost(i, found) and not stored:
                return False
        carriers = self.plant.carriers.items()
        return all(self.may_have(asset, c, found, fed) for c, g in carriers if asset in g)

    def hanging_on(self, assets: set[int]) -> set[int]:
        """These, and what is up and hangs on them over what is up."""
        found, new, up = set(), set(assets), self.up()
        while new:
            found |= new
            fed = {self.group(i).consumer for i, feeds in self.feeds.items() if new & set(feeds)}
            for graph in self.plant.carriers.values():
                fed |= {b for a in new & set(graph) - self.insulating for b in graph[a]}
            new = fed & up - found
        return found

    def leave_circles(self) -> None:
        running = {**self.buffers, **self.storages}
        if not any(b.circled for b in running.values()):
            return
        # What does not hang on them is in no circle: if it falls now, that is felt later.
        owners = {self.group(i).consumer for i, b in self.buffers.items() if b.circled}
        owners |= {spot[0] for spot, b in self.storages.items() if b.circled}
        sure = self.up() - self.hanging_on(owners)
        found, fed = self.derivation(circled=False, sure=sure)
        for i, buffer in self.buffers.items():
            if buffer.circled and self.is_lost(i):
                buffer.circled = False
            elif buffer.circled and self.holds(i, found, False):
                buffer.circled = False
                buffer.turn(CHARGING, self.now)
        for spot, buffer in self.storages.items():
            if buffer.circled and spot in fed:
                buffer.circled = False
