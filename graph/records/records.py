"""Records: what was noticed, decided and done, in one durable file beside the graph."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from twinfall.graph.records import audit, outbox, requirements, scenarios
from twinfall.graph.records.audit import Deed
from twinfall.graph.records.change import Change
from twinfall.graph.records.reading import alarms_where, work_orders_where
from twinfall.graph.records.rows import (
    Alarm,
    AuditLine,
    Delivery,
    DeliveryState,
    RequirementEvent,
    SavedScenario,
    WorkOrder,
)
from twinfall.graph.records.schema import APPLICATION_ID, STEPS
from twinfall.graph.sqlite.connections import Readers, open_file, translated

FILE_NAME = "records.sqlite"
MAX_PAGE = 500
FORGET_AT_ONCE = 10_000
_WHAT = "records file"
_LAST = 2**63 - 1
_FORGET_ALARMS = (
    "DELETE FROM alarms WHERE ix IN"
    " (SELECT ix FROM alarms WHERE cleared < ? ORDER BY cleared LIMIT ?)"
)
Record = TypeVar("Record", Alarm, WorkOrder)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which of the records: the open ones (or the closed ones, or all: None), of one twin, of one
    incident, recorded before `before`, at most `first`.
    """

    open: bool | None = None
    twin: str | None = None
    incident: str | None = None
    before: int | None = None
    first: int = 25


@dataclass(frozen=True, slots=True)
class Page(Generic[Record]):
    """Records from the newest on; `total` counts all that were asked for."""

    rows: list[Record]
    total: int
    more: bool


