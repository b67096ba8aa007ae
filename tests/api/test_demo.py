from __future__ import annotations

import shlex
import signal
import time
from pathlib import Path
from typing import Any

from tests.api.running import Server, plant, served, twinfall, twinfall_apart, until
from tests.docs.pages import ROOT
from twinfall.api.demo import city_queries

HEALTH = """{ ProcessPlant { nodes { _health {
  state drivers { twin name unit observed expected } } } } }"""
PATIENCE = 60.0
"""Seconds."""


def health(server: Server, state: str) -> Any:
    """The plant's health as soon as it has this state."""
    end = time.monotonic() + PATIENCE
    while True:
        found = server.ask(HEALTH).json["data"]["ProcessPlant"]["nodes"][0]["_health"]
        if (found and found["state"] == state) or time.monotonic() > end:
            return found
        time.sleep(0.05)


def test_a_fault_of_the_plant_raises_an_alarm_that_names_its_sensors(tmp_path: Path) -> None:
    with served(tmp_path, "--speed", "9000", command="demo") as server:
        found = health(server, "ALARM")
        assert found["state"] == "ALARM"
        driven = {(driver["twin"], driver["name"]) for driver in found["drivers"]}
        assert {("TE-stream-1", "flow"), ("TE-valve-3", "position")} <= driven
        assert health(server, "NORMAL")["state"] == "NORMAL"
        assert server.stop(signal.SIGINT) == 0

    with served(tmp_path, "--speed", "9000", command="demo") as again:
        assert health(again, "ALARM")["state"] == "ALARM"
        answers = [again.ask(query).json for query in again.told["queries"]]
        assert len(answers) > len(city_queries())
        assert [a for a in answers if "errors" in a] == []


FAILED = """{ twins(first: 500, where: {_state: {eq: failed}}) { nodes { id } } }"""


def test_a_plant_that_shut_down_is_started_up_after_the_repair(tmp_path: Path) -> None:
    history = '{ stateHistory(id: "TE-reactor") { state who } }'

    def started(server: Server) -> Any:
        said = server.ask(history).json["data"]["stateHistory"]
        return len(said) == 2 and said

    def down(server: Server) -> list[str]:
        nodes = server.ask(FAILED).json["data"]["twins"]["nodes"]
        return [node["id"] for node in nodes if node["id"].startswith("TE-")]

    with served(tmp_path, "--speed", "1800", command="demo") as server:
        said = until(lambda: started(server), PATIENCE)
        until(lambda: not down(server))

    assert [(one["state"], one["who"]) for one in said] == [(None, "demo"), ("ok", "demo")]


def test_without_telemetry_nothing_speaks(tmp_path: Path) -> None:
    with served(tmp_path, "--no-telemetry", command="demo") as server:
        found = server.ask(HEALTH).json["data"]["ProcessPlant"]["nodes"]
        assert found == [{"_health": None}]
        assert server.told["queries"] == [query for _, query in city_queries()]
        assert server.stop(signal.SIGINT) == 0


def test_the_demo_loads_city_and_plant_once_and_its_queries_answer_alike_after_a_restart(
    tmp_path: Path,
) -> None:
    with served(tmp_path, "--no-telemetry", command="demo") as server:
        queries = server.told["queries"]
        first = [server.ask(query).json for query in queries]
        twins = server.told["twins"]
        cursor = server.ask("{ service { cursor } }").json
        assert server.stop(signal.SIGINT) == 0

    with served(tmp_path, "--no-telemetry", command="demo") as again:
        second = [again.ask(query).json for query in queries]
        assert again.ask("{ service { cursor } }").json == cursor
        assert again.told["twins"] == twins

    assert len(queries) >= 3
    assert twins > 1000
    assert [a for a in first if "errors" in a] == []
    assert second == first


def test_the_commands_of_the_readme_answer_on_the_demo(tmp_path: Path) -> None:
    """As they stand under "More than what fails next", in a checkout."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## More than what fails next")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("twinfall ")]
    (tmp_path / "examples").symlink_to(ROOT / "examples")

    with served(tmp_path, "--no-telemetry", command="demo"):
        done = {line: twinfall(tmp_path, *shlex.split(line, comments=True)[1:]) for line in lines}

    assert len(done) >= 5
    refused = [answer.err for answer in done.values() if "error [" in answer.err]
    broken = [line.split()[1] for line, answer in done.items() if answer.status != 0]
    assert refused == []
    assert broken == ["assert"]  # the city does not meet all that is demanded of it


def test_the_demo_leaves_another_graph_alone(tmp_path: Path) -> None:
    assert twinfall(tmp_path, "import", "-", stdin=plant()).status == 0
    before = twinfall(tmp_path, "export").out

    done = twinfall_apart(tmp_path, "demo", "--port", "0")

    assert done.status == 1
    assert "something else than the demo" in done.err
    assert twinfall(tmp_path, "export").out == before
