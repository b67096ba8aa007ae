"""Grids from pandapower: its networks in memory, and its JSON files. Needs the extra `power`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np

from twinfall.analytics.models.cascade import Floats
from twinfall.analytics.models.grid import Grid, parsed, read_grid
from twinfall.ontology.errors import BadInput, TwinError

MAX_NESTING = 100
"""Of a JSON file, texts inside texts included."""
HARMLESS = frozenset(
    {
        ("pandapower.auxiliary", "pandapowerNet"),
        ("pandas.core.frame", "DataFrame"),
        ("pandas.core.series", "Series"),
        ("pandas", "DataFrame"),
        ("pandas", "Series"),
        ("numpy", "array"),
        ("builtins", "tuple"),
        ("builtins", "set"),
        ("builtins", "frozenset"),
    }
)
"""What a file may hold. pandapower imports whatever module a file names, and calls what is in it:
a file with anything else is refused before pandapower sees it.
"""
# Columns of the arrays that pandapower solves (those of MATPOWER).
_BUS_TYPE, _BUS_LOAD, _BUS_SHUNT = 1, 2, 4
_FROM, _TO, _REACTANCE, _RATIO, _SHIFT, _STATUS = 0, 1, 3, 8, 9, 10
_GEN_BUS, _GEN_POWER, _GEN_STATUS = 0, 1, 7
_ISOLATED = 4
_TABLES = {
    "line": "line", "trafo": "trafo", "trafo3w": "trafo3w", "impedance": "impedance",
    "xward": "xward",
}  # fmt: skip


def read(text: str | bytes) -> Grid:
    """A grid from a JSON file, Twinfall's own or pandapower's."""
    document = parsed(text)
    if document.get("_class") != "pandapowerNet":
        return read_grid(text)
    for module, name in _objects(document, 0):
        if (module, name) not in HARMLESS:
            raise BadInput(
                f"the file holds a {module}.{name}, which is not read: files can run code that way",
                cure="take controllers and geometry out of the network before saving it",
            )
    pandapower = _pandapower()
    try:
        net = pandapower.from_json_string(
            text if isinstance(text, str) else text.decode(), convert=True
        )
    except Exception as error:  # whatever its readers stumble over is in the file
        raise BadInput(f"pandapower cannot read it: {error}") from error
    return from_pandapower(net)


def from_pandapower(net: Any) -> Grid:
    """What is in service of a pandapower network, as its own DC power flow sees it.

    Buses joined by closed switches are one. Branches are called `line 7`, `trafo 0` by the index
    of their table; buses `bus 3`. Generation is what generators, static generators and the
    external grids give in the DC solution; what takes power there counts as load, what a load
    gives counts as generation. Capacity: of lines the thermal limit at nominal voltage, of
    transformers the rating; infinite for others. The network given is not changed.
    """
    pandapower = _pandapower()
    net = deepcopy(net)
    try:
        pandapower.rundcpp(net)
    except Exception as error:
        raise BadInput(f"pandapower finds no DC power flow: {error}") from error
    ppc = net._ppc
    unread = [name for name in ("dcline", "vsc", "line_dc", "tcsc") if len(net.get(name, ()))]
    if unread:
        raise BadInput(f"{unread[0]} is not read", cure="replace it by what it takes and gives")
    buses = ppc["bus"].real
    kept = np.flatnonzero(buses[:, _BUS_TYPE] != _ISOLATED)
    position = np.full(len(buses), -1)
    position[kept] = np.arange(len(kept))
    generation, load = _injections(net, ppc)
    branches = ppc["branch"].real
    rows = np.flatnonzero(branches[:, _STATUS] > 0)
    ends = position[branches[rows][:, [_FROM, _TO]].astype(int)]
    inside = (ends >= 0).all(axis=1)
    rows, ends = rows[inside], ends[inside]
    ratio = np.where(branches[rows, _RATIO] == 0, 1.0, branches[rows, _RATIO])
    names, capacity = _branches(net, len(branches))
    return Grid.of(
        generation[kept],
        load[kept],
        ends,
        float(ppc["baseMVA"]) / (branches[rows, _REACTANCE] * ratio),
        shift=np.radians(branches[rows, _SHIFT]),
        capacity=capacity[rows],
        buses=_bus_names(net, kept),
        branches=[names[row] for row in rows],
    )


def _pandapower() -> Any:
    try:
        import pandapower  # here: an extra, and slow to import
    except ImportError as error:
        raise TwinError(
            "pandapower is not installed",
            code="BAD_SETTINGS",
            cure="pip install 'twinfall[power]', or give the grid in Twinfall's own format",
        ) from error
    return pandapower


def _objects(value: Any, depth: int) -> Iterator[tuple[str, str]]:
    """(module, class) of all that a file holds, in texts that are JSON themselves too."""
    if depth > MAX_NESTING:
        raise BadInput(f"nested deeper than {MAX_NESTING}")
    if isinstance(value, dict):
        if "_module" in value or "_class" in value:
            yield str(value.get("_module")), str(value.get("_class"))
        for part in value.values():
            yield from _objects(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _objects(part, depth + 1)
    elif isinstance(value, str) and ("_module" in value or "\\u" in value):
        try:
            inner = json.loads(value)
        except (ValueError, RecursionError):
            return
        yield from _objects(inner, depth + 1)


def _injections(net: Any, ppc: Any) -> tuple[Floats, Floats]:
    """MW made and taken at each bus of the solved arrays, both 0 and above."""
    bus = ppc["bus"].real
    count = len(bus)
    generators = ppc["gen"].real
    running = generators[:, _GEN_STATUS] > 0
    made = generators[running, _GEN_POWER]
    at = generators[running, _GEN_BUS].astype(int)
    taken = bus[:, _BUS_LOAD] + bus[:, _BUS_SHUNT]
    static = net.sgen[net.sgen.in_service.astype(bool)]
    power = (static.p_mw * static.scaling).to_numpy(float)
    where = net._pd2ppc_lookups["bus"][static.bus.to_numpy(int)]
    taken = taken + np.bincount(where, power, count)  # they are in there as negative load
    made, at = np.concatenate([made, power]), np.concatenate([at, where])
    generation = np.bincount(at, np.maximum(made, 0.0), count) + np.maximum(-taken, 0.0)
    load = np.bincount(at, np.maximum(-made, 0.0), count) + np.maximum(taken, 0.0)
    return generation, load


def _branches(net: Any, count: int) -> tuple[list[str], Floats]:
    """Names and capacities (MW) of the rows of the solved arrays."""
    names = [f"branch {row}" for row in range(count)]
    capacity = np.full(count, np.inf)
    for table, (begin, end) in net._pd2ppc_lookups["branch"].items():
        if table not in _TABLES:
            continue
        frame = net[table]
        parts = (end - begin) // max(len(frame), 1)
        sides = ("", " mv", " lv") if parts == 3 else ("",)
        for i, row in enumerate(range(begin, end)):
            part, index = divmod(i, len(frame))
            names[row] = f"{table} {frame.index[index]}{sides[part % len(sides)]}"
        if table == "line":
            voltage = net.bus.vn_kv.loc[frame.from_bus].to_numpy(float)
            limit = np.sqrt(3.0) * voltage * (frame.max_i_ka * frame.df * frame.parallel)
            capacity[begin:end] = limit.to_numpy(float)
        elif table == "trafo":
            capacity[begin:end] = (frame.sn_mva * frame.parallel).to_numpy(float)
    capacity[np.isnan(capacity)] = np.inf
    return names, capacity


def _bus_names(net: Any, kept: Any) -> list[str]:
    """By the first bus of the table that became this one; inner ones by their row."""
    named: dict[int, str] = {}
    lookup = net._pd2ppc_lookups["bus"]
    for index in net.bus.index:
        named.setdefault(int(lookup[index]), f"bus {index}")
    return [named.get(int(row), f"inner {row}") for row in kept]
