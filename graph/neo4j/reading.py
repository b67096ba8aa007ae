"""Twins and relationships out of the graph as records, and everything in bounded chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from twinfall.graph.neo4j.connection import LONG_SECONDS, Connection
from twinfall.graph.neo4j.cypher import Words
from twinfall.graph.neo4j.encoding import canonical_values, twin_values
from twinfall.graph.store import Counts
from twinfall.graph.twins import Edge, Node

CHUNK = 1000
"""Twins or relationships in a chunk of `scan`."""

_EDGE = "RETURN s.id, r._id, type(r), t.id, s._model, properties(r)"
_NODES = """CYPHER 5
UNWIND $ids AS id MATCH (n:Twin {id: id})
RETURN properties(n), COLLECT { MATCH (n)-[:_hasComponent]->(c:Twin) RETURN properties(c) }
"""
_EDGES = f"""CYPHER 5
UNWIND $rows AS row MATCH (s:Twin {{id: row[0]}})-[r:!_hasComponent]->(t:Twin)
WHERE r._id IN row[1] {_EDGE}
"""
_EDGES_AT = f"""CYPHER 5
UNWIND $ids AS id MATCH (:Twin {{id: id}})-[r:!_hasComponent]-(:Twin)
WITH DISTINCT r WITH startNode(r) AS s, r, endNode(r) AS t WHERE r._id IS NOT NULL {_EDGE}
"""
_SCAN_NODES = """CYPHER 5
MATCH (n:Twin) WHERE n.id > $last AND NOT n.id CONTAINS '/'
WITH n ORDER BY n.id LIMIT $chunk
RETURN properties(n), COLLECT { MATCH (n)-[:_hasComponent]->(c:Twin) RETURN properties(c) }
"""
_SCAN_EDGES = f"""CYPHER 5
MATCH (s:Twin) WHERE s.id >= $source
MATCH (s)-[r:!_hasComponent]->(t:Twin) WHERE s.id > $source OR r._id > $id
WITH s, r, t WHERE r._id IS NOT NULL
WITH s, r, t ORDER BY s.id, r._id LIMIT $chunk {_EDGE}
"""
_BY_MODEL = """CYPHER 5
MATCH (n:Twin) RETURN n._model AS model, n.id CONTAINS '/' AS component, count(*) ORDER BY model
"""
_SIZE = """CYPHER 5
RETURN COUNT { MATCH (n:Twin) WHERE NOT n.id CONTAINS '/' },
  COUNT { MATCH (:Twin)-[r:!_hasComponent]->() }
"""
_BY_NAME = """CYPHER 5
MATCH (:Twin)-[r:!_hasComponent]->() RETURN type(r) AS name, count(*) ORDER BY name
"""


def nodes(connection: Connection, words: Words, ids: Sequence[str]) -> dict[str, Node]:
    """Those of these twins that exist, each with its components, by id."""
    found = {}
    for properties, parts in connection.ask(_NODES, {"ids": list(ids)}, LONG_SECONDS):
        for one in (properties, *parts):
            node = _node(one, words)
            found[node.id] = node
    return found


def edges(
    connection: Connection, words: Words, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Edge]:
    """Those of these relationships, by (source, id), that exist."""
    found = connection.ask(_EDGES, {"rows": by_source(keys)}, LONG_SECONDS)
    return {(row[0], row[1]): _edge(row, words) for row in found}


def edges_at(connection: Connection, words: Words, ids: Sequence[str]) -> list[Edge]:
    """All relationships that start or end at these twins, ordered by (source, id)."""
    found = connection.ask(_EDGES_AT, {"ids": list(ids)}, LONG_SECONDS)
    return sorted((_edge(row, words) for row in found), key=lambda e: (e.source, e.id))


def out_degree(
    connection: Connection, words: Words, pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """How many relationships of a name start at a twin, for each (twin id, name)."""
    degrees = dict.fromkeys(pairs, 0)
    for name in sorted({name for _, name in degrees} & words.relationships):
        text = (
            "CYPHER 5 UNWIND $ids AS id MATCH (n:Twin {id: id})"
            f" RETURN id, COUNT {{ (n)-[:{words.relationship(name)}]->() }}"
        )
        ids = [id_ for id_, of in degrees if of == name]
        for id_, count in connection.ask(text, {"ids": ids}, LONG_SECONDS):
            degrees[id_, name] = count
    return degrees


def scan(connection: Connection, words: Words) -> Iterator[tuple[list[Node], list[Edge]]]:
    """Everything in chunks: nodes, then relationships. Each chunk is as of its own moment."""
    last = ""
    while found := connection.ask(_SCAN_NODES, {"last": last, "chunk": CHUNK}, LONG_SECONDS):
        last = found[-1][0]["id"]
        yield list(_with_components(found, words)), []
    source, id_ = "", ""
    while True:
        values = {"source": source, "id": id_, "chunk": CHUNK}
        rows = connection.ask(_SCAN_EDGES, values, LONG_SECONDS)
        if not rows:
            return
        source, id_ = rows[-1][0], rows[-1][1]
        yield [], [_edge(row, words) for row in rows]


def counts(connection: Connection) -> Counts:
    """How much is stored, by model and by relationship name."""
    by_model: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for model, component, count in connection.ask(_BY_MODEL, {}):
        by_model[component][model] = count
    by_name = {row[0]: row[1] for row in connection.ask(_BY_NAME, {})}
    return Counts(by_model[0], by_model[1], by_name)


def size(connection: Connection) -> tuple[int, int]:
    """All twins, components apart, and all relationships."""
    ((twins, relationships),) = connection.ask(_SIZE, {})
    return int(twins), int(relationships)


def by_source(keys: Iterable[tuple[str, str]]) -> list[list[Any]]:
    """(source, relationship id) pairs as [source, ids], in order of source."""
    ids: dict[str, list[str]] = {}
    for source, id_ in keys:
        ids.setdefault(source, []).append(id_)
    return [[source, ids[source]] for source in sorted(ids)]


def _with_components(found: Iterable[Sequence[Any]], words: Words) -> Iterator[Node]:
    for properties, parts in found:
        yield _node(properties, words)
        yield from sorted((_node(part, words) for part in parts), key=lambda node: node.id)


def _node(found: Mapping[str, Any], words: Words) -> Node:
    id_, model = found["id"], found["_model"]
    values = twin_values(found, words.declared(model))
    version, caption = found["_version"], found["_name"]
    owner, _, component = id_.rpartition("/")
    if not owner:
        return Node(id_, model, values, version, caption)
    return Node(id_, model, values, version, caption, owner, component)


def _edge(row: Sequence[Any], words: Words) -> Edge:
    source, id_, name, target, model, found = row
    types = words.relationship_types(model, name)
    return Edge(source, id_, name, target, canonical_values(found, types))
