"""Neo4jStore: the graph on a Neo4j server, where people can look at it with Neo4j's own tools."""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import neo4j

from twinfall.graph.feed import FeedLog
from twinfall.graph.neo4j import latest, marks, reading, schema, workorders
from twinfall.graph.neo4j.assembly import Assembly
from twinfall.graph.neo4j.conditions import Statement
from twinfall.graph.neo4j.connection import LONG_SECONDS, Connection, rows
from twinfall.graph.neo4j.cypher import Words
from twinfall.graph.neo4j.feed import Draining
from twinfall.graph.neo4j.fetching import PlanStatement
from twinfall.graph.neo4j.keeper import Keeper
from twinfall.graph.neo4j.lease import LEASE_SECONDS, Lease
from twinfall.graph.neo4j.topology import topology
from twinfall.graph.neo4j.writing import record, write_batch
from twinfall.graph.plan import Fetch, RowPage
from twinfall.graph.store import Counts, StoredModels, Topology, TopologyRequest
from twinfall.graph.twins import (
    Batch,
    Change,
    Deletion,
    Edge,
    LatestCopy,
    Mark,
    Node,
    WorkOrderNode,
)
from twinfall.graph.values import FieldTypes
from twinfall.ontology.errors import BadSettings, TwinError, Unavailable

TOPOLOGY_ATTEMPTS = 2
"""How often the whole graph is read while others write, before writes are held up for it."""
_FEED_STATE = "CYPHER 5 MATCH (l:_Lease {id: 'graph'}) RETURN l.seq, l.drained"
_SAVED = """CYPHER 5
MATCH (l:_Lease {id: 'graph'}) SET l.seq = $seq, l.models = $token, l.heartbeat = timestamp()
REMOVE l.locked
"""
_LAST_SAVED = "CYPHER 5 MATCH (l:_Lease {id: 'graph'}) RETURN l.models, l.seq"
_log = logging.getLogger(__name__)


