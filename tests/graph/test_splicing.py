"""A splice does to every column what it does to a list."""

from __future__ import annotations

from itertools import chain

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twinfall.graph.column import MISSING
from twinfall.graph.splicing import Splice


@st.composite
def cuts(draw: st.DrawFn) -> tuple[int, list[int], list[int]]:
    size = draw(st.integers(0, 9))
    removed = draw(st.sets(st.integers(0, size - 1))) if size else set()
    before = draw(st.lists(st.integers(0, size), max_size=5))
    return size, sorted(removed), sorted(before)


@given(cuts())
def test_entries_go_and_come_where_they_are_said_to(cut: tuple[int, list[int], list[int]]) -> None:
    size, removed, before = cut
    old, new = [10 * at for at in range(size)], [-1 - row for row in range(len(before))]
    coming = [[new[row] for row, at in enumerate(before) if at == i] for i in range(size + 1)]
    stays = [[] if i in removed else [10 * i] for i in range(size)] + [[]]
    wanted = list(chain.from_iterable(c + s for c, s in zip(coming, stays, strict=True)))

    splice = Splice(size, removed, before)

    assert splice.size == len(wanted)
    assert splice.array(np.array(old, np.int64), new).tolist() == wanted
    assert splice.listed(old, new) == wanted
    assert [wanted[at] for at in splice.added] == new
    assert [wanted[at] if at != MISSING else None for at in splice.place] == [
        None if i in removed else 10 * i for i in range(size)
    ]
    if not splice.moves:
        assert all(at in (i, MISSING) for i, at in enumerate(splice.place.tolist()))
