"""What people said of assets' states, in a file of its own: every word is kept, the last holds."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
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
)
_ADD = "INSERT INTO said (twin, kind, state, until, who, at, note) VALUES (?, ?, ?, ?, ?, ?, ?)"
_HOLDING = """
SELECT twin, kind, state, until, who, at, note FROM said
WHERE ix IN (SELECT max(ix) FROM said GROUP BY twin, kind) AND state IS NOT NULL ORDER BY ix
"""
_OF_TWIN = """
SELECT twin, kind, state, until, who, at, note FROM said WHERE twin = ? ORDER BY ix DESC LIMIT ?
"""


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

    def write(self, entry: Entry) -> None:
        """Keep one word. Raises Unavailable where the disk is full."""
        row = (entry.twin, entry.kind, entry.state, entry.until, entry.who, entry.at)
        with self._lock, translated(_WHAT):
            self._db.execute(_ADD, (*row, entry.note[:MAX_NOTE]))

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
