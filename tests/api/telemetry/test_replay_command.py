"""`twinfall replay` as a user types it, with a server and without one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.api.running import plant, served, twinfall

LINES = ("time,P1:flow", "1000,1.5", "2000,2.5", "3000,fast")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the small plant imported, and a file of readings."""
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    (tmp_path / "readings.csv").write_text("\n".join(LINES))
    return tmp_path


def _letters(folder: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(folder / "data" / "journal.sqlite") as db:
        found = db.execute("SELECT code, source FROM dead_letters ORDER BY id").fetchall()
    db.close()
    return found


def test_without_a_server_the_folder_takes_the_readings(folder: Path) -> None:
    done = twinfall(folder, "replay", "readings.csv", "--json")
    assert done.status == 1  # something was refused
    assert done.json == {"readings": 3, "stored": 2, "refused": {"BAD_VALUE": 1}}
    assert _letters(folder) == [("BAD_VALUE", "replay")]
    (folder / "good.csv").write_text("\n".join(LINES[:3]))
    done = twinfall(folder, "replay", "good.csv", "--speed", "100", "--now")
    assert (done.status, done.out) == (0, "2 readings: 2 stored\n")


def test_a_running_server_takes_the_readings(folder: Path) -> None:
    (folder / "many.csv").write_text(
        "\n".join(["time,P1:flow", *(f"{i * 1000},{i}" for i in range(20_000)), ",1"])
    )
    with served(folder):
        done = twinfall(folder, "replay", "many.csv", "--json")
        assert done.json == {"readings": 20_001, "stored": 20_000, "refused": {"BAD_ROW": 1}}
        done = twinfall(folder, "replay", "nothing.csv")
        assert done.status == 1
        assert "no such file" in done.err
    assert _letters(folder) == [("BAD_ROW", "http")]


def test_a_file_that_names_no_twin_says_the_cure(folder: Path) -> None:
    (folder / "wide.csv").write_text("time,flow\n1000,1\n2026-01-01 00:00:00,2\n")
    done = twinfall(folder, "replay", "wide.csv")
    assert done.status == 1
    assert "--twin" in done.err
    done = twinfall(folder, "replay", "wide.csv", "--twin", "P1", "--utc", "--json")
    assert done.json == {"readings": 2, "stored": 2, "refused": {}}
    assert twinfall(folder, "replay", "wide.csv", "--now").status == 1
