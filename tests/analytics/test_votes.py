"""Shares, standbys, degradation and failure domains, as a user declares them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analytics.plant import assets
from twinfall.analytics import AssetNetwork, Standing
from twinfall.analytics.explaining import Impacted

Said = dict[str, Any]
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def _needs(**members: Any) -> dict[str, Any]:
    return {"Unit": {"contents": {"needs": {"dependent": "source", **members}}}}


def _plant(members: Said, *feeds: tuple[Any, ...]) -> AssetNetwork:
    """H needs each of these (provider, properties)."""
    ids = dict.fromkeys(["H", *(provider for provider, *_ in feeds)])
    rows = [("H", "needs", provider, *rest) for provider, *rest in feeds]
    return assets(_needs(**members), {id_: {} for id_ in ids}, rows)


def _affected(network: AssetNetwork, *failed: str, **more: Any) -> dict[str, Impacted]:
    return {row.id: row for row in network.impact(failed, **more).affected()}


# -- shares -----------------------------------------------------------------------------------

SHARED: Said = {
    "group": "supply",
    "rule": "capacity",
    "minShare": 1.0,
    "share": {"from": "share", "default": 0.5},
}


def test_a_group_with_shares_is_lost_when_those_left_are_less_than_it_needs() -> None:
    network = _plant(SHARED, ("A", {"share": 0.6}), ("B", {"share": 0.5}), ("C", {"share": 0.5}))

    assert _affected(network, "A") == _affected(network, "B") == {}
    lost = _affected(network, "A", "B")["H"]
    assert lost.votes == "2 of 3 lost: A, B, 50% of what it needs left"
    assert "H" in _affected(network, "B", "C")


def test_shares_that_make_exactly_what_is_needed_are_enough() -> None:
    tenths = [(f"P{i}", {"share": 0.1}) for i in range(11)]
    network = _plant(SHARED, *tenths)

    assert _affected(network, "P0") == {}
    assert "H" in _affected(network, "P0", "P1")


def test_an_asset_that_hangs_on_its_last_share_is_a_near_miss_of_the_big_one_alone() -> None:
    network = _plant(SHARED, ("A", {"share": 1.0}), ("B", {"share": 0.3}), ("C", {"share": 0.3}))

    (miss,) = network.impact(["C"]).near_misses()

    assert miss.would_fail_if == ("A",)


def test_shares_that_can_never_be_enough_are_not_evaluated_and_not_silently_up() -> None:
    network = _plant(SHARED, ("A", {"share": 0.6}), ("B", {"share": 0.3}))

    (row,) = network.not_evaluated
    assert "less than minShare" in row.reason
    assert network.state("H") == "unknown"


def test_two_relationships_to_one_provider_bring_both_shares_and_lose_both() -> None:
    rows = [("A", {"share": 0.5}), ("A", {"share": 0.5}), ("B", {"share": 0.5})]
    declared = _needs(**SHARED)
    declared["Unit"]["contents"]["backs"] = {
        "dependent": "source", "group": "supply", "share": {"from": "share", "default": 0.5},
    }  # fmt: skip
    (first, second, third) = rows
    network = assets(
        declared,
        {"H": {}, "A": {}, "B": {}},
        [("H", "needs", *first), ("H", "backs", *second), ("H", "needs", *third)],
    )

    assert _affected(network, "B") == {}
    assert "H" in _affected(network, "A")


# -- standbys ---------------------------------------------------------------------------------


def _backed(normal: str, autonomy: str, start: str) -> AssetNetwork:
    declared = _needs(group="power", rule=normal, autonomy=autonomy)
    declared["Unit"]["contents"]["backs"] = {
        "dependent": "source", "group": "power", "priority": 2, "startTime": start,
    }  # fmt: skip
    return assets(
        declared,
        {"H": {}, "grid": {}, "diesel": {}},
        [("H", "needs", "grid"), ("H", "backs", "diesel")],
    )


def test_a_standby_that_starts_before_the_buffer_ends_takes_over() -> None:
    network = _backed("any", "PT5M", "PT30S")

    assert _affected(network, "grid") == {}
    assert _affected(network, "grid", "diesel")["H"].at == 300.0


def test_a_standby_that_starts_too_late_prevents_nothing() -> None:
    network = _backed("any", "PT10S", "PT30S")

    assert _affected(network, "grid")["H"].at == 10.0
    assert _affected(network, "diesel") == {}


def test_a_standby_replaces_a_feed_where_all_are_needed() -> None:
    network = _backed("all", "PT5M", "PT30S")

    assert _affected(network, "grid") == _affected(network, "diesel") == {}
    assert "H" in _affected(network, "grid", "diesel")


def test_a_standby_that_is_needed_from_the_start_is_already_running() -> None:
    declared = _needs(group="power", rule="atLeast", k=2)
    declared["Unit"]["contents"]["backs"] = {
        "dependent": "source", "group": "power", "priority": 2, "startTime": "PT1H",
    }  # fmt: skip
    network = assets(
        declared,
        {id_: {} for id_ in ("H", "grid", "diesel", "second")},
        [("H", "needs", "grid"), ("H", "backs", "diesel"), ("H", "backs", "second")],
    )

    assert network.baseline_down == ()
    assert "H" in _affected(network, "diesel")  # the second one starts an hour too late
    assert _affected(network, "second") == {}


# -- degradation ------------------------------------------------------------------------------

CHILLED: Said = {"effect": "degrade", "level": 0.5, "group": "chillers", "rule": "atLeast", "k": 1}


def test_a_lost_group_may_only_degrade_its_consumer() -> None:
    network = _plant({**CHILLED, "autonomy": "PT1H"}, ("A",), ("B",))

    assert _affected(network, "A") == {}
    impact = network.impact(["A", "B"])
    (row,) = impact.affected()
    assert (row.id, row.to, row.level, row.at, row.wave) == ("H", "degraded", 0.5, 3600.0, 1)
    assert (row.group, row.votes, row.path) == ("chillers", "2 of 2 lost: A, B", ("B", "H"))
    assert impact.totals.assets == 0
    assert impact.totals.degraded == impact.count == 1
    assert impact.waves == ()


def test_a_group_that_may_degrade_and_that_no_feeds_can_meet_is_not_evaluated() -> None:
    network = _plant({**CHILLED, "k": 3}, ("A",), ("B",))

    (row,) = network.not_evaluated
    assert row.id == "H"
    assert 'group "chillers": k is 3, and must be from 1 to 2' in row.reason
    assert network.state("H") == "unknown"


def test_degradation_does_not_spread() -> None:
    declared = _needs(effect="degrade", level=0.5)
    declared["Unit"]["contents"]["backs"] = {"dependent": "source"}
    network = assets(
        declared, {id_: {} for id_ in "AHC"}, [("H", "needs", "A"), ("C", "backs", "H")]
    )

    assert {row.id: row.to for row in network.impact(["A"]).affected()} == {"H": "degraded"}
    assert set(_affected(network, "H")) == {"C"}


def test_what_fails_in_the_end_is_not_listed_as_degraded() -> None:
    declared = _needs(effect="degrade", level=0.5)
    declared["Unit"]["contents"]["backs"] = {"dependent": "source", "autonomy": "PT1H"}
    network = assets(declared, {"A": {}, "H": {}}, [("H", "needs", "A"), ("H", "backs", "A")])

    assert [row.to for row in network.impact(["A"]).affected()] == ["failed"]
    assert [row.to for row in network.impact(["A"], 60.0).affected()] == ["degraded"]


def test_in_the_live_state_an_asset_degrades_when_its_buffer_is_empty_and_says_why() -> None:
    network = _plant({**CHILLED, "autonomy": "PT1H", "transfer": "PT10M"}, ("A",), ("B",))
    failed = Standing(1, failed=("A", "B"), since={"A": START, "B": START + 60 * SECOND})
    degrades = START + (60 + 600 + 3600) * SECOND

    before, after = network.under(failed, degrades - SECOND), network.under(failed, degrades)

    assert before.state("H") == "ok"
    assert degrades <= before.until <= degrades + SECOND
    assert after.state("H") == "degraded"
    reason = after.reason("H")
    assert reason is not None
    assert (reason.kind, reason.message) == (
        "dependency",
        'its group "chillers" lost 2 of 2: A, B',
    )


def test_an_asset_that_degrades_by_its_own_readings_is_not_blamed_on_others() -> None:
    network = _plant(CHILLED, ("A",), ("B",))

    said = network.under(Standing(1, failed=("A", "B"), degraded=("H",)), START)

    assert said.state("H") == "degraded"
    assert said.reason("H") is None


def test_affected_are_in_order_of_time_whatever_happens_to_them() -> None:
    declared = _needs(effect="degrade", level=0.5, autonomy={"from": "reserve"})
    declared["Unit"]["contents"]["backs"] = {
        "dependent": "source", "autonomy": {"from": "reserve"},
    }  # fmt: skip
    times = {"D1": "PT1M", "F2": "PT2M", "D3": "PT3M", "F4": "PT4M"}
    network = assets(
        declared,
        {"A": {}, **{id_: {"reserve": lasts} for id_, lasts in times.items()}},
        [(id_, "needs" if id_[0] == "D" else "backs", "A") for id_ in times],
    )

    impact = network.impact(["A"])

    assert [row.id for row in impact.affected()] == list(times)
    assert [row.id for row in impact.affected(1, 3)] == ["F2", "D3"]
    assert impact.totals.assets == impact.totals.degraded == 2


# -- failure domains --------------------------------------------------------------------------


def test_two_feeds_through_one_duct_are_lost_together() -> None:
    said = {"group": "power", "rule": "any", "failureDomain": "domain:duct-7"}
    network = _plant(said, ("A",), ("B",))

    assert _affected(network, "A") == {}
    lost = _affected(network, "domain:duct-7")["H"]
    assert (lost.wave, lost.cause, lost.path) == (1, "domain:duct-7", ("domain:duct-7", "H"))
    assert lost.votes == "2 of 2 lost: A, B"
    assert network.network.criticality()[network.ids.index("domain:duct-7")] == 1


def test_a_domain_may_be_a_twin() -> None:
    said = {"group": "power", "rule": "all", "failureDomain": "D"}
    network = assets(_needs(**said), {id_: {} for id_ in "ADH"}, [("H", "needs", "A")])

    assert _affected(network, "D")["H"].path == ("D", "H")
    assert _affected(network, "A")["H"].path == ("A", "H")
    assert set(_affected(network, "A", "D")) == {"H"}


def test_a_provider_that_reaches_its_consumer_two_ways_is_still_one_provider() -> None:
    declared = _needs(group="power", rule="atLeast", k=1, failureDomain="domain:north")
    declared["Unit"]["contents"]["backs"] = {
        "dependent": "source", "group": "power", "failureDomain": "domain:south",
    }  # fmt: skip
    network = assets(declared, {"A": {}, "H": {}}, [("H", "needs", "A"), ("H", "backs", "A")])

    assert set(_affected(network, "A")) == {"H"}
    assert _affected(network, "domain:north") == _affected(network, "domain:south") == {}
    assert set(_affected(network, "domain:north", "domain:south")) == {"H"}


def test_a_connection_in_a_duct_is_cut_with_it() -> None:
    declared = {
        "Unit": {
            "contents": {
                "joins": {"mode": "network", "carrier": "water", "failureDomain": "domain:duct"}
            }
        },
        "Part": {"asset": {"source": ["water"]}},
    }
    network = assets(
        declared,
        {"S": {"model": "Part"}, "A": {}, "B": {}},
        [("A", "joins", "S"), ("A", "joins", "B")],
    )

    assert network.baseline_down == ()
    assert set(_affected(network, "domain:duct")) == {"A", "B"}
    assert _affected(network, "domain:duct")["A"].wave == 1
    assert set(_affected(network, "A")) == {"B"}


@pytest.mark.parametrize("name", ["nothing", "domain" + "x" * 300])
def test_a_domain_that_is_no_twin_is_said(name: str) -> None:
    network = _plant({"failureDomain": name}, ("A",))

    assert "is no twin" in network.not_evaluated[0].reason
    assert set(_affected(network, "A")) == {"H"}


def test_gates_are_in_no_answer() -> None:
    said = {"group": "power", "rule": "any", "failureDomain": "domain:duct"}
    network = _plant(said, ("A",), ("B",))

    impact = network.impact(["domain:duct"])

    assert impact.totals.assets == impact.count == 1
    assert [wave.count for wave in impact.waves] == [1]
    assert set(network.ids_in_state("ok")) == {"A", "B", "H"}
    (miss,) = network.impact(["A"]).near_misses()
    assert miss.would_fail_if == ("B",)
