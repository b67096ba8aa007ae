"""What every model of a cascade promises, whatever makes things fail in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics.models.grids import random_grid, random_links
from twinfall.analytics import Network
from twinfall.analytics.models import (
    CascadeModel,
    DependencyCascade,
    LocalSharing,
    MotterLai,
    PowerCascade,
)
from twinfall.ontology.errors import BadInput

N = 14


def _dependencies(seed: int) -> CascadeModel:
    """Each asset needs one or two of its feeds; one circle, one timed group, uneven values."""
    rng = np.random.default_rng(seed)
    consumer = np.sort(rng.integers(0, N, 20))
    fed, group = np.unique(consumer, return_inverse=True)
    network = Network.from_arrays(
        N, rng.integers(0, N, 20), consumer, group=group,
        rule=[["any", "all"][i] for i in rng.integers(0, 2, len(fed))],
        autonomy=rng.integers(0, 3, len(fed)) * 60.0,
        black_start=rng.random(N) < 0.5,
        value=rng.integers(1, 9, N),
    )  # fmt: skip
    return DependencyCascade(network)


def _motter_lai(seed: int) -> CascadeModel:
    return MotterLai(N, random_links(seed, N, 6), tolerance=0.1)


def _sharing(seed: int) -> CascadeModel:
    rng = np.random.default_rng(seed)
    load = rng.random(N)
    return LocalSharing(N, random_links(seed, N, 22), load, load * 1.4, exponent=1.5)


def _power(seed: int) -> CascadeModel:
    return PowerCascade.with_margin(random_grid(seed, N, 22), 0.2, least=0.5)


models = pytest.mark.parametrize("model_of", [_dependencies, _motter_lai, _sharing, _power])
Maker = Callable[[int], CascadeModel]


@models
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_a_cascade_lists_each_failure_once_by_round_then_position(
    model_of: Maker, seed: int, data: st.DataObject
) -> None:
    model = model_of(seed)
    failed = data.draw(st.lists(st.integers(0, model.elements - 1), max_size=4))

    course = model.cascade(failed)

    assert course.failed.tolist() == sorted(set(failed))
    assert not set(course.element) & set(failed)
    assert len(set(course.element)) == len(course)
    rows = list(zip(course.round, course.element, strict=True))
    assert rows == sorted(rows)
    assert set(course.round) == set(range(1, course.rounds + 1))
    assert set(course.reason) <= set(range(len(model.reasons)))


@models
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_what_is_served_and_what_is_shed_is_the_demand_and_never_grows_back(
    model_of: Maker, seed: int, data: st.DataObject
) -> None:
    model = model_of(seed)
    failed = data.draw(st.lists(st.integers(0, model.elements - 1), max_size=4))

    course = model.cascade(failed)

    assert len(course.served) == len(course.shed) == course.rounds + 1
    np.testing.assert_allclose(course.served + course.shed, model.demand, atol=1e-9)
    assert (course.served >= -1e-9).all()
    assert (np.diff(course.served) <= 1e-9).all()


@models
def test_without_a_failure_nothing_fails_and_all_is_served(model_of: Maker) -> None:
    for seed in range(20):
        model = model_of(seed)
        course = model.cascade([])
        assert len(course) == course.rounds == 0
        assert course.served.tolist() == pytest.approx([model.demand])


@models
def test_where_everything_was_failed_nothing_else_fails(model_of: Maker) -> None:
    model = model_of(3)
    assert len(model.cascade(range(model.elements))) == 0


@models
def test_a_question_has_the_same_answer_in_any_order_and_after_others(model_of: Maker) -> None:
    model = model_of(7)
    before = model.cascade([2, 0])
    for other in range(model.elements):
        model.cascade([other])

    after = model.cascade([0, 2, 0])

    for name in ("failed", "element", "round", "reason", "served", "shed"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


@models
@pytest.mark.parametrize("failed", [[-1], [10_000], [0.5], ["a"]])
def test_what_is_no_element_is_refused(model_of: Maker, failed: list[object]) -> None:
    with pytest.raises(BadInput, match="elements are"):
        model_of(1).cascade(failed)


@models
def test_each_model_of_this_contract_makes_something_else_fail(model_of: Maker) -> None:
    spread = [len(model_of(seed).cascade([0])) for seed in range(30)]
    assert sum(spread) > 30


def test_the_dependency_cascade_is_what_the_network_answers_without_its_gates() -> None:
    # 0 feeds 1 at once and 2 after a minute; 3 is a gate behind 1, and 4 hangs on the gate.
    network = Network.from_arrays(
        5, [0, 0, 1], [1, 2, 4], group=[0, 1, 2], rule=["all"] * 3, autonomy=[0, 60, 0],
        value=[1, 2, 4, 8, 16], visible=4,
    )  # fmt: skip

    course = DependencyCascade(network).cascade([0])

    assert course.element.tolist() == [1, 2]
    assert course.round.tolist() == [1, 2]
    assert course.served.tolist() == [14, 12, 8]
    assert len(DependencyCascade(network, horizon=30.0).cascade([0])) == 1


def test_the_dependency_cascade_tells_a_lost_group_from_a_lost_network() -> None:
    network = Network.from_arrays(
        3, [0], [2], group=[0], rule=["all"], connections=[(0, 1)], carrier=[0], source=[1, 0, 0]
    )
    model = DependencyCascade(network)

    course = model.cascade([0])

    why = {int(e): model.reasons[r] for e, r in zip(course.element, course.reason, strict=True)}
    assert why == {1: "network lost", 2: "group lost"}
