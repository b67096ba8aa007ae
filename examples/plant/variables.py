"""The 52 variables of the process, and what the normal run says of them.

The runs are text files of 52 values a sample: XMEAS(1) to XMEAS(41), then XMV(1) to XMV(11). The
file of the normal run holds a variable a line, the others a sample a line.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
NORMAL = "d00"
FAULTS = ("d01", "d04", "d05", "d06", "d11", "d14")
"""The runs that are shipped; the number is that of the disturbance, IDV."""
SIGMAS = 6.0
"""A variable this many standard deviations off its mean in the normal run is out of its range."""
LOST = 0.05
"""A flow or power below this share of its mean counts as lost."""
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Variable:
    """One column of the runs, and the telemetry that it is here."""

    variable: str
    twin: str
    name: str
    unit: str
    """As the data's own description has it; XMVs in percent."""
    dtdl_unit: str
    description: str


def read_variables() -> list[Variable]:
    """All variables, in the order of the runs' columns."""
    with (HERE / "variables.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return [Variable(*row) for row in rows]


def read_run(folder: Path, run: str) -> NDArray[np.float64]:
    """A run from the folder of the published files: a row per sample, a column per variable."""
    values = np.loadtxt(folder / f"{run}.dat")
    return values.T if len(values) == len(read_variables()) else values


def ranges(normal: NDArray[np.float64]) -> dict[str, tuple[float | None, float]]:
    """The range of each variable from the normal run, rounded outwards.

    No lower end where it would be below zero: a flow or a share cannot be.
    """
    found: dict[str, tuple[float | None, float]] = {}
    for variable, values in zip(read_variables(), normal.T, strict=True):
        mean, spread = float(values.mean()), SIGMAS * float(values.std())
        low = outwards(mean - spread, up=False)
        found[variable.variable] = (low if low > 0 else None, outwards(mean + spread, up=True))
    return found


def outwards(value: float, *, up: bool) -> float:
    """The value with `DIGITS` digits, rounded up or down."""
    step = 10.0 ** (int(np.floor(np.log10(abs(value)))) - DIGITS + 1)
    steps = np.ceil(value / step) if up else np.floor(value / step)
    return float(f"{steps * step:.{DIGITS}g}")


def spreads(normal: NDArray[np.float64]) -> dict[str, float]:
    """One standard deviation of each variable in the normal run, with two digits."""
    rows = zip(read_variables(), normal.T, strict=True)
    return {variable.variable: float(f"{values.std():.2g}") for variable, values in rows}
