"""How many questions are answered at once, and how long each is waited for: on a real graph whose
store is held up.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.running import plant
from twinfall.api.app import create_app
from twinfall.api.asking import Limits
from twinfall.api.keys import Keys
from twinfall.api.services import Services
from twinfall.api.settings import Settings

QUERY = {"query": '{ twin(id: "P1") { id } }'}
LIMITS = Limits(at_once=3, query_seconds=0.3)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = Services(Settings(dir=tmp_path), tmp_path, "tests")
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def gate(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The store answers nobody before this is set."""
    held = threading.Event()
    fetch = services.graph.store.fetch

    def slow(*args: Any, **more: Any) -> Any:
        held.wait(20)
        return fetch(*args, **more)

    monkeypatch.setattr(services.graph.store, "fetch", slow)
    yield held
    held.set()


def client(services: Services) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(services, limits=LIMITS))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=30)


def code(answer: httpx.Response) -> str:
    found: str = answer.json()["errors"][0]["extensions"]["code"]
    return found


def test_questions_beyond_the_bound_are_refused_and_later_ones_answered(
    services: Services, gate: threading.Event
) -> None:
    async def asked() -> None:
        async with client(services) as http:
            headers = {"Content-Type": "application/x-ndjson"}
            assert (await http.post("/import", content=plant(), headers=headers)).is_success
            slow = [await http.post("/graphql", json=QUERY) for _ in range(LIMITS.at_once)]
            refused = await http.post("/graphql", json=QUERY)
            gate.set()
            answered = refused
            while answered.status_code == 503:
                await asyncio.sleep(0.05)  # nothing else gives the loop back to what has ended
                answered = await http.post("/graphql", json=QUERY)

        assert {(a.status_code, code(a)) for a in slow} == {(503, "TIMEOUT")}
        assert (refused.status_code, code(refused)) == (503, "OVERLOADED")
        assert refused.headers["retry-after"] == "1"
        assert answered.json() == {"data": {"twin": {"id": "P1"}}}

    asyncio.run(asked())


def test_the_word_mutation_in_a_comment_buys_no_patience(
    services: Services, gate: threading.Event
) -> None:
    key = Keys(services.folder).create("reader", "viewer", datetime(2026, 1, 1, tzinfo=UTC))

    async def asked() -> httpx.Response:
        async with client(services) as http:
            question = {"query": QUERY["query"] + " # mutation"}
            headers = {"Authorization": f"Bearer {key}"}
            return await http.post("/graphql", json=question, headers=headers)

    answer = asyncio.run(asked())

    assert (answer.status_code, code(answer)) == (503, "TIMEOUT")
