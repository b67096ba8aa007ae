"""Random plants as rows, one for each feed, group and connection, with all that can be said."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from twinfall.analytics import Network, Storages

_SECONDS = st.sampled_from([0.0, 0.0, 0.0, 10.0, 20.0, 30.0])
_RULES = st.sampled_from(["all", "any", "atLeast", "capacity"])


@dataclass(frozen=True)
class Feed:
    """`share` is a part of what the group needs."""

    provider: int
    group: int
    share: float = 1.0
    transfer: float = 0.0
    priority: int = 1
    start: float = 0.0


@dataclass(frozen=True)
class Said:
    """What is said of a group."""

    consumer: int
    rule: str
    k: int
    least: float
    autonomy: float
    recharge: float
    sustain: bool


@dataclass(frozen=True)
class Rows:
    """A plant of n assets; `links` are (asset, asset, carrier, oneway)."""

    n: int
    feeds: tuple[Feed, ...]
    groups: tuple[Said, ...]
    links: tuple[tuple[int, int, int, bool], ...] = ()
    source: tuple[int, ...] = ()
    conducts: tuple[bool, ...] = ()
    black_start: tuple[bool, ...] = ()
    storages: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    value: tuple[float, ...] = ()

    def network(self) -> Network:
        """Built anew; groups without feeds do not exist."""
        numbers = sorted({f.group for f in self.feeds})
        groups = [self.groups[g] for g in numbers]
        asset, carrier = zip(*self.storages, strict=True) if self.storages else ((), ())
        autonomy, recharge = zip(*self.storages.values(), strict=True) if asset else ((), ())
        return Network.from_arrays(
            self.n,
            [f.provider for f in self.feeds],
            [self.groups[f.group].consumer for f in self.feeds],
            group=[numbers.index(f.group) for f in self.feeds],
            rule=[g.rule for g in groups],
            k=[g.k for g in groups],
            share=[f.share * self.groups[f.group].least for f in self.feeds],
            min_share=[g.least for g in groups],
            priority=[f.priority for f in self.feeds],
            start=[f.start for f in self.feeds],
            transfer=[f.transfer for f in self.feeds],
            autonomy=[g.autonomy for g in groups],
            recharge=[g.recharge for g in groups],
            sustain=[g.sustain for g in groups],
            black_start=self.black_start,
            connections=[link[:2] for link in self.links],
            carrier=[link[2] for link in self.links],
            oneway=[link[3] for link in self.links],
            source=self.source,
            conducts=self.conducts,
            storages=Storages(*(np.array(c) for c in (asset, carrier, autonomy, recharge))),
            value=self.value,
        )

    def but(self, **changed: Any) -> Rows:
        """The same but for that."""
        return replace(self, **changed)


@st.composite
def rows(draw: st.DrawFn, most: int = 8) -> Rows:
    """Groups of every rule with standbys, late ones too, and groups that nothing can satisfy; up
    to two carriers.
    """
    n = draw(st.integers(2, most))
    asset = st.integers(0, n - 1)
    flags = st.lists(st.sampled_from([True, True, True, False]), min_size=n, max_size=n)
    groups, fed = [], []
    for number in range(draw(st.integers(0, n))):
        groups.append(_group(draw, n))
        providers = draw(st.lists(asset, min_size=1, max_size=4, unique=True))
        fed += [_feed(draw, provider, number) for provider in providers]
    carrier = st.integers(0, 1)
    arcs = draw(st.lists(st.tuples(asset, asset, carrier, st.booleans()), max_size=2 * n))
    stored = st.tuples(st.sampled_from([10.0, 25.0]), st.sampled_from([0.0, 5.0]))
    return Rows(
        n,
        tuple(fed),
        tuple(groups),
        tuple(arc for arc in arcs if arc[0] != arc[1]),
        tuple(draw(st.lists(st.sampled_from([0, 0, 1, 2, 3]), min_size=n, max_size=n))),
        tuple(draw(flags)),
        tuple(not one for one in draw(flags)),
        draw(st.dictionaries(st.tuples(asset, carrier), stored, max_size=2)),
        tuple(draw(st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=n, max_size=n))),
    )


def _group(draw: st.DrawFn, n: int) -> Said:
    return Said(
        draw(st.integers(0, n - 1)),
        draw(_RULES),
        draw(st.integers(0, 4)),
        draw(st.sampled_from([0.0, 1.0, 3.0])),
        draw(_SECONDS),
        draw(st.sampled_from([0.0, 15.0])),
        draw(st.sampled_from([False, False, True])),
    )


def _feed(draw: st.DrawFn, provider: int, group: int) -> Feed:
    return Feed(
        provider,
        group,
        draw(st.sampled_from([0.25, 0.5, 1.0, 2.0])),
        draw(_SECONDS),
        draw(st.sampled_from([1, 1, 1, 2, 3])),
        draw(_SECONDS),
    )


def answers(network: Network, failed: list[int], horizon: float = float("inf")) -> Any:
    """What is down before, and what the failure takes along: who, when, in which wave, by whom."""
    found = network.impact(failed, horizon)
    told = (found.asset, found.wave, found.time, found.cause)
    return network.baseline.tolist(), [column.tolist() for column in told]
