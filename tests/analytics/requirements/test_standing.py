"""Requirements about groups, states and sets of failures, broken and held by the smallest plant
that can, also in a scenario.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.analytics.requirements.plant import (
    NOW,
    H,
    Plant,
    behind_one,
    hospital,
    needs,
    shown,
)
from twinfall.analytics.requirements import Vocabulary, assuming, cutting

# -- autonomy -------------------------------------------------------------------------------


def test_the_declared_autonomy_of_a_group_is_compared() -> None:
    plant = hospital("any", autonomy="PT4H")

    assert plant.finding({"autonomy": {"group": "supply", "min": "PT4H"}}, H).verdict == "held"
    finding = plant.finding({"autonomy": {"group": "supply", "min": "PT5H"}}, H)
    assert (finding.verdict, finding.witnesses[0].value) == ("broken", 4 * 3600)
    assert finding.witnesses[0].message == 'it lives 4 h without its group "supply"'


def test_each_group_must_have_the_autonomy_where_none_is_named() -> None:
    contents = {
        "needs": {"dependent": "source", "group": "power", "autonomy": "PT8H"},
        "backs": {"dependent": "source", "group": "water", "autonomy": "PT1H"},
    }
    plant = Plant(
        {"Unit": {"contents": contents}},
        {"A": {}, "H": {}},
        [("H", "needs", "A"), ("H", "backs", "A")],
    )

    assert plant.finding({"autonomy": {"min": "PT1H"}}, H).verdict == "held"
    finding = plant.finding({"autonomy": {"min": "PT2H"}}, H)
    assert finding.witnesses[0].message == 'it lives 1 h without its group "water"'


def test_a_buffer_in_use_has_what_is_left_of_it() -> None:
    finding = hospital("any", autonomy="PT4H").finding(
        {"autonomy": {"group": "supply", "min": "PT3H"}}, H, failed={"A": 7200, "B": 7200}
    )

    assert (finding.verdict, finding.witnesses[0].value) == ("broken", 2 * 3600)


def test_who_hangs_on_a_network_has_not_the_autonomy_of_groups_alone() -> None:
    declared = {
        "Unit": {"contents": {"joins": {"mode": "network", "carrier": "electricity"}}},
        "Machine": {"asset": {"source": ["electricity"]}},
    }
    twins = {"S": {"model": "Machine"}, "P": {}}
    plant = Plant(declared, twins, [("S", "joins", "P")])

    for demand in ({"autonomy": {"min": "PT4H"}}, {"margin": {"min": 1}}):
        finding = plant.finding(demand, {"ids": ["P"]})
        assert finding.verdict == "notEvaluated"
        assert finding.witnesses[0].message == (
            "it hangs on the network of electricity, which is no group: name a group, or require "
            "`survival` or `singlePointsOfFailure`"
        )
    assert plant.finding({"autonomy": {"min": "PT4H"}}, {"ids": ["S"]}).verdict == "held"


def test_an_asset_without_the_group_does_not_have_its_autonomy() -> None:
    plant = hospital("any", autonomy="PT4H")
    require = {"autonomy": {"group": "supply", "min": "PT1H"}}

    finding = plant.finding(require, {"ids": ["A"]})

    assert finding.verdict == "broken"
    assert finding.witnesses[0].message == 'it has no feeds in the group "supply"'


def test_parts_are_a_group_only_where_it_is_named() -> None:
    declared = {"Machine": {"contents": {"bearing": {"dependent": "source"}}}}
    plant = Plant(declared, {"M": {"model": "Machine", "bearing": {}}})
    of = {"ids": ["M"]}

    assert plant.finding({"autonomy": {"min": "PT1H"}}, of).verdict == "held"
    named = {"autonomy": {"group": "bearing", "min": "PT1H"}}
    assert plant.finding(named, of).verdict == "broken"


# -- margin ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "margin"), [("all", 0), ("any", 1)])
def test_the_margin_is_how_many_more_feeds_can_be_lost(rule: str, margin: int) -> None:
    plant = hospital(rule)

    assert plant.finding({"margin": {"group": "supply", "min": margin}}, H).verdict == "held"
    finding = plant.finding({"margin": {"group": "supply", "min": margin + 1}}, H)
    assert (finding.verdict, finding.witnesses[0].value) == ("broken", margin)


def test_a_lost_feed_takes_from_the_margin() -> None:
    finding = hospital("any").finding(
        {"margin": {"group": "supply", "min": 1}}, H, failed={"A": 60}
    )

    (witness,) = finding.witnesses
    assert (finding.verdict, witness.value) == ("broken", 0)
    assert witness.message == 'it can lose no more feed of the group "supply" (1 of 2 lost: A)'


def test_a_lost_group_that_is_bridged_has_less_than_no_margin() -> None:
    finding = hospital("all", autonomy="PT9H").finding(
        {"margin": {"group": "supply", "min": 0}}, H, failed={"A": 60}
    )

    assert (finding.verdict, finding.witnesses[0].value) == ("broken", -1)


def test_of_unequal_shares_the_largest_may_be_lost_next() -> None:
    declared = needs("capacity", minShare=1.0, share={"from": "share", "default": 1.0})
    shares = {"A": 1.0, "B": 0.5, "C": 0.5}
    relationships = [("H", "needs", p, {"share": share}) for p, share in shares.items()]
    plant = Plant(declared, {"A": {}, "B": {}, "C": {}, "H": {}}, relationships)

    assert plant.finding({"margin": {"min": 1}}, H).verdict == "held"  # any one
    assert plant.finding({"margin": {"min": 2}}, H).verdict == "broken"  # A, and one more


# -- states ---------------------------------------------------------------------------------


def test_what_is_up_is_up() -> None:
    plant = hospital()

    assert plant.finding({"up": True}, H).verdict == "held"
    finding = plant.finding({"up": True}, {"all": True}, failed={"A": 60})
    assert shown(finding) == ("broken", ["A", "H"])
    assert finding.witnesses[0].message == "it is down: it failed itself"


def test_what_is_in_maintenance_is_not_up() -> None:
    plant = hospital()
    assets = plant.after({}, out=("A",))

    (finding,) = plant.report(
        {
            "version": 1,
            "requirements": [{"name": "r", "of": {"ids": ["A"]}, "require": {"up": True}}],
        },
        assets,
    ).findings

    assert finding.verdict == "broken"
    assert finding.witnesses[0].message == "it is down: in maintenance"


def test_only_the_allowed_states_hold() -> None:
    plant = hospital()

    assert plant.finding({"states": ["ok", "degraded"]}, H, failed={}).verdict == "held"
    finding = plant.finding({"states": ["ok"]}, {"all": True}, failed={"A": 60})
    assert shown(finding) == ("broken", ["A", "H"])
    assert plant.finding({"states": ["failed"]}, H, failed={"A": 60}).verdict == "held"


def test_what_could_not_be_followed_is_not_evaluated() -> None:
    declared = needs("atLeast", k={"from": "quorum", "default": 1})
    twins = {"A": {}, "H": {"quorum": 5}, "I": {}}
    plant = Plant(declared, twins, [("H", "needs", "A"), ("I", "needs", "A")])

    finding = plant.finding({"evaluated": True}, {"models": ["Unit"]})

    assert shown(finding) == ("broken", ["H"])
    says = 'group "supply": k is 5, and must be from 1 to 1, the feeds that it has'
    assert finding.witnesses[0].message == says


def test_what_is_unknown_holds_nothing_silently() -> None:
    declared = needs("atLeast", k={"from": "quorum", "default": 1})
    plant = Plant(declared, {"A": {}, "H": {"quorum": 5}}, [("H", "needs", "A")])

    require: Any
    for require in (
        {"singlePointsOfFailure": {}},
        {"survival": {"min": "PT1H"}},
        {"margin": {"group": "supply", "min": 0}},
        {"autonomy": {"group": "supply", "min": "PT0S"}},
        {"up": True},
    ):
        finding = plant.finding(require, H)
        assert (finding.verdict, finding.unclear) == ("notEvaluated", 1), require
        assert "and must be from 1 to 1," in finding.witnesses[0].message


def test_counts_are_exact_although_witnesses_are_not_all_shown() -> None:
    many: Any = {f"U{n:03}": {} for n in range(120)}
    plant = Plant(needs(), {"S": {}} | many, [(id_, "needs", "S") for id_ in many])

    finding = plant.finding({"singlePointsOfFailure": {}}, {"models": ["Unit"]})

    assert (finding.checked, finding.failing) == (121, 120)
    assert [w.id for w in finding.witnesses] == sorted(many)[:20]


def test_a_report_is_the_same_each_time_and_knows_its_snapshot() -> None:
    plant = behind_one()
    text = {
        "version": 1,
        "requirements": [{"name": "r", "of": H, "require": {"singlePointsOfFailure": {}}}],
    }

    first, second = plant.report(text), plant.report(text)

    assert first == second
    assert first.snapshot == plant.assets.snapshot
    assert (first.holds, first.now) == (False, NOW)
    assert np.array_equal(plant.assets.network.baseline, np.zeros(4, bool))


# -- cut sets -------------------------------------------------------------------------------


def test_two_feeds_that_back_each_other_are_a_pair_that_takes_it_down() -> None:
    plant = hospital("any")

    assert plant.finding({"cutSets": {"order": 1}}, H).verdict == "held"
    finding = plant.finding({"cutSets": {"order": 2}}, H)
    (witness,) = finding.witnesses
    assert (finding.verdict, witness.value) == ("broken", 1)
    assert witness.failures == (("A", "B"),)
    assert witness.paths[0].ids[-1] == "H"
    assert plant.finding({"cutSets": {"order": 2, "max": 1}}, H).verdict == "held"


def test_a_set_with_an_excepted_failure_does_not_count() -> None:
    finding = hospital("any").finding({"cutSets": {"order": 2, "except": ["B"]}}, H)

    assert finding.verdict == "held"


def test_with_one_feed_gone_the_pair_is_a_single_failure() -> None:
    finding = hospital("any").finding({"cutSets": {"order": 2}}, H, failed={"A": 60})

    assert finding.witnesses[0].failures == (("B",),)


def test_three_feeds_hold_against_any_two_failures() -> None:
    twins: Any = {"A": {}, "B": {}, "C": {}, "H": {}}
    plant = Plant(needs("any"), twins, [("H", "needs", feed) for feed in "ABC"])

    assert plant.finding({"cutSets": {"order": 2}}, H).verdict == "held"
    triple = plant.finding({"cutSets": {"order": 3}}, H)
    assert triple.witnesses[0].failures == (("A", "B", "C"),)


def test_what_is_down_holds_against_no_set() -> None:
    finding = hospital("any").finding({"cutSets": {}}, H, failed={"A": 60, "B": 60})

    assert finding.verdict == "broken"


def test_a_search_that_is_cut_short_says_nothing_of_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cutting, "MAX_TRIED", 1)

    finding = hospital("any").finding({"cutSets": {"order": 2}}, H)

    assert (finding.verdict, finding.unclear) == ("notEvaluated", 1)
    assert "more sets of failures than were tried" in finding.witnesses[0].message


def test_a_search_that_takes_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MAX_SECONDS", 0.0)

    finding = hospital("any").finding({"cutSets": {"order": 2}}, H)

    assert (finding.verdict, finding.unclear) == ("notEvaluated", 1)
    assert "ended after 0 s" in finding.witnesses[0].message


# -- in a scenario --------------------------------------------------------------------------


def test_what_fails_in_a_scenario_fails_now_and_what_is_repaired_is_up() -> None:
    plant = hospital("any", autonomy="PT2H")
    live = plant.after({"A": 3600})
    words = Vocabulary.of(plant.graph.models)
    rows = [{"name": "r", "of": {"all": True}, "require": {"up": True}}]
    text = {"version": 1, "requirements": rows}

    def down(scenario: dict[str, list[str]]) -> list[str]:
        report = plant.report(text, assuming(live, scenario, words, NOW).assets)
        return [witness.id for witness in report.findings[0].witnesses]

    assert down({}) == ["A"]
    assert down({"repair": ["A"]}) == []
    assert down({"fail": ["B"]}) == ["A", "B"]
    assert assuming(live, {"fail": ["B"]}, words, NOW).assets.course.gone_at(2) == 2 * 3600
    assert [live.state(id_) for id_ in "ABH"] == ["failed", "ok", "ok"]


def test_a_feed_that_is_built_in_a_scenario_is_judged_with_it() -> None:
    plant = Plant(needs("any"), {"A": {}, "B": {}, "H": {}}, [("H", "needs", "A")])
    rows = [{"name": "r", "of": H, "require": {"singlePointsOfFailure": {}}}]
    text = {"version": 1, "requirements": rows}
    scenario = '{"add": [{"source": "H", "name": "needs", "target": "B"}]}'

    built = assuming(plant.assets, scenario, Vocabulary.of(plant.graph.models), NOW).assets

    assert plant.report(text).findings[0].verdict == "broken"
    assert plant.report(text, built).findings[0].verdict == "held"
