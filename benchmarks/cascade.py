"""One failure in a city of a million assets: the cascade beside networkx's plain reachability.

`python -m benchmarks.cascade [ASSETS]`. Directed feeds only: infeeds, substations, feeders,
transformers, buildings with two feeds each (either will do), in a random tree of the given size.
"""

from __future__ import annotations

import sys

import networkx as nx
import numpy as np

from benchmarks.measure import HEADER, machine, measure
from twinfall.analytics import Network, warm

ASSETS = 1_000_000
SEED = 7
LAYERS = (8e-6, 2e-4, 4e-3, 4e-2)
"""Share of all assets in each layer above the buildings."""


def city(assets: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """(assets, provider, consumer, group, rule): every layer is fed from the one above it."""
    rng = np.random.default_rng(SEED)
    sizes = [max(2, int(assets * share)) for share in LAYERS]
    sizes.append(assets - sum(sizes))
    first = np.concatenate([[0], np.cumsum(sizes)])
    provider, consumer = [], []
    for layer in range(1, len(sizes)):
        below = np.arange(first[layer], first[layer + 1])
        place = (below - first[layer]) / sizes[layer]
        home = (first[layer - 1] + place * sizes[layer - 1]).astype(np.int64)
        feeds = 2 if layer == len(sizes) - 1 else 1
        for copy in range(feeds):
            other = np.clip(home + copy * rng.integers(1, 3, len(below)), 0, first[layer] - 1)
            provider.append(other)
            consumer.append(below)
    joined = np.concatenate(consumer)
    group = joined - sizes[0]  # one group for each asset below the infeeds
    rule = ["all"] * (assets - sizes[0] - sizes[-1]) + ["any"] * sizes[-1]
    return assets, np.concatenate(provider), joined, group, rule


def main() -> None:
    assets = int(sys.argv[1]) if len(sys.argv) > 1 else ASSETS
    warm()
    n, provider, consumer, group, rule = city(assets)
    network = Network.from_arrays(n, provider, consumer, group=group, rule=rule)
    print(f"Machine: {machine()}\n\n{n} assets, {len(provider)} feeds.\n\n{HEADER}")
    peer = nx.DiGraph()
    peer.add_nodes_from(range(n))
    peer.add_edges_from(zip(provider.tolist(), consumer.tolist(), strict=True))
    hub = int(np.argmax(np.bincount(provider[: int(n * LAYERS[2])], minlength=1)))
    for name, asset in (("a substation", max(8, hub)), ("a feeder", int(n * LAYERS[1]) + 60)):
        reached = len(nx.descendants(peer, asset))
        beside = measure(
            "networkx descendants",
            lambda a=asset: nx.descendants(peer, a),
            count=10,
            warm=1,
            note=f"{name}: {reached} reached",
        )
        size = len(network.impact([asset]))
        ours = measure(
            "impact with causes", lambda a=asset: network.impact([a]), note=f"{size} fail"
        )
        print(beside.row())
        print(ours.row(beside))
    every = measure("every asset by itself (N-1)", network.criticality, count=3, warm=1)
    print(every.row())


if __name__ == "__main__":
    main()
