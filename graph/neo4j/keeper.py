"""What goes on beside the calls: the lease's heartbeat and the draining of the change feed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from twinfall.graph.neo4j.feed import Draining
from twinfall.graph.neo4j.lease import Lease
from twinfall.ontology.errors import Conflict, Unavailable

DRAIN_PAUSE = 0.5
"""Seconds between two drainings, so that many small writes are drained together."""
BEATS = 3
"""Heartbeats in the time of a lease."""
_log = logging.getLogger(__name__)


class Keeper:
    """A thread that keeps the lease and drains, until `close`."""

    def __init__(self, lease: Lease, draining: Draining, seconds: float) -> None:
        self._lease = lease
        self._draining = draining
        self._pause = seconds / BEATS
        self._written = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="neo4j-keeper", daemon=True)
        self._thread.start()

    def written(self) -> None:
        """There is something to drain."""
        self._written.set()

    def close(self) -> None:
        """Stop; a beat or draining under way is finished."""
        self._closing.set()
        self._written.set()
        self._thread.join()

    def _run(self) -> None:
        beaten = time.monotonic()
        while not self._closing.is_set():
            self._written.wait(max(0.0, beaten + self._pause - time.monotonic()))
            if self._closing.is_set():
                return
            if time.monotonic() >= beaten + self._pause:
                beaten = time.monotonic()
                if not self._try(self._lease.beat):
                    return
            if self._written.is_set():
                self._written.clear()
                if not self._try(self._draining.drain):
                    return
                self._closing.wait(DRAIN_PAUSE)

    def _try(self, work: Callable[[], object]) -> bool:
        """False where the lease is another's; whatever else fails is tried again later: a keeper
        that dies would lose the lease for a process that is well.
        """
        try:
            if work() is not False:
                return True
        except Unavailable:
            self._later()
            return True
        except Conflict as conflict:
            if conflict.code != "GRAPH_IN_USE":
                self._later()
                return True
            _log.error("%s", conflict)
            return False
        except Exception:
            _log.exception("keeping the graph's lease and change feed failed; trying again")
            self._later()
            return True
        _log.error("the graph was taken over by another process; writes are refused from now on")
        return False

    def _later(self) -> None:
        self._written.set()
        self._closing.wait(DRAIN_PAUSE)
