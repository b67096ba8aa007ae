"""Alarms and work orders out of their tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson

from twinfall.graph.records.rows import Alarm, WorkOrder

_ALARM = (
    "SELECT ix, id, twin, source, severity, onset, raised, cleared, acknowledged_by,"
    " acknowledged_at, note, explanation, impact, incident FROM alarms"
)
_ORDER = (
    "SELECT ix, key, twin, title, priority, opened, opened_by, closed, closed_by, note, alarm,"
    " incident FROM work_orders"
)
_END = "ORDER BY ix DESC LIMIT ?"


def alarms_where(
    db: sqlite3.Connection, condition: str, values: Sequence[Any], limit: int = -1
) -> list[Alarm]:
    """Alarms, newest first. `condition` is written in code, never by a user."""
    return [
        _alarm(row) for row in db.execute(f"{_ALARM} WHERE {condition} {_END}", (*values, limit))
    ]


def work_orders_where(
    db: sqlite3.Connection, condition: str, values: Sequence[Any], limit: int = -1
) -> list[WorkOrder]:
    """Work orders, newest first. `condition` is written in code, never by a user."""
    query = f"{_ORDER} WHERE {condition} {_END}"
    return [WorkOrder(*row) for row in db.execute(query, (*values, limit))]


def _alarm(row: tuple[Any, ...]) -> Alarm:
    values = list(row)
    explanation, impact = values[11:13]
    values[11] = orjson.loads(explanation)
    values[12] = None if impact is None else orjson.loads(impact)
    return Alarm(*values)
