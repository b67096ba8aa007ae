"""What people said of assets' states, in a file of its own: every word is kept, the last holds."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from twinfall.graph.sqlite.connections import open_file, translated

FILE_NAME = "state.sqlite"
APPLICATION_ID = 0x54775374
"""`TwSt`: how SQLite and `file` know what this is."""
MAX_NOTE = 2_000
MAX_HISTORY = 500
_WHAT = "state book"
_STEPS = (
    """
CREATE TABLE said (
    ix INTEGER PRIMARY KEY AUTOINCREMENT,
    twin TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT,
    until INTEGER,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX said_of_twin ON said (twin, kind, ix)
""",
    """
CREATE TABLE followed (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    cursor INTEGER NOT NULL,
    trace TEXT NOT NULL
);
CREATE TABLE ended (twin TEXT PRIMARY KEY, at INTEGER NOT NULL)
""",
)
_ADD = "INSERT INTO said (twin, kind, state, until, who, at, note) VALUES (?, ?, ?, ?, ?, ?, ?)"
_HOLDING = """
SELECT twin, kind, state, until, who, at, note FROM said
WHERE ix IN (SELECT max(ix) FROM said GROUP BY twin, kind) AND state IS NOT NULL ORDER BY ix
"""
_OF_TWIN = """
SELECT twin, kind, state, until, who, at, note FROM said WHERE twin = ? ORDER BY ix DESC LIMIT ?
"""
_ENDED = "INSERT INTO ended (twin, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at"
_FOLLOWED = "INSERT OR REPLACE INTO followed (one, cursor, trace) VALUES (1, ?, ?)"


@dataclass(frozen=True, slots=True)
class Followed:
    """How far deletions of twins have been followed: the change, and a hash of it."""

    cursor: int
    trace: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One word: `state` of a twin, or `on` for maintenance; None takes the last one back. Times
    in ns.
    """

    twin: str
    kind: Literal["maintenance", "forced"]
    state: str | None
    until: int | None
    who: str
    at: int
    note: str = ""


class StateBook:
    """Safe from many threads. `write` returns after an fsynced commit."""

    def __init__(self, path: Path) -> None:
        self._db = open_file(path, APPLICATION_ID, _STEPS, _WHAT)
        self._lock = threading.Lock()

    def write(
        self,
        *entries: Entry,
        followed: Followed | None = None,
        ended: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Keep words, how far deletions have been followed, and twins that were deleted then (ns),
        all or none. Raises Unavailable where the disk is full.
        """
        with self._lock, translated(_WHAT), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(_ADD, map(_row, entries))
            self._db.executemany(_ENDED, ended.items())
            if followed is not None:
                self._db.execute(_FOLLOWED, (followed.cursor, followed.trace))

    def followed(self) -> Followed | None:
        """How far deletions have been followed; None where nobody knows."""
        with self._lock, translated(_WHAT):
            row = self._db.execute("SELECT cursor, trace FROM followed").fetchone()
        return None if row is None else Followed(*row)

    def ended(self) -> dict[str, int]:
        """Twins that had sent readings and were deleted, and when last (ns)."""
        with self._lock, translated(_WHAT):
            return dict(self._db.execute("SELECT twin, at FROM ended").fetchall())

    def holding(self) -> list[Entry]:
        """What holds: the last word on each twin, unless it was taken back."""
        return self._entries(_HOLDING)

    def history(self, twin: str, first: int = MAX_HISTORY) -> list[Entry]:
        """What was said of a twin, the newest first."""
        return self._entries(_OF_TWIN, twin, min(first, MAX_HISTORY))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _entries(self, sql: str, *values: object) -> list[Entry]:
        with self._lock, translated(_WHAT):
            rows: list[sqlite3.Row] = self._db.execute(sql, values).fetchall()
        return [Entry(*row) for row in rows]


def _row(entry: Entry) -> tuple[object, ...]:
    row = (entry.twin, entry.kind, entry.state, entry.until, entry.who, entry.at)
    return *row, entry.note[:MAX_NOTE]
