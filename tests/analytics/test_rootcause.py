"""Root cause in words: what explains alarms, in the smallest plant that shows it."""

from __future__ import annotations

from itertools import pairwise
from math import log

import numpy as np
import pytest

from tests.analytics.plant import assets
from twinfall.analytics import AssetNetwork, Standing
from twinfall.analytics.rootcause import Odds, Seen, diagnose, explain
from twinfall.ontology.errors import BadInput, Refused, UnknownTwin

MISS, FALSE, MISTAKEN = 0.1, 0.01, 0.01
NANO = 10**9


# -- in words -------------------------------------------------------------------------------------

NEEDS = {"Unit": {"contents": {"needs": {"dependent": "source"}}}}
LATE = {"Unit": {"contents": {"needs": {"dependent": "source", "autonomy": "PT1H"}}}}
EITHER = {"Unit": {"contents": {"needs": {"dependent": "source", "rule": "any"}}}}


def chain(*ids: str) -> list[tuple[str, str, str]]:
    """Each needs the one before it."""
    return [(later, "needs", sooner) for sooner, later in pairwise(ids)]


def plant(declared, ids: str, needs) -> AssetNetwork:
    return assets(declared, {id_: {} for id_ in ids.split()}, needs)


def test_the_first_of_a_chain_explains_all_of_it() -> None:
    network = plant(NEEDS, "a b c d", chain("a", "b", "c", "d"))

    first, *others = explain(network, ["b", "c", "d"])

    assert (first.rank, first.roots, first.unexplained, first.silent) == (1, ("b",), (), ())
    assert [path[0] for path in first.paths] == ["b", "b"]
    assert first.paths[-1] == ("b", "c", "d")
    assert others[0].roots == ("a",)
    assert others[0].silent == ("a",)
    assert first.probability > 0.8
    assert sum(one.probability for one in [first, *others]) <= 1.0


def test_silence_of_what_nobody_listens_to_says_nothing() -> None:
    network = plant(NEEDS, "a b c d", chain("a", "b", "c", "d"))

    found = explain(network, ["c", "d"], seen=Seen(monitored=["c", "d"]))

    assert {one.roots: one.rank for one in found if one.rank == 1} == {
        ("a",): 1,
        ("b",): 1,
        ("c",): 1,
    }


def test_what_was_found_in_order_is_hardly_the_cause() -> None:
    network = plant(NEEDS, "a b c d", chain("a", "b", "c", "d"))
    seen = Seen(monitored=["c", "d"], quiet=["a"])

    ranks = {one.roots: one.rank for one in explain(network, ["c", "d"], seen=seen)}

    assert ranks[("b",)] == ranks[("c",)] == 1
    assert ranks[("a",)] == 2


def test_parts_that_raise_no_alarm_share_a_rank_and_the_check_names_one_of_them() -> None:
    needs = [*chain("x", "m"), *chain("y", "m"), *chain("m", "n", "o")]
    network = plant(NEEDS, "m n o x y", needs)

    found = diagnose(network, ["n", "o"], seen=Seen(monitored=["m", "n", "o"]))

    ranks = {one.roots: one.rank for one in found.explanations}
    assert ranks[("x",)] == ranks[("y",)] == ranks[("m",)]
    assert found.check is not None
    assert found.check.id in {"m", "x", "y"}
    assert 0 < found.check.bits <= 1


def test_the_check_splits_the_leading_explanations_evenly() -> None:
    network = plant(NEEDS, "a b c d e", chain("a", "b", "c", "d", "e"))

    check = diagnose(network, ["e"], seen=Seen(monitored=["e"])).check

    assert check is not None
    # a, b, c, d, e are equally likely: c is up by two of them and down by three.
    assert (check.id, check.down_if) in {("c", (1,)), ("b", (1,))}
    assert check.bits == pytest.approx(-(0.4 * np.log2(0.4) + 0.6 * np.log2(0.6)))


def test_a_declared_failure_rate_settles_what_nothing_else_does() -> None:
    often = {"Unit": {**NEEDS["Unit"], "asset": {"failureRate": {"from": "worth"}}}}
    network = assets(
        often, {"a": {"worth": 0.01}, "b": {"worth": 4.0}, "c": {"worth": 0.01}},
        [("c", "needs", "a"), ("c", "needs", "b")],
    )  # fmt: skip

    found = explain(network, ["c"], seen=Seen(monitored=["c"]))

    assert found[0].roots == ("b",)
    assert found[0].probability > 10 * found[1].probability


