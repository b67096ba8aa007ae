"""The learned watch: what it finds on the Tennessee Eastman process, and what scoring costs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.measure import machine
from tests.analytics.detectors import plants, process
from twinfall.analytics.detectors import Column, Detector, Normal, Table, fit
from twinfall.analytics.membership import Asset
from twinfall.analytics.watching import Watch

Learn = Callable[[Sequence[Table]], Detector]
SECONDS = 2.0
"""Each throughput is measured for so long."""
BATCH = 10_000


class Null:
    """A detector that never looks: the same score whatever is read."""

    columns = process.COLUMNS

    def __init__(self, value: float) -> None:
        self.value = value

    def follow(self, twins: Sequence[str]) -> None:
        return None

    def score(self, flock: None, which: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.full(len(rows), self.value)


def null(value: float) -> Learn:
    return lambda _: Null(value)  # type: ignore[return-value]


def permuted_rows(values: process.Floats) -> process.Floats:
    """Whole rows in another order: sensors still belong together, the course of time does not."""
    return values[np.random.default_rng(0).permutation(len(values))]


def detection() -> None:
    """The gate's figures for the detector and for detectors that must fail it."""
    rivals: dict[str, Learn] = {
        "**learned watch**": process.learned,
        "fitted on columns shuffled independently": process.damaged(process.shuffled_columns(0)),
        "fitted on columns shifted in time": process.damaged(process.shifted_columns(0)),
        "fitted on rows in random order": process.damaged(permuted_rows),
        "always alarms": null(2.0),
        "never alarms": null(0.0),
    }
    faults = " | ".join(f"fault {fault}" for fault in process.FAULTS)
    print(f"| detector | false alarms in 500 rows | {faults} | gate | swaps found |")
    print("|---" * (4 + len(process.FAULTS)) + "|")
    for name, learn in rivals.items():
        found = process.false_alarms(learn)
        detector = learn([process.table(process.run(0))])
        delay = process.delays(detector)
        shown = " | ".join("never" if value is None else str(value) for value in delay.values())
        verdict = "passes" if process.passes(found, delay) else "fails"
        # Where a detector alarms all the time, that it alarms says nothing.
        quiet = found[0] <= process.MAX_FALSE_ALARMS
        swaps = f"{process.swaps_found(detector)} of 52" if quiet else "-"
        print(f"| {name} | {found[0]} | {shown} | {verdict} | {swaps} |")
    print(
        "\nFalse alarms: samples at which this score and the one before are above the threshold, "
        "each block of 100 normal rows scored by a detector fitted on the other 400. Faults: "
        "samples from the start of the run to the second of two consecutive scores above the "
        "threshold, warm-up included; no fault was trained on. Swaps: one sensor replays another "
        "hour of the normal run, so that alone it looks normal; found is what then alarms and did "
        "not before. Columns shifted in time keep every sensor's own course and lose only what "
        "belongs together.\n"
    )


def rate(step: Callable[[], int]) -> tuple[float, float]:
    """Readings a second, and the 99th percentile of a call in ms."""
    step()
    taken, readings = [], 0
    start = perf_counter()
    while perf_counter() - start < SECONDS:
        began = perf_counter()
        readings += step()
        taken.append(perf_counter() - began)
    return readings / sum(taken), float(np.percentile(taken, 99) * 1e3)


def scoring(detector: Normal, assets: int) -> Callable[[], int]:
    """One sample of every asset in one call."""
    flock = detector.follow([f"A{at}" for at in range(assets)])
    which = np.arange(assets)
    rows = flock.mean + flock.scale * np.random.default_rng(0).normal(size=flock.mean.shape)

    def step() -> int:
        detector.score(flock, which, rows)
        return rows.size

    return step


def watching(detector: Normal, assets: int, folder: Path) -> Callable[[], int]:
    """Readings by series, as they come from the pipeline, through to alarms: `BATCH` a call."""
    width = len(detector.columns)
    watch = Watch(folder)
    names = [column.name for column in detector.columns]
    watch.bind(lambda series: (f"A{series // width}", names[series % width]))
    watch.follow(detector.model, [Asset(f"A{at}") for at in range(assets)])
    watch.adopt(detector)
    flock = detector.follow(["A0"])
    samples = max(BATCH // (assets * width), 1)
    series = np.tile(np.arange(assets * width, dtype=np.int32), samples)
    chance = np.random.default_rng(0)
    spread = chance.normal(size=(samples * assets, width)) * 0.3
    numbers = (flock.mean[0] + flock.scale[0] * spread).ravel()
    period = np.repeat(np.arange(samples), assets * width)
    clock = iter(range(0, 10**12, samples))

    def step() -> int:
        watch.observe(series, (period + next(clock)) * detector.every, numbers)
        return len(series)

    return step


def fleet(width: int) -> Normal:
    """A detector of a model with so many sensors, all on the twin itself."""
    values = np.hstack([plants.running(at, 400) for at in range(-(-width // 5))])[:, :width]
    columns = tuple(Column("", f"s{at}") for at in range(width))
    return fit(plants.MODEL, [Table("A0", columns, values, 0, plants.SECOND)])


def throughput() -> None:
    print("| | readings/s | p99 of a call, ms | |")
    print("|---|---|---|---|")
    for assets, width in ((1_250, 8), (1, 52)):
        detector = fleet(width)
        what = f"{assets:,} assets of {width} sensors" if assets > 1 else f"one asset of {width}"
        done, slow = rate(scoring(detector, assets))
        print(f"| scoring alone, {what} | {done:,.0f} | {slow:.1f} | {assets * width:,} a call |")
        with tempfile.TemporaryDirectory() as folder:
            done, slow = rate(watching(detector, assets, Path(folder)))
        count = max(BATCH // (assets * width), 1) * assets * width
        print(f"| readings to alarms, {what} | {done:,.0f} | {slow:.1f} | {count:,} a call |")
    start = perf_counter()
    fit(process.MODEL, [process.table(process.run(0))])
    took = perf_counter() - start
    print(f"\nLearning 500 rows of 52 sensors took {took:.2f} s.\n")


def main() -> None:
    print(f"{machine()}\n")
    if process.RUNS.exists():
        detection()
    throughput()


if __name__ == "__main__":
    main()
