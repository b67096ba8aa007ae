"""A synthetic city from a seed: power, water and telecom down to single buildings.

Infeeds, substations, feeders, transformers; plants, pumps, zones, junctions; exchanges, hubs,
cells; buildings, each of which needs power, water and telecom. Substations need two of three
infeeds, one building in four two of three transformers, the others their transformer; what is near
in the numbering is near in the city. Cells are powered by transformers, and transformers are
controlled through hubs that live on power: a circle, which `mutual` says how to judge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics import Network

SEED = 7
LAYERS = {
    "infeed": 8, "substation": 200, "feeder": 4_000, "transformer": 40_000, "plant": 4,
    "pump": 400, "zone": 6_000, "junction": 50_000, "exchange": 10, "hub": 500, "cell": 20_000,
}  # fmt: skip
"""Of a million assets; the rest are buildings."""
ASSETS = 1_000_000


@dataclass
class City:
    """Columns for `Network.from_arrays`; `first` and `last` say which assets are what."""

    assets: int
    first: dict[str, int]
    size: dict[str, int]
    provider: NDArray[np.int32]
    consumer: NDArray[np.int32]
    group: NDArray[np.int32]
    rule: list[str]
    k: NDArray[np.int32]
    sustain: NDArray[np.bool_]

    def network(self) -> Network:
        """The city as arrays."""
        return Network.from_arrays(
            self.assets, self.provider, self.consumer, group=self.group, rule=self.rule,
            k=self.k, sustain=self.sustain,
        )  # fmt: skip

    def mains(self) -> tuple[list[tuple[int, int, int]], NDArray[np.int32]]:
        """Connections (one, other, carrier) and sources [assets]: a ring of junctions with pumps
        along it carries water (0), a row of feeders with substations power (1).
        """
        water, power = self._all("junction"), self._all("feeder")
        pumps, stations = self._all("pump"), self._all("substation")
        links = [
            *((a, b, 0) for a, b in zip(water, [*water[1:], water[0]], strict=True)),
            *((p, water[i * len(water) // len(pumps)], 0) for i, p in enumerate(pumps)),
            *((a, b, 1) for a, b in pairwise(power)),
            *((s, power[i * len(power) // len(stations)], 1) for i, s in enumerate(stations)),
        ]
        source = np.zeros(self.assets, np.int32)
        source[pumps], source[stations] = 1, 2
        return links, source

    def _all(self, kind: str) -> list[int]:
        return list(range(self.first[kind], self.first[kind] + self.size[kind]))

    def one(self, kind: str, at: float = 0.5) -> int:
        """An asset of a kind, somewhere along the numbering."""
        return self.first[kind] + int(self.size[kind] * at)


@dataclass
class _Builder:
    seed: np.random.Generator
    first: dict[str, int]
    size: dict[str, int]
    provider: list[Any] = field(default_factory=list)
    consumer: list[Any] = field(default_factory=list)
    group: list[Any] = field(default_factory=list)
    rule: list[str] = field(default_factory=list)
    k: list[Any] = field(default_factory=list)
    sustain: list[Any] = field(default_factory=list)
    groups: int = 0

    def all_of(self, kind: str) -> Any:
        return np.arange(self.first[kind], self.first[kind] + self.size[kind])

    def feed(
        self, consumers: Any, kind: str, feeds: int = 1, k: int = 1, sustain: bool = False
    ) -> None:
        """Give each consumer a group of the nearest providers of a kind."""
        count, size = len(consumers), self.size[kind]
        near = (np.arange(count) / count * size).astype(np.int64)
        groups = np.arange(self.groups, self.groups + count)
        self.groups += count
        jump = np.zeros(count, np.int64)
        for _ in range(feeds):
            self.provider.append(self.first[kind] + (near + jump) % size)
            self.consumer.append(consumers)
            self.group.append(groups)
            jump = jump + self.seed.integers(1, 4, count)
        self.rule.extend(["all" if feeds == 1 else "atLeast"] * count)
        self.k.append(np.full(count, k))
        self.sustain.append(np.full(count, sustain))


def city(assets: int = ASSETS, *, sustain: bool = True, seed: int = SEED) -> City:
    """A city of so many assets; the larger ones have more of everything."""
    scale = assets / ASSETS
    size = {kind: max(4, round(count * scale)) for kind, count in LAYERS.items()}
    size["building"] = assets - sum(size.values())
    bounds = np.concatenate([[0], np.cumsum(list(size.values()))])
    first = dict(zip(size, bounds.tolist(), strict=False))
    b = _Builder(np.random.default_rng(seed), first, size)
    b.feed(b.all_of("substation"), "infeed", 3, 2)
    b.feed(b.all_of("feeder"), "substation")
    b.feed(b.all_of("transformer"), "feeder")
    b.feed(b.all_of("pump"), "plant", 2, 1)
    b.feed(b.all_of("pump"), "transformer")
    b.feed(b.all_of("zone"), "pump", 2, 1)
    b.feed(b.all_of("junction"), "zone")
    b.feed(b.all_of("hub"), "exchange", 2, 1)
    b.feed(b.all_of("hub"), "transformer", sustain=sustain)
    b.feed(b.all_of("feeder"), "hub", 2, 1, sustain=sustain)
    b.feed(b.all_of("cell"), "hub")
    b.feed(b.all_of("cell"), "transformer")
    buildings = b.all_of("building")
    doubled = buildings % 4 == 0
    b.feed(buildings[doubled], "transformer", 3, 2)
    b.feed(buildings[~doubled], "transformer")
    b.feed(buildings, "junction")
    b.feed(buildings[buildings % 2 == 0], "cell", 2, 1)
    return City(
        assets, first, size,
        np.concatenate(b.provider).astype(np.int32),
        np.concatenate(b.consumer).astype(np.int32),
        np.concatenate(b.group).astype(np.int32),
        b.rule,
        np.concatenate(b.k).astype(np.int32),
        np.concatenate(b.sustain),
    )  # fmt: skip
