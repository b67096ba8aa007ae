"""`/metrics` as Prometheus reads it, and readiness."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.telemetry.mill import Works, fill, row, working
from twinfall.api.keys import Keys

T0 = 1_780_000_000


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    with working(tmp_path) as made:
        fill(made)
        yield made


def figures(works: Works) -> dict[str, float]:
    """Every sample, by name and labels."""
    answer = works.http("GET", "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics_tell_what_was_stored_refused_and_what_waits(works: Works) -> None:
    works.send(*(row("M1", T0 + i, flow=i) for i in range(7)))
    bad = [row("M9", T0, flow=1), row("M1", T0, flow="x"), row("M2", T0, depth=1)]
    works.http("POST", "/ingest", json=[*bad, row("M8", T0, flow=1)])
    found = figures(works)

    assert found["twinfall_up"] == 1
    assert found["twinfall_readings_stored_total"] == 7
    assert found["twinfall_readings_refused_total UNKNOWN_TWIN"] == 2
    assert found["twinfall_readings_refused_total BAD_VALUE"] == 1
    assert found["twinfall_dead_letters UNKNOWN_NAME"] == 1
    assert found["twinfall_readings_waiting"] == 0
    assert found["twinfall_series"] == 1
    assert found["twinfall_journal_bytes"] > 0
    assert found["twinfall_requests_total POST /ingest 200"] == 2

    works.services.telemetry.dead_letters.discard([1, 2, 3, 4])
    found = figures(works)
    assert "twinfall_dead_letters UNKNOWN_NAME" not in found
    assert found["twinfall_readings_refused_total UNKNOWN_TWIN"] == 2


def test_what_is_moved_lags_no_more(works: Works) -> None:
    works.send(row("M1", T0, flow=1))
    works.services.telemetry.move()
    found = figures(works)
    assert (found["twinfall_readings_unmoved"], found["twinfall_history_lag_seconds"]) == (0, 0)
    assert found["twinfall_history_bytes"] > 0


def test_paths_that_lead_nowhere_make_no_series_of_their_own(works: Works) -> None:
    for i in range(20):
        works.http("GET", f"/nothing/{i}")
    found = figures(works)
    assert found["twinfall_requests_total other other 404"] == 20
    assert not [name for name in found if "nothing" in name]


def test_metrics_are_for_readers_once_there_are_keys(works: Works) -> None:
    keys = Keys(works.services.folder)
    made = datetime(2026, 1, 1, tzinfo=UTC)
    shown = {role: keys.create(role, role, made) for role in ("viewer", "ingest")}  # type: ignore[arg-type]

    def status(key: str) -> int:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return works.http("GET", "/metrics", headers=headers).status_code

    assert (status(shown["viewer"]), status(shown["ingest"]), status("")) == (200, 403, 401)


def test_readiness_tells_whether_readings_are_taken(works: Works) -> None:
    assert works.http("GET", "/readyz").json() == {"ready": True, "readings": True}
