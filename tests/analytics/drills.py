"""Drills: cascades of known roots in a plant, told by alarms of which some are missing and some
are false.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from twinfall.analytics import AssetNetwork
from twinfall.analytics.rootcause import Diagnosis

DROPPED = 0.1
"""Of a cascade's alarms."""
FALSE = 0.05
"""False alarms, of a cascade's alarms; at least one."""
LEAST = 5
"""Assets affected by a root, itself apart."""


@dataclass(frozen=True)
class Drill:
    """What failed, and the ids that are in alarm; `carrier` is that of the first root."""

    carrier: str
    roots: tuple[str, ...]
    alarms: list[str]
    size: int

    def rank(self, found: Diagnosis) -> int | None:
        """Of the true roots, among the explanations."""
        true = set(self.roots)
        return next((one.rank for one in found.explanations if set(one.roots) == true), None)

    def position(self, found: Diagnosis) -> int | None:
        """The same, shared ranks counted out one by one."""
        true = set(self.roots)
        places = (i for i, one in enumerate(found.explanations, 1) if set(one.roots) == true)
        return next(places, None)


def roots(assets: AssetNetwork) -> Mapping[str, np.ndarray]:
    """By carrier the assets that take at least LEAST others along; "none" are parts and sites."""
    network = assets.network
    enough = network.criticality() >= LEAST
    member = network.links.member
    found = {
        name: np.flatnonzero(enough & (member >> code & 1 == 1))
        for code, name in enumerate(assets.compiled.carriers)
    }
    return {**found, "none": np.flatnonzero(enough & (member == 0))}


def drills(
    assets: AssetNetwork, seed: int, count: int, *, together: int = 1, most: int = 10**9
) -> Iterator[Drill]:
    """So many, the carriers in turn; of several roots `together` none takes another one along, and
    each alone takes at most `most` others.
    """
    rng = np.random.default_rng(seed)
    pools = roots(assets)
    counts = assets.network.criticality()
    small = {name: pool[counts[pool] <= most] for name, pool in pools.items()}
    names = [name for name, pool in small.items() if len(pool)]
    for number in range(count):
        carrier = names[number % len(names)]
        drawn = [int(rng.choice(small[carrier]))]
        while len(drawn) < together:
            other = int(rng.choice(small[names[int(rng.integers(len(names)))]]))
            if not _one_takes_another(assets, [*drawn, other]):
                drawn.append(other)
        yield _drill(assets, rng, carrier, drawn)


def _one_takes_another(assets: AssetNetwork, drawn: list[int]) -> bool:
    listing = assets.network.listing()
    return len(set(drawn)) < len(drawn) or any(
        np.isin(drawn, listing.of(root)).any() for root in drawn
    )


def _drill(assets: AssetNetwork, rng: np.random.Generator, carrier: str, drawn: list[int]) -> Drill:
    down = np.sort(assets.network.down(drawn))
    kept = rng.permutation(down)[: len(down) - round(DROPPED * len(down))]
    up = np.setdiff1d(np.arange(assets.twins), down)
    false = rng.choice(up, min(len(up), max(1, round(FALSE * len(down)))), replace=False)
    alarms = [assets.ids[int(at)] for at in np.concatenate([kept, false])]
    return Drill(carrier, tuple(assets.ids[root] for root in sorted(drawn)), alarms, len(down))
