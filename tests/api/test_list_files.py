"""Lists and pictures in files, from the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.api.running import plant, twinfall


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    return tmp_path


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _geojson(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def test_an_impact_is_written_whole_and_drawn(folder: Path) -> None:
    files = ("--csv", "a.csv", "--geojson", "a.json", "--svg", "a.svg")

    done = twinfall(folder, "impact", "P1", *files, "--json")

    assert done.status == 0
    assert not {"csv", "geoJson", "svg"} & set(done.json)
    rows = _csv(folder / "a.csv")
    assert rows[0]["id"] == "P1"
    assert len(rows) == done.json["counts"]["affected"] + 1 == _geojson(folder / "a.json")["count"]
    ElementTree.parse(folder / "a.svg")


def test_any_list_of_an_impact_may_be_taken(folder: Path) -> None:
    waves = twinfall(folder, "impact", "P1", "--list", "waves", "--csv", "waves.csv")
    nowhere = twinfall(folder, "impact", "P1", "--list", "waves", "--geojson", "waves.json")
    unheard = twinfall(folder, "impact", "P1", "--list", "wafes", "--csv", "waves.csv")

    assert (waves.status, nowhere.status, unheard.status) == (0, 1, 2)
    assert set(_csv(folder / "waves.csv")[0]) == {"wave", "at", "count"}
    assert "take the CSV" in nowhere.err


def test_a_picture_is_written_as_png_or_the_cure_is_named(folder: Path) -> None:
    pytest.importorskip("PIL")

    assert twinfall(folder, "impact", "P1", "--png", "a.png").status == 0

    assert (folder / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_scenario_and_what_it_changes_are_written(folder: Path) -> None:
    (folder / "dark.yaml").write_text("fail: [P1]\n")
    ask = ("whatif", "dark.yaml")

    affected = twinfall(folder, *ask, "--csv", "a.csv", "--svg", "a.svg", "--json")
    newly = twinfall(folder, *ask, "--list", "newlyDown", "--csv", "new.csv", "--geojson", "n.json")
    likeliest = twinfall(folder, *ask, "--list", "likeliest", "--csv", "likely.csv")

    assert (affected.status, newly.status) == (0, 0)
    assert len(_csv(folder / "a.csv")) == affected.json["impact"]["counts"]["affected"] + 1
    down = [row["id"] for row in _csv(folder / "new.csv")]
    assert down == affected.json["newlyDown"]["ids"]
    assert _geojson(folder / "n.json")["count"] == len(down)
    assert likeliest.status == 1
    assert "no hazard" in likeliest.err


def test_rankings_partners_sets_and_explanations_are_written(folder: Path) -> None:
    ranked = twinfall(folder, "criticality", "--first", "1", "--csv", "rank.csv", "--json")
    partners = twinfall(folder, "criticality", "--with", "P1", "--csv", "with.csv", "--json")
    spoken = twinfall(folder, "criticality", "--with", "P1")
    sets = twinfall(
        folder, "spof", "T1", "--order", "2", "--csv", "cuts.csv", "--geojson", "c.json"
    )
    causes = twinfall(folder, "rootcause", "P1", "T1", "--csv", "why.csv", "--json")

    assert [done.status for done in (ranked, partners, sets, causes)] == [0, 0, 0, 0]
    assert len(_csv(folder / "rank.csv")) == ranked.json["totalCount"]
    assert len(_csv(folder / "with.csv")) == partners.json["count"]
    assert "with which P1 takes more along" in spoken.out
    assert _geojson(folder / "c.json")["count"] == len(_csv(folder / "cuts.csv"))
    assert _csv(folder / "why.csv")[0]["roots"] == causes.json["explanations"][0]["roots"][0]


def test_a_file_that_cannot_be_written_is_named(folder: Path) -> None:
    done = twinfall(folder, "criticality", "--csv", "no/such/folder.csv")

    assert done.status == 1
    assert "no/such/folder.csv" in done.err
