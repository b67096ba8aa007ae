"""Where ids are in an ordered list of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import count

MANY = 10_000
"""Questions, or ids, from which a table pays."""


class Positions(Mapping[str, int]):
    """The position of each id; `ids` are ascending.

    Single ids are found by halving: a table of a million takes longer than a start may. It is
    made once many have been asked for.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        self._ids = ids
        self._asked = 0
        self._table: dict[str, int] | None = None
        if len(ids) <= MANY:
            self.table()

    def table(self) -> dict[str, int]:
        """All of them."""
        if self._table is None:
            self._table = dict(zip(self._ids, count()))
        return self._table

    def __getitem__(self, id_: str) -> int:
        if self._table is None and self._asked < MANY:
            self._asked += 1
            at = bisect_left(self._ids, id_)
            if at < len(self._ids) and self._ids[at] == id_:
                return at
            raise KeyError(id_)
        return self.table()[id_]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)
