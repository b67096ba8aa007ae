"""The plant: its ontology, its variables, its limits and what ships of its runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from examples.plant import build
from examples.plant.topology import plant
from examples.plant.variables import FAULTS, NORMAL, ranges, read_run, read_variables, spreads
from tests.examples.plant_data import source
from twinfall.ontology import Ontology, parse, read_dependencies
from twinfall.ontology.declarations import Dependencies

UNITS = {
    "kPa gauge": "kilopascal",
    "Deg C": "degreeCelsius",
    "kg/hr": "kilogramPerHour",
    "m3/hr": "cubicMetrePerHour",
    "kW": "kilowatt",
    "Mole %": "percent",
}
"""The units of the data's description that DTDL has."""


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return parse([build.ONTOLOGY.read_text()])


@pytest.fixture(scope="module")
def dependencies(ontology: Ontology) -> Dependencies:
    return read_dependencies([build.DEPENDENCIES.read_text()], ontology)


@pytest.fixture(scope="module")
def models() -> dict[str, str]:
    """The model of every twin and component that has a variable, by address."""
    documents = {d["@id"]: d for d in json.loads(build.ONTOLOGY.read_text())}
    found = {row["$dtId"]: row["$metadata"]["$model"] for row in plant().twins}
    for address in {v.twin for v in read_variables() if "/" in v.twin}:
        owner, _, name = address.partition("/")
        parts = documents[found[owner]]["contents"]
        found[address] = next(c["schema"] for c in parts if c.get("name") == name)
    return found


def described(folder: Path) -> list[tuple[str, str, str]]:
    """Variable, description and unit as the data's own description lists them."""
    text = (folder / "README.md").read_text()
    row = r"^\s*`(XM\w+\(\d+\))`\s*\|\s*([^|\n]+?)\s*(?:\|\s*(\S[^\n]*?))?\s*$"
    rows: list[tuple[str, str, str]] = re.findall(row, text, re.MULTILINE)
    return [row for row in rows if row[0] != "XMV(12)"]


def test_the_variables_are_those_of_the_data_in_the_order_of_its_columns() -> None:
    names = [v.variable for v in read_variables()]
    assert names == [f"XMEAS({i})" for i in range(1, 42)] + [f"XMV({i})" for i in range(1, 12)]
    assert len({(v.twin, v.name) for v in read_variables()}) == 52


def test_units_are_those_of_the_datas_description_and_valves_are_in_percent() -> None:
    told = {variable: unit for variable, _, unit in described(source())}
    assert len(told) == 52
    for v in read_variables():
        if v.variable.startswith("XMV"):
            assert v.unit == "%"
        elif int(v.variable[6:-1]) >= 23:
            assert v.unit == "Mole %"
        else:
            assert v.unit == told[v.variable]


def test_every_variable_is_a_telemetry_of_its_twin_with_its_unit(
    ontology: Ontology, models: dict[str, str]
) -> None:
    for v in read_variables():
        content = ontology.interfaces[models[v.twin]].contents[v.name]
        assert content.kind == "Telemetry"
        assert v.dtdl_unit == UNITS.get(v.unit, "")
        assert content.unit == (v.dtdl_unit or None)
        if not v.dtdl_unit:
            assert content.display_name["en"].endswith(f", {v.unit}")


def limit_of(dependencies: Dependencies, model: str, name: str) -> Any:
    return dependencies.assets[model].limits[name]


def test_the_ranges_declared_are_those_of_the_normal_run(
    dependencies: Dependencies, models: dict[str, str]
) -> None:
    normal = read_run(source(), NORMAL)
    found, steps = ranges(normal), spreads(normal)
    for v in read_variables():
        if v.name == "position":
            continue
        limit = limit_of(dependencies, models[v.twin], v.name)
        low, high = found[v.variable]
        assert (limit["degraded"].get("min"), limit["degraded"]["max"]) == (low, high), v
        assert limit["hysteresis"] == steps[v.variable], v


def outside(limit: Any, values: Any) -> Any:
    low, high = limit.get("min", -np.inf), limit.get("max", np.inf)
    return (values < low) | (values > high)


def test_the_normal_run_raises_no_limit(dependencies: Dependencies, models: dict[str, str]) -> None:
    for v, values in zip(read_variables(), read_run(source(), NORMAL).T, strict=True):
        limit = limit_of(dependencies, models[v.twin], v.name)
        for level in ("degraded", "failed"):
            assert not outside(limit.get(level, {}), values).any(), (v, level)


def test_the_loss_of_feed_a_is_failed_at_once_and_the_reactor_trips_when_the_plant_does(
    dependencies: Dependencies, models: dict[str, str]
) -> None:
    run = read_run(source(), "d06")
    columns = {v.variable: values for v, values in zip(read_variables(), run.T, strict=True)}
    feed = limit_of(dependencies, models["TE-stream-1"], "flow")["failed"]
    assert outside(feed, columns["XMEAS(1)"]).all()
    pressure = limit_of(dependencies, models["TE-reactor"], "pressure")["failed"]
    tripped = outside(pressure, columns["XMEAS(7)"])
    first = int(np.argmax(tripped))
    assert tripped[first:].all()
    autonomy = dependencies.feeds[models["TE-stream-1"]]["flowsTo"].autonomy
    assert autonomy == (first + 1) * 180


def test_what_ships_is_what_the_builder_makes(tmp_path: Path) -> None:
    build.write(source(), tmp_path)
    made = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    build.write(source(), tmp_path)
    assert made == {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert {name: (build.DEMO / name).read_bytes() for name in made} == made
    assert len(made) == 4 + 1 + len(FAULTS)
