"""The graph as arrays, in the read transaction at hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson

from twinfall.graph.column import Column
from twinfall.graph.sqlite.encoding import json_path
from twinfall.graph.store import EdgeColumns, Positions, Topology, TopologyRequest


def topology(db: sqlite3.Connection, request: TopologyRequest, cursor: int) -> Topology:
    """All twins in order of id, and the relationships asked for, as columns."""
    extract, paths = _extraction(request.properties)
    rows = db.execute(
        f"SELECT ix, id, model, owner, {extract} FROM twins ORDER BY id",  # noqa: S608
        paths,
    ).fetchall()
    places = _places([row[0] for row in rows])
    codes = dict(db.execute("SELECT code, dtmi FROM models ORDER BY dtmi").fetchall())
    index = {code: position for position, code in enumerate(codes)}
    owners = np.array([row[3] or 0 for row in rows], dtype=np.int64)
    return Topology(
        cursor=cursor,
        ids=[row[1] for row in rows],
        models=list(codes.values()),
        model=np.array([index[row[2]] for row in rows], dtype=np.int32),
        owner=places(owners),
        component=["" if row[3] is None else row[1].rpartition("/")[2] for row in rows],
        edges={name: _edges(db, name, request, places) for name in request.relationships},
        values=_columns(request.properties, [row[4] for row in rows]),
    )


def _edges(
    db: sqlite3.Connection,
    name: str,
    request: TopologyRequest,
    places: Callable[[Any], Positions],
) -> EdgeColumns:
    extract, paths = _extraction(request.relationship_properties)
    rows = db.execute(
        f"SELECT source, target, id, {extract} FROM relationships"  # noqa: S608
        " WHERE name = (SELECT code FROM relationship_names WHERE name = ?)"
        " ORDER BY source, id",
        [*paths, name],
    ).fetchall()
    sources = places(np.array([row[0] for row in rows], dtype=np.int64))
    targets = places(np.array([row[1] for row in rows], dtype=np.int64))
    order = np.argsort(sources, kind="stable")  # ids of one source are in order already
    return EdgeColumns(
        source=sources[order],
        target=targets[order],
        ids=[rows[i][2] for i in order],
        properties=_columns(request.relationship_properties, [rows[i][3] for i in order]),
    )


def _places(numbers: Sequence[int]) -> Callable[[Any], Positions]:
    """Takes `ix` numbers to positions in order of id; 0 (no twin) to -1."""
    table = np.full(max(numbers, default=0) + 1, -1, dtype=np.int32)
    table[np.array(numbers, dtype=np.int64)] = np.arange(len(numbers), dtype=np.int32)
    return lambda found: table[found]


def _extraction(names: Sequence[str]) -> tuple[str, list[str]]:
    """SQL for a JSON array of these properties (null where a twin has none of them)."""
    if not names:
        return "NULL", []
    paths = [json_path(name) for name in names]
    marks = ", ".join("?" * (len(paths) + 1))
    return f"json_extract(content, {marks})", [*paths, paths[0]]


def _columns(names: Sequence[str], texts: Sequence[str | None]) -> dict[str, Column]:
    found: list[tuple[list[int], list[Any]]] = [([], []) for _ in names]
    empty = "[" + ",".join(["null"] * (len(names) + 1)) + "]"
    for position, text in enumerate(texts if names else ()):
        if text is None or text == empty:
            continue
        for (at, values), value in zip(found, orjson.loads(text), strict=False):
            if value is not None:
                at.append(position)
                values.append(value)
    return {name: Column.listed(*one) for name, one in zip(names, found, strict=True)}
