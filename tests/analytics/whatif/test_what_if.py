"""Scenarios on a small plant: what they come to, what differs, and that nothing else is touched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.analytics.whatif.plants import Plant
from twinfall.analytics import Standing
from twinfall.analytics.whatif import BadScenario, Outcome, compare, read_scenario, what_if
from twinfall.ontology.errors import Refused


@pytest.fixture
def plant() -> Plant:
    """H needs A; A stands at 1, B at 2, H nowhere; B feeds nobody yet."""
    twins = {"A": {"worth": 1.0}, "B": {"worth": 2.0}, "H": {"people": 7}}
    return Plant(twins, [("H", "needs", "A")])


def _down(outcome: Outcome) -> list[str]:
    return [row.id for row in outcome.impact.affected()]


def test_a_scenario_without_changes_is_an_impact(plant: Plant) -> None:
    found = plant.what_if({"fail": ["A"]})

    assert _down(found) == ["H"]
    assert found.newly_down == ("A", "H")
    assert (found.recovered, found.without, found.expected) == ((), None, None)


def test_a_feed_that_is_built_saves_who_gets_it(plant: Plant) -> None:
    added = {"source": "H", "name": "needs", "target": "B"}

    found = plant.what_if({"fail": ["A"], "add": [added]})

    assert _down(found) == []
    assert found.without is not None
    assert (found.without.assets, found.without.customers) == (1, 7.0)
    assert found.newly_down == ("A",)


def test_a_feed_that_is_removed_leaves_a_group_that_asks_for_nothing(plant: Plant) -> None:
    removed = {"source": "H", "name": "needs", "target": "A"}

    assert _down(plant.what_if({"fail": ["A"], "remove": [removed]})) == []


def test_adding_and_removing_the_same_feed_changes_nothing(plant: Plant) -> None:
    added = {"source": "H", "name": "needs", "target": "B"}
    once = plant.what_if({"add": [added]})

    back = what_if(
        once.assets,
        read_scenario({"fail": ["A"], "remove": [added]}),
        plant.graph.ontology,
        plant.graph.dependencies,
    )

    assert _down(back) == _down(plant.what_if({"fail": ["A"]}))


def test_a_value_that_is_set_is_read_where_a_declaration_reads_it() -> None:
    joined = {
        "Unit": {
            "asset": {"conducts": {"from": "closed", "default": True}},
            "contents": {"joins": {"mode": "network", "carrier": "water"}},
        },
        "Machine": {"asset": {"source": ["water"]}},
    }
    plant = Plant({"A": {}, "B": {}, "C": {}}, [("B", "joins", "A"), ("C", "joins", "B")], joined)
    assert plant.assets.baseline_down == ("A", "B", "C")  # nobody feeds it yet

    found = plant.what_if({"set": {"B": {"closed": False}}})

    assert found.assets.network.links.conducts[plant.assets.position_of("B")] == 0
    assert plant.assets.network.links.conducts[plant.assets.position_of("B")] == 1


def test_what_is_repaired_is_up_again_with_what_hung_on_it(plant: Plant) -> None:
    live = plant.assets.under(Standing(1, failed=("A",), since={"A": 0}), 10)
    assert live.state("H") == "failed"

    found = plant.what_if({"repair": ["A"]}, assets=live)

    assert found.recovered == ("A", "H")
    assert found.assets.state("H") == "ok"
    assert live.state("H") == "failed"


@pytest.mark.parametrize(("starter", "back"), [(False, ("S",)), (True, ("P", "S", "W"))])
def test_a_circle_comes_back_with_its_root_only_if_something_in_it_can_start(
    starter: bool, back: tuple[str, ...]
) -> None:
    # the plant needs the water of the works, the works its power; both need the site
    declared = {
        "Unit": {
            "asset": {"blackStart": {"from": "closed", "default": False}},
            "contents": {"needs": {"dependent": "source"}, "backs": {"dependent": "source"}},
        }
    }
    feeds = [("P", "needs", "W"), ("W", "needs", "P"), ("P", "backs", "S"), ("W", "backs", "S")]
    plant = Plant({"S": {}, "P": {"closed": starter}, "W": {}}, feeds, declared)
    live = plant.assets.under(Standing(1, failed=("S",), since={"S": 0}), 10)

    found = plant.what_if({"repair": ["S"]}, assets=live)

    assert live.baseline_down == ("P", "S", "W")
    assert tuple(sorted(found.recovered)) == back


def test_a_horizon_ends_the_scenario() -> None:
    declared = {"Unit": {"contents": {"needs": {"dependent": "source", "autonomy": "PT4H"}}}}
    plant = Plant({"A": {}, "H": {}}, [("H", "needs", "A")], declared)

    assert plant.what_if({"fail": ["A"], "horizon": "PT3H"}).newly_down == ("A",)
    assert plant.what_if({"fail": ["A"], "horizon": "PT5H"}).newly_down == ("A", "H")


# -- hazards ----------------------------------------------------------------------------------

BAND = "POLYGON ((0.5 -1, 1.5 -1, 1.5 1, 0.5 1, 0.5 -1))"
"""A lies in it, B does not."""
LONG = f"POLYGON (({', '.join(f'{i} {i % 7}' for i in range(20_001))}))"


def test_a_hazard_fails_what_lies_in_its_area_by_its_fragility(plant: Plant) -> None:
    hazard = {"polygon": BAND, "intensity": 1.0, "samples": 2000}

    found = plant.what_if({"hazard": hazard})

    expected = found.expected
    assert expected is not None
    assert expected.exposed == 1
    assert {row.id for row in expected.likeliest} == {"A", "H"}
    for row in expected.likeliest:
        assert abs(row.probability - 0.5) < 5 * row.error
    assert abs(expected.assets.mean - 1.0) < 5 * expected.assets.error
    assert _down(found) == ["H"]  # A is as likely to fail as not, and told in full


@pytest.mark.parametrize(("intensity", "share"), [(0.0, 0.0), (2.0, 1.0), (9.0, 1.0)])
def test_a_fragility_is_flat_beyond_its_ends(plant: Plant, intensity: float, share: float) -> None:
    found = plant.what_if({"hazard": {"polygon": BAND, "intensity": intensity, "samples": 20}})

    assert found.expected is not None
    assert found.expected.assets.mean == 2.0 * share


def test_the_same_seed_brings_the_same_luck_to_another_scenario(plant: Plant) -> None:
    hazard = {"polygon": BAND, "intensity": 1.0, "samples": 300}
    added = {"source": "H", "name": "needs", "target": "B"}

    plain = plant.what_if({"hazard": hazard}).expected
    safer = plant.what_if({"hazard": hazard, "add": [added]}).expected

    assert plain is not None
    assert safer is not None
    assert plain.assets.mean == 2 * safer.assets.mean  # A fails in the very same samples


def test_what_else_there_is_in_a_plant_moves_no_luck(plant: Plant) -> None:
    hazard = {"hazard": {"polygon": BAND, "intensity": 1.0, "samples": 300}}
    before = plant.what_if(hazard).expected

    others: dict[str, Any] = {f"0{i}": {} for i in range(5)}
    twins = {**others, "A": {"worth": 1.0}, "B": {"worth": 2.0}, "H": {"people": 7}}
    after = Plant(twins, [("H", "needs", "A")]).what_if(hazard).expected

    assert before is not None
    assert before == after


# -- nothing leaks ----------------------------------------------------------------------------


def test_no_scenario_leaves_a_trace_in_the_plant(plant: Plant) -> None:
    arrays = [
        np.array(a, copy=True) for a in plant.assets.network.arrays if isinstance(a, np.ndarray)
    ]
    before = [row.id for row in plant.assets.impact(["A"]).affected()]
    values = {name: dict(rows) for name, rows in plant.assets.topology.values.items()}

    plant.what_if(
        {
            "fail": ["B"],
            "add": [{"source": "H", "name": "needs", "target": "B"}],
            "remove": [{"source": "H", "name": "needs", "target": "A"}],
            "set": {"A": {"closed": False, "people": 9}},
            "hazard": {"polygon": BAND, "intensity": 2.0, "samples": 5},
        }
    )

    after = [a for a in plant.assets.network.arrays if isinstance(a, np.ndarray)]
    assert all(np.array_equal(a, b) for a, b in zip(arrays, after, strict=True))
    assert [row.id for row in plant.assets.impact(["A"]).affected()] == before
    assert {name: dict(rows) for name, rows in plant.assets.topology.values.items()} == values


def test_scenarios_are_compared_on_one_moment(plant: Plant) -> None:
    models = plant.graph.ontology, plant.graph.dependencies

    calm, dark = compare(plant.assets, {"calm": {}, "dark": "fail: [A]"}, *models)

    assert (calm.name, calm.newly_down, calm.totals.assets) == ("calm", 0, 0)
    assert (dark.name, dark.newly_down, dark.totals.customers) == ("dark", 2, 7.0)
    with pytest.raises(BadScenario) as refused:
        compare(plant.assets, {"calm": {}, "odd": {"fail": ["Z"]}}, *models)
    assert refused.value.path == "odd"


# -- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "place"),
    [
        ([], "/"),
        ({"fial": []}, "/fial"),
        ({"fail": "A"}, "/fail"),
        ({"fail": [1]}, "/fail/0"),
        ({"fail": ["A"], "repair": ["A"]}, "/repair/0"),
        ({"version": 2}, "/version"),
        ({"add": [{"source": "H", "target": "A"}]}, "/add/0/name"),
        ({"add": [{"source": "H", "name": "needs", "target": "B", "x": 1}]}, "/add/0/x"),
        ({"set": {"A": 1}}, "/set/A"),
        ({"horizon": "soon"}, "/horizon"),
        ({"hazard": {"polygon": BAND}}, "/hazard/intensity"),
        ({"hazard": {"polygon": BAND, "intensity": 1, "samples": 10**9}}, "/hazard/samples"),
        ({"hazard": {"polygon": "POLYGON ((0 0, 1 1))", "intensity": 1}}, "/hazard/polygon"),
        ({"hazard": {"polygon": "CIRCLE (0 0, 1)", "intensity": 1}}, "/hazard/polygon"),
        (
            {"hazard": {"polygon": {"type": "Polygon"}, "intensity": 1}},
            "/hazard/polygon/coordinates",
        ),
        ({"hazard": {"polygon": BAND, "intensity": 10**400}}, "/hazard/intensity"),
        (
            {"hazard": {"polygon": "POLYGON (a (0 0, 1 1, 2 0) b)", "intensity": 1}},
            "/hazard/polygon",
        ),
        ({"hazard": {"polygon": "POLYGON ((0 0, nan 1, 2 0))", "intensity": 1}}, "/hazard/polygon"),
        ({"hazard": {"polygon": "POLYGON EMPTY", "intensity": 1}}, "/hazard/polygon"),
        ({"hazard": {"polygon": LONG, "intensity": 1}}, "/hazard/polygon"),
        (
            {
                "hazard": {
                    "polygon": {"type": "Polygon", "coordinates": [[[10**400, 0], [1, 1], [2, 0]]]},
                    "intensity": 1,
                }
            },
            "/hazard/polygon/coordinates/0",
        ),
        (
            {
                "hazard": {
                    "polygon": {"type": "Polygon", "coordinates": [[["a", 0]]]},
                    "intensity": 1,
                }
            },
            "/hazard/polygon/coordinates/0",
        ),
    ],
)
def test_a_scenario_that_cannot_be_read_says_where(scenario: Any, place: str) -> None:
    with pytest.raises(BadScenario) as refused:
        read_scenario(scenario)

    assert [problem.path for problem in refused.value.problems] == [place]


def test_texts_are_read_strictly() -> None:
    assert read_scenario("fail: [A]\nhorizon: PT1H").horizon == 3600.0
    assert read_scenario('{"fail": ["A"]}').fail == ("A",)
    for wrong in ("a: &x [1]\nb: *x", "fail: [A]\nfail: [B]", "{", b"\xff"):
        with pytest.raises(BadScenario):
            read_scenario(wrong)


@pytest.mark.parametrize(
    "scenario",
    [
        {"fail": ["nobody"]},
        {"repair": ["nobody"]},
        {"add": [{"source": "H", "name": "needs", "target": "nobody"}]},
        {"add": [{"source": "H", "name": "need", "target": "A"}]},
        {"add": [{"source": "H", "name": "needs", "target": "A", "properties": {"lag": "x"}}]},
        {"add": [{"source": "H", "name": "needs", "target": "A", "properties": {"log": 1}}]},
        {"remove": [{"source": "A", "name": "needs", "target": "H"}]},
        {"set": {"nobody": {"closed": True}}},
        {"set": {"A": {"closed": "yes"}}},
        {"set": {"A": {"shut": True}}},
    ],
)
def test_a_scenario_that_does_not_fit_the_plant_is_refused(
    plant: Plant, scenario: dict[str, Any]
) -> None:
    with pytest.raises(BadScenario) as refused:
        plant.what_if(scenario)

    assert len(refused.value.problems) == 1


def test_a_hazard_that_would_take_minutes_is_refused(plant: Plant, monkeypatch: Any) -> None:
    """A alone is exposed, of three assets."""
    monkeypatch.setattr("twinfall.analytics.whatif.outcome.MAX_TRIED", 100)
    few, many = ({"polygon": BAND, "intensity": 1.0, "samples": count} for count in (100, 101))

    assert plant.what_if({"hazard": few}).expected is not None
    with pytest.raises(Refused) as refused:
        plant.what_if({"hazard": many})

    assert (refused.value.code, refused.value.path) == ("TOO_COSTLY", "/hazard/samples")
    assert refused.value.message == "101 samples of 1 exposed assets are too many"
    assert refused.value.cure == "at most 100 samples, or a smaller area"


def test_a_hazard_over_a_large_plant_is_told_what_would_pass(
    plant: Plant, monkeypatch: Any
) -> None:
    monkeypatch.setattr("twinfall.analytics.whatif.outcome.MAX_TESTED", 10)

    with pytest.raises(Refused) as refused:
        plant.what_if({"hazard": {"polygon": BAND, "intensity": 1.0, "samples": 50}})

    assert refused.value.cure == "at most 3 corners"
