"""The demo's sensors speak through the real pipeline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twinfall.analytics.alarms import Alarm, Symptom
from twinfall.api.demo.feeding import Feed
from twinfall.api.demo.loading import load_demo
from twinfall.api.demo.plant import NORMAL, plant_run, plant_variables
from twinfall.api.demo.sensors import PAST, Sensors
from twinfall.api.demo.telling import alarm_line, impact_line
from twinfall.api.networks import LiveNetwork
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.ingestion.history import Window
from twinfall.ingestion.telemetry import Telemetry

SECOND = 10**9
FAST = 9000.0
"""A sample every 20 ms."""
KEYS = [(v.twin, v.name) for v in plant_variables()]
PRESSURE = KEYS.index(("TE-reactor", "pressure"))


@dataclass
class Running:
    """What the sensors ask of the service."""

    telemetry: Telemetry
    graph: Graph
    folder: Path


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    store = SQLiteStore(tmp_path / "graph.sqlite")
    graph = Graph(store)
    load_demo(graph, tmp_path)
    telemetry = Telemetry(tmp_path, graph)
    yield Running(telemetry, graph, tmp_path)
    telemetry.close()
    store.close()


def speak(running: Any, until: Callable[[list[str]], bool]) -> list[str]:
    """Let the sensors speak until they told enough; what they told."""
    told: list[str] = []
    with Sensors(running, speed=FAST, tell=told.append):
        end = time.monotonic() + 30
        while not until(told) and time.monotonic() < end:
            time.sleep(0.01)
    return told


def history(running: Running, twin: str, name: str) -> Any:
    series = running.telemetry.catalogue.id_of(twin, name)
    now = time.time_ns()
    window = Window([series], now - 2 * 86_400 * SECOND, now + SECOND)
    return running.telemetry.read(window)[0]


def test_behind_the_first_start_stand_the_normal_run_and_a_day_of_the_city(
    running: Running,
) -> None:
    speak(running, lambda told: bool(told))
    pressure = history(running, "TE-reactor", "pressure")
    assert pressure.values[:500].tolist() == plant_run(NORMAL)[:, PRESSURE].tolist()
    assert (np.diff(pressure.times[:500]) == round(180 / FAST * SECOND)).all()
    level = history(running, "W_T1", "level")
    assert len(level.times) >= 144
    assert np.ptp(level.times) > 85_000 * SECOND


def test_the_past_is_filled_in_once(running: Running) -> None:
    speak(running, lambda told: bool(told))
    assert (running.folder / PAST).exists()
    level = len(history(running, "W_T1", "level").times)
    speak(running, lambda told: bool(told))
    assert len(history(running, "W_T1", "level").times) - level <= 3


def test_the_story_is_told_and_stamped_with_the_wall_clock(running: Running) -> None:
    start = time.time_ns()
    told = speak(running, lambda told: len(told) == 2)
    assert told == ["the plant runs normally", "fault 6: feed A is lost"]
    pressure = history(running, "TE-reactor", "pressure")
    live = pressure.values[500:]
    assert live[:100].tolist() == plant_run(NORMAL)[:100, PRESSURE].tolist()
    assert live[100] == plant_run("d06")[0, PRESSURE]
    assert (pressure.times[500:] > start).all()
    assert (pressure.times <= time.time_ns()).all()
    assert running.telemetry.status()["refused"] == 0


def test_a_sensor_whose_twin_was_deleted_falls_silent_and_the_others_go_on(
    running: Running,
) -> None:
    feed = Feed(running.telemetry, KEYS)
    values = plant_run(NORMAL)[:3].tolist()
    now = time.time_ns()
    assert feed.say([now], values[:1]) == 52
    running.graph.delete_twins(["TE-analyzer-6"])
    running.telemetry.follow()
    assert feed.say([now + SECOND], values[1:2]) == 46
    assert feed.say([now + 2 * SECOND], values[2:]) == 46
    assert running.telemetry.dead_letters.count() == {"UNKNOWN_TWIN": 6}


def test_a_refused_reading_is_kept_as_a_row_that_can_be_sent_again(running: Running) -> None:
    feed = Feed(running.telemetry, [("TE-nowhere", "level")])
    feed.say([1_800_000_000 * SECOND], [[50.5]])
    letter = running.telemetry.dead_letters.page()[0]
    assert letter.raw == (b'{"twin":"TE-nowhere","name":"level","value":50.5,"time":1800000000000}')


def test_what_would_follow_is_told_with_its_time_and_what_is_lost(running: Running) -> None:
    network = LiveNetwork(running.graph).current()
    told = {
        id: impact_line(id, network.impact([id]))
        for id in ("TE-stream-1", "TE-compressor", "TE-analyzer-6")
    }
    assert told == {
        "TE-stream-1": "if TE-stream-1 failed: 16 more assets, the first after PT5H51M;"
        " without product G, product H then",
        "TE-compressor": "if TE-compressor failed: 15 more assets, at once;"
        " without product G, product H then",
        "TE-analyzer-6": "if TE-analyzer-6 failed, nothing else would",
    }


def test_an_alarm_is_told_with_the_place_and_its_sensors() -> None:
    symptom = Symptom("TE-stream-1", "flow", "kscmh", 0.9, 0.0012345, 0.25123)
    plain = Symptom("TE-plant", "count", "", 0.1, 2.0, 1.0)
    alarm = Alarm(
        id="1",
        twin="TE-plant",
        model="m",
        state="RAISED",
        onset=0,
        at=0,
        score=2.0,
        symptoms=(symptom, plain),
        suspect="TE-stream-1",
        detector="",
    )
    assert alarm_line(alarm) == (
        "alarm on TE-plant, most of it at TE-stream-1: TE-stream-1 flow 0.001234 kscmh"
        " (expected 0.2512); TE-plant count 2 (expected 1)"
    )
    cleared = alarm_line(replace(alarm, state="CLEARED"))
    assert cleared == "alarm cleared: TE-plant behaves as learned again"
