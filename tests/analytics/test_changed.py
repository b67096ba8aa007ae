"""A network changed in thought, against the edited plant built anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.rows import Feed, Rows, answers, rows
from twinfall.analytics import Network
from twinfall.ontology.errors import BadInput

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def _failures(data: st.DataObject, plant: Rows) -> list[int]:
    return sorted(data.draw(st.sets(st.integers(0, plant.n - 1), min_size=1, max_size=2)))


def _new_feeds(data: st.DataObject, plant: Rows) -> list[Feed]:
    there = {(f.provider, f.group) for f in plant.feeds}
    free = [(p, g) for p in range(plant.n) for g in range(len(plant.groups))]
    free = [pair for pair in free if pair not in there]
    chosen = data.draw(st.lists(st.sampled_from(free), max_size=3, unique=True)) if free else []
    share, transfer = st.sampled_from([0.5, 1.0]), st.sampled_from([0.0, 10.0])
    return [Feed(p, g, data.draw(share), data.draw(transfer)) for p, g in chosen]


def _added(feeds: list[Feed]) -> dict[str, Any]:
    return {
        "add": [(f.provider, f.group) for f in feeds],
        "share": [f.share for f in feeds],
        "transfer": [f.transfer for f in feeds],
    }


@FEW
@given(rows(), st.data())
def test_feeds_added_and_removed_answer_as_the_edited_plant_does(plant, data) -> None:
    new = _new_feeds(data, plant)
    gone = data.draw(st.sets(st.sampled_from(plant.feeds), max_size=3)) if plant.feeds else set()
    asked = _failures(data, plant)
    network = plant.network()
    before = answers(network, asked)

    changed = network.what_if(**_added(new), remove=[(f.provider, f.group) for f in gone])

    edited = plant.but(feeds=(*(f for f in plant.feeds if f not in gone), *new))
    assert answers(changed, asked) == answers(edited.network(), asked)
    assert answers(network, asked) == before


@FEW
@given(rows(), st.data())
def test_adding_and_then_removing_gives_back_the_same_answers(plant, data) -> None:
    new, asked = _new_feeds(data, plant), _failures(data, plant)
    network = plant.network()

    there = network.what_if(**_added(new))
    back = there.what_if(remove=[(f.provider, f.group) for f in new])

    assert answers(back, asked) == answers(network, asked)


@FEW
@given(rows(), st.data())
def test_switches_sources_and_connections_answer_as_the_edited_plant_does(plant, data) -> None:
    asset = st.integers(0, plant.n - 1)
    conducts = data.draw(st.dictionaries(asset, st.booleans(), max_size=2))
    source = data.draw(st.dictionaries(asset, st.integers(0, 3), max_size=2))
    new = data.draw(st.lists(st.tuples(asset, asset, st.integers(0, 1)), max_size=2))
    links = [(min(a, b), max(a, b), c) for a, b, c, _ in plant.links]
    gone = data.draw(st.sets(st.sampled_from(links), max_size=2)) if links else set()
    asked = _failures(data, plant)

    changed = plant.network().what_if(
        conducts=conducts, source=source, connect=new, disconnect=sorted(gone)
    )

    edited = plant.but(
        conducts=tuple(conducts.get(i, was) for i, was in enumerate(plant.conducts)),
        source=tuple(source.get(i, was) for i, was in enumerate(plant.source)),
        links=(
            *(x for x, k in zip(plant.links, links, strict=True) if k not in gone),
            *((a, b, c, False) for a, b, c in new),
        ),
    )
    assert answers(changed, asked) == answers(edited.network(), asked)


@FEW
@given(rows(), st.data())
def test_k_and_autonomy_answer_as_the_edited_plant_does(plant, data) -> None:
    counted = [i for i, g in enumerate(plant.groups) if g.rule == "atLeast"]
    k = {i: data.draw(st.integers(1, 4)) for i in counted}
    autonomy = {i: data.draw(st.sampled_from([0.0, 10.0, 40.0])) for i in range(len(plant.groups))}
    asked = _failures(data, plant)

    changed = plant.network().what_if(k=k, autonomy=autonomy)

    groups = [replace(g, k=k.get(i, g.k), autonomy=autonomy[i]) for i, g in enumerate(plant.groups)]
    assert answers(changed, asked) == answers(plant.but(groups=tuple(groups)).network(), asked)


@FEW
@given(rows(), st.data())
def test_what_failed_before_has_taken_along_what_it_would(plant, data) -> None:
    first, asked = _failures(data, plant), _failures(data, plant)
    network = plant.network()

    changed = network.what_if(fail=first)

    taken = network.impact(first)
    down = set(np.flatnonzero(network.baseline)) | set(first) | set(taken.asset)
    assert set(np.flatnonzero(changed.baseline)) == down
    assert set(changed.impact(asked).asset).isdisjoint(down)
    late = [a for a in asked if a not in first]
    course = network.course(
        np.array(first + late, np.int32), np.repeat([0.0, 1e6], [len(first), len(late)])
    )
    at = {int(a): t - 1e6 for a, t in zip(course.asset, course.time, strict=True) if t >= 1e6}
    found = changed.impact(asked)
    assert dict(zip(found.asset.tolist(), found.time.tolist(), strict=True)) == pytest.approx(at)


@FEW
@given(rows(), st.data())
def test_failures_outlast_further_changes(plant, data) -> None:
    first, new, asked = _failures(data, plant), _new_feeds(data, plant), _failures(data, plant)
    network = plant.network()

    together = network.what_if(fail=first, **_added(new))

    assert answers(network.what_if(fail=first).what_if(**_added(new)), asked) == answers(
        together, asked
    )
    assert answers(network.what_if(**_added(new)).what_if(fail=first), asked) == answers(
        together, asked
    )
    switched = network.what_if(fail=first).conducting(network.links.conducts)
    assert answers(switched, asked) == answers(network.what_if(fail=first), asked)


def test_nothing_changed_is_the_same_network_and_what_is_unchanged_is_shared() -> None:
    network = _two_of_three()

    switched = network.what_if(conducts={1: False})
    fed = network.what_if(remove=[(0, 0)])
    failed = network.what_if(fail=[0])

    assert network.what_if() is network.what_if(fail=[], add=[], conducts={}) is network
    assert switched.feeds is network.feeds
    assert switched.arrays.in_edges is network.arrays.in_edges
    assert fed.links is network.links
    assert fed.arrays.pass_to is network.arrays.pass_to
    assert failed.arrays is network.arrays


def test_a_group_that_gets_the_feeds_it_lacked_is_evaluated() -> None:
    lacking = _two_of_three().what_if(remove=[(0, 0), (1, 0)])

    assert lacking.impact([2]).asset.tolist() == []
    assert lacking.what_if(add=[(0, 0)]).impact([2]).asset.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"fail": [9]}, "fail"),
        ({"fail": "all"}, "fail"),
        ({"fail": 0}, "fail"),
        ({"add": [0, 1]}, "add"),
        ({"add": [(9, 0)]}, "add"),
        ({"add": [(0, 7)]}, "add"),
        ({"add": [(0, 0)]}, "add[0]"),
        ({"add": [(3, 0), (3, 0)]}, "add[1]"),
        ({"add": [(3, 0)], "share": [-1.0]}, "share[0]"),
        ({"add": [(3, 0)], "transfer": [1.0, 2.0]}, "transfer"),
        ({"share": [1.0]}, "share"),
        ({"remove": [(3, 0)]}, "remove[0]"),
        ({"remove": [(0, 0, 0)]}, "remove"),
        ({"k": {0: 0}}, "k"),
        ({"k": {1: 1}}, "k"),
        ({"k": {5: 1}}, "k"),
        ({"k": [2]}, "k"),
        ({"autonomy": {0: -1.0}}, "autonomy[0]"),
        ({"autonomy": {"0": 1.0}}, "autonomy"),
        ({"conducts": {9: True}}, "conducts"),
        ({"conducts": {0: 2}}, "conducts[0]"),
        ({"conducts": [True]}, "conducts"),
        ({"source": {0: -1}}, "source"),
        ({"connect": [(0, 1)]}, "connect"),
        ({"connect": [(0, 9, 0)]}, "connect"),
        ({"connect": [(0, 1, 31)]}, "connect"),
        ({"disconnect": [(0, 3, 0)]}, "disconnect[0]"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_by_name(changes: Any, place: str) -> None:
    with pytest.raises(BadInput) as refused:
        _two_of_three().what_if(**changes)

    assert refused.value.path == place


def _two_of_three() -> Network:
    return Network.from_arrays(
        5, [0, 1, 2, 3], [3, 3, 3, 4], group=[0, 0, 0, 1], rule=["atLeast", "all"], k=[2, 1],
        connections=[[0, 1]], carrier=[0], source=[1, 0, 0, 0, 0],
    )  # fmt: skip
