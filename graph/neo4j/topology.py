"""The graph as arrays, read as list columns: one record holds thousands of twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import neo4j
import numpy as np

from twinfall.graph.column import Column
from twinfall.graph.neo4j.connection import rows
from twinfall.graph.neo4j.cypher import Words
from twinfall.graph.neo4j.encoding import canonical_value
from twinfall.graph.neo4j.schema import cursor
from twinfall.graph.store import EdgeColumns, Topology, TopologyRequest
from twinfall.graph.values import FieldType

CHUNK = 20_000
"""Twins or relationships in a record."""

Types = Mapping[str, FieldType]


def topology(tx: neo4j.Transaction, request: TopologyRequest, words: Words) -> Topology | None:
    """All twins in order of id, and the relationships asked for, as columns; None where the
    graph was written meanwhile, since Neo4j shows each statement what is committed by then.
    """
    start = cursor(tx)
    ids, dtmis, columns = _twins(tx, request.properties, words)
    place = {id_: position for position, id_ in enumerate(ids)}
    models = sorted(set(dtmis))
    index = {dtmi: position for position, dtmi in enumerate(models)}
    edges = {
        name: _edges(tx, name, request, words, (place, dtmis)) for name in request.relationships
    }
    if cursor(tx) != start:
        return None
    parts = [id_.rpartition("/") for id_ in ids]
    return Topology(
        cursor=start,
        ids=ids,
        models=models,
        model=np.array([index[dtmi] for dtmi in dtmis], dtype=np.int32),
        owner=np.array([place.get(owner, -1) for owner, _, _ in parts], dtype=np.int32),
        component=[name if owner else "" for owner, _, name in parts],
        edges=edges,
        values=columns,
    )


def _twins(
    tx: neo4j.Transaction, properties: Sequence[str], words: Words
) -> tuple[list[str], list[str], dict[str, Column]]:
    chosen = ", ".join(f"n.{words.key(name)}" for name in properties)
    text = (
        "CYPHER 5 MATCH (n:Twin) WHERE n.id > $last WITH n ORDER BY n.id LIMIT $chunk"
        f" RETURN collect(n.id), collect(n._model), collect([{chosen}])"
    )
    ids: list[str] = []
    models: list[str] = []
    values: list[list[Any]] = []
    while True:
        ((some, of, found),) = rows(tx, text, last=ids[-1] if ids else "", chunk=CHUNK)
        if not some:
            types = [words.twin_types(model) for model in models]
            return ids, models, _columns(properties, values, types)
        ids += some
        models += of
        values += found


def _edges(
    tx: neo4j.Transaction,
    name: str,
    request: TopologyRequest,
    words: Words,
    twins: tuple[Mapping[str, int], Sequence[str]],
) -> EdgeColumns:
    place, models = twins
    found = _relationships(tx, name, request.relationship_properties, words)
    found.sort(key=lambda row: (place[row[0]], row[2]))
    types = [words.relationship_types(models[place[row[0]]], name) for row in found]
    return EdgeColumns(
        source=np.array([place[row[0]] for row in found], dtype=np.int32),
        target=np.array([place[row[1]] for row in found], dtype=np.int32),
        ids=[row[2] for row in found],
        properties=_columns(request.relationship_properties, [row[3] for row in found], types),
    )


def _relationships(
    tx: neo4j.Transaction, name: str, properties: Sequence[str], words: Words
) -> list[tuple[str, str, str, list[Any]]]:
    """Source id, target id, id and properties, in no order."""
    if name not in words.relationships:
        return []
    kind = words.relationship(name)
    chosen = ", ".join(f"r.{words.key(one)}" for one in properties)
    count = rows(tx, f"CYPHER 5 MATCH ()-[r:{kind}]->() RETURN count(r)")[0][0]
    text = (
        f"CYPHER 5 MATCH (s:Twin)-[r:{kind}]->(t:Twin) WHERE r._id IS NOT NULL"
        " WITH toInteger(rand() * $records) AS record, s, r, t RETURN record, collect(s.id),"
        f" collect(t.id), collect(r._id), collect([{chosen}])"
    )
    return [
        row
        for _, *columns in rows(tx, text, records=count // CHUNK + 1)
        for row in zip(*columns, strict=True)
    ]


def _columns(
    names: Sequence[str], found: Sequence[Sequence[Any]], types: Sequence[Types]
) -> dict[str, Column]:
    columns: list[tuple[list[int], list[Any]]] = [([], []) for _ in names]
    if names:
        for position, (row, kinds) in enumerate(zip(found, types, strict=True)):
            for (at, values), name, value in zip(columns, names, row, strict=True):
                if value is not None:
                    at.append(position)
                    values.append(canonical_value(value, kinds.get(name)))
    return {name: Column.listed(*one) for name, one in zip(names, columns, strict=True)}
