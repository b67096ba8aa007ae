"""Chances of what hangs together: a common cause is not the product of its parts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analytics.whatif.test_what_if import Plant
from twinfall.analytics.whatif import Outcome

P = 0.3
HAZARD = {
    "polygon": "POLYGON ((0 -1, 2 -1, 2 1, 0 1, 0 -1))",
    "intensity": 1.0,
    "samples": 4000,
    "seed": 5,
}
TWO_OF_THREE: dict[str, Any] = {
    "Unit": {
        "asset": {
            "location": {"x": {"from": "worth"}, "y": 0},
            "fragility": [[0, 0.0], [1, P]],
        },
        "contents": {
            "needs": {"dependent": "source", "group": "supply", "rule": "atLeast", "k": 2},
            "backs": {"dependent": "source", "group": "root"},
        },
    }
}
FEEDS = [("H", "needs", feed) for feed in ("A", "B", "C")]


def _chance(outcome: Outcome, id_: str) -> tuple[float, float]:
    assert outcome.expected is not None
    (row,) = (row for row in outcome.expected.likeliest if row.id == id_)
    return row.probability, row.error


def test_two_of_three_that_fail_independently_are_lost_by_the_binomial_law() -> None:
    shaken = {id_: {"worth": 1.0} for id_ in ("A", "B", "C")}
    plant = Plant({**shaken, "H": {}}, FEEDS, TWO_OF_THREE)

    chance, error = _chance(plant.what_if({"hazard": HAZARD}), "H")

    assert chance == pytest.approx(3 * P**2 - 2 * P**3, abs=4 * error)


def test_two_of_three_behind_one_cause_are_lost_as_often_as_the_cause() -> None:
    behind = [(feed, "backs", "S") for feed in ("A", "B", "C")]
    twins = {"S": {"worth": 1.0}, "A": {}, "B": {}, "C": {}, "H": {}}
    plant = Plant(twins, [*FEEDS, *behind], TWO_OF_THREE)

    found = plant.what_if({"hazard": HAZARD})

    chance, error = _chance(found, "H")
    assert chance == _chance(found, "S")[0]
    assert chance == pytest.approx(P, abs=4 * error)


def test_an_edge_that_several_ways_share_counts_once() -> None:
    # H needs any of three that hang on S: by ways apart it would be lost with P cubed
    either = {
        "Unit": {
            **TWO_OF_THREE["Unit"],
            "contents": {
                **TWO_OF_THREE["Unit"]["contents"],
                "needs": {"dependent": "source", "group": "supply", "rule": "any"},
            },
        }
    }
    behind = [(feed, "backs", "S") for feed in ("A", "B", "C")]
    twins = {"S": {"worth": 1.0}, "A": {}, "B": {}, "C": {}, "H": {}}
    plant = Plant(twins, [*FEEDS, *behind], either)

    found = plant.what_if({"hazard": HAZARD})

    assert _chance(found, "H")[0] == _chance(found, "S")[0]
