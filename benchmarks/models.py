"""Other models of a cascade beside pandapower and networkx: `python -m benchmarks.models`."""

from __future__ import annotations

import copy
import resource
import time
import warnings
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np

from benchmarks.measure import machine
from twinfall.analytics.models import DCFlow, MotterLai, PowerCascade, from_pandapower

NODES = 1_000
REPEATS = 5


def main() -> None:
    warnings.simplefilter("ignore")  # pandapower's
    print(f"{machine()}\n")
    print("| | Twinfall | peer | ratio in this run | |\n|---|---|---|---|---|")
    _outages()
    _factors()
    _motter_lai()


def _outages() -> None:
    """Flows after every single branch outage of case118, bridges solved anew with islands."""
    import pandapower
    import pandapower.networks

    net = pandapower.networks.case118()
    dc = DCFlow(from_pandapower(net))

    def by_factors() -> None:
        base, factors = dc.state().flow, dc.lodf()
        flows = base[:, None] + factors * base
        for bridge in dc.bridges():
            flows[:, bridge] = dc.state(np.arange(len(base)) != bridge).flow

    def solved() -> None:
        for branch in range(len(dc.grid.ends)):
            dc.state(np.arange(len(dc.grid.ends)) != branch)

    def theirs() -> None:
        trial = copy.deepcopy(net)
        for table in (trial.line, trial.trafo):
            for index in table.index:
                table.loc[index, "in_service"] = False
                pandapower.rundcpp(trial)
                table.loc[index, "in_service"] = True

    peer = _median(theirs, 3)
    _row("flows after all 186 outages of case118, by factors", _median(by_factors), peer, "rundcpp")
    _row("the same, each solved anew", _median(solved), peer, "rundcpp")
    model = PowerCascade.with_margin(dc.grid, 0.5)
    cascades = _median(lambda: [model.cascade([b]) for b in range(model.elements)], 3)
    rounds = sum(model.cascade([b]).rounds for b in range(model.elements))
    _row(f"all 186 cascades at a margin of 0.5, {rounds} rounds", cascades, None, "")


def _factors() -> None:
    """PTDF and LODF of all 16,049 branches of case9241."""
    import pandapower
    import pandapower.networks
    from pandapower.pypower.makeLODF import makeLODF
    from pandapower.pypower.makePTDF import makePTDF

    net = pandapower.networks.case9241pegase()
    dc = DCFlow(from_pandapower(net))
    _row("one DC power flow of case9241", _median(dc.state), None, "islands and balance included")
    began = time.perf_counter()
    shape = dc.ptdf().shape
    ours = time.perf_counter() - began
    pandapower.rundcpp(net)
    ppc = net._ppc["internal"]
    began = time.perf_counter()
    theirs = makePTDF(ppc["baseMVA"], ppc["bus"], ppc["branch"], using_sparse_solver=True)
    peer = time.perf_counter() - began
    _row(f"PTDF of case9241, {shape[0]:,} × {shape[1]:,}", ours, peer, "makePTDF, sparse solver")
    began = time.perf_counter()
    with np.errstate(all="ignore"):
        size = makeLODF(ppc["branch"], theirs).nbytes
    peer = time.perf_counter() - began
    del theirs
    began = time.perf_counter()
    factors = dc.lodf()
    ours = time.perf_counter() - began
    note = f"makeLODF, from its PTDF; {factors.nbytes / 1e9:.1f} GB, peer's {size / 1e9:.1f} GB"
    _row(f"LODF of case9241, {len(factors):,} squared", ours, peer, note)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"| peak memory of this process until here | {peak:.1f} GB | | | peers included |")


def _motter_lai() -> None:
    graph = nx.barabasi_albert_graph(NODES, 2, seed=7)
    links = list(graph.edges)
    MotterLai(3, [(0, 1)], tolerance=0)  # compiled

    def ours() -> float:
        return float(MotterLai(NODES, links, tolerance=0.2).cascade([0]).served[-1])

    def theirs() -> float:
        rest = graph.copy()
        capacity = {n: 1.2 * load for n, load in _loads(rest).items()}
        over = [0]
        while over:
            rest.remove_nodes_from(over)
            over = [n for n, load in _loads(rest).items() if load > capacity[n] * (1 + 1e-9)]
        return float(max(map(len, nx.connected_components(rest))))

    began = time.perf_counter()
    left = theirs()
    peer = time.perf_counter() - began
    assert left == ours()
    note = f"networkx; both leave {left:.0f} nodes in the largest part"
    _row(f"Motter-Lai on {NODES:,} nodes, {len(links):,} links", _median(ours), peer, note)


def _loads(graph: Any) -> dict[int, float]:
    loads: dict[int, float] = nx.betweenness_centrality(graph, normalized=False, endpoints=True)
    return loads


def _median(call: Callable[[], object], repeats: int = REPEATS) -> float:
    call()
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return float(np.median(taken))


def _row(name: str, ours: float, peer: float | None, note: str) -> None:
    beside = f"{peer * 1e3:,.0f} ms" if peer else ""
    ratio = f"{peer / ours:,.1f} ×" if peer else ""
    print(f"| {name} | {ours * 1e3:,.1f} ms | {beside} | {ratio} | {note} |", flush=True)


if __name__ == "__main__":
    main()
