"""A backup that is taken while readings come in, and what a restore answers."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from tests.api.running import Server, served, twinfall
from tests.api.telemetry.mill import MODELS, row, text

T0 = 1_780_000_000
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
ASK = """query($f: DateTime!, $t: DateTime!) { Mill(sort: [{id: ASC}]) {
  aggregate { flow(from: $f, to: $t, fn: count) { value } }
  nodes { id _telemetry { name value time unit }
    flow { history(from: $f, to: $t, fn: raw, points: 3000) { time value } } } }
  deadLetters { nodes { id code raw } } }"""


def mills() -> bytes:
    rows: list[Any] = [{"Section": "Header"}, {"fileVersion": "1.0.0"}, {"Section": "Models"}]
    rows += [*MODELS, {"Section": "Twins"}]
    rows += [{"$dtId": f"M{i}", "$metadata": {"$model": "dtmi:mill:Mill;1"}} for i in (1, 2)]
    return "\n".join(map(json.dumps, rows)).encode()


def ingest(server: Server, *rows: dict[str, Any]) -> int:
    """How many were stored."""
    answer = server.send("POST", "/ingest", json.dumps(rows).encode(), JSON)
    assert answer.status == 200, answer.body
    stored: int = answer.json["stored"]
    return stored


def seen(server: Server, seconds: int) -> Any:
    """Everything that was sent before an instant."""
    answer = server.ask(ASK, {"f": text(T0 - 10**7), "t": text(T0 + seconds)}).json
    assert "errors" not in answer, answer["errors"]
    for node in answer["data"]["Mill"]["nodes"]:
        latest = node.pop("_telemetry")
        node["flow"] = node["flow"] or {"history": []}
        node["latest"] = [one for one in latest if one["time"] < text(T0 + seconds)]
    return answer["data"]


def test_a_restored_service_answers_alike_although_readings_came_in_meanwhile(
    tmp_path: Path,
) -> None:
    with served(tmp_path) as server:
        assert server.send("POST", "/import", mills(), NDJSON).status == 200
        for month in range(3):  # several files of history
            at = T0 - month * 31 * 86_400
            ingest(server, *(row("M2", at + i, flow=i, note=f"n{i}") for i in range(200)))
        ingest(server, row("M1", T0, load="x"), row("M9", T0, flow=1))
        before = seen(server, 1000)
        stop, sent = threading.Event(), []

        def go_on() -> None:
            while not stop.is_set():
                sent.append(ingest(server, row("M1", T0 + 1000 + len(sent), flow=len(sent))))

        sender = threading.Thread(target=go_on)
        sender.start()
        try:
            saved = twinfall(tmp_path, "backup", "readings.zip")
        finally:
            known = len(sent)
            stop.set()
            sender.join()
        assert saved.status == 0, saved.err
        assert known > 0
        assert server.stop() == 0
    other = tmp_path / "other"
    other.mkdir()
    restored = twinfall(other, "restore", str(tmp_path / "readings.zip"))
    assert restored.status == 0, restored.err
    with served(other) as again:
        assert seen(again, 1000) == before
        # What came while the backup ran is in it up to one moment: no gap, nothing twice.
        [first, _] = seen(again, 10**6)["Mill"]["nodes"]
        values = [point["value"] for point in first["flow"]["history"]]
        assert values == list(range(len(values)))
        assert len(values) <= len(sent)
        assert ingest(again, row("M1", T0 + 2 * 10**6, flow=1)) == 1
        assert again.stop() == 0