class Records:
    """Alarms, work orders, outbox and audit. A change returns after an fsynced commit and is seen
    by every read that starts later. Safe from many threads.
    """

    def __init__(self, path: Path, *, now: Callable[[], int] = time.time_ns) -> None:
        self.path = path
        self._now = now
        self._db = open_file(path, APPLICATION_ID, STEPS, _WHAT)
        self._lock = threading.Lock()
        self._readers = Readers(path)
        self._woken: list[Callable[[], None]] = []
        self._closed = False

    # -- changing -------------------------------------------------------------------------

    @contextmanager
    def change(self, what: str, subject: str, *, who: str, request: str = "") -> Iterator[Change]:
        """All that is written in the block is one transaction with one line in the audit; an
        error undoes all of it.
        """
        with self._transaction() as db:
            made = Change(db, Deed(what, subject, who, request), self._now())
            yield made
            made.close()
        if made.enqueued:
            for wake in self._woken:
                wake()

    def on_send(self, wake: Callable[[], None]) -> None:
        """Call whenever something new is to be sent; it must be quick."""
        self._woken.append(wake)

    # -- the outbox at work ---------------------------------------------------------------

    def due(self, busy: Collection[str] = ()) -> Delivery | None:
        """The next delivery whose time has come, for none of the targets that are busy."""
        with self._reader() as db:
            return outbox.due(db, self._now(), busy)

    def next_due(self, busy: Collection[str] = ()) -> int | None:
        """When (ns) the next one is due; None where nothing waits."""
        with self._reader() as db:
            return outbox.next_due(db, busy)

    def begin(self, delivery: Delivery) -> None:
        """Count an attempt that is about to be made."""
        with self._transaction() as db:
            outbox.begin(db, delivery.ix)

    def put_off(self, delivery: Delivery, until: int, answer: str) -> None:
        """Try again then."""
        with self._transaction() as db:
            outbox.put_off(db, delivery.ix, until, answer)

    def forget(self, before: int, alarms_before: int = 0) -> int:
        """Drop deliveries that were finished before then, and alarms that were cleared before
        theirs; how many deliveries.
        """
        with self._transaction() as db:
            db.execute(_FORGET_ALARMS, (alarms_before, FORGET_AT_ONCE))
            return outbox.forget(db, before, FORGET_AT_ONCE)

    # -- reading --------------------------------------------------------------------------

    def alarm(self, id_: str) -> Alarm | None:
        """One alarm."""
        with self._reader() as db:
            found = alarms_where(db, "id = ?", (id_,))
        return found[0] if found else None

    def open_alarms(self, source: str) -> list[Alarm]:
        """The open alarms of a source and its parts (`watch`: also `watch:...`), newest first."""
        condition = "cleared IS NULL AND (source = ? OR substr(source, 1, ?) = ?)"
        values = (source, len(source) + 1, f"{source}:")
        with self._reader() as db:
            return alarms_where(db, condition, values)

    def alarms(self, asked: Asked) -> Page[Alarm]:
        """Alarms, newest first."""
        condition, values = _condition(asked, "cleared")
        with self._reader() as db:
            total = _count(db, "alarms", condition, values)
            condition, values = _before(asked, condition, values)
            rows = alarms_where(db, condition, values, _limit(asked) + 1)
        return Page(rows[: _limit(asked)], total, len(rows) > _limit(asked))

    def work_orders(self, asked: Asked) -> Page[WorkOrder]:
        """Work orders, newest first."""
        condition, values = _condition(asked, "closed")
        with self._reader() as db:
            total = _count(db, "work_orders", condition, values)
            condition, values = _before(asked, condition, values)
            rows = work_orders_where(db, condition, values, _limit(asked) + 1)
        return Page(rows[: _limit(asked)], total, len(rows) > _limit(asked))

    def work_order(self, ix: int) -> WorkOrder | None:
        """One work order by its number."""
        with self._reader() as db:
            found = work_orders_where(db, "ix = ?", (ix,))
        return found[0] if found else None

    def deliveries(
        self, state: DeliveryState | None = None, before: int | None = None, first: int = 25
    ) -> list[Delivery]:
        """Deliveries in one state, or in any, newest first."""
        query = (
            f"SELECT {outbox.COLUMNS} FROM outbox"  # noqa: S608 - our columns
            " WHERE ix < ? AND (?2 IS NULL OR state = ?2) ORDER BY ix DESC LIMIT ?3"
        ).replace("ix < ?", "ix < ?1")
        limit = max(0, min(first, MAX_PAGE))
        with self._reader() as db:
            rows = db.execute(query, (_LAST if before is None else before, state, limit)).fetchall()
        return [outbox.delivery(row) for row in rows]

    def delivery_counts(self) -> dict[str, int]:
        """Deliveries by state."""
        with self._reader() as db:
            return dict(db.execute("SELECT state, count(*) FROM outbox GROUP BY state").fetchall())

    def requirement_events(self, name: str | None, first: int) -> list[RequirementEvent]:
        """Changes of verdicts, of one requirement or of all, newest first."""
        with self._reader() as db:
            return requirements.newest(db, name, max(0, min(first, MAX_PAGE)))

    def scenarios(self) -> list[SavedScenario]:
        """Saved scenarios, by name."""
        with self._reader() as db:
            return scenarios.every(db)

    def scenario(self, name: str) -> SavedScenario:
        """One saved scenario. Raises UnknownName."""
        with self._reader() as db:
            return scenarios.one(db, name)

    def last_requirement_events(self) -> list[RequirementEvent]:
        """The last change of the verdict on each requirement, by name."""
        with self._reader() as db:
            return requirements.last_of_each(db)

    def audit(self, before: int | None = None, first: int = 25) -> list[AuditLine]:
        """Lines of the audit, newest first."""
        with self._reader() as db:
            last = _LAST if before is None else before
            return audit.page(db, last, max(0, min(first, MAX_PAGE)))

    def first_broken_line(self) -> int | None:
        """The first line of the audit that was tampered with; None where all is as written."""
        with self._reader() as db:
            return audit.first_broken(db)

    # -- life -----------------------------------------------------------------------------

    def close(self) -> None:
        """Close the file; nothing may be in progress any more."""
        if self._closed:
            return
        self._closed = True
        self._readers.close()
        with self._lock:
            self._db.close()

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with translated(_WHAT, self.path), self._readers.connection() as db:
            yield db

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with translated(_WHAT, self.path), self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk has rolled back already
                    self._db.execute("ROLLBACK")
                raise


def _condition(asked: Asked, ended: str) -> tuple[str, tuple[object, ...]]:
    parts: list[str] = []
    values: list[object] = []
    if asked.open is not None:
        parts.append(f"{ended} IS NULL" if asked.open else f"{ended} IS NOT NULL")
    for column, value in (("twin", asked.twin), ("incident", asked.incident)):
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    return " AND ".join(parts) or "1", tuple(values)


def _before(
    asked: Asked, condition: str, values: tuple[object, ...]
) -> tuple[str, tuple[object, ...]]:
    if asked.before is None:
        return condition, values
    return f"({condition}) AND ix < ?", (*values, asked.before)


def _count(db: sqlite3.Connection, table: str, condition: str, values: tuple[object, ...]) -> int:
    query = f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608 - written in code
    return int(db.execute(query, values).fetchone()[0])


def _limit(asked: Asked) -> int:
    return max(0, min(asked.first, MAX_PAGE))
