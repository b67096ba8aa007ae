"""A column gives back what was put in, and is read as a float as each value by itself would be."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinfall.analytics.columns import Place, Read, amount, column, number, seconds, truth, whole
from twinfall.graph.column import MISSING, Column
from twinfall.graph.store import Topology
from twinfall.ontology.declarations import Binding

SIZE = 12
_VALUE = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.integers(-2, 3),
    st.floats(allow_nan=False),
    st.sampled_from(["PT1H", "P2D", "closed", ""]),
    st.lists(st.integers(0, 2), max_size=2),
)
_VALUES = st.dictionaries(st.integers(0, SIZE - 1), _VALUE)


def _text(values: Any) -> bytes:
    """As JSON, which tells 1, 1.0 and true apart."""
    return orjson.dumps(dict(values), option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)


@given(_VALUES)
def test_every_value_comes_back_as_it_was(values: dict[int, Any]) -> None:
    found = Column.of(values)

    assert _text(found) == _text(values)
    assert list(found) == sorted(values)
    assert all(found.get(i) == values.get(i) for i in range(SIZE))
    there = found.rows(np.arange(SIZE, dtype=np.int32)) != MISSING
    assert np.flatnonzero(there).tolist() == sorted(values)


@given(_VALUES, st.sets(st.integers(0, SIZE - 1)))
def test_what_is_parted_and_merged_is_the_same_again(
    values: dict[int, Any], chosen: set[int]
) -> None:
    some = Column.of({at: value for at, value in values.items() if at in chosen})
    rest = Column.of({at: value for at, value in values.items() if at not in chosen})

    assert _text(some.merged(rest)) == _text(values) == _text(rest.merged(some))


@pytest.mark.parametrize("read", [number, amount, whole, seconds, truth])
@given(values=_VALUES, default=_VALUE)
def test_a_column_is_read_as_each_of_its_values(
    read: Read, values: dict[int, Any], default: Any
) -> None:
    every = np.arange(SIZE, dtype=np.int32)
    topology = Topology(1, [""] * SIZE, ["m"], every, every, [""] * SIZE, {}, {"a": values})

    found = column(Binding("a", default), Place(topology, every), read)

    expected = [read(values.get(i, default)) for i in range(SIZE)]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (number, {1: 1.0, -0.5: -0.5, 2**64: 2.0**64}),
        (amount, {0: 0.0, 2.5: 2.5}),
        (whole, {1: 1.0, 7: 7.0}),
        (seconds, {0: 0.0, 1.5: 1.5, "PT1H": 3600.0}),
        (truth, {True: 1.0}),
    ],
)
def test_only_what_fits_has_a_number(read: Read, expected: dict[Any, float]) -> None:
    assert {value: read(value) for value in expected} == expected
    misfits = {
        number: [True, "1", None, []],
        amount: [-1, -0.5, True, "1"],
        whole: [0, 1.0, True, "1"],
        seconds: [-1, True, "P1Y", "soon"],
        truth: [1, 0.0, "true", None],
    }
    assert all(np.isnan(read(value)) for value in misfits[read])


def test_texts_that_no_value_has_any_more_are_forgotten() -> None:
    values = Column.of({0: "begin"})
    for i in range(3_000):
        values = values.take([], np.zeros(0, np.int32)).merged(Column.of({0: f"text {i}"}))

    assert dict(values) == {0: "text 2999"}
    assert len(values.others) < 1_100
