"""The demo's plant, as it ships: models, dependencies, topology, variables and recorded runs.

Made by `examples/plant/build.py`; see README.md here for the origin.
"""

from __future__ import annotations

import csv
import io
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

ROWS = "plant.ndjson"
DEPENDENCIES = "plant.dependencies.yaml"
VARIABLES = "plant-variables.csv"
PLANT = "TE-plant"
MODEL = "dtmi:example:plant:ProcessPlant;1"
NORMAL = "d00"
FAULTS = {
    "d06": "fault 6: feed A is lost",
    "d04": "fault 4: the reactor's cooling water comes in warmer",
    "d01": "fault 1: the ratio of A to C in stream 4 changes",
    "d14": "fault 14: the reactor's cooling water valve sticks",
    "d05": "fault 5: the condenser's cooling water comes in warmer",
    "d11": "fault 11: the reactor's cooling water varies at random",
}
"""The recorded faults in the order the demo plays them."""
SAMPLE_SECONDS = 180.0
"""The plant's own time from one sample to the next."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A column of the runs: the twin's or component's address, the telemetry, its unit."""

    variable: str
    twin: str
    name: str
    unit: str


def plant_rows() -> Iterator[bytes]:
    """The whole plant as NDJSON lines, models first, as `twinfall import` takes them."""
    with files(__package__).joinpath(ROWS).open("rb") as lines:
        yield from lines


def plant_documents() -> list[dict[str, Any]]:
    """The plant's DTDL interfaces."""
    rows = (orjson.loads(line) for line in plant_rows())
    return [row for row in rows if row.get("@type") == "Interface"]


def plant_dependencies() -> list[str]:
    """The plant's dependency declarations, as YAML texts."""
    return [files(__package__).joinpath(DEPENDENCIES).read_text(encoding="utf-8")]


def plant_variables() -> list[Variable]:
    """The 52 variables, in the order of the runs' columns."""
    text = files(__package__).joinpath(VARIABLES).read_text(encoding="utf-8")
    rows = csv.reader(io.StringIO(text))
    next(rows)
    return [Variable(*row[:4]) for row in rows]


def plant_run(run: str) -> NDArray[np.float64]:
    """A recorded run, `NORMAL` or one of `FAULTS`: a row per sample, a column per variable."""
    packed = files(__package__).joinpath(f"plant-{run}.csv.xz").read_bytes()
    lines = lzma.decompress(packed).decode().splitlines()[1:]
    return np.array([line.split(",") for line in lines], dtype=np.float64)
