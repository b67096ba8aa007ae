"""The graph that the proof runs on: feeders with one telemetry, and how they are asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.api.running import Server

MODEL = "dtmi:faults:Feeder;1"
_INTERFACE = {
    "@context": "dtmi:dtdl:context;3",
    "@id": MODEL,
    "@type": "Interface",
    "contents": [{"@type": "Telemetry", "name": "flow", "schema": "double"}],
}
_HISTORY = """query($id: ID!, $from: DateTime!, $to: DateTime!) {
  twin(id: $id) { ... on Feeder { flow {
    history(from: $from, to: $to, points: 10000, fn: raw) { value }
  } } }
}"""
_COUNTS = "{ deadLetterCounts { code count } }"


def rows(twins: int) -> bytes:
    """The NDJSON file of so many feeders, `F0` and on."""
    found: list[dict[str, Any]] = [
        {"Section": "Header"},
        {"fileVersion": "1.0.0"},
        {"Section": "Models"},
        _INTERFACE,
        {"Section": "Twins"},
    ]
    found += [{"$dtId": f"F{i}", "$metadata": {"$model": MODEL}} for i in range(twins)]
    return b"\n".join(json.dumps(row).encode() for row in found)


def load(server: Server, twins: int) -> None:
    """Write the feeders."""
    answer = server.send("POST", "/import", rows(twins), {"Content-Type": "application/x-ndjson"})
    assert answer.status == 200, answer.body


def values(server: Server, twin: str, start: str, end: str) -> list[float]:
    """Every value of a feeder's history, as often as it is there."""
    answer = server.ask(_HISTORY, {"id": twin, "from": start, "to": end})
    found = answer.json
    assert "errors" not in found, found
    return [point["value"] for point in found["data"]["twin"]["flow"]["history"]]


def refused(server: Server) -> dict[str, int]:
    """How many dead letters there are, by reason."""
    counts = server.ask(_COUNTS).json["data"]["deadLetterCounts"]
    return {row["code"]: row["count"] for row in counts}


def write(folder: Path, twins: int) -> Path:
    """The same rows as a file."""
    path = folder / "feeders.ndjson"
    path.write_bytes(rows(twins))
    return path
