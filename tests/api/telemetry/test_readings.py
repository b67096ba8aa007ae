"""Readings over HTTP, as senders write them: the official InfluxDB client among them."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from tests.api.running import served
from twinfall.api.app import create_app
from twinfall.api.keys import Keys
from twinfall.api.services import Services
from twinfall.api.settings import Settings
from twinfall.graph.twins import TwinInput

MODEL = {
    "@context": "dtmi:dtdl:context;3",
    "@id": "dtmi:test:Pump;1",
    "@type": "Interface",
    "contents": [
        {"@type": "Telemetry", "name": "flow", "schema": "double"},
        {"@type": "Telemetry", "name": "on", "schema": "boolean"},
    ],
}
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
MS = 1_760_000_000_000


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = Services(Settings(dir=tmp_path), tmp_path, "tests")
    opened.open()
    opened.graph.load_models([MODEL])
    opened.graph.write_twins([TwinInput("P1", MODEL["@id"], {})])  # type: ignore[arg-type]
    yield opened
    opened.close()


def sent(
    services: Services, path: str, body: bytes, headers: dict[str, str] | None = None
) -> httpx.Response:
    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(services))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            return await http.post(path, content=body, headers=headers or {})

    work: Coroutine[Any, Any, httpx.Response] = post()
    return asyncio.run(work)


def latest(services: Services) -> dict[str, Any]:
    found = services.telemetry.latest_of(["P1"])["P1"]
    return {name: reading.value for name, reading in found.items()}


def test_what_was_acknowledged_is_seen_at_once(services: Services) -> None:
    rows = [
        {"twin": "P1", "name": "flow", "value": 1.5, "time": MS},
        {"_twin": "P1", "_time": "2026-01-01T00:00:00Z", "flow": 2.5, "on": True},
    ]
    answer = sent(services, "/ingest", json.dumps(rows).encode(), JSON)

    assert (answer.status_code, answer.json()) == (200, {"stored": 3, "refused": 0, "rows": []})
    assert latest(services) == {"flow": 2.5, "on": True}


def test_refused_rows_are_named_and_kept_and_the_rest_is_stored(services: Services) -> None:
    lines = b"\n".join(
        [
            b'{"twin": "P1", "name": "flow", "value": "much"}',
            b'{"twin": "P9", "name": "flow", "value": 1}',
            b"{not json",
            b'{"_twin": "P1", "flow": 7}',
        ]
    )
    told = sent(services, "/ingest", lines, NDJSON).json()

    assert (told["stored"], told["refused"]) == (1, 3)
    codes = {row["index"]: row["code"] for row in told["rows"]}
    assert codes == {0: "BAD_VALUE", 1: "UNKNOWN_TWIN", 2: "BAD_JSON"}
    assert latest(services) == {"flow": 7.0}
    assert sum(services.telemetry.dead_letters.count().values()) == 3


@pytest.mark.parametrize("body", [b"[1", b"nonsense", b"\xff\xfe", b"[[", b'{"twin": "P1"'])
@pytest.mark.parametrize("kind", [JSON, NDJSON])
def test_what_is_no_json_stores_nothing(
    services: Services, body: bytes, kind: dict[str, str]
) -> None:
    answer = sent(services, "/ingest", body, kind)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (
        400,
        "BAD_JSON",
    )
    assert services.telemetry.status()["stored"] == 0
    assert services.telemetry.dead_letters.count() == {}


def test_a_body_of_no_rows_is_fine(services: Services) -> None:
    for body in (b"", b"[]", b"\n\n"):
        told = sent(services, "/ingest", body, JSON).json()
        assert told == {"stored": 0, "refused": 0, "rows": []}


def test_too_many_requests_at_once_are_told_to_wait_and_the_next_are_taken(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, row = create_app(services), b'[{"twin": "P1", "name": "flow", "value": 4}]'
    monkeypatch.setattr("twinfall.api.readings.MAX_AT_ONCE", 3)

    async def posts(count: int) -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            one = [http.post("/ingest", content=row, headers=JSON) for _ in range(count)]
            return list(await asyncio.gather(*one))

    answers = asyncio.run(posts(10))
    taken = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert (len(taken), len(refused)) == (3, 7)
    assert all(answer.headers["retry-after"] for answer in refused)
    assert services.telemetry.status()["stored"] == 3
    assert [answer.status_code for answer in asyncio.run(posts(3))] == [200] * 3


def test_wrong_keys_are_told_to_wait_in_influxdb_words(services: Services) -> None:
    Keys(services.folder).create("ops", "admin", datetime(2026, 1, 1, tzinfo=UTC))
    app = create_app(services)

    async def posts() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            headers = {"Authorization": "Token wrong"}
            return [await http.post("/write", content=b"", headers=headers) for _ in range(22)]

    *_, last = [(a.status_code, a.json()["code"]) for a in asyncio.run(posts())]
    assert last == (429, "too many requests")
    assert asyncio.run(posts())[0].headers["x-influxdb-version"]


def test_a_packed_body_is_taken_and_a_bomb_is_not(services: Services) -> None:
    row = b'[{"twin": "P1", "name": "flow", "value": 4}]'
    packed = JSON | {"Content-Encoding": "gzip"}
    assert sent(services, "/ingest", gzip.compress(row), packed).json()["stored"] == 1
    bomb = gzip.compress(b" " * 50_000_000)
    assert sent(services, "/ingest", bomb, packed).status_code == 413
    assert sent(services, "/ingest", gzip.compress(row)[:-9], packed).status_code == 400
    rows = (b'{"twin": "P1", "name": "flow", "value": 4, "time": %d}\n' % time for time in (1, 2))
    both = b"".join(gzip.compress(row) for row in rows)  # two members are one body
    assert sent(services, "/ingest", both, packed).json()["stored"] == 2
    assert sent(services, "/ingest", gzip.compress(row) + b"rest", packed).status_code == 400
    assert sent(services, "/ingest", b"raw", packed).status_code == 400
    other = JSON | {"Content-Encoding": "br"}
    assert sent(services, "/ingest", row, other).status_code == 415


def test_line_protocol_is_answered_as_influxdb_does(services: Services) -> None:
    good = f"pump,twin=P1,site=a flow=3.5,on=true {MS}".encode()
    path = "/api/v2/write?org=o&bucket=b&precision=ms"
    assert sent(services, path, good).status_code == 204
    assert latest(services) == {"flow": 3.5, "on": True}

    partly = sent(services, path, good + b"\npump,twin=P1 flow=oops\npump flow=1")
    assert (partly.status_code, partly.json()["code"]) == (400, "invalid")
    assert "line 2" in partly.json()["message"]
    assert sent(services, "/write?precision=years", good).status_code == 400


def test_a_full_pipeline_says_when_to_come_back(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinfall.ingestion.pipeline.MAX_WAITING", 0)
    pipeline = services.telemetry.pipeline
    pipeline._waiting = 1
    try:
        rows = b'[{"twin": "P1", "name": "flow", "value": 4}]'
        for path, headers in (("/ingest", JSON), ("/write", {})):
            body = rows if path == "/ingest" else b"pump,twin=P1 flow=4"
            answer = sent(services, path, body, headers)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    finally:
        pipeline._waiting = 0
    assert services.telemetry.status()["stored"] == 0


def test_only_keys_for_readings_may_write_them(services: Services) -> None:
    made = datetime(2026, 1, 1, tzinfo=UTC)
    keys = Keys(services.folder)
    shown = {role: keys.create(role, role, made) for role in ("viewer", "ingest")}  # type: ignore[arg-type]
    body = b'[{"twin": "P1", "name": "flow", "value": 4}]'

    def status(key: str) -> int:
        return sent(services, "/ingest", body, JSON | {"Authorization": f"Token {key}"}).status_code

    assert status(shown["ingest"]) == 200
    assert status(shown["viewer"]) == 403
    assert sent(services, "/ingest", body, JSON).status_code == 401
    assert sent(services, "/write", b"p,twin=P1 flow=1").status_code == 401


def test_the_official_client_writes_and_hears_what_was_refused(tmp_path: Path) -> None:
    rows = [{"Section": "Header"}, {"fileVersion": "1.0.0"}, {"Section": "Models"}, MODEL]
    rows += [{"Section": "Twins"}, {"$dtId": "P1", "$metadata": {"$model": MODEL["@id"]}}]
    body = "\n".join(json.dumps(row) for row in rows).encode()
    with served(tmp_path) as server:
        assert server.send("POST", "/import", body, NDJSON).status == 200
        url = f"http://127.0.0.1:{server.port}"
        with (
            InfluxDBClient(url=url, token="none", org="o", timeout=20_000) as client,
            client.write_api(write_options=SYNCHRONOUS) as api,
        ):
            assert client.ping()
            point = {"measurement": "p", "tags": {"twin": "P1"}, "fields": {"flow": 1.25}}
            api.write("b", record=point)
            with pytest.raises(ApiException) as refused:
                api.write("b", record="p,twin=P1 depth=2")
            assert refused.value.status == 400
        assert server.stop() == 0
