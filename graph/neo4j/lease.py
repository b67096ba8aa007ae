"""One writer per graph: the `_Lease` node, its epoch, its heartbeat.

Whoever holds the lease writes its epoch's number into every transaction; taking the lease over
raises the epoch, so that a former holder that wakes up late is refused by the server itself.
Time is the server's clock. A holder that stopped beating for the lease's time has lost it to
whoever asks; one on this machine whose process is gone, at once. Each write is a heartbeat too:
while a long one holds the lease's lock, no other heartbeat can pass, nor anybody who asks.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neo4j
import psutil

from twinfall.graph.neo4j.connection import Connection, rows
from twinfall.ontology.errors import Conflict

LEASE_SECONDS = 30.0

_FIND = """CYPHER 5
MERGE (l:_Lease {id: 'graph'})
ON CREATE SET l.epoch = 0, l.seq = 0, l.drained = 0, l.holder = ''
SET l.locked = true
WITH l
RETURN l.epoch AS epoch, l.holder AS holder, l.token AS token, l.machine AS machine,
    l.process AS process, l.started AS started, l.seconds AS seconds,
    (timestamp() - l.heartbeat) / 1000.0 AS quiet
"""
_TAKE = """CYPHER 5
MATCH (l:_Lease {id: 'graph'})
SET l += $holder, l.epoch = $epoch, l.heartbeat = timestamp()
REMOVE l.locked
"""
_BEAT = """CYPHER 5
MATCH (l:_Lease {id: 'graph'}) WHERE l.epoch = $epoch
SET l.heartbeat = timestamp() RETURN l.epoch
"""
_RELEASE = """CYPHER 5
MATCH (l:_Lease {id: 'graph'}) WHERE l.epoch = $epoch SET l.holder = ''
REMOVE l.token, l.machine, l.process, l.started
"""
_LOCK = """CYPHER 5
MATCH (l:_Lease {id: 'graph'}) SET l.locked = true
WITH l RETURN l.epoch, l.holder, l.seq, l.batches, l.cursors
"""


@dataclass(frozen=True, slots=True)
class Held:
    """What stands on the lease, read under its lock in a write."""

    seq: int
    batches: list[str]
    cursors: list[int]


class Lease:
    """The right to write a graph, taken when made; raises Conflict GRAPH_IN_USE."""

    def __init__(self, connection: Connection, holder: str, token: str, seconds: float) -> None:
        self._connection = connection
        process = psutil.Process()
        self._mine: dict[str, Any] = {
            "holder": f"process {process.pid} on {socket.gethostname()} {holder}".strip(),
            "token": token,
            "machine": _machine(),
            "process": process.pid,
            "started": process.create_time(),
            "seconds": seconds,
        }
        self.epoch = connection.write(self._take)

    def held(self, tx: neo4j.Transaction) -> Held:
        """Lock the lease for this transaction. Raises Conflict where another holds it."""
        found = rows(tx, _LOCK)
        nothing: list[Any] = [0, "", 0, [], []]
        epoch, holder, seq, batches, cursors = found[0] if found else nothing
        if epoch != self.epoch:
            raise Conflict(
                f"the graph was taken over by {holder or 'another process'}",
                code="GRAPH_IN_USE",
                path=self._connection.uri,
                cure="this process can no longer write it: stop one of the two and restart",
            )
        return Held(seq, batches or [], cursors or [])

    def beat(self) -> bool:
        """Say that the holder lives; False where the lease is another's now."""
        return bool(self._connection.write(lambda tx: rows(tx, _BEAT, epoch=self.epoch)))

    def release(self) -> None:
        """Give it back, if it is still ours."""
        self._connection.write(lambda tx: rows(tx, _RELEASE, epoch=self.epoch))

    def _take(self, tx: neo4j.Transaction) -> int:
        found = dict(tx.run(_FIND).single(strict=True))
        epoch: int = found["epoch"]
        if found["token"] == self._mine["token"]:
            return epoch  # a commit of unknown outcome had succeeded
        if found["holder"] and not _given_up(found):
            left = max(1, round((found["seconds"] or LEASE_SECONDS) - found["quiet"]))
            raise Conflict(
                f"the graph is in use by {found['holder']}",
                code="GRAPH_IN_USE",
                path=self._connection.uri,
                cure="stop that process, or send the command to it (TWINFALL_URL);"
                f" if it has crashed, try again in {left} s",
            )
        rows(tx, _TAKE, holder=self._mine, epoch=epoch + 1)
        return epoch + 1


def _given_up(found: dict[str, Any]) -> bool:
    if found["quiet"] is None or found["quiet"] > (found["seconds"] or LEASE_SECONDS):
        return True
    if found["machine"] != _machine() or not found["process"]:
        return False
    try:
        # A process of the same number that started at another time is another process.
        started: float = psutil.Process(found["process"]).create_time()
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
    return abs(started - float(found["started"])) > 1.0


def _machine() -> str:
    """This boot of this machine and its space of process numbers: pids mean the same here."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 - not a path
    except OSError:
        return f"{socket.gethostname()} {psutil.boot_time():.0f}"
