"""`twinfall detector` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.running import plant, twinfall

PERIOD = ("--from", "2026-11-23T06:00:00Z", "--to", "2026-11-23T07:00:00Z")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the small plant imported."""
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    return tmp_path


def test_without_detectors_the_list_is_empty(folder: Path) -> None:
    done = twinfall(folder, "detector", "list", "--json")
    assert done.status == 0
    assert json.loads(done.out) == []


def test_a_detector_that_is_not_there_is_named_with_the_cure(folder: Path) -> None:
    done = twinfall(folder, "detector", "show", "dtmi:example:Fan;1")
    assert done.status == 1
    assert "dtmi:example:Fan;1" in done.err
    assert "detector list" in done.err


def test_training_needs_a_running_server_and_says_so(folder: Path) -> None:
    done = twinfall(folder, "detector", "train", "Pump", *PERIOD)
    assert done.status == 3
    assert "twinfall serve" in done.err


def test_a_period_must_be_given(folder: Path) -> None:
    assert twinfall(folder, "detector", "train", "Pump").status == 2


def test_a_time_that_is_none_is_refused(folder: Path) -> None:
    done = twinfall(folder, "detector", "train", "Pump", "--from", "noon", "--to", "night")
    assert done.status == 1
    assert "Traceback" not in done.err
