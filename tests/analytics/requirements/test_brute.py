"""Verdicts on random plants, against one impact after the other and every set of feeds."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics.requirements.plant import Plant
from twinfall.analytics import AssetNetwork
from twinfall.analytics.requirements import Finding, Report

UNITS = [f"U{n}" for n in range(6)]
DECLARED: dict[str, Any] = {
    "Unit": {
        "asset": {
            "customers": {"from": "people", "default": 1},
            "source": ["water"],
        },
        "contents": {
            "needs": {
                "dependent": "source",
                "group": "supply",
                "rule": "atLeast",
                "k": {"from": "quorum", "default": 1},
                "autonomy": {"from": "reserve", "default": "PT0S"},
            },
            "backs": {"dependent": "source", "rule": "all", "transfer": "PT1M"},
        },
    },
    "Machine": {
        "asset": {"source": []},
        "contents": {"joins": {"mode": "network", "carrier": "water"}},
    },
}
MANY = 10_000


@st.composite
def plants(draw: st.DrawFn) -> Plant:
    twins = {
        id_: {
            "quorum": draw(st.sampled_from([1, 1, 2])),
            "reserve": draw(st.sampled_from(["PT0S", "PT1H", "PT2H"])),
            "people": draw(st.integers(0, 5)),
        }
        for id_ in UNITS
    }
    pair = st.tuples(st.sampled_from(UNITS), st.sampled_from(UNITS))
    rows = [
        (source, name, target)
        for name, most in (("needs", 8), ("backs", 3))
        for source, target in sorted(draw(st.sets(pair, max_size=most)))
        if source > target  # no circles: they are the engine's tests
    ]
    return Plant(DECLARED, twins, rows)


def _row(name: str, require: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "of": {"ids": UNITS}, "require": require}


def _report(plant: Plant, assets: AssetNetwork, *rows: dict[str, Any]) -> dict[str, Finding]:
    report: Report = plant.report({"version": 1, "requirements": list(rows)}, assets)
    return {one.requirement.name: one for one in report.findings}


@settings(max_examples=60, deadline=None)
@given(plant=plants(), failed=st.sets(st.sampled_from(UNITS), max_size=1))
def test_single_failures_are_those_of_impact(plant: Plant, failed: set[str]) -> None:
    assets = plant.after(dict.fromkeys(failed, 90 * 60))
    found = _report(
        plant,
        assets,
        _row("points", {"singlePointsOfFailure": {}}),
        _row("soon", {"singlePointsOfFailure": {"within": "PT90M"}}),
        _row("life", {"survival": {"min": "P1D"}}),
        _row("people", {"impact": {"customers": {"max": 0}}}),
        _row("early", {"impact": {"customers": {"max": 0}, "within": "PT90M"}}),
    )
    course = assets.course
    lost = {id_ for id_ in UNITS if course.anyway(float("inf"))[UNITS.index(id_)]}
    impacts = {id_: assets.impact([id_]) for id_ in UNITS if id_ not in lost}
    early = {id_: assets.impact([id_], 90 * 60) for id_ in impacts}
    points = {a: {c for c, i in impacts.items() if _at(i, a) is not None} for a in impacts}
    soon = {a: {c for c, i in early.items() if _at(i, a) is not None} for a in impacts}

    assert _values(found["points"]) == {a: len(p) for a, p in points.items() if p}
    assert _values(found["soon"]) == {a: len(p) for a, p in soon.items() if p}
    assert _down(found["points"]) == _down(found["life"]) == lost
    assert _values(found["life"]) == {
        a: min(at for i in impacts.values() if (at := _at(i, a)) is not None)
        for a, p in points.items()
        if p
    }
    up_now = {id_ for id_ in UNITS if not course.down[UNITS.index(id_)]} - lost
    for name, answers in (("people", impacts), ("early", early)):
        totals = {c: i.totals.customers for c, i in answers.items() if c in up_now}
        assert _values(found[name]) == {c: total for c, total in totals.items() if total}


@settings(max_examples=60, deadline=None)
@given(plant=plants(), failed=st.sets(st.sampled_from(UNITS), max_size=2))
def test_a_margin_is_the_most_feeds_that_can_go_whichever(plant: Plant, failed: set[str]) -> None:
    assets = plant.after(dict.fromkeys(failed, 0))
    row = _row("margin", {"margin": {"group": "supply", "min": MANY}})
    finding = _report(plant, assets, row)["margin"]
    down = {id_ for id_ in UNITS if assets.course.down[UNITS.index(id_)]}
    quorum = {id_: _quorum(plant, id_) for id_ in UNITS}
    feeds: dict[str, set[str]] = {id_: set() for id_ in UNITS}
    for edge in plant.graph.store.edges_at(UNITS):
        if edge.name == "needs":
            feeds[edge.source].add(edge.target)

    expected = {
        id_: _brute(feeds[id_] - down, quorum[id_])
        for id_ in UNITS
        if id_ not in down and feeds[id_] and quorum[id_] <= len(feeds[id_])
    }

    assert _values(finding) == expected


def _brute(left: set[str], needed: int) -> int:
    """Over every set of feeds that could go next."""
    margin = -1
    for size in range(len(left) + 1):
        if any(len(left - set(gone)) < needed for gone in combinations(sorted(left), size)):
            break
        margin = size
    return margin


def _quorum(plant: Plant, id_: str) -> int:
    value = plant.graph.store.nodes([id_])[id_].values["quorum"]
    assert isinstance(value, int)
    return value


def _at(impact: Any, id_: str) -> float | None:
    return next((row.at for row in impact.affected() if row.id == id_), None)


def _values(finding: Finding) -> dict[str, float]:
    return {w.id: w.value for w in finding.witnesses if w.value is not None}


def _down(finding: Finding) -> set[str]:
    return {
        w.id for w in finding.witnesses if "it is down" in w.message or "anyway" in w.message
    } | {w.id for w in finding.witnesses if "goes down in" in w.message}
