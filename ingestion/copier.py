"""The latest readings onto the graph's nodes, every second or so: for Cypher and Neo4j Browser.

What GraphQL answers comes from memory. A store that is away is tried again; then only the newest
values are copied, however many came between.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import orjson

from twinfall.graph.graph import Graph
from twinfall.graph.twins import LatestCopy
from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.latest import Latest, Reading

COPY_SECONDS = 1.0
TWINS_AT_ONCE = 1_000


class Copier:
    """Copies what moved since the last time."""

    def __init__(self, graph: Graph, catalogue: Catalogue, latest: Latest) -> None:
        self._graph, self._catalogue, self._latest = graph, catalogue, latest
        self._again: set[str] = set()
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """Twins whose copy is behind because the last attempt failed."""
        return len(self._again)

    def again(self, twins: Iterable[str]) -> None:
        """Their nodes were written: the copies are gone."""
        with self._lock:
            self._again.update(twins)

    def copy(self) -> bool:
        """Copy all that moved. Raises Unavailable; what was not copied is tried the next time."""
        with self._lock:
            twins = self._again | {self._catalogue.key(at)[0] for at in self._latest.taken()}
            self._again = set(twins)
        for some in _chunks(sorted(twins)):
            copies = [copy for twin in some if (copy := self._of(twin)) is not None]
            if copies:
                self._graph.store.copy_latest(copies)
            with self._lock:
                self._again -= set(some)
        return False

    def _of(self, twin: str) -> LatestCopy | None:
        found = self._latest.of([twin], now=0)[twin]
        shown = {
            name: _shown(reading)
            for name, reading in found.items()
            if self._catalogue.is_telemetry(twin, name)
        }
        if not shown:
            return None
        return LatestCopy(twin, shown, max(found[name].time for name in shown))


def _shown(reading: Reading) -> str | int | float | bool:
    value = reading.value
    if isinstance(value, (str, int, float, bool)):
        return value
    return orjson.dumps(value).decode()


def _chunks(twins: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(twins), TWINS_AT_ONCE):
        yield twins[start : start + TWINS_AT_ONCE]