class Neo4jStore:
    """The `TwinStore` on Neo4j 5.26 or later, Community or Enterprise.

    Opening takes the graph's lease: Conflict GRAPH_IN_USE names another holder. `holder` tells
    others who this is, `feed` is the file that keeps the change feed. Raises BadSettings for an
    address, user, password, database or version that cannot work, Unavailable where the server
    is away. A call waits at most 2 s for a server that is away, and works again when it is back.
    """

    def __init__(
        self,
        uri: str,
        user: str,
        password: str,
        database: str = "neo4j",
        *,
        feed: Path,
        holder: str = "",
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._types = FieldTypes()
        self._names: Mapping[str, str] = {}
        self._words = Words()
        self._writing = threading.Lock()
        self._closed = False
        self._connection = Connection(uri, user, password, database)
        with contextlib.ExitStack() as opened:
            opened.callback(self._connection.close)
            self._connection.check_server()
            schema.prepare(self._connection)
            self._lease = Lease(self._connection, holder, uuid.uuid4().hex, lease_seconds)
            opened.callback(self._given_back)
            self._feed = FeedLog(feed)
            opened.callback(self._feed.close)
            self._draining = Draining(self._connection, self._lease, self._feed)
            self._seq = self._checked_feed(feed)
            self._draining.drain()
            self._names = self._connection.read(schema.stored_models).names
            self._keeper = Keeper(self._lease, self._draining, lease_seconds)
            opened.pop_all()

    def __repr__(self) -> str:
        return f"Neo4jStore({self._connection.uri!r})"

    # -- models ---------------------------------------------------------------------------

    def use(self, types: FieldTypes) -> None:
        """How properties are stored, by model, and which labels a twin has."""
        self._types = types
        self._words = Words.of(types, self._names)

    def load_models(self) -> StoredModels:
        """The models, sidecars and names last saved; empty at first."""
        return self._connection.read(schema.stored_models)

    def save_models(self, models: StoredModels, change: Change) -> int:
        """Replace the set, adding names, in one transaction; the feed's new cursor."""
        token = uuid.uuid4().hex

        def save(tx: neo4j.Transaction) -> int:
            held = self._lease.held(tx)
            last, seq = rows(tx, _LAST_SAVED)[0]
            if last == token:  # a commit of unknown outcome had succeeded
                return int(seq)
            schema.save_models(tx, models)
            seq = record(tx, [change], held.seq)
            rows(tx, _SAVED, seq=seq, token=token)
            return int(seq)

        with self._writing:
            self._seq = self._connection.write(save)
            self._names = {**models.names, **self._names}
            self._words = Words.of(self._types, self._names)
        self._keeper.written()
        return self._seq

    # -- twins and relationships ----------------------------------------------------------

    def nodes(self, ids: Sequence[str]) -> dict[str, Node]:
        """Those of these twins that exist, each with its components, by id."""
        return reading.nodes(self._connection, self._words, ids)

    def edges(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Edge]:
        """Those of these relationships, by (source, id), that exist."""
        return reading.edges(self._connection, self._words, keys)

    def edges_at(self, ids: Sequence[str]) -> list[Edge]:
        """All relationships that start or end at these twins, ordered by (source, id)."""
        return reading.edges_at(self._connection, self._words, ids)

    def out_degree(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """How many relationships of a name start at a twin, for each (twin id, name)."""
        return reading.out_degree(self._connection, self._words, pairs)

    def apply(self, batch: Batch) -> int:
        """Write in one transaction; the feed's new cursor. Safe to repeat with the same batch."""

        def write(tx: neo4j.Transaction) -> int:
            return write_batch(tx, batch, self._lease.held(tx), self._words)

        try:
            with self._writing:
                cursor = self._connection.write(write)
                self._seq = max(self._seq, cursor)
        finally:
            self._keeper.written()  # after a failure too: the commit may have been made
        return cursor

    # -- questions ------------------------------------------------------------------------

    def fetch(self, plan: Fetch) -> RowPage:
        """Answer a plan in one round trip; `rows` are `Row`."""
        words = self._words
        statement = PlanStatement(plan, Statement(words))
        found = self._connection.ask(statement.text, statement.values)
        return Assembly(words).root(plan, found)

    def topology(self, request: TopologyRequest) -> Topology:
        """The graph as arrays, consistent with one moment of the change feed."""

        def read(tx: neo4j.Transaction) -> Topology | None:
            return topology(tx, request, self._words)

        for _ in range(TOPOLOGY_ATTEMPTS):
            found = self._connection.read(read, LONG_SECONDS)
            if found is not None:
                return found
        with self._writing:
            found = self._connection.read(read, LONG_SECONDS)
        if found is None:
            raise Unavailable("the graph is written by another process", path=self._connection.uri)
        return found

    def counts(self) -> Counts:
        """How much is stored."""
        return reading.counts(self._connection)

    def size(self) -> tuple[int, int]:
        """All twins, components apart, and all relationships."""
        return reading.size(self._connection)

    def scan(self) -> Iterator[tuple[list[Node], list[Edge]]]:
        """Everything in bounded chunks, each as of its own moment."""
        return reading.scan(self._connection, self._words)

    # -- work orders ----------------------------------------------------------------------

    def put_work_orders(self, orders: Sequence[WorkOrderNode]) -> None:
        """Write work orders beside their twins, in one transaction."""
        with self._writing:
            workorders.put(self._connection, self._lease, orders)

    def copy_latest(self, rows: Sequence[LatestCopy]) -> None:
        """Show the latest readings on their twins, in one transaction."""
        with self._writing:
            latest.put(self._connection, self._lease, rows)

    def show_impact(self, rows: Sequence[Mark]) -> int:
        """Show an impact on the twins, in one transaction; how many bear a mark now."""
        with self._writing:
            return marks.put(self._connection, self._lease, rows)

    def work_orders(self, twins: Sequence[str]) -> list[WorkOrderNode]:
        """The work orders that stand beside these twins, by id."""
        return workorders.of(self._connection, twins)

    # -- the change feed ------------------------------------------------------------------

    def cursor(self) -> int:
        """The seq of the last change; 0 at first."""
        return self._connection.read(schema.cursor)

    def changes(self, after: int, limit: int = 1000) -> list[Change]:
        """Changes with seq > after, in order, those not yet drained included."""
        return self._whole_feed().after(after, limit)

    def deletions(self, after: int, limit: int = 1000) -> list[Deletion]:
        """Deletions of twins with seq > after, in order, those not yet drained included."""
        return self._whole_feed().deletions(after, limit)

    def _whole_feed(self) -> FeedLog:
        if self._closed:
            raise Unavailable("the graph store is closed")
        if self._feed.last() < self._seq:
            self._draining.drain()
        return self._feed

    # -- life -----------------------------------------------------------------------------

    def ping(self) -> None:
        """Return when the store answers; raises Unavailable (within 2 s) otherwise."""
        self._connection.ask("RETURN 1", {})

    def close(self) -> None:
        """Drain, give back the lease and every connection."""
        if self._closed:
            return
        self._closed = True
        self._keeper.close()
        with self._writing:
            with contextlib.suppress(TwinError):  # what is not drained now is, at the next start
                self._draining.drain()
            self._feed.close()
            self._given_back()
            self._connection.close()

    def _given_back(self) -> None:
        with contextlib.suppress(TwinError):  # a lease that cannot be given back runs out
            self._lease.release()

    def _checked_feed(self, feed: Path) -> int:
        """The graph's cursor, after a look whether the log and the graph belong together."""
        state: list[Any] = self._connection.ask(_FEED_STATE, {})[0]
        seq, drained = state
        kept = self._feed.last()
        if kept > seq:
            raise BadSettings(
                f"this change feed goes to {kept}, the graph on the server only to {seq}:"
                " they do not belong together",
                path=str(feed),
                cure="choose another data folder (TWINFALL_DIR), or restore graph and folder"
                " from one backup",
            )
        if kept < drained:
            _log.warning(
                "%s ends at change %d, but changes up to %d were drained elsewhere:"
                " the history between is not in this data folder",
                feed,
                kept,
                drained,
            )
        return int(seq)
