"""The learned watch over a real graph: who is watched, what it learns from, what it is fed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.analytics.detectors import plants
from twinfall.analytics.alarms import Alarm
from twinfall.analytics.watching import Watch
from twinfall.api.lookout import Lesson, Lookout, through
from twinfall.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput
from twinfall.ingestion.frame import Block
from twinfall.ingestion.history import Points, Window
from twinfall.ontology.errors import BadInput, UnknownName

MOTOR = "dtmi:example:Motor;1"
STATION = "dtmi:example:Station;1"
CONTEXT = "dtmi:dtdl:context;3"


def interface(dtmi: str, *contents: Mapping[str, object]) -> dict[str, object]:
    return {"@context": CONTEXT, "@id": dtmi, "@type": "Interface", "contents": list(contents)}


def sensors(*names: str) -> list[dict[str, object]]:
    return [{"@type": "Telemetry", "name": name, "schema": "double"} for name in names]


MODELS = [
    interface(MOTOR, *sensors("current", "temperature")),
    interface(
        plants.MODEL,
        *sensors("flow", "head", "power"),
        {"@type": "Component", "name": "motor", "schema": MOTOR},
    ),
    interface(STATION, {"@type": "Relationship", "name": "contains"}),
]
END = plants.START + 300 * plants.SECOND


class Plant:
    """Telemetry in memory: series as `plants.key` counts them, whatever was stored, in order."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.listeners: list[Callable[[Block], None]] = []
        self.texts: set[int] = set()

    @property
    def catalogue(self) -> Plant:
        return self

    @property
    def pipeline(self) -> Plant:
        return self

    def key(self, series: int) -> tuple[str, str]:
        return plants.key(series)

    def series_of(self, twin: str) -> Mapping[str, int]:
        found = {plants.key(series): series for series in range(5 * 9)}
        return {name: series for (address, name), series in found.items() if address == twin}

    def kind(self, series: int) -> str:
        return "text" if series in self.texts else "float"

    def unit(self, series: int) -> str | None:
        return plants.UNITS[series % 5]

    def watch(self, listener: Callable[[Block], None]) -> None:
        self.listeners.append(listener)

    def read(self, window: Window) -> list[Points]:
        found = []
        for series in window.series:
            times = np.concatenate([b.times[b.series == series] for b in self.blocks] or [[]])
            values = np.concatenate([b.numbers[b.series == series] for b in self.blocks] or [[]])
            inside = (times >= window.start) & (times < window.end)
            found.append(Points(series, times[inside].astype(np.int64), values[inside]))
        return found

    def store(self, values: plants.Floats, pump: int = 1, start: int = plants.START) -> None:
        series, times, numbers = plants.readings(values, pump, start)
        marks = np.zeros(len(series), dtype=np.uint8)
        block = Block(series, times, 0, numbers, marks)
        self.blocks.append(block)
        for listener in self.listeners:
            listener(block)


@pytest.fixture
def graph() -> Iterator[Graph]:
    store = SQLiteStore(":memory:")
    graph = Graph(store)
    graph.load_models(MODELS)
    graph.write_twins([TwinInput(f"P{n}", plants.MODEL) for n in (1, 2)])
    yield graph
    store.close()


def lookout(graph: Graph, plant: Plant, folder: Path, rows: int = 300) -> Lookout:
    return Lookout(Watch(folder), graph, plant, now=lambda: plants.START + rows * plants.SECOND)


def test_a_detector_learns_from_history_and_watches_what_is_stored_next(
    graph: Graph, tmp_path: Path
) -> None:
    plant, alarms = Plant(), list[Alarm]()
    plant.store(plants.running(0), 1)
    plant.store(plants.running(1), 2)
    out = lookout(graph, plant, tmp_path)
    out.start()
    out.watch.listen(alarms.append)
    detector = out.train(Lesson("Pump", plants.START, END))
    assert {(c.path, c.name, c.unit) for c in detector.columns} == {
        (c.path, c.name, c.unit) for c in plants.COLUMNS
    }
    assert detector.facts["twins"] == ["P1", "P2"]
    assert detector.every == plants.SECOND
    plant.store(plants.seized(99), 1, END)
    assert [(alarm.twin, alarm.state) for alarm in alarms] == [("P1", "RAISED")]
    assert alarms[0].symptoms[0].address == "P1/motor"


