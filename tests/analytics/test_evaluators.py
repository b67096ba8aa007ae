"""Counters and grounded reach are one definition: what can be said both ways has one answer."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinfall.analytics import Network

FEW = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
Arcs = list[tuple[int, int]]


@st.composite
def supplied(draw: st.DrawFn) -> tuple[int, Arcs, set[int]]:
    """Assets, who feeds whom, and the sources; whoever nobody feeds is a source."""
    n = draw(st.integers(2, 9))
    asset = st.integers(0, n - 1)
    arcs = draw(st.lists(st.tuples(asset, asset), unique=True, max_size=3 * n))
    arcs = [(a, b) for a, b in arcs if a != b]
    sources = set(range(n)) - {b for _, b in arcs} | draw(st.sets(asset, max_size=2))
    return n, arcs, sources


def counted(n: int, arcs: Arcs, sources: set[int], *, sustain: bool = False) -> Network:
    """Each asset but the sources needs any one of those that feed it."""
    fed = sorted({b for _, b in arcs} - sources)
    group = {asset: g for g, asset in enumerate(fed)}
    feeds = [(a, b, group[b]) for a, b in arcs if b in group]
    return Network.from_arrays(
        n,
        [f[0] for f in feeds],
        [f[1] for f in feeds],
        group=[f[2] for f in feeds],
        rule=["any"] * len(fed),
        sustain=[sustain] * len(fed),
    )


def grounded(n: int, arcs: Arcs, sources: set[int]) -> Network:
    """The same as a carrier that flows one way along each arc."""
    return Network.from_arrays(
        n, [], [], group=[], rule=[], connections=arcs, carrier=[0] * len(arcs),
        oneway=[True] * len(arcs), source=[int(a in sources) for a in range(n)],
    )  # fmt: skip


@FEW
@given(supplied(), st.data())
def test_any_feed_and_one_way_reach_lose_the_same_assets(plant, data) -> None:
    counters, carrier = counted(*plant), grounded(*plant)
    failed = data.draw(st.lists(st.integers(0, plant[0] - 1), max_size=3, unique=True))

    assert counters.baseline.tolist() == carrier.baseline.tolist()
    assert sorted(counters.impact(failed).asset) == sorted(carrier.impact(failed).asset)


@FEW
@given(supplied())
def test_any_feed_and_one_way_reach_have_the_same_single_points_of_failure(plant) -> None:
    counters, carrier = counted(*plant), grounded(*plant)

    assert counters.criticality().tolist() == carrier.criticality().tolist()
    for asset in range(plant[0]):
        assert counters.spof(asset) == carrier.spof(asset)


@FEW
@given(supplied(), st.data())
def test_a_circle_that_sustains_itself_can_only_hide_losses(plant, data) -> None:
    failed = data.draw(st.lists(st.integers(0, plant[0] - 1), max_size=3, unique=True))
    running, derived = counted(*plant, sustain=True), counted(*plant)

    lost = set(running.impact(failed).asset.tolist())

    assert lost <= set(np.flatnonzero(derived.baseline)) | set(derived.impact(failed).asset)
