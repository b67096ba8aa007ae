"""Scenarios in time: when they happen, what is done later, and what is not served meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analytics.whatif.plants import Plant
from twinfall.analytics import Standing
from twinfall.analytics.whatif import BadScenario, Outage, Outcome

HOUR = 3600.0
NANO = 10**9
NOW = 10**18
"""The live plant's time, in ns."""
BATTERY: dict[str, Any] = {
    "Unit": {
        "asset": {
            "customers": {"from": "people", "default": 0},
            "value": {"from": "worth", "default": 0},
            "repairTime": {"from": "lag", "default": "PT2H"},
            "conducts": {"from": "closed", "default": True},
        },
        "contents": {
            "needs": {
                "dependent": "source", "group": "power", "autonomy": "PT4H", "recharge": "PT8H",
            },
        },
    },
    "Machine": {"asset": {"source": ["water"]}},
}  # fmt: skip
PIPES = {
    **BATTERY,
    "Unit": {**BATTERY["Unit"], "contents": {"joins": {"mode": "network", "carrier": "water"}}},
}


@pytest.fixture
def plant() -> Plant:
    """H has 200 people and lives on the grid G, or for four hours on its battery."""
    return Plant({"G": {"lag": "PT6H"}, "H": {"people": 200}}, [("H", "needs", "G")], BATTERY)


def _outages(found: Outcome) -> list[tuple[str, float, float | None]]:
    return [
        (one.id, one.begin / HOUR, None if one.until is None else one.until / HOUR)
        for one in found.timeline.outages
    ]


def test_without_anything_later_it_falls_as_the_impact_says(plant: Plant) -> None:
    found = plant.what_if({"fail": ["G"]})

    assert _outages(found) == [("G", 0, None), ("H", 4, None)]
    assert [(one.id, one.at) for one in found.impact.affected()] == [("H", 4 * HOUR)]


def test_a_repair_in_time_spares_who_lives_on_a_battery(plant: Plant) -> None:
    found = plant.what_if({"fail": ["G"], "then": [{"after": "PT3H", "repair": ["G"]}]})

    assert _outages(found) == [("G", 0, 3)]
    assert found.timeline.unserved.customer_hours == 0


def test_a_second_outage_finds_the_battery_as_it_was_left(plant: Plant) -> None:
    then = [{"after": "PT3H", "repair": ["G"]}, {"after": "PT5H", "fail": ["G"]}]

    found = plant.what_if({"fail": ["G"], "then": then, "horizon": "PT10H"})

    assert _outages(found) == [("G", 0, 3), ("G", 5, None), ("H", 7, None)]
    assert found.timeline.unserved.customer_hours == 200 * 3
    assert found.timeline.unserved.asset_hours == 3 + 5 + 3


def test_what_fails_may_be_repaired_after_its_declared_time(plant: Plant) -> None:
    found = plant.what_if({"fail": ["G"], "repairs": True})

    assert found.timeline.outages == (
        Outage("G", 0.0, 6 * HOUR, 0.0, 0.0),
        Outage("H", 4 * HOUR, 6 * HOUR, 200.0, 0.0),
    )


def test_an_event_says_for_want_of_what_and_because_of_whom(plant: Plant) -> None:
    found = plant.what_if({"fail": ["G"], "then": [{"after": "PT5H", "repair": ["G"]}]})

    told = [(one.id, one.rose, one.group, one.cause) for one in found.timeline.events]
    assert told[:2] == [("G", False, None, None), ("H", False, "power", "G")]
    assert sorted(told[2:]) == [("G", True, None, None), ("H", True, None, None)]


def test_the_curve_tells_how_much_is_down_from_when_on(plant: Plant) -> None:
    found = plant.what_if({"fail": ["G"], "then": [{"after": "PT5H", "repair": ["G"]}]})

    told = [(one.at / HOUR, one.assets, one.customers) for one in found.timeline.curve]
    assert told == [(0, 1, 0), (4, 2, 200), (5, 0, 0)]


def test_switches_may_be_opened_and_closed_later() -> None:
    twins = {"S": {"model": "Machine"}, "V": {}, "T": {}}
    plant = Plant(twins, [("S", "joins", "V"), ("V", "joins", "T")], PIPES)

    found = plant.what_if(
        {"then": [{"after": "PT1H", "open": ["V"]}, {"after": "PT3H", "close": ["V"]}]}
    )

    assert _outages(found) == [("T", 1, 3)]


