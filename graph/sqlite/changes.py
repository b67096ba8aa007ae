"""The table of changes: written beside what changed, in the same transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from twinfall.graph.sqlite.encoding import json_text
from twinfall.graph.twins import Change, Deletion

CHANGES_TABLE = """
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    model TEXT,
    version INTEGER,
    before TEXT,
    after TEXT,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL
)
"""


def record_changes(db: sqlite3.Connection, changes: Sequence[Change]) -> int:
    """Number and insert changes in the transaction at hand; the feed's new end."""
    db.executemany(
        "INSERT INTO changes (kind, subject, model, version, before, after, at, who, why)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [columns(change) for change in changes],
    )
    return last_change(db)


def last_change(db: sqlite3.Connection) -> int:
    """The greatest seq ever given, from AUTOINCREMENT's own record so that pruning is harmless."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    return int(row[0]) if row else 0


def read_changes(db: sqlite3.Connection, after: int, limit: int) -> list[Change]:
    """Changes with seq > after, in order, at most `limit`."""
    rows = db.execute(
        "SELECT seq, kind, subject, model, version, before, after, at, who, why FROM changes"
        " WHERE seq > ? ORDER BY seq LIMIT ?",
        (after, limit),
    )
    return [
        replace(Change(*row), before=_parsed(row[5]), after=_parsed(row[6]))
        for row in rows.fetchall()
    ]


def read_deletions(db: sqlite3.Connection, after: int, limit: int) -> list[Deletion]:
    """Deletions of twins with seq > after, in order, at most `limit`."""
    rows = db.execute(
        "SELECT seq, subject, at FROM changes WHERE seq > ? AND kind = 'twinDeleted'"
        " ORDER BY seq LIMIT ?",
        (after, limit),
    )
    return [Deletion(*row) for row in rows.fetchall()]


def columns(change: Change) -> tuple[Any, ...]:
    return (
        change.kind,
        change.subject,
        change.model,
        change.version,
        _text(change.before),
        _text(change.after),
        change.at,
        change.who,
        change.why,
    )


def _text(value: Any) -> str | None:
    return None if value is None else json_text(value)


def _parsed(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
