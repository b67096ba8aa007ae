"""SQLiteStore: a graph in one file, durable, read in parallel, written by one process."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from twinfall.graph.plan import Fetch, RowPage
from twinfall.graph.sqlite import reading, workorders
from twinfall.graph.sqlite.assembly import Assembly
from twinfall.graph.sqlite.changes import last_change, read_changes, read_deletions, record_changes
from twinfall.graph.sqlite.conditions import Statement
from twinfall.graph.sqlite.connections import FileLock, Readers, limited, open_file, translated
from twinfall.graph.sqlite.fetching import PlanStatement
from twinfall.graph.sqlite.schema import APPLICATION_ID, STEPS
from twinfall.graph.sqlite.topology import topology
from twinfall.graph.sqlite.writing import codes, write_batch
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

_WHAT = "graph store"


class SQLiteStore:
    """The embedded `TwinStore`. `path` ":memory:" is a throw-away graph in the temporary folder.

    A write returns after an fsynced commit and is seen by every read that starts later. Only one
    process may hold the file (`GRAPH_IN_USE`); `holder` tells others who it is.
    """

    def __init__(self, path: Path | str, *, holder: str = "") -> None:
        self._throw_away: tempfile.TemporaryDirectory[str] | None = None
        if str(path) == ":memory:":
            self._throw_away = tempfile.TemporaryDirectory(prefix="twinfall-")
            path = Path(self._throw_away.name) / "graph.sqlite"
        path = Path(path)
        self._held = FileLock(path, holder)
        try:
            self._writer = open_file(path, APPLICATION_ID, STEPS, _WHAT)
        except BaseException:
            self._held.release()
            raise
        if self._throw_away is not None:
            self._writer.execute("PRAGMA synchronous = OFF")
        self._writing = threading.Lock()
        self._readers = Readers(path)
        self._closed = False
        self._load_codes()

    # -- models ---------------------------------------------------------------------------

    def use(self, types: FieldTypes) -> None:
        """Nothing to prepare: each stored value shows its type."""

    def load_models(self) -> StoredModels:
        """The models, sidecars and names last saved; empty at first."""
        with self._moment() as db:
            return reading.stored_models(db, last_change(db))

    def save_models(self, models: StoredModels, change: Change) -> int:
        """Replace the set, adding names, in one transaction; the feed's new cursor."""
        with self._transaction() as db:
            reading.save_models(db, models)
            return record_changes(db, [change])

    # -- twins and relationships ----------------------------------------------------------

    def nodes(self, ids: Sequence[str]) -> dict[str, Node]:
        """Those of these twins that exist, each with its components, by id."""
        with self._reader() as db:
            return reading.nodes(db, ids)

    def edges(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Edge]:
        """Those of these relationships, by (source, id), that exist."""
        with self._reader() as db:
            return reading.edges(db, keys)

    def edges_at(self, ids: Sequence[str]) -> list[Edge]:
        """All relationships that start or end at these twins, ordered by (source, id)."""
        with self._reader() as db:
            return reading.edges_at(db, ids)

    def out_degree(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """How many relationships of a name start at a twin, for each (twin id, name)."""
        with self._reader() as db:
            return reading.out_degree(db, pairs)

    def apply(self, batch: Batch) -> int:
        """Write in one transaction; the feed's new cursor. Safe to repeat with the same batch."""
        with self._transaction() as db:
            return write_batch(db, batch)

    # -- questions ------------------------------------------------------------------------

    def fetch(self, plan: Fetch) -> RowPage:
        """Answer a plan in one statement; `rows` are `Row`."""
        models, names = self._codes
        statement = PlanStatement(plan, Statement(models, names))
        with self._reader() as db, limited(db):
            records = db.execute(statement.text, statement.values).fetchall()
        models_by_code, names_by_code = self._meanings
        return Assembly(records, models_by_code, names_by_code).root(statement.root)

    def topology(self, request: TopologyRequest) -> Topology:
        """The graph as arrays, consistent with one moment of the change feed."""
        with self._moment() as db:
            return topology(db, request, last_change(db))

    def counts(self) -> Counts:
        """How much is stored."""
        with self._moment() as db:
            return reading.counts(db)

    def size(self) -> tuple[int, int]:
        """All twins, components apart, and all relationships."""
        with self._moment() as db:
            return reading.size(db)

    def scan(self) -> Iterator[tuple[list[Node], list[Edge]]]:
        """Everything in bounded chunks, as it was when the first chunk was asked for."""
        with translated(_WHAT):
            db = self._readers.separate()
            try:
                db.execute("BEGIN")
                yield from reading.scan(db)
            finally:
                db.close()

    # -- work orders ----------------------------------------------------------------------

    def put_work_orders(self, orders: Sequence[WorkOrderNode]) -> None:
        """Write work orders beside their twins, in one transaction."""
        with self._transaction() as db:
            workorders.put(db, orders)

    def copy_latest(self, rows: Sequence[LatestCopy]) -> None:
        """Nobody looks at this store but through Twinfall, which has the readings themselves."""

    def show_impact(self, rows: Sequence[Mark]) -> int:
        """None: nobody looks at this store but through Twinfall, which can be asked again."""
        return 0

    def work_orders(self, twins: Sequence[str]) -> list[WorkOrderNode]:
        """The work orders that stand beside these twins, by id."""
        with self._reader() as db:
            return workorders.of(db, twins)

    # -- the change feed ------------------------------------------------------------------

    def cursor(self) -> int:
        """The seq of the last change; 0 at first."""
        with self._reader() as db:
            return last_change(db)

    def changes(self, after: int, limit: int = 1000) -> list[Change]:
        """Changes with seq > after, in order."""
        with self._reader() as db:
            return read_changes(db, after, limit)

    def deletions(self, after: int, limit: int = 1000) -> list[Deletion]:
        """Deletions of twins with seq > after, in order."""
        with self._reader() as db:
            return read_deletions(db, after, limit)

    # -- life -----------------------------------------------------------------------------

    def ping(self) -> None:
        """Return when the store answers; raises Unavailable otherwise."""
        with self._reader() as db:
            db.execute("SELECT 1").fetchone()

    def close(self) -> None:
        """Close the file and give back the right to write it."""
        if self._closed:
            return
        self._closed = True
        self._readers.close()
        with self._writing:
            self._writer.close()
        self._held.release()
        if self._throw_away is not None:
            self._throw_away.cleanup()

    # -- connections ----------------------------------------------------------------------

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with translated(_WHAT), self._readers.connection() as db:
            yield db

    @contextmanager
    def _moment(self) -> Iterator[sqlite3.Connection]:
        """A reader whose statements all see the same moment."""
        with self._reader() as db:
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """The writer, all or nothing."""
        with translated(_WHAT), self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # a full disk has rolled back already
                    self._writer.execute("ROLLBACK")
                raise
            self._load_codes()

    def _load_codes(self) -> None:
        models = codes(self._writer, "models", "dtmi")
        names = codes(self._writer, "relationship_names", "name")
        self._codes: tuple[Mapping[str, int], Mapping[str, int]] = (models, names)
        self._meanings: tuple[Mapping[int, str], Mapping[int, str]] = (
            {code: dtmi for dtmi, code in models.items()},
            {code: name for name, code in names.items()},
        )
