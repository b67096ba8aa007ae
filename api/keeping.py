"""The arrays of a large graph, kept in the data folder for the next start.

Nothing depends on the file: what does not fit the graph and its models, or is damaged, is left
aside with a line in the log, and a disk that cannot take it is none of the service's troubles.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from twinfall.analytics import AssetNetwork, snapshot
from twinfall.graph.graph import Graph
from twinfall.ontology.errors import BadInput, TwinError

FILE = "compiled/graph.arrays"
"""In the data folder."""
WORTHWHILE = 1.0
"""Seconds of reading and compiling from which keeping pays."""
REST_SECONDS = 300.0
"""Between two writings while the service runs."""
log = logging.getLogger("twinfall.networks")


@dataclass(slots=True)
class _Ahead:
    """Arrays on their way; `found` once the thread is done."""

    models: str
    thread: threading.Thread = field(default_factory=threading.Thread)
    found: AssetNetwork | None = None


class KeptArrays:
    """The file of one graph's arrays; one thread at a time writes it."""

    def __init__(self, path: Path, graph: Graph, *, worthwhile: float = WORTHWHILE) -> None:
        self._path = path
        self._graph = graph
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ahead: _Ahead | None = None
        self._cursor = -1
        """Of the file, as far as it is known to be of use."""
        self._least = worthwhile
        self._worthwhile = False
        self._written = float("-inf")

    def begin(self, models: str) -> None:
        """Load them meanwhile: a start has other things to do."""
        if self._path.exists():
            ahead = _Ahead(models)
            ahead.thread = threading.Thread(
                target=lambda: setattr(ahead, "found", self._load(models)),
                name="load-arrays",
                daemon=True,
            )
            ahead.thread.start()
            self._ahead = ahead

    def load(self, models: str) -> AssetNetwork | None:
        """The arrays that were kept, if they are of these models and of a moment of this graph's
        change feed.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.models == models:
            ahead.thread.join()
            return ahead.found
        return self._load(models)

    def _load(self, models: str) -> AssetNetwork | None:
        if not self._path.exists():
            return None
        try:
            kept = snapshot.moment(self._path)
            if kept.models != models:
                raise BadInput("it is of other models or declarations")
            if kept.trace != trace(self._graph, kept.cursor):
                raise BadInput(f"change {kept.cursor} of this graph is another one, or forgotten")
            began = time.monotonic()
            kept, network = snapshot.load(self._path)
        except TwinError as error:
            log.info("the kept arrays are of no use, they are compiled anew: %s", error.message)
            return None
        self._cursor, self._worthwhile = kept.cursor, True
        log.info("arrays of change %d taken in %.1f s", kept.cursor, time.monotonic() - began)
        return network

    def forget(self) -> None:
        """What is kept is not what the graph is."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        self._cursor = -1

    def offer(self, network: AssetNetwork, seconds: float) -> None:
        """These have been compiled in so many seconds: keep them soon, if that pays."""
        self._worthwhile = self._worthwhile or seconds >= self._least
        with self._lock:
            busy = self._thread is not None and self._thread.is_alive()
            rests = time.monotonic() - self._written < REST_SECONDS
            if self._worthwhile and not busy and not rests:
                self._thread = threading.Thread(
                    target=self._write, args=(network,), name="keep-arrays", daemon=True
                )
                self._thread.start()

    def close(self, network: AssetNetwork | None) -> None:
        """Keep the last ones, where the file has older ones. The graph must still be open."""
        if self._ahead is not None:
            self._ahead.thread.join()
        with self._lock:
            if self._thread is not None:
                self._thread.join()
        if network is not None and self._worthwhile and network.cursor > self._cursor:
            self._write(network)

    def _write(self, network: AssetNetwork) -> None:
        try:
            found = trace(self._graph, network.cursor)
            if found:
                snapshot.save(self._path, network, found)
                self._cursor = network.cursor
        except TwinError as error:
            log.warning("the arrays are not kept for the next start: %s", error)
        self._written = time.monotonic()


def trace(graph: Graph, cursor: int) -> str:
    """A hash of the change at a cursor; empty where it is forgotten."""
    found = graph.changes(cursor - 1, 1)
    if not found or found[0].seq != cursor:
        return ""
    c = found[0]
    said = [c.seq, c.kind, c.subject, c.model, c.version, c.at, c.who, c.why]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
