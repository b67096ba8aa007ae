"""Failures and repairs in any order: what is up depends on what has failed now, not on the way."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from tests.api.test_states import Site, site

__all__ = ["site"]
SAY = """mutation($id: ID!, $state: State) { setState(id: $id, state: $state) { at } }"""
WELL = {"G": "ok", "S": "ok", "P1": "ok", "P2": "ok", "T": "ok"}


def _say(site: Site, twin: str, state: str | None) -> None:
    site.now += 1
    site.ask(SAY, id=twin, state=state)


def test_what_failed_by_itself_and_for_want_of_a_feed_is_up_when_both_reasons_are_gone(
    site: Site,
) -> None:
    site.well()
    for twin in ("T", "P1", "P2"):
        _say(site, twin, "failed")

    _say(site, "T", None)
    lacking = site.all()["T"]
    _say(site, "P2", None)

    assert lacking == "failed"
    assert site.all()["T"] == "ok"


def test_a_repaired_asset_stays_down_while_its_feed_is(site: Site) -> None:
    site.well()
    _say(site, "G", "failed")
    _say(site, "P1", "failed")

    _say(site, "P1", None)
    without_power = site.all()["P1"]
    _say(site, "G", None)

    assert without_power == "failed"
    assert site.all() == WELL


@pytest.mark.parametrize("order", list(permutations(["G", "P1", "T"])))
def test_in_whatever_order_things_fail_and_are_repaired(site: Site, order: Any) -> None:
    site.well()
    for twin in ("G", "P1", "T"):
        _say(site, twin, "failed")

    for i, twin in enumerate(order):
        _say(site, twin, None)
        left = set(order[i + 1 :])
        down = {one for one, state in site.all().items() if state == "failed"}
        assert down == ({"G", "S", "P1", "P2", "T"} if "G" in left else left)
