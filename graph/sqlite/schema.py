"""The tables of the embedded graph, by numbered steps from an empty file.

`twins.ix` is a small integer that stands for an id inside the file; `owner` is set for
components, whose id is `<owner>/<component>`. No id has a `/` but a component's, so the
components of P1 are exactly the ids between `P1/` and `P10` (0 follows / in Unicode).
"""

from __future__ import annotations

from twinfall.graph.sqlite.changes import CHANGES_TABLE
from twinfall.graph.sqlite.workorders import WORK_ORDERS_TABLE

APPLICATION_ID = 0x5477466C
"""`TwFl`: how SQLite and `file` know what this is."""

_TABLES = """
CREATE TABLE models (code INTEGER PRIMARY KEY, dtmi TEXT NOT NULL UNIQUE);
CREATE TABLE relationship_names (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE documents (
    kind TEXT NOT NULL, position INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (kind, position)
);
CREATE TABLE names (dtmi TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE twins (
    ix INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    model INTEGER NOT NULL REFERENCES models (code),
    owner INTEGER REFERENCES twins (ix) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    caption TEXT NOT NULL,
    content TEXT NOT NULL,
    keys TEXT
);
CREATE INDEX twins_by_model ON twins (model, owner, id);
CREATE INDEX twins_by_owner ON twins (owner, id);
CREATE TABLE relationships (
    ix INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES twins (ix) ON DELETE CASCADE,
    id TEXT NOT NULL,
    name INTEGER NOT NULL REFERENCES relationship_names (code),
    target INTEGER NOT NULL REFERENCES twins (ix) ON DELETE CASCADE,
    content TEXT NOT NULL,
    keys TEXT
);
CREATE UNIQUE INDEX relationships_by_id ON relationships (source, id);
CREATE INDEX relationships_out ON relationships (source, name, id);
CREATE INDEX relationships_in ON relationships (target, name);
CREATE TABLE batches (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    cursor INTEGER NOT NULL);
"""

STEPS: tuple[str, ...] = (_TABLES + CHANGES_TABLE + ";", WORK_ORDERS_TABLE)
"""Step n takes a file of format n to n + 1. A step that shipped is never changed."""
