"""What the changes of a scenario take away: told against the plant of today, with its times."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics.whatif.plants import Plant
from twinfall.analytics import Standing
from twinfall.analytics.whatif import Outcome, compare

HOUR = 3600.0
NANO = 10**9
NOW = 10**18
"""The live plant's time, in ns."""
OPEN = {"V": {"closed": False}}
DECLARED: dict[str, Any] = {
    "Unit": {
        "asset": {
            "customers": {"from": "people", "default": 0},
            "conducts": {"from": "closed", "default": True},
            "source": [{"carrier": "water", "autonomy": {"from": "reserve", "default": "PT0S"}}],
        },
        "contents": {
            "joins": {"mode": "network", "carrier": "water"},
            "needs": {
                "dependent": "source", "group": "power", "rule": "any", "autonomy": "PT4H",
                "recharge": "PT8H",
            },
        },
    },
    "Machine": {"asset": {"source": ["water"]}},
}  # fmt: skip


@pytest.fixture
def plant() -> Plant:
    """S feeds T through the valve V; H has 200 people and lives on T, or four hours without."""
    twins = {"S": {"model": "Machine"}, "V": {}, "T": {}, "H": {"people": 200}}
    return Plant(twins, [("S", "joins", "V"), ("V", "joins", "T"), ("H", "needs", "T")], DECLARED)


def _outages(found: Outcome) -> list[tuple[str, float, float | None]]:
    return [
        (one.id, one.begin / HOUR, None if one.until is None else one.until / HOUR)
        for one in found.timeline.outages
    ]


def test_what_an_open_valve_cuts_off_falls_when_the_scenario_happens(plant: Plant) -> None:
    found = plant.what_if({"set": OPEN, "horizon": "PT10H"})

    assert _outages(found) == [("T", 0, None), ("H", 4, None)]
    assert found.newly_down == ("H", "T")
    assert (found.timeline.ever_down.assets, found.timeline.ever_down.customers) == (2, 200)
    assert found.timeline.unserved.customer_hours == 200 * 6
    assert [(one.at, one.assets) for one in found.timeline.curve] == [(0, 1), (4 * HOUR, 2)]


def test_it_says_for_want_of_what(plant: Plant) -> None:
    events = plant.what_if({"set": OPEN}).timeline.events

    told = [(one.id, one.group, one.cause) for one in events]
    assert told == [("T", "water", None), ("H", "power", "T")]


def test_who_lives_on_a_battery_is_down_only_after_it(plant: Plant) -> None:
    found = plant.what_if({"set": OPEN, "horizon": "PT3H"})

    assert found.newly_down == ("T",)
    assert found.newly_down_totals.assets == found.timeline.ever_down.assets == 1


def test_a_pipe_that_is_taken_away_is_as_an_open_valve(plant: Plant) -> None:
    pipe = {"source": "V", "name": "joins", "target": "T"}
    twins = {"S": {"model": "Machine"}, "V": {}, "T": {}, "U": {}}
    longer = Plant(twins, [("S", "joins", "V"), ("V", "joins", "T"), ("T", "joins", "U")], DECLARED)

    found = longer.what_if({"remove": [pipe], "horizon": "PT2H"})

    assert _outages(found) == [("T", 0, None), ("U", 0, None)]
    assert found.timeline.unserved.asset_hours == 4


def test_a_valve_that_is_closed_again_ends_it(plant: Plant) -> None:
    found = plant.what_if({"set": OPEN, "then": [{"after": "PT5H", "close": ["V"]}]})

    assert _outages(found) == [("T", 0, 5), ("H", 4, 5)]


def test_times_count_from_when_it_happens(plant: Plant) -> None:
    live = plant.assets.under(Standing(1), NOW)

    found = plant.what_if({"at": "PT2H", "set": OPEN}, assets=live)

    assert _outages(found) == [("T", 0, None), ("H", 4, None)]


def test_a_battery_is_not_drained_by_what_is_yet_to_be_taken_away() -> None:
    """One of two feeds has been away for three hours; the scenario takes the other."""
    twins = {"A": {}, "B": {}, "C": {}, "H": {}}
    links = [("H", "needs", "A"), ("H", "needs", "B")]
    plant = Plant(twins, links, DECLARED)
    live = plant.assets.under(Standing(1, failed=("A",), since={"A": NOW - 3 * 3600 * NANO}), NOW)

    found = plant.what_if(
        {"remove": [{"source": "H", "name": "needs", "target": "B"}]}, assets=live
    )

    assert _outages(found) == [("H", 4, None)]


