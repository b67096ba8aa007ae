"""The power network: a pandapower file to twins and relationships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from examples.city.rows import Rows, part

SUBSTATION = "P_SS1"
SUBSTATION_PARTS = ("P_TF0", "P_B1000", "P_B1001")
"""The files have no substation as such; this is where the city meets the transmission grid."""

Table = dict[int, dict[str, Any]]


def read_pandapower(path: Path) -> dict[str, Table]:
    """The file's tables, each its rows by index."""
    tables = {}
    for name, item in json.loads(path.read_text(encoding="utf-8"))["_object"].items():
        if isinstance(item, dict) and item.get("_class") == "DataFrame":
            frame = json.loads(item["_object"])
            rows = (dict(zip(frame["columns"], row, strict=True)) for row in frame["data"])
            tables[name] = dict(zip(frame["index"], rows, strict=True))
    return tables


def add_power(rows: Rows, tables: dict[str, Table]) -> None:
    """Add buses, the external grid, lines, transformers, switches, loads, motors, substation."""
    bus = {index: row["name"] for index, row in tables["bus"].items()}
    for index, row in tables["bus"].items():
        values = {"name": f"Bus {row['name'][3:]}", "nominalVoltage": row["vn_kv"]}
        rows.twin(row["name"], "Bus", values, _place(tables, "bus_geodata", index))
    _external_grids(rows, tables, bus)
    for row in tables["line"].values():
        _line(rows, row, bus)
    for row in tables["trafo"].values():
        _transformer(rows, row, bus)
    for row in tables["switch"].values():
        _switch(rows, row, tables["bus"])
    for index, row in tables["load"].items():
        _load(rows, row, bus, _place(tables, "loads_geodata", index))
    for index, row in tables["motor"].items():
        _motor(rows, row, tables["bus"], _place(tables, "pumps_geodata", index))
    x, y = rows.places["P_TF0"]
    rows.twin(SUBSTATION, "Substation", {"name": "Substation 1"}, (x, y))
    for contained in SUBSTATION_PARTS:
        rows.relate(SUBSTATION, "contains", contained)


def _place(tables: dict[str, Table], table: str, index: int) -> tuple[float, float]:
    row = tables[table][index]
    return float(row["x"]), float(row["y"])


def _external_grids(rows: Rows, tables: dict[str, Table], bus: dict[int, str]) -> None:
    for index, row in tables["ext_grid"].items():
        values = {
            "name": f"External grid {row['name'][4:]}",
            "voltageSetPoint": row["vm_pu"],
            "shortCircuitPower": row["s_sc_max_mva"],
        }
        place = _place(tables, "ext_grid_geodata", index)
        rows.twin(row["name"], "ExternalGrid", values, place)
        rows.relate(row["name"], "feeds", bus[row["bus"]])


def _branch(rows: Rows, id: str, kind: str, values: dict[str, Any], ends: dict[str, str]) -> None:
    one, other = ends.values()
    rows.twin(id, kind, values, rows.between(one, other))
    for end, bus in ends.items():
        rows.relate(id, "connects", bus, end=end)


def _line(rows: Rows, row: dict[str, Any], bus: dict[int, str]) -> None:
    values = {
        "name": f"Line {row['name'][3:]}",
        "length": row["length_km"],
        "resistancePerKilometre": row["r_ohm_per_km"],
        "reactancePerKilometre": row["x_ohm_per_km"],
        "maximumCurrent": row["max_i_ka"],
    }
    ends = {"from": bus[row["from_bus"]], "to": bus[row["to_bus"]]}
    _branch(rows, row["name"], "Line", values, ends)


def _transformer(rows: Rows, row: dict[str, Any], bus: dict[int, str]) -> None:
    name = f"Transformer {row['name'][4:]}"
    winding = {"shortCircuitVoltage": row["vk_percent"], "shortCircuitLoss": row["vkr_percent"]}
    tap = {"position": "tap_pos", "lowest": "tap_min", "highest": "tap_max"}
    values = {
        "name": name,
        "ratedPower": row["sn_mva"],
        "highVoltage": row["vn_hv_kv"],
        "lowVoltage": row["vn_lv_kv"],
        "winding": part(f"{name} winding", **winding),
        "cooling": part(f"{name} cooling", noLoadLoss=row["pfe_kw"]),
        "tapChanger": part(
            f"{name} tap changer",
            **{ours: row[theirs] for ours, theirs in tap.items()},
            step=row["tap_step_percent"],
        ),
    }
    ends = {"high": bus[row["hv_bus"]], "low": bus[row["lv_bus"]]}
    _branch(rows, row["name"], "Transformer", values, ends)


def _switch(rows: Rows, row: dict[str, Any], buses: Table) -> None:
    if row["et"] != "b":
        raise ValueError(f"{row['name']}: only switches between two buses are known here")
    name = f"Switch {row['name'][3:]}"
    one, other = buses[row["bus"]], buses[row["element"]]
    values = {
        "name": name,
        "closed": row["closed"],
        "mechanism": part(f"{name} mechanism", kind=row["type"]),
        "interrupter": part(f"{name} interrupter", ratedVoltage=one["vn_kv"]),
    }
    _branch(rows, row["name"], "Switch", values, {"from": one["name"], "to": other["name"]})


def _load(rows: Rows, row: dict[str, Any], bus: dict[int, str], place: tuple[float, float]) -> None:
    values = {
        "name": f"Load {row['name'][4:]}",
        "activePower": row["p_mw"],
        "reactivePower": row["q_mvar"],
        "customers": 1,
    }
    rows.twin(row["name"], "Load", values, place)
    rows.relate(bus[row["bus"]], "feeds", row["name"])


def _motor(rows: Rows, row: dict[str, Any], buses: Table, place: tuple[float, float]) -> None:
    name = f"Motor {row['name'][4:]}"
    supply = buses[row["bus"]]
    values = {
        "name": name,
        "ratedPower": row["pn_mech_mw"],
        "powerFactor": row["cos_phi"],
        "efficiency": row["efficiency_percent"],
        "winding": part(f"{name} winding", ratedVoltage=supply["vn_kv"]),
        "bearing": part(f"{name} bearing", shaft="motor"),
    }
    rows.twin(row["name"], "Motor", values, place)
    rows.relate(supply["name"], "feeds", row["name"])
