"""The judgement: what was acknowledged is there once, what was refused is kept, nothing else is.

The set workload of storage tests: every reading carries its number as value, so that one look at
the history says which are lost, doubled or invented.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.api.running import Server
from tests.faults import feeders
from tests.faults.publisher import BASE_MS

QUIET_SECONDS = 8.0
"""Drained when nothing more has come for so long."""
DRAIN_SECONDS = 240.0


@dataclass(frozen=True)
class Proof:
    """The counts of one scenario."""

    sent: int
    acknowledged: int
    stored: int
    refused: int
    lost: tuple[int, ...]
    doubled: tuple[int, ...]
    invented: tuple[int, ...]
    unaccounted: int
    """Acknowledged readings that are bad, and no dead letter either."""

    @property
    def holds(self) -> bool:
        """Whether the promise was kept."""
        return not (self.lost or self.doubled or self.invented or self.unaccounted)

    def __str__(self) -> str:
        """One line."""
        return (
            f"sent {self.sent}, acknowledged {self.acknowledged}, stored {self.stored}, "
            f"refused {self.refused}; lost {len(self.lost)}, doubled {len(self.doubled)}, "
            f"invented {len(self.invented)}, unaccounted {self.unaccounted}"
        )


def judged(
    sent: Iterable[int],
    acknowledged: Iterable[int],
    stored: Iterable[float],
    refused: int,
    is_bad: Callable[[int], bool],
) -> Proof:
    """Compare what was sent and acknowledged with what the history and the dead letters hold.

    A bad reading that was sent twice may be a dead letter twice.
    """
    all_sent, acked = set(sent), set(acknowledged)
    counts = Counter(int(value) for value in stored)
    good = {n for n in acked if not is_bad(n)}
    return Proof(
        sent=len(all_sent),
        acknowledged=len(acked),
        stored=len(counts),
        refused=refused,
        lost=tuple(sorted(good - counts.keys())),
        doubled=tuple(sorted(n for n, count in counts.items() if count > 1)),
        invented=tuple(sorted(n for n in counts if n not in all_sent or is_bad(n))),
        unaccounted=max(0, len(acked) - len(good) - refused),
    )


def stored(server: Server, twins: int, readings: int) -> list[float]:
    """Every value in the history of every feeder."""
    start, end = (
        datetime.fromtimestamp(ms / 1000, UTC).isoformat()
        for ms in (BASE_MS - 1, BASE_MS + readings)
    )
    found = []
    for i in range(twins):
        found += feeders.values(server, f"F{i}", start, end)
    return found


def drained(
    server: Server, twins: int, readings: int, expected: int = 0
) -> tuple[list[float], dict[str, int]]:
    """History and dead letters once `expected` values are there, or nothing more comes."""
    end = time.monotonic() + DRAIN_SECONDS
    last, since = -1, time.monotonic()
    while True:
        values = stored(server, twins, readings)
        refused = feeders.refused(server)
        count = len(values) + sum(refused.values())
        now = time.monotonic()
        if count != last:
            last, since = count, now
        enough = expected and len(set(values)) >= expected and now - since > 1.0
        if enough or now - since > QUIET_SECONDS or now > end:
            return values, refused
        time.sleep(0.25)
