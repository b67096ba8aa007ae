"""What every detector promises: its contract, over the learned one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics.detectors import plants
from twinfall.analytics.detectors import Column, Normal, Table, fit
from twinfall.analytics.detectors.detector import joined
from twinfall.analytics.detectors.normal import CARRY
from twinfall.ontology.errors import BadInput


def learned(twins: int = 1, rows: int = 300) -> Normal:
    tables = [plants.table(plants.running(n, rows), f"P{n + 1}") for n in range(twins)]
    return fit(plants.MODEL, tables)


@pytest.fixture(scope="module")
def detector() -> Normal:
    return learned(3)


def scores(detector: Normal, values: plants.Floats, twin: str = "P1") -> plants.Floats:
    flock = detector.follow([twin])
    only = np.array([0])
    return np.array([detector.score(flock, only, row[None])[0] for row in values])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), twins=st.integers(1, 6))
def test_twins_scored_together_score_as_each_alone(seed: int, twins: int) -> None:
    detector = learned()
    chance = np.random.default_rng(seed)
    runs = [plants.running(seed + n, 30) for n in range(twins)]
    runs[0][chance.random(runs[0].shape) < 0.2] = np.nan
    flock = detector.follow([f"P{n + 1}" for n in range(twins)])
    together = np.full((30, twins), np.nan)
    taken = np.zeros(twins, dtype=int)
    while (taken < 30).any():
        which = np.flatnonzero((chance.random(twins) < 0.6) & (taken < 30))
        rows = np.array([runs[n][taken[n]] for n in which]).reshape(len(which), 5)
        together[taken[which], which] = detector.score(flock, which, rows)
        taken[which] += 1
    for n, run in enumerate(runs):
        alone = scores(detector, run, f"P{n + 1}")
        np.testing.assert_allclose(together[:, n], alone, rtol=1e-9)


def test_a_twin_is_scored_once_it_is_warm(detector: Normal) -> None:
    found = scores(detector, plants.running(9, 40))
    assert np.isnan(found[: detector.warm_up - 1]).all()
    assert np.isfinite(found[detector.warm_up - 1 :]).all()


def test_a_forgotten_twin_starts_anew_and_the_others_go_on(detector: Normal) -> None:
    flock = detector.follow(["P1", "P2"])
    both = np.array([0, 1])
    for row in plants.running(9, 20):
        detector.score(flock, both, np.stack([row, row]))
    detector.forget(flock, np.array([0]))
    assert [detector.warmth(flock, at) for at in both] == ["COLD", "OWN"]
    again = [detector.score(flock, both[:1], row[None])[0] for row in plants.running(8, 20)]
    np.testing.assert_allclose(again, scores(detector, plants.running(8, 20)), rtol=1e-9)


def test_flocks_are_joined_without_loss(detector: Normal) -> None:
    first, second = detector.follow(["P1"]), detector.follow(["P2", "P3"])
    for row in plants.running(9, 20):
        detector.score(first, np.array([0]), row[None])
    flock = joined(first, second)
    assert flock.twins == ["P1", "P2", "P3"]
    assert [detector.warmth(flock, at) for at in range(3)] == ["OWN", "COLD", "COLD"]


def test_the_drivers_shares_add_up_and_name_every_sensor(detector: Normal) -> None:
    flock = detector.follow(["P1"])
    for row in plants.seized(9, 120):
        detector.score(flock, np.array([0]), row[None])
    drivers = detector.explain(flock, 0)
    assert sum(driver.share for driver in drivers) == pytest.approx(1)
    assert {driver.column for driver in drivers} == set(plants.COLUMNS)
    shares = [driver.share for driver in drivers]
    assert shares == sorted(shares, reverse=True)


# Missing readings


def test_a_sensor_silent_for_three_samples_is_carried_then_left_out(detector: Normal) -> None:
    values = plants.running(9, 60)
    values[30:, 2] = np.nan
    flock, only = detector.follow(["P1"]), np.array([0])
    for at, row in enumerate(values):
        assert np.isfinite(detector.score(flock, only, row[None])[0]) or at < detector.warm_up
        carried = 30 <= at < 30 + CARRY
        last = plants.running(9, 60)[29, 2]
        if carried:
            z = (last - flock.mean[0, 2]) / flock.scale[0, 2]
            assert flock.ring[0, -1, 2] == pytest.approx(z)
    # A silent sensor explains nothing.
    silent = next(d for d in detector.explain(flock, 0) if d.column == plants.COLUMNS[2])
    assert silent.share < 0.05


def test_a_silent_sensor_makes_no_false_alarms_and_hides_no_fault(detector: Normal) -> None:
    well, ill = plants.running(9, 200), plants.seized(9, 200)
    well[:, 0] = ill[:, 0] = np.nan
    assert (np.nan_to_num(scores(detector, well)) > 1).mean() < 0.03
    assert (scores(detector, ill)[110:] > 1).mean() > 0.9


def test_below_half_of_the_sensors_nothing_is_known(detector: Normal) -> None:
    values = plants.running(9, 60)
    values[20:40, :3] = np.nan
    found = scores(detector, values)
    assert np.isfinite(found[20 + CARRY - 1])
    assert np.isnan(found[20 + CARRY : 40]).all()
    assert np.isfinite(found[40:]).all()


# Training


@pytest.mark.parametrize("rows", [0, 1, 59])
def test_fewer_than_sixty_rows_are_refused(rows: int) -> None:
    with pytest.raises(BadInput, match=r"usable rows; a detector needs at least 60"):
        fit(plants.MODEL, [plants.table(plants.running(0, 60)[:rows])])


def test_sixty_rows_are_enough() -> None:
    assert np.isfinite(scores(learned(rows=60), plants.running(9, 30))[-1])


def test_a_sensor_that_never_moved_is_left_out_and_named() -> None:
    values = plants.running(0)
    values[:, 3] = 14.0
    detector = fit(plants.MODEL, [plants.table(values)])
    assert [column.name for column in detector.columns] == ["flow", "head", "power", "temperature"]
    assert detector.facts["left_out"] == ["motor.current"]


def test_a_history_of_another_shape_is_refused() -> None:
    with pytest.raises(BadInput, match="a row is a sample, a column a sensor"):
        Table("P1", plants.COLUMNS, plants.running(0).T)


def test_histories_of_other_sensors_are_refused() -> None:
    other = (Column("", "noise"), *plants.COLUMNS[1:])
    tables = [plants.table(plants.running(0)), Table("P2", other, plants.running(1))]
    with pytest.raises(BadInput, match="different sensors"):
        fit(plants.MODEL, tables)


def test_gaps_in_the_history_are_no_part_of_normal() -> None:
    values = plants.running(0)
    values[100:150] = np.nan
    detector = fit(plants.MODEL, [plants.table(values)])
    assert (scores(detector, plants.running(9, 200))[10:] > 1).mean() < 0.05


def test_the_same_history_gives_the_same_detector() -> None:
    one, two = learned(2), learned(2)
    for name, array in one.dump()[0].items():
        np.testing.assert_array_equal(array, two.dump()[0][name])
    assert one.facts == two.facts


def test_scikit_learn_is_imported_only_when_something_is_learned() -> None:
    code = (
        "import sys; import twinfall.analytics.watching, twinfall.analytics.detectors;"
        "sys.exit('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