def test_after_a_restart_a_twin_is_warm_at_once(graph: Graph, tmp_path: Path) -> None:
    plant = Plant()
    plant.store(plants.running(0))
    first = lookout(graph, plant, tmp_path)
    first.start()
    first.train(Lesson(plants.MODEL, plants.START, END, twins=("P1",)))
    again = lookout(graph, plant, tmp_path)
    again.start()
    assert again.watch.health("P1")[0].warmth == "OWN"
    assert again.watch.health("P2")[0].warmth == "COLD"


def test_twins_that_come_and_go_are_followed_and_left(graph: Graph, tmp_path: Path) -> None:
    plant = Plant()
    plant.store(plants.running(0))
    out = lookout(graph, plant, tmp_path)
    out.start()
    out.train(Lesson("Pump", plants.START, END, twins=("P1",)))
    graph.write_twins([TwinInput("P3", plants.MODEL)])
    graph.delete_twins(["P2"])
    out.refresh()
    assert [asset.twin for asset in out.watch.assets(plants.MODEL)] == ["P1", "P3"]
    assert out.watch.health("P2") == []
    assert out.watch.health("P3") != []


def test_an_asset_is_watched_with_the_twins_it_contains(graph: Graph, tmp_path: Path) -> None:
    graph.write_twins([TwinInput("S", STATION)])
    graph.write_relationships([RelationshipInput("S", "contains", f"P{n}") for n in (1, 2)])
    plant, alarms = Plant(), list[Alarm]()
    plant.store(plants.running(0), 1)
    plant.store(plants.running(1), 2)
    out = lookout(graph, plant, tmp_path)
    out.start()
    out.watch.listen(alarms.append)
    detector = out.train(Lesson("Station", plants.START, END, through=("contains",)))
    assert len(detector.columns) == 10
    assert through(detector.columns) == ("contains",)
    ill, well = plants.seized(99), plants.running(98, 200)
    for at in range(200):
        when = END + at * plants.SECOND
        plant.store(well[at : at + 1], 1, when)
        plant.store(ill[at : at + 1], 2, when)
    assert [(a.twin, a.suspect, a.state) for a in alarms] == [("S", "P2", "RAISED")]
    # The next start finds the contained twins again, by what the detector was learned from.
    again = lookout(graph, plant, tmp_path)
    again.start()
    (asset,) = again.watch.assets(STATION)
    assert set(asset.places()) == {"S", "P1", "P1/motor", "P2", "P2/motor"}


def test_readings_that_are_no_numbers_are_not_learned_from(graph: Graph, tmp_path: Path) -> None:
    plant = Plant()
    plant.store(plants.running(0))
    plant.texts = {0, 5}
    out = lookout(graph, plant, tmp_path)
    detector = out.train(Lesson("Pump", plants.START, END))
    assert "flow" not in {column.name for column in detector.columns}


@pytest.mark.parametrize(
    ("lesson", "error", "says"),
    [
        (Lesson("Fan", plants.START, END), UnknownName, "no model is called Fan"),
        (Lesson("Pump", END, plants.START), BadInput, "ends before it begins"),
        (Lesson("Pump", 0, plants.SECOND), BadInput, "no readings to learn from"),
        (Lesson("Pump", plants.START, END, twins=("P9",)), UnknownName, "P9"),
        (Lesson("Station", plants.START, END), BadInput, "no readings to learn from"),
        (Lesson("Pump", plants.START, plants.START + 30 * plants.SECOND), BadInput, "at least 60"),
    ],
)
def test_what_cannot_be_learned_is_refused_with_the_reason(
    graph: Graph, tmp_path: Path, lesson: Lesson, error: type[Exception], says: str
) -> None:
    plant = Plant()
    plant.store(plants.running(0))
    with pytest.raises(error, match=says):
        lookout(graph, plant, tmp_path).train(lesson)
