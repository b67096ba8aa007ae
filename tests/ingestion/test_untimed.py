"""Readings without a time of their own that come at once."""

from __future__ import annotations

import time

import orjson

from tests.ingestion.pumps import history
from twinfall.ingestion.decoding.json_rows import decode_rows
from twinfall.ingestion.telemetry import Telemetry


def test_readings_without_a_time_that_come_together_are_all_kept_and_the_last_is_the_latest(
    telemetry: Telemetry,
) -> None:
    rows = [{"twin": twin, "name": "flow", "value": v} for v in (1, 2, 3) for twin in ("P1", "P2")]
    frame = decode_rows(orjson.dumps(rows), telemetry.catalogue)
    receipt = telemetry.pipeline.submit(frame).result(20)
    assert receipt.stored == 6
    for twin in ("P1", "P2"):
        latest = telemetry.latest.of([twin], now=time.time_ns())[twin]["flow"]
        assert (latest.value, latest.untimed) == (3.0, True)
        assert [value for _, value in history(telemetry, twin, "flow")] == [1.0, 2.0, 3.0]
