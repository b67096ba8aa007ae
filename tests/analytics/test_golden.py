"""Golden numbers of single failures in real networks, where the files are beside the repository.

Water: every link carries both ways, reservoirs are the sources. Power: lines and transformers in
service carry both ways, generators in service that can give something are the sources. What others
found with dominator trees (own, networkx) and by removing each node in turn: how many nodes take
others along, and the largest number that one takes. Counting a bus as up while any neighbour is
(`loop: sustain`) misses half of it.
"""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from tests.analytics.models.grids import solved
from twinfall.analytics import Network

TOPOLOGIES = Path(__file__).resolve().parents[3] / "shared" / "topologies"
beside = pytest.mark.skipif(
    not TOPOLOGIES.is_dir(), reason="the reference topologies are not beside the repository"
)


def _epanet(name: str) -> nx.Graph:
    """Nodes and links of an EPANET file; reservoirs have `source`."""
    graph, section = nx.Graph(), ""
    for line in (TOPOLOGIES / "wntr" / f"{name}.inp").read_text().splitlines():
        words = line.partition(";")[0].split()
        if words and words[0].startswith("["):
            section = words[0]
        elif words and section in ("[JUNCTIONS]", "[RESERVOIRS]", "[TANKS]"):
            graph.add_node(words[0], source=section == "[RESERVOIRS]")
        elif words and section in ("[PIPES]", "[PUMPS]", "[VALVES]"):
            graph.add_edge(words[1], words[2])
    return graph


def _mesh(graph: nx.Graph) -> Network:
    """The nodes as assets of one carrier, in the graph's order."""
    position = {node: i for i, node in enumerate(graph)}
    return Network.from_arrays(
        len(graph), [], [], group=[], rule=[],
        connections=[(position[a], position[b]) for a, b in graph.edges],
        carrier=np.zeros(graph.number_of_edges(), np.int8),
        source=[int(graph.nodes[node]["source"]) for node in graph],
    )  # fmt: skip


@beside
@pytest.mark.parametrize(
    ("name", "nodes", "spofs", "articulations", "most"),
    [("Net3", 97, 26, 32, 22), ("ky10", 935, 364, 366, 931)],
)
def test_single_points_of_failure_of_a_water_network(
    name: str, nodes: int, spofs: int, articulations: int, most: int
) -> None:
    graph = _epanet(name)

    lost = _mesh(graph).criticality()

    assert len(graph) == nodes
    assert int(np.count_nonzero(lost)) == spofs
    assert int(lost.max()) == most
    assert sum(1 for _ in nx.articulation_points(graph)) == articulations


@beside
@pytest.mark.parametrize("name", ["Net3", "ky10"])
def test_what_a_node_takes_along_is_what_its_removal_cuts_from_all_sources(name: str) -> None:
    graph = _epanet(name)
    nodes, network = list(graph), _mesh(graph)
    sources = [node for node in graph if graph.nodes[node]["source"]]
    for failed in range(0, len(nodes), 7):
        rest = graph.subgraph(n for n in graph if n != nodes[failed])
        fed = set(sources) & set(rest)
        fed = fed.union(*(nx.node_connected_component(rest, s) for s in fed))

        down = {nodes[a] for a in network.impact([failed]).asset}

        assert down == set(rest) - fed


def _micropolis() -> nx.Graph:
    """Buses of the pandapower file, joined by lines, transformers and closed switches."""
    tables = json.loads((TOPOLOGIES / "micropolis" / "power" / "power.json").read_text())["_object"]

    def rows(name: str) -> list[dict[str, object]]:
        frame = json.loads(tables[name]["_object"])
        named = (dict(zip(frame["columns"], row, strict=True)) for row in frame["data"])
        return [row | {"index": i} for i, row in zip(frame["index"], named, strict=True)]

    bus = {row["index"]: row["name"] for row in rows("bus")}
    grid = {bus[row["bus"]] for row in rows("ext_grid")}
    graph = nx.Graph()
    graph.add_nodes_from((name, {"source": name in grid}) for name in bus.values())
    graph.add_edges_from((bus[r["from_bus"]], bus[r["to_bus"]]) for r in rows("line"))
    graph.add_edges_from((bus[r["hv_bus"]], bus[r["lv_bus"]]) for r in rows("trafo"))
    closed = (r for r in rows("switch") if r["closed"] and r["et"] == "b")
    graph.add_edges_from((bus[r["bus"]], bus[r["element"]]) for r in closed)
    return graph


