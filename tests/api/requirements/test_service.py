"""A running server: it answers as the command does by itself, keeps requirements, tells of them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.api.requirements.test_commands import BROKEN, EMPTY, HELD, WARNED, requirements, row
from tests.api.running import Server, plant, served, twinfall

KEPT = """{ requirements {
  name verdict since snapshot finding { message witnesses { id message } } } }"""
EVENTS = """{ requirementEvents { name before verdict at finding { failing } } }"""
DELETE = """mutation { deleteTwins(ids: ["P2"]) { written } }"""
SPARE = row("few points", {"singlePointsOfFailure": {"max": 1}})


def _asked(server: Server, query: str) -> Any:
    found = server.ask(query).json
    assert "errors" not in found, found
    return found["data"]


def test_a_server_reports_what_the_command_reports_without_one(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    (tmp_path / "r.json").write_text(requirements(HELD, BROKEN, WARNED, EMPTY))
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    alone = twinfall(tmp_path, "assert", "r.json", "--json")

    with served(tmp_path):
        asked = twinfall(tmp_path, "assert", "r.json", "--json")
        previewed = twinfall(tmp_path, "assert", "r.json", "--import", "plant.ndjson", "--json")

    reports = [done.json for done in (alone, asked, previewed)]
    assert (alone.status, asked.status, previewed.status) == (1, 1, 1)
    assert [one["verdict"] for one in reports[0]["findings"]] == [
        "held",
        "broken",
        "broken",
        "empty",
    ]
    assert reports[1]["findings"] == reports[0]["findings"] == reports[2]["findings"]
    # A server also counts the changes of the live state.
    assert reports[1]["snapshot"].rpartition("-")[0] == reports[0]["snapshot"]


def test_the_service_keeps_the_requirements_that_its_setting_names(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    (tmp_path / "kept.json").write_text(requirements(SPARE, HELD))
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    setting = {"TWINFALL_REQUIREMENTS": str(tmp_path / "kept.json")}

    with served(tmp_path, **setting) as server:
        first = {one["name"]: one for one in _asked(server, KEPT)["requirements"]}
        assert first["few points"]["verdict"] == "broken"
        assert first["few points"]["finding"]["witnesses"][0]["id"] == "T1"
        _asked(server, DELETE)
        second = {one["name"]: one for one in _asked(server, KEPT)["requirements"]}
        assert second["few points"]["verdict"] == "held"
        assert second["few points"]["since"] > first["few points"]["since"]
        assert second["tanks are up"]["since"] == first["tanks are up"]["since"]
        events = _asked(server, EVENTS)["requirementEvents"]
        assert [(e["name"], e["before"], e["verdict"]) for e in events] == [
            ("few points", "broken", "held"),
            ("tanks are up", None, "held"),
            ("few points", None, "broken"),
        ]


def test_an_alarm_tells_operators_by_itself(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    (tmp_path / "data" / "twinfall.requirements.yaml").write_text(requirements(SPARE))
    open_alarms = "{ alarms(open: true) { nodes { twin source } } }"

    with served(tmp_path) as server:
        deadline = time.monotonic() + 30
        while not (found := _asked(server, open_alarms)["alarms"]["nodes"]):
            assert time.monotonic() < deadline
            time.sleep(0.1)

    assert found == [{"twin": "T1", "source": "requirement:few points"}]


def test_a_setting_that_names_no_file_stops_the_start(tmp_path: Path) -> None:
    done = twinfall(
        tmp_path, "serve", "--port", "0", TWINFALL_REQUIREMENTS=str(tmp_path / "none.yaml")
    )

    assert done.status == 1
    assert "TWINFALL_REQUIREMENTS" in done.err


def test_a_file_that_cannot_be_judged_is_an_error_with_its_lines(tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text('{"version": 1, "requirements": [{"name": "x"}]}')

    with served(tmp_path, TWINFALL_REQUIREMENTS=str(tmp_path / "kept.json")) as server:
        answer = server.ask(KEPT)

    assert answer.code == "BAD_REQUIREMENTS"
    assert "line 1 /requirements/0/require" in json.dumps(answer.json)
