"""Health, detectors and training in GraphQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.analytics.detectors import plants
from tests.api.test_lookout import END, Plant
from twinfall.api.access import LOCAL, Access
from twinfall.api.graphql import GraphQLService
from twinfall.api.graphql.watches import instant, nanoseconds

TRAIN = """mutation($from: DateTime!, $to: DateTime!, $every: Duration) {
  trainDetector(model: "Pump", from: $from, to: $to, every: $every) {
    model every rows twins assets leftOut trainedFrom trainedTo heldOutRows heldOutAbove
    sensors { path name unit } } }"""
HEALTH = """{ Pump { nodes { id _health {
  value state score warmth at detector drivers { twin name unit share observed expected } } } } }"""


class Room:
    """Two pumps, a lookout over their telemetry, and GraphQL with and without it."""

    def __init__(self, folder: Path) -> None:
        self.plant = Plant(folder)
        self.plant.store((1, plants.running(0)))
        self.service = GraphQLService(self.plant.graph, lookout=self.plant.lookout())
        self.blind = GraphQLService(self.plant.graph)

    def ask(
        self,
        query: str,
        service: GraphQLService | None = None,
        access: Access = LOCAL,
        given: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        work = (service or self.service).execute(query, given, None, access, "r1", True)
        answer: dict[str, Any] = orjson.loads(asyncio.run(work).body)
        return answer

    def train(self) -> dict[str, Any]:
        answer = self.ask(TRAIN, given={"from": instant(plants.START), "to": instant(END)})
        found: dict[str, Any] = answer["data"]["trainDetector"]
        return found


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.plant.close()


def test_a_detector_is_trained_and_says_what_it_learned_from(room: Room) -> None:
    told = room.train()
    assert told["model"] == plants.MODEL
    assert told["every"] == "PT1S"
    assert told["rows"] == 300
    assert told["twins"] == ["P1"]
    assert told["assets"] == 2
    assert told["trainedFrom"] == "2023-11-14T22:13:20Z"
    assert told["trainedTo"] == instant(END)
    assert told["heldOutRows"] > 200
    assert {"path": "motor", "name": "temperature", "unit": "degreeCelsius"} in told["sensors"]
    listed = room.ask("{ detectors { model rows } }")
    assert listed["data"]["detectors"] == [{"model": plants.MODEL, "rows": 300}]


def test_a_twins_health_has_value_state_and_drivers(room: Room) -> None:
    room.train()
    room.plant.store((1, plants.seized(99, 120)), start=END)
    first, second = room.ask(HEALTH)["data"]["Pump"]["nodes"]
    ill = first["_health"]
    assert ill["state"] == "ALARM"
    assert 0 <= ill["value"] < 60
    assert ill["score"] > 1
    assert ill["warmth"] == "OWN"
    assert ill["detector"] == plants.MODEL
    assert ill["at"] == instant(END + 119 * plants.SECOND)
    driver = ill["drivers"][0]
    assert (driver["twin"], driver["name"], driver["unit"]) == (
        "P1/motor",
        "temperature",
        "degreeCelsius",
    )
    assert driver["observed"] > driver["expected"]
    assert len(ill["drivers"]) == 3
    cold = second["_health"]
    assert (cold["value"], cold["state"], cold["at"]) == (None, "COLD", None)


def test_a_twin_nobody_watches_has_no_health(room: Room) -> None:
    assert [n["_health"] for n in room.ask(HEALTH)["data"]["Pump"]["nodes"]] == [None, None]
    found = room.ask(HEALTH, room.blind)["data"]["Pump"]["nodes"]
    assert [n["_health"] for n in found] == [None, None]
    assert room.ask("{ detectors { model } }", room.blind) == {"data": {"detectors": []}}


def test_training_needs_the_right_to_change_the_graph(room: Room) -> None:
    given = {"from": instant(plants.START), "to": instant(END)}
    answer = room.ask(TRAIN, access=Access("who", "viewer"), given=given)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_where_nothing_watches_training_says_so(room: Room) -> None:
    given = {"from": instant(plants.START), "to": instant(END)}
    answer = room.ask(TRAIN, room.blind, given=given)
    assert answer["errors"][0]["extensions"]["code"] == "STORE_UNAVAILABLE"


def test_too_short_a_period_is_refused_with_the_reason(room: Room) -> None:
    given = {"from": instant(plants.START), "to": instant(plants.START + 30 * plants.SECOND)}
    (error,) = room.ask(TRAIN, given=given)["errors"]
    assert "at least 60" in error["message"]
    assert error["extensions"]["code"] == "BAD_INPUT"


def test_another_sample_period_can_be_chosen(room: Room) -> None:
    given = {"from": instant(plants.START), "to": instant(END), "every": "PT2S"}
    told = room.ask(TRAIN, given=given)["data"]["trainDetector"]
    assert (told["every"], told["rows"]) == ("PT2S", 150)


@pytest.mark.parametrize("time", [0, 1, plants.START, plants.START + 123_456_789])
def test_instants_keep_their_nanoseconds(time: int) -> None:
    assert nanoseconds(instant(time)) == time
