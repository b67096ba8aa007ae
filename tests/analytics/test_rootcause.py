"""Root cause against exhaustive likelihood on random plants, and on the city's own cascades."""

from __future__ import annotations

from itertools import combinations
from math import inf, log

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.analytics.plant import assets
from tests.analytics.plants import network_of, plants
from tests.analytics.reference import Plant, cascade
from twinfall.analytics import AssetNetwork, Standing
from twinfall.analytics.compiling import Compiled
from twinfall.analytics.degrading import Soft
from twinfall.analytics.feeds import Said, feeds_of
from twinfall.analytics.rootcause import Odds, Seen, diagnose, explain
from twinfall.analytics.votes import Ballot
from twinfall.graph.store import Topology
from twinfall.ontology.errors import BadInput, Refused, UnknownTwin

FEW = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
MISS, FALSE, MISTAKEN = 0.1, 0.01, 0.01
PERIOD, RATE = 7 / 365, 0.1
NANO = 10**9


def named(plant: Plant, rates: list[float]) -> AssetNetwork:
    """The plant under ids "0", "1", ... with these failure rates."""
    n, none = plant.n, np.zeros(0, np.int32)
    soft = Soft(feeds_of(n, ([], [], []), Said(Ballot([])), None), (), none, np.zeros(0), n)
    network = network_of(plant)
    group_name = np.zeros(network.feeds.count, np.int32)
    worth = np.zeros(n)
    compiled = Compiled(
        network, (), none, soft, ("supply",), group_name, ("a", "b"), worth, worth,
        np.array(rates), (), (),
    )  # fmt: skip
    ids = [str(i) for i in range(n)]
    zeros = np.zeros(n, np.int32)
    topology = Topology(1, ids, ["dtmi:m;1"], zeros, zeros - 1, [""] * n, {}, {})
    return AssetNetwork(compiled, topology, "0" * 64)


class World:
    """A plant, what is seen of it, and the likelihood of any set of failures: in the plainest way."""

    def __init__(self, plant: Plant, draw) -> None:
        self.plant = plant
        asset = st.integers(0, plant.n - 1)
        self.rates = draw(
            st.lists(st.sampled_from([0.01, 0.1, 5.0]), min_size=plant.n, max_size=plant.n)
        )
        self.baseline = cascade(plant, set()).baseline
        up = set(range(plant.n)) - self.baseline
        self.alarms = draw(st.sets(asset, min_size=1)) & up
        self.monitored = draw(st.sets(asset))
        self.quiet = draw(st.sets(asset, max_size=2)) - self.alarms

    def seen(self) -> Seen:
        quiet = [str(a) for a in self.quiet - self.baseline]
        return Seen(quiet=quiet, monitored=[str(a) for a in self.monitored])

    def score(self, roots: set[int]) -> float:
        """Logarithm of the odds, at the moment that fits best."""
        down = cascade(self.plant, roots).down
        moments = {time for time in down.values()}
        return self.prior(roots) + max(self.likelihood(down, moment) for moment in moments)

    def prior(self, roots: set[int]) -> float:
        chances = [self.rates[root] * PERIOD for root in roots]
        return sum(log(chance / (1 - chance)) for chance in chances)

    def likelihood(self, down: dict[int, float], moment: float) -> float:
        total = 0.0
        for asset in range(self.plant.n):
            by_now = down.get(asset, inf) <= moment
            if asset in self.alarms:
                total += log((1 - MISS) / FALSE) if by_now else 0.0
            elif asset in self.quiet:
                total += log(MISTAKEN) if by_now else 0.0
            elif asset in self.monitored:
                total += log(MISS / (1 - FALSE)) if by_now else 0.0
        return total

    def suspects(self) -> set[int]:
        """Whoever takes an alarm down alone."""
        up = set(range(self.plant.n)) - self.baseline
        return {root for root in up if self.alarms & set(cascade(self.plant, {root}).down)}


@FEW
@given(plants(), st.data())
def test_single_failures_are_ranked_as_exhaustive_likelihood_ranks_them(plant, data) -> None:
    world = World(plant, data.draw)
    assume(world.alarms)
    network = named(plant, world.rates)

    found = diagnose(
        network,
        [str(a) for a in world.alarms],
        seen=world.seen(),
        odds=Odds(MISS, FALSE, roots=1),
        first=100,
    )

    expected = {root: world.score({root}) for root in world.suspects()}
    best = max(expected.values())
    listed = {int(one.roots[0]): one.score for one in found.explanations}
    assert found.suspects == len(expected)
    assert set(listed) == {root for root, score in expected.items() if score >= best - log(1e9)}
    assert listed == pytest.approx({root: expected[root] for root in listed})
    scores = [one.score for one in found.explanations]
    assert scores == sorted(scores, reverse=True)
    total = np.logaddexp.reduce([0.0, *expected.values()])
    assert found.explanations[0].probability == pytest.approx(np.exp(best - total), rel=1e-3)


@FEW
@given(plants(6), st.data())
def test_two_failures_are_reported_when_they_beat_one_clearly(plant, data) -> None:
    world = World(plant, data.draw)
    assume(world.alarms)
    network = named(plant, world.rates)
    alone = max(world.score({root}) for root in world.suspects())
    up = sorted(set(range(plant.n)) - world.baseline)
    pairs = {pair: world.score(set(pair)) for pair in combinations(up, 2)}
    clear = {pair: score for pair, score in pairs.items() if score > alone + log(100)}

    found = explain(
        network,
        [str(a) for a in world.alarms],
        seen=world.seen(),
        odds=Odds(MISS, FALSE, roots=2),
        first=100,
    )

    several = {tuple(map(int, one.roots)): one.score for one in found if len(one.roots) > 1}
    assert several == pytest.approx({pair: pairs[pair] for pair in several})
    assert set(several) <= set(clear)
    if clear and max(clear.values()) > alone + log(100) + 1e-6:
        assert max(several.values(), default=-inf) == pytest.approx(max(clear.values()))
