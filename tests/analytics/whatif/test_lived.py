"""Scenarios put to a plant that has been through something: batteries hold what they hold today."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics.plant import DOCUMENTS, PREFIX
from tests.analytics.whatif.plants import Plant
from twinfall.analytics import AssetNetwork, Standing
from twinfall.analytics.past import Past
from twinfall.analytics.requirements.assuming import assuming
from twinfall.analytics.requirements.vocabulary import Vocabulary
from twinfall.analytics.whatif import Outcome

HOUR = 3600
NANO = 10**9
NOW = 10**18
"""When the grid failed, in ns."""
DECLARED: dict[str, Any] = {
    "Unit": {
        "contents": {
            "needs": {
                "dependent": "source", "group": "power", "rule": "any", "autonomy": "PT4H",
                "recharge": "PT8H",
            }
        }
    }
}  # fmt: skip


@pytest.fixture
def plant() -> Plant:
    return Plant({"G": {}, "D": {}, "H": {}}, [("H", "needs", "G")], DECLARED)


def lived(plant: Plant, *, failed: bool) -> AssetNetwork:
    """Three hours after the grid failed; or it is just in order again."""
    past = Past()
    down = Standing(1, failed=("G",), since={"G": NOW})
    past.under(plant.assets, down, NOW)
    found = past.under(plant.assets, down, NOW + 3 * HOUR * NANO)
    return found if failed else past.under(plant.assets, Standing(2), NOW + 3 * HOUR * NANO)


def outages(found: Outcome) -> list[tuple[str, float, float | None]]:
    return [
        (one.id, one.begin / HOUR, None if one.until is None else one.until / HOUR)
        for one in found.timeline.outages
    ]


def test_what_is_left_of_a_battery_counts(plant: Plant) -> None:
    found = plant.what_if({"fail": ["G"]}, assets=lived(plant, failed=False))

    assert outages(found) == [("G", 0, None), ("H", 1, None)]
    assert [row.at for row in found.impact.affected()] == [HOUR]


def test_it_recharges_until_a_scenario_happens_and_in_it(plant: Plant) -> None:
    now = lived(plant, failed=False)
    again = [{"after": "PT2H", "fail": ["G"]}]

    assert outages(plant.what_if({"at": "PT2H", "fail": ["G"]}, assets=now))[1] == ("H", 2, None)
    assert outages(plant.what_if({"then": again}, assets=now))[1] == ("H", 4, None)


def test_what_a_scenario_repairs_recharges_what_was_drained_until_then(plant: Plant) -> None:
    scenario = {"repair": ["G"], "then": [{"after": "PT2H", "fail": ["G"]}]}

    found = plant.what_if(scenario, assets=lived(plant, failed=True))

    assert outages(found) == [("H", 4, None)]  # that G is down is no news
    assert found.recovered == ("G", "H")


def test_a_change_that_takes_a_feed_away_leaves_what_is_in_the_battery(plant: Plant) -> None:
    edit = {"remove": [{"source": "H", "name": "needs", "target": "G"}],
            "add": [{"source": "H", "name": "needs", "target": "D"}], "fail": ["D"]}  # fmt: skip

    found = plant.what_if(edit, assets=lived(plant, failed=False))

    assert outages(found) == [("D", 0, None), ("H", 1, None)]
    assert [row.at for row in found.impact.affected()] == [HOUR]


# -- behind a switch that follows a reading --------------------------------------------------------

SWITCH = {
    "@context": "dtmi:dtdl:context;3", "@type": "Interface", "@id": f"{PREFIX}Switch;1",
    "extends": f"{PREFIX}Unit;1",
    "contents": [{"@type": "Telemetry", "name": "on", "schema": "boolean"}],
}  # fmt: skip
SWITCHED: dict[str, Any] = {
    "Unit": {
        "asset": {
            "customers": {"from": "people", "default": 1},
            "source": [{"carrier": "water", "autonomy": {"from": "reserve", "default": "PT0S"}}],
        },
        "contents": {
            "joins": {"mode": "network", "carrier": "water"},
            "needs": {"dependent": "source", "group": "power", "autonomy": "PT4H"},
        },
    },
    "Machine": {"asset": {"source": ["water"]}},
    "Switch": {"asset": {"conducts": {"from": "on", "default": True}}},
}


def behind_a_switch(recharge: str = "PT0S") -> Plant:
    """S feeds the tank T, good for six hours, through the valve V; H lives on T, X on nothing."""
    asset: dict[str, Any] = SWITCHED["Unit"]["asset"]
    tank = {**asset["source"][0], "recharge": recharge}
    declared = {**SWITCHED, "Unit": {**SWITCHED["Unit"], "asset": {**asset, "source": [tank]}}}
    twins: dict[str, dict[str, Any]] = {
        "S": {"model": "Machine"}, "V": {"model": "Switch"}, "T": {"reserve": "PT6H"}, "H": {},
        "X": {},
    }  # fmt: skip
    feeds = [("S", "joins", "V"), ("V", "joins", "T"), ("H", "needs", "T")]
    return Plant(twins, feeds, declared, [*DOCUMENTS, SWITCH])


def with_v(plant: Plant, *moments: tuple[int, bool]) -> AssetNetwork:
    """The plant in which V stood so from each of these hours on, seen at the last; X had failed."""
    past = Past()
    found = past.under(plant.assets, Standing(0, failed=("X",), since={"X": NOW}), NOW)
    for version, (hours, on) in enumerate(moments, 1):
        found = past.under(
            plant.assets, Standing(version, conducts={"V": on}), NOW + hours * HOUR * NANO
        )
    return found


def test_a_switch_set_open_before_a_tank_that_is_partly_spent_leaves_it_the_rest() -> None:
    plant = behind_a_switch(recharge="PT12H")
    now = with_v(plant, (0, False), (3, True))

    found = plant.what_if({"set": {"V": {"on": False}}}, assets=now)
    opened = plant.what_if({"then": [{"after": "PT0S", "open": ["V"]}]}, assets=now)

    assert outages(found) == [("T", 3, None), ("H", 7, None)]
    assert found.timeline.outages == opened.timeline.outages


@pytest.mark.parametrize("hours", [0, 1])
def test_who_lives_on_a_tank_falls_when_it_is_empty_whatever_else_is_changed(
    hours: int,
) -> None:
    plant = behind_a_switch()
    now = with_v(plant, (0, False), (hours, False))

    found = plant.what_if({"set": {"X": {"people": 5}}}, assets=now)

    assert outages(found) == [("T", 6 - hours, None), ("H", 10 - hours, None)]


def test_what_falls_on_a_battery_that_runs_already_falls_because_of_what_it_has_lost() -> None:
    plant = behind_a_switch()
    empty = with_v(plant, (0, False), (6, False), (7, False))
    runs = with_v(plant, (0, False), (1, False))

    told = [
        [(one.id, one.group, one.cause) for one in plant.what_if({}, assets=now).timeline.events]
        for now in (empty, runs)
    ]

    assert told == [[("H", "power", "T")], [("T", "water", None), ("H", "power", "T")]]


IDS = ("S", "V", "T", "H", "X")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(IDS), st.sampled_from(("joins", "needs")), st.sampled_from(IDS)
        ).filter(lambda link: link[0] != link[2]),
        max_size=9,
        unique_by=lambda link: (link[1], frozenset((link[0], link[2]))),
    ),
    st.lists(st.sampled_from(("PT0S", "PT1H", "PT6H")), min_size=5, max_size=5),
    st.lists(
        st.tuples(st.sampled_from((0, 1, 3)), st.booleans(), st.sets(st.sampled_from(IDS))),
        min_size=1, max_size=4,
    ),
    st.booleans(),
)  # fmt: skip
def test_a_switch_that_is_set_is_a_switch_that_is_moved_in_a_plant_that_has_lived(
    links: list[tuple[str, str, str]],
    reserves: list[str],
    moments: list[tuple[int, bool, set[str]]],
    on: bool,
) -> None:
    twins: dict[str, dict[str, Any]] = {
        id_: {"reserve": reserve} for id_, reserve in zip(IDS, reserves, strict=True)
    }
    twins["S"]["model"], twins["V"]["model"] = "Machine", "Switch"
    plant = Plant(twins, links, SWITCHED, [*DOCUMENTS, SWITCH])
    past, at, live, since = Past(), NOW, plant.assets, dict[str, int]()
    for version, (hours, stands, failed) in enumerate(moments, 1):
        at += hours * HOUR * NANO
        since = {id_: since.get(id_, at) for id_ in failed}
        standing = Standing(
            version, failed=tuple(sorted(failed)), since=since, conducts={"V": stands}
        )
        live = past.under(plant.assets, standing, at)

    said = plant.what_if({"set": {"V": {"on": on}}}, assets=live)
    act = "close" if on else "open"
    done = plant.what_if({"then": [{"after": "PT0S", act: ["V"]}]}, assets=live)

    assert said.timeline.outages == done.timeline.outages


# -- what is down, and what is on its way ----------------------------------------------------------


def test_what_is_down_holds_what_it_held_when_a_scenario_repairs_it(plant: Plant) -> None:
    now, past = NOW + 3 * HOUR * NANO, Past()
    past.under(plant.assets, Standing(1, failed=("G",), since={"G": NOW}), NOW)
    past.under(plant.assets, Standing(2), now)  # One hour is left.
    past.under(plant.assets, Standing(3, failed=("H",), since={"H": now}), now)
    both = Standing(4, failed=("G", "H"), since={"G": now + NANO, "H": now})
    today = past.under(plant.assets, both, now + NANO)

    found = plant.what_if({"then": [{"after": "PT1H", "repair": ["H"]}]}, assets=today)

    events = [(one.id, one.at / HOUR, one.rose) for one in found.timeline.events]
    assert events == [("H", 1, True), ("H", pytest.approx(2, abs=1e-3), False)]


def test_a_switch_that_is_set_in_a_plant_with_a_past_leaves_a_tank_what_it_holds() -> None:
    declared = {
        "Machine": {"asset": {"source": ["water"]}},
        "Unit": {
            "asset": {
                "conducts": {"from": "position", "default": True},
                "source": [{"carrier": "water", "autonomy": "PT2H", "recharge": "PT2H"}],
            },
            "contents": {
                "joins": {"mode": "network", "carrier": "water"},
                "needs": {"dependent": "source", "group": "power", "autonomy": "PT4H"},
            },
        },
    }
    twins = {"S": {"model": "Machine"}, "V": {}, "T": {}, "G": {}, "H": {}}
    links = [("S", "joins", "V"), ("V", "joins", "T"), ("H", "needs", "G")]
    position = {"@type": "Telemetry", "name": "position", "schema": "boolean"}
    unit = {**DOCUMENTS[0], "contents": [*DOCUMENTS[0]["contents"], position]}
    plant = Plant(twins, links, declared, [unit, *DOCUMENTS[1:]])
    down = Standing(1, failed=("G",), since={"G": NOW})
    past = Past()
    past.under(plant.assets, down, NOW)
    today = past.under(plant.assets, down, NOW + HOUR * NANO)

    found = plant.what_if({"set": {"V": {"position": False}}}, assets=today)

    assert outages(found) == [("T", 2, None), ("H", 3, None)]


def test_losses_that_are_on_their_way_are_so_in_a_changed_plant() -> None:
    needs = {
        "dependent": "source", "rule": "any", "transfer": {"from": "lag", "default": "PT2H"},
        "autonomy": {"from": "reserve", "default": "PT0S"},
    }  # fmt: skip
    twins = {"G": {}, "A": {}, "B": {"reserve": "PT4H"}, "C": {}, "D": {}}
    links = [("A", "needs", "G"), ("B", "needs", "G", {"lag": "PT30M"}), ("D", "needs", "C")]
    plant = Plant(twins, links, {"Unit": {"contents": {"needs": needs}}})
    down, past = Standing(1, failed=("G",), since={"G": NOW}), Past()
    past.under(plant.assets, down, NOW)
    today = past.under(plant.assets, down, NOW + HOUR * NANO)

    found = plant.what_if(
        {"remove": [{"source": "D", "name": "needs", "target": "C"}]}, assets=today
    )

    assert outages(found) == [("A", 1, None), ("B", 3.5, None)]


@pytest.mark.parametrize("kind", ["failed", "out"])
def test_what_has_failed_long_ago_does_not_fail_anew_in_a_scenario(plant: Plant, kind: str) -> None:
    down, past = Standing(1, **{kind: ("G",)}, since={"G": NOW}), Past()
    past.under(plant.assets, down, NOW)
    now = NOW + 10 * HOUR * NANO
    today = past.under(plant.assets, down, now)
    vocabulary = Vocabulary(plant.graph.ontology, plant.graph.dependencies)
    scenario = {"fail": ["G"], "then": [{"after": "PT1H", "fail": ["G"]}]}

    found = assuming(today, scenario, vocabulary, now)

    assert found.assets.baseline_down == ("G", "H")
    assert {one.baseline_down for _, one in found.later()} == {("G", "H")}
