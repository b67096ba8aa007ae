"""A judged batch into the graph, inside the transaction at hand.

Rows are grouped by model, so that labels stand in static statements which the server plans once,
and sorted by id, so that locks are always taken in the same order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import neo4j

from twinfall.graph.neo4j.connection import rows
from twinfall.graph.neo4j.cypher import Words
from twinfall.graph.neo4j.encoding import native_values
from twinfall.graph.neo4j.feed import change_row
from twinfall.graph.neo4j.lease import Held
from twinfall.graph.neo4j.reading import by_source
from twinfall.graph.twins import Batch, Change, Edge, Node
from twinfall.ontology.errors import Conflict

BATCHES_KEPT = 50
"""Batch ids remembered on the lease, so that a batch repeated after a commit of unknown outcome is
recognised."""

_FOUND = """CYPHER 5
UNWIND $ids AS id MATCH (n:Twin {id: id}) RETURN n.id, n._version, n._model, labels(n)
"""
_DROP_EDGES = """CYPHER 5
UNWIND $rows AS row MATCH (:Twin {id: row[0]})-[r:!_hasComponent]->()
WHERE r._id IN row[1] DELETE r
"""
_DROP_NODES = "CYPHER 5 UNWIND $ids AS id MATCH (n:Twin {id: id}) DETACH DELETE n"
_OWN_COMPONENTS = """CYPHER 5
UNWIND $rows AS row MATCH (o:Twin {id: row[0]}) MATCH (c:Twin {id: row[1]})
MERGE (o)-[:_hasComponent {name: row[2]}]->(c)
"""
_RECORD = "CYPHER 5 UNWIND $rows AS row CREATE (c:_Change) SET c = row"
_FINISH = """CYPHER 5
MATCH (l:_Lease {id: 'graph'})
SET l.seq = $seq, l.batches = $batches, l.cursors = $cursors, l.heartbeat = timestamp()
REMOVE l.locked
"""


def write_batch(tx: neo4j.Transaction, batch: Batch, held: Held, words: Words) -> int:
    """Write all of it; the feed's new cursor. Raises Conflict STALE_VERSION, which rolls back.
    The same batch again changes nothing.
    """
    if batch.id in held.batches:
        return held.cursors[held.batches.index(batch.id)]
    found = _found(tx, {*batch.expected, *(node.id for node in batch.nodes)})
    _check_versions(batch.expected, found)
    keys = [(key.source, key.id) for key in batch.drop_edges]
    keys += [(edge.source, edge.id) for edge in batch.edges]
    if keys:
        rows(tx, _DROP_EDGES, rows=by_source(keys))
    if batch.drop_nodes:
        rows(tx, _DROP_NODES, ids=sorted(batch.drop_nodes))
        for id_ in batch.drop_nodes:
            found.pop(id_, None)
    _write_nodes(tx, batch.nodes, found, words)
    _write_edges(tx, batch.edges, words)
    seq = record(tx, batch.changes, held.seq)
    rows(
        tx,
        _FINISH,
        seq=seq,
        batches=[*held.batches, batch.id][-BATCHES_KEPT:],
        cursors=[*held.cursors, seq][-BATCHES_KEPT:],
    )
    return seq


def record(tx: neo4j.Transaction, changes: Sequence[Change], seq: int) -> int:
    """Number changes after `seq` and add them to the feed; the last one's number."""
    if changes:
        rows(tx, _RECORD, rows=[change_row(c, seq + i) for i, c in enumerate(changes, 1)])
    return seq + len(changes)


def _found(tx: neo4j.Transaction, ids: Iterable[str]) -> dict[str, tuple[int, str, list[str]]]:
    """Version, model and labels of those that exist."""
    wanted = sorted(ids)
    if not wanted:
        return {}
    return {row[0]: (row[1], row[2], row[3]) for row in rows(tx, _FOUND, ids=wanted)}


