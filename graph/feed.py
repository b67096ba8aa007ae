"""The change feed on disk where the graph is elsewhere: a local log of drained changes.

`SQLiteStore` keeps its changes in its own file; the Neo4j store drains its changes into a
`FeedLog` in the data folder. Both use one table.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from twinfall.graph.sqlite.changes import (
    CHANGES_TABLE,
    columns,
    last_change,
    read_changes,
    read_deletions,
)
from twinfall.graph.sqlite.connections import open_file, translated
from twinfall.graph.twins import Change, Deletion

_APPLICATION = 0x54774664  # "TwFd"


class FeedLog:
    """A local, ordered log of changes that were made in another store; safe from many threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = open_file(path, _APPLICATION, (CHANGES_TABLE,), "change feed")

    def append(self, changes: Sequence[Change]) -> None:
        """Keep these changes, durable on return. One whose `seq` is already here is left alone."""
        with self._lock, translated("change feed"), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                "INSERT OR IGNORE INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(change.seq, *columns(change)) for change in changes],
            )

    def after(self, seq: int, limit: int = 1000) -> list[Change]:
        """Changes with a greater seq, in order, at most `limit`."""
        with self._lock, translated("change feed"):
            return read_changes(self._db, seq, limit)

    def deletions(self, seq: int, limit: int) -> list[Deletion]:
        """Deletions of twins with a greater seq, in order, at most `limit`."""
        with self._lock, translated("change feed"):
            return read_deletions(self._db, seq, limit)

    def last(self) -> int:
        """The greatest seq kept; 0 at first."""
        with self._lock, translated("change feed"):
            return last_change(self._db)

    def close(self) -> None:
        """Close the file; the log is not usable afterwards."""
        with self._lock:
            self._db.close()
