"""Random plants for hypothesis, and the same plant as arrays."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import strategies as st

from tests.analytics.reference import Group, Plant
from twinfall.analytics import Network, Storages

_SECONDS = st.sampled_from([0.0, 0.0, 0.0, 10.0, 20.0, 30.0])


@st.composite
def groups(draw: st.DrawFn, n: int) -> Group:
    """A group of one to four feeds with any rule, sometimes slow, buffered or sustained."""
    providers = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=4, unique=True))
    votes = None
    if draw(st.sampled_from([False, False, True])):
        votes = {p: draw(st.integers(1, 4)) for p in providers}
    return Group(
        consumer=draw(st.integers(0, n - 1)),
        feeds={p: draw(_SECONDS) for p in providers},
        fail_at=draw(st.integers(1, sum(votes.values()) if votes else len(providers))),
        autonomy=draw(_SECONDS),
        sustain=draw(st.sampled_from([False, False, False, True])),
        votes=votes,
    )


@st.composite
def plants(draw: st.DrawFn, most: int = 9) -> Plant:
    """Directed groups and up to two carriers over a few assets, mixed at will."""
    n = draw(st.integers(2, most))
    asset = st.integers(0, n - 1)
    plant = Plant(n, groups=draw(st.lists(groups(n), max_size=n)))
    for carrier in range(draw(st.integers(0, 2))):
        graph = nx.DiGraph()
        arcs = draw(st.lists(st.tuples(asset, asset, st.booleans()), min_size=1, max_size=2 * n))
        for a, b, both in arcs:
            if a != b:
                graph.add_edge(a, b)
                if both:
                    graph.add_edge(b, a)
        if len(graph):
            plant.carriers[carrier] = graph
            plant.sources |= {(a, carrier) for a in draw(st.sets(asset, max_size=2))}
            for a in draw(st.sets(asset, max_size=3)):
                if (a, carrier) not in plant.sources and a in graph:
                    plant.storages[a, carrier] = draw(st.sampled_from([10.0, 20.0, 35.0]))
    plant.insulating = draw(st.sets(asset, max_size=2))
    plant.black_start = draw(st.sets(asset, max_size=3))
    return plant


@st.composite
def rings(draw: st.DrawFn) -> Plant:
    """Rings one behind the other, all of which asset 0 holds up: over feeds whose loss is felt
    late, behind batteries, and now and then through a carrier with tanks.
    """
    seconds, seldom = st.sampled_from([0.0, 0.0, 10.0, 20.0]), st.sampled_from([0, 0, 0, 1])
    sizes = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    plant = Plant(1 + sum(sizes))
    begin = 1
    for size in sizes:
        for i in range(size):
            ring = {begin + (i + 1) % size} if size > 1 else set()
            wants = 2 if i == 0 else draw(seldom)
            others = draw(st.sets(st.integers(0, begin - 1), min_size=wants > 1, max_size=wants))
            for row in filter(None, [others, ring] if draw(seldom) else [others | ring]):
                feeds = {p: draw(seconds) for p in sorted(row)}
                lost = 1 if draw(seldom) else len(feeds)
                plant.groups.append(Group(begin + i, feeds, lost, draw(seconds)))
        begin += size
    if draw(seldom):
        asset = st.integers(0, plant.n - 1)
        arcs = draw(st.lists(st.tuples(asset, asset), min_size=1, max_size=plant.n))
        plant.carriers[0] = graph = nx.DiGraph([(a, b) for a, b in arcs if a != b])
        graph.add_edges_from([(b, a) for a, b in graph.edges if draw(st.booleans())])
        plant.sources = {(a, 0) for a in draw(st.sets(asset, min_size=1, max_size=2)) & set(graph)}
        for a in draw(st.sets(asset, max_size=2)) & set(graph) - {a for a, _ in plant.sources}:
            plant.storages[a, 0] = draw(st.sampled_from([10.0, 35.0]))
    return plant


def network_of(plant: Plant, recharge: float = 0.0) -> Network:
    """The plant as the engine takes it; rules in words where there are words for them. Buffers
    are full again after `recharge` seconds.
    """
    feeds = [(p, g.consumer, i, t) for i, g in enumerate(plant.groups) for p, t in g.feeds.items()]
    arcs = [(a, b, c) for c, graph in plant.carriers.items() for a, b in graph.edges]
    source = np.zeros(plant.n, np.int32)
    for a, c in plant.sources:
        source[a] |= 1 << c
    spots = list(plant.storages)
    return Network.from_arrays(
        plant.n,
        [f[0] for f in feeds],
        [f[1] for f in feeds],
        group=[f[2] for f in feeds],
        rule=[_rule(g) for g in plant.groups],
        k=[g.total - g.fail_at + 1 for g in plant.groups],
        share=[float(g.of(p)) for g in plant.groups for p in g.feeds],
        min_share=[float(g.total - g.fail_at + 1) for g in plant.groups],
        transfer=[f[3] for f in feeds],
        autonomy=[g.autonomy for g in plant.groups],
        recharge=[recharge] * len(plant.groups),
        sustain=[g.sustain for g in plant.groups],
        black_start=[a in plant.black_start for a in range(plant.n)],
        connections=[arc[:2] for arc in arcs],
        carrier=[arc[2] for arc in arcs],
        oneway=[True] * len(arcs),
        source=source,
        conducts=[a not in plant.insulating for a in range(plant.n)],
        storages=Storages(
            np.array([s[0] for s in spots], np.int32),
            np.array([s[1] for s in spots], np.int32),
            np.array(list(plant.storages.values()), np.float64),
            np.full(len(spots), recharge),
        ),
    )


def _rule(group: Group) -> str:
    if group.votes is not None:
        return "capacity"
    if group.fail_at == 1:
        return "all"
    return "any" if group.fail_at == len(group.feeds) else "atLeast"
