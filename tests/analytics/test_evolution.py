"""A plant that goes on, against the plain reference and against questions asked from the start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.lasting_reference import Lasting
from tests.analytics.plants import network_of, plants
from tests.analytics.reference import Plant
from twinfall.analytics.evolution import Evolution

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
KINDS = ["fail", "repair", "repair", "advance", "switch", "add", "remove"]


def _down(evolution: Evolution) -> dict[int, float]:
    assets = np.flatnonzero(evolution.down)
    return dict(zip(assets.tolist(), evolution.falls(assets).time.tolist(), strict=True))


def _do(kind: str, plain: Lasting, evolution: Evolution, data: st.DataObject) -> None:
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
    elif kind == "fail":
        plain.fail({asset}, at)
        evolution.fail(asset, at)
    elif kind == "repair":
        plain.repair({asset}, at)
        evolution.repair(asset, at)
    elif not plain.plant.groups or plain.plant.groups[group].votes is not None:
        return
    elif kind == "remove" and asset in plain.feeds[group]:
        plain.remove_feed(asset, group, at)
        evolution.remove_feed(asset, group, at)
    elif kind == "add" and asset not in plain.feeds[group]:
        plain.add_feed(asset, group, 1, at)
        evolution.add_feed(asset, group, at=at)


@FEW
@given(plants(), st.sampled_from([0.0, 20.0, 40.0]), st.data())
def test_an_evolution_goes_as_the_reference_goes(plant, recharge, data) -> None:
    network = network_of(plant, recharge)
    plain, evolution = Lasting(plant, recharge), Evolution(network)

    for _ in range(data.draw(st.integers(1, 12))):
        _do(data.draw(st.sampled_from(KINDS)), plain, evolution, data)

        assert _down(evolution) == plain.down
        for i, buffer in plain.buffers.items():
            assert evolution.buffer(i) == buffer.left(plain.now)
        assert evolution.next == plain.next()


@FEW
@given(plants(), st.data())
def test_failures_alone_take_the_course_that_a_question_finds(plant, data) -> None:
    network = network_of(plant)
    times = st.sampled_from([0.0, 5.0, 10.0, 25.0])
    at = data.draw(st.dictionaries(st.integers(0, plant.n - 1), times, min_size=1, max_size=4))
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
        _do(data.draw(st.sampled_from(KINDS)), plain, first, data)
        _do(data.draw(st.sampled_from(KINDS)), other, copy, data)

    assert (_down(first), _down(copy)) == (plain.down, other.down)


def _prompt(plant: Plant) -> Plant:
    groups = [
        replace(g, feeds=dict.fromkeys(g.feeds, 0.0), autonomy=0.0, sustain=False)
        for g in plant.groups
    ]
    return replace(plant, groups=groups, storages={})
