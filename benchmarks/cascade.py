"""The cascade on a synthetic city, beside plain reachability in networkx, igraph and rustworkx.

`python -m benchmarks.cascade [ASSETS]`. The peers find what can be reached, which is not what
fails: they know no redundancy. Their times are scaled to a set of the size of ours.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from benchmarks.measure import machine
from benchmarks.synthetic import ASSETS, City, city
from twinfall.analytics import Network, warm

LARGE = 3_100_000
"""Assets of a city with ten million feeds."""
SAMPLE = 2_000
REPEATS = 101
BUSES = "case9241pegase"


def main() -> None:
    assets = int(sys.argv[1]) if len(sys.argv) > 1 else ASSETS
    warm()
    print(f"{machine()}\n")
    _one_city(assets, peers=True)
    if len(sys.argv) == 1:
        _one_city(LARGE, peers=False)
    _mesh()


def _one_city(assets: int, *, peers: bool) -> None:
    made = city(assets)
    began = time.process_time()
    network = made.network()
    built = time.process_time() - began
    print(f"| {assets:,} assets, {len(made.provider):,} feeds | | |\n|---|---|---|")
    _row("arrays built and settled", f"{built:.1f} s CPU")
    _memory(network)
    _single(made, network, peers)
    _every(network, made if peers else None)
    print()


def _single(made: City, network: Network, peers: bool) -> None:
    kinds = {"two substations": [made.one("substation", 0.3), made.one("substation", 0.7)]}
    kinds["a feeder"] = [made.one("feeder")]
    kinds["a junction"] = [made.one("junction")]
    rivals = _rivals(made) if peers else {}
    for name, failed in kinds.items():
        size = len(network.impact(failed))
        bare = _median(lambda f=failed: network.down(f))
        caused = _median(lambda f=failed: network.impact(f))
        _row(f"{name}: which {size:,} fail", f"{bare * 1e6:.0f} µs")
        _row(f"{name}: when, in which wave, why", f"{caused * 1e6:.0f} µs")
        for peer, reach in rivals.items():
            reached = sum(len(reach(asset)) for asset in failed)
            took = _median(lambda f=failed, r=reach: [r(asset) for asset in f], 11)
            scaled = took * size / max(1, reached)
            _row(
                f"{name}: {peer}, {reached:,} reached",
                f"{took * 1e6:.0f} µs",
                f"scaled to {size:,}: {scaled / bare:.1f} × which, {scaled / caused:.1f} × why",
            )


def _every(network: Network, made: City | None) -> None:
    counts = network.criticality()  # what is built once is built
    fresh = _median(lambda: network._singles.counts(), 5)
    _row(
        "every single failure (N-1)",
        f"{fresh * 1e3:.0f} ms",
        f"{int(counts.sum(dtype=np.int64)):,} failures in all, {int(counts.max()):,} at most",
    )
    if made is not None:
        for peer, reach in _rivals(made).items():
            if peer == "networkx":
                continue
            some = np.random.default_rng(1).integers(0, made.assets, SAMPLE).tolist()
            began = time.perf_counter()
            for asset in some:
                reach(asset)
            each = (time.perf_counter() - began) / SAMPLE
            _row(
                f"{peer}, reachability from each of {SAMPLE:,}",
                f"{each * 1e6:.1f} µs each",
                f"all: {each * made.assets:.1f} s, {each * made.assets / fresh:.0f} × ours",
            )
    began = time.process_time()
    listed = network.causes()
    took = time.process_time() - began
    _row("single points of failure of all", f"{took:.2f} s CPU", f"{len(listed.asset):,} entries")


def _mesh() -> None:
    if importlib.util.find_spec("pandapower") is None:
        return
    network = mesh(BUSES)
    network._singles.counts()
    began = time.process_time()
    for _ in range(10):
        type(network._singles)(network).counts()
    took = (time.process_time() - began) / 10
    print(f"| {BUSES}, {network.n:,} buses | | |\n|---|---|---|")
    lost = network.criticality()
    _row(
        "N-1 of the mesh, dominator tree included",
        f"{took * 1e3:.1f} ms CPU",
        f"{int(np.count_nonzero(lost)):,} take others along, {int(lost.max())} at most",
    )


def mesh(case: str) -> Network:
    """Buses of a pandapower network; sources are the generators in service that give power."""
    import pandapower as pp
    import pandapower.networks

    net = getattr(pp.networks, case)()
    position = {bus: i for i, bus in enumerate(net.bus.index)}
    pairs = [
        (position[a], position[b])
        for table, ends in ((net.line, ("from_bus", "to_bus")), (net.trafo, ("hv_bus", "lv_bus")))
        for a, b in zip(table[ends[0]], table[ends[1]], strict=True)
    ]
    source = np.zeros(len(position), np.int32)
    for table in (net.gen, net.ext_grid):
        gives = table["max_p_mw"] > 0 if "max_p_mw" in table else table["in_service"]
        for bus in table["bus"][table["in_service"] & gives]:
            source[position[bus]] = 1
    return Network.from_arrays(
        len(position), [], [], group=[], rule=[], connections=pairs,
        carrier=np.zeros(len(pairs), np.int8), source=source,
    )  # fmt: skip


def _rivals(made: City) -> dict[str, Callable[[int], Any]]:
    """Plain reachability by other libraries, those that are installed."""
    found: dict[str, Callable[[int], Any]] = {}
    pairs = np.stack([made.provider, made.consumer], axis=1)
    if importlib.util.find_spec("igraph"):
        import igraph

        graph = igraph.Graph(made.assets, pairs.tolist(), directed=True)
        found["igraph"] = lambda asset: graph.subcomponent(asset, mode="out")
    if importlib.util.find_spec("rustworkx"):
        import rustworkx

        rusty = rustworkx.PyDiGraph()
        rusty.add_nodes_from(range(made.assets))
        rusty.extend_from_edge_list(list(map(tuple, pairs.tolist())))
        found["rustworkx"] = lambda asset: rustworkx.descendants(rusty, asset)
    import networkx

    plain = networkx.DiGraph()
    plain.add_edges_from(pairs.tolist())
    found["networkx"] = lambda asset: networkx.descendants(plain, asset)
    return found


def resident(network: Network) -> tuple[float, float]:
    """Bytes of the arrays that stay: those with an entry for each feed, by feed; all others, by
    asset.
    """
    feeds = len(network.feeds.provider)
    stay = _sizes(_kept(network))
    by_feed = sum(size for length, size in stay if length == feeds)
    others = sum(size for length, size in stay if length != feeds)
    return by_feed / max(1, feeds), others / network.n


def _memory(network: Network) -> None:
    feed, asset = resident(network)
    _row("memory", f"{feed:.0f} bytes a feed, {asset:.0f} an asset", "what is below apart")
    network.criticality()  # what is built once is built
    known = {id(array) for array in _kept(network)}
    singles = _sizes(array for array in network._singles._single if id(array) not in known)
    more = sum(size for _, size in singles) / network.n
    _row("kept for which and N-1", f"{more:.0f} bytes an asset", "once asked for")
    writes = sum(size for _, size in _sizes(network._scratches.take())) / network.n
    work = sum(size for _, size in _sizes(network._singles._work())) / network.n
    said = f"{work:.0f} bytes an asset for which, {writes:.0f} for when and why"
    _row("written on by one question", said, "the next one takes the same")


def _kept(network: Network) -> list[Any]:
    held = [*_held(network.feeds), *_held(network.links), *network.arrays]
    return [*held, network.baseline, network.value]


def _held(made: Any) -> list[Any]:
    """The arrays of a dataclass, and of those in it."""
    members = [getattr(made, field.name) for field in dataclasses.fields(made)]
    inner = [_held(member) for member in members if dataclasses.is_dataclass(member)]
    return members + [array for arrays in inner for array in arrays]


def _sizes(values: Iterable[Any]) -> list[tuple[int, int]]:
    """Length and bytes of each array; one value that is shown everywhere takes nothing."""
    arrays = {id(value): value for value in values if isinstance(value, np.ndarray)}
    return [(len(a), a.nbytes) for a in arrays.values() if 0 not in a.strides]


def _median(work: Callable[[], Any], count: int = REPEATS) -> float:
    """Seconds of CPU."""
    work()
    times = []
    for _ in range(count):
        began = time.process_time_ns()
        work()
        times.append(time.process_time_ns() - began)
    return sorted(times)[count // 2] / 1e9


def _row(what: str, measured: str, note: str = "") -> None:
    print(f"| {what} | {measured} | {note} |", flush=True)


if __name__ == "__main__":
    main()
