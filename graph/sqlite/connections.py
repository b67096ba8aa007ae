"""Opening SQLite files: durable, migrated, one writer at a time, errors that say what to do."""

from __future__ import annotations

import fcntl
import os
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from twinfall.ontology.errors import BadSettings, Conflict, Refused, TwinError, Unavailable

READERS = 8
"""Connections for reading; a ninth reader waits for one to be free."""
READER_WAIT = 30.0
"""Seconds a reader waits before the store calls itself unavailable."""
BUSY_WAIT = 5.0
"""Seconds SQLite itself waits for a lock."""
STATEMENTS = 256
"""Prepared statements kept by each connection."""
READ_SECONDS = 20.0
"""Seconds one question may take; the web room's own limit is lower."""
STEPS_BETWEEN_LOOKS = 100_000
"""SQLite's instructions between two looks at the clock: some milliseconds."""
CACHE_KIB = 16_384
"""Page cache of each connection."""


def open_file(path: Path, application: int, steps: Sequence[str], what: str) -> sqlite3.Connection:
    """Open for writing, creating or migrating by the numbered steps, every commit fsynced.

    Raises BadSettings for a file that is not ours, is newer than this program or not writable.
    """
    with translated(what, path):
        db = _connect(path, "rwc")
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            _migrate(db, path, application, steps, what)
        except BaseException:
            db.close()
            raise
        return db


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_WAIT,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS,
    )
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return db


def _migrate(
    db: sqlite3.Connection, path: Path, application: int, steps: Sequence[str], what: str
) -> None:
    found = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if found != application and not (empty and found == 0):
        raise BadSettings(
            f"this SQLite file is not a Twinfall {what}",
            path=str(path),
            cure="choose another data folder, or move the file away",
        )
    if version > len(steps):
        raise BadSettings(
            f"this {what} was written by a newer Twinfall"
            f" (format {version}, this one knows {len(steps)})",
            path=str(path),
            cure="upgrade Twinfall",
        )
    for number in range(version, len(steps)):
        db.executescript(
            f"BEGIN IMMEDIATE; {steps[number]};"
            f" PRAGMA application_id = {application:d}; PRAGMA user_version = {number + 1:d};"
            " COMMIT"
        )


class Readers:
    """A bounded pool of connections that only read; each sees every committed write.

    First come, first served: a plain queue would let busy threads pass by waiting ones for ever.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._free: list[sqlite3.Connection | None] = [None] * READERS  # None: not opened yet
        self._waiting: deque[queue.SimpleQueue[sqlite3.Connection | None]] = deque()
        self._open: list[sqlite3.Connection] = []
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for this block. Raises Unavailable when all stay busy."""
        db = self._take()
        try:
            if self._closed:
                raise Unavailable("the graph store is closed")
            if db is None:
                db = self.separate()
                with self._lock:
                    self._open.append(db)
            yield db
        finally:
            self._give(db)

    def _take(self) -> sqlite3.Connection | None:
        with self._lock:
            if self._free:
                return self._free.pop()
            ticket: queue.SimpleQueue[sqlite3.Connection | None] = queue.SimpleQueue()
            self._waiting.append(ticket)
        try:
            return ticket.get(timeout=READER_WAIT)
        except queue.Empty:
            with self._lock:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
                    raise Unavailable(
                        f"all {READERS} readers of the graph were busy for {READER_WAIT:g} s",
                        cure="ask for smaller pages or fewer at once",
                    ) from None
            return ticket.get()  # it was our turn just now

    def _give(self, db: sqlite3.Connection | None) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().put(db)
            else:
                self._free.append(db)

    def separate(self) -> sqlite3.Connection:
        """A connection of the caller's own, who closes it."""
        db = _connect(self._path, "ro")
        db.execute("PRAGMA query_only = ON")
        return db

    def close(self) -> None:
        """Break off what is being read (its reader gets Unavailable), then close all."""
        self._closed = True
        with self._lock:
            for db in self._open:
                db.interrupt()
        # A connection may be closed only when nobody is at work with it.
        for idle in [self._take() for _ in range(READERS)]:
            if idle is not None:
                idle.close()
        for _ in range(READERS):
            self._give(None)  # whoever comes late finds the store closed


class FileLock:
    """This process's right to write a file: a locked `<file>.lock` naming process and holder."""

    def __init__(self, path: Path, holder: str) -> None:
        self._path = path.with_name(f"{path.name}.lock")
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _not_writable(self._path, error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            found = os.pread(self._file, 4096, 0).decode("utf-8", "replace").strip()
            os.close(self._file)
            raise Conflict(
                f"the graph is in use by {found or 'another process'}",
                code="GRAPH_IN_USE",
                path=str(path),
                cure="stop that process, or send the command to it (TWINFALL_URL)",
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"process {os.getpid()} {holder}".strip().encode(), 0)

    def release(self) -> None:
        """Give the right back. The file stays: removing it would race with the next holder."""
        os.ftruncate(self._file, 0)
        os.close(self._file)


def _not_writable(path: Path, error: OSError) -> BadSettings:
    return BadSettings(
        f"cannot write here: {error.strerror}",
        path=str(path),
        cure="make the folder writable, or choose another data folder (TWINFALL_DIR)",
    )


@contextmanager
def limited(db: sqlite3.Connection) -> Iterator[None]:
    """Break off a question that takes longer than READ_SECONDS: Refused TOO_COSTLY."""
    end = time.monotonic() + READ_SECONDS
    db.set_progress_handler(lambda: time.monotonic() > end, STEPS_BETWEEN_LOOKS)
    try:
        yield
    except sqlite3.OperationalError:
        if time.monotonic() <= end:
            raise
        raise Refused(
            f"the question took longer than {READ_SECONDS:g} s and was broken off",
            code="TOO_COSTLY",
            cure="ask for less at once, or filter on fewer relationships",
        ) from None
    finally:
        db.set_progress_handler(None, 0)


@contextmanager
def translated(what: str, path: Path | None = None) -> Iterator[None]:
    """SQLite's errors as errors that say who must do what."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translate(error, what, "" if path is None else str(path)) from error


def _translate(error: sqlite3.Error, what: str, path: str) -> TwinError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if isinstance(error, sqlite3.ProgrammingError):
        return Unavailable(f"the {what} is closed", path=path)
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return BadSettings(
            f"the {what} is not a readable SQLite file ({error})",
            path=path,
            cure="restore it from a backup, or choose another data folder (TWINFALL_DIR)",
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return BadSettings(
            f"the {what} cannot be written ({error})",
            path=path,
            cure="make the folder writable, or choose another data folder (TWINFALL_DIR)",
        )
    if code == sqlite3.SQLITE_FULL:
        return Unavailable(
            f"no space left for the {what}; nothing was written",
            path=path,
            cure="free space on this disk; Twinfall goes on by itself",
        )
    if code in (sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_ERROR):
        return Refused(f"the {what} cannot answer this query: {error}", code="TOO_COSTLY")
    return Unavailable(f"the {what} does not answer ({error})", path=path)
