"""What falls and rises over time: buffers that drain and recharge, repairs, switches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from twinfall.analytics import Evolution, Network, Storages
from twinfall.analytics.timeline import Step, Timeline, repairs_due, timeline
from twinfall.ontology.errors import BadInput

HOUR = 3600.0
EVER = float("inf")
GRID, HOSPITAL = 0, 1


def _battery(recharge: float) -> Network:
    """A hospital that lives on the grid, or for four hours on its battery."""
    return Network.from_arrays(
        2, [GRID], [HOSPITAL], group=[0], rule=["all"], autonomy=[4 * HOUR],
        recharge=[recharge * HOUR],
    )  # fmt: skip


def _outages(found: Timeline) -> list[tuple[int, float, float]]:
    rows = found.outages()
    hours = zip(rows.asset.tolist(), rows.begin / HOUR, rows.end / HOUR, strict=True)
    return [(asset, float(begin), float(end)) for asset, begin, end in hours]


def _off_and_on(*hours: float) -> list[Step]:
    """The grid fails and is repaired in turn at these hours."""
    return [
        Step(h * HOUR, fail=(GRID,)) if i % 2 == 0 else Step(h * HOUR, repair=(GRID,))
        for i, h in enumerate(hours)
    ]


def test_a_battery_of_four_hours_bridges_a_repair_after_three() -> None:
    found = timeline(Evolution(_battery(8)), _off_and_on(0, 3))

    assert _outages(found) == [(GRID, 0, 3)]


def test_a_repair_after_five_hours_ends_an_outage_that_began_at_four() -> None:
    found = timeline(Evolution(_battery(8)), _off_and_on(0, 5))

    assert _outages(found) == [(GRID, 0, 5), (HOSPITAL, 4, 5)]


def test_a_repair_in_the_moment_in_which_the_battery_is_empty_is_in_time() -> None:
    found = timeline(Evolution(_battery(8)), _off_and_on(0, 4))

    assert _outages(found) == [(GRID, 0, 4)]


@pytest.mark.parametrize(("recharge", "lasts"), [(0, 4.0), (8, 2.0), (16, 1.5)])
def test_a_second_outage_finds_what_has_been_recharged(recharge: float, lasts: float) -> None:
    found = timeline(Evolution(_battery(recharge)), _off_and_on(0, 3, 5))

    assert _outages(found)[-1] == (HOSPITAL, 5 + lasts, float("inf"))


def test_who_is_down_draws_nothing_from_a_battery_and_starts_on_it() -> None:
    """Down for its own failure while the grid is away, it has what was left."""
    steps = [
        Step(0.0, fail=(GRID,)),
        Step(1 * HOUR, fail=(HOSPITAL,)),
        Step(9 * HOUR, repair=(HOSPITAL,)),
    ]

    found = timeline(Evolution(_battery(8)), steps)

    assert _outages(found)[1:] == [(HOSPITAL, 1, 9), (HOSPITAL, 12, float("inf"))]


def test_a_tank_that_ran_dry_fills_while_it_is_reached() -> None:
    network = Network.from_arrays(
        3, [], [], group=[], rule=[], connections=[[0, 1], [1, 2]], carrier=[0, 0],
        source=[1, 0, 0],
        storages=Storages(
            np.array([1]), np.array([0]), np.array([6 * HOUR]), np.array([12 * HOUR])
        ),
    )  # fmt: skip
    steps = [
        Step(h * HOUR, fail=(0,)) if i % 2 == 0 else Step(h * HOUR, repair=(0,))
        for i, h in enumerate([0, 8, 12])
    ]

    found = timeline(Evolution(network), steps)

    assert _outages(found) == [
        (0, 0, 8), (1, 6, 8), (2, 6, 8), (0, 12, EVER), (1, 14, EVER), (2, 14, EVER),
    ]  # fmt: skip


def test_a_loop_that_sustains_itself_does_not_come_back_by_itself() -> None:
    network = Network.from_arrays(
        3, [0, 2, 0, 1], [1, 1, 2, 2], group=[0, 0, 1, 1], rule=["any", "any"], sustain=[True, True]
    )
    steps = [
        Step(0.0, fail=(0,)), Step(10.0, fail=(1,)),
        Step(20.0, repair=(1,)), Step(30.0, repair=(0,)),
    ]  # fmt: skip

    found = timeline(Evolution(network), steps)

    rows = found.outages()
    assert list(zip(rows.asset, rows.begin, rows.end, strict=True)) == [
        (0, 0, 30),
        (1, 10, 30),
        (2, 10, 30),
    ]


def test_a_switch_that_opens_cuts_off_and_one_that_closes_brings_back() -> None:
    network = Network.from_arrays(
        3, [], [], group=[], rule=[], connections=[[0, 1], [1, 2]], carrier=[0, 0], source=[1, 0, 0]
    )

    found = timeline(Evolution(network), [Step(5.0, open=(1,)), Step(9.0, close=(1,))], 20.0)

    rows = found.outages()
    assert list(zip(rows.asset, rows.begin, rows.end, strict=True)) == [(2, 5, 9)]


def test_what_failed_before_has_drained_its_share_and_is_no_event() -> None:
    plant = Evolution(_battery(8))
    plant.fail(GRID, 1 * HOUR)
    plant.advance(3 * HOUR)

    found = timeline(plant, [])

    assert found.down.tolist() == [GRID]
    assert _outages(found) == [(HOSPITAL, 5, float("inf"))]


def test_what_is_not_served_is_worth_times_time_until_the_horizon() -> None:
    found = timeline(Evolution(_battery(8)), _off_and_on(0), 10 * HOUR)

    assert found.unserved(np.array([0.0, 200.0])) == 200 * 6 * HOUR


def test_the_curve_says_how_much_is_down_from_when_on() -> None:
    found = timeline(Evolution(_battery(8)), _off_and_on(2, 7))

    times, down = found.curve([np.ones(2), np.array([0.0, 200.0])])

    assert (times / HOUR).tolist() == [0, 2, 6, 7]
    assert down.tolist() == [[0, 0], [1, 0], [2, 200], [0, 0]]


def test_an_event_at_the_horizon_belongs_to_it_and_one_after_it_does_not() -> None:
    assert len(timeline(Evolution(_battery(8)), _off_and_on(0), 4 * HOUR).events) == 2
    assert len(timeline(Evolution(_battery(8)), _off_and_on(0), 4 * HOUR - 1).events) == 1


@pytest.mark.parametrize("time", [float("nan"), -1.0, "1", None, True])
def test_what_is_no_time_is_refused(time: Any) -> None:
    with pytest.raises(BadInput):
        timeline(Evolution(_battery(8)), [Step(time)])


@pytest.mark.parametrize("horizon", [float("nan"), -1.0, None])
def test_what_is_no_horizon_is_refused(horizon: Any) -> None:
    with pytest.raises(BadInput):
        timeline(Evolution(_battery(8)), [], horizon)


def test_no_step_is_before_the_beginning() -> None:
    with pytest.raises(BadInput):
        timeline(Evolution(_battery(8), HOUR), [Step(0.0, fail=(GRID,))])


def test_declared_times_of_repair_make_steps() -> None:
    steps = repairs_due({0: 10.0, 1: 10.0, 2: 0.0}, np.array([5.0, 5.0, np.nan]))

    assert steps == [Step(15.0, repair=(0, 1))]
