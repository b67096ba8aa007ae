"""History: how fast readings are kept, how small they are, how soon a service is ready again.

Run with `python -m benchmarks.history`. DuckDB alone, inserting the same columns, stands beside the
pipeline; InfluxDB and brokers are in `benchmarks.ingest`.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.measure import machine, measure
from twinfall.api.demo.plant import plant_run
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import TwinInput
from twinfall.ingestion.frame import Frame
from twinfall.ingestion.history import Window
from twinfall.ingestion.telemetry import Telemetry

SERIES, READINGS, FRAME = 10_000, 10_000_000, 50_000
PLANT_READINGS = 2_000_000
RUNS = ("d00", "d01", "d04", "d05", "d06", "d11", "d14")
START = 1_500_000_000 * 10**9
STEP = 10**9
MODEL = {
    "@context": "dtmi:dtdl:context;3",
    "@id": "dtmi:bench:Sensor;1",
    "@type": "Interface",
    "contents": [{"@type": "Telemetry", "name": "value", "schema": "double"}],
}


def frames(telemetry: Telemetry, jitter: bool) -> list[Frame]:
    """READINGS readings of SERIES sensors, a second apart; with jitter at irregular ms."""
    dice = np.random.default_rng(7)
    series = np.array([telemetry.catalogue.find(f"S{i}", "value") for i in range(SERIES)], np.int32)
    found = []
    for start in range(0, READINGS, FRAME):
        at = np.arange(start, start + FRAME)
        times = START + at // SERIES * STEP
        if jitter:
            times = times + dice.integers(0, 900, FRAME) * 10**6
        values = np.round(50 + 5 * np.sin(at / SERIES / 60) + dice.normal(0, 0.5, FRAME), 2)
        rows = np.arange(FRAME, dtype=np.int32)
        found.append(Frame("http", series[at % SERIES], values, times, rows, lambda _: b""))
    return found


def kept(folder: Path, jitter: bool) -> tuple[float, float, float, float]:
    """Readings a second acknowledged and moved, bytes a reading, seconds to be ready again."""
    with closing(SQLiteStore(":memory:", holder="bench")) as store:
        graph = Graph(store)
        graph.load_models([MODEL])
        for start in range(0, SERIES, 1000):
            twins = [TwinInput(f"S{i}", "Sensor", {}) for i in range(start, start + 1000)]
            graph.write_twins(twins)
        with closing(Telemetry(folder, graph, background=False)) as telemetry:
            telemetry.catalogue.learn([(f"S{i}", "value") for i in range(SERIES)])
            made = frames(telemetry, jitter)
            began = time.perf_counter()
            for frame in made:
                telemetry.submit(frame).result()
            taken = READINGS / (time.perf_counter() - began)
            began = time.perf_counter()
            telemetry.move()
            moved = READINGS / (time.perf_counter() - began)
            if not jitter:
                _asked(telemetry)
        size = sum(p.stat().st_size for p in (folder / "history").iterdir()) / READINGS
        began = time.perf_counter()
        with closing(Telemetry(folder, graph)) as telemetry:
            ready = time.perf_counter() - began
            assert telemetry.latest_of(["S7"])["S7"]["value"].time >= START
            assert telemetry.history.count() == READINGS
    return taken, moved, size, ready


_QUESTIONS: list[str] = []


def _asked(telemetry: Telemetry) -> None:
    one = [telemetry.catalogue.find("S7", "value")]
    many = [telemetry.catalogue.find(f"S{i}", "value") for i in range(5_000)]
    end = START + READINGS // SERIES * STEP
    questions = {
        "one series, 1,000 points to 200 (LTTB)": Window(one, START, end, points=200, fn="lttb"),
        "one series, buckets of a minute": Window(one, START, end, every=60 * STEP, fn="avg"),
        "100 series, buckets of a minute": Window(
            many[:100], START, end, every=60 * STEP, fn="avg"
        ),
    }
    for name, window in questions.items():
        figure = measure(name, lambda w=window: telemetry.read(w), count=20, warm=2)  # type: ignore[misc]
        _QUESTIONS.append(f"| {name} | {figure.p50:.0f} ms | p99 {figure.p99:.0f} ms |")
    window = Window(many, START, end, every=60 * STEP, fn="avg")
    figure = measure(
        "5,000 series as one line", lambda: telemetry.aggregate(window), count=3, warm=1
    )
    _QUESTIONS.append(f"| {figure.name} | {figure.p50:.0f} ms | p99 {figure.p99:.0f} ms |")


def plant_bytes(folder: Path) -> float:
    """Bytes a reading of the Tennessee Eastman plant's seven runs, 52 sensors, over and over until
    there are two million, each run three minutes a sample as in its source.
    """
    runs = np.vstack([plant_run(run) for run in RUNS])
    count = PLANT_READINGS // runs.shape[1]
    with closing(SQLiteStore(":memory:", holder="bench")) as store:
        graph = Graph(store)
        graph.load_models([MODEL])
        sensors = [f"S{i}" for i in range(runs.shape[1])]
        graph.write_twins([TwinInput(sensor, "Sensor", {}) for sensor in sensors])
        with closing(Telemetry(folder, graph, background=False)) as telemetry:
            telemetry.catalogue.learn([(sensor, "value") for sensor in sensors])
            series = np.array([telemetry.catalogue.find(s, "value") for s in sensors], np.int32)
            for start in range(0, count, 1000):
                at = np.arange(start, min(start + 1000, count))
                times = np.repeat(START + at * 180 * STEP, len(sensors))
                values = runs[at % len(runs)].ravel()
                rows = np.zeros(len(values), np.int32)
                every = np.tile(series, len(at))
                frame = Frame("http", every, values, times, rows, lambda _: b"")
                assert telemetry.submit(frame).result().stored == len(values)
            telemetry.move()
            kept = telemetry.history.count()
    return sum(p.stat().st_size for p in (folder / "history").iterdir()) / kept


def alone(folder: Path) -> float:
    """Readings a second of a bare DuckDB insert of the same columns."""
    dice = np.random.default_rng(7)
    with closing(duckdb.connect(str(folder / "alone.duckdb"))) as db:
        db.execute("CREATE TABLE readings (series INTEGER, time BIGINT, number DOUBLE)")
        began = time.perf_counter()
        for start in range(0, READINGS, 1_000_000):
            at = np.arange(start, start + 1_000_000)
            columns = {
                "series": (at % SERIES).astype(np.int32),
                "time": START + at // SERIES * STEP,
                "number": np.round(dice.normal(50, 5, len(at)), 2),
            }
            db.register("incoming", columns)
            db.execute("INSERT INTO readings SELECT * FROM incoming")
            db.unregister("incoming")
        return READINGS / (time.perf_counter() - began)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="twinfall-bench-") as name:
        folder = Path(name)
        for part in ("regular", "jittered", "plant"):
            (folder / part).mkdir()
        plant = plant_bytes(folder / "plant")
        bare = alone(folder)
        regular = kept(folder / "regular", jitter=False)
        jittered = kept(folder / "jittered", jitter=True)
    print(f"{machine()}\n\n| {READINGS:,} readings of {SERIES:,} series | | |\n|---|---|---|")
    taken, moved, size, ready = regular
    print(f"| judged, committed, visible | {taken:,.0f} readings/s | one sender |")
    print(
        f"| moved into history | {moved:,.0f} readings/s |"
        f" {moved / bare:.2f} × DuckDB alone, {bare:,.0f} |"
    )
    print(f"| bytes a reading on disk, a second apart | {size:.1f} |  |")
    print(f"| bytes a reading on disk, irregular times | {jittered[2]:.1f} |  |")
    print(f"| bytes a reading on disk, Tennessee Eastman plant | {plant:.1f} |  |")
    print(f"| ready again after a restart | {ready:.2f} s | {jittered[3]:.2f} s |")
    print("\n".join(_QUESTIONS))


if __name__ == "__main__":
    main()
