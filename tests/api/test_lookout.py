"""The learned watch over a real graph: who is watched, what it learns from, what it is fed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.analytics.detectors import plants
from twinfall.analytics.alarms import Alarm
from twinfall.analytics.watching import Watch
from twinfall.api.lookout import Lesson, Lookout, through
from twinfall.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput
from twinfall.ingestion.frame import Frame
from twinfall.ingestion.telemetry import Telemetry
from twinfall.ontology.errors import BadInput, UnknownName

MOTOR = "dtmi:example:Motor;1"
STATION = "dtmi:example:Station;1"
CONTEXT = "dtmi:dtdl:context;2"


def interface(dtmi: str, *contents: Mapping[str, object]) -> dict[str, object]:
    return {"@context": CONTEXT, "@id": dtmi, "@type": "Interface", "contents": list(contents)}


def sensors(*names: str) -> list[dict[str, object]]:
    return [{"@type": "Telemetry", "name": name, "schema": "double"} for name in names]


MODELS = [
    interface(
        MOTOR,
        *sensors("current"),
        {
            "@type": ["Telemetry", "Temperature"],
            "name": "temperature",
            "schema": "double",
            "unit": "degreeCelsius",
        },
    ),
    interface(
        plants.MODEL,
        *sensors("flow", "head", "power"),
        {"@type": "Telemetry", "name": "remark", "schema": "string"},
        {"@type": "Component", "name": "motor", "schema": MOTOR},
    ),
    interface(STATION, {"@type": "Relationship", "name": "contains"}),
]
END = plants.START + 300 * plants.SECOND
HOUR = 3600 * plants.SECOND


class Plant:
    """Two pumps in a graph, and their telemetry; the clock stands an hour after what was read."""

    def __init__(self, folder: Path) -> None:
        self._store = SQLiteStore(":memory:")
        self.graph = Graph(self._store)
        self.graph.load_models(MODELS)
        self.graph.write_twins([TwinInput(f"P{n}", plants.MODEL) for n in (1, 2)])
        (folder / "telemetry").mkdir()
        self.telemetry = Telemetry(
            folder / "telemetry", self.graph, now=lambda: END + HOUR, background=False
        )
        self.folder = folder
        self._lookouts: list[Lookout] = []
        self._due = 0

    def lookout(self, at: int = END) -> Lookout:
        """A lookout as after a start at this time."""
        made = Lookout(Watch(self.folder / "detectors"), self.graph, self.telemetry, now=lambda: at)
        made.start()
        self._lookouts.append(made)
        self._due = 0
        return made

    def store(self, *runs: tuple[int, plants.Floats], start: int = plants.START) -> None:
        """Store runs of pumps side by side, and wait until the newest lookout has seen them."""
        columns = [plants.readings(values, pump, start) for pump, values in runs]
        series, times, numbers = (np.concatenate(part) for part in zip(*columns, strict=True))
        order = np.argsort(times, kind="stable")
        keys = {at: plants.key(int(one)) for at, one in enumerate(series[order])}
        self.send(keys, times[order], numbers[order].tolist())

    def send(self, keys: dict[int, tuple[str, str]], times: Any, values: list[Any]) -> None:
        none = np.full(len(values), -1, dtype=np.int32)
        frame = Frame("http", none, values, times, none, lambda row: b"", keys)
        receipt = self.telemetry.submit(frame).result()
        assert receipt.stored == len(values), receipt.refused[:3]
        self._due += receipt.stored
        end = time.monotonic() + 30
        while self._lookouts and self._lookouts[-1].seen < self._due:
            assert time.monotonic() < end
            time.sleep(0.005)

    def close(self) -> None:
        self.telemetry.close()
        self._store.close()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path)
    yield made
    made.close()


def test_a_detector_learns_from_history_and_watches_what_is_stored_next(plant: Plant) -> None:
    alarms: list[Alarm] = []
    plant.store((1, plants.running(0)), (2, plants.running(1)))
    out = plant.lookout()
    out.watch.listen(alarms.append)
    detector = out.train(Lesson("Pump", plants.START, END))
    assert {(c.path, c.name, c.unit) for c in detector.columns} == {
        ("", "flow", ""),
        ("", "head", ""),
        ("", "power", ""),
        ("motor", "current", ""),
        ("motor", "temperature", "degreeCelsius"),
    }
    assert detector.facts["twins"] == ["P1", "P2"]
    assert detector.every == plants.SECOND
    plant.store((1, plants.seized(99)), start=END)
    assert [(alarm.twin, alarm.state) for alarm in alarms] == [("P1", "RAISED")]
    assert alarms[0].symptoms[0].address == "P1/motor"


def test_after_a_restart_a_twin_is_warm_at_once(plant: Plant) -> None:
    plant.store((1, plants.running(0)))
    plant.lookout().train(Lesson(plants.MODEL, plants.START, END, twins=("P1",)))
    again = plant.lookout()
    assert again.watch.health("P1")[0].warmth == "OWN"
    assert again.watch.health("P2")[0].warmth == "COLD"


def test_twins_that_come_and_go_are_followed_and_left(plant: Plant) -> None:
    plant.store((1, plants.running(0)))
    out = plant.lookout()
    out.train(Lesson("Pump", plants.START, END, twins=("P1",)))
    plant.graph.write_twins([TwinInput("P3", plants.MODEL)])
    plant.graph.delete_twins(["P2"])
    out.refresh()
    assert [asset.twin for asset in out.watch.assets(plants.MODEL)] == ["P1", "P3"]
    assert out.watch.health("P2") == []
    assert out.watch.health("P3") != []


def test_an_asset_is_watched_with_the_twins_it_contains(plant: Plant) -> None:
    plant.graph.write_twins([TwinInput("S", STATION)])
    plant.graph.write_relationships([RelationshipInput("S", "contains", f"P{n}") for n in (1, 2)])
    alarms: list[Alarm] = []
    plant.store((1, plants.running(0)), (2, plants.running(1)))
    out = plant.lookout()
    out.watch.listen(alarms.append)
    detector = out.train(Lesson("Station", plants.START, END, through=("contains",)))
    assert len(detector.columns) == 10
    assert through(detector.columns) == ("contains",)
    plant.store((1, plants.running(98, 200)), (2, plants.seized(99)), start=END)
    assert [(a.twin, a.suspect, a.state) for a in alarms] == [("S", "P2", "RAISED")]
    # The next start finds the contained twins again, by what the detector was learned from.
    (asset,) = plant.lookout().watch.assets(STATION)
    assert set(asset.places()) == {"S", "P1", "P1/motor", "P2", "P2/motor"}


def test_readings_that_are_no_numbers_are_not_learned_from(plant: Plant) -> None:
    plant.store((1, plants.running(0)))
    times = plants.START + np.arange(300) * plants.SECOND
    remarks = dict.fromkeys(range(300), ("P1", "remark"))
    plant.send(remarks, times, [f"all well {at}" for at in range(300)])
    detector = plant.lookout().train(Lesson("Pump", plants.START, END))
    assert "remark" not in {column.name for column in detector.columns}
    assert len(detector.columns) == 5


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
    plant: Plant, lesson: Lesson, error: type[Exception], says: str
) -> None:
    plant.store((1, plants.running(0)))
    with pytest.raises(error, match=says):
        plant.lookout().train(lesson)
