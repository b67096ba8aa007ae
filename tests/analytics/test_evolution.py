"""A plant that goes on, against the plain reference and against questions asked from the start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.lasting_reference import Lasting
from tests.analytics.plants import network_of, plants, rings
from tests.analytics.reference import Group, Plant
from twinfall.analytics import Network, Storages
from twinfall.analytics.evolution import Evolution
from twinfall.ontology.errors import BadInput

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
KINDS = [
    "fail", "repair", "repair", "advance", "stop", "switch", "add", "remove", "connect",
    "disconnect",
]  # fmt: skip


def _down(evolution: Evolution) -> dict[int, float]:
    assets = np.flatnonzero(evolution.down)
    return dict(zip(assets.tolist(), evolution.falls(assets).time.tolist(), strict=True))


def act(kind: str, plain: Lasting, evolution: Evolution, data: st.DataObject) -> None:
    """Do the same to both, some time later."""
    at = plain.now + data.draw(st.sampled_from([0.0, 0.0, 5.0, 10.0, 20.0]))
    asset = data.draw(st.integers(0, plain.plant.n - 1))
    group = data.draw(st.integers(0, max(0, len(plain.plant.groups) - 1)))
    if kind == "advance":
        plain.advance(at)
        evolution.advance(at)
    elif kind == "switch":
        on = data.draw(st.booleans())
        plain.switch(asset, on, at)
        evolution.switch(asset, on, at)
    elif kind in ("fail", "stop", "repair"):
        getattr(plain, kind)({asset}, at)
        getattr(evolution, kind)(asset, at)
    elif kind in ("connect", "disconnect"):
        _relink(kind, (plain, evolution), (asset, at), data)
    elif not plain.plant.groups:
        return
    elif kind == "remove" and asset in plain.feeds[group]:
        plain.remove_feed(asset, group, at)
        evolution.remove_feed(asset, group, at)
    elif kind == "add" and asset not in plain.feeds[group]:
        weight, share = 1, None
        if plain.plant.groups[group].votes is not None:
            weight = data.draw(st.integers(1, 4))
            share = weight / plain.wants[group]
        plain.add_feed(asset, group, weight, at)
        evolution.add_feed(asset, group, share=share, at=at)


def _relink(kind: str, both: tuple[Lasting, Evolution], where: Any, data: st.DataObject) -> None:
    (plain, evolution), (asset, at) = both, where
    other, carrier = data.draw(st.integers(0, plain.plant.n - 1)), data.draw(st.integers(0, 2))
    oneway = data.draw(st.booleans())
    graph = plain.plant.carriers.get(carrier, nx.DiGraph())
    if kind == "disconnect":
        if graph.edges:
            asset, other = data.draw(st.sampled_from(sorted(graph.edges)))
            plain.disconnect(asset, other, carrier, at)
            evolution.disconnect(asset, other, carrier, at)
    elif asset != other and not {(asset, other), (other, asset)} & set(graph.edges):
        plain.connect(asset, other, carrier, oneway, at)
        evolution.connect(asset, other, carrier, oneway=oneway, at=at)


@FEW
@given(st.one_of(plants(), rings()), st.sampled_from([0.0, 20.0, 40.0]), st.data())
def test_an_evolution_goes_as_the_reference_goes(plant, recharge, data) -> None:
    network = network_of(plant, recharge)
    plain, evolution = Lasting(plant, recharge), Evolution(network)

    for _ in range(data.draw(st.integers(1, 12))):
        act(data.draw(st.sampled_from(KINDS)), plain, evolution, data)

        assert _down(evolution) == plain.down
        for i, buffer in plain.buffers.items():
            assert evolution.buffer(i) == pytest.approx(buffer.left(plain.now))
        for i, buffer in enumerate(plain.storages.values()):
            assert evolution.storage(i) == pytest.approx(buffer.left(plain.now))
        assert evolution.next == plain.next()


@FEW
@given(st.one_of(plants(), rings()), st.data())
def test_failures_alone_take_the_course_that_a_question_finds(plant, data) -> None:
    network = network_of(plant)
    times = st.sampled_from([0.0, 5.0, 10.0, 25.0])
    at = {0: 0.0} | data.draw(st.dictionaries(st.integers(0, plant.n - 1), times, max_size=3))
    evolution = Evolution(network)
    began = set(_down(evolution))

    for time in sorted(set(at.values())):
        evolution.fail([a for a, t in at.items() if t == time], time)
    evolution.advance(1e6)

    found = network.course(np.array(list(at), np.int32), np.array(list(at.values())))
    expected = dict(zip(found.asset.tolist(), found.time.tolist(), strict=True))
    fell = {a: t for a, t in _down(evolution).items() if a not in began and a not in at}
    assert fell == expected


@FEW
@given(plants(), st.data())
def test_whatever_the_order_the_state_is_that_of_a_plant_with_these_failures(plant, data) -> None:
    """Where nothing takes time or remembers: no delays, no buffers, no sustained loops."""
    plant = _prompt(plant)
    network = network_of(plant)
    evolution, failed = Evolution(network), set()
    for _ in range(data.draw(st.integers(1, 15))):
        asset = data.draw(st.integers(0, plant.n - 1))
        if asset in failed:
            failed.discard(asset)
            evolution.repair(asset)
        else:
            failed.add(asset)
            evolution.fail(asset)

    down = set(network.down(sorted(failed)).tolist()) | set(np.flatnonzero(network.baseline))
    assert set(_down(evolution)) == down


@FEW
@given(plants(), st.data())
def test_what_happens_to_a_copy_does_not_happen_to_the_original(plant, data) -> None:
    network = network_of(plant, 20.0)
    plain, first = Lasting(plant, 20.0), Evolution(network)
    other = Lasting(plant, 20.0)
    copy = first.fork()

    for _ in range(4):
        act(data.draw(st.sampled_from(KINDS)), plain, first, data)
        act(data.draw(st.sampled_from(KINDS)), other, copy, data)

    assert (_down(first), _down(copy)) == (plain.down, other.down)


def _prompt(plant: Plant) -> Plant:
    groups = [
        replace(g, feeds=dict.fromkeys(g.feeds, 0.0), autonomy=0.0, sustain=False)
        for g in plant.groups
    ]
    return replace(plant, groups=groups, storages={})


def test_a_feed_that_is_removed_from_a_circle_leaves_its_buffers_running() -> None:
    """3 and 4 hold each other on their buffers, since 1 failed; 0 is down from the beginning."""
    plant = Plant(
        5,
        groups=[
            Group(4, {3: 0.0, 0: 0.0}, 2, 20.0),
            Group(3, {4: 0.0, 0: 0.0, 1: 0.0, 2: 0.0}, 3, 10.0),
            Group(0, {0: 0.0}, 1),
        ],
    )
    evolution = Evolution(network_of(plant))
    evolution.fail(1)

    evolution.remove_feed(0, 0, 5.0)

    assert (evolution.buffer(0), evolution.buffer(1)) == (15.0, 5.0)
    assert evolution.advance(15.0).fell.tolist() == [3]
    assert evolution.next == 20.0


def test_a_repair_comes_before_a_loss_that_would_be_felt_in_the_same_moment() -> None:
    """1, 2 and 3 hold each other on the battery of 3, since 0 failed. At 15 s the losses of 2 and 4
    are felt by 1. Something is repaired then: 2 still counts, so that the battery is not needed,
    and when 1 has gone down, that is felt by 3 only 20 s later.
    """
    ring = [Group(1, {0: 0.0, 2: 10.0, 3: 0.0}, 3), Group(2, {3: 0.0}, 1)]
    rest = [Group(3, {1: 20.0}, 1, 30.0), Group(1, {4: 15.0}, 1)]
    evolution = Evolution(network_of(Plant(6, groups=[*ring, *rest])))
    evolution.fail([0, 4])
    evolution.fail([2, 5], 5.0)

    evolution.repair(5, 15.0)

    assert np.flatnonzero(evolution.down).tolist() == [0, 1, 2, 4]
    assert evolution.next == 35.0


def test_what_is_repaired_does_not_hold_up_for_ever_the_battery_that_holds_it() -> None:
    """1 hangs on 2, which lives on its battery since 0 and 1 failed. 1 is repaired and feeds 2 now,
    but nothing feeds the two of them.
    """
    groups = [Group(1, {2: 0.0}, 1), Group(2, {0: 0.0, 1: 0.0}, 2, 10.0)]
    evolution = Evolution(network_of(Plant(3, groups=groups)))
    evolution.fail([0, 1])

    evolution.repair(1, 5.0)

    assert evolution.buffer(1) == 5.0
    assert evolution.advance(100.0).fell.tolist() == [2, 1]


def test_what_a_repair_gives_votes_to_may_still_hang_on_itself() -> None:
    """1 needs 0 and 2; 2 needs 3 or 1. 1 lives on its battery since 0 failed, and holds 2 up, so
    that 3 is not missed. Once 0 is back, 1 and 2 hang on each other.
    """
    groups = [Group(1, {0: 0.0, 2: 0.0}, 1, 10.0), Group(2, {3: 0.0, 1: 0.0}, 2)]
    evolution = Evolution(network_of(Plant(4, groups=groups)))
    evolution.fail(0)
    evolution.fail(3, 2.0)

    evolution.repair(0, 5.0)

    assert evolution.next == 10.0
    assert evolution.advance(100.0).fell.tolist() == [1, 2]


def test_behind_a_circle_a_battery_begins_when_what_fed_it_is_down() -> None:
    """0 feeds 1; 1 and 2 feed each other; 3 hangs on 1."""
    groups = [
        Group(1, {0: 0.0, 2: 0.0}, 2, 60.0),
        Group(2, {1: 0.0}, 1),
        Group(3, {1: 10.0}, 1, 240),
    ]
    evolution = Evolution(network_of(Plant(4, groups=groups)))

    evolution.fail(0)

    assert evolution.buffer(2) == 240.0
    evolution.advance(1000.0)
    assert _down(evolution) == {0: 0.0, 1: 60.0, 2: 60.0, 3: 310.0}


def _twice() -> Network:
    """Eight consumers of two assets: the loss of one is felt after 10 seconds, of the other after
    20.
    """
    consumers = np.repeat(np.arange(2, 10), 2)
    return Network.from_arrays(
        10, [0, 1] * 8, consumers, group=np.arange(16), rule=["all"] * 16, transfer=[10.0, 20.0] * 8
    )


def test_all_may_fall_twice_in_one_call() -> None:
    evolution = Evolution(_twice())
    evolution.fail([0, 1])

    moved = evolution.repair(0, 20.0)

    assert moved.fell.tolist() == [*range(2, 10)] * 2
    assert moved.rose.tolist() == [0, *range(2, 10)]


def _ring() -> Network:
    """0 feeds 1 and 2 (`all`; 2 has a battery of an hour), which feed 3 (`atLeast` 1, `capacity`);
    0 to 3 hang on a carrier, whose source is 0, and 2 has a tank.
    """
    return Network.from_arrays(
        5, [0, 0, 1, 2, 1, 2], [1, 2, 3, 3, 3, 3], group=[0, 1, 2, 2, 3, 3],
        rule=["all", "all", "atLeast", "capacity"], k=[0, 0, 1, 0], autonomy=[0, 3600, 0, 0],
        share=[0, 0, 0, 0, 0.5, 0.5], min_share=[0, 0, 0, 1], recharge=[0, 60, 0, 0],
        connections=[[0, 1], [1, 2], [2, 3]], carrier=[0, 0, 0], source=[1, 0, 0, 0, 0],
        storages=Storages(np.array([2]), np.array([0]), np.array([600.0]), np.array([60.0])),
    )  # fmt: skip


NO_ASSETS: list[Any] = [
    -1, 5, True, np.True_, None, "0", 1.0, np.nan, [1.0], [True], 2**70, [2**70], [-1, 0],
    [[5]], np.array(7), np.uint64(2**63), [np.uint64(2**64 - 1)], {"a": 1},
]  # fmt: skip
NO_TIMES = [np.nan, -np.inf, np.inf, 4.0, -1, "9", True, 10**400, [9.0], 1e300, 9j]
NO_FEEDS: list[dict[str, Any]] = [
    *({"provider": one, "group": 2} for one in (-1, 5, 1.0, None, [0, 1], True)),
    *({"provider": 0, "group": one} for one in (-1, 4, 2.0, None, "2", [2])),
    {"provider": 1, "group": 2},
    {"provider": 1, "group": 2, "k": 2},
    {"provider": 0, "group": 3},
    *({"provider": 0, "group": 3, "share": one} for one in (np.nan, -1.0, np.inf, "1", True)),
    *({"provider": 0, "group": 2, "k": one} for one in (0, -1, 2**40, 2.0, np.nan, True, "1")),
    {"provider": 0, "group": 2, "share": 0.5},
    {"provider": 3, "group": 0, "k": 1},
    *({"provider": 3, "group": 0, "at": one} for one in NO_TIMES),
]


@pytest.fixture(scope="module")
def ring() -> Network:
    return _ring()


def _after(evolution: Evolution) -> list[Any]:
    """All that can be seen of an evolution, now and through what happens to it next."""
    seen: list[Any] = [evolution.now, evolution.next, evolution.buffer(1), evolution.storage(0)]
    for step in (
        lambda: evolution.fail(0, 10.0),
        lambda: evolution.advance(650.0),
        lambda: evolution.add_feed(3, 0, at=700.0),
        lambda: evolution.add_feed(4, 2, k=2),
        lambda: evolution.add_feed(4, 3, share=0.5),
        lambda: evolution.repair(0, 4000.0),
        lambda: evolution.fail(1),
        lambda: evolution.remove_feed(3, 0),
        lambda: evolution.advance(9000.0),
    ):
        moved = step()
        seen += [moved.fell.tolist(), moved.rose.tolist(), _down(evolution), evolution.next]
    return seen


def _refused(evolution: Evolution, call: Callable[[], Any]) -> None:
    with pytest.raises(BadInput):
        call()
    assert evolution.now == 5.0


def test_a_call_that_is_refused_changes_nothing(ring: Network) -> None:
    evolution, other = Evolution(ring), Evolution(ring)
    evolution.advance(5.0)
    other.advance(5.0)

    for time in NO_TIMES:
        for change in (evolution.fail, evolution.repair, evolution.stop, evolution.start):
            _refused(evolution, lambda change=change, time=time: change(0, time))
        _refused(evolution, lambda time=time: evolution.switch(0, False, time))
        _refused(evolution, lambda time=time: evolution.remove_feed(0, 0, time))
        _refused(evolution, lambda time=time: evolution.advance(time))
    for one in NO_ASSETS:
        for change in (evolution.fail, evolution.repair, evolution.stop, evolution.start):
            _refused(evolution, lambda change=change, one=one: change(one))
        for ask in (evolution.is_down, evolution.conducts, evolution.buffer, evolution.storage):
            _refused(evolution, lambda ask=ask, one=one: ask(one))
        _refused(evolution, lambda one=one: evolution.switch(one, True))
        _refused(evolution, lambda one=one: evolution.remove_feed(one, 0))
        _refused(evolution, lambda one=one: evolution.remove_feed(0, one))
    for feed in NO_FEEDS:
        _refused(evolution, lambda feed=feed: evolution.add_feed(**feed))

    assert _after(evolution) == _after(other)


@pytest.mark.parametrize("now", [np.nan, -1.0, np.inf, "0", None, True, 10**400])
def test_an_evolution_begins_at_a_time(ring: Network, now: Any) -> None:
    with pytest.raises(BadInput):
        Evolution(ring, now)


def test_assets_come_in_any_number_and_kind_of_row(ring: Network) -> None:
    rows: list[Any] = [
        3, np.int64(3), np.uint8(3), [3, 3], (3,), {3}, iter([3]), np.array(3), np.array([[3]]),
    ]  # fmt: skip
    for row in rows:
        assert Evolution(ring).fail(row).fell.tolist() == [3]
    for nobody in ([], (), "", np.zeros(0), np.zeros((0, 2), int)):
        assert len(Evolution(ring).fail(nobody)) == 0


def test_a_group_of_many_feeds_takes_a_share_of_what_it_needs() -> None:
    """So many that shares are told apart less finely."""
    size = 3000
    network = Network.from_arrays(
        size + 2, np.arange(size), np.full(size, size), group=np.zeros(size, int),
        rule=["capacity"], share=np.full(size, 2 / size), min_share=[1.0],
    )  # fmt: skip
    evolution = Evolution(network)
    evolution.fail(range(size // 2 + 300))
    down = evolution.is_down(size)

    evolution.add_feed(size + 1, 0, share=0.1)

    assert down
    assert evolution.is_down(size)
    evolution.remove_feed(size + 1, 0)
    evolution.add_feed(size + 1, 0, share=0.21)
    assert not evolution.is_down(size)
