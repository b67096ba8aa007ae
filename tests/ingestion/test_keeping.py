"""What the pipeline promises, held to a plain model: each reading is stored or refused, latest only
moves forward, history has each once, and a restart changes nothing.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingestion.pumps import DOCUMENTS, PUMP, TWINS, pumps
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import TwinInput
from twinfall.ingestion import pipeline as pipeline_module
from twinfall.ingestion.decoding.json_rows import decode_rows
from twinfall.ingestion.frame import Receipt
from twinfall.ingestion.history import Window
from twinfall.ingestion.telemetry import Telemetry
from twinfall.ontology.errors import Unavailable

BASE = 1_760_000_000_000
FAR = BASE + 10**12
Row = dict[str, Any]


def send(telemetry: Telemetry, rows: list[Row]) -> Receipt:
    frame = decode_rows(orjson.dumps(rows), telemetry.catalogue)
    return telemetry.submit(frame).result(20)


def history(telemetry: Telemetry, twin: str, name: str) -> list[tuple[int, float]]:
    series = telemetry.catalogue.id_of(twin, name)
    if series < 0:
        return []
    [points] = telemetry.read(Window([series], 0, 2**62, limit=100_000))
    return list(zip(points.times.tolist(), points.values.tolist(), strict=True))


good = st.fixed_dictionaries(
    {
        "twin": st.sampled_from(["P1", "P2"]),
        "name": st.sampled_from(["flow", "pressure"]),
        "value": st.integers(-5, 5),
        "time": st.integers(0, 12).map(lambda n: BASE + n),
    }
)
BAD: tuple[Row, ...] = (
    {"twin": "P9", "name": "flow", "value": 1, "time": BASE},
    {"twin": "P1", "name": "depth", "value": 1, "time": BASE},
    {"twin": "P1", "name": "flow", "value": "much", "time": BASE},
    {"twin": "P1", "name": "flow", "value": 1, "time": FAR},
    {"twin": "P1", "name": "flow", "value": 1, "time": BASE, "unit": "furlong"},
)
bad = st.sampled_from(BAD)
steps = st.lists(
    st.one_of(
        st.lists(st.one_of(good, good, good, bad), min_size=1, max_size=8),
        st.sampled_from(["move", "restart"]),
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(steps=steps)
def test_every_reading_is_stored_once_or_refused_whatever_happens_between(
    steps: list[Any],
) -> None:
    kept: dict[tuple[str, str], dict[int, float]] = {}
    refused = 0
    with (
        tempfile.TemporaryDirectory() as name,
        closing(SQLiteStore(":memory:", holder="tests")) as store,
    ):
        graph = Graph(store)
        graph.load_models(DOCUMENTS)
        graph.write_twins([TwinInput(id_, PUMP, {"motor": {}}) for id_ in TWINS])
        telemetry = Telemetry(Path(name), graph, background=False)
        for step in steps:
            if step == "move":
                telemetry.move()
            elif step == "restart":
                telemetry.close()
                telemetry = Telemetry(Path(name), graph, background=False)
            else:
                receipt = send(telemetry, step)
                wrong = {fault.row for fault in receipt.refused}
                assert receipt.stored + len(receipt.refused) == len(step)
                refused += len(wrong)
                for i, row in enumerate(step):
                    if i not in wrong:
                        series = kept.setdefault((row["twin"], row["name"]), {})
                        series.setdefault(row["time"] * 10**6, float(row["value"]))
                    else:
                        assert row in BAD
        for (twin, reading), values in kept.items():
            assert history(telemetry, twin, reading) == sorted(values.items())
            latest = telemetry.latest_of([twin])[twin][reading]
            assert (latest.time, latest.value) == max(values.items())
        assert sum(telemetry.dead_letters.count().values()) == refused
        telemetry.close()


def test_a_full_disk_acknowledges_nothing_and_goes_on_when_there_is_room(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline_module, "CALM_SECONDS", 0.01)
    send(telemetry, [{"twin": "P1", "name": "flow", "value": 1, "time": BASE}])
    pages = telemetry.journal.db.execute("PRAGMA page_count").fetchone()[0]
    telemetry.journal.db.execute(f"PRAGMA max_page_count = {pages}")
    rows = [{"twin": "P1", "name": "flow", "value": i, "time": BASE + 1 + i} for i in range(5_000)]

    with pytest.raises(Unavailable) as caught:
        send(telemetry, rows)

    assert caught.value.code == "DISK_FULL"
    assert telemetry.latest_of(["P1"])["P1"]["flow"].value == 1.0
    assert history(telemetry, "P1", "flow") == [(BASE * 10**6, 1.0)]
    telemetry.journal.db.execute("PRAGMA max_page_count = 1000000")
    assert send(telemetry, rows).stored == 5_000
    assert len(history(telemetry, "P1", "flow")) == 5_001


def test_a_full_disk_refuses_the_first_reading_of_a_twin_as_any_other(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline_module, "CALM_SECONDS", 0.01)
    twins = [f"P-{n}-{'x' * 100}" for n in range(100)]
    telemetry.graph.write_twins([TwinInput(twin, PUMP, {"motor": {}}) for twin in twins])
    send(telemetry, [{"twin": "P1", "name": "flow", "value": 1, "time": BASE}])
    pages = telemetry.journal.db.execute("PRAGMA page_count").fetchone()[0]
    telemetry.journal.db.execute(f"PRAGMA max_page_count = {pages}")
    rows = [{"twin": twin, "name": "flow", "value": 1, "time": BASE} for twin in twins]

    with pytest.raises(Unavailable) as caught:
        send(telemetry, rows)

    assert caught.value.code == "DISK_FULL"
    telemetry.journal.db.execute("PRAGMA max_page_count = 1000000")
    assert send(telemetry, rows).stored == 100


def test_while_the_store_is_away_what_it_said_last_holds(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"twin": "P1", "name": "flow", "value": 1, "time": BASE},
        {"twin": "P9", "name": "flow", "value": 1, "time": BASE},
    ]
    assert send(telemetry, rows).stored == 1

    def away(_ids: object) -> Any:
        raise Unavailable("the store is away")

    monkeypatch.setattr(telemetry.graph.store, "nodes", away)
    telemetry.catalogue.forget()

    receipt = send(telemetry, [row | {"time": BASE + 1} for row in rows])
    assert (receipt.stored, [f.code for f in receipt.refused]) == (1, ["UNKNOWN_TWIN"])
    with pytest.raises(Unavailable):
        send(telemetry, [{"twin": "P8", "name": "flow", "value": 1, "time": BASE}])


def test_a_kill_after_the_receipt_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pumps(tmp_path / "a") as telemetry:
        send(telemetry, [{"twin": "P1", "name": "flow", "value": 7, "time": BASE}])
        # What a killed process leaves: its files as they are at this moment.
        (tmp_path / "b").mkdir()
        for path in (tmp_path / "a").glob("journal.sqlite*"):
            (tmp_path / "b" / path.name).write_bytes(path.read_bytes())
    with pumps(tmp_path / "b") as again:
        assert again.latest_of(["P1"])["P1"]["flow"].value == 7.0
        assert history(again, "P1", "flow") == [(BASE * 10**6, 7.0)]


def test_a_reading_without_a_time_has_that_of_its_receipt(telemetry: Telemetry) -> None:
    before = time.time_ns()
    send(telemetry, [{"twin": "P1", "name": "flow", "value": 7}])
    reading = telemetry.latest_of(["P1"])["P1"]["flow"]
    assert before <= reading.time <= time.time_ns()
    assert reading.untimed
