"""What the demo's sensors say: the plant's story, and a day in the city."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from tests.examples.plant_data import source
from twinfall.analytics.detectors import Column
from twinfall.analytics.training import Trace
from twinfall.analytics.watching import Watch
from twinfall.api.demo import city_rows
from twinfall.api.demo.carried import carried
from twinfall.api.demo.city_day import CityDay, rounded
from twinfall.api.demo.day import DAY, POWER, TRAFFIC, WATER, Day
from twinfall.api.demo.learning import plant_assets, traces
from twinfall.api.demo.loading import load_demo
from twinfall.api.demo.plant import (
    FAULTS,
    MODEL,
    NORMAL,
    PLANT,
    plant_run,
    plant_variables,
)
from twinfall.api.demo.story import FAULT_SAMPLES, NORMAL_SAMPLES, START_SAMPLES, story
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.ontology import Ontology, parse

SECOND = 10**9
LOOP = len(FAULTS) * (NORMAL_SAMPLES + FAULT_SAMPLES)


@pytest.mark.parametrize("run", [NORMAL, *FAULTS])
def test_a_run_ships_with_the_values_that_were_published(run: str) -> None:
    published = np.loadtxt(source() / f"{run}.dat")
    if run == NORMAL:
        published = published.T
    assert (plant_run(run) == published).all()


def test_the_story_is_normal_then_a_fault_then_repaired_for_every_fault_in_turn() -> None:
    told = [(at, s.run, s.begins) for at, s in enumerate(islice(story(), LOOP + 1)) if s.begins]
    assert [run for _, run, _ in told[1::2]] == list(FAULTS)
    assert {run for _, run, _ in told[::2]} == {NORMAL}
    assert {what for _, _, what in told[2::2]} == {"repaired: the plant runs normally again"}
    starts = [at for at, s in enumerate(islice(story(), LOOP)) if s.starts]
    assert starts == [at + START_SAMPLES for at, run, _ in told if run == NORMAL][:-1]
    steps = np.diff([at for at, _, _ in told]).tolist()
    assert steps == [NORMAL_SAMPLES, FAULT_SAMPLES] * len(FAULTS)


def test_the_story_of_a_lost_feed_goes_on_until_the_plant_has_shut_down() -> None:
    played = [s for s in islice(story(("d06",)), NORMAL_SAMPLES + FAULT_SAMPLES) if s.run == "d06"]
    pressure = [v.variable for v in plant_variables()].index("XMEAS(7)")
    assert played[-1].values[pressure] == 3000


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Watch:
    """A watch that learned the normal run, as the demo has it."""
    folder = tmp_path_factory.mktemp("watch")
    store = SQLiteStore(folder / "graph.sqlite")
    graph = Graph(store)
    load_demo(graph, folder)
    plants = plant_assets(graph)
    store.close()
    watch = Watch(folder / "detectors")
    watch.follow(MODEL, plants)
    watch.train(MODEL, {PLANT: traces(plants[0], SECOND)}, every=SECOND)
    keys = [(v.twin, v.name) for v in plant_variables()]
    watch.bind(lambda series: keys[series])
    return watch


def test_the_watch_learns_from_all_52_variables_and_their_units(watch: Watch) -> None:
    columns = watch.detector(MODEL).columns
    assert len(columns) == 52
    assert Column("contains:Reactor/coolingJacket", "outletTemperature", "Deg C") in columns


def test_every_fault_of_the_story_raises_one_alarm_that_is_cleared_when_it_is_repaired(
    watch: Watch,
) -> None:
    series = np.arange(52, dtype=np.int32)
    found = []
    for at, sample in enumerate(islice(story(), LOOP + NORMAL_SAMPLES)):
        times = np.full(52, (at + 1000) * SECOND)
        found += [
            (sample.run, alarm.state, len(alarm.symptoms))
            for alarm in watch.observe(series, times, sample.values)
        ]
    expected = []
    for fault in FAULTS:
        expected += [(fault, "RAISED", 3), (NORMAL, "CLEARED", 3)]
    assert found == expected


def test_training_on_another_sample_period_takes_another_detector(watch: Watch) -> None:
    run = plant_run(NORMAL)
    trace = Trace(Column("", "x"), np.arange(len(run)) * 2 * SECOND, run[:, 0])
    other = Trace(Column("", "y"), np.arange(len(run)) * 2 * SECOND, run[:, 1])
    assert watch.detector(MODEL).every == SECOND
    watch.train("other", {"one": [trace, other]}, every=2 * SECOND)
    assert watch.detector("other").every == 2 * SECOND


@pytest.fixture(scope="module")
def day() -> CityDay:
    return CityDay(city_rows())


def test_the_citys_readings_are_telemetry_of_its_models(day: CityDay) -> None:
    ontology, models = _city()
    for address, name in day.keys:
        twin, _, part = address.partition("/")
        model = models[twin]
        if part:
            inner = ontology.interfaces[model].contents[part].interface
            assert inner is not None
            model = inner
        assert ontology.interfaces[model].contents[name].kind == "Telemetry"
    assert len(set(day.keys)) == len(day.keys)
    assert 200 < len(day.keys) < 500


def _city() -> tuple[Ontology, dict[str, str]]:
    import json

    from twinfall.api.demo import city_documents

    rows = map(json.loads, city_rows())
    models = {row["$dtId"]: row["$metadata"]["$model"] for row in rows if "$dtId" in row}
    return parse(city_documents()), models


def test_the_same_seed_and_time_give_the_same_readings(day: CityDay) -> None:
    time = 1_800_000_000.0
    again = CityDay(city_rows())
    assert (again.at(time) == day.at(time)).all()
    assert (again.at(time + 5) != day.at(time)).any()
    assert (CityDay(city_rows(), seed=2).at(time) != day.at(time)).any()


def test_the_tank_fills_by_what_is_supplied_beyond_the_demand(day: CityDay) -> None:
    level, outlet = (day.keys.index(key) for key in (("W_T1", "level"), ("W_T1/outlet", "flow")))
    times = np.arange(0.0, DAY + 1, 300.0)
    rows = np.array([day.at(time) for time in times])
    feet_a_gallon = 0.133681 / (np.pi / 4 * 50**2)
    drained = np.cumsum(rows[:-1, outlet] * 5.0) * feet_a_gallon  # 5 minutes each
    assert np.abs(rows[0, level] - drained - rows[1:, level]).max() < 0.5
    assert rows[:, level].min() > 90
    assert rows[:, level].max() < 120
    assert np.ptp(rows[:, level]) > 5


def test_no_line_or_transformer_is_overloaded_over_the_day(day: CityDay) -> None:
    rows = np.array([day.at(time) for time in np.arange(0.0, DAY, 1800.0)])
    hot = [at for at, (_, name) in enumerate(day.keys) if "emperature" in name]
    current = [at for at, (_, name) in enumerate(day.keys) if name == "current"]
    assert rows[:, hot].max() < 90
    assert rows[:, hot].min() > 0
    assert rows[:, current].max() < 142  # the greatest current of the city's lines, ampere


@pytest.mark.parametrize("rhythm", [WATER, POWER, TRAFFIC])
def test_a_day_draws_its_mean_and_spares_the_integral_of_the_rest(rhythm: Day) -> None:
    times = np.arange(0.0, DAY, 60.0)
    drawn = np.array([rhythm.at(time) for time in times])
    assert drawn.mean() == pytest.approx(1)
    assert drawn.min() > 0
    slope = [(rhythm.spare(t + 1) - rhythm.spare(t - 1)) / 2 for t in times]
    assert np.allclose(slope, 1 - drawn, atol=1e-6)


def test_what_follows_the_load_comes_later_and_swings_less() -> None:
    times = np.arange(0.0, DAY, 60.0)
    load = np.array([POWER.at(time) for time in times])
    oil = np.array([POWER.delayed(time, 3 * 3600.0) for time in times])
    slope = np.gradient(oil, 60.0)
    assert np.ptp(oil) < np.ptp(load)
    assert np.allclose(slope[1:-1] * 3 * 3600.0, (load - oil)[1:-1], atol=1e-3)


def test_a_ring_is_carried_both_ways_round_and_nothing_is_lost() -> None:
    ring = [("near", "s", "a", 1.0), ("far", "s", "b", 1.0), ("link", "a", "b", 1.0)]
    flows = carried(ring, {"a": 3.0}, "s")
    assert flows == pytest.approx({"near": 2.0, "far": 1.0, "link": -1.0})


def test_readings_are_rounded_to_four_digits() -> None:
    given = np.array([0.0, 12345.6, 1.23456, -0.00123456, 98.766])
    assert rounded(given).tolist() == [0.0, 12350.0, 1.235, -0.001235, 98.77]
