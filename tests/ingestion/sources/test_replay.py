"""Files of readings: what they say, when it is played, and that playing again doubles nothing."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from tests.ingestion.pumps import history
from twinfall.ingestion.decoding.json_rows import decode_rows
from twinfall.ingestion.frame import Frame, Receipt
from twinfall.ingestion.sources.files import Entry, FileForm, entries
from twinfall.ingestion.sources.replay import Played, Replay, play, replay, rows_of
from twinfall.ingestion.telemetry import Telemetry
from twinfall.ontology.errors import BadInput, BadSettings, Unavailable

S = 10**9


def _csv(folder: Path, *lines: str) -> Path:
    path = folder / "readings.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def _parquet(folder: Path, query: str) -> Path:
    path = folder / "readings.parquet"
    with duckdb.connect() as db:
        db.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def _played(telemetry: Telemetry, path: Path, how: Replay | None = None, **more: Any) -> Played:
    return replay(path, telemetry.pipeline, telemetry.catalogue, how, **more)


def test_a_long_file_has_a_reading_a_row(telemetry: Telemetry, tmp_path: Path) -> None:
    path = _csv(
        tmp_path,
        "time,twin,name,value,unit,note",
        "1970-01-01T00:00:01Z,P1,flow,1.5,,x",
        "2000,P1,flow,2,,",
        "1970-01-01T00:00:03.000000001Z,P1/motor,temperature,7,,",
        '4000,P1,mode,"auto, slow",,',
        "5000,P1,mode,12,,",
        "6000,P1,running,True,,",
        "7000,P1,starts,9007199254740993,,",
        "8000,P1,flow,,,empty: no reading",
    )
    played = _played(telemetry, path)
    assert (played.readings, played.stored, dict(played.refused)) == (7, 7, {})
    assert played.until == 7 * S
    assert history(telemetry, "P1", "flow") == [(S, 1.5), (2 * S, 2.0)]
    assert history(telemetry, "P1/motor", "temperature") == [(3 * S + 1, 7.0)]
    latest = telemetry.latest_of(["P1"])["P1"]
    assert latest["mode"].value == "12"  # a text, because the ontology says so
    assert latest["running"].value is True
    assert latest["starts"].value == 2**53 + 1


def test_a_wide_file_has_the_time_first_and_a_reading_a_column(
    telemetry: Telemetry, tmp_path: Path
) -> None:
    path = _csv(tmp_path, "at,P1:flow,P1/motor:temperature", "1000,1,2", "2000,,4", "", "3000,5,")
    assert _played(telemetry, path).stored == 4
    assert history(telemetry, "P1", "flow") == [(S, 1.0), (3 * S, 5.0)]
    assert history(telemetry, "P1/motor", "temperature") == [(S, 2.0), (2 * S, 4.0)]
    path = _csv(tmp_path, "at,flow,pressure", "1000,1,2")
    assert _played(telemetry, path, Replay(form=FileForm(twin="P2"))).stored == 2
    with pytest.raises(BadInput, match="names no twin"):
        _played(telemetry, path)


def test_parquet_keeps_its_nanoseconds_and_its_zone(telemetry: Telemetry, tmp_path: Path) -> None:
    path = _parquet(
        tmp_path,
        'SELECT make_timestamp_ns(1000000001 + i) AS at, i / 2.0 AS "P1:flow", i::DECIMAL(9, 2)'
        ' AS "P1:pressure", i % 2 = 0 AS "P1:running" FROM range(3) t(i)',
    )
    assert dict(_played(telemetry, path).refused) == {"BAD_TIME": 9}  # no zone, and none told
    played = _played(telemetry, path, Replay(form=FileForm(utc=True)))
    assert (played.stored, dict(played.refused)) == (9, {})
    assert history(telemetry, "P1", "flow") == [(S + 1, 0.0), (S + 2, 0.5), (S + 3, 1.0)]
    assert [value for _, value in history(telemetry, "P1", "pressure")] == [0.0, 1.0, 2.0]


def test_a_long_parquet_file_is_read_as_a_long_csv_file(
    telemetry: Telemetry, tmp_path: Path
) -> None:
    path = _parquet(
        tmp_path,
        "SELECT 'P1' AS twin, 'flow' AS name, i::DOUBLE AS value,"
        " TIMESTAMPTZ '1970-01-01 01:00:00+01' + INTERVAL 1 SECOND * i AS time"
        " FROM range(20000) t(i)",
    )
    assert _played(telemetry, path).stored == 20_000
    assert history(telemetry, "P1", "flow")[-1] == (19_999 * S, 19_999.0)


def test_names_of_columns_are_no_part_of_a_query(telemetry: Telemetry, tmp_path: Path) -> None:
    name = 'P1:flow"); DROP TABLE x; --'
    with duckdb.connect() as db:
        quoted = name.replace('"', '""')
        path = tmp_path / "r.parquet"
        db.execute(f"COPY (SELECT 1000 AS at, 1.0 AS \"{quoted}\") TO '{path}' (FORMAT parquet)")
    assert dict(_played(telemetry, path).refused) == {"UNKNOWN_NAME": 1}


def test_playing_a_file_again_doubles_nothing(telemetry: Telemetry, tmp_path: Path) -> None:
    path = _csv(tmp_path, "at,P1:flow", *(f"{i * 1000},{i}" for i in range(40_000)))
    half = threading.Event()
    stopped = _played(telemetry, path, stop=half, progress=lambda _: half.set())
    assert 0 < stopped.stored < 40_000
    for _ in range(2):
        _played(telemetry, path)
    found = history(telemetry, "P1", "flow")  # the newest 10,000
    assert found == [(i * S, float(i)) for i in range(30_000, 40_000)]


def test_what_cannot_be_stored_is_kept_with_its_line(telemetry: Telemetry, tmp_path: Path) -> None:
    path = _csv(
        tmp_path,
        "twin,name,value,time",
        "P1,flow,1,1970-01-01T00:00:01",
        "P1,flow,1,yesterday",
        "P1,flow,1,",
        "P1,flow",
        "P1,flow,fast,1000",
        "P9,flow,1,1000",
        "P1,speed,1,1000",
        "P1,flow,NaN,1000",
        "P1,flow,1e999,1000",
    )
    played = _played(telemetry, path)
    assert played.stored == 0
    assert played.refused == {
        "BAD_TIME": 3,
        "BAD_ROW": 1,
        "BAD_VALUE": 3,
        "UNKNOWN_TWIN": 1,
        "UNKNOWN_NAME": 1,
    }
    letters = telemetry.dead_letters.page()
    assert {"line 2: ", "line 3: ", "line 4: ", "line 5: "} == {
        letter.message[:8] for letter in letters if letter.message.startswith("line")
    }
    kept = next(letter for letter in letters if letter.code == "UNKNOWN_TWIN")
    assert kept.source == "replay"
    assert not decode_rows(kept.raw, telemetry.catalogue).faults  # it can be sent again


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"time\n1\n", "no column holds readings"),
        (b"time,P1:flow,P1:flow\n1,1,1\n", "stands twice"),
        (b"time,P1:flow\n1,\xff\n", "cannot be read"),
        (b'time,P1:flow\n1,"open\n', "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_said(
    telemetry: Telemetry, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=reason) as refused:
        _played(telemetry, path)
    assert refused.value.code == "BAD_FILE"
    assert refused.value.path == str(path)
    broken = tmp_path / "x.parquet"
    broken.write_bytes(content)
    with pytest.raises(BadInput, match="cannot be read"):
        _played(telemetry, broken)
    with pytest.raises(BadInput, match="no such file"):
        _played(telemetry, tmp_path / "nothing.csv")


def test_a_speed_spreads_readings_over_time(tmp_path: Path) -> None:
    path = _csv(tmp_path, "at,P1:flow", *(f"{i * 1000},{i}" for i in range(11)))
    sent: list[tuple[float, list[Entry]]] = []

    def send(batch: Any) -> Future[Receipt]:
        sent.append((time.monotonic(), list(batch)))
        done: Future[Receipt] = Future()
        done.set_result(Receipt(len(batch)))
        return done

    began = time.monotonic()
    play(path, send, Replay(speed=20))
    assert sum(len(batch) for _, batch in sent) == 11
    for at, batch in sent:
        assert at - began >= (batch[0].time - sent[0][1][0].time) / S / 20 - 0.01
    assert [e.time for _, batch in sent for e in batch] == [i * S for i in range(11)]


def test_stamps_from_now_on_keep_the_rhythm_at_the_speed(tmp_path: Path) -> None:
    path = _csv(tmp_path, "at,P1:flow", "5000,1", "6000,2", "9000,3")
    times: list[int] = []

    def send(batch: Any) -> Future[Receipt]:
        times.extend(entry.time for entry in batch)
        done: Future[Receipt] = Future()
        done.set_result(Receipt(len(batch)))
        return done

    before = time.time_ns()
    play(path, send, Replay(speed=100, stamps="now"))
    assert before <= times[0] <= time.time_ns()
    assert [t - times[0] for t in times] == [0, S // 100, 4 * S // 100]


def test_a_play_that_is_stopped_ends_though_the_next_reading_is_far_off(tmp_path: Path) -> None:
    path = _csv(tmp_path, "at,P1:flow", "0,1", "100000000,2")
    stop = threading.Event()
    done: Future[Receipt] = Future()
    done.set_result(Receipt(1))
    thread = threading.Timer(0.1, stop.set)
    thread.start()
    assert play(path, lambda _: done, Replay(speed=1), stop=stop).readings == 1
    thread.join()


@pytest.mark.parametrize("how", [Replay(speed=0), Replay(speed=-1), Replay(stamps="now")])
def test_a_speed_that_is_none_is_said(telemetry: Telemetry, tmp_path: Path, how: Replay) -> None:
    with pytest.raises(BadSettings):
        _played(telemetry, _csv(tmp_path, "at,P1:flow", "0,1"), how)


def test_a_pipeline_that_is_full_is_waited_for_and_a_full_disk_is_said(
    telemetry: Telemetry, tmp_path: Path
) -> None:
    class Full:
        def __init__(self, code: str) -> None:
            self.left, self.code = 3, code

        def submit(self, frame: Frame) -> Future[Receipt]:
            self.left -= 1
            if self.left == 2:
                raise Unavailable("full", code=self.code)
            if self.left == 1:
                failed: Future[Receipt] = Future()
                failed.set_exception(Unavailable("full", code=self.code))
                return failed
            return telemetry.submit(frame)

    path = _csv(tmp_path, "at,P1:flow", "0,1", "1000,2")
    assert replay(path, Full("OVERLOADED"), telemetry.catalogue).stored == 2
    with pytest.raises(Unavailable, match="full"):
        replay(path, Full("DISK_FULL"), telemetry.catalogue)


def test_entries_are_rows_for_a_server_elsewhere(telemetry: Telemetry, tmp_path: Path) -> None:
    path = _csv(
        tmp_path, "twin,name,value,time", "P1,flow,1.5,1000", "P1,mode,a,2000", "P1,flow,1,"
    )
    rows = rows_of(list(entries(path, FileForm())))
    assert [orjson.loads(line).get("value") for line in rows.split(b"\n")] == [1.5, "a", None]
    receipt = telemetry.submit(decode_rows(rows, telemetry.catalogue)).result(30)
    assert receipt.stored == 2
    assert [b"line 4: has no time" in fault.raw for fault in receipt.refused] == [True]
    assert history(telemetry, "P1", "flow") == [(S, 1.5)]
