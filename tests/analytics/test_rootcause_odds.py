"""Root causes are ranked as exhaustive likelihood ranks them, on random plants."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations
from math import inf, log

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.analytics.plant import assets
from tests.analytics.plants import network_of, plants
from tests.analytics.reference import Group, Plant, cascade
from twinfall.analytics import AssetNetwork
from twinfall.analytics.rootcause import Odds, Seen, diagnose, explain
from twinfall.graph.store import Topology

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
MISS, FALSE, MISTAKEN = 0.1, 0.01, 0.01
PERIOD, RATE = 7 / 365, 0.1


def named(plant: Plant, rates: list[float]) -> AssetNetwork:
    """The plant under ids "0", "1", ... with these failure rates."""
    n = plant.n
    network = network_of(plant)
    compiled = replace(
        _empty().compiled,
        network=network,
        group_names=("supply",),
        group_name=np.zeros(network.feeds.count, np.int32),
        carriers=("a", "b"),
        customers=np.zeros(n),
        value=np.zeros(n),
        failure_rate=np.array(rates),
    )
    ids = [str(i) for i in range(n)]
    zeros = np.zeros(n, np.int32)
    topology = Topology(1, ids, ["dtmi:m;1"], zeros, zeros - 1, [""] * n, {}, {})
    return AssetNetwork(compiled, topology, "0" * 64)


@cache
def _empty() -> AssetNetwork:
    return assets({}, {})


class World:
    """A plant, what is seen of it, and the likelihood of any failures, in the plainest way."""

    def __init__(self, plant: Plant, draw) -> None:
        self.plant = plant
        asset = st.integers(0, plant.n - 1)
        self.rates = draw(
            st.lists(st.sampled_from([0.01, 0.1, 5.0]), min_size=plant.n, max_size=plant.n)
        )
        self.baseline = cascade(plant, set()).baseline
        up = set(range(plant.n)) - self.baseline
        # Half of a cascade and whatever else: told by chance alone, alarms seldom have a cause.
        true = cascade(plant, {draw(asset)}).down
        told = draw(st.sets(st.sampled_from(sorted(true)))) if true else set()
        self.alarms = (told | draw(st.sets(asset, max_size=2))) & up
        self.monitored = set(range(plant.n)) - draw(st.sets(asset, max_size=2))
        self.quiet = draw(st.sets(asset, max_size=2)) - self.alarms

    def seen(self) -> Seen:
        quiet = [str(a) for a in self.quiet - self.baseline]
        return Seen(quiet=quiet, monitored=[str(a) for a in self.monitored])

    def score(self, roots: set[int]) -> float:
        """Logarithm of the odds, at the moment that fits best."""
        down = cascade(self.plant, roots).down
        moments = set(down.values())
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
    alone = max(0.0, *(world.score({root}) for root in world.suspects()))
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


@FEW
@given(plants(), st.data())
def test_a_horizon_says_what_can_have_happened_by_now(plant, data) -> None:
    world = World(plant, data.draw)
    assume(world.alarms)
    horizon = data.draw(st.sampled_from([0.0, 10.0, 25.0]))
    seen = world.seen()

    found = explain(
        named(plant, world.rates),
        [str(a) for a in world.alarms],
        seen=Seen(quiet=seen.quiet, monitored=seen.monitored, horizon=horizon),
        odds=Odds(MISS, FALSE, roots=1),
        first=100,
    )

    expected = {
        root: world.prior({root}) + world.likelihood(cascade(plant, {root}).down, horizon)
        for root in world.suspects()
    }
    assert found[0].score == pytest.approx(max(expected.values()))
    for one in found:
        assert one.score == pytest.approx(expected[int(one.roots[0])])


@FEW
@given(plants(), st.data())
def test_alarms_count_for_an_explanation_that_come_when_it_says(plant, data) -> None:
    world = World(plant, data.draw)
    assume(world.alarms)
    times = st.sampled_from([0.0, 3.0, 10.0, 20.0, 50.0])
    onset = {a: 1000.0 + data.draw(times) for a in sorted(world.alarms)}
    seen = world.seen()

    found = explain(
        named(plant, world.rates),
        [str(a) for a in world.alarms],
        seen=Seen({str(a): t for a, t in onset.items()}, 2000.0, None, seen.quiet, seen.monitored),
        odds=Odds(MISS, FALSE, skew=5.0, roots=1),
        first=100,
    )

    expected = {root: _in_time(world, root, onset, 5.0) for root in world.suspects()}
    assert found[0].score == pytest.approx(max(expected.values()))
    for one in found:
        assert one.score == pytest.approx(expected[int(one.roots[0])])


def _in_time(world: World, root: int, onset: dict[int, float], skew: float) -> float:
    """The score of one failure all of whose effects have had the time to show."""
    down = cascade(world.plant, {root}).down
    offsets = sorted(onset[a] - down[a] for a in world.alarms if a in down)
    agreed = max(([o for o in offsets if low <= o <= low + 2 * skew] for low in offsets), key=len)
    total = world.prior({root}) + world.likelihood(down, 1e9)
    wrong = len(offsets) - len(agreed)
    return total + wrong * (log(MISS / (1 - FALSE)) - log((1 - MISS) / FALSE))


def test_what_only_hangs_on_itself_goes_down_at_once_though_its_own_feed_is_slow() -> None:
    plant = Plant(3, [Group(2, {1: 0.0, 2: 10.0}, fail_at=2)])
    network = named(plant, [0.1] * 3)

    found = explain(network, ["1"], seen=Seen(quiet=["2"]), odds=Odds(MISS, FALSE))[0]

    prior = log(RATE * PERIOD / (1 - RATE * PERIOD))
    assert found.roots == ("1",)
    assert found.score == pytest.approx(prior + log((1 - MISS) / FALSE) + log(MISTAKEN))
