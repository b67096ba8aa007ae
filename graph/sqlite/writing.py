"""A judged batch into the tables, inside the transaction at hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from twinfall.graph.sqlite.changes import record_changes
from twinfall.graph.sqlite.encoding import content_text, json_text, keys_text
from twinfall.graph.twins import Batch, Edge, Node
from twinfall.ontology.errors import Conflict

BATCHES_KEPT = 1000
"""Batch ids remembered, so that the same batch again is recognised."""

_WRITE_TWIN = """
INSERT INTO twins (id, model, owner, version, caption, content, keys)
VALUES (?, ?, (SELECT ix FROM twins WHERE id = ?), ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET model = excluded.model, version = excluded.version,
    caption = excluded.caption, content = excluded.content, keys = excluded.keys
"""
_WRITE_RELATIONSHIP = """
INSERT INTO relationships (source, id, name, target, content, keys)
SELECT s.ix, ?, ?, t.ix, ?, ? FROM twins s, twins t WHERE s.id = ? AND t.id = ?
ON CONFLICT (source, id) DO UPDATE SET name = excluded.name, target = excluded.target,
    content = excluded.content, keys = excluded.keys
"""
_DROP_RELATIONSHIP = """
DELETE FROM relationships WHERE source = (SELECT ix FROM twins WHERE id = ?) AND id = ?
"""


def write_batch(db: sqlite3.Connection, batch: Batch) -> int:
    """Write all of it; the feed's new cursor. Raises Conflict STALE_VERSION and leaves it to the
    caller to roll back. The same batch again changes nothing.
    """
    done = db.execute("SELECT cursor FROM batches WHERE id = ?", (batch.id,)).fetchone()
    if done is not None:
        return int(done[0])
    _check_versions(db, batch.expected)
    db.executemany(_DROP_RELATIONSHIP, [(key.source, key.id) for key in batch.drop_edges])
    db.executemany("DELETE FROM twins WHERE id = ?", [(id_,) for id_ in batch.drop_nodes])
    _write_nodes(db, batch.nodes)
    _write_edges(db, batch.edges)
    cursor = record_changes(db, batch.changes)
    added = db.execute("INSERT INTO batches (id, cursor) VALUES (?, ?)", (batch.id, cursor))
    db.execute("DELETE FROM batches WHERE position <= ?", ((added.lastrowid or 0) - BATCHES_KEPT,))
    return cursor


def codes(db: sqlite3.Connection, table: str, column: str) -> dict[str, int]:
    """The codes given so far, by what they stand for. Table and column are written in code."""
    return dict(db.execute(f"SELECT {column}, code FROM {table}").fetchall())  # noqa: S608


def _check_versions(db: sqlite3.Connection, expected: Mapping[str, int]) -> None:
    found = dict(
        db.execute(
            "SELECT t.id, t.version FROM json_each(?) j JOIN twins t ON t.id = j.value",
            (json_text(list(expected)),),
        ).fetchall()
    )
    for id_, version in expected.items():
        if found.get(id_, 0) != version:
            raise Conflict(
                f"twin {id_} is at version {found.get(id_, 0)}, not {version}",
                path=id_,
                cure="read it again and repeat the change",
            )


def _write_nodes(db: sqlite3.Connection, nodes: Sequence[Node]) -> None:
    models = _coded(db, "models", "dtmi", {node.model for node in nodes})
    rows = [
        (
            node.id,
            models[node.model],
            node.owner,
            node.version,
            node.caption,
            content_text(node.values),
            keys_text(node.values),
        )
        for node in sorted(nodes, key=lambda node: node.owner is not None)  # owners first
    ]
    db.executemany(_WRITE_TWIN, rows)


def _write_edges(db: sqlite3.Connection, edges: Sequence[Edge]) -> None:
    names = _coded(db, "relationship_names", "name", {edge.name for edge in edges})
    written = db.executemany(
        _WRITE_RELATIONSHIP,
        [
            (
                edge.id,
                names[edge.name],
                content_text(edge.properties),
                keys_text(edge.properties),
                edge.source,
                edge.target,
            )
            for edge in edges
        ],
    )
    if edges and written.rowcount != len(edges):
        raise Conflict(
            "a twin at one end of a relationship was deleted meanwhile",
            cure="read the twins again and repeat the change",
        )


def _coded(db: sqlite3.Connection, table: str, column: str, names: Iterable[str]) -> dict[str, int]:
    """Codes for these names, giving new ones where needed, in order of name."""
    db.executemany(
        f"INSERT OR IGNORE INTO {table} ({column}) VALUES (?)",  # noqa: S608
        [(name,) for name in sorted(names)],
    )
    return codes(db, table, column)
