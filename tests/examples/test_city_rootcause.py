"""Root cause in the city: seeded cascades told by alarms, a tenth of them missing, some false."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from tests.analytics.drills import DROPPED, FALSE, LEAST, drills, roots
from twinfall.analytics import AssetNetwork, Standing, topology_request
from twinfall.analytics.rootcause import Seen, diagnose, explain, monitored
from twinfall.graph.graph import Graph
from twinfall.ontology.errors import UnknownTwin

SEED = 77
CASCADES = 150
ENOUGH = 0.9


@pytest.fixture(scope="module")
def city_network(graph: Graph) -> AssetNetwork:
    request = topology_request(graph.ontology, graph.dependencies)
    return AssetNetwork.compile(graph.store.topology(request), graph.ontology, graph.dependencies)


def test_drills_lose_a_tenth_of_the_alarms_and_add_false_ones(city_network: AssetNetwork) -> None:
    for drill in drills(city_network, SEED, 30):
        impact = city_network.impact(drill.roots)
        cascade = {*drill.roots, *(one.id for one in impact.affected())}
        true = cascade & set(drill.alarms)
        assert len(cascade) == drill.size > LEAST
        assert len(true) == drill.size - round(DROPPED * drill.size)
        assert len(drill.alarms) - len(true) == max(1, round(FALSE * drill.size))


def test_the_true_root_is_among_the_first_three(city_network: AssetNetwork) -> None:
    found = defaultdict(list)
    for drill in drills(city_network, SEED, CASCADES):
        rank = drill.rank(diagnose(city_network, drill.alarms))
        found[drill.carrier].append(rank is not None and rank <= 3)

    assert set(found) == {"electricity", "water", "none"} == set(roots(city_network))
    assert {name: len(ranks) for name, ranks in found.items()} == dict.fromkeys(found, 50)
    assert all(np.mean(ranks) >= ENOUGH for ranks in found.values()), found


def test_two_roots_far_apart_are_found_together(city_network: AssetNetwork) -> None:
    some = list(drills(city_network, SEED, 24, together=2, most=300))

    ranks = [drill.rank(diagnose(city_network, drill.alarms)) for drill in some]

    assert np.mean([rank is not None and rank <= 3 for rank in ranks]) >= 0.8


def test_the_whole_city_in_alarm_is_the_substation(city_network: AssetNetwork) -> None:
    impact = city_network.impact(["P_SS1"])
    alarms = ["P_SS1", *(one.id for one in impact.affected())]

    found = diagnose(city_network, alarms)

    assert len(alarms) > 6_000
    assert found.explanations[0].roots == ("P_SS1",)
    assert found.explanations[0].unexplained == ()


def test_every_twin_in_alarm_is_answered(city_network: AssetNetwork) -> None:
    found = diagnose(city_network, list(city_network.ids))

    assert found.explanations
    assert found.explanations[0].explained_count > 6_000


def test_ten_thousand_alarms_that_hold_strangers_name_the_first(city_network: AssetNetwork) -> None:
    with pytest.raises(UnknownTwin):
        explain(city_network, [f"nobody-{i}" for i in range(10_000)])


def test_few_of_many_alarms_are_enough_where_others_stay_silent(
    city_network: AssetNetwork,
) -> None:
    rows = city_network.impact(["P_B305S"]).affected()
    some = [row.id for row in rows[::12]]

    found = diagnose(city_network, some)

    assert found.miss > 0.5
    assert found.explanations[0].explained_count == len(some)
    assert found.nothing < 0.01


def test_while_the_tank_lasts_dry_pipes_are_not_expected(city_network: AssetNetwork) -> None:
    impact = city_network.impact(["P_B1000"])
    at_once = ["P_B1000", *(one.id for one in impact.affected() if one.at == 0.0)]

    unknown = explain(city_network, at_once)[0]
    soon = explain(city_network, at_once, seen=Seen(horizon=3600.0))[0]
    late = explain(city_network, at_once, seen=Seen(horizon=7 * 3600.0))[0]

    assert unknown.roots == soon.roots == ("P_B1000",)
    assert unknown.silent_count == soon.silent_count == 0
    assert late.silent_count > 3_000


def test_under_maintenance_the_booster_left_is_a_suspect(city_network: AssetNetwork) -> None:
    """One of three boosters is enough: with two out, the third takes the water."""
    live = city_network.under(Standing(1, out=("W_WP5", "W_WP6")), 10**15)
    dry = [one.id for one in live.impact(["W_WP7"]).affected()]

    well = {one.roots for one in explain(city_network, dry, first=100)}
    found = explain(live, dry, first=100)

    assert len(dry) > 5
    assert ("W_WP7",) not in well
    assert ("W_WP7",) in {one.roots for one in found}
    assert not {"W_WP5", "W_WP6"} & {root for one in found for root in one.roots}


def test_assets_with_telemetry_are_listened_to(city_network: AssetNetwork, graph: Graph) -> None:
    flags = monitored(city_network, graph.ontology, graph.dependencies)
    listened = {city_network.ids[int(at)] for at in np.flatnonzero(flags)}

    assert {"P_B1000", "W_WP1"} <= listened
    assert "P_SS1" not in listened
