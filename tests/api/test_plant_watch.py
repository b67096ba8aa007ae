"""The learned watch on the demo's plant: one twin, whose sensors sit on all that it contains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from twinfall.analytics.alarms import Alarm
from twinfall.analytics.watching import Watch
from twinfall.api.demo.learning import learn
from twinfall.api.demo.plant import (
    FAULTS,
    MODEL,
    NORMAL,
    PLANT,
    plant_rows,
    plant_run,
    plant_variables,
)
from twinfall.api.lookout import through
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import import_rows
from twinfall.graph.sqlite import SQLiteStore

EVERY = 10**9
WITHIN = 60
KEYS = [(variable.twin, variable.name) for variable in plant_variables()]
SUSPECTS = {
    "d04": {"TE-valve-10", "TE-reactor"},
    "d05": {"TE-condenser", "TE-separator", "TE-valve-11", "TE-stripper"},
    "d06": {"TE-stream-1", "TE-valve-3"},
    "d11": {"TE-valve-10", "TE-reactor"},
    "d14": {"TE-valve-10", "TE-reactor"},
}
"""Where the process description says that these disturbances act first; the first fault changes
what flows everywhere.
"""


@dataclass
class Post:
    """What `learn` asks of the lookout."""

    watch: Watch


@dataclass
class Running:
    """What `learn` asks of the service."""

    graph: Graph
    lookout: Post


@pytest.fixture(scope="module")
def graph() -> Iterator[Graph]:
    store = SQLiteStore(":memory:")
    graph = Graph(store)
    import_rows(graph, plant_rows(), who="test", why="")
    yield graph
    store.close()


@pytest.fixture
def watch(graph: Graph, tmp_path: Path) -> Watch:
    made = Watch(tmp_path)
    made.bind(lambda series: KEYS[series])
    learn(Running(graph, Post(made)), EVERY)  # type: ignore[arg-type]
    return made


def play(watch: Watch, run: str, rows: slice, at: int) -> list[Alarm]:
    """Have the watch read rows of a run, the first one stamped with this sample's time."""
    values = plant_run(run)[rows]
    series = np.tile(np.arange(52, dtype=np.int32), len(values))
    times = np.repeat(np.arange(at, at + len(values), dtype=np.int64) * EVERY, 52)
    return watch.observe(series, times, values.ravel())


def test_the_detector_covers_all_that_the_plant_contains(watch: Watch) -> None:
    detector = watch.detector(MODEL)
    assert len(detector.columns) == 52
    assert through(detector.columns) == ("contains",)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_demo_is_one_alarm_of_the_plant_at_the_right_place(
    watch: Watch, fault: str
) -> None:
    assert play(watch, NORMAL, slice(100, 200), 1000) == []
    found = play(watch, fault, slice(0, WITHIN), 1100)
    assert [(alarm.twin, alarm.state) for alarm in found] == [(PLANT, "RAISED")]
    assert 1100 * EVERY <= found[0].onset < found[0].at
    assert found[0].suspect in SUSPECTS.get(fault, {found[0].suspect})
    repaired = play(watch, NORMAL, slice(200, 300), 1160)
    assert [(alarm.id, alarm.state) for alarm in repaired] == [(found[0].id, "CLEARED")]
