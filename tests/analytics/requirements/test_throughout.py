"""Requirements on a scenario that goes on: the worst of its moments counts."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from tests.analytics.requirements.plant import NOW, SECOND, Plant, needs
from twinfall.analytics import AssetNetwork
from twinfall.analytics.requirements import (
    Finding,
    GraphTwins,
    Vocabulary,
    assuming,
    check_throughout,
)
from twinfall.analytics.whatif.afterwards import afterwards
from twinfall.ontology.errors import Problem

HOUR = 3600
H = {"ids": ["H"]}
UP = {"up": True}


def hospital() -> Plant:
    """H is fed by A, and by B, and lives two hours without both."""
    twins: dict[str, Mapping[str, Any]] = {"A": {}, "B": {}, "H": {}}
    return Plant(needs("any", autonomy="PT2H"), twins, [("H", "needs", "A"), ("H", "needs", "B")])


def judged(
    plant: Plant,
    scenario: Mapping[str, Any],
    require: Mapping[str, Any] = UP,
    failed: Mapping[str, int] | None = None,
    seconds: float = 600,
) -> tuple[Finding, tuple[Problem, ...]]:
    assets = plant.assets if failed is None else plant.after(failed)
    rows = [{"name": "r", "of": H, "require": require}]
    assumed = assuming(assets, scenario, Vocabulary.of(plant.graph.models), NOW)
    twins = GraphTwins(plant.graph.fetch)
    found = plant.read({"version": 1, "requirements": rows})
    report, warnings = check_throughout(found, assumed, NOW, twins, seconds=seconds)
    return report.findings[0], warnings


def test_what_fails_later_breaks_a_requirement() -> None:
    then = [{"after": "PT1H", "fail": ["B"]}]
    both = {"singlePointsOfFailure": {"max": 0}}

    now, _ = judged(hospital(), {}, both)
    later, warnings = judged(hospital(), {"then": then}, both)

    assert now.verdict == "held"
    assert later.verdict == "broken"
    assert later.message.startswith("1 h after it: fails for 1 of 1 asset")
    assert warnings == ()


def test_the_moment_at_which_the_most_is_down_counts_though_all_is_repaired_later() -> None:
    """The battery is empty at two hours, and the repair comes at three."""
    scenario = {"fail": ["A", "B"], "then": [{"after": "PT3H", "repair": ["A", "B"]}]}

    found, _ = judged(hospital(), scenario)

    assert found.verdict == "broken"
    assert found.message.startswith("2 h after it: ")


def test_a_repair_in_time_holds() -> None:
    scenario = {"fail": ["A", "B"], "then": [{"after": "PT1H", "repair": ["A"]}]}

    found, _ = judged(hospital(), scenario)

    assert (found.verdict, found.message) == ("held", "holds for 1 asset")


def test_the_horizon_is_judged_with_what_is_left_of_the_battery() -> None:
    scenario = {"then": [{"after": "PT1H", "fail": ["A", "B"]}], "horizon": "PT2H"}

    found, _ = judged(hospital(), scenario, {"autonomy": {"group": "supply", "min": "PT90M"}})

    assert found.verdict == "broken"
    assert found.message.startswith("2 h after it: ")
    assert found.witnesses[0].value == HOUR


def test_a_battery_that_was_drained_before_is_empty_sooner() -> None:
    """Fails at 0, back at 1 h, fails again at 1.5 h: half an hour charged by nothing declared."""
    declared = needs("any", autonomy="PT2H", recharge="PT20H")
    twins: dict[str, Mapping[str, Any]] = {"A": {}, "H": {}}
    plant = Plant(declared, twins, [("H", "needs", "A")])
    then = [{"after": "PT1H", "repair": ["A"]}, {"after": "PT90M", "fail": ["A"]}]

    found, _ = judged(plant, {"fail": ["A"], "then": then, "horizon": "PT3H"})

    assert found.verdict == "broken"  # a full one would last until 3 h 30 min


def test_a_scenario_later_on_finds_what_fails_then_in_full_charge() -> None:
    found, _ = judged(hospital(), {"at": "PT5H", "fail": ["A", "B"]}, failed={})

    assert found.verdict == "held"
    assumed = assuming(
        hospital().after({}),
        {"at": "PT5H", "fail": ["A", "B"]},
        Vocabulary.of(hospital().graph.models),
        NOW,
    )
    assert assumed.now == NOW + 5 * HOUR * SECOND
    assert assumed.assets.course.gone_at(2) == 2 * HOUR


def test_moments_that_are_too_many_are_told() -> None:
    then = [{"after": f"PT{hours}H", "fail": ["B"]} for hours in range(1, 21)]

    _, warnings = judged(hospital(), {"then": then})

    assert [one.code for one in warnings] == ["notJudged"]
    assert warnings[0].path == "/then"


def test_moments_for_which_there_is_no_time_are_told(monkeypatch: Any) -> None:
    clock = [0.0]

    def slowly(*given: Any) -> AssetNetwork:
        clock[0] += 99.0
        return afterwards(*given)

    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    module = import_module("twinfall.analytics.requirements.assuming")  # the door has a function so
    monkeypatch.setattr(module, "afterwards", slowly)

    found, warnings = judged(hospital(), {"then": [{"after": "PT30H", "fail": ["A"]}]}, seconds=10)

    assert found.verdict == "held"
    assert [(one.code, one.path) for one in warnings] == [("notJudged", "/then")]
    assert "1 d 6 h" in warnings[0].message
