"""The water network: an EPANET input file to twins and relationships.

Figures keep the file's US units, which the ontology declares. What the file calls a pipe is here a
valve (`W_PV*`), a pipe with a check valve (status CV), or a pipe.
"""

from __future__ import annotations

import math
from pathlib import Path

from examples.city.rows import Point, Rows, part

GALLONS_PER_CUBIC_FOOT = 7.48051948
VALVE = "W_PV"
HYDRANT = "W_JHY"

Sections = dict[str, list[list[str]]]


def read_epanet(path: Path) -> Sections:
    """The file's sections, each a list of rows of words; comments are dropped."""
    sections: Sections = {}
    rows: list[list[str]] = []
    for raw in path.read_text(encoding="utf-8").splitlines():
        text = raw.split(";", 1)[0].strip()
        if text.startswith("["):
            rows = sections.setdefault(text.strip("[]"), [])
        elif text:
            rows.append(text.split())
    return sections


def add_water(rows: Rows, sections: Sections) -> None:
    """Add every junction, reservoir, tank, pipe, valve and pump."""
    places = {row[0]: (float(row[1]), float(row[2])) for row in sections["COORDINATES"]}
    for row in sections["JUNCTIONS"]:
        _junction(rows, row, places[row[0]])
    for id, head, *_ in sections["RESERVOIRS"]:
        values = {"name": f"Reservoir {id[3:]}", "elevation": float(head), "head": float(head)}
        rows.twin(id, "Reservoir", values, places[id])
    for row in sections["TANKS"]:
        _tank(rows, row, sections, places[row[0]])
    for row in sections["PIPES"]:
        _conduit(rows, row)
    for row in sections["PUMPS"]:
        _pump(rows, row, sections)


def _junction(rows: Rows, row: list[str], place: Point) -> None:
    id, elevation, demand, *pattern = row
    hydrant = id.startswith(HYDRANT)
    values = {
        "name": f"Hydrant {id[5:]}" if hydrant else f"Junction {id[3:]}",
        "elevation": float(elevation),
        "baseDemand": float(demand),
        "demandPattern": pattern[0] if pattern else None,
        "customers": 1 if float(demand) > 0 else 0,
    }
    rows.twin(id, "Hydrant" if hydrant else "Junction", values, place)


def _tank(rows: Rows, row: list[str], sections: Sections, place: Point) -> None:
    """The autonomy is the usable volume over the city's whole base demand, in whole minutes."""
    id = row[0]
    elevation, initial, lowest, highest, diameter = (float(word) for word in row[1:6])
    volume = math.pi / 4 * diameter**2 * (initial - lowest) * GALLONS_PER_CUBIC_FOOT
    demand = sum(float(junction[2]) for junction in sections["JUNCTIONS"])
    hours, minutes = divmod(int(volume / demand), 60)
    bore = next(float(pipe[4]) for pipe in sections["PIPES"] if id in pipe[1:3])
    name = f"Tank {id[3:]}"
    values = {
        "name": name,
        "elevation": elevation,
        "diameter": diameter,
        "initialLevel": initial,
        "minimumLevel": lowest,
        "maximumLevel": highest,
        "usableVolume": round(volume, 1),
        "autonomy": f"PT{hours}H{minutes}M",
        "shell": part(f"{name} shell", height=highest),
        "outlet": part(f"{name} outlet", bore=bore),
    }
    rows.twin(id, "Tank", values, place)


def _conduit(rows: Rows, row: list[str]) -> None:
    id, start, end, length, diameter, roughness, _, status = row
    bore = float(diameter)
    values = {"length": float(length), "diameter": bore, "roughness": float(roughness)}
    if id.startswith(VALVE):
        kind, name = "Valve", f"Valve {id[len(VALVE) :]}"
        actuator = part(f"{name} actuator", bore=bore)
        values |= {"open": status == "Open", "actuator": actuator}  # type: ignore[dict-item]
    else:
        kind, name = ("CheckValvePipe" if status == "CV" else "Pipe"), f"Pipe {id[3:]}"
    rows.twin(id, kind, {"name": name, **values}, rows.between(start, end))
    if kind == "CheckValvePipe":
        rows.relate(start, "feeds", id)
        rows.relate(id, "feeds", end)
    else:
        rows.relate(id, "connects", start, end="from")
        rows.relate(id, "connects", end, end="to")


def _pump(rows: Rows, row: list[str], sections: Sections) -> None:
    id, start, end, _, curve = row
    points = [(float(x), float(y)) for name, x, y in sections["CURVES"] if name == curve]
    closed = {pump for pump, status in sections["STATUS"] if status == "Closed"}
    name = f"Pump {id[4:]}"
    values = {
        "name": name,
        "curve": curve,
        "startsOpen": id not in closed,
        "bearing": part(f"{name} bearing", shaft="pump"),
        "impeller": part(f"{name} impeller", shutOffHead=points[0][1], maximumFlow=points[-1][0]),
    }
    rows.twin(id, "Pump", values, rows.between(start, end))
    rows.relate(start, "feeds", id)
    rows.relate(id, "feeds", end)
