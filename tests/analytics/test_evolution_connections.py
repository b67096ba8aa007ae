"""Cables that are laid and cut in a plant that goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from twinfall.analytics import Evolution, Network, Storages
from twinfall.ontology.errors import BadInput

SOURCE, BUS, HOME, TANK = range(4)


def _row(**more: Any) -> Network:
    """A source, a bus, and by themselves a home and a tank for ten minutes that fills in one."""
    tank = Storages(np.array([TANK]), np.array([0]), np.array([600.0]), np.array([60.0]))
    parts: dict[str, Any] = {
        "connections": [[SOURCE, BUS]],
        "carrier": [0],
        "source": [1, 0, 0, 0],
        "storages": tank,
    }
    return Network.from_arrays(4, [], [], group=[], rule=[], **(parts | more))


def _island() -> Evolution:
    """The home and the tank have been connected to the bus, and are by themselves from 0 s on."""
    evolution = Evolution(
        _row(connections=[[SOURCE, BUS], [BUS, HOME], [HOME, TANK]], carrier=[0] * 3)
    )
    evolution.disconnect(BUS, HOME, 0)
    return evolution


def _down(evolution: Evolution) -> list[int]:
    return np.flatnonzero(evolution.down).tolist()


def test_who_is_connected_is_supplied_and_who_is_cut_off_goes_down() -> None:
    evolution = Evolution(_row())
    evolution.connect(BUS, HOME, 0)
    assert _down(evolution) == []

    assert evolution.disconnect(SOURCE, BUS, 0, at=60.0).fell.tolist() == [BUS, HOME]
    assert evolution.falls(np.array([HOME])).time == 60.0
    assert evolution.falls(np.array([HOME])).group == -2

    assert evolution.connect(HOME, SOURCE, 0, at=90.0).rose.tolist() == [HOME, BUS]


def test_who_is_connected_to_nothing_alive_needs_it_all_the_same() -> None:
    evolution = Evolution(_row())

    assert evolution.connect(HOME, TANK, 1).fell.tolist() == [HOME, TANK]


def test_who_has_no_connections_any_more_does_not_ask_for_the_carrier() -> None:
    evolution = Evolution(_row())
    evolution.connect(HOME, TANK, 1)

    assert evolution.disconnect(HOME, TANK, 1).rose.tolist() == [HOME, TANK]
    assert evolution.fail(SOURCE).fell.tolist() == [SOURCE, BUS]


def test_a_tank_runs_while_it_is_cut_off_and_fills_again() -> None:
    evolution = Evolution(_row())
    evolution.connect(BUS, TANK, 0)
    evolution.connect(TANK, HOME, 0)

    evolution.disconnect(BUS, TANK, 0, at=100.0)
    assert (evolution.next, _down(evolution)) == (700.0, [])

    evolution.connect(BUS, TANK, 0, at=400.0)
    assert (evolution.next, evolution.storage(0)) == (np.inf, 300.0)
    evolution.advance(430.0)
    assert evolution.storage(0) == 600.0

    evolution.disconnect(BUS, TANK, 0)
    assert evolution.advance(1030.0).fell.tolist() == [HOME, TANK]


def test_what_is_in_a_tank_that_nothing_is_connected_to_stays_in_it() -> None:
    evolution = _island()

    evolution.disconnect(HOME, TANK, 0, at=200.0)
    evolution.advance(10_000.0)
    assert (evolution.storage(0), _down(evolution)) == (400.0, [])

    evolution.connect(TANK, HOME, 0)
    assert evolution.next == 10_400.0


def test_a_cable_that_is_there_when_the_tank_runs_empty_is_in_time() -> None:
    evolution = _island()

    assert len(evolution.connect(BUS, HOME, 0, at=600.0)) == 0
    assert evolution.next == np.inf


def test_a_source_that_is_back_when_the_tank_runs_empty_is_in_time() -> None:
    evolution = Evolution(
        _row(connections=[[SOURCE, TANK], [TANK, BUS], [HOME, BUS]], carrier=[0] * 3)
    )
    evolution.fail(SOURCE, 0.0)

    moved = evolution.repair(SOURCE, 600.0)

    assert (moved.fell.tolist(), moved.rose.tolist()) == ([], [SOURCE])
    assert evolution.next == np.inf


def test_one_way_nothing_comes_back() -> None:
    evolution = Evolution(_row(source=[1, 0, 1, 0]))
    evolution.connect(BUS, HOME, 0, oneway=True)

    assert evolution.fail(SOURCE).fell.tolist() == [SOURCE, BUS]
    assert evolution.disconnect(HOME, BUS, 0).fell.tolist() == []
    assert evolution.connect(HOME, BUS, 0, oneway=True).rose.tolist() == [BUS]


def test_switches_work_on_connections_that_are_new() -> None:
    evolution = Evolution(_row())
    evolution.switch(BUS, False)

    assert evolution.connect(BUS, HOME, 0).fell.tolist() == [HOME]
    assert evolution.switch(BUS, True).rose.tolist() == [HOME]
    assert evolution.switch(BUS, False).fell.tolist() == [HOME]


def test_a_plant_without_any_connections_gets_its_first_ones() -> None:
    evolution = Evolution(Network.from_arrays(3, [0], [2], group=[0], rule=["all"]))

    assert evolution.connect(0, 1, 30).fell.tolist() == [0, 1, 2]
    assert evolution.disconnect(0, 1, 30).rose.tolist() == [0, 1, 2]


def test_two_that_hold_only_each_other_by_a_new_cable_are_dead() -> None:
    """A power plant needs water, which the waterworks sends by power; first each has its own."""
    plant, works, grid, lake = range(4)
    network = Network.from_arrays(
        4, [], [], group=[], rule=[], source=[1, 2, 1, 2],
        connections=[[works, grid], [plant, lake]], carrier=[0, 1],
    )  # fmt: skip
    evolution = Evolution(network)
    evolution.connect(plant, works, 0)
    evolution.connect(works, plant, 1)
    assert _down(evolution) == []

    evolution.disconnect(works, grid, 0)
    assert _down(evolution) == []

    assert evolution.disconnect(plant, lake, 1).fell.tolist() == [plant, works]
    assert evolution.connect(works, grid, 0).rose.tolist() == [works, plant]


def test_who_has_nothing_itself_lets_nobody_rise() -> None:
    """The bus has lost its source; a home that was on no cable does not bring it back."""
    evolution = Evolution(_row())
    evolution.fail(SOURCE, 10.0)

    moved = evolution.connect(HOME, BUS, 0, at=20.0)

    assert (moved.fell.tolist(), moved.rose.tolist()) == ([HOME], [])
    assert evolution.falls(np.array([BUS])).time == 10.0


def test_a_hub_takes_any_number_of_cables_and_loses_them_again() -> None:
    size = 300
    network = Network.from_arrays(
        size, [], [], group=[], rule=[], source=[1] + [0] * (size - 1),
        connections=[[1, 2], [3, 4]], carrier=[0, 1],
    )  # fmt: skip
    evolution = Evolution(network)
    for asset in range(1, size):
        evolution.connect(0, asset, 0)
    for asset in range(5, size):
        evolution.connect(asset, asset - 1, 1)
    assert _down(evolution) == list(range(3, size))
    for asset in range(size - 1, 4, -1):
        evolution.disconnect(asset, asset - 1, 1)
    assert _down(evolution) == [3, 4]

    for asset in range(1, size, 2):
        evolution.disconnect(0, asset, 0)

    assert evolution.fail(0).fell.tolist() == [0, 1, 2, *range(6, size, 2)]


def test_what_happens_to_a_copy_does_not_happen_to_the_original() -> None:
    network = _row()
    first = Evolution(network)
    first.connect(BUS, HOME, 0)
    copy = first.fork()

    copy.disconnect(BUS, HOME, 0)
    copy.connect(BUS, TANK, 0)
    first.connect(HOME, TANK, 0)

    assert (first.fail(BUS).fell.tolist(), first.advance(600.0).fell.tolist()) == (
        [BUS],
        [HOME, TANK],
    )
    assert (copy.fail(BUS).fell.tolist(), copy.advance(600.0).fell.tolist()) == ([BUS], [TANK])
    assert network.impact([BUS]).asset.tolist() == []
    assert Evolution(network).fail(SOURCE).fell.tolist() == [SOURCE, BUS]


def _buffers_in_a_circle() -> dict[str, tuple[Network, int]]:
    """Whoever has the buffer, 0, holds 1 and is held by it or by 2; 1 comes back before it is
    empty.
    """
    battery = Network.from_arrays(
        3, [1, 2, 0], [0, 0, 1], group=[0, 0, 1], rule=["any", "all"], autonomy=[20.0, 0.0]
    )
    tank = Network.from_arrays(
        4, [0], [3], group=[0], rule=["all"], source=[0, 0, 1, 1],
        connections=[[3, 1], [1, 0], [0, 2]], carrier=[0, 0, 0],
        storages=Storages(np.array([0]), np.array([0]), np.array([20.0])),
    )  # fmt: skip
    return {"battery": (battery, 0), "tank": (tank, 0)}


@pytest.mark.parametrize("kind", ["battery", "tank"])
def test_a_buffer_does_not_rest_on_what_only_hangs_on_it(kind: str) -> None:
    network, holder = _buffers_in_a_circle()[kind]
    evolution = Evolution(network)
    evolution.fail([1, 2], 0.0)

    evolution.repair(1, 5.0)

    assert evolution.next == 20.0
    assert holder in evolution.advance(20.0).fell
    assert evolution.is_down(1)


NO_PAIRS: list[tuple[Any, ...]] = [
    (9, BUS, 0),
    (BUS, -1, 0),
    (BUS, 1.0, 0),
    (None, BUS, 0),
    (BUS, HOME, 31),
    (BUS, HOME, -1),
    (BUS, HOME, True),
]


def test_a_change_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    evolution = Evolution(_row())
    evolution.advance(5.0)
    for row in NO_PAIRS:
        for change in (evolution.connect, evolution.disconnect):
            with pytest.raises(BadInput):
                change(*row)
    for time in (4.0, np.nan, "9"):
        with pytest.raises(BadInput):
            evolution.connect(BUS, HOME, 0, at=time)
        with pytest.raises(BadInput):
            evolution.disconnect(SOURCE, BUS, 0, at=time)
    for one, other in ((SOURCE, BUS), (BUS, SOURCE)):
        with pytest.raises(BadInput, match="are connected in carrier 0 already"):
            evolution.connect(one, other, 0, oneway=True)
    with pytest.raises(BadInput, match="is connected with itself"):
        evolution.connect(HOME, HOME, 0)
    for one, other, carrier in ((BUS, HOME, 0), (SOURCE, BUS, 1), (HOME, HOME, 0), (TANK, BUS, 30)):
        with pytest.raises(BadInput, match="are not connected in carrier"):
            evolution.disconnect(one, other, carrier)

    assert (evolution.now, evolution.next, _down(evolution)) == (5.0, np.inf, [])
    assert evolution.fail(SOURCE).fell.tolist() == [SOURCE, BUS]
