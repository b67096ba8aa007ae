"""Scenarios that are saved, listed, run again on the plant as it stands, compared and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.graphql.test_actions import Room

SAVE = "mutation($s: JSON!) { saveScenario(scenario: $s) { name savedBy scenario } }"
LIST = "{ scenarios { name savedBy saved scenario } }"
RUN = """query($n: String, $s: JSON) { whatIf(name: $n, scenario: $s) {
  name impact { totals { assets } } newlyDown { ids } } }"""
COMPARE = """query($n: [String!]!) { compareScenarios(names: $n) {
  name snapshot assets newlyDown recovered everDown outages assetHours expected warnings } }"""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.works.close()


def _twin(room: Room) -> str:
    return str(room.ask("{ twins(first: 1) { nodes { id } } }")["twins"]["nodes"][0]["id"])


def test_a_scenario_is_saved_listed_and_run_again(room: Room) -> None:
    twin = _twin(room)
    scenario = {"name": "dark", "fail": [twin]}

    saved = room.ask(SAVE, s=scenario)["saveScenario"]
    [listed] = room.ask(LIST)["scenarios"]
    run = room.ask(RUN, n="dark")["whatIf"]

    assert saved == {"name": "dark", "savedBy": "anna", "scenario": scenario}
    assert listed["scenario"] == scenario
    assert run == room.ask(RUN, s=scenario)["whatIf"]
    assert twin in run["newlyDown"]["ids"]


def test_saving_again_takes_the_place_and_deleting_takes_it_away(room: Room) -> None:
    twin = _twin(room)
    room.ask(SAVE, s={"name": "dark", "fail": [twin]})
    room.ask(SAVE, s={"name": "dark", "fail": []})

    assert [one["scenario"]["fail"] for one in room.ask(LIST)["scenarios"]] == [[]]
    room.ask('mutation { deleteScenario(name: "dark") { name } }')
    assert room.ask(LIST)["scenarios"] == []
    assert room.code('mutation { deleteScenario(name: "dark") { name } }') == "UNKNOWN_NAME"
    assert room.code(RUN, n="dark") == "UNKNOWN_NAME"
    lines = room.ask("{ audit { what subject who } }", role="admin")["audit"]
    assert [line["what"] for line in lines if line["subject"] == "dark"].count("saveScenario") == 2


def test_a_text_is_saved_as_what_it_says(room: Room) -> None:
    saved = room.ask(SAVE, s=f"name: dark\nfail: [{_twin(room)}]\n")["saveScenario"]

    assert saved["scenario"] == {"name": "dark", "fail": [_twin(room)]}


def test_scenarios_are_compared_on_one_moment(room: Room) -> None:
    room.ask(SAVE, s={"name": "calm"})
    room.ask(SAVE, s={"name": "dark", "fail": [_twin(room)]})
    later = [{"after": "PT1H", "fail": [_twin(room)]}]
    room.ask(SAVE, s={"name": "later", "then": later, "horizon": "PT3H"})

    calm, dark, late = room.ask(COMPARE, n=["calm", "dark", "later"])["compareScenarios"]

    assert (calm["assets"], calm["newlyDown"], calm["expected"]) == (0, 0, None)
    assert dark["newlyDown"] == dark["everDown"] == dark["outages"] == dark["assets"] + 1
    assert (late["assets"], late["newlyDown"]) == (0, 0)
    assert (late["everDown"], late["assetHours"]) == (dark["everDown"], 2 * dark["everDown"])
    assert calm["snapshot"] == dark["snapshot"]
    assert (calm["warnings"], dark["warnings"]) == (0, 0)


def test_a_comparison_is_written_as_csv(room: Room) -> None:
    room.ask(SAVE, s={"name": "=calm"})

    found = room.ask(
        'query { comparison(names: ["=calm"]) { snapshot results { name snapshot } csv } }'
    )["comparison"]

    assert found["results"] == [{"name": "=calm", "snapshot": found["snapshot"]}]
    head, row, _ = found["csv"].split("\r\n")
    assert head.startswith("name,snapshot,assets,")
    assert row.startswith(f"'=calm,{found['snapshot']},0,")


def test_what_cannot_be_saved_or_run_says_why(room: Room) -> None:
    assert room.code(SAVE, s={"fail": []}) == "BAD_QUERY"
    assert room.code(SAVE, s={"name": "x", "fial": []}) == "BAD_SCENARIO"
    assert room.code(SAVE, role="viewer", s={"name": "x"}) == "FORBIDDEN"
    assert room.code(SAVE, blind=True, s={"name": "x"}) == "STORE_UNAVAILABLE"
    assert room.code(RUN) == "BAD_QUERY"
    assert room.code(RUN, n="x", s={}) == "BAD_QUERY"
    assert room.code(COMPARE, n=["x"] * 21) == "TOO_COSTLY"
