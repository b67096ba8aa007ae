"""From declared dependencies of a graph to answers by twin ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.analytics.plant import assets
from twinfall.analytics import AssetNetwork, NearMiss, Standing
from twinfall.analytics.explaining import Impacted, ServiceTotal
from twinfall.ontology.errors import UnknownTwin

Twins = Mapping[str, Mapping[str, Any]]


def _units(*ids: str, **values: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {id_: values.get(id_, {}) for id_ in ids}


def _down(network: AssetNetwork, *failed: str, horizon: float | None = None) -> dict[str, float]:
    impact = network.impact(failed, horizon)
    return {asset.id: asset.at for asset in impact.affected()}


def _reasons(network: AssetNetwork) -> dict[str, str]:
    return {row.id: row.reason for row in network.not_evaluated}


def _needs(**members: Any) -> dict[str, Any]:
    return {"Unit": {"contents": {"needs": {"dependent": "source", **members}}}}


# -- what becomes a dependency ----------------------------------------------------------------


def test_only_what_is_declared_carries_failure() -> None:
    network = assets(_needs(), _units("A", "B", "C"), [("B", "needs", "A"), ("C", "near", "A")])

    assert _down(network, "A") == {"B": 0}


def test_the_end_that_depends_is_declared_and_not_read_off_the_arrow() -> None:
    declared = {"Unit": {"contents": {"needs": {"dependent": "target"}}}}
    network = assets(declared, _units("A", "B"), [("A", "needs", "B")])

    assert _down(network, "A") == {"B": 0}
    assert _down(network, "B") == {}


def test_a_group_gathers_feeds_across_names_and_both_directions() -> None:
    contents = {
        "needs": {"dependent": "source", "group": "power", "rule": "atLeast", "k": 2},
        "backs": {"dependent": "target", "group": "power"},
    }
    relationships = [("H", "needs", "A"), ("B", "backs", "H"), ("C", "backs", "H")]
    network = assets({"Unit": {"contents": contents}}, _units(*"ABCH"), relationships)

    assert _down(network, "A") == {}
    (lost,) = network.impact(["A", "C"]).affected()
    assert (lost.id, lost.group, lost.votes) == ("H", "power", "2 of 3 lost: A, C")


def test_two_relationships_to_one_provider_are_one_feed() -> None:
    contents = {
        "needs": {"dependent": "source", "group": "power", "rule": "any"},
        "backs": {"dependent": "source", "group": "power"},
    }
    relationships = [("H", "needs", "A"), ("H", "backs", "A")]
    network = assets({"Unit": {"contents": contents}}, _units("A", "H"), relationships)

    assert network.impact(["A"]).affected()[0].votes == "1 of 1 lost: A"


def test_a_part_fails_its_owner_where_that_is_declared() -> None:
    declared = {"Machine": {"contents": {"bearing": {"dependent": "source"}}}}
    twins = {"M": {"model": "Machine", "bearing": {"hours": 10.0}}}
    network = assets(declared, twins)

    (owner,) = network.impact(["M/bearing"]).affected()
    assert (owner.id, owner.group, owner.path) == ("M", "bearing", ("M/bearing", "M"))
    assert _down(network, "M") == {}


def test_a_declaration_holds_for_what_extends_the_interface() -> None:
    network = assets(
        _needs(),
        {"A": {}, "M": {"model": "Machine", "bearing": {}}},
        [("M", "needs", "A")],
    )

    assert _down(network, "A") == {"M": 0}


# -- values read from the graph ---------------------------------------------------------------


def test_a_bound_value_is_the_relationships_else_the_dependents_else_the_default() -> None:
    declared = _needs(transfer={"from": "lag", "default": "PT3S"})
    twins = _units("A", "B", "C", "D", C={"lag": "PT2S"}, B={"lag": "PT9S"}, A={"lag": "PT8S"})
    relationships = [
        ("B", "needs", "A", {"lag": "PT1S"}),
        ("C", "needs", "A"),
        ("D", "needs", "A"),
    ]

    assert _down(assets(declared, twins, relationships), "A") == {"B": 1, "C": 2, "D": 3}


def test_a_reserve_of_each_consumer_holds_it_up_for_so_long() -> None:
    network = assets(
        _needs(autonomy={"from": "reserve", "default": "PT0S"}),
        _units("A", "B", "C", B={"reserve": "PT1H"}),
        [("B", "needs", "A"), ("C", "needs", "A")],
    )

    assert _down(network, "A") == {"C": 0, "B": 3600}
    assert _down(network, "A", horizon=60) == {"C": 0}


def test_members_that_disagree_about_their_group_are_named() -> None:
    network = assets(
        _needs(autonomy={"from": "lag", "default": "PT5S"}),
        _units("A", "B", "H"),
        [("H", "needs", "A", {"lag": "PT1S"}), ("H", "needs", "B")],
    )

    assert "different values for autonomy" in _reasons(network)["H"]
    assert network.state("H") == "unknown"


@pytest.mark.parametrize(
    ("quorum", "says"), [(0, "k has no usable value"), (3, "k is 3"), (-1, "k has no usable value")]
)
def test_a_quorum_that_no_feeds_can_meet_is_unknown_and_never_silently_up(
    quorum: int, says: str
) -> None:
    network = assets(
        _needs(group="power", rule="atLeast", k={"from": "quorum"}),
        _units("A", "B", "H", H={"quorum": quorum}),
        [("H", "needs", "A"), ("H", "needs", "B")],
    )

    assert f"{says}, and must be from 1 to 2" in _reasons(network)["H"]
    assert network.state("H") == "unknown"
    assert network.ids_in_state("unknown") == ("H",)
    assert _down(network, "A", "B") == {}
    assert [row.id for row in network.impact(["A"]).not_evaluated] == ["H"]


def test_a_value_that_nobody_gives_is_named() -> None:
    network = assets(
        _needs(group="power", rule="atLeast", k={"from": "quorum"}),
        _units("A", "H"),
        [("H", "needs", "A")],
    )

    assert "k has no usable value, and must be from 1 to 1" in _reasons(network)["H"]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"priority": 2, "startFailure": 0.01}, "a standby counts as sure to start"),
        ({"probability": 0.5}, "a probability counts as certain"),
    ],
)
def test_what_is_taken_as_certain_is_said_of_each_consumer(
    members: dict[str, Any], words: str
) -> None:
    network = assets(_needs(**members), _units("A", "H"), [("H", "needs", "A")])

    assert words in _reasons(network)["H"]
    assert network.state("H") == network.state("A") == "ok"


# -- networks ---------------------------------------------------------------------------------

JOINED: dict[str, Any] = {"Unit": {"contents": {"joins": {"mode": "network", "carrier": "water"}}}}
ONE_SOURCE = {**JOINED, "Machine": {"asset": {"source": ["water"]}}}
WELL = {"model": "Machine", "bearing": {}}


def test_a_network_reaches_as_far_as_switches_conduct() -> None:
    declared = {
        **ONE_SOURCE,
        "Unit": {**JOINED["Unit"], "asset": {"conducts": {"from": "closed", "default": True}}},
    }
    line = [("W", "joins", "A"), ("A", "joins", "B"), ("B", "joins", "C")]

    shut = assets(declared, {"W": WELL, **_units("A", "B", "C", B={"closed": False})}, line)
    open_ = assets(declared, {"W": WELL, **_units("A", "B", "C")}, line)

    assert shut.baseline_down == ("C",)
    assert shut.state("C") == "failed"
    assert open_.baseline_down == ()
    assert _down(open_, "A") == {"B": 0, "C": 0}


def test_a_loss_in_a_network_names_the_carrier_and_the_nearest_thing_lost() -> None:
    line = [("W", "joins", "A"), ("A", "joins", "B"), ("B", "joins", "C")]
    network = assets(ONE_SOURCE, {"W": WELL, **_units("A", "B", "C")}, line)

    assert network.impact(["A"]).affected() == [
        Impacted("B", 1, 0.0, "failed", "water", "no source of water reached", "A", ("A", "B")),
        Impacted("C", 1, 0.0, "failed", "water", "no source of water reached", "A", ("A", "C")),
    ]


def test_a_connection_may_carry_towards_the_dependent_only() -> None:
    towards = {"mode": "network", "carrier": "water", "dependent": "target"}
    declared = {**ONE_SOURCE, "Unit": {"contents": {"joins": towards}}}
    twins = {"W": WELL, **_units("A", "B")}

    with_it = assets(declared, twins, [("W", "joins", "A"), ("A", "joins", "B")])
    against = assets(declared, twins, [("W", "joins", "A"), ("B", "joins", "A")])

    assert with_it.baseline_down == ()
    assert against.baseline_down == ("B",)


def _with_tanks() -> AssetNetwork:
    """A well feeds A, A feeds B; A stores water for a minute, B for ten."""
    stored = {"source": [{"carrier": "water", "autonomy": {"from": "reserve", "default": "PT1M"}}]}
    declared = {
        "Unit": {**JOINED["Unit"], "asset": stored},
        "Machine": {"asset": {"source": ["water"]}},
    }
    twins = {"W": WELL, **_units("A", "B", B={"reserve": "PT10M"})}
    return assets(declared, twins, [("W", "joins", "A"), ("A", "joins", "B")])


def test_a_storage_lasts_as_long_as_its_twin_says() -> None:
    network = _with_tanks()

    assert network.baseline_down == ()
    assert _down(network, "W") == {"A": 600, "B": 600}


# -- answers ----------------------------------------------------------------------------------


def _street() -> AssetNetwork:
    """T1, T2, T3 feed H (two must stay up); H feeds two houses."""
    declared = {
        "Unit": {
            "asset": {
                "customers": {"from": "people", "default": 0},
                "value": {"from": "worth"},
                "services": ["power"],
            },
            "contents": {
                "needs": {"dependent": "source", "group": "supply", "rule": "atLeast", "k": 2},
                "backs": {"dependent": "target", "group": "street"},
            },
        }
    }
    houses = {"X": {"people": 3, "worth": 10.0}, "Y": {"people": 4}}
    twins = {**_units("T1", "T2", "T3", "H"), **houses}
    relationships = [("H", "needs", t) for t in ("T1", "T2", "T3")]
    relationships += [("H", "backs", house) for house in houses]
    return assets(declared, twins, relationships)


def test_every_affected_asset_says_why() -> None:
    impact = _street().impact(["T1", "T3"])

    assert impact.affected() == [
        Impacted("H", 1, 0.0, "failed", "supply", "2 of 3 lost: T1, T3", "T3", ("T3", "H")),
        Impacted("X", 2, 0.0, "failed", "street", "1 of 1 lost: H", "H", ("T3", "H", "X")),
        Impacted("Y", 2, 0.0, "failed", "street", "1 of 1 lost: H", "H", ("T3", "H", "Y")),
    ]


def test_totals_are_of_everything_affected_whatever_page_is_read() -> None:
    impact = _street().impact(["T1", "T3"])

    assert [asset.id for asset in impact.affected(1, 2)] == ["X"]
    assert impact.affected(3, 10) == []
    assert impact.count == impact.totals.assets == 3
    assert (impact.totals.customers, impact.totals.value) == (7.0, 10.0)
    assert impact.totals.services == (ServiceTotal("power", 3),)
    assert [(wave.wave, wave.at, wave.count) for wave in impact.waves] == [(1, 0, 1), (2, 0, 2)]


def test_a_customer_fed_by_two_lost_assets_is_counted_once() -> None:
    declared = {
        "Unit": {
            "asset": {"customers": {"from": "people", "default": 0}},
            "contents": {"needs": {"dependent": "source"}, "backs": {"dependent": "source"}},
        }
    }
    network = assets(
        declared,
        _units("A", "B", "H", H={"people": 5}),
        [("H", "needs", "A"), ("H", "backs", "B")],
    )

    assert network.impact(["A", "B"]).totals.customers == 5


def test_an_asset_with_nothing_to_spare_is_a_near_miss() -> None:
    network = _street()

    assert network.impact(["T2"]).near_misses(10) == [NearMiss("H", "supply", 0, ("T1", "T3"))]
    assert network.impact(["H"]).near_misses(10) == []


def test_beyond_the_horizon_whoever_lives_on_a_buffer_is_a_near_miss_until_it_is_empty() -> None:
    """H has a battery, L feels the loss late, and B hangs on H."""
    contents = {
        "needs": {"dependent": "source", "autonomy": "PT4H"},
        "backs": {"dependent": "source", "transfer": "PT2H"},
        "near": {"dependent": "source"},
    }
    relationships = [("H", "needs", "A"), ("L", "backs", "A"), ("B", "near", "H")]
    network = assets({"Unit": {"contents": contents}}, _units(*"ABHL"), relationships)
    battery, late = NearMiss("H", "needs", 0, (), 14400), NearMiss("L", "backs", 0, (), 7200)

    assert network.impact(["A"], 3600).near_misses() == [battery, late]
    assert network.impact(["A"], 7200).near_misses() == [battery]
    assert network.impact(["A"]).near_misses() == []


def test_beyond_the_horizon_a_tank_that_runs_is_a_near_miss_and_what_it_feeds_is_none() -> None:
    network = _with_tanks()

    assert network.impact(["W"], 300).near_misses() == [NearMiss("B", "water", 0, (), 600)]


def test_a_circle_says_that_its_members_only_hung_on_each_other() -> None:
    network = assets(
        _needs(rule="any", group="power"),
        _units("A", "B", "S"),
        [("A", "needs", "S"), ("A", "needs", "B"), ("B", "needs", "A"), ("B", "needs", "S")],
    )

    first, second = network.impact(["S"]).affected()
    assert (first.id, first.path) == ("A", ("S", "A"))
    assert first.votes == "1 of 2 lost: S, the others only hung on each other"
    assert (second.id, second.path) == ("B", ("S", "B"))


def test_an_unknown_twin_is_named_with_its_likes() -> None:
    network = assets(_needs(), _units("pump-1", "pump-2"))

    with pytest.raises(UnknownTwin, match="pump-11") as refused:
        network.impact(["pump-1", "pump-11"])
    assert "pump-1" in refused.value.cure


def test_an_answer_names_the_graph_and_the_models_it_was_made_from() -> None:
    one, other = assets(_needs(), _units("A")), assets(_needs(rule="any"), _units("A"))

    assert one.snapshot.startswith(f"{one.cursor}-")
    assert one.cursor > 0
    assert one.snapshot.split("-")[1] != other.snapshot.split("-")[1]
    assert one.impact(["A"]).snapshot == one.snapshot


def test_a_graph_without_twins_has_nothing_to_fail() -> None:
    network = assets(_needs(), {})

    assert network.ids_in_state("ok") == ()
    assert network.impact([]).totals.assets == 0


# -- under the live state ---------------------------------------------------------------------

NOW = 1_700_000_000_000_000_000
HOUR = 3_600_000_000_000


def test_in_a_standing_what_failed_and_what_it_took_along_is_down_before_the_question() -> None:
    plant = assets(
        {"Unit": {"contents": {"needs": {"dependent": "source", "group": "feed", "rule": "any"}}}},
        {"a": {}, "b": {}, "c": {}, "d": {}},
        [("c", "needs", "a"), ("c", "needs", "b"), ("d", "needs", "c")],
    )
    standing = Standing(3, failed=("a", "gone"), degraded=("b",), unknown=("d",))

    under = plant.under(standing, NOW)

    assert [under.state(id_) for id_ in under.ids] == ["failed", "degraded", "ok", "unknown"]
    assert under.baseline_down == ("a",)
    assert under.snapshot == f"{plant.snapshot}-3"
    assert [one.id for one in under.impact(["b"]).affected()] == ["c", "d"]
    assert plant.state("a") == "ok"
    assert plant.impact(["b"]).count == 0


def test_what_needs_something_unknown_may_be_down_and_says_so() -> None:
    plant = assets(
        {"Unit": {"contents": {"needs": {"dependent": "source", "group": "feed"}}}},
        {"a": {}, "b": {}},
        [("b", "needs", "a")],
    )

    under = plant.under(Standing(1, unknown=("a",)), NOW)

    assert under.ids_in_state("unknown") == ("a", "b")
    assert under.reason("a") is None
    reason = under.reason("b")
    assert reason is not None
    assert reason.message == 'it may be down: its group "feed" lost 1 of 1: a'
    assert under.impact(["a"]).bounds.pessimistic.assets == 1


def test_what_is_in_maintenance_gives_nothing_and_has_not_failed() -> None:
    plant = assets(
        {"Unit": {"contents": {"needs": {"dependent": "source", "group": "feed"}}}},
        {"a": {}, "b": {}},
        [("b", "needs", "a")],
    )

    under = plant.under(Standing(1, out=("a",)), NOW)

    assert under.state("a") == "unknown"
    assert under.reason("a") is None
    assert under.state("b") == "failed"
    reason = under.reason("b")
    assert reason is not None
    assert reason.message == 'its group "feed" lost 1 of 1: a'
    assert [one.id for one in under.impact(["a"]).affected()] == ["b"]


def test_who_lives_on_a_reserve_is_up_until_it_is_empty_and_its_loss_is_foreseen() -> None:
    plant = assets(
        _needs(group="power", autonomy="PT4H"),
        _units("A", "B", "C"),
        [("B", "needs", "A"), ("C", "needs", "B")],
    )
    standing = Standing(1, failed=("A",), since={"A": NOW})

    early = plant.under(standing, NOW + HOUR)
    late = plant.under(standing, NOW + 4 * HOUR)

    assert [early.state(id_) for id_ in early.ids] == ["failed", "ok", "ok"]
    assert early.until - (NOW + 4 * HOUR) in range(1_000)
    assert [(one.id, one.at) for one in early.impact(["A"]).affected()] == [
        ("B", 3 * 3600),
        ("C", 7 * 3600),
    ]
    assert [late.state(id_) for id_ in late.ids] == ["failed", "failed", "ok"]
    assert late.baseline_down == ("A", "B")


def test_what_goes_down_anyway_is_no_impact_but_takes_part_in_one() -> None:
    plant = assets(
        {
            "Unit": {
                "contents": {
                    "needs": {"dependent": "source", "group": "feed", "rule": "any"},
                    "backs": {"dependent": "source", "group": "power", "autonomy": "PT4H"},
                }
            }
        },
        _units("A", "B", "C", "D"),
        [("B", "backs", "A"), ("D", "needs", "B"), ("D", "needs", "C")],
    )
    under = plant.under(Standing(1, failed=("A",), since={"A": NOW}), NOW + HOUR)

    [hit] = under.impact(["C"]).affected()

    assert (hit.id, hit.wave, hit.at, hit.cause) == ("D", 1, 3 * 3600, "B")
    assert hit.votes == "2 of 2 lost: B, C"
    assert under.impact(["C"], horizon=3600).count == 0
    assert under.impact(["B"]).count == 0


# -- causes that cannot be spared -------------------------------------------------------------


def test_of_several_failures_those_are_named_that_this_one_needed() -> None:
    network = assets(
        _needs(group="power", rule="any"),
        _units(*"ABCHK"),
        [("H", "needs", "A"), ("H", "needs", "B"), ("K", "needs", "C")],
    )

    rows = network.impact(["C", "B", "A"]).affected()

    assert {row.id: row.minimal_causes for row in rows} == {"H": ("A", "B"), "K": ("C",)}
    assert {row.id: row.spof for row in rows} == {"H": False, "K": True}


def test_what_failed_before_needs_no_second_cause() -> None:
    network = assets(
        _needs(group="power", rule="any"),
        _units(*"ABH"),
        [("H", "needs", "A"), ("H", "needs", "B")],
    )

    (row,) = network.under(Standing(1, failed=("A",)), 0).impact(["B"]).affected()

    assert row.minimal_causes == ("B",)
