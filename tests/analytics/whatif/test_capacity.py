"""Capacity changed in thought: shares of feeds, what a consumer needs at least, and buffers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analytics.whatif.plants import Plant

DECLARED: dict[str, Any] = {
    "Unit": {
        "asset": {"customers": {"from": "people", "default": 1}},
        "contents": {
            "needs": {
                "dependent": "source",
                "group": "power",
                "rule": "capacity",
                "share": {"from": "share", "default": 0.5},
                "minShare": {"from": "least", "default": 1.0},
                "autonomy": {"from": "reserve", "default": "PT0S"},
            }
        },
    }
}
SHARES = {"A": 0.6, "B": 0.5, "C": 0.5}


@pytest.fixture(scope="module")
def plant() -> Plant:
    """H needs 100 %: it gets 60 % from A, 50 % each from B and C."""
    rows = [("H", "needs", id_, {"share": share}) for id_, share in SHARES.items()]
    return Plant({"A": {}, "B": {}, "C": {}, "H": {"least": 1.0}}, rows, DECLARED)


def _down(plant: Plant, scenario: dict[str, Any]) -> list[str]:
    found = plant.what_if(scenario)
    assert found.warnings == ()
    return [row.id for row in found.impact.affected()]


def _share(of: str, share: float) -> dict[str, Any]:
    return {"source": "H", "name": "needs", "target": of, "properties": {"share": share}}


def test_a_feed_of_less_capacity_no_longer_suffices(plant: Plant) -> None:
    assert _down(plant, {"fail": ["A"]}) == []
    assert _down(plant, {"fail": ["A"], "change": [_share("B", 0.4)]}) == ["H"]


def test_a_feed_of_more_capacity_bears_the_loss_of_two(plant: Plant) -> None:
    assert _down(plant, {"fail": ["B", "C"]}) == ["H"]
    assert _down(plant, {"fail": ["B", "C"], "change": [_share("A", 1.0)]}) == []


def test_a_consumer_that_needs_less_bears_more(plant: Plant) -> None:
    assert _down(plant, {"fail": ["B", "C"], "set": {"H": {"least": 0.6}}}) == []


def test_a_buffer_that_is_built_bridges_the_time_asked_for(plant: Plant) -> None:
    scenario = {"fail": ["B", "C"], "horizon": "PT3H", "set": {"H": {"reserve": "PT4H"}}}

    assert _down(plant, scenario) == []


def test_a_change_is_compared_with_the_plant_as_it_is(plant: Plant) -> None:
    found = plant.what_if({"fail": ["B", "C"], "change": [_share("A", 1.0)]})

    assert found.without is not None
    assert (found.impact.totals.assets, found.without.assets) == (0, 1)


def test_changing_a_feed_to_what_it_is_changes_nothing(plant: Plant) -> None:
    same = [_share(of, share) for of, share in SHARES.items()]

    for failed in ([], ["A"], ["A", "B"], ["B", "C"]):
        assert _down(plant, {"fail": failed, "change": same}) == _down(plant, {"fail": failed})


def test_the_plant_keeps_its_capacity(plant: Plant) -> None:
    plant.what_if({"change": [_share("B", 0.0), _share("A", 0.1)]})

    assert _down(plant, {"fail": ["A"]}) == []