@beside
def test_the_main_bus_of_micropolis_leaves_no_other_bus_up() -> None:
    graph = _micropolis()
    network = _mesh(graph)
    main = list(graph).index("P_B1000")

    impact = network.impact([main])

    assert not network.baseline.any()
    assert len(impact) == len(graph) - 1 == 1224
    assert set(impact.wave) == {1}


def _power(name: str) -> nx.Graph:
    """Buses of a network that pandapower brings along, joined by lines and transformers."""
    net = solved(name)
    graph = nx.Graph()
    graph.add_nodes_from(net.bus.index, source=False)
    for table, begin, end in (("line", "from_bus", "to_bus"), ("trafo", "hv_bus", "lv_bus")):
        frame = net[table][net[table].in_service.astype(bool)]
        graph.add_edges_from(zip(frame[begin], frame[end], strict=True))
    for table in (net.gen, net.ext_grid):
        for bus in table[table.in_service.astype(bool) & (table.max_p_mw > 0)].bus:
            graph.nodes[bus]["source"] = True
    return graph


@pytest.mark.parametrize(
    ("name", "sources", "articulations", "spofs", "most", "total"),
    [
        ("case118", 54, 9, 1, 1, 1),
        ("case1354pegase", 260, 382, 315, 50, 786),
        ("case9241pegase", 1445, 1414, 1092, 50, 2392),
    ],
)
def test_single_points_of_failure_of_a_power_grid(
    name: str, sources: int, articulations: int, spofs: int, most: int, total: int
) -> None:
    graph = _power(name)

    lost = _mesh(graph).criticality()

    assert sum(data["source"] for _, data in graph.nodes(data=True)) == sources
    assert sum(1 for _ in nx.articulation_points(graph)) == articulations
    assert int(np.count_nonzero(lost)) == spofs
    assert int(lost.max()) == most
    assert int(lost.sum()) == total


@pytest.mark.parametrize(
    ("name", "step"), [("case118", 1), ("case1354pegase", 9), ("case9241pegase", 311)]
)
def test_what_a_bus_takes_along_is_what_its_removal_cuts_from_all_sources(
    name: str, step: int
) -> None:
    graph = _power(name)
    nodes, network = list(graph), _mesh(graph)
    lost = network.criticality()
    sampled = {*range(0, len(nodes), step), *np.argsort(lost)[-10:].tolist()}
    for failed in sorted(sampled):
        rest = graph.subgraph(n for n in graph if n != nodes[failed])
        parts = list(nx.connected_components(rest))
        dark = set().union(*(p for p in parts if not any(graph.nodes[n]["source"] for n in p)))

        assert {nodes[a] for a in network.impact([failed]).asset} == dark
        assert lost[failed] == len(dark)


@pytest.mark.parametrize(
    ("name", "spofs", "total", "grounded"),
    [("case118", 1, 1, 1), ("case1354pegase", 278, 404, 786), ("case9241pegase", 882, 1115, 2392)],
)
def test_a_fed_neighbour_is_not_enough_of_a_reason_to_be_up(
    name: str, spofs: int, total: int, grounded: int
) -> None:
    graph = _power(name)
    bus = {node: i for i, node in enumerate(graph)}
    fed = [node for node in graph if not graph.nodes[node]["source"]]
    feeds = [(bus[near], bus[node], i) for i, node in enumerate(fed) for near in graph[node]]
    neighbours = Network.from_arrays(
        len(graph), [f[0] for f in feeds], [f[1] for f in feeds], group=[f[2] for f in feeds],
        rule=["any"] * len(fed), sustain=[True] * len(fed),
    )  # fmt: skip

    lost = neighbours.criticality()

    assert int(np.count_nonzero(lost)) == spofs
    assert int(lost.sum()) == total
    assert int(_mesh(graph).criticality().sum()) == grounded
