"""A twin that is deleted takes along what was said and read of it: who comes under its id later is
another one.

Deletions are followed by the change feed, those while no service ran too. Invariant: whatever the
book holds of a twin was said after all deletions up to the change at which the book stands.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from twinfall.analytics.domains import FREE
from twinfall.api.keeping import trace
from twinfall.graph.identity import owner_of
from twinfall.graph.statebook import Followed, StateBook

if TYPE_CHECKING:
    from twinfall.analytics.live import LiveState
    from twinfall.graph.graph import Graph
    from twinfall.ingestion.telemetry import Telemetry

PAGE = 10_000
ASKED = 1_000
"""Twins that the store is asked for at once."""
REST_SECONDS = 10.0
"""Between two times that the book is told how far deletions have been followed, if that is all."""
NOTE = "the twin was deleted"
log = logging.getLogger("twinfall.states")


class Endings:
    """Ends what is known of deleted twins. One thread at a time follows; `here` is for any."""

    def __init__(
        self,
        graph: Graph,
        book: StateBook,
        live: LiveState,
        telemetry: Telemetry,
        now: Callable[[], int],
    ) -> None:
        self._graph, self._book, self._live = graph, book, live
        self._catalogue, self._now = telemetry.catalogue, now
        self._cursor = -1
        """Of the last change that was followed; -1: none was yet."""
        self._kept = -1
        """The cursor that the book has."""
        self._keeping = time.monotonic()
        for twin, at in book.ended().items():
            self._leave_out(twin, at)

    def follow(self, cursor: int) -> frozenset[str]:
        """End what is known of twins deleted since the last call; `cursor`: as far as the feed
        went before it. The ids of these twins. Raises Unavailable where store or disk are.
        """
        if self._cursor < 0:
            self._begin(cursor)
        deleted: dict[str, int] = {}
        while found := self._graph.store.deletions(self._cursor, PAGE):
            some = {one.id: _nanos(one.at) for one in found}
            self._end(some, found[-1].seq)
            deleted |= some
            self._cursor = found[-1].seq
        self._cursor = max(self._cursor, cursor)
        return frozenset(deleted)

    def here(self) -> Followed | None:
        """How far deletions have been followed; None: not yet."""
        if self._cursor < 0:
            return None
        self._kept = self._cursor
        return Followed(self._kept, trace(self._graph, self._kept))

    def keep(self, *, now: bool = False) -> None:
        """Tell the book how far, now and then, so that the next start has less to follow."""
        if self._cursor > self._kept and (now or time.monotonic() - self._keeping >= REST_SECONDS):
            self._keeping = time.monotonic()
            self._book.write(followed=self.here())

    def _begin(self, cursor: int) -> None:
        """Go on from where the book stands. In another feed, or where that is forgotten, nobody
        knows who was deleted: what is said of twins that are not there ends.
        """
        stands = self._book.followed()
        found = "" if stands is None else trace(self._graph, stands.cursor)
        if stands is not None and found and stands.trace == found:
            self._cursor = self._kept = stands.cursor
            return
        twins = sorted({owner_of(one.twin) for one in self._book.holding()})
        twins = [twin for twin in twins if not twin.startswith(FREE)]
        there: set[str] = set()
        for first in range(0, len(twins), ASKED):
            there.update(self._graph.store.nodes(twins[first : first + ASKED]))
        self._end(dict.fromkeys(set(twins) - there, self._now()), cursor)
        self._cursor = cursor

    def _end(self, deleted: dict[str, int], cursor: int) -> None:
        held = [one for one in self._book.holding() if owner_of(one.twin) in deleted]
        heard = {id_: at for id_, at in deleted.items() if self._series(id_)}
        if held or heard:
            at = self._now()
            closed = [
                replace(one, state=None, until=None, who="", at=at, note=NOTE) for one in held
            ]
            self._kept = cursor
            followed = Followed(cursor, trace(self._graph, cursor))
            self._book.write(*closed, followed=followed, ended=heard)
        for one in held:
            self._live.take_back(one.twin, maintenance=one.kind == "maintenance")
            log.info("what %s said of %s ends: %s", one.who or "somebody", one.twin, NOTE)
        for id_, time_ in heard.items():
            self._leave_out(id_, time_)

    def _leave_out(self, twin: str, at: int) -> None:
        """What was read of a twin by then counts no more."""
        series = np.array(self._series(twin), np.int32)
        self._live.leave_out(self._catalogue.addresses(twin), series, at)

    def _series(self, twin: str) -> list[int]:
        """Of a twin and its components."""
        addresses: Iterable[str] = self._catalogue.addresses(twin)
        return [one for each in addresses for one in self._catalogue.series_of(each).values()]


def _nanos(at: str) -> int:
    moment = datetime.fromisoformat(at)
    return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000
