"""The change feed: `_Change` nodes, written with what changed, drained into the data folder."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import neo4j
import orjson

from twinfall.graph.feed import FeedLog
from twinfall.graph.neo4j.connection import Connection, rows
from twinfall.graph.neo4j.lease import Lease
from twinfall.graph.twins import Change

CHUNK = 5000
"""Changes drained at once."""
DRAIN_SECONDS = 15.0
"""How long the server may take to find them: less than a lease lasts, whose heartbeat waits."""

_UNDRAINED = """CYPHER 5
MATCH (c:_Change) WHERE c.seq > 0 WITH c ORDER BY c.seq LIMIT $chunk
RETURN c.seq, c.kind, c.subject, c.model, c.version, c.before, c.after, c.at, c.who, c.why
"""
_DELETE = "CYPHER 5 MATCH (c:_Change) WHERE c.seq <= $last DELETE c"
_DRAINED = """CYPHER 5
MATCH (l:_Lease {id: 'graph'}) SET l.drained = $last, l.heartbeat = timestamp() REMOVE l.locked
"""


def change_row(change: Change, seq: int) -> dict[str, Any]:
    """A change as properties of its `_Change` node."""
    return {
        "seq": seq,
        "kind": change.kind,
        "subject": change.subject,
        "model": change.model,
        "version": change.version,
        "before": _text(change.before),
        "after": _text(change.after),
        "at": change.at,
        "who": change.who,
        "why": change.why,
    }


class Draining:
    """Moves changes from the graph to the log: durable there first, then deleted here."""

    def __init__(self, connection: Connection, lease: Lease, log: FeedLog) -> None:
        self._connection = connection
        self._lease = lease
        self._log = log
        self._one = threading.Lock()

    def drain(self) -> None:
        """Move all. Raises Conflict where the lease is lost: then they are the new holder's."""
        with self._one:
            while True:
                found = self._connection.ask(_UNDRAINED, {"chunk": CHUNK}, DRAIN_SECONDS)
                if not found:
                    return
                self._log.append([_change(row) for row in found])
                self._forget(found[-1][0])

    def _forget(self, last: int) -> None:
        def delete(tx: neo4j.Transaction) -> None:
            self._lease.held(tx)
            rows(tx, _DELETE, last=last)
            rows(tx, _DRAINED, last=last)

        self._connection.write(delete)


def _change(row: Sequence[Any]) -> Change:
    seq, kind, subject, model, version, before, after, at, who, why = row
    whole = (_parsed(before), _parsed(after))
    return Change(seq, kind, subject, model, version, *whole, at, who, why)


def _text(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value, default=_plain).decode()


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else dict(value)


def _parsed(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
