"""The tables of `records.sqlite`, by numbered steps from an empty file."""

from __future__ import annotations

APPLICATION_ID = 0x54775263
"""`TwRc`: how SQLite and `file` know what this is."""

_TABLES = """
CREATE TABLE alarms (
    ix INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    twin TEXT NOT NULL,
    source TEXT NOT NULL,
    severity TEXT NOT NULL,
    onset INTEGER NOT NULL,
    raised INTEGER NOT NULL,
    cleared INTEGER,
    acknowledged_by TEXT,
    acknowledged_at INTEGER,
    note TEXT,
    explanation TEXT NOT NULL,
    impact TEXT,
    affected TEXT NOT NULL,
    incident TEXT NOT NULL
);
CREATE INDEX alarms_open ON alarms (ix) WHERE cleared IS NULL;
CREATE INDEX alarms_by_twin ON alarms (twin, ix);
CREATE INDEX alarms_by_incident ON alarms (incident, ix);
CREATE TABLE work_orders (
    ix INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    twin TEXT NOT NULL,
    title TEXT NOT NULL,
    priority TEXT NOT NULL,
    opened INTEGER NOT NULL,
    opened_by TEXT NOT NULL,
    closed INTEGER,
    closed_by TEXT,
    note TEXT,
    alarm TEXT,
    incident TEXT
);
CREATE INDEX work_orders_open ON work_orders (ix) WHERE closed IS NULL;
CREATE INDEX work_orders_by_twin ON work_orders (twin, ix);
CREATE TABLE outbox (
    ix INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    payload TEXT NOT NULL,
    alarm TEXT,
    created INTEGER NOT NULL,
    expires INTEGER,
    state TEXT NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'done', 'failed', 'expired', 'superseded')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    finished INTEGER,
    answer TEXT
);
CREATE INDEX outbox_waiting ON outbox (next_at, ix) WHERE state = 'waiting';
CREATE INDEX outbox_waiting_at ON outbox (target, ix) WHERE state = 'waiting';
CREATE INDEX outbox_finished ON outbox (finished) WHERE finished IS NOT NULL;
CREATE TABLE audit (
    ix INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    before TEXT,
    after TEXT,
    request TEXT NOT NULL,
    chain TEXT NOT NULL
);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    BEGIN SELECT raise(ABORT, 'the audit is append only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
    BEGIN SELECT raise(ABORT, 'the audit is append only'); END
"""

_RULES = """
ALTER TABLE work_orders ADD COLUMN rule TEXT;
CREATE INDEX work_orders_by_rule ON work_orders (rule, twin) WHERE closed IS NULL;
CREATE INDEX alarms_cleared ON alarms (cleared) WHERE cleared IS NOT NULL
"""

_REQUIREMENTS = """
CREATE TABLE requirement_events (
    ix INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    before TEXT,
    verdict TEXT NOT NULL,
    at INTEGER NOT NULL,
    snapshot TEXT NOT NULL,
    finding TEXT NOT NULL
);
CREATE INDEX requirement_events_by_name ON requirement_events (name, ix)
"""

_SCENARIOS = """
CREATE TABLE scenarios (
    name TEXT PRIMARY KEY,
    scenario TEXT NOT NULL,
    saved INTEGER NOT NULL,
    saved_by TEXT NOT NULL
)
"""

STEPS: tuple[str, ...] = (_TABLES, _RULES, _REQUIREMENTS, _SCENARIOS)
"""Step n takes a file of format n to n + 1. A step that shipped is never changed."""
