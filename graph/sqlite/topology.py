"""The graph as arrays, in the read transaction at hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import orjson

from twinfall.graph.column import Column
from twinfall.graph.sqlite.encoding import json_path
from twinfall.graph.store import EdgeColumns, Positions, Topology, TopologyRequest

CHUNK = 1_000
"""Rows that are fetched and parted at once: as many as the processor keeps at hand."""
Places = Callable[[Any], Positions]


def topology(db: sqlite3.Connection, request: TopologyRequest, cursor: int) -> Topology:
    """All twins in order of id, and the relationships asked for, as columns."""
    codes = dict(db.execute("SELECT code, dtmi FROM models ORDER BY dtmi").fetchall())
    index = np.zeros(max(codes, default=0) + 1, np.int32)
    index[list(codes)] = np.arange(len(codes))
    numbers, ids, models, owners, texts = _twins(db, request.properties)
    places = _places(numbers)
    owner = places(owners)
    component = [""] * len(ids)
    for at in np.flatnonzero(owner >= 0).tolist():
        component[at] = ids[at].rpartition("/")[2]
    return Topology(
        cursor=cursor,
        ids=ids,
        models=list(codes.values()),
        model=index[models],
        owner=owner,
        component=component,
        edges=_edges(db, request, places),
        values=_columns(request.properties, texts),
    )


def _twins(
    db: sqlite3.Connection, properties: Sequence[str]
) -> tuple[Any, list[str], Any, Any, list[str | None]]:
    """Numbers, ids, model codes, numbers of owners (0: none) and values as JSON texts."""
    extract, paths = _extraction(properties)
    rows = db.execute(
        f"SELECT ix, id, model, coalesce(owner, 0), {extract} FROM twins ORDER BY id",  # noqa: S608
        paths,
    )
    none = np.zeros(0, np.int64)
    numbers, models, owners = [none], [none], [none]
    ids: list[str] = []
    texts: list[str | None] = []
    for ix, id_, model, owner, text in _parted(rows):
        for into, some in ((numbers, ix), (models, model), (owners, owner)):
            into.append(np.array(some, np.int64))
        ids += id_
        texts += text
    return np.concatenate(numbers), ids, np.concatenate(models), np.concatenate(owners), texts


def _edges(
    db: sqlite3.Connection, request: TopologyRequest, places: Places
) -> dict[str, EdgeColumns]:
    """By name. All are read in one go, in order of name: for each name it would be a go of its own
    over all relationships.
    """
    extract, paths = _extraction(request.relationship_properties)
    said = db.execute("SELECT code, name FROM relationship_names").fetchall()
    wanted = {code: name for code, name in said if name in request.relationships}
    rows = db.execute(
        f"SELECT name, source, target, id, CASE content WHEN '{{}}' THEN NULL ELSE {extract} END"  # noqa: S608
        " FROM relationships WHERE name IN (SELECT value FROM json_each(?))"
        " ORDER BY name, source, id",
        [*paths, orjson.dumps(list(wanted)).decode()],
    )
    found = {name: _Rows() for name in request.relationships}
    for code, source, target, id_, text in _parted(rows):
        bounds = np.flatnonzero(np.diff(code, prepend=-1)).tolist()
        for start, end in zip(bounds, [*bounds[1:], len(code)], strict=True):
            part = slice(start, end)
            found[wanted[code[start]]].add(source[part], target[part], id_[part], text[part])
    return {
        name: rows.columns(places, request.relationship_properties) for name, rows in found.items()
    }


class _Rows:
    """Relationships of one name, in order of (number of the source, id)."""

    def __init__(self) -> None:
        self.sources: list[Any] = [np.zeros(0, np.int64)]
        self.targets: list[Any] = [np.zeros(0, np.int64)]
        self.ids: list[str] = []
        self.texts: list[str | None] = []

    def add(
        self,
        source: Sequence[int],
        target: Sequence[int],
        id_: Sequence[str],
        text: Sequence[str | None],
    ) -> None:
        self.sources.append(np.array(source, np.int64))
        self.targets.append(np.array(target, np.int64))
        self.ids += id_
        self.texts += text

    def columns(self, places: Places, properties: Sequence[str]) -> EdgeColumns:
        """The same in order of (source id, id)."""
        sources, targets = (places(np.concatenate(one)) for one in (self.sources, self.targets))
        order = np.argsort(sources, kind="stable")  # ids of one source are in order already
        listed = order.tolist()
        return EdgeColumns(
            source=sources[order],
            target=targets[order],
            ids=[self.ids[i] for i in listed],
            properties=_columns(properties, [self.texts[i] for i in listed]),
        )


def _parted(rows: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
    """The columns of some rows at once."""
    while some := rows.fetchmany(CHUNK):
        yield tuple([row[i] for row in some] for i in range(len(some[0])))


def _places(numbers: Any) -> Places:
    """Takes `ix` numbers to positions in order of id; 0 (no twin) to -1."""
    table = np.full(int(numbers.max(initial=0)) + 1, -1, dtype=np.int32)
    table[numbers] = np.arange(len(numbers), dtype=np.int32)
    return lambda found: table[found]


def _extraction(names: Sequence[str]) -> tuple[str, list[str]]:
    """SQL for a JSON array of these properties (null where a twin has none of them)."""
    if not names:
        return "NULL", []
    paths = [json_path(name) for name in names]
    marks = ", ".join("?" * (len(paths) + 1))
    return f"json_extract(content, {marks})", [*paths, paths[0]]


def _columns(names: Sequence[str], texts: Sequence[str | None]) -> dict[str, Column]:
    """The values in arrays of JSON, by name; each at the position of its text."""
    found: list[tuple[list[int], list[Any]]] = [([], []) for _ in names]
    for start in range(0, len(texts) if names else 0, CHUNK):
        some = [(at, text) for at, text in enumerate(texts[start : start + CHUNK], start) if text]
        rows = orjson.loads(f"[{','.join(text for _, text in some)}]")
        for which, (at, values) in enumerate(found):
            at += [
                place for (place, _), row in zip(some, rows, strict=True) if row[which] is not None
            ]
            values += [row[which] for row in rows if row[which] is not None]
    return {name: Column.listed(*one) for name, one in zip(names, found, strict=True)}
