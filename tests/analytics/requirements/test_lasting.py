"""The network as it stands in the end: a further failure takes what both failures take together."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics.plants import network_of, plants
from tests.analytics.reference import Plant
from twinfall.analytics import Network
from twinfall.analytics.course import Course
from twinfall.analytics.lasting import with_down
from twinfall.analytics.network import FOREVER

LATER = 1e6
"""Seconds after which every buffer of a plant is used up."""


def _settled(network: Network, failed: list[int]) -> Course:
    return Course(network, np.array(failed, np.int32), np.zeros(len(failed)), LATER)


@settings(max_examples=150, deadline=None)
@given(plants(), st.data())
def test_one_more_failure_takes_what_it_takes_after_all_others(
    plant: Plant, data: st.DataObject
) -> None:
    network = network_of(plant)
    failed = sorted(data.draw(st.sets(st.integers(0, plant.n - 1), max_size=2)))
    course = _settled(network, failed)

    standing = with_down(network, course.anyway(FOREVER))

    for asset in np.flatnonzero(~standing.baseline).tolist():
        more = set(course.after(np.array([asset], np.int32)).asset.tolist())
        assert set(standing.down([asset]).tolist()) == more | {asset}
        assert set(standing.listing().of(asset).tolist()) == more


@settings(max_examples=50, deadline=None)
@given(plants())
def test_with_nothing_failed_it_is_the_network_itself(plant: Plant) -> None:
    network = network_of(plant)

    assert with_down(network, network.baseline.copy()) is network


def test_the_network_it_was_made_of_stays_as_it_was() -> None:
    network = Network.from_arrays(3, [0, 1], [1, 2], group=[0, 1], rule=["all", "all"])
    assert network.criticality().tolist() == [2, 1, 0]

    standing = with_down(network, np.array([False, True, True]))

    assert standing.criticality().tolist() == [0, 0, 0]
    assert network.criticality().tolist() == [2, 1, 0]
    assert network.impact([0]).asset.tolist() == [1, 2]
