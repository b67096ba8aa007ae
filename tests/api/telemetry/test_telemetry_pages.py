"""The pages on readings: every question is answered, every request is taken."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.running import Server, served
from tests.api.telemetry.mill import row, telemetry
from tests.docs.pages import ROOT, Block, blocks

PAGES = {ROOT / "docs" / "telemetry.md", ROOT / "docs" / "readings.md"}
FLOW = {"@type": ["Telemetry", "VolumeFlowRate"], "unit": "litrePerSecond"}
MODELS = [
    {
        "@context": ["dtmi:dtdl:context;3", "dtmi:dtdl:extension:quantitativeTypes;1"],
        "@id": "dtmi:page:Pump;1",
        "@type": "Interface",
        "contents": [
            telemetry("flow", "double", **FLOW),
            telemetry("running", "boolean"),
            {"@type": "Component", "name": "motor", "schema": "dtmi:page:Motor;1"},
        ],
    },
    {
        "@context": "dtmi:dtdl:context;3",
        "@id": "dtmi:page:Motor;1",
        "@type": "Interface",
        "contents": [telemetry("temperature", "double"), telemetry("vibration", "double")],
    },
]
QUESTIONS = [block for block in blocks("graphql") if block.page in PAGES]
REQUESTS = [b for b in blocks("sh") if b.page in PAGES and "curl" in b.text]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two pumps that send, and two refused readings."""
    rows: list[Any] = [{"Section": "Header"}, {"fileVersion": "1.0.0"}, {"Section": "Models"}]
    rows += [*MODELS, {"Section": "Twins"}]
    rows += [{"$dtId": f"P{i}", "$metadata": {"$model": "dtmi:page:Pump;1"}} for i in (1, 2, 3)]
    with served(tmp_path_factory.mktemp("pages")) as running:
        body = "\n".join(map(json.dumps, rows)).encode()
        ndjson = {"Content-Type": "application/x-ndjson"}
        assert running.send("POST", "/import", body, ndjson).status == 200
        now = time.time() - 60
        sent = [row(p, now + i, flow=3 + i / 10) for i in range(30) for p in ("P1", "P2")]
        sent += [row("P1/motor", now, temperature=60), row("P9", now, flow=1, running=True)]
        json_type = {"Content-Type": "application/json"}
        told = running.send("POST", "/ingest", json.dumps(sent).encode(), json_type).json
        assert (told["stored"], told["refused"]) == (61, 2)
        yield running
        assert running.stop() == 0


def test_there_are_questions_and_requests_on_the_pages() -> None:
    assert len(QUESTIONS) >= 6
    assert len(REQUESTS) >= 2


@pytest.mark.parametrize("block", QUESTIONS, ids=str)
def test_every_question_on_the_pages_is_answered(server: Server, block: Block) -> None:
    answer = server.ask(block.text).json
    assert "errors" not in answer, answer["errors"]
    assert any(answer["data"].values())


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl sends the requests of the page")
@pytest.mark.parametrize("block", REQUESTS, ids=str)
def test_every_request_on_the_pages_is_taken(server: Server, block: Block, tmp_path: Path) -> None:
    def stored() -> float:
        text = server.send("GET", "/metrics").body.decode()
        found = re.search(r"^twinfall_readings_stored_total (\S+)$", text, re.MULTILINE)
        assert found is not None
        return float(found[1])

    before = stored()
    script = block.text.replace("http://localhost:8000", f"http://127.0.0.1:{server.port}")
    command = ["bash", "-euc", script.replace("curl ", "curl -sS --fail-with-body ")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert stored() > before
