"""What failures take down, as requirements: broken and held by the smallest plant that can."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analytics.requirements.plant import (
    TWO_FEEDS,
    H,
    Plant,
    behind_one,
    hospital,
    needs,
    shown,
)
from twinfall.analytics.requirements import Finding

# -- single points of failure ---------------------------------------------------------------


def test_an_asset_with_two_feeds_that_back_each_other_has_no_single_point_of_failure() -> None:
    finding = hospital("any").finding({"singlePointsOfFailure": {"max": 0}}, H)

    assert (finding.verdict, finding.checked, finding.failing) == ("held", 1, 0)
    assert finding.witnesses == ()


def test_a_common_source_behind_two_feeds_is_a_single_point_of_failure_with_its_path() -> None:
    finding = behind_one().finding({"singlePointsOfFailure": {}}, H)

    (witness,) = finding.witnesses
    assert (finding.verdict, witness.id, witness.value) == ("broken", "H", 1)
    assert witness.failures == (("S",),)
    assert [path.ids for path in witness.paths] == [("S", "B", "H")]


def test_so_many_single_points_of_failure_as_allowed_are_none_too_many() -> None:
    plant = hospital("all")

    assert plant.finding({"singlePointsOfFailure": {"max": 2}}, H).verdict == "held"
    assert plant.finding({"singlePointsOfFailure": {"max": 1}}, H).verdict == "broken"


def test_what_is_excepted_is_no_single_point_of_failure() -> None:
    plant = behind_one()
    by_id = {"singlePointsOfFailure": {"except": ["S"]}}
    by_model = {"singlePointsOfFailure": {"except": {"models": ["Unit"]}}}
    another = {"singlePointsOfFailure": {"except": {"ids": ["A"]}}}

    assert plant.finding(by_id, H).verdict == "held"
    assert plant.finding(by_model, H).verdict == "held"
    assert plant.finding(another, H).verdict == "broken"


def test_the_own_parts_of_an_asset_are_the_asset_itself() -> None:
    declared = {"Machine": {"contents": {"bearing": {"dependent": "source"}}}} | needs()
    twins = {"M": {"model": "Machine", "bearing": {}}, "U": {}}
    plant = Plant(declared, twins, [("U", "needs", "M")])
    require: Any = {"singlePointsOfFailure": {}}

    assert plant.finding(require, {"ids": ["M"]}).verdict == "held"
    assert plant.finding(require, {"ids": ["U"]}).witnesses[0].failures == (("M",), ("M/bearing",))


def test_a_failure_that_is_felt_later_is_no_single_point_of_failure_within_the_time() -> None:
    plant = behind_one(autonomy="PT2H")

    def within(time: str) -> str:
        return plant.finding({"singlePointsOfFailure": {"within": time}}, H).verdict

    assert within("PT3H") == "held"
    assert within("PT4H") == "broken"


def test_with_one_feed_gone_the_other_is_a_single_point_of_failure() -> None:
    finding = hospital("any").finding({"singlePointsOfFailure": {}}, H, failed={"A": 60})

    assert finding.verdict == "broken"
    assert finding.witnesses[0].failures == (("B",),)


def test_what_is_down_withstands_nothing() -> None:
    finding = hospital("any").finding({"singlePointsOfFailure": {}}, H, failed={"A": 60, "B": 60})

    assert finding.verdict == "broken"
    assert finding.witnesses[0].message == 'it is down: its group "supply" lost 2 of 2: A, B'


def test_what_lives_on_its_last_buffer_withstands_nothing() -> None:
    finding = hospital("any", autonomy="PT2H").finding(
        {"singlePointsOfFailure": {}}, H, failed={"A": 3600, "B": 3600}
    )

    assert finding.verdict == "broken"
    assert finding.witnesses[0].message == "it goes down in 1 h without any further failure"


def test_a_shared_duct_is_a_single_point_of_failure() -> None:
    plant = Plant(needs("any", failureDomain="domain:duct"), {"A": {}, "B": {}, "H": {}}, TWO_FEEDS)

    finding = plant.finding({"singlePointsOfFailure": {}}, H)

    assert finding.witnesses[0].failures == (("domain:duct",),)


def test_witnesses_come_with_the_most_points_of_failure_first() -> None:
    plant = Plant(
        needs(),
        {"A": {}, "B": {}, "X": {}, "Y": {}},
        [("X", "needs", "A"), ("Y", "needs", "A"), ("Y", "needs", "B")],
    )

    finding = plant.finding({"singlePointsOfFailure": {}}, {"models": ["Unit"]})

    assert shown(finding) == ("broken", ["Y", "X"])
    assert (finding.checked, finding.failing) == (4, 2)


# -- survival -------------------------------------------------------------------------------


def test_an_asset_survives_as_long_as_its_buffer_after_the_worst_failure() -> None:
    plant = hospital("all", autonomy="PT4H")

    assert plant.finding({"survival": {"min": "PT4H"}}, H).verdict == "held"
    finding = plant.finding({"survival": {"min": "PT5H"}}, H)
    assert finding.verdict == "broken"
    assert finding.witnesses[0].value == 4 * 3600
    assert finding.witnesses[0].message == "it lives 4 h after A fails"


def test_what_nothing_single_takes_down_survives_any_time() -> None:
    assert hospital("any").finding({"survival": {"min": "P365D"}}, H).verdict == "held"


def test_the_shortest_life_comes_first() -> None:
    declared = needs(autonomy={"from": "reserve", "default": "PT0S"})
    twins: Any = {"S": {}, "A": {"reserve": "PT2H"}, "B": {"reserve": "PT1H"}}
    plant = Plant(declared, twins, [("A", "needs", "S"), ("B", "needs", "S")])

    finding = plant.finding({"survival": {"min": "PT3H"}}, {"ids": ["A", "B"]})

    assert shown(finding) == ("broken", ["B", "A"])


def test_what_goes_down_anyway_does_not_survive() -> None:
    plant = hospital("any", autonomy="PT9H")

    finding = plant.finding({"survival": {"min": "PT1H"}}, H, failed={"A": 5, "B": 5})

    assert finding.verdict == "broken"


# -- impact ---------------------------------------------------------------------------------


def street(**values: Any) -> Plant:
    """S feeds X and Y; X has 300 people, Y 250."""
    declared: dict[str, Any] = needs(**values)
    declared["Unit"]["asset"] = {
        "customers": {"from": "people", "default": 0},
        "value": {"from": "worth", "default": 0},
        "services": ["health"],
    }
    twins: Any = {"S": {"people": 9}, "X": {"people": 300, "worth": 2.5}, "Y": {"people": 250}}
    return Plant(declared, twins, [("X", "needs", "S"), ("Y", "needs", "S")])


@pytest.mark.parametrize(
    ("limit", "held", "broken"),
    [
        ("customers", 550, 549),
        ("assets", 2, 1),
        ("value", 2.5, 2.4),
    ],
)
def test_a_failure_takes_no_more_along_than_allowed(limit: str, held: float, broken: float) -> None:
    plant = street()
    of = {"all": True}

    assert plant.finding({"impact": {limit: {"max": held}}}, of).verdict == "held"
    finding = plant.finding({"impact": {limit: {"max": broken}}}, of)
    assert shown(finding) == ("broken", ["S"])
    assert finding.failing == 1
    assert finding.witnesses[0].totals == plant.assets.impact(["S"]).totals


def test_a_service_may_be_limited() -> None:
    plant = street()

    def allowed(most: int) -> Finding:
        return plant.finding({"impact": {"services": {"health": {"max": most}}}}, {"all": True})

    assert allowed(2).verdict == "held"
    assert allowed(1).verdict == "broken"
    assert allowed(1).witnesses[0].message == (
        "it takes along 2 assets of the service health (1 allowed)"
    )


def test_only_what_is_taken_within_the_time_counts() -> None:
    plant = street(autonomy="PT2H")

    def within(time: str) -> str:
        require = {"impact": {"customers": {"max": 0}, "within": time}}
        return plant.finding(require, {"ids": ["S"]}).verdict

    assert within("PT1H") == "held"
    assert within("PT2H") == "broken"


def test_only_failures_of_the_selected_assets_are_looked_at() -> None:
    require = {"impact": {"customers": {"max": 0}}}

    assert street().finding(require, {"ids": ["X", "Y"]}).verdict == "held"


def test_what_failed_already_takes_nothing_more_along() -> None:
    require = {"impact": {"customers": {"max": 0}}}
    within = {"impact": {"customers": {"max": 0}, "within": "PT1H"}}

    for demand in (require, within):
        assert street().finding(demand, {"ids": ["S"]}, failed={"S": 60}).verdict == "held"


def test_what_failed_already_takes_nothing_along_that_still_lives_on_its_buffer() -> None:
    require = {"impact": {"customers": {"max": 0}, "within": "PT3H"}}

    finding = street(autonomy="PT2H").finding(require, {"ids": ["S"]}, failed={"S": 60})

    assert finding.verdict == "held"
