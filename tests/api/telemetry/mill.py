"""A mill whose twins send readings of every kind, asked over HTTP as clients ask."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from twinfall.api.app import create_app
from twinfall.api.services import Services
from twinfall.api.settings import Settings
from twinfall.graph.twins import TwinInput

S = 1_000_000_000
V3 = ["dtmi:dtdl:context;3", "dtmi:dtdl:extension:quantitativeTypes;1"]


def telemetry(name: str, schema: Any, **more: Any) -> dict[str, Any]:
    return {"@type": "Telemetry", "name": name, "schema": schema, **more}


MODELS = [
    {
        "@context": V3,
        "@id": "dtmi:mill:Machine;1",
        "@type": "Interface",
        "contents": [
            telemetry("load", "double"),
            {"@type": "Property", "name": "place", "schema": "string"},
        ],
    },
    {
        "@context": V3,
        "@id": "dtmi:mill:Mill;1",
        "@type": "Interface",
        "extends": "dtmi:mill:Machine;1",
        "contents": [
            telemetry(
                "flow",
                "double",
                **{"@type": ["Telemetry", "VolumeFlowRate"]},
                unit="litrePerSecond",
            ),
            telemetry("turns", "integer"),
            telemetry("pulses", "long"),
            telemetry("on", "boolean"),
            telemetry("note", "string"),
            telemetry("seen", "dateTime"),
            telemetry(
                "mode",
                {
                    "@type": "Enum",
                    "valueSchema": "integer",
                    "enumValues": [
                        {"name": "idle", "enumValue": 0},
                        {"name": "grinding", "enumValue": 1},
                    ],
                },
            ),
            telemetry(
                "axes",
                {"@type": "Object", "fields": [{"name": "x", "schema": "double"}]},
            ),
            {"@type": "Component", "name": "motor", "schema": "dtmi:mill:Motor;1"},
        ],
    },
    {
        "@context": V3,
        "@id": "dtmi:mill:Motor;1",
        "@type": "Interface",
        "contents": [telemetry("temperature", "double")],
    },
]
SIDECAR = {
    "version": 1,
    "interfaces": {"dtmi:mill:Mill;1": {"asset": {"stale": "PT1M"}}},
}


class Works:
    """A running service over a data folder, and short ways to send and to ask."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.app = create_app(services)

    def http(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                return await http.request(method, path, **more)

        return asyncio.run(go())

    def send(self, *rows: dict[str, Any]) -> None:
        """Readings that must all be stored."""
        told = self.http("POST", "/ingest", json=list(rows)).json()
        assert told["refused"] == 0, told

    def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        found: dict[str, Any] = self.http("POST", "/graphql", json=body).json()
        return found

    def ask(self, query: str, **variables: Any) -> Any:
        found = self.answer(query, **variables)
        assert "errors" not in found, found["errors"]
        return found["data"]

    def refusal(self, query: str, **variables: Any) -> str:
        [error] = self.answer(query, **variables)["errors"]
        code: str = error["extensions"]["code"]
        return code


@contextmanager
def working(folder: Path, **settings: Any) -> Iterator[Works]:
    """The mill's service until the block ends."""
    services = Services(Settings(dir=folder, **settings), folder, "tests")
    services.open()
    try:
        yield Works(services)
    finally:
        services.close()


def fill(works: Works, mills: int = 3) -> None:
    """Models and twins M1, M2, ... and one plain machine X."""
    graph = works.services.graph
    graph.load_models(MODELS, [SIDECAR])
    twins = [TwinInput(f"M{i + 1}", "dtmi:mill:Mill;1", {}) for i in range(mills)]
    graph.write_twins([*twins, TwinInput("X", "dtmi:mill:Machine;1", {"place": "yard"})])


def text(seconds: float) -> str:
    """A time as RFC 3339."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(int(seconds)))
    return f"{whole}Z" if seconds == int(seconds) else f"{whole}.{round(seconds % 1 * 1000):03d}Z"


def row(twin: str, at: float, **values: Any) -> dict[str, Any]:
    """A flat row."""
    return {"_twin": twin, "_time": text(at), **values}


def pretty(value: Any) -> str:
    return json.dumps(value, indent=1)
