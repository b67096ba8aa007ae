"""What fails in the plant when something fails."""

from __future__ import annotations

import pytest

from tests.examples.plant_data import loaded
from twinfall.analytics import AssetNetwork, topology_request

LOOP = {
    "TE-stream-6",
    "TE-reactor",
    "TE-stream-7",
    "TE-condenser",
    "TE-separator",
    "TE-compressor",
    "TE-stream-8",
    "TE-stream-5",
    "TE-stream-10",
    "TE-stripper",
}
AFTER = {"TE-valve-6", "TE-stream-9", "TE-valve-7", "TE-valve-8", "TE-stream-11", "TE-plant"}
"""What hangs on the loop without being part of it, the plant with its product included."""


@pytest.fixture(scope="module")
def network() -> AssetNetwork:
    with loaded() as graph:
        request = topology_request(graph.ontology, graph.dependencies)
        return AssetNetwork.compile(graph.topology(request), graph.ontology, graph.dependencies)


def lost(network: AssetNetwork, *failed: str) -> dict[str, float]:
    impact = network.impact(failed)
    return {i.id: i.at for i in impact.affected(0, impact.count)}


def test_nothing_is_down_while_nothing_failed(network: AssetNetwork) -> None:
    assert list(network.baseline_down) == []
    assert network.not_evaluated == ()


@pytest.mark.parametrize("feed", ["D", "E", "AC"])
def test_without_a_feed_the_whole_plant_stops(network: AssetNetwork, feed: str) -> None:
    valve, stream = {"D": (1, 2), "E": (2, 3), "AC": (4, 4)}[feed]
    found = lost(network, f"TE-supply-{feed}")
    assert set(found) == LOOP | AFTER | {f"TE-valve-{valve}", f"TE-stream-{stream}"}
    assert set(found.values()) == {0}


def test_without_feed_a_the_plant_runs_on_for_hours(network: AssetNetwork) -> None:
    found = lost(network, "TE-supply-A")
    assert {id for id, at in found.items() if at == 0} == {"TE-valve-3", "TE-stream-1"}
    assert {id: at for id, at in found.items() if at > 0} == dict.fromkeys(
        LOOP | AFTER, 5 * 3600 + 51 * 60
    )


def test_a_failed_bearing_fails_the_compressor_and_the_recycle_with_it(
    network: AssetNetwork,
) -> None:
    impact = network.impact(["TE-compressor/bearing"])
    affected = {i.id: i for i in impact.affected(0, impact.count)}
    assert set(affected) == LOOP | AFTER
    assert affected["TE-compressor"].path == ("TE-compressor/bearing", "TE-compressor")
    assert affected["TE-reactor"].path[1:4] == ("TE-compressor", "TE-stream-8", "TE-stream-6")
    services = {total.name: total.count for total in impact.totals.services}
    assert services == {"product G": 1, "product H": 1}


@pytest.mark.parametrize("part", ["reactor/agitator", "reactor/coolingJacket", "condenser/tubes"])
def test_a_part_fails_its_owner(network: AssetNetwork, part: str) -> None:
    owner = "TE-" + part.partition("/")[0]
    assert lost(network, f"TE-{part}")[owner] == 0


def test_a_shut_product_valve_is_felt_upstream_when_the_stripper_is_full(
    network: AssetNetwork,
) -> None:
    found = lost(network, "TE-valve-8/actuator")
    at_once = {"TE-valve-8", "TE-stream-11", "TE-plant"}
    assert {id for id, at in found.items() if at == 0} == at_once
    assert {at for id, at in found.items() if id not in at_once} == {9 * 60}


@pytest.mark.parametrize("id", ["TE-analyzer-6", "TE-valve-5", "TE-valve-9", "TE-stream-9"])
def test_losing_an_analyzer_the_bypass_steam_or_the_purge_stops_nothing(
    network: AssetNetwork, id: str
) -> None:
    assert lost(network, id) == {}
