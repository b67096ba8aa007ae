"""A real Telegraf reads a real OPC UA server and writes here, by the configuration that we show."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.running import Server, served
from tests.servers.telegraf import program, telegraf

CONFIG = Path(__file__).parents[3] / "examples" / "telegraf" / "opcua.conf"
PUMP, MOTOR = "dtmi:plant:Pump;1", "dtmi:plant:Motor;1"
MODELS = [
    {
        "@context": "dtmi:dtdl:context;3",
        "@id": MOTOR,
        "@type": "Interface",
        "contents": [{"@type": "Telemetry", "name": "temperature", "schema": "double"}],
    },
    {
        "@context": "dtmi:dtdl:context;3",
        "@id": PUMP,
        "@type": "Interface",
        "contents": [
            {"@type": "Telemetry", "name": "flow", "schema": "double"},
            {"@type": "Component", "name": "motor", "schema": MOTOR},
        ],
    },
]
TWIN = {
    "$dtId": "P1",
    "$metadata": {"$model": PUMP},
    "motor": {"$metadata": {}},
}
QUERY = """{ Pump(where: {flow: {gte: 3}}) { nodes {
  id flow { value time stale } motor { temperature { value } } } } }"""
WAIT_SECONDS = 60


@pytest.fixture
def telegraf_at_hand() -> None:
    if program() is None and os.environ.get("CI") != "true":
        pytest.skip("Telegraf: needs Go, or TEST_TELEGRAF to name a program")


@pytest.fixture
def opcua() -> Iterator[int]:
    """The port of an OPC UA server with the pump."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "tests.servers.opcua", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield port
        finally:
            process.kill()


def asked(server: Server) -> list[dict[str, Any]]:
    answer = server.ask(QUERY).json
    assert "errors" not in answer, answer
    found: list[dict[str, Any]] = answer["data"]["Pump"]["nodes"]
    return found


@pytest.mark.usefixtures("telegraf_at_hand")
@pytest.mark.timeout(1500)  # the first run builds Telegraf
def test_an_opcua_server_is_read_through_telegraf(tmp_path: Path, opcua: int) -> None:
    rows = [{"Section": "Header"}, {"fileVersion": "1.0.0"}, {"Section": "Models"}, *MODELS]
    body = "\n".join(json.dumps(row) for row in [*rows, {"Section": "Twins"}, TWIN])
    config = tmp_path / "opcua.conf"
    config.write_text(CONFIG.read_text())
    with served(tmp_path) as server:
        kind = {"Content-Type": "application/x-ndjson"}
        assert server.send("POST", "/import", body.encode(), kind).status == 200
        endpoint = f"opc.tcp://127.0.0.1:{opcua}"
        url = f"http://127.0.0.1:{server.port}"
        with telegraf(config, OPCUA_ENDPOINT=endpoint, TWINFALL_URL=url, TWINFALL_API_KEY="none"):
            end = time.monotonic() + WAIT_SECONDS
            while not (found := asked(server)) and time.monotonic() < end:
                time.sleep(0.2)
        assert [pump["id"] for pump in found], config.with_suffix(".log").read_text()
        assert found[0]["motor"]["temperature"]["value"] == 60.0
        assert found[0]["flow"]["stale"] is False
