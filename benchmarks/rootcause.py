"""Root cause on the city: known failures, told by alarms of which some are missing and some false.

`python -m benchmarks.rootcause [CASCADES]`. The figures' seeds are not those by which the constants
of `analytics/rootcause` were chosen (1 to 20).
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.measure import machine
from tests.analytics.drills import Drill, drills, roots
from twinfall.analytics import AssetNetwork, topology_request, warm
from twinfall.analytics.rootcause import Seen, diagnose
from twinfall.api.demo import city_dependencies, city_documents, city_rows
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import import_rows
from twinfall.graph.sqlite import SQLiteStore

CASCADES = 1_000
SEED = 2026
SEVERAL = 200
MOST = 500
"""Assets that one of several roots takes along."""


@dataclass
class Score:
    """How often the true roots were found, and how long it took."""

    ranks: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    suspects: list[int] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)

    def row(self, name: str) -> str:
        """A Markdown table row."""
        ranks, positions = np.array(self.ranks), np.array(self.positions)
        p50, p99 = np.percentile(np.array(self.taken) * 1e3, [50, 99])
        shares = f"{(ranks <= 3).mean():.1%} | {(ranks == 1).mean():.1%}"
        counted = f"{(positions <= 3).mean():.1%}"
        suspects = f"{np.median(self.suspects):.0f}"
        return (
            f"| {name} | {len(ranks)} | {shares} | {counted} | {suspects} | {p50:.1f} | {p99:.1f} |"
        )


HEADER = (
    "| | cascades | first 3 ranks | first rank | first 3, one by one | suspects (median) "
    "| p50 ms | p99 ms |\n|---|---|---|---|---|---|---|---|"
)
NOT_FOUND = 10**6


def city() -> AssetNetwork:
    """The demo city, where all fail equally often: that is how the roots are drawn."""
    graph = Graph(SQLiteStore(":memory:"))
    even = [
        re.sub(r"failureRate: [\d.]+", "failureRate: 0.1", text) for text in city_dependencies()
    ]
    graph.load_models(city_documents(), even)
    import_rows(graph, city_rows(), refuse=_never)
    topology = graph.topology(topology_request(graph.ontology, graph.dependencies))
    assets = AssetNetwork.compile(topology, graph.ontology, graph.dependencies)
    graph.store.close()
    return assets


def _never(line: int, code: str, message: str, raw: bytes) -> None:
    raise AssertionError(f"line {line}: {code} {message}")


def run(assets: AssetNetwork, some: Iterable[Drill], *, listen: bool = True) -> dict[str, Score]:
    """Explain each, by carrier and under "all". Without `listen` silence says nothing."""
    scores: dict[str, Score] = {"all": Score()}
    for drill in some:
        seen = Seen() if listen else Seen(monitored=())
        start = time.perf_counter()
        found = diagnose(assets, drill.alarms, seen=seen)
        taken = time.perf_counter() - start
        for name in ("all", drill.carrier):
            score = scores.setdefault(name, Score())
            score.ranks.append(drill.rank(found) or NOT_FOUND)
            score.positions.append(drill.position(found) or NOT_FOUND)
            score.suspects.append(found.suspects)
            score.taken.append(taken)
    return scores


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else CASCADES
    warm()
    assets = city()
    pools = ", ".join(f"{name} {len(pool)}" for name, pool in roots(assets).items())
    start = time.perf_counter()
    diagnose(assets, [assets.ids[0]])
    first = time.perf_counter() - start
    print(f"Machine: {machine()}\n\n{assets.twins} twins; roots to draw from: {pools}.")
    print(f"The first question on a graph, which lists all single failures: {first * 1e3:.0f} ms.")
    print(f"\n{HEADER}")
    single = run(assets, drills(assets, SEED, count))
    for name in sorted(single, key=lambda name: (name != "all", name)):
        print(single[name].row(f"one failure, {name}"))
    deaf = run(assets, drills(assets, SEED + 1, SEVERAL), listen=False)["all"]
    print(deaf.row("one failure, silence says nothing"))
    for together in (2, 3):
        some = drills(assets, SEED + together, SEVERAL, together=together, most=MOST)
        print(run(assets, some)["all"].row(f"{together} failures at once"))


if __name__ == "__main__":
    main()
