"""A city that thousands of things happen to is as one that is computed anew."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from benchmarks.synthetic import City, city
from twinfall.analytics import Evolution, Network

ASSETS, UPDATES, LOOKS = 20_000, 4_000, 4
MOST_FAILED, MOST_OPEN, MOST_ADDED, MOST_LAID = 30, 4, 100, 100


@dataclass
class Town:
    """What is so now: who has failed by himself, who feeds which group, which switches conduct.

    A city without its sustained loops, so that the state does not depend on the way to it, whose
    water and power go over networks: rings of junctions with pumps as sources, and feeders in rows.
    """

    made: City
    draw: np.random.Generator
    failed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        made, n = self.made, self.made.assets
        kept = np.flatnonzero(~made.sustain)
        feeds = np.isin(made.group, kept)
        number = np.cumsum(~made.sustain) - 1
        self.groups = [(made.rule[group], int(made.k[group])) for group in kept]
        self.consumer = np.zeros(len(kept), np.int64)
        self.consumer[number[made.group[feeds]]] = made.consumer[feeds]
        pairs = (made.provider[feeds].tolist(), number[made.group[feeds]].tolist())
        self.feeds = set(zip(*pairs, strict=True))
        some = self.draw.permutation(sorted(self.feeds))[:MOST_ADDED].tolist()
        self.added = [(provider, group) for provider, group in some]
        self.links, self.source = made.mains()
        some = self.draw.permutation(len(self.links))[:MOST_LAID].tolist()
        self.laid = [self.links[one] for one in some]
        self.conducts = np.ones(n, bool)
        self.switches = [*self._all("junction")[::7], *self._all("feeder")[::5]]

    def _all(self, kind: str) -> list[int]:
        first = int(self.made.first[kind])
        return list(range(first, first + int(self.made.size[kind])))

    def network(self) -> Network:
        provider, group = np.array(sorted(self.feeds), np.int64).T
        fed, number = np.unique(group, return_inverse=True)
        rule, k = zip(*(self.groups[one] for one in fed), strict=True)
        return Network.from_arrays(
            self.made.assets, provider, self.consumer[group], group=number, rule=rule, k=k,
            connections=[link[:2] for link in self.links], carrier=[link[2] for link in self.links],
            source=self.source, conducts=self.conducts,
        )  # fmt: skip

    def happens(self, evolution: Evolution) -> None:
        what = self.draw.choice(["fail", "fail", "switch", "add", "remove", "connect", "cut"])
        asset = int(self.draw.integers(self.made.assets))
        group = int(self.draw.integers(len(self.groups)))
        if what == "switch":
            opened = [one for one in self.switches if not self.conducts[one]]
            some = opened if len(opened) > MOST_OPEN else self.switches
            switch = int(self.draw.choice(some))
            self.conducts[switch] ^= True
            evolution.switch(switch, bool(self.conducts[switch]))
        elif what == "connect":
            self._connect(evolution)
        elif what == "cut" and len(self.laid) > MOST_LAID:
            link = self.laid.pop(int(self.draw.integers(len(self.laid))))
            self.links.remove(link)
            evolution.disconnect(*link)
        elif what == "add" and (asset, group) not in self.feeds:
            self.feeds.add((asset, group))
            self.added.append((asset, group))
            evolution.add_feed(asset, group)
        elif what == "remove" and len(self.added) > MOST_ADDED:
            feed = self.added.pop(int(self.draw.integers(len(self.added))))
            self.feeds.discard(feed)
            evolution.remove_feed(*feed)
        elif len(self.failed) >= MOST_FAILED:
            evolution.repair(self.failed.pop())
        else:
            self.failed.add(asset)
            evolution.fail(asset)

    def _connect(self, evolution: Evolution) -> None:
        """Another feeder or junction with one of these, or a building, or with what had none."""
        carrier = int(self.draw.integers(2))
        one = int(self.draw.choice(self._all("feeder" if carrier else "junction")))
        some = self._all("building") if self.draw.random() < 0.5 else self._all("feeder")
        link = (one, int(self.draw.choice(some)), carrier)
        there = {(a, b) for a, b, c in self.links if c == carrier}
        if one != link[1] and not {link[:2], link[1::-1]} & there:
            self.links.append(link)
            self.laid.append(link)
            evolution.connect(*link)


def test_after_thousands_of_updates_a_city_is_as_if_computed_anew() -> None:
    town = Town(city(ASSETS), np.random.default_rng(11))
    evolution = Evolution(town.network())

    for _ in range(LOOKS):
        for _ in range(UPDATES // LOOKS):
            town.happens(evolution)

        anew = town.network()
        down = np.union1d(anew.down(sorted(town.failed)), np.flatnonzero(anew.baseline))
        assert 0 < len(town.failed) < len(down) < ASSETS
        assert np.flatnonzero(evolution.down).tolist() == down.tolist()
