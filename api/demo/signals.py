"""Which of the city's sensors speak in the demo, and of what their readings are made."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from twinfall.api.demo.carried import Branch, carried

QUANTITIES = (
    *("one", "water", "friction", "spare", "power"),
    *("heat", "oil", "winding", "traffic", "air"),
)
"""What all readings are made of; `city_day` says how each runs through the day."""
EACH = 30
"""Of every kind of asset so many speak, those that carry the most."""
AIR_CELSIUS = 18.0
"""Mean temperature of the air."""
POWER_SHARE = 0.2
"""Of the load that the source file gives, so much is drawn on average: 0.8 kW an inhabitant, and
no line above its greatest current at the peak.
"""
CUBIC_FEET_A_SECOND = 0.133681 / 60.0
"""In a gallon a minute."""
PSI_PER_FOOT = 0.4335
"""Of water."""
FRICTION_FEET = 25.0
"""Head lost to the farthest junction at mean demand."""
OIL_RISE, WINDING_RISE, LINE_RISE = 35.0, 15.0, 45.0
"""Degrees Celsius over the air (oil, line) and over the oil (winding), at full load."""
SUBSTATION = "P_B1000"


@dataclass(slots=True)
class Signals:
    """Address and telemetry name of each reading, the weight of each quantity in it, its noise."""

    keys: list[tuple[str, str]] = field(default_factory=list)
    parts: list[Mapping[str, float]] = field(default_factory=list)
    noise: list[float] = field(default_factory=list)

    def add(self, twin: str, name: str, noise: float, **parts: float) -> None:
        """A reading that is the sum of quantities times these weights."""
        self.keys.append((twin, name))
        self.parts.append(parts)
        self.noise.append(noise)

    def weights(self) -> NDArray[np.float64]:
        """(reading, quantity) in the order of `QUANTITIES`."""
        return np.array([[part.get(name, 0.0) for name in QUANTITIES] for part in self.parts])


@dataclass(frozen=True, slots=True)
class _City:
    twins: Mapping[str, Mapping[str, Any]]
    relationships: list[Mapping[str, Any]]

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        model = f"dtmi:example:city:{kind};1"
        return [t for t in self.twins.values() if t["$metadata"]["$model"] == model]

    def ends(self, name: str) -> dict[str, list[str]]:
        """Targets of the relationships of that name, by source."""
        found: dict[str, list[str]] = {}
        for row in self.relationships:
            if row["$relationshipName"] == name:
                found.setdefault(row["$sourceId"], []).append(row["$targetId"])
        return found


def city_signals(rows: Iterable[bytes]) -> Signals:
    """The readings of the city in these NDJSON lines."""
    city = _read(rows)
    signals = Signals()
    _add_water(signals, city)
    _add_pumps(signals, city)
    _add_power(signals, city)
    for road in _most(city.of("Road"), lambda road: road["capacity"]):
        signals.add(road["$dtId"], "traffic", 0.01 * road["capacity"], traffic=road["capacity"] / 3)
    return signals


def _read(rows: Iterable[bytes]) -> _City:
    twins, relationships = {}, []
    for line in rows:
        row = orjson.loads(line)
        if "$dtId" in row:
            twins[row["$dtId"]] = row
        elif "$relationshipId" in row:
            relationships.append(row)
    return _City(twins, relationships)


def _most(rows: Iterable[Mapping[str, Any]], size: Any) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: (-size(row), row["$dtId"]))[:EACH]


def _add_water(signals: Signals, city: _City) -> None:
    tank = city.of("Tank")[0]
    drawn = sum(row.get("baseDemand", 0.0) for row in city.twins.values())
    area = math.pi / 4 * tank["diameter"] ** 2
    level = (tank["minimumLevel"] + tank["maximumLevel"]) / 2
    swing = drawn * CUBIC_FEET_A_SECOND / area  # feet a second of mean demand
    id = tank["$dtId"]
    signals.add(id, "level", 0.02, one=level, spare=swing)
    psi = PSI_PER_FOOT
    signals.add(id, "pressure", 0.02, one=level * psi, spare=swing * psi)
    # What is drawn beyond the constant supply comes out of the tank; below it, it flows in.
    signals.add(f"{id}/outlet", "flow", 2.0, one=-drawn, water=drawn)
    junctions = _most(city.of("Junction"), lambda row: row["baseDemand"])
    far = max(_distance(row, tank) for row in city.of("Junction"))
    for row in junctions + city.of("Hydrant"):
        head = (tank["elevation"] + level - row["elevation"]) * psi
        lost = FRICTION_FEET * psi * _distance(row, tank) / far
        signals.add(row["$dtId"], "pressure", 0.1, one=head, spare=swing * psi, friction=-lost)


def _distance(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    return math.hypot(one["x"] - other["x"], one["y"] - other["y"])


def _add_pumps(signals: Signals, city: _City) -> None:
    """Pumps at the reservoirs share a constant supply: the mean demand."""
    supplied = {id for row in city.of("Reservoir") for id in city.ends("feeds")[row["$dtId"]]}
    pumps = [row for row in city.of("Pump") if row["$dtId"] in supplied]
    running = [row["$dtId"] for row in pumps if row["startsOpen"]]
    drawn = sum(row.get("baseDemand", 0.0) for row in city.twins.values())
    for row in pumps:
        id, on = row["$dtId"], float(row["$dtId"] in running)
        signals.add(id, "flow", 1.5 * on, one=on * drawn / len(running))
        signals.add(f"{id}/impeller", "speed", 2.0 * on, one=on * 1770.0)
        signals.add(f"{id}/bearing", "temperature", 0.2, one=on * 24.0, air=1.0)
        signals.add(f"{id}/bearing", "vibration", 0.05 * on, one=on * 1.8)


def _add_power(signals: Signals, city: _City) -> None:
    feeds = city.ends("feeds")
    loads = {row["$dtId"]: row["activePower"] * POWER_SHARE for row in city.of("Load")}
    drawn = {bus["$dtId"]: 0.0 for bus in city.of("Bus")}
    for bus in drawn:
        drawn[bus] = sum(loads.get(id, 0.0) for id in feeds.get(bus, ()))
    flows = carried(_branches(city), drawn, SUBSTATION)
    total = sum(drawn.values())
    signals.add("P_EG1", "power", 0.002 * total, power=total)
    for row in _most(city.of("Load"), lambda row: row["activePower"]):
        mean = loads[row["$dtId"]]
        signals.add(row["$dtId"], "power", 0.01 * mean, power=mean)
    for row in _most(city.of("Bus"), lambda row: drawn[row["$dtId"]]):
        volts = row["nominalVoltage"]
        signals.add(row["$dtId"], "voltage", 0.001 * volts, one=volts, power=-0.02 * volts)
    _add_branches(signals, city, flows)


def _branches(city: _City) -> list[Branch]:
    """Lines by their resistance; transformers and closed switches as good as none."""
    ends = city.ends("connects")
    found: list[Branch] = []
    for kind in ("Line", "Transformer", "Switch"):
        for row in city.of(kind):
            if row.get("closed", True):
                ohm = row.get("length", 0.0) * row.get("resistancePerKilometre", 0.0)
                one, other = ends[row["$dtId"]]
                found.append((row["$dtId"], one, other, max(ohm, 1e-4)))
    return found


def _add_branches(signals: Signals, city: _City, flows: Mapping[str, float]) -> None:
    def size(row: Mapping[str, Any]) -> float:
        return abs(flows[row["$dtId"]])

    for row in _most(city.of("Line"), size):
        ampere = size(row) * 1e3 / (math.sqrt(3) * 13.8)
        full = ampere / (row["maximumCurrent"] * 1e3)
        signals.add(row["$dtId"], "current", 0.005 * ampere, power=ampere)
        signals.add(row["$dtId"], "temperature", 0.3, air=1.0, heat=LINE_RISE * full**2)
    for row in _most(city.of("Transformer"), size):
        id, mean = row["$dtId"], size(row)
        full = mean / row["ratedPower"]
        signals.add(id, "power", 0.005 * mean, power=mean)
        oil = {"air": 1.0, "oil": OIL_RISE * full}
        signals.add(f"{id}/cooling", "oilTemperature", 0.1, **oil)
        winding = WINDING_RISE * full**2
        signals.add(f"{id}/winding", "hotSpotTemperature", 0.2, winding=winding, **oil)
