"""What ships is what the source files say, and what the ontology allows."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from examples.city import convert
from tests.examples.conftest import City, rows_of
from twinfall.api.demo import city_dependencies, city_documents, city_queries, city_rows
from twinfall.graph.graph import Graph
from twinfall.ontology import parse, read_dependencies

SHIPPED = Path(convert.DEMO)
BUDGET = 1_500_000
"""Bytes that the demo may add to the package."""

PARTS = {
    "Pump": {"bearing", "impeller"},
    "Motor": {"winding", "bearing"},
    "Transformer": {"winding", "cooling", "tapChanger"},
    "Switch": {"mechanism", "interrupter"},
    "Valve": {"actuator"},
    "Tank": {"shell", "outlet"},
}


def test_the_converter_makes_the_shipped_data_again(source: Path, tmp_path: Path) -> None:
    convert.write(source, tmp_path)
    made = gzip.decompress((tmp_path / "city.ndjson.gz").read_bytes())
    assert made == gzip.decompress((SHIPPED / "city.ndjson.gz").read_bytes())
    for name in ("city.dependencies.yaml", "LICENSE-micropolis"):
        assert (tmp_path / name).read_bytes() == (SHIPPED / name).read_bytes()


def test_the_shipped_ontology_and_dependencies_are_those_of_the_example() -> None:
    assert city_documents() == json.loads(convert.ONTOLOGY.read_text())
    assert city_dependencies() == [convert.DEPENDENCIES.read_text()]


def test_the_demo_stays_within_its_budget() -> None:
    assert sum(f.stat().st_size for f in SHIPPED.rglob("*") if f.is_file()) < BUDGET


def test_water_assets_are_counted_as_in_the_epanet_file(
    city: City, water_file: Mapping[str, list[list[str]]]
) -> None:
    junctions = [row[0] for row in water_file["[JUNCTIONS]"]]
    hydrants = {id for id in junctions if id.startswith("W_JHY")}
    assert set(city.of("Hydrant")) == hydrants
    assert set(city.of("Junction")) == set(junctions) - hydrants
    pipes = {row[0]: row[-1] for row in water_file["[PIPES]"]}
    valves = {id for id in pipes if id.startswith("W_PV")}
    checked = {id for id, status in pipes.items() if status == "CV"}
    assert set(city.of("Valve")) == valves
    assert set(city.of("CheckValvePipe")) == checked
    assert set(city.of("Pipe")) == set(pipes) - valves - checked
    for kind, section in [("Pump", "[PUMPS]"), ("Tank", "[TANKS]"), ("Reservoir", "[RESERVOIRS]")]:
        assert set(city.of(kind)) == {row[0] for row in water_file[section]}


def test_power_assets_are_counted_as_in_the_pandapower_file(
    city: City, power_file: Mapping[str, list[dict[str, Any]]]
) -> None:
    kinds = {
        "bus": "Bus",
        "line": "Line",
        "trafo": "Transformer",
        "switch": "Switch",
        "load": "Load",
        "motor": "Motor",
        "ext_grid": "ExternalGrid",
    }
    for table, kind in kinds.items():
        assert set(city.of(kind)) == {row["name"] for row in power_file[table]}


def test_roads_and_couplings_are_those_of_the_tables(city: City, source: Path) -> None:
    links = rows_of(source / "transportation" / "links_final.csv", "\t")
    assert set(city.of("Road")) == {row["id"].strip() for row in links}
    nodes = rows_of(source / "transportation" / "nodes_final.csv", "\t")
    assert set(city.of("RoadJunction")) == {row["Node"].strip() for row in nodes}
    driven = {
        (r["$sourceId"], r["$targetId"])
        for r in city.relationships
        if r["$relationshipName"] == "drivenBy"
    }
    pairs = rows_of(source / "dependencies.csv", ",")
    assert driven == {(row["water_id"], row["power_id"]) for row in pairs}


def test_every_end_of_pipe_and_branch_is_that_of_the_source(
    city: City,
    water_file: Mapping[str, list[list[str]]],
    power_file: Mapping[str, list[dict[str, Any]]],
) -> None:
    found = {
        (r["$sourceId"], r["end"]): r["$targetId"]
        for r in city.relationships
        if r["$relationshipName"] == "connects"
    }
    expected: dict[tuple[str, str], str] = {}
    for id, start, end, *_, status in water_file["[PIPES]"]:
        if status != "CV":
            expected |= {(id, "from"): start, (id, "to"): end}
    bus = [row["name"] for row in power_file["bus"]]
    for row in power_file["line"]:
        expected |= {(row["name"], "from"): bus[row["from_bus"]]}
        expected |= {(row["name"], "to"): bus[row["to_bus"]]}
    for row in power_file["trafo"]:
        expected |= {(row["name"], "high"): bus[row["hv_bus"]]}
        expected |= {(row["name"], "low"): bus[row["lv_bus"]]}
    for row in power_file["switch"]:
        expected |= {(row["name"], "from"): bus[row["bus"]]}
        expected |= {(row["name"], "to"): bus[row["element"]]}
    assert found == expected


def test_pumps_and_checked_pipes_are_one_way_from_their_first_node(
    city: City, water_file: Mapping[str, list[list[str]]]
) -> None:
    fed = {
        (r["$sourceId"], r["$targetId"])
        for r in city.relationships
        if r["$relationshipName"] == "feeds" and r["$sourceId"].startswith("W_")
    }
    one_way = water_file["[PUMPS]"] + [r for r in water_file["[PIPES]"] if r[-1] == "CV"]
    assert fed == {pair for id, a, b, *_ in one_way for pair in ((a, id), (id, b))}


@pytest.mark.parametrize(("kind", "parts"), PARTS.items())
def test_every_instance_has_its_components(city: City, kind: str, parts: set[str]) -> None:
    instances = city.of(kind)
    assert instances
    for twin in instances.values():
        assert {name for name, value in twin.items() if _is_part(name, value)} == parts
        assert all(len(twin[part]) > 2 for part in parts)  # a name and a figure of its own


def _is_part(name: str, value: object) -> bool:
    return name != "$metadata" and isinstance(value, dict) and "$metadata" in value


def test_every_component_has_a_property_a_telemetry_and_a_declaration() -> None:
    ontology = parse(city_documents())
    dependencies = read_dependencies(city_dependencies(), ontology)
    for kind, parts in PARTS.items():
        interface = ontology.interfaces[f"dtmi:example:city:{kind};1"]
        components = interface.of_kind("Component")
        assert set(components) == parts
        for name, component in components.items():
            assert component.interface is not None
            part = ontology.interfaces[component.interface]
            assert set(part.of_kind("Property")) - {"name"}
            assert part.of_kind("Telemetry")
            assert dependencies.feeds[interface.id][name].dependent == "source"


def test_every_twin_and_relationship_is_taken_by_the_ontology(graph: Graph, city: City) -> None:
    counts = graph.counts()  # the graph's fixture refuses none
    assert sum(counts.twins.values()) == len(city.twins)
    assert counts.relationships == Counter(r["$relationshipName"] for r in city.relationships)


def test_every_twin_has_a_short_name_and_a_place(city: City) -> None:
    for id, twin in city.twins.items():
        assert 0 < len(twin["name"]) <= 24, id
        assert {"x", "y"} <= twin.keys(), id


def test_the_figures_named_in_the_readme_are_those_of_the_data(graph: Graph, city: City) -> None:
    parts = sum(graph.counts().components.values())
    readme = (SHIPPED / "README.md").read_text()
    assert f"{len(city.twins):,} assets ({len(city.twins) + parts:,} with" in readme
    assert f"{len(city.relationships):,} relationships" in readme
    tank = city.twins["W_T1"]
    example = (convert.HERE / "README.md").read_text()
    assert tank["autonomy"] == "PT5H36M"
    assert "5 h 36 min" in example
    assert f"{round(tank['usableVolume'], -2):,.0f} gallons" in example


def test_the_rows_come_models_first_and_end_with_relationships() -> None:
    sections = [json.loads(line)["Section"] for line in city_rows() if b'"Section"' in line[:12]]
    assert sections == ["Header", "Models", "Twins", "Relationships"]


def test_every_query_to_begin_with_has_a_title_and_a_name() -> None:
    queries = city_queries()
    assert len(queries) == 3
    for title, text in queries:
        assert title
        assert io.StringIO(text).readlines()[1].startswith("query ")
