"""Sensors that always speak together, submitted to the pipeline as any source does."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import orjson

from twinfall.ingestion.frame import Frame

if TYPE_CHECKING:
    from twinfall.ingestion.telemetry import Telemetry

COMMIT_SECONDS = 30.0
"""A commit that takes longer is told and not waited for."""
UNKNOWN = frozenset({"UNKNOWN_TWIN", "UNKNOWN_NAME"})
log = logging.getLogger("twinfall.demo")


class Feed:
    """A row of values per time. A sensor whose twin was deleted falls silent."""

    def __init__(self, telemetry: Telemetry, keys: Sequence[tuple[str, str]]) -> None:
        self._telemetry = telemetry
        self._keys = list(keys)
        self._speaking = np.ones(len(self._keys), dtype=np.bool_)

    def say(self, times: Sequence[int], rows: Sequence[Sequence[float]]) -> int:
        """Submit a row of values for each time (ns) and wait for the commit; how many it stored.

        Raises Unavailable where the pipeline has no room, TimeoutError where it takes too long.
        """
        which = np.flatnonzero(self._speaking).tolist()
        if not which or not times:
            return 0
        frame = self._frame(which, times, rows)
        receipt = self._telemetry.pipeline.submit(frame).result(timeout=COMMIT_SECONDS)
        gone = {(f.twin, f.name) for f in receipt.refused if f.code in UNKNOWN}
        for at in which:
            if self._keys[at] in gone:
                self._speaking[at] = False
                log.info("%s %s is not there any more: it falls silent", *self._keys[at])
        return receipt.stored

    def _frame(
        self, which: list[int], times: Sequence[int], rows: Sequence[Sequence[float]]
    ) -> Frame:
        keys = [self._keys[at] for at in which]
        found = [self._telemetry.catalogue.find(*key) for key in keys]
        values: list[float] = [row[at] for row in rows for at in which]
        count = len(values)
        series = np.tile(np.array(found, dtype=np.int32), len(times))
        unknown = {at: keys[at % len(keys)] for at in np.flatnonzero(series < 0).tolist()}

        def raw(row: int) -> bytes:
            twin, name = keys[row % len(keys)]
            at = int(times[row // len(keys)])
            written = {"twin": twin, "name": name, "value": values[row], "time": at // 10**6}
            return orjson.dumps(written)

        return Frame(
            source="demo",
            series=series,
            values=values,
            times=np.repeat(np.array(times, dtype=np.int64), len(keys)),
            rows=np.arange(count, dtype=np.int32),
            raw=raw,
            unknown=unknown,
        )
