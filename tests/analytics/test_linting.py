"""Lint of a graph: declarations that do nothing there, circles and islands without a source."""

from __future__ import annotations

from typing import Any

from tests.analytics.plant import DOCUMENTS, PREFIX, assets
from twinfall.analytics.linting import lint_graph
from twinfall.ontology import parse, read_dependencies
from twinfall.ontology.lint import Finding

UNIT, MACHINE, PART = (f"{PREFIX}{name};1" for name in ("Unit", "Machine", "Part"))
NEEDS = {"Unit": {"contents": {"needs": {"dependent": "source"}}}}
JOINS = {
    "Unit": {"contents": {"joins": {"mode": "network", "carrier": "water"}}},
    "Machine": {"asset": {"source": ["water"]}},
}


def found(declared: dict[str, Any], twins: Any, relationships: Any = ()) -> list[Finding]:
    if not isinstance(twins, dict):
        twins = {id_: {} for id_ in twins}
    ontology = parse(DOCUMENTS)
    sidecar = {"version": 1, "interfaces": {f"{PREFIX}{n};1": s for n, s in declared.items()}}
    dependencies = read_dependencies([sidecar], ontology)
    return lint_graph(assets(declared, twins, relationships), ontology, dependencies)


def codes(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.element, one.code) for one in findings]


def test_nothing_is_said_of_a_graph_whose_declarations_all_work() -> None:
    machines = {"A": {"model": "Machine"}, "B": {}}
    declared = {**JOINS, "Machine": {**JOINS["Machine"]}}
    assert found(declared, machines, [("A", "joins", "B")]) == []


def test_a_declaration_that_no_relationship_uses_never_fires() -> None:
    (one,) = found(NEEDS, "AB", [("A", "near", "B")])
    assert (one.element, one.code, one.level) == (f"{UNIT}/needs", "neverFires", "warning")
    assert "none of 2 twins" in one.message


def test_a_declaration_that_a_descendant_uses_is_in_use() -> None:
    twins = {"A": {"model": "Machine"}, "B": {"model": "Machine"}}
    assert codes(found(NEEDS, twins, [("A", "needs", "B")])) == [(MACHINE, "noFeeds")]


def test_a_declaration_of_a_model_without_twins_is_a_hint() -> None:
    declared = {"Machine": {"contents": {"bearing": {"dependent": "source"}}}}
    (one,) = found(declared, "A")
    assert (one.element, one.code, one.level) == (f"{MACHINE}/bearing", "noTwins", "hint")
    assert found(declared, {"M": {"model": "Machine"}}) == []


def test_what_an_asset_can_give_is_said_to_limit_nothing_where_it_is_declared() -> None:
    declared = {
        "Unit": {"asset": {"demand": 3, "capacity": 5}},
        "Machine": {"asset": {"demand": 9}},
    }

    some = found(declared, {"A": {}, "M": {"model": "Machine"}})

    assert codes(some) == [(MACHINE, "notRead"), (UNIT, "notRead")]
    assert some[0].message.startswith("its demand limit")
    assert some[1].message.startswith("its demand and capacity limit")
    assert codes(found(declared, "A")) == [(UNIT, "notRead")]


def test_twins_without_a_feed_that_their_likes_have_are_named() -> None:
    twins = [f"U{n}" for n in range(9)]
    (one,) = found(NEEDS, twins, [("U0", "needs", "U1")])
    assert (one.element, one.code, one.level) == (UNIT, "noFeeds", "hint")
    assert '8 of 9 twins have no feed in the group "needs": U1, U2' in one.message
    assert "and 3 more" in one.message


def test_a_circle_that_nothing_outside_supports_is_found() -> None:
    circle = [("A", "needs", "B"), ("B", "needs", "C"), ("C", "needs", "A"), ("D", "needs", "A")]
    findings = found(NEEDS, "ABCD", circle)
    assert codes(findings) == [("A", "loopWithoutSource")]
    assert "3 assets feed each other in a circle" in findings[0].message
    assert findings[0].message.endswith(": A, B, C")


def test_a_circle_that_sustains_itself_or_has_a_black_start_is_none() -> None:
    circle = [("A", "needs", "B"), ("B", "needs", "A")]
    sustained = {"Unit": {"contents": {"needs": {"dependent": "source", "loop": "sustain"}}}}
    assert found(sustained, "AB", circle) == []
    started = {"Unit": {**NEEDS["Unit"], "asset": {"blackStart": True}}}
    assert found(started, "AB", circle) == []


def test_a_circle_that_is_down_for_another_reason_is_not_blamed() -> None:
    """Two circles, one of which fails because the other does."""
    circles = [("A", "needs", "B"), ("B", "needs", "A")]
    behind = [("C", "needs", "D"), ("D", "needs", "C"), ("C", "needs", "A")]
    assert codes(found(NEEDS, "ABCD", circles + behind)) == [("A", "loopWithoutSource")]


def test_a_way_that_leads_to_the_source_and_not_from_it_is_no_supply() -> None:
    oneway = {"Unit": {"contents": {"joins": {"mode": "network", "carrier": "water",
                                              "dependent": "target"}}},
              "Machine": {"asset": {"source": ["water"]}}}  # fmt: skip
    twins = {"S": {"model": "Machine"}, "A": {}, "B": {}, "C": {}}
    ways = [("A", "joins", "S"), ("S", "joins", "B"), ("B", "joins", "C")]
    findings = found(oneway, twins, ways)
    assert codes(findings) == [("A", "islandWithoutSource")]
    assert '1 assets are connected to no source of "water"' in findings[0].message
    assert findings[0].message.endswith(": A")


def test_an_island_of_a_network_without_a_source_is_found() -> None:
    twins = {"S": {"model": "Machine"}, "A": {}, "B": {}, "C": {}}
    findings = found(JOINS, twins, [("S", "joins", "A"), ("B", "joins", "C")])
    assert codes(findings) == [("B", "islandWithoutSource")]
    assert '2 assets are connected to no source of "water"' in findings[0].message
    assert (
        found(JOINS, twins, [("S", "joins", "A"), ("B", "joins", "C"), ("C", "joins", "S")]) == []
    )


def test_an_open_switch_makes_no_island() -> None:
    declared = {**JOINS, "Unit": {**JOINS["Unit"], "asset": {"conducts": {"from": "closed"}}}}
    twins = {
        "S": {"model": "Machine", "closed": True},
        "A": {"closed": False},
        "B": {"closed": True},
    }
    assert found(declared, twins, [("S", "joins", "A"), ("A", "joins", "B")]) == []


def test_what_cannot_be_evaluated_is_told_by_reason() -> None:
    declared = {
        "Unit": {
            "contents": {
                "needs": {"dependent": "source", "rule": "atLeast", "k": {"from": "quorum"}}
            }
        }
    }
    twins = {"A": {"quorum": 9}, "B": {"quorum": 9}, "C": {"quorum": 1}}
    edges = [("A", "needs", "C"), ("B", "needs", "C"), ("C", "needs", "A")]
    findings = [one for one in found(declared, twins, edges) if one.code == "notEvaluated"]
    assert len(findings) == 1
    assert findings[0].message.endswith(": A, B")


def test_a_failure_domain_that_is_no_twin_dangles() -> None:
    declared = {"Unit": {"contents": {"needs": {"dependent": "source", "failureDomain": "duct"}}}}
    (one,) = [f for f in found(declared, "AB", [("A", "needs", "B")]) if f.code != "noFeeds"]
    assert one.code == "notEvaluated"
    assert "'duct' is no twin" in one.message