def _check_versions(
    expected: Mapping[str, int], found: Mapping[str, tuple[int, str, list[str]]]
) -> None:
    for id_, version in expected.items():
        there = found[id_][0] if id_ in found else 0
        if there != version:
            raise Conflict(
                f"twin {id_} is at version {there}, not {version}",
                path=id_,
                cure="read it again and repeat the change",
            )


def _write_nodes(
    tx: neo4j.Transaction,
    nodes: Sequence[Node],
    found: Mapping[str, tuple[int, str, list[str]]],
    words: Words,
) -> None:
    groups: dict[tuple[str, bool], list[dict[str, Any]]] = defaultdict(list)
    stale: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for node in sorted(nodes, key=lambda node: node.id):
        groups[node.model, node.id in found].append(_node_row(node, words))
        others = _other_labels(node, found, words)
        if others:
            stale[others].append(node.id)
    for labels, ids in sorted(stale.items()):
        text = "CYPHER 5 UNWIND $ids AS id MATCH (n:Twin {id: id}) REMOVE n"
        rows(tx, text + words.labels_text(labels), ids=ids)
    for (model, there), group in sorted(groups.items()):
        labels_text = words.labels_text(words.labels.get(model, ()))
        place = "MATCH (n:Twin {id: row.id})" if there else "CREATE (n:Twin)"
        also = f" SET n{labels_text}" if labels_text else ""
        rows(tx, f"CYPHER 5 UNWIND $rows AS row {place} SET n = row{also}", rows=group)
    parts = [
        [node.owner, node.id, node.component]
        for node in sorted(nodes, key=lambda node: node.id)
        if node.owner is not None
    ]
    if parts:
        rows(tx, _OWN_COMPONENTS, rows=parts)


def _other_labels(
    node: Node, found: Mapping[str, tuple[int, str, list[str]]], words: Words
) -> tuple[str, ...]:
    """Our labels on a stored node that its model does not have; labels of other people stay."""
    if node.id not in found or found[node.id][1] == node.model:
        return ()
    others = set(found[node.id][2]) & words.all_labels
    return tuple(sorted(others - set(words.labels.get(node.model, ()))))


def _node_row(node: Node, words: Words) -> dict[str, Any]:
    return {
        **native_values(node.values, words.twin_types(node.model)),
        "id": node.id,
        "_model": node.model,
        "_version": node.version,
        "_name": node.caption,
    }


def _write_edges(tx: neo4j.Transaction, edges: Sequence[Edge], words: Words) -> None:
    groups: dict[str, list[Edge]] = defaultdict(list)
    for edge in sorted(edges, key=lambda edge: (edge.source, edge.id)):
        groups[edge.name].append(edge)
    models = _models(tx, edges) if any(edge.properties for edge in edges) else {}
    for name, group in sorted(groups.items()):
        text = (
            "CYPHER 5 UNWIND $rows AS row"
            " MATCH (s:Twin {id: row[0]}) MATCH (t:Twin {id: row[1]})"
            f" CREATE (s)-[r:{words.relationship(name)}]->(t) SET r = row[2] RETURN count(r)"
        )
        found = [[e.source, e.target, _edge_row(e, models, words)] for e in group]
        if rows(tx, text, rows=found)[0][0] != len(group):
            raise Conflict(
                "a twin at one end of a relationship was deleted meanwhile",
                cure="read the twins again and repeat the change",
            )


def _models(tx: neo4j.Transaction, edges: Sequence[Edge]) -> dict[str, str]:
    """The models of the sources: they say how relationship properties are stored."""
    found = _found(tx, {edge.source for edge in edges if edge.properties})
    return {id_: model for id_, (_, model, _) in found.items()}


def _edge_row(edge: Edge, models: Mapping[str, str], words: Words) -> dict[str, Any]:
    types = words.relationship_types(models.get(edge.source, ""), edge.name)
    return {**native_values(edge.properties, types), "_id": edge.id}