def test_what_is_down_today_and_is_raised_by_a_change_is_no_outage_when_it_falls_again() -> None:
    twins = {"S": {"model": "Machine"}, "V": {"closed": False}, "T": {}}
    plant = Plant(twins, [("S", "joins", "V"), ("V", "joins", "T")], DECLARED)
    assert plant.assets.baseline_down == ("T",)

    found = plant.what_if(
        {"set": {"V": {"closed": True}}, "then": [{"after": "PT1H", "fail": ["V"]}]}
    )

    assert found.recovered == ("T",)
    assert _outages(found) == [("V", 1, None)]


def test_scenarios_side_by_side_tell_what_is_done_later(plant: Plant) -> None:
    scenarios = {
        "valve": {"set": OPEN, "horizon": "PT10H"},
        "later": {"then": [{"after": "PT1H", "fail": ["V"]}], "horizon": "PT10H"},
    }

    valve, later = compare(plant.assets, scenarios, plant.graph.ontology, plant.graph.dependencies)

    assert (valve.totals.assets, later.totals.assets) == (0, 0)
    assert (valve.ever_down.assets, later.ever_down.assets) == (2, 3)
    assert (valve.unserved.customer_hours, later.unserved.customer_hours) == (200 * 6, 200 * 5)
    assert (valve.outages, later.outages) == (2, 3)


def test_a_tank_that_runs_today_has_what_is_left_of_it_behind_a_valve_that_opens() -> None:
    """The source has been away for half an hour, the tank lasts for an hour."""
    twins = {"S": {"model": "Machine"}, "V": {}, "T": {"reserve": "PT1H"}}
    plant = Plant(twins, [("S", "joins", "V"), ("V", "joins", "T")], DECLARED)
    live = plant.assets.under(Standing(1, failed=("S",), since={"S": NOW - 1800 * NANO}), NOW)

    found = plant.what_if({"set": OPEN}, assets=live)

    assert _outages(found) == [("T", 0.5, None), ("V", 0.5, None)]
    assert found.newly_down == ()  # today both are down by then, too


def test_a_tank_is_not_drained_by_a_valve_that_is_yet_to_open() -> None:
    """Of two ways to the tank one has been away for half an hour; the scenario shuts the other."""
    twins = {"S": {"model": "Machine"}, "V": {}, "W": {}, "T": {"reserve": "PT1H"}}
    joins = [("S", "joins", way) for way in "VW"] + [(way, "joins", "T") for way in "VW"]
    plant = Plant(twins, joins, DECLARED)
    live = plant.assets.under(Standing(1, failed=("W",), since={"W": NOW - 1800 * NANO}), NOW)

    assert _outages(plant.what_if({"set": OPEN}, assets=live)) == [("T", 1, None)]


# -- a law ----------------------------------------------------------------------------------------

IDS = ("S", "A", "B", "C", "D")
LINKS = st.lists(
    st.tuples(
        st.sampled_from(IDS), st.sampled_from(("joins", "needs")), st.sampled_from(IDS)
    ).filter(lambda link: link[0] != link[2]),
    max_size=9,
    unique_by=lambda link: (link[1], frozenset((link[0], link[2]))),
)
HOURS = st.sampled_from(("PT0S", "PT1H", "PT6H"))


@settings(max_examples=60, deadline=None)
@given(
    LINKS,
    st.lists(HOURS, min_size=5, max_size=5),
    st.sampled_from(IDS),
    st.booleans(),
    st.dictionaries(st.sampled_from(IDS), st.integers(0, 12), max_size=2),
)
def test_a_switch_that_is_set_open_is_a_switch_that_is_opened(
    links: list[tuple[str, str, str]],
    reserves: list[str],
    switch: str,
    starts: bool,
    failed: dict[str, int],
) -> None:
    """Some have failed before, so many half hours ago."""
    twins: dict[str, dict[str, Any]] = {
        id_: {"reserve": reserve} for id_, reserve in zip(IDS, reserves, strict=True)
    }
    if starts:
        twins["S"]["model"] = "Machine"
    plant = Plant(twins, links, DECLARED)

    since = {id_: NOW - halves * 1800 * NANO for id_, halves in failed.items()}
    live = plant.assets.under(Standing(1, failed=tuple(sorted(failed)), since=since), NOW)

    said = plant.what_if({"set": {switch: {"closed": False}}}, assets=live)
    done = plant.what_if({"then": [{"after": "PT0S", "open": [switch]}]}, assets=live)

    assert said.timeline.outages == done.timeline.outages
    anyway = {one.id for one in plant.what_if({}, assets=live).timeline.outages}
    fallen = {one.id for one in done.timeline.outages}
    assert said.newly_down == tuple(sorted(fallen - anyway))
