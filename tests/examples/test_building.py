"""Harbour House: Brick and RealEstateCore together, loaded, and asked what fails next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from examples.building import CLASSES, DECLARATIONS, HOUSE, brick_file
from twinfall.analytics import AssetNetwork, topology_request
from twinfall.graph.graph import Graph
from twinfall.graph.rdf import NotTaken, import_rdf
from twinfall.graph.sqlite import SQLiteStore
from twinfall.ontology.lint import lint
from twinfall.ontology.rdf import Source, read_models
from twinfall.ontology.sidecars import sidecar

IN_VAIN = {"declaredInVain", "voteOfOne", "standbyForNothing", "neverCarries", "onlyStorages"}


@pytest.fixture(scope="module")
def house() -> Iterator[Graph]:
    brick = brick_file()
    if brick is None:
        pytest.skip("the package brickschema is not installed")
    sources = [Source.of_file(str(file), file.read_bytes()) for file in (brick, CLASSES)]
    store = SQLiteStore(":memory:")
    graph = Graph(store)
    graph.load_models(
        read_models(sources).documents, [sidecar("brick-1.4"), DECLARATIONS.read_text()]
    )
    refused: list[NotTaken] = []
    import_rdf(graph, [Source.of_file(str(HOUSE), HOUSE.read_bytes())], refuse=refused.append)
    assert refused == []
    yield graph
    store.close()


@pytest.fixture(scope="module")
def network(house: Graph) -> AssetNetwork:
    request = topology_request(house.ontology, house.dependencies)
    return AssetNetwork.compile(house.topology(request), house.ontology, house.dependencies)


def _lost(network: AssetNetwork, *failed: str) -> dict[str, tuple[str, float]]:
    impact = network.impact(list(failed))
    return {one.id: (one.to, one.at) for one in impact.affected(0, impact.count)}


def test_the_declarations_for_brick_say_nothing_in_vain(house: Graph) -> None:
    found = lint(house.ontology, house.dependencies)
    assert [one for one in found if one.code in IN_VAIN] == []


def test_nothing_is_down_before_anything_fails(network: AssetNetwork) -> None:
    assert not network.baseline_down
    assert not network.not_evaluated


def test_one_transformer_or_one_of_two_fans_is_not_missed(network: AssetNetwork) -> None:
    assert _lost(network, "T1") == {}
    assert _lost(network, "AHU1-SF1") == {}


def test_level_2_has_one_fan_and_hangs_on_it(network: AssetNetwork) -> None:
    lost = _lost(network, "AHU2-SF")
    assert {id_ for id_, (to, _) in lost.items() if to == "failed"} == {
        "AHU2", "VAV-201", "VAV-202", "VAV-203",
    }  # fmt: skip
    assert {id_ for id_, (to, _) in lost.items() if to == "degraded"} == {
        "office-201", "office-202", "meeting-203",
    }  # fmt: skip


def test_chillers_lost_make_air_warm_and_not_still(network: AssetNetwork) -> None:
    assert {to for to, _ in _lost(network, "CHWP1", "CHWP2").values()} == {"degraded"}


def test_servers_are_lost_to_their_air_before_their_battery_is_empty(
    network: AssetNetwork,
) -> None:
    lost = _lost(network, "MSB")
    assert lost["RACKS"] == ("failed", 600.0)
    assert lost["BAT"] == ("failed", 1800.0)
    assert [(one.name, one.count) for one in network.impact(["MSB"]).totals.services] == [
        ("data", 1)
    ]