def test_two_failures_are_one_explanation_where_only_both_explain() -> None:
    ids = "a b h x1 x2 y1 y2"
    needs = [
        ("h", "needs", "a"), ("h", "needs", "b"),
        *chain("a", "x1", "x2"), *chain("b", "y1", "y2"),
    ]  # fmt: skip
    network = plant(EITHER, ids, needs)

    found = explain(network, ids.split())

    assert found[0].roots == ("a", "b")
    assert found[0].gain is not None
    assert found[0].gain > log(100)
    assert found[0].unexplained == ()
    assert all(len(one.roots) == 1 for one in explain(network, ids.split(), odds=Odds(roots=1)))


def test_three_failures_far_apart_are_found_together() -> None:
    rows = [[f"{name}{i}" for i in range(6)] for name in "abcdefgh"]
    network = plant(
        NEEDS, " ".join(i for row in rows for i in row), [n for r in rows for n in chain(*r)]
    )

    first = explain(network, [*rows[0], *rows[2][1:], *rows[5][2:]])[0]

    assert first.roots == ("a0", "c1", "f2")
    assert first.explained_count == 15


def test_one_false_alarm_makes_no_second_failure() -> None:
    network = plant(NEEDS, "a b c d far", chain("a", "b", "c", "d"))

    first = explain(network, ["a", "b", "c", "d", "far"])[0]

    assert first.roots == ("a",)
    assert first.unexplained == ("far",)


def test_an_effect_does_not_come_before_its_cause() -> None:
    network = plant(LATE, "a b", chain("a", "b"))
    seen = Seen({"a": 3600.0, "b": 0.0}, now=4000.0)

    found = explain(network, ["a", "b"], seen=seen)

    assert found[0].explained_count == 1
    in_order = explain(network, ["a", "b"], seen=Seen({"a": 0.0, "b": 3600.0}, now=4000.0))
    assert in_order[0].roots == ("a",)
    assert in_order[0].explained_count == 2
    assert in_order[0].began == 0.0


def test_who_still_lives_on_a_buffer_is_not_expected_in_alarm() -> None:
    network = plant(
        LATE, "a b c d", [("b", "needs", "a"), ("c", "needs", "a"), ("d", "needs", "a")]
    )

    now = explain(network, ["a"], seen=Seen({"a": 0.0}, now=1800.0))[0]
    later = explain(network, ["a"], seen=Seen({"a": 0.0}, now=7200.0))[0]
    unknown = explain(network, ["a"])[0]

    assert (now.roots, now.silent) == (("a",), ())
    assert later.silent == ("b", "c", "d")
    assert unknown.silent == ()


def test_of_two_buffers_one_may_have_run_out() -> None:
    later = {"Unit": {"contents": {"needs": {"dependent": "source", "autonomy": {"from": "lag"}}}}}
    network = assets(
        later, {id_: {} for id_ in "abcd"},
        [
            ("b", "needs", "a", {"lag": "PT10S"}),
            ("c", "needs", "b", {"lag": "PT20S"}),
            ("d", "needs", "c", {"lag": "PT0S"}),
        ],
    )  # fmt: skip

    first = explain(network, ["a", "b"])[0]

    assert first.roots == ("a",)
    assert (first.explained_count, first.silent) == (2, ())


def test_alarms_further_apart_than_clocks_can_be_are_not_one_event() -> None:
    network = plant(NEEDS, "a b c d", [(id_, "needs", "a") for id_ in "bcd"])
    at = {"a": 0.0, "b": 3.0, "c": 9.0, "d": 12.0}

    apart = explain(network, [*at], seen=Seen(at, now=100.0), odds=Odds(MISS, FALSE, skew=5.0))[0]
    near = explain(network, [*at], seen=Seen(at, now=100.0), odds=Odds(MISS, FALSE, skew=6.0))[0]

    assert apart.roots == near.roots == ("a",)
    assert (apart.unexplained, apart.silent) == (("d",), ("d",))
    assert (near.unexplained, near.silent) == ((), ())
    missed = log(MISS / (1 - FALSE)) - log((1 - MISS) / FALSE)
    assert apart.score == pytest.approx(near.score + missed)


def test_failures_that_explain_nothing_are_no_explanation_however_common() -> None:
    often = {"Unit": {**EITHER["Unit"], "asset": {"failureRate": {"from": "worth"}}}}
    worth = {"a": 1e-6, "b": 25.0, "c": 25.0, "d": 25.0}
    network = assets(
        often,
        {id_: {"worth": rate} for id_, rate in worth.items()},
        [("a", "needs", id_) for id_ in "bcd"],
    )

    found = explain(network, ["a"], seen=Seen(monitored=["b", "c", "d"]), odds=Odds(roots=2))

    assert [one.roots for one in found] == [("a",)]


