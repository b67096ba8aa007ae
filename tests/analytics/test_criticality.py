"""Which assets matter most, by what their failure alone takes along."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.analytics.plant import assets
from twinfall.analytics import AssetNetwork, Network, Standing
from twinfall.ontology.errors import BadInput, UnknownTwin

Said = dict[str, Any]


def _plant(**asset: Any) -> AssetNetwork:
    """A feeds B and C, either of which is enough for D; E stands alone."""
    declared: Said = {
        "Unit": {
            "asset": {"customers": {"from": "people", "default": 1}, **asset},
            "contents": {
                "needs": {"dependent": "source"},
                "backs": {"dependent": "target", "group": "either", "rule": "any"},
            },
        }
    }
    twins = {id_: {"people": people} for id_, people in zip("ABCDE", (1, 2, 3, 40, 5), strict=True)}
    feeds = [("B", "needs", "A"), ("C", "needs", "A"), ("B", "backs", "D"), ("C", "backs", "D")]
    return assets(declared, twins, feeds)


def _ranked(network: AssetNetwork, **more: Any) -> list[tuple[int, str]]:
    rows, _ = network.criticality.page(**more)
    return [(row.rank, row.id) for row in rows]


def test_the_most_critical_come_first_and_equals_share_a_rank() -> None:
    network = _plant()

    rows, total = network.criticality.page()

    assert total == 5
    assert [(row.rank, row.id, row.assets) for row in rows] == [
        (1, "A", 3), (2, "B", 0), (2, "C", 0), (2, "D", 0), (2, "E", 0),
    ]  # fmt: skip
    assert rows[0].customers == 46.0  # its own and those of the three


def test_the_order_may_be_another_one() -> None:
    assert [id_ for _, id_ in _ranked(_plant(), by="customers")] == ["A", "D", "E", "C", "B"]
    with pytest.raises(BadInput, match="no order"):
        _ranked(_plant(), by="weight")


def test_pages_follow_one_another_without_a_gap() -> None:
    network = _plant()

    pages = [_ranked(network, by="customers", start=start, first=2) for start in (0, 2, 4)]

    assert [row for page in pages for row in page] == _ranked(network, by="customers")


def test_what_has_used_up_its_redundancy_has_become_critical() -> None:
    network = _plant().under(Standing(1, failed=("B",)), 0)

    assert _ranked(network)[:2] == [(1, "A"), (2, "C")]
    rows, total = network.criticality.page()
    assert total == 4
    assert {row.id: row.assets for row in rows}["C"] == 1


def test_expected_losses_need_a_rate_and_a_repair_time() -> None:
    worth = {"value": {"from": "worth", "default": 10.0}}
    known = _plant(**worth, failureRate=0.5, repairTime="PT4H")

    rows, _ = known.criticality.page(by="expected")

    # half a failure a year, four hours each, forty of value
    assert (rows[0].id, rows[0].expected) == ("A", 80.0)
    assert (rows[0].failure_rate, rows[0].repair_time) == (0.5, 4 * 3600.0)
    assert _plant(**worth).criticality.page(by="expected")[0][0].expected is None


def test_cuts_are_those_of_today() -> None:
    network = _plant()
    hurt = network.under(Standing(1, failed=("B",)), 0)

    def cuts(of: AssetNetwork, order: int) -> list[tuple[str, ...]]:
        found = of.criticality.cut_sets("D", order)
        return [tuple(of.ids[m] for m in cut.members) for cut in found.sets]

    assert cuts(network, 2) == [("A",), ("B", "C")]
    assert cuts(hurt, 2) == [("A",), ("C",)]
    with pytest.raises(UnknownTwin):
        network.criticality.cut_sets("nobody")


def test_partners_take_down_more_together_than_each_alone() -> None:
    network = _plant()

    assert network.criticality.partners("B") == ["C"]
    assert network.criticality.partners("A") == network.criticality.partners("E") == []


def test_nothing_is_lost_of_what_goes_down_where_most_of_it_feeds_nobody() -> None:
    leaves = np.arange(1, 121)
    network = Network.from_arrays(
        121, np.zeros(120, np.int32), leaves, group=np.arange(120), rule=["all"] * 120
    )
    assert sorted(network.down([0])) == list(range(121))
    assert list(network.listing().of(0)) == list(leaves)


def test_along_a_line_each_takes_along_what_follows_and_the_leaves_on_it() -> None:
    """0 to 5 in a line; leaf 6 hangs on 1, 7 on 3, 8 on 2 and 4, and 9 needs 1 of 4 and 6."""
    feeds = [*((i, i + 1) for i in range(5)), (1, 6), (3, 7), (2, 8), (4, 8), (4, 9), (6, 9)]
    groups = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]
    network = Network.from_arrays(
        10, [p for p, _ in feeds], [c for _, c in feeds], group=groups, rule=["all"] * 9 + ["any"]
    )  # fmt: skip

    counts = network.criticality()

    assert counts.tolist() == [9, 8, 5, 4, 2, 0, 0, 0, 0, 0]
    assert counts.tolist() == [len(network.impact([asset])) for asset in range(10)]


def test_a_ring_that_sustains_itself_is_no_line() -> None:
    """0 feeds the ring 1, 2, 3; each needs the one before it, and keeps what runs."""
    network = Network.from_arrays(
        4, [0, 3, 1, 2], [1, 1, 2, 3], group=[0, 1, 2, 3], rule=["all"] * 4,
        sustain=[False, True, True, True],
    )  # fmt: skip

    assert network.criticality().tolist() == [3, 2, 2, 2]
