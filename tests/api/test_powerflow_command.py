"""`twinfall powerflow` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.running import twinfall

GRID = {
    "buses": [
        {"id": "plant", "generation": 90},
        {"id": "village", "load": 30},
        {"id": "town", "load": 60},
    ],
    "branches": [
        {"id": "a", "from": "plant", "to": "village", "reactance": 1, "capacity": 80},
        {"id": "b", "from": "village", "to": "town", "reactance": 1, "capacity": 40},
        {"id": "c", "from": "plant", "to": "town", "reactance": 1, "capacity": 80},
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "grid.json").write_text(json.dumps(GRID))
    return tmp_path


def test_an_outage_tells_what_trips_and_what_is_still_supplied(folder: Path) -> None:
    done = twinfall(folder, "powerflow", "grid.json", "--outage", "c")

    assert done.status == 0
    assert "round 1: a trips, 90.0 MW of 80.0 MW" in done.out
    assert "0.0 of 90.0 MW supplied (0.0 %), 1 rounds" in done.out


def test_the_same_in_json(folder: Path) -> None:
    done = twinfall(folder, "powerflow", "grid.json", "--outage", "c", "--json")

    answer = json.loads(done.out)
    assert answer["servedMW"] == pytest.approx([90, 0])
    assert [t["branch"] for t in answer["trips"]] == ["a", "b"]


def test_without_an_outage_every_single_one_is_ranked_by_the_load_shed(folder: Path) -> None:
    done = twinfall(folder, "powerflow", "grid.json", "--json")

    rows = {r["branch"]: r for r in json.loads(done.out)["outages"]}
    assert list(rows) == ["a", "c", "b"]
    assert [rows[b]["shedMW"] for b in "acb"] == pytest.approx([90, 90, 0])
    assert rows["b"]["trips"] == 0


def test_capacities_can_be_taken_from_the_flows(folder: Path) -> None:
    done = twinfall(folder, "powerflow", "grid.json", "--outage", "c", "--margin", "9", "--json")

    assert json.loads(done.out)["servedMW"] == pytest.approx([90])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["grid.json", "--outage", "d"], 'no branch in service is called "d"'),
        (["nowhere.json"], "cannot be read"),
        (["plain.txt"], "not JSON"),
    ],
)
def test_what_cannot_be_answered_is_told_in_one_line(
    folder: Path, words: list[str], said: str
) -> None:
    (folder / "plain.txt").write_text("grid")
    done = twinfall(folder, "powerflow", *words)

    assert done.status == 1
    assert said in done.err
    assert "Traceback" not in done.err
