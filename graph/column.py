"""Column: one property of many twins or relationships, by position, as arrays.

A million values are read, moved and written at once; each comes back as it went in, 1, 1.0 and
true apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int32]

BOOLEAN, INTEGER, FLOAT, OTHER = range(4)
"""What a value is; integers beyond 64 bits, texts and structures are OTHER."""
MISSING = -1
FEW = 1_000
"""Texts without a value that are not worth dropping."""
_KINDS = {bool: BOOLEAN, int: INTEGER, float: FLOAT}
_LEAST, _MOST = -(2**63), 2**63 - 1


class Column(Mapping[int, Any]):
    """Values by position, ascending; immutable.

    `kind` says what each value is, `bits` has its 64 bits (of OTHER: its place in `others`, where
    each text stands once).
    """

    __slots__ = ("at", "bits", "kind", "others")

    def __init__(
        self,
        at: Positions,
        kind: NDArray[np.uint8],
        bits: NDArray[np.int64],
        others: Sequence[Any] = (),
    ) -> None:
        self.at = at
        self.kind = kind
        self.bits = bits
        self.others = others

    @classmethod
    def of(cls, values: Mapping[int, Any]) -> Column:
        """The same values as a column."""
        if isinstance(values, Column):
            return values
        at = np.fromiter(values, np.int32, len(values))
        order = np.argsort(at, kind="stable")
        listed = list(values.values())
        return cls.listed(at[order], [listed[i] for i in order.tolist()])

    @classmethod
    def listed(cls, at: Positions | Sequence[int], values: Sequence[Any]) -> Column:
        """From ascending positions and the value at each."""
        kind = _kinds(values)
        bits = np.zeros(len(values), np.int64)
        others: list[Any] = []
        for code in np.unique(kind).tolist():
            rows = np.flatnonzero(kind == code)
            some = values if len(rows) == len(values) else [values[i] for i in rows.tolist()]
            bits[rows] = _bits(int(code), some, others)
        return cls(np.asarray(at, np.int32), kind, bits, others)

    def __len__(self) -> int:
        return len(self.at)

    def __iter__(self) -> Iterator[int]:
        return iter(self.at.tolist())

    def __getitem__(self, position: int) -> Any:
        row = int(np.searchsorted(self.at, position))
        if row == len(self.at) or self.at[row] != position:
            raise KeyError(position)
        return self.value(row)

    def __repr__(self) -> str:
        return f"Column({dict(self)!r})" if len(self) < 20 else f"Column of {len(self)} values"

    def value(self, row: int) -> Any:
        """The value in a row of this column."""
        kind, bits = self.kind[row], self.bits[row]
        if kind == OTHER:
            return self.others[bits]
        if kind == FLOAT:
            return float(bits.view(np.float64))
        return bool(bits) if kind == BOOLEAN else int(bits)

    def rows(self, positions: Positions) -> NDArray[np.int64]:
        """The row of each position; MISSING where there is no value."""
        if not len(self.at):
            return np.full(len(positions), MISSING, np.int64)
        found = np.searchsorted(self.at, positions)
        found[found == len(self.at)] = 0
        found[self.at[found] != positions] = MISSING
        return found

    def numbers(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The values in these rows as floats; those of OTHER mean nothing."""
        bits = self.bits[rows]
        return np.where(self.kind[rows] == FLOAT, bits.view(np.float64), bits.astype(np.float64))

    def take(self, rows: Any, at: Positions) -> Column:
        """Some rows, at other positions; in ascending order."""
        return Column(at, self.kind[rows], self.bits[rows], self.others)

    def merged(self, other: Column) -> Column:
        """Both; no position is in both."""
        if not len(other):
            return self
        bits = other.bits.copy()
        bits[other.kind == OTHER] += len(self.others)
        at = np.concatenate([self.at, other.at])
        order = np.argsort(at, kind="stable")
        return Column(
            at[order],
            np.concatenate([self.kind, other.kind])[order],
            np.concatenate([self.bits, bits])[order],
            [*self.others, *other.others],
        )._compact()

    def _compact(self) -> Column:
        """Without texts that no value has any more, once they are the most."""
        rows = np.flatnonzero(self.kind == OTHER)
        if len(self.others) <= FEW + 2 * len(rows):
            return self
        used, place = np.unique(self.bits[rows], return_inverse=True)
        bits = self.bits.copy()
        bits[rows] = place.reshape(-1)
        return Column(self.at, self.kind, bits, [self.others[i] for i in used.tolist()])


def _kinds(values: Sequence[Any]) -> NDArray[np.uint8]:
    found = map(_KINDS.get, map(type, values), repeat(OTHER))
    kinds = np.fromiter(found, np.uint8, len(values))
    rows = np.flatnonzero(kinds == INTEGER).tolist()
    try:
        np.array([values[row] for row in rows], np.int64)
    except OverflowError:
        kinds[[row for row in rows if not _LEAST <= values[row] <= _MOST]] = OTHER
    return kinds


def _bits(kind: int, values: Sequence[Any], others: list[Any]) -> NDArray[np.int64]:
    if kind == FLOAT:
        return np.array(values, np.float64).view(np.int64)
    if kind != OTHER:
        return np.array(values, np.int64)
    texts: dict[str, int] = {}
    found = []
    for value in values:
        place = texts.get(value, MISSING) if isinstance(value, str) else MISSING
        if place == MISSING:
            place = len(others)
            others.append(value)
            if isinstance(value, str):
                texts[value] = place
        found.append(place)
    return np.array(found, np.int64)
