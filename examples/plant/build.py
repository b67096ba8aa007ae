"""Make the plant's topology and pack its recorded runs, the same bytes every time.

    python -m examples.plant.build DATA_FOLDER [OUTPUT_FOLDER]
    python -m examples.plant.build --limits DATA_FOLDER

writes `plant.ndjson` (the ontology is in it), the runs `plant-d00.csv.xz`, ..., the dependency
declarations, the variables and the licence of the data. Without OUTPUT_FOLDER it renews the data of
`twinfall demo`. `--limits` prints each variable's range in the normal run instead.
"""

from __future__ import annotations

import argparse
import json
import lzma
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from examples.plant.topology import plant
from examples.plant.variables import (
    FAULTS,
    HERE,
    LOST,
    NORMAL,
    outwards,
    ranges,
    read_run,
    read_variables,
    spreads,
)

DEMO = HERE.parent.parent / "api" / "demo"
ONTOLOGY = HERE / "plant.json"
DEPENDENCIES = HERE / "plant.dependencies.yaml"
VARIABLES = HERE / "variables.csv"
LICENSE = "LICENSE-tennessee-eastman"
DIGITS = 5
"""The published files print eight digits, of which the last three are zeros."""


def pack(values: NDArray[np.float64]) -> bytes:
    """A run as CSV with the variables' names, compressed."""
    names = ",".join(v.variable for v in read_variables())
    rows = (",".join(f"{value:.{DIGITS}g}" for value in row) for row in values)
    text = "\n".join([names, *rows]) + "\n"
    return lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)


def write(folder: Path, output: Path) -> None:
    """Write the plant and what belongs to it."""
    output.mkdir(parents=True, exist_ok=True)
    content = b"".join(plant().lines(json.loads(ONTOLOGY.read_text(encoding="utf-8"))))
    (output / "plant.ndjson").write_bytes(content)
    for run in (NORMAL, *FAULTS):
        packed = pack(read_run(folder, run))
        (output / f"plant-{run}.csv.xz").write_bytes(packed)
        print(f"{run}: {len(packed):,} bytes", file=sys.stderr)
    shutil.copyfile(DEPENDENCIES, output / DEPENDENCIES.name)
    shutil.copyfile(VARIABLES, output / "plant-variables.csv")
    shutil.copyfile(folder / "LICENSE", output / LICENSE)


def limits(normal: NDArray[np.float64]) -> Iterator[str]:
    """What the normal run says of each variable, as it stands in the dependency declarations."""
    found, steps = ranges(normal), spreads(normal)
    for variable, values in zip(read_variables(), normal.T, strict=True):
        low, high = found[variable.variable]
        inside = f"max: {high:.10g}" if low is None else f"min: {low:.10g}, max: {high:.10g}"
        lost = outwards(float(values.mean()) * LOST, up=False)
        failed = f"failed: {{min: {lost:.10g}}}, " if variable.name in ("flow", "work") else ""
        written = f"{{degraded: {{{inside}}}, {failed}hysteresis: {steps[variable.variable]:.10g}}}"
        yield f"{variable.variable} {variable.twin} {variable.name}: {written}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the published files: d00.dat, d01.dat, ...")
    parser.add_argument("output", type=Path, nargs="?", default=DEMO)
    parser.add_argument("--limits", action="store_true", help="print ranges, write nothing")
    given = parser.parse_args(arguments)
    if given.limits:
        print("\n".join(limits(read_run(given.folder, NORMAL))))
    else:
        write(given.folder, given.output)


if __name__ == "__main__":
    main()
