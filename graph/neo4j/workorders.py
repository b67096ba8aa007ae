"""Work orders as nodes that people find beside their assets: `(:_WorkOrder)-[:_concerns]->(:Twin)`.

They are a copy of the service's records for Cypher and Neo4j Browser, no twins: no model, no
change feed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import neo4j

from twinfall.graph.neo4j.connection import Connection, rows
from twinfall.graph.neo4j.lease import Lease
from twinfall.graph.twins import WorkOrderNode

_PUT = """CYPHER 5
UNWIND $rows AS row
MERGE (w:_WorkOrder {id: row.id}) SET w = row
WITH w, row
OPTIONAL MATCH (w)-[old:_concerns]->(other:Twin) WHERE other.id <> row.twin
DELETE old
WITH DISTINCT w, row
MATCH (t:Twin {id: row.twin})
MERGE (w)-[:_concerns]->(t)
"""
_UNLOCK = "CYPHER 5 MATCH (l:_Lease {id: 'graph'}) SET l.heartbeat = timestamp() REMOVE l.locked"
_OF = """CYPHER 5
UNWIND $twins AS twin
MATCH (w:_WorkOrder)-[:_concerns]->(t:Twin {id: twin})
RETURN t.id, properties(w) ORDER BY w.id
"""


def put(connection: Connection, lease: Lease, orders: Sequence[WorkOrderNode]) -> None:
    """Write these, in one transaction fenced by the lease."""
    found = [
        {**order.facts, "_name": order.caption, "id": order.id, "twin": order.twin}
        for order in sorted(orders, key=lambda order: order.id)
    ]

    def write(tx: neo4j.Transaction) -> None:
        lease.held(tx)
        rows(tx, _PUT, rows=found)
        rows(tx, _UNLOCK)

    connection.write(write)


def of(connection: Connection, twins: Sequence[str]) -> list[WorkOrderNode]:
    """Those that stand beside these twins, by id."""
    found = connection.ask(_OF, {"twins": sorted(set(twins))})
    return sorted((_node(twin, values) for twin, values in found), key=lambda order: order.id)


def _node(twin: str, values: dict[str, Any]) -> WorkOrderNode:
    facts = {name: value for name, value in values.items() if name not in ("id", "twin", "_name")}
    return WorkOrderNode(values["id"], twin, values["_name"], facts)
