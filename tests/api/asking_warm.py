"""Asks a fresh process all that a service is asked, warmed as `twinfall serve` warms it, and prints
the compiled loops that had not been ready: `python -m tests.api.asking_warm`.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

from tests.api.graphql.plant import Plant
from tests.api.test_keeping_past import BATTERY, plant_site
from tests.api.test_states import Site
from tests.api.test_states_remembered import HOLD, break_loop, say
from twinfall.analytics import Network, cutsets, kernels, warm
from twinfall.api.demo import city_dependencies, city_documents, city_rows
from twinfall.graph.ndjson import import_rows
from twinfall.graph.twins import RelationshipInput, RelationshipKey, TwinInput

CITY = Path(__file__).parents[2] / "examples" / "city"
QUESTIONS = """query($one: ID!) {
  impact(failed: ["P_TF705/winding"]) {
    totals { assets } waves { wave } nearMisses { margin } baselineDown { id }
    bounds { optimistic { assets } pessimistic { assets } }
    affected(first: 3) { nodes { path { id } minimalCauses spof } } }
  criticality(first: 3) { nodes { id assets expected } }
  spof(of: $one, maxOrder: 2) { totalCount }
  rootCause(alarms: [{id: $one}]) { explanations { roots } } }"""
WHAT_IF = """query($s: JSON!) { whatIf(scenario: $s) {
  newlyDown { count } expected { samples } timeline { everDown { assets } } } }"""


def main() -> int:
    warm()
    cutsets.warm()
    doors = _doors()
    before = {name: len(door.signatures) for name, door in doors.items()}
    _ask_arrays()
    _ask_the_city()
    with tempfile.TemporaryDirectory() as folder:
        for name, rooms in (("loop", HOLD["interfaces"]), ("battery", BATTERY)):
            _live_through(Path(folder) / name, rooms)
    cold = [name for name, door in doors.items() if len(door.signatures) != before[name]]
    print(*cold, sep="\n")
    return len(cold)


def _doors() -> dict[str, Any]:
    """All compiled loops, by name."""
    found = {}
    for module in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}."):
        for name, one in vars(importlib.import_module(module.name)).items():
            if isinstance(one, Dispatcher) and one.py_func.__module__ == module.name:
                found[f"{module.name.rpartition('.')[2]}.{name}"] = one
    return found


def _ask_arrays() -> None:
    """Given in types that are not those of the loops."""
    network = Network.from_arrays(
        3, np.array([0], np.int64), [1], group=[0], rule=["any"], k=np.array([1]),
        transfer=[1], autonomy=np.array([2], np.int32), sustain=[True], black_start=[1, 0, 0],
        connections=np.array([[1, 2]], np.int64), carrier=np.array([0], np.int8),
        source=np.array([0, 1, 0], np.int8), conducts=[1, 1, 1], value=[1, 2, 3],
    )  # fmt: skip
    network.impact(np.array([0], np.int64), 5)
    network.impact([])
    network.criticality(10)
    network.spof(1)
    network.down([0, 2])


def _ask_the_city() -> None:
    with closing(Plant([])) as city:
        city.graph.load_models(city_documents(), city_dependencies())
        import_rows(city.graph, city_rows(), refuse=_never)
        hydrant = city.ask("{ Hydrant(first: 1) { nodes { id } } }")["Hydrant"]["nodes"][0]["id"]
        city.ask(QUESTIONS, one=hydrant)
        for scenario in ("flood", "outage"):
            city.ask(WHAT_IF, s=(CITY / f"{scenario}.yaml").read_text())


def _live_through(folder: Path, rooms: dict[str, Any]) -> None:
    folder.mkdir()
    feeds = [("A", "T"), ("A", "B"), ("B", "A"), ("C", "B")]
    with closing(plant_site(folder, rooms, feeds)) as site:
        break_loop(site)
        site.graph.write_twins([TwinInput("D", "dtmi:site:Room;1")])
        site.graph.write_relationships([RelationshipInput("D", "cooledBy", "C")])
        _look(site)
        site.graph.delete_relationships([RelationshipKey("B", "cooledBy:A")])
        site.graph.delete_twins(["B"])
        _look(site)
        say(site, "T", None)
        _look(site)
        site.restart()
        _look(site)


def _look(site: Site) -> None:
    site.states.networks.look()
    site.ask('{ impact(failed: ["T"]) { totals { assets } waves { wave } } }')


def _never(line: int, code: str, message: str, raw: bytes) -> None:
    raise AssertionError(f"line {line}: {code} {message}")


if __name__ == "__main__":
    sys.exit(main())
