"""What fails next in the city: the substation's story, and parts that take their owners along."""

from __future__ import annotations

from collections import Counter

import pytest

from twinfall.analytics import AssetNetwork, topology_request
from twinfall.graph.graph import Graph

TANK = (5 * 60 + 36) * 60.0
"""Seconds that the tank lasts."""
COOLING = 30 * 60.0
"""Seconds that a transformer lives without its cooling."""


@pytest.fixture(scope="module")
def network(graph: Graph) -> AssetNetwork:
    request = topology_request(graph.ontology, graph.dependencies)
    return AssetNetwork.compile(graph.store.topology(request), graph.ontology, graph.dependencies)


@pytest.fixture(scope="module")
def kind(graph: Graph) -> dict[str, str]:
    """Id -> interface's short name, components included."""
    topology = graph.store.topology(topology_request(graph.ontology, graph.dependencies))
    names = [graph.names.of(model) for model in topology.models]
    return {id: names[m] for id, m in zip(topology.ids, topology.model, strict=True)}


def _story(network: AssetNetwork, kind: dict[str, str], failed: str) -> list[Counter[str]]:
    """For each wave, how many of which kind."""
    impact = network.impact([failed])
    waves: list[Counter[str]] = [Counter() for _ in impact.waves]
    for asset in impact.affected(0, impact.count):
        waves[asset.wave - 1][kind[asset.id]] += 1
    return waves


def test_nothing_is_down_before_any_failure(network: AssetNetwork) -> None:
    assert network.baseline_down == ()
    assert network.not_evaluated == ()


def test_the_high_voltage_bus_takes_all_electricity_then_all_water(
    network: AssetNetwork, kind: dict[str, str]
) -> None:
    first, second, third = _story(network, kind, "P_B1000")
    everywhere = Counter(kind.values())
    electric = ("Line", "Transformer", "Switch", "Load", "Motor", "Pump")
    assert first == Counter({k: everywhere[k] for k in electric} | {"Bus": everywhere["Bus"] - 1})
    behind_the_pumps = {"Junction": 4, "CheckValvePipe": 2, "Pipe": 1}
    assert second == behind_the_pumps
    water = ("Junction", "Hydrant", "Pipe", "CheckValvePipe", "Valve", "Tank")
    assert third == Counter({k: everywhere[k] for k in water}) - second


def test_the_water_lives_on_the_tank_for_its_declared_time(network: AssetNetwork) -> None:
    impact = network.impact(["P_B1000"])
    assert [wave.at for wave in impact.waves] == [0.0, 0.0, TANK]
    before = network.impact(["P_B1000"], horizon=TANK - 60)
    assert [wave.at for wave in before.waves] == [0.0, 0.0]


def test_totals_count_every_connection_once(network: AssetNetwork) -> None:
    totals = network.impact(["P_B1000"]).totals
    loads, points_of_demand = 788, 685
    assert totals.customers == loads + points_of_demand
    services = {service.name: service.count for service in totals.services}
    assert services["electricity"] == loads
    assert services["fire protection"] == 52


def test_the_substation_takes_what_it_contains(network: AssetNetwork, kind: dict[str, str]) -> None:
    first, *rest = _story(network, kind, "P_SS1")
    assert first == {"Transformer": 1, "Bus": 2}
    assert sum(map(len, rest))
    assert network.impact(["P_SS1"]).totals.assets == network.impact(["P_B1000"]).totals.assets + 1


def test_each_pump_stops_with_its_motor(network: AssetNetwork) -> None:
    impact = network.impact(["P_MP1"])
    stopped = {a.id for a in impact.affected(0, impact.count) if a.id.startswith("W_WP")}
    assert stopped == {"W_WP1", "W_WP2", "W_WP3", "W_WP4"}


def test_one_booster_pump_of_three_is_enough(network: AssetNetwork) -> None:
    assert network.impact(["W_WP5"]).count == 0
    assert network.impact(["W_WP5", "W_WP6"]).count == 0
    assert network.impact(["W_WP5", "W_WP6", "W_WP7"]).waves[-1].at == TANK


def test_no_failure_in_the_water_reaches_the_electricity(
    network: AssetNetwork, kind: dict[str, str]
) -> None:
    waves = _story(network, kind, "W_R1")
    assert not {"Bus", "Load", "Motor", "Line"} & set().union(*waves)


def test_roads_carry_no_failure(network: AssetNetwork) -> None:
    assert network.impact(["T_J1", "T_L1"]).count == 0


@pytest.mark.parametrize(
    ("part", "owner", "after"),
    [
        ("W_WP5/bearing", "W_WP5", 0.0),
        ("W_WP5/impeller", "W_WP5", 0.0),
        ("P_MP1/winding", "P_MP1", 0.0),
        ("P_MP1/bearing", "P_MP1", 0.0),
        ("P_TF10/winding", "P_TF10", 0.0),
        ("P_TF10/cooling", "P_TF10", COOLING),
        ("P_TF10/tapChanger", "P_TF10", 0.0),
        ("P_S36/mechanism", "P_S36", 0.0),
        ("P_S36/interrupter", "P_S36", 0.0),
        ("W_PV1/actuator", "W_PV1", 0.0),
        ("W_T1/shell", "W_T1", 0.0),
        ("W_T1/outlet", "W_T1", 0.0),
    ],
)
def test_a_failed_part_fails_its_owner(
    network: AssetNetwork, part: str, owner: str, after: float
) -> None:
    impact = network.impact([part])
    fallen = {a.id: a for a in impact.affected(0, impact.count)}
    assert (fallen[owner].wave, fallen[owner].at) == (1, after)
    assert fallen[owner].path == (part, owner)
    assert fallen[owner].group == part.rpartition("/")[2]


def test_a_part_lives_on_when_its_owner_fails(network: AssetNetwork) -> None:
    impact = network.impact(["W_WP5"])
    assert "W_WP5/bearing" not in {a.id for a in impact.affected(0, impact.count)}
