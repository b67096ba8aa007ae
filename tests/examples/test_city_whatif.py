"""The scenario on the page about scenarios, put to the city."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.examples.conftest import REPOSITORY
from twinfall.analytics import AssetNetwork, topology_request
from twinfall.analytics.whatif import read_scenario, what_if
from twinfall.graph.graph import Graph

PAGE = REPOSITORY / "docs" / "whatif.md"
FLOOD = REPOSITORY / "examples" / "city" / "flood.yaml"


def test_the_scenario_of_the_page_takes_the_city_down_and_comes_back(graph: Graph) -> None:
    said = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert said is not None
    request = topology_request(graph.ontology, graph.dependencies)
    assets = AssetNetwork.compile(graph.topology(request), graph.ontology, graph.dependencies)
    cursor = graph.cursor()

    found = what_if(assets, read_scenario(said[1]), graph.ontology, graph.dependencies)

    assert found.impact.totals.assets > 1000
    assert "P_B1000" in found.newly_down
    assert found.expected is not None
    assert found.expected.exposed > 0
    assert graph.cursor() == cursor


def test_a_flood_takes_more_the_deeper_the_water(graph: Graph) -> None:
    request = topology_request(graph.ontology, graph.dependencies)
    assets = AssetNetwork.compile(graph.topology(request), graph.ontology, graph.dependencies)
    flood = read_scenario(FLOOD.read_bytes())
    assert flood.hazard is not None

    means = []
    for depth in (0.0, 0.4, 0.8, 1.2, 2.0):
        scenario = replace(flood, hazard=replace(flood.hazard, intensity=depth))
        found = what_if(assets, scenario, graph.ontology, graph.dependencies).expected
        assert found is not None
        means.append(found.assets.mean)

    assert means[0] == 0.0
    assert means == sorted(set(means))  # one seed: more water brings the same luck, and more of it


def test_the_flood_that_ships_is_spread_over_its_samples(graph: Graph) -> None:
    request = topology_request(graph.ontology, graph.dependencies)
    assets = AssetNetwork.compile(graph.topology(request), graph.ontology, graph.dependencies)

    found = what_if(assets, FLOOD.read_bytes(), graph.ontology, graph.dependencies)

    assert found.warnings == ()
    assert found.expected is not None
    spread = found.expected.assets
    assert spread.p5 < spread.p50 < spread.p95
    assert spread.error > 0
    chances = [row.probability for row in found.expected.likeliest]
    assert chances == sorted(chances, reverse=True)
    assert 0 < chances[-1] < 1


def test_what_takes_the_most_customers_in_the_city_is_its_main_bus(graph: Graph) -> None:
    request = topology_request(graph.ontology, graph.dependencies)
    assets = AssetNetwork.compile(graph.topology(request), graph.ontology, graph.dependencies)

    (first, *_), total = assets.criticality.page("customers")
    cuts = assets.criticality.cut_sets("P_LO108")

    assert total > 9_000
    assert first.customers >= 0.9 * float(assets.compiled.customers.sum())
    members = [assets.ids[m] for cut in cuts.sets for m in cut.members]
    assert "P_B1000" in members
    assert cuts.complete


def test_what_loses_the_most_a_year_in_the_city_is_its_main_transformer(graph: Graph) -> None:
    request = topology_request(graph.ontology, graph.dependencies)
    assets = AssetNetwork.compile(graph.topology(request), graph.ontology, graph.dependencies)

    worst, total = assets.criticality.page("expected")
    losing = [one for one in assets.criticality.page("expected", 0, total)[0] if one.expected]

    assert worst[0].id == "P_TF0"
    assert worst[0].expected == pytest.approx(0.02 * 24 * worst[0].value)
    assert len(losing) > total / 2


@pytest.mark.parametrize(("id_", "total"), [("P_LO108", 2_515), ("W_PSC224", 20_655)])
def test_all_that_takes_an_asset_of_the_city_down_is_found(
    graph: Graph, id_: str, total: int
) -> None:
    request = topology_request(graph.ontology, graph.dependencies)
    assets = AssetNetwork.compile(graph.topology(request), graph.ontology, graph.dependencies)

    cuts = assets.criticality.cut_sets(id_, 3)

    assert (cuts.total, cuts.complete) == (total, True)
    for cut in cuts.sets[:: len(cuts.sets) // 50]:
        at = assets.position_of(id_)
        assert at in assets.network.down(list(cut.members))
        for one in cut.members:
            assert at not in assets.network.down([m for m in cut.members if m != one])


def test_the_outage_that_ships_is_repaired_once_and_comes_back(graph: Graph) -> None:
    request = topology_request(graph.ontology, graph.dependencies)
    assets = AssetNetwork.compile(graph.topology(request), graph.ontology, graph.dependencies)
    text = (REPOSITORY / "examples" / "city" / "outage.yaml").read_text()

    found = what_if(assets, text, graph.ontology, graph.dependencies)

    told = [(one.at / 3600, one.assets, one.customers) for one in found.timeline.curve]
    assert [at for at, *_ in told] == [0, 5.6, 7, 30, 35.6]
    assert told[2][1:] == (0, 0)
    assert told[1][1] == told[4][1] == 1 + len(found.impact.impact)
    assert found.timeline.unserved.customer_hours > 0
