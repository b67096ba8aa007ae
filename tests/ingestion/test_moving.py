"""From the journal into the history, and the end of a service that is far behind."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.ingestion.pumps import history, pumps
from twinfall.ingestion import mover
from twinfall.ingestion.frame import Block, Frame
from twinfall.ingestion.telemetry import Telemetry

T0 = 1_780_000_000_000_000_000
S = 1_000_000_000


def send(telemetry: Telemetry, start: int, count: int) -> None:
    """Readings of P1's flow, one a second: their value is their number."""
    series = telemetry.catalogue.learn([("P1", "flow")])["P1", "flow"]
    numbers = np.arange(start, start + count, dtype=np.float64)
    frame = Frame(
        "http",
        np.full(count, series, np.int32),
        numbers,
        T0 + (numbers * S).astype(np.int64),
        np.zeros(count, np.int32),
        lambda _: b"",
    )
    assert telemetry.submit(frame).result(30).stored == count


def values(telemetry: Telemetry) -> list[float]:
    return [value for _, value in history(telemetry, "P1", "flow")]


def test_a_move_takes_a_bounded_part_and_says_that_there_is_more(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mover, "READINGS_AT_ONCE", 25)
    for i in range(6):
        send(telemetry, i * 10, 10)
    assert telemetry._mover.move()
    assert telemetry.journal.unmoved() == 30
    assert values(telemetry) == list(range(60))
    telemetry.move()
    assert telemetry.journal.unmoved() == 0
    assert telemetry.history.count() == 60
    assert values(telemetry) == list(range(60))


def test_what_is_not_moved_when_the_service_ends_is_there_after_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinfall.ingestion.telemetry.CLOSE_SECONDS", -1.0)
    with pumps(tmp_path) as telemetry:
        send(telemetry, 0, 30)
        send(telemetry, 30, 30)
    with pumps(tmp_path) as telemetry:
        assert telemetry.journal.unmoved() == 60
        assert telemetry.history.count() == 0
        assert values(telemetry) == list(range(60))
        assert telemetry.latest_of(["P1"])["P1"]["flow"].value == 59


def test_a_watcher_that_hangs_does_not_hold_up_the_end(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mover, "CLOSE_SECONDS", 0.05)
    hanging, entered = threading.Event(), threading.Event()
    seen: list[int] = []

    def slow(block: Block) -> None:
        entered.set()
        hanging.wait(30)
        seen.append(len(block))

    telemetry.pipeline.watch(slow)
    for i in range(5):
        send(telemetry, i * 10, 10)
    assert entered.wait(10)
    telemetry.close()  # comes back although the watcher does not
    assert not hanging.is_set()
    assert seen == []
    hanging.set()


def test_a_watcher_that_keeps_up_has_seen_all_when_the_service_ends(telemetry: Telemetry) -> None:
    seen: list[int] = []
    telemetry.pipeline.watch(lambda block: seen.append(len(block)))
    for i in range(20):
        send(telemetry, i * 10, 10)
    telemetry.close()
    assert sum(seen) == 200


def test_history_older_than_is_kept_is_dropped_by_whole_months(tmp_path: Path) -> None:
    month = 31 * 86_400 * S
    now = [T0]
    with pumps(tmp_path, now=lambda: now[0], keep=86_400.0) as telemetry:
        send(telemetry, 0, 10)
        telemetry.move()
        now[0] = T0 + 3 * month
        later = Frame(
            "http",
            np.array([telemetry.catalogue.id_of("P1", "flow")], np.int32),
            np.array([7.0]),
            np.array([T0 + 3 * month]),
            np.zeros(1, np.int32),
            lambda _: b"",
        )
        assert telemetry.submit(later).result(30).stored == 1
        telemetry.move()
        telemetry.forget()
        assert values(telemetry) == [7.0]


def test_the_age_of_what_is_not_moved_is_told(tmp_path: Path) -> None:
    now = [T0 + 100 * S]
    with pumps(tmp_path, now=lambda: now[0]) as telemetry:
        assert telemetry.status()["move_lag"] == 0
        send(telemetry, 0, 10)
        now[0] += 7 * S
        assert telemetry.status()["move_lag"] == 7
        telemetry.move()
        assert telemetry.status()["move_lag"] == 0


def test_staleness_is_known_at_the_start_before_anything_is_sent(tmp_path: Path) -> None:
    with pumps(tmp_path) as telemetry:
        send(telemetry, 0, 10)
    with pumps(tmp_path) as telemetry:
        assert telemetry.catalogue.of(0).model == ""
        deadline = time.monotonic() + 10
        while telemetry.follow():
            assert time.monotonic() < deadline
        assert telemetry.catalogue.of(0).model == "dtmi:pumps:Pump;1"
