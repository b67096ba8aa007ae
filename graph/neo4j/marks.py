"""What an impact takes along, shown on the nodes: for Neo4j Browser and Cypher, read by nothing of
ours. A write to a twin takes `_state` and `_wave` away; the labels stay until the next impact is
shown, or none.
"""

from __future__ import annotations

from collections.abc import Sequence

import neo4j

from twinfall.graph.neo4j.connection import Connection, rows
from twinfall.graph.neo4j.lease import Lease
from twinfall.graph.twins import Mark

_CLEAR = """CYPHER 5
MATCH (n:_Affected) REMOVE n:_Affected:_Failed:_Down:_Degraded, n._state, n._wave
"""
_PUT = {
    "failed": """CYPHER 5 UNWIND $rows AS row MATCH (n:Twin {id: row.id})
SET n:_Affected:_Failed, n._state = 'failed', n._wave = row.wave
RETURN count(n)""",
    "down": """CYPHER 5 UNWIND $rows AS row MATCH (n:Twin {id: row.id})
SET n:_Affected:_Down, n._state = 'failed', n._wave = row.wave
RETURN count(n)""",
    "degraded": """CYPHER 5 UNWIND $rows AS row MATCH (n:Twin {id: row.id})
SET n:_Affected:_Degraded, n._state = 'degraded', n._wave = row.wave
RETURN count(n)""",
}
_UNLOCK = "CYPHER 5 MATCH (l:_Lease {id: 'graph'}) SET l.heartbeat = timestamp() REMOVE l.locked"


def put(connection: Connection, lease: Lease, marks: Sequence[Mark]) -> int:
    """Show these instead of what was shown before, in one transaction fenced by the lease; how
    many of these twins there are.
    """
    groups = {how: [{"id": m.twin, "wave": m.wave} for m in marks if m.how == how] for how in _PUT}

    def write(tx: neo4j.Transaction) -> int:
        lease.held(tx)
        rows(tx, _CLEAR)
        shown = 0
        for how, text in _PUT.items():
            if groups[how]:
                [[count]] = rows(tx, text, rows=groups[how])
                shown += count
        rows(tx, _UNLOCK)
        return shown

    return connection.write(write)
