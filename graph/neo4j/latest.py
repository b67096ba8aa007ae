"""The copy of the latest readings on the nodes: what Neo4j Browser and Cypher see of them.

GraphQL never reads it; a write to a twin takes it away, and the next copy brings it back.
"""

from __future__ import annotations

from collections.abc import Sequence

import neo4j

from twinfall.graph.neo4j.connection import Connection, rows
from twinfall.graph.neo4j.encoding import LONG_MAX, LONG_MIN
from twinfall.graph.neo4j.lease import Lease
from twinfall.graph.twins import LatestCopy
from twinfall.ontology import field_name

_PUT = """CYPHER 5
UNWIND $rows AS row
MATCH (n:Twin {id: row.id})
SET n += row.values, n._asOf = datetime({epochMillis: row.ms})
"""
_UNLOCK = "CYPHER 5 MATCH (l:_Lease {id: 'graph'}) SET l.heartbeat = timestamp() REMOVE l.locked"


def put(connection: Connection, lease: Lease, copies: Sequence[LatestCopy]) -> None:
    """Write these, in one transaction fenced by the lease; a twin that is gone is passed over."""
    found = [
        {
            "id": copy.twin,
            "ms": copy.as_of // 10**6,
            "values": {field_name(name): _native(v) for name, v in copy.values.items()},
        }
        for copy in sorted(copies, key=lambda copy: copy.twin)
    ]

    def write(tx: neo4j.Transaction) -> None:
        lease.held(tx)
        rows(tx, _PUT, rows=found)
        rows(tx, _UNLOCK)

    connection.write(write)


def _native(value: str | int | float | bool) -> str | int | float | bool:
    if isinstance(value, int) and not LONG_MIN <= value <= LONG_MAX:
        return str(value)
    return value
