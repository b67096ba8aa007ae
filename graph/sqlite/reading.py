"""Twins and relationships out of the tables as records, and everything in bounded chunks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from twinfall.graph.sqlite.encoding import json_text
from twinfall.graph.store import Counts, StoredModels
from twinfall.graph.twins import Edge, Node

CHUNK = 1000
"""Twins or relationships in a chunk of `scan`."""

_NODE = "t.id, m.dtmi, t.content, t.version, t.caption, t.owner"
_NODES = f"""
SELECT {_NODE} FROM json_each(?) j
CROSS JOIN twins t ON t.id = j.value OR (t.id > j.value || '/' AND t.id < j.value || '0')
JOIN models m ON m.code = t.model
"""  # noqa: S608
_SCAN_NODES = f"""
SELECT {_NODE}, t.ix FROM twins t JOIN models m ON m.code = t.model
WHERE t.owner IS NULL AND t.id > ? ORDER BY t.id LIMIT {CHUNK}
"""  # noqa: S608
_SCAN_COMPONENTS = f"""
SELECT {_NODE} FROM json_each(?) j CROSS JOIN twins t ON t.owner = j.value
JOIN models m ON m.code = t.model ORDER BY t.id
"""  # noqa: S608
_EDGE = "s.id, r.id, n.name, t.id, r.content"
_ENDS = "JOIN twins t ON t.ix = r.target JOIN relationship_names n ON n.code = r.name"
_EDGES = f"""
SELECT {_EDGE} FROM json_each(?) j CROSS JOIN twins s ON s.id = json_extract(j.value, '$[0]')
CROSS JOIN relationships r ON r.source = s.ix AND r.id = json_extract(j.value, '$[1]') {_ENDS}
"""  # noqa: S608
_EDGES_AT = f"""
SELECT DISTINCT {_EDGE} FROM json_each(?) j CROSS JOIN twins a ON a.id = j.value
CROSS JOIN relationships r ON r.source = a.ix OR r.target = a.ix
JOIN twins s ON s.ix = r.source {_ENDS} ORDER BY s.id, r.id
"""  # noqa: S608
_SCAN_EDGES = f"""
SELECT {_EDGE} FROM twins s CROSS JOIN relationships r ON r.source = s.ix {_ENDS}
WHERE s.id > ? OR (s.id = ? AND r.id > ?) ORDER BY s.id, r.id LIMIT {CHUNK}
"""  # noqa: S608
_OUT_DEGREE = """
SELECT s.id, n.name, count(*) FROM json_each(?) j
CROSS JOIN twins s ON s.id = json_extract(j.value, '$[0]')
CROSS JOIN relationship_names n ON n.name = json_extract(j.value, '$[1]')
CROSS JOIN relationships r ON r.source = s.ix AND r.name = n.code
GROUP BY s.id, n.name
"""


def stored_models(db: sqlite3.Connection, cursor: int) -> StoredModels:
    """The documents, sidecars, names and decommissioned models last saved."""
    texts: dict[str, list[str]] = {"model": [], "dependencies": [], "decommissioned": []}
    for kind, text in db.execute("SELECT kind, text FROM documents ORDER BY kind, position"):
        texts[kind].append(text)
    names = dict(db.execute("SELECT dtmi, name FROM names").fetchall())
    return StoredModels(
        tuple(texts["model"]),
        tuple(texts["dependencies"]),
        names,
        cursor,
        tuple(texts["decommissioned"]),
    )


def save_models(db: sqlite3.Connection, models: StoredModels) -> None:
    """Replace documents, sidecars and decommissioned models; add names, never changing one."""
    db.execute("DELETE FROM documents")
    for kind, texts in (
        ("model", models.documents),
        ("dependencies", models.dependencies),
        ("decommissioned", models.decommissioned),
    ):
        rows = [(kind, position, text) for position, text in enumerate(texts)]
        db.executemany("INSERT INTO documents VALUES (?, ?, ?)", rows)
    db.executemany("INSERT OR IGNORE INTO names VALUES (?, ?)", list(models.names.items()))


def nodes(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Node]:
    """Those of these twins that exist, each with its components, by id."""
    return {row[0]: _node(row) for row in db.execute(_NODES, (json_text(list(ids)),))}


def edges(db: sqlite3.Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Edge]:
    """Those of these relationships, by (source, id), that exist."""
    rows = db.execute(_EDGES, (json_text([list(key) for key in keys]),))
    return {(row[0], row[1]): _edge(row) for row in rows}


def edges_at(db: sqlite3.Connection, ids: Sequence[str]) -> list[Edge]:
    """All relationships that start or end at these twins, ordered by (source, id)."""
    return [_edge(row) for row in db.execute(_EDGES_AT, (json_text(list(ids)),))]


def out_degree(
    db: sqlite3.Connection, pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """How many relationships of a name start at a twin, for each (twin id, name)."""
    degrees = dict.fromkeys(pairs, 0)
    rows = db.execute(_OUT_DEGREE, (json_text([list(pair) for pair in degrees]),))
    degrees.update({(row[0], row[1]): row[2] for row in rows})
    return degrees


def scan(db: sqlite3.Connection) -> Iterator[tuple[list[Node], list[Edge]]]:
    """Everything in chunks, in the transaction at hand: nodes, then relationships."""
    last = ""
    while owners := db.execute(_SCAN_NODES, (last,)).fetchall():
        last = owners[-1][0]
        below: dict[str, list[Node]] = {}
        parts = db.execute(_SCAN_COMPONENTS, (json_text([row[6] for row in owners]),))
        for node in map(_node, parts):
            below.setdefault(node.owner or "", []).append(node)
        yield [n for row in owners for n in (_node(row), *below.get(row[0], ()))], []
    source, id_ = "", ""
    while rows := db.execute(_SCAN_EDGES, (source, source, id_)).fetchall():
        source, id_ = rows[-1][0], rows[-1][1]
        yield [], [_edge(row) for row in rows]


def counts(db: sqlite3.Connection) -> Counts:
    """How much is stored, by model and by relationship name."""
    # Grouped by numbers alone, and named afterwards: with the names it would take twice as long.
    of_model = (
        "SELECT m.dtmi, f.twins, f.parts FROM models m JOIN"
        " (SELECT model, count(*) - count(owner) AS twins, count(owner) AS parts FROM twins"
        " GROUP BY model) f ON f.model = m.code ORDER BY m.dtmi"
    )
    by_model = db.execute(of_model).fetchall()
    by_name = db.execute(
        "SELECT n.name, f.count FROM relationship_names n JOIN"
        " (SELECT name, count(*) AS count FROM relationships GROUP BY name) f ON f.name = n.code"
        " ORDER BY n.name"
    )
    return Counts(
        {dtmi: twins for dtmi, twins, _ in by_model if twins},
        {dtmi: parts for dtmi, _, parts in by_model if parts},
        dict(by_name.fetchall()),
    )


def size(db: sqlite3.Connection) -> tuple[int, int]:
    """All twins, components apart, and all relationships: by indexes, without a look at a row."""
    (twins,) = db.execute("SELECT count(*) - count(owner) FROM twins").fetchone()
    (relationships,) = db.execute("SELECT count(*) FROM relationships").fetchone()
    return int(twins), int(relationships)


def _node(row: Sequence[Any]) -> Node:
    id_, model, content, version, caption, owner = row[:6]
    values = orjson.loads(content)
    if owner is None:
        return Node(id_, model, values, version, caption)
    whole, _, component = id_.rpartition("/")
    return Node(id_, model, values, version, caption, whole, component)


def _edge(row: Sequence[Any]) -> Edge:
    return Edge(row[0], row[1], row[2], row[3], orjson.loads(row[4]))
