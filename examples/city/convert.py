"""Convert the city's source files to twins and relationships, the same bytes every time.

    python -m examples.city.convert MICROPOLIS_FOLDER [OUTPUT_FOLDER]

writes `city.ndjson.gz` (the ontology is in it) with the dependency declarations and the licence of
the source files beside it. Without OUTPUT_FOLDER it renews the data of `twinfall demo`.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from examples.city.power import add_power, read_pandapower
from examples.city.rows import Rows
from examples.city.water import add_water, read_epanet

HERE = Path(__file__).parent
DEMO = HERE.parent.parent / "api" / "demo"
ONTOLOGY = HERE / "city.json"
DEPENDENCIES = HERE / "city.dependencies.yaml"
COMPRESSION = 9


def city(folder: Path) -> Iterator[bytes]:
    """The city as NDJSON lines, models first."""
    rows = Rows()
    add_water(rows, read_epanet(folder / "water" / "water.inp"))
    _say("water", rows)
    add_power(rows, read_pandapower(folder / "power" / "power.json"))
    _say("power", rows)
    for row in _table(folder / "dependencies.csv", ","):
        rows.relate(row["water_id"], "drivenBy", row["power_id"])
    _add_roads(rows, folder / "transportation")
    _say("roads", rows)
    return rows.lines(json.loads(ONTOLOGY.read_text(encoding="utf-8")))


def _add_roads(rows: Rows, folder: Path) -> None:
    for row in _table(folder / "nodes_final.csv", "\t"):
        id, place = row["Node"], (float(row["X"]), float(row["Y"]))
        rows.twin(id, "RoadJunction", {"name": f"Road junction {id[3:]}"}, place)
    for row in _table(folder / "links_final.csv", "\t"):
        id, start, end = row["id"], row["Init node"], row["Term node"]
        values: dict[str, Any] = {
            "name": f"Road {id[3:]}",
            "capacity": float(row["Capacity"]),
            "length": float(row["Length"]),
            "freeFlowTime": float(row["Free Flow Time"]),
            "speedLimit": float(row["Speed limit"]),
        }
        rows.twin(id, "Road", values, rows.between(start, end))
        rows.relate(id, "startsAt", start)
        rows.relate(id, "endsAt", end)


def _table(path: Path, delimiter: str) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, delimiter=delimiter):
            yield {key.strip(): value.strip() for key, value in row.items() if key and value}


def _say(what: str, rows: Rows) -> None:
    counts = f"{len(rows.twins)} twins, {len(rows.relationships)} relationships"
    print(f"{what}: {counts} so far", file=sys.stderr)


def write(folder: Path, output: Path) -> None:
    """Write the city and what belongs to it; the archive holds no time stamp."""
    output.mkdir(parents=True, exist_ok=True)
    content = b"".join(city(folder))
    (output / "city.ndjson.gz").write_bytes(gzip.compress(content, COMPRESSION, mtime=0))
    shutil.copyfile(DEPENDENCIES, output / DEPENDENCIES.name)
    shutil.copyfile(folder / "LICENSE", output / "LICENSE-micropolis")
    print(f"{output}: {len(content):,} bytes before compression", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the unpacked Micropolis files")
    parser.add_argument("output", type=Path, nargs="?", default=DEMO)
    arguments = parser.parse_args()
    write(arguments.folder, arguments.output)


if __name__ == "__main__":
    main()
