"""Ids are found where they are, however many there are and are asked for."""

from __future__ import annotations

import pytest

from twinfall.analytics.positions import MANY, Positions


@pytest.mark.parametrize("size", [0, 1, 7, MANY, MANY + 1, 3 * MANY])
def test_every_id_is_found_and_nothing_else(size: int) -> None:
    ids = [f"{i:06}" for i in range(size)]
    positions = Positions(ids)

    assert [positions[id_] for id_ in ids] == list(range(size))
    assert [positions.get(one) for one in ("", "000000x", "999999", "x")] == [None] * 4
    assert list(positions) == ids
    assert positions.table() == dict(positions)
