"""Work orders beside their assets in the embedded graph: a copy of the service's records."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson

from twinfall.graph.sqlite.encoding import json_text
from twinfall.graph.twins import WorkOrderNode

WORK_ORDERS_TABLE = """
CREATE TABLE work_orders (
    id TEXT PRIMARY KEY, twin TEXT NOT NULL, caption TEXT NOT NULL, facts TEXT NOT NULL,
    concerns INTEGER REFERENCES twins (ix) ON DELETE SET NULL
);
CREATE INDEX work_orders_by_twin ON work_orders (concerns)
"""
"""`concerns` is the relationship to the twin, empty while there is no such twin."""
_PUT = """
INSERT INTO work_orders VALUES (?1, ?2, ?3, ?4, (SELECT ix FROM twins WHERE id = ?2))
ON CONFLICT (id) DO UPDATE SET twin = excluded.twin, caption = excluded.caption,
    facts = excluded.facts, concerns = excluded.concerns
"""
_OF = """
SELECT DISTINCT w.id, t.id, w.caption, w.facts FROM json_each(?) j
JOIN twins t ON t.id = j.value JOIN work_orders w ON w.concerns = t.ix ORDER BY w.id
"""


def put(db: sqlite3.Connection, orders: Sequence[WorkOrderNode]) -> None:
    """Write these, in the transaction at hand."""
    rows = [(o.id, o.twin, o.caption, orjson.dumps(dict(o.facts)).decode()) for o in orders]
    db.executemany(_PUT, rows)


def of(db: sqlite3.Connection, twins: Sequence[str]) -> list[WorkOrderNode]:
    """Those that stand beside these twins, by id."""
    found = db.execute(_OF, (json_text(list(twins)),))
    return [WorkOrderNode(row[0], row[1], row[2], orjson.loads(row[3])) for row in found]