# -- on a live state ------------------------------------------------------------------------------


def test_what_is_down_already_is_no_suspect_and_explains_what_it_took_along() -> None:
    network = plant(NEEDS, "a b c x y", [*chain("a", "b", "c"), *chain("x", "y")])
    live = network.under(Standing(1, out=("a",)), 10 * NANO)

    found = diagnose(live, ["c", "y"])

    assert found.standing == ("c",)
    assert found.alarms == ("y",)
    assert {root for one in found.explanations for root in one.roots} <= {"x", "y"}


def test_what_has_failed_and_is_in_alarm_is_a_suspect() -> None:
    network = plant(NEEDS, "a b c", chain("a", "b", "c"))
    live = network.under(Standing(1, failed=("a", "b", "c")), 10 * NANO)

    assert explain(live, ["a", "b", "c"])[0].roots == ("a",)


def test_lost_redundancy_makes_a_suspect_of_what_is_left() -> None:
    network = plant(EITHER, "a b c d", [("c", "needs", "a"), ("c", "needs", "b"), *chain("c", "d")])
    live = network.under(Standing(1, out=("a",)), 10 * NANO)

    assert ("b",) not in {one.roots for one in explain(network, ["c", "d"])}
    assert explain(live, ["b", "c", "d"])[0].roots == ("b",)
    assert explain(live, ["b", "c", "d"])[0].unexplained == ()


def test_asking_leaves_no_trace() -> None:
    network = plant(EITHER, "a b c d", [("c", "needs", "a"), ("c", "needs", "b"), *chain("c", "d")])
    before = [one.id for one in network.impact(["c"]).affected()]

    first = [(one.rank, one.roots, one.score) for one in explain(network, ["c", "d"])]
    live = network.under(Standing(1, out=("a",)), 10 * NANO)
    explain(live, ["c"])

    assert [(one.rank, one.roots, one.score) for one in explain(network, ["c", "d"])] == first
    assert [one.id for one in network.impact(["c"]).affected()] == before


# -- what nobody should ask -----------------------------------------------------------------------


def test_without_alarms_there_is_nothing_to_explain() -> None:
    found = diagnose(plant(NEEDS, "a b", chain("a", "b")), [])

    assert (found.explanations, found.check, found.nothing) == ((), None, 1.0)


def test_all_in_alarm_have_one_cause_where_there_is_one() -> None:
    ids = [f"n{i:03}" for i in range(200)]
    network = plant(NEEDS, " ".join(ids), [(id_, "needs", "n000") for id_ in ids[1:]])

    assert explain(network, ids)[0].roots == ("n000",)


def test_alarms_that_nothing_explains_are_each_by_themselves() -> None:
    found = explain(plant(NEEDS, "a b c d", []), ["a", "b", "c"])

    assert [one.roots for one in found] == [("a",), ("b",), ("c",)]
    assert [one.rank for one in found] == [1, 2, 3]
    assert len({one.score for one in found}) == 1


def test_an_alarm_named_twice_is_one() -> None:
    network = plant(NEEDS, "a b", chain("a", "b"))

    assert explain(network, ["b", "b"])[0].score == explain(network, ["b"])[0].score


@pytest.mark.parametrize(
    ("error", "alarms", "seen", "odds"),
    [
        (UnknownTwin, ["nobody"], Seen(), Odds()),
        (UnknownTwin, ["a"], Seen(quiet=["nobody"]), Odds()),
        (BadInput, ["a"], Seen(quiet=["a"]), Odds()),
        (BadInput, ["a"], Seen(), Odds(miss=0.0)),
        (BadInput, ["a"], Seen(), Odds(false=1.0)),
        (BadInput, ["a"], Seen(), Odds(miss=float("nan"))),
        (BadInput, ["a"], Seen(), Odds(miss=0.6, false=0.5)),
        (BadInput, ["a"], Seen(), Odds(skew=-1.0)),
        (BadInput, ["a"], Seen(), Odds(roots=9)),
        (BadInput, ["a"], Seen({"a": float("inf")}), Odds()),
        (BadInput, ["a"], Seen(horizon=-1.0), Odds()),
        (Refused, ["a"] * 100_001, Seen(), Odds()),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(error, alarms, seen, odds) -> None:
    with pytest.raises(error):
        explain(plant(NEEDS, "a b", chain("a", "b")), alarms, seen=seen, odds=odds)