def test_a_scenario_that_happens_later_meets_the_plant_as_it_will_be(plant: Plant) -> None:
    """The grid has been away for an hour; in two hours the battery has an hour left."""
    standing = Standing(1, failed=("G",), since={"G": NOW - 3600 * NANO})
    live = plant.assets.under(standing, NOW)

    now, later = (plant.what_if(one, assets=live) for one in ({}, {"at": "PT2H"}))

    assert _outages(now) == [("H", 3, None)]
    assert _outages(later) == [("H", 1, None)]


def test_it_may_happen_at_a_time_of_the_clock(plant: Plant) -> None:
    standing = Standing(1, failed=("G",), since={"G": NOW})
    live = plant.assets.under(standing, NOW)

    found = plant.what_if({"at": "2001-09-09T04:46:40+01:00"}, assets=live)  # two hours later

    assert _outages(found) == [("H", 2, None)]


def test_what_will_be_down_by_then_is_no_difference(plant: Plant) -> None:
    live = plant.assets.under(Standing(1, failed=("G",), since={"G": NOW}), NOW)

    assert plant.what_if({"at": "PT5H"}, assets=live).newly_down == ()


def test_a_repaired_feeder_finds_the_battery_drained_by_what_was_before(plant: Plant) -> None:
    standing = Standing(1, failed=("G",), since={"G": NOW - 3 * 3600 * NANO})
    live = plant.assets.under(standing, NOW)

    found = plant.what_if({"then": [{"after": "PT30M", "repair": ["G"]}]}, assets=live)

    assert _outages(found) == []


@pytest.mark.parametrize(
    ("scenario", "code", "path"),
    [
        ({"at": "tomorrow"}, "badTime", "/at"),
        ({"at": "2026-01-01T00:00:00Z"}, "badTime", "/at"),
        ({"at": "9999-01-01T00:00:00Z"}, "badTime", "/at"),
        ({"at": 7}, "badTime", "/at"),
        ({"then": {}}, "notList", "/then"),
        ({"then": [{"repair": ["G"]}]}, "missing", "/then/0/after"),
        ({"then": [{"after": "PT1H"}]}, "missing", "/then/0"),
        ({"then": [{"after": "-PT1H", "fail": ["G"]}]}, "badDuration", "/then/0/after"),
        ({"then": [{"after": "PT1H", "fail": ["X"]}]}, "unknownTwin", "/then/0/fail/0"),
        ({"then": [{"after": "PT1H", "heal": ["G"]}]}, "unknownMember", "/then/0/heal"),
        ({"then": [{"after": "PT1H", "fail": ["G"], "repair": ["G"]}]}, "contradiction",
         "/then/0/repair"),
        ({"repairs": "yes"}, "notBoolean", "/repairs"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_time_is_told_with_its_place(
    plant: Plant, scenario: Any, code: str, path: str
) -> None:
    with pytest.raises(BadScenario) as refused:
        plant.what_if(scenario)

    assert (code, path) in [(one.code, one.path) for one in refused.value.problems]


def test_a_loop_that_has_stopped_is_started_by_the_repair_of_what_starts_it() -> None:
    loops = {
        "Unit": {
            "contents": {
                "needs": {"dependent": "source", "group": "power", "rule": "any", "loop": "sustain"}
            }
        }
    }
    links = [("A", "needs", "S"), ("A", "needs", "B"), ("B", "needs", "A")]
    plant = Plant({"S": {}, "A": {}, "B": {}}, links, loops)
    stopped = {"A": NOW - 60 * NANO, "B": NOW - 60 * NANO}
    standing = Standing(1, failed=("S",), since={"S": NOW - 99 * NANO}, stopped=stopped)
    live = plant.assets.under(standing, NOW)

    nothing, repaired = (
        plant.what_if({}, assets=live),
        plant.what_if({"repair": ["S"]}, assets=live),
    )
    later = plant.what_if({"then": [{"after": "PT1H", "repair": ["S"]}]}, assets=live)

    assert nothing.assets.baseline_down == ("A", "B", "S")
    assert repaired.assets.baseline_down == ()
    assert [one.id for one in later.timeline.events if one.rose] == ["S", "A", "B"]
