"""Readings while the graph's store is away: what was known before goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.api.telemetry.mill import Works, fill, row, text, working
from twinfall.api import services as services_module
from twinfall.api.services import Services
from twinfall.api.settings import Settings
from twinfall.ingestion.decoding.topics import Topics
from twinfall.ontology.errors import Unavailable

T0 = 1_780_000_000


class Outage:
    """Lets the store be opened only after `over`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.over = False
        real: Callable[..., Any] = services_module.open_graph

        def open_graph(*arguments: Any) -> Any:
            if not self.over:
                raise Unavailable("the store is away")
            return real(*arguments)

        monkeypatch.setattr(services_module, "open_graph", open_graph)
        monkeypatch.setattr(services_module, "RETRY_SECONDS", 0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a graph and a reading of M1's flow and of its motor's temperature."""
    with working(tmp_path) as works:
        fill(works)
        works.send(row("M1", T0, flow=1), row("M1/motor", T0, temperature=50))
    return tmp_path


def status(works: Works, *rows: dict[str, Any]) -> int:
    return works.http("POST", "/ingest", json=list(rows)).status_code


def test_known_series_are_taken_while_the_store_is_away_at_the_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = Outage(monkeypatch)
    services = Services(Settings(dir=folder), folder, "tests")
    works = Works(services)
    try:
        assert not services.open()
        works.send(row("M1", T0 + 1, flow=2), row("M1/motor", T0 + 1, temperature=51))
        assert status(works, row("M1", T0 + 1, load=3)) == 503  # never seen: nobody can judge it
        assert status(works, row("M9", T0 + 1, flow=3)) == 503
        assert works.answer("{ Mill { totalCount } }")["errors"]
        told = works.http("GET", "/readyz")
        assert (told.status_code, told.json()["readings"]) == (503, True)
        assert works.http("GET", "/metrics").status_code == 200

        topics = Topics(services.telemetry.catalogue)
        assert topics.read("twinfall/M1/flow") == ("M1", "flow")
        assert topics.read("twinfall/M1/motor") == ("M1/motor", "")
        with pytest.raises(Unavailable):
            topics.read("twinfall/M1/load")

        outage.over = True
        deadline = time.monotonic() + 30
        while works.http("GET", "/readyz").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        found = works.ask(
            'query($f: DateTime!) { twin(id: "M1") { ... on Mill { flow { value'
            " history(from: $f, fn: raw) { value } } motor { temperature { value } } } } }",
            f=text(T0),
        )["twin"]
        assert [point["value"] for point in found["flow"]["history"]] == [1, 2]
        assert found["motor"]["temperature"]["value"] == 51
        assert status(works, row("M1", T0 + 2, load=3)) == 200
        assert status(works, row("M9", T0 + 2, flow=3)) == 200  # refused, and kept as such
        assert services.telemetry.dead_letters.count() == {"UNKNOWN_TWIN": 1}
    finally:
        services.close()


def test_a_folder_without_readings_waits_for_its_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Outage(monkeypatch)
    services = Services(Settings(dir=tmp_path), tmp_path, "tests")
    works = Works(services)
    try:
        assert not services.open()
        assert status(works, row("M1", T0, flow=1)) == 503
        assert works.http("GET", "/readyz").json()["readings"] is False
        assert works.http("GET", "/health").status_code == 503
        assert not (tmp_path / "journal.sqlite").exists()
    finally:
        services.close()


def test_a_service_that_is_closed_while_its_store_is_away_keeps_what_it_took(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        Outage(patched)
        services = Services(Settings(dir=folder), folder, "tests")
        assert not services.open()
        Works(services).send(row("M1", T0 + 1, flow=2))
        services.close()
    with working(folder) as works:
        ask = '{ twin(id: "M1") { ... on Mill { flow { value } } } }'
        assert works.ask(ask)["twin"]["flow"] == {"value": 2.0}
