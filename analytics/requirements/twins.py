"""What the arrays do not have: names for people, and properties that a selection asks about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Protocol

from twinfall.graph.plan import All, Condition, Fetch, Ids, IsA, Page, Row, RowPage, Select

PAGE = 5_000


class Twins(Protocol):
    """Where they come from."""

    def matching(self, models: Collection[str], where: Condition) -> frozenset[str]:
        """Ids of the twins and components of these models for which it is true."""
        ...

    def captions(self, ids: Collection[str]) -> Mapping[str, str]:
        """Names for people, of those that have one other than the id."""
        ...


class GraphTwins:
    """From a graph as it is now: `fetch` is its door. One round trip a page."""

    def __init__(self, fetch: Callable[[Fetch], RowPage]) -> None:
        self._fetch = fetch

    def matching(self, models: Collection[str], where: Condition) -> frozenset[str]:
        """See Twins."""
        asked = All((IsA(tuple(models)), where))
        return frozenset(row.id for row in self._rows(asked))

    def captions(self, ids: Collection[str]) -> Mapping[str, str]:
        """See Twins."""
        rows = self._rows(Ids(tuple(sorted(ids)))) if ids else iter(())
        return {row.id: row.caption for row in rows if row.caption not in ("", row.id)}

    def _rows(self, where: Condition) -> Iterator[Row]:
        after = None
        while True:
            page = Page(PAGE, after, where)
            found = self._fetch(Fetch(page, Select(), components=True))
            yield from found.rows
            if not found.more:
                return
            after = found.rows[-1].cursor
