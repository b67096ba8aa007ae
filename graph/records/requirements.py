"""The table of requirements' events: every change of a verdict, in order."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson

from twinfall.graph.records.rows import NewRequirementEvent, RequirementEvent

MAX_KEPT = 10_000
"""Events beside the last one of each requirement; the oldest go first."""
_COLUMNS = "ix, name, before, verdict, at, snapshot, finding"
_ADD = (
    "INSERT INTO requirement_events (name, before, verdict, at, snapshot, finding)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_LAST = "SELECT max(ix) FROM requirement_events GROUP BY name"
_FORGET = f"DELETE FROM requirement_events WHERE ix <= ? AND ix NOT IN ({_LAST})"  # noqa: S608


def add(db: sqlite3.Connection, new: NewRequirementEvent, now: int) -> RequirementEvent:
    """Keep an event, and forget the oldest beyond MAX_KEPT."""
    finding = orjson.dumps(dict(new.finding)).decode()
    row = (new.name, new.before, new.verdict, now, new.snapshot, finding)
    ix = int(db.execute(_ADD, row).lastrowid or 0)
    db.execute(_FORGET, (ix - MAX_KEPT,))
    return RequirementEvent(
        ix, new.name, new.before, new.verdict, now, new.snapshot, dict(new.finding)
    )


def last_of_each(db: sqlite3.Connection) -> list[RequirementEvent]:
    """The last event of every requirement, by name."""
    query = f"SELECT {_COLUMNS} FROM requirement_events WHERE ix IN ({_LAST}) ORDER BY name"  # noqa: S608
    return [_event(row) for row in db.execute(query)]


def newest(db: sqlite3.Connection, name: str | None, limit: int) -> list[RequirementEvent]:
    """Events of one requirement or of all, newest first."""
    query = (
        f"SELECT {_COLUMNS} FROM requirement_events"  # noqa: S608
        " WHERE ?1 IS NULL OR name = ?1 ORDER BY ix DESC LIMIT ?2"
    )
    return [_event(row) for row in db.execute(query, (name, limit))]


def _event(row: Sequence[Any]) -> RequirementEvent:
    ix, name, before, verdict, at, snapshot, finding = row
    return RequirementEvent(ix, name, before, verdict, at, snapshot, orjson.loads(finding))
