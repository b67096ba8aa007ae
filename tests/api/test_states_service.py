"""A real server: a reading over HTTP is the state, and what people said outlives a kill."""

from __future__ import annotations

import json
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.api.running import Server, served

MODEL = {
    "@context": "dtmi:dtdl:context;3",
    "@id": "dtmi:test:Pump;1",
    "@type": "Interface",
    "contents": [{"@type": "Telemetry", "name": "heat", "schema": "double"}],
}
LIMITS = {
    "version": 1,
    "interfaces": {
        "dtmi:test:Pump;1": {
            "asset": {"stale": "PT2S", "limits": {"heat": {"failed": {"max": 95}}}}
        }
    },
}
SET_UP = """mutation($models: [JSON!]!, $limits: [JSON!]!) {
  loadModels(documents: $models, dependencies: $limits) { loaded }
  writeTwins(twins: [
    {id: "P1", model: "Pump"}, {id: "P2", model: "Pump"}, {id: "P3", model: "Pump"}
  ]) { errors { message } } }"""


def _heat(server: Server, twin: str, value: float) -> None:
    row = json.dumps([{"twin": twin, "name": "heat", "value": value}]).encode()
    answer = server.send("POST", "/ingest", row, {"Content-Type": "application/json"})
    assert answer.json["stored"] == 1


def _asked(server: Server, query: str, variables: Any = None) -> Any:
    found = server.ask(query, variables).json
    assert "errors" not in found, found
    return found["data"]


def _states(server: Server) -> dict[str, str]:
    nodes = _asked(server, "{ Pump { nodes { id _state } } }")["Pump"]["nodes"]
    return {node["id"]: node["_state"] for node in nodes}


def test_states_follow_readings_and_clock_and_peoples_word_outlives_a_kill(tmp_path: Path) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    with served(tmp_path) as server:
        _asked(server, SET_UP, {"models": [MODEL], "limits": [LIMITS]})
        for twin, value in (("P1", 20.0), ("P2", 99.0), ("P3", 20.0)):
            _heat(server, twin, value)
        assert _states(server) == {"P1": "ok", "P2": "failed", "P3": "ok"}
        _asked(server, 'mutation { setState(id: "P1", state: failed, note: "leaks") { who } }')
        out = 'mutation($t: DateTime) { maintenance(id: "P3", on: true, until: $t) { who } }'
        _asked(server, out, {"t": until})
        deadline = time.monotonic() + 30
        while _states(server)["P2"] != "unknown":  # it fell silent
            assert time.monotonic() < deadline
            time.sleep(0.1)
        server.stop(signal.SIGKILL)
    with served(tmp_path) as server:
        assert _states(server) == {"P1": "failed", "P2": "unknown", "P3": "unknown"}
        query = '{ twin(id: "P1") { _stateReason { kind who note } } }'
        assert _asked(server, query)["twin"]["_stateReason"] == {
            "kind": "operator",
            "who": "local",
            "note": "leaks",
        }
        assert server.stop() == 0


ROOM = {
    "@context": "dtmi:dtdl:context;3",
    "@id": "dtmi:test:Room;1",
    "@type": "Interface",
    "contents": [{"@type": "Relationship", "name": "cooledBy"}],
}
HELD = {
    "version": 1,
    "interfaces": {
        "dtmi:test:Room;1": {
            "contents": {
                "cooledBy": {
                    "dependent": "source", "group": "cold", "rule": "any", "loop": "sustain",
                }
            }
        }
    },
}  # fmt: skip
ROOMS = """mutation($models: [JSON!]!, $held: [JSON!]!) {
  loadModels(documents: $models, dependencies: $held) { loaded }
  writeTwins(twins: [
    {id: "S", model: "Room"}, {id: "A", model: "Room"}, {id: "B", model: "Room"}
  ]) { errors { message } }
  writeRelationships(relationships: [
    {id: "1", source: "A", name: "cooledBy", target: "S"},
    {id: "2", source: "A", name: "cooledBy", target: "B"},
    {id: "3", source: "B", name: "cooledBy", target: "A"}
  ]) { errors { message } } }"""


def _rooms(server: Server) -> dict[str, str]:
    nodes = _asked(server, "{ Room { nodes { id _state } } }")["Room"]["nodes"]
    return {node["id"]: node["_state"] for node in nodes}


def test_a_loop_that_broke_stays_down_when_the_service_is_killed(tmp_path: Path) -> None:
    broken = {"A": "failed", "B": "failed", "S": "failed"}
    with served(tmp_path) as server:
        _asked(server, ROOMS, {"models": [ROOM], "held": [HELD]})
        assert set(_rooms(server).values()) == {"ok"}
        for twin, state in (("S", "failed"), ("A", "failed"), ("A", "null")):
            _asked(server, f'mutation {{ setState(id: "{twin}", state: {state}) {{ who }} }}')
            _rooms(server)
        assert _rooms(server) == broken
        deadline = time.monotonic() + 60
        while '"B"' not in _kept(tmp_path):  # within seconds, and though nobody asks
            assert time.monotonic() < deadline
            time.sleep(0.1)
        server.stop(signal.SIGKILL)
    with served(tmp_path) as server:
        assert _rooms(server) == broken
        _asked(server, 'mutation { setState(id: "S", state: null) { who } }')
        assert set(_rooms(server).values()) == {"ok"}
        assert server.stop() == 0


def _kept(folder: Path) -> str:
    found = list(folder.rglob("past.json"))
    return found[0].read_text() if found else ""
