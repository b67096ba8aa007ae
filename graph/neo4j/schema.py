"""Constraints and indexes, models and names in the graph."""

from __future__ import annotations

import neo4j

from twinfall.graph.neo4j.connection import Connection, rows
from twinfall.graph.store import StoredModels

_DEFINITIONS = (
    "CYPHER 5 CREATE CONSTRAINT twinfall_twin IF NOT EXISTS FOR (n:Twin) REQUIRE n.id IS UNIQUE",
    "CYPHER 5 CREATE INDEX twinfall_model IF NOT EXISTS FOR (n:Twin) ON (n._model)",
    "CYPHER 5 CREATE CONSTRAINT twinfall_lease IF NOT EXISTS FOR (n:_Lease) REQUIRE n.id IS UNIQUE",
    "CYPHER 5 CREATE CONSTRAINT twinfall_change IF NOT EXISTS"
    " FOR (n:_Change) REQUIRE n.seq IS UNIQUE",
    "CYPHER 5 CREATE CONSTRAINT twinfall_name IF NOT EXISTS FOR (n:_Name) REQUIRE n.dtmi IS UNIQUE",
    "CYPHER 5 CREATE CONSTRAINT twinfall_work_order IF NOT EXISTS"
    " FOR (n:_WorkOrder) REQUIRE n.id IS UNIQUE",
)
_NAMES = (
    "twinfall_twin",
    "twinfall_model",
    "twinfall_lease",
    "twinfall_change",
    "twinfall_name",
    "twinfall_work_order",
)
_FOUND = "CYPHER 5 SHOW INDEXES YIELD name, state WHERE name IN $names RETURN name, state"
_MODELS = "CYPHER 5 MATCH (m:_Model) RETURN m.kind, m.text ORDER BY m.kind, m.position"
_REGISTERED = "CYPHER 5 MATCH (n:_Name) RETURN n.dtmi, n.name"
_CURSOR = "CYPHER 5 MATCH (l:_Lease {id: 'graph'}) RETURN l.seq"
_REPLACE = """CYPHER 5
OPTIONAL MATCH (m:_Model) DELETE m
WITH count(*) AS done
UNWIND $rows AS row CREATE (m:_Model) SET m = row
"""
_REGISTER = """CYPHER 5
UNWIND $rows AS row MERGE (n:_Name {dtmi: row[0]}) ON CREATE SET n.name = row[1]
"""


def prepare(connection: Connection) -> None:
    """Create what is missing, and wait until the indexes can be used."""
    names = dict(connection.ask(_FOUND, {"names": list(_NAMES)}))
    if set(names.values()) == {"ONLINE"} and len(names) == len(_NAMES):
        return
    for definition in _DEFINITIONS:
        connection.define(definition)
    connection.define("CYPHER 5 CALL db.awaitIndexes(60)")


def stored_models(tx: neo4j.Transaction) -> StoredModels:
    """The documents, sidecars, names and decommissioned models last saved."""
    texts: dict[str, list[str]] = {"model": [], "dependencies": [], "decommissioned": []}
    for kind, text in rows(tx, _MODELS):
        texts[kind].append(text)
    names = {row[0]: row[1] for row in rows(tx, _REGISTERED)}
    return StoredModels(
        tuple(texts["model"]),
        tuple(texts["dependencies"]),
        names,
        cursor(tx),
        tuple(texts["decommissioned"]),
    )


def save_models(tx: neo4j.Transaction, models: StoredModels) -> None:
    """Replace documents, sidecars and decommissioned models; add names, never changing one."""
    found = [
        {"kind": kind, "position": position, "text": text}
        for kind, texts in (
            ("model", models.documents),
            ("dependencies", models.dependencies),
            ("decommissioned", models.decommissioned),
        )
        for position, text in enumerate(texts)
    ]
    rows(tx, _REPLACE, rows=found)
    rows(tx, _REGISTER, rows=[list(pair) for pair in models.names.items()])


def cursor(tx: neo4j.Transaction) -> int:
    """The seq of the last change; 0 at first."""
    found = rows(tx, _CURSOR)
    return int(found[0][0]) if found else 0
