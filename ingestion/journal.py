"""The journal: what was acknowledged, on disk before the acknowledgement.

One SQLite file in WAL mode with synchronous=FULL; a batch is one row. It is the truth until the
history has taken a batch over. Refused readings and new series are rows of the same file, so that
one commit covers a frame whole.
"""

from __future__ import annotations

import sqlite3
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import orjson

from twinfall.graph.sqlite.connections import open_file
from twinfall.ingestion.frame import Block, Fault
from twinfall.ontology.errors import Unavailable

_APPLICATION = 0x54774A6C  # "TwJl"
_STEPS = (
    """CREATE TABLE batches (offset INTEGER PRIMARY KEY AUTOINCREMENT, count INTEGER NOT NULL,
       block BLOB NOT NULL)""",
    """CREATE TABLE series (id INTEGER PRIMARY KEY, twin TEXT NOT NULL, name TEXT NOT NULL,
       kind TEXT NOT NULL, unit TEXT, UNIQUE (twin, name))""",
    """CREATE TABLE dead_letters (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
       source TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, twin TEXT NOT NULL,
       name TEXT NOT NULL, raw BLOB NOT NULL)""",
    "CREATE INDEX dead_letters_by_code ON dead_letters (code, id)",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
)
_VERSION = 1
_HEAD = struct.Struct("<BI")
_KEEP_PAGES = 1000
REFUSED_BY = "refused "
"""Before the reason, in the name of a counter."""


def packed(block: Block) -> bytes:
    """A block as bytes: a version, a JSON head, then the columns."""
    head = {
        "n": len(block),
        "received": block.received,
        "source": block.source,
        "last": block.last_wins,
        "texts": [[i, text] for i, text in block.texts.items()],
        "seqs": [[i, seq] for i, seq in block.seqs.items()],
    }
    text = orjson.dumps(head)
    columns = (
        block.series.astype("<i4", copy=False),
        block.times.astype("<i8", copy=False),
        block.numbers.astype("<f8", copy=False),
        block.marks.astype("u1", copy=False),
    )
    return b"".join((_HEAD.pack(_VERSION, len(text)), text, *(c.tobytes() for c in columns)))


def unpacked(data: bytes) -> Block:
    """The inverse of `packed`."""
    version, length = _HEAD.unpack_from(data)
    if version != _VERSION:
        raise Unavailable(f"the journal holds a batch of format {version}", code="NEWER_FORMAT")
    head = orjson.loads(data[_HEAD.size : _HEAD.size + length])
    at, n = _HEAD.size + length, head["n"]
    columns = []
    for kind in ("<i4", "<i8", "<f8", "u1"):
        columns.append(np.frombuffer(data, kind, n, at))
        at += n * np.dtype(kind).itemsize
    series, times, numbers, marks = columns
    return Block(
        series,
        times,
        head["received"],
        numbers,
        marks,
        dict(head["texts"]),
        dict(head["seqs"]),
        head["source"],
        head["last"],
    )


@contextmanager
def writing(db: sqlite3.Connection, lock: threading.Lock) -> Iterator[None]:
    """One write of the journal's file, whole or not at all. Raises Unavailable DISK_FULL or
    STORE_UNAVAILABLE where it cannot be kept.
    """
    try:
        with lock, db:
            db.execute("BEGIN IMMEDIATE")
            yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        raise Unavailable(
            f"the journal cannot be written: {error}",
            code="DISK_FULL" if full else "STORE_UNAVAILABLE",
            cure="free some space; what was not acknowledged is to be sent again",
        ) from error


class Journal:
    """The journal's file. One thread appends; `lock` covers every write on the connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = open_file(path, _APPLICATION, _STEPS, "journal")
        self.db.execute(f"PRAGMA wal_autocheckpoint = {_KEEP_PAGES}")
        self.lock = threading.Lock()

    def append(self, blocks: Sequence[Block], faults: Sequence[tuple[str, Fault]]) -> list[int]:
        """Commit blocks and refused readings together, on disk on return; the blocks' offsets.

        Raises Unavailable where the disk is full or failing: then nothing of it is kept.
        """
        now = time.time_ns()
        rows = [
            (now, source, f.code, f.message[:1000], f.twin, f.name, f.raw) for source, f in faults
        ]
        stored = sum(len(block) for block in blocks)
        with writing(self.db, self.lock):
            offsets = []
            for block in blocks:
                row = (len(block), packed(block))
                done = self.db.execute("INSERT INTO batches(count, block) VALUES (?, ?)", row)
                offsets.append(int(done.lastrowid or 0))
            self.db.executemany(
                "INSERT INTO dead_letters(at, source, code, message, twin, name, raw)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._count("stored", stored)
            self._count("refused", len(rows))
            for code, count in Counter(fault.code for _, fault in faults).items():
                self._count(f"{REFUSED_BY}{code}", count)
        return offsets

    def _count(self, name: str, more: int) -> None:
        if more:
            self.db.execute(
                "INSERT INTO counters VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
                (name, more),
            )

    def counted(self) -> dict[str, int]:
        """Readings stored and refused since the folder began, the latter by reason too."""
        with self.lock:
            return dict(self.db.execute("SELECT name, value FROM counters"))

    def after(self, offset: int, limit: int, readings: int) -> Iterator[tuple[int, Block]]:
        """Batches beyond an offset, in order: at most `limit`, and none more once they hold so many
        readings.
        """
        with self.lock:
            last = total = 0
            for at, count in self.db.execute(
                "SELECT offset, count FROM batches WHERE offset > ? ORDER BY offset LIMIT ?",
                (offset, limit),
            ):
                last, total = at, total + count
                if total >= readings:
                    break
            rows = self.db.execute(
                "SELECT offset, block FROM batches WHERE offset > ? AND offset <= ?"
                " ORDER BY offset",
                (offset, last),
            ).fetchall()
        for at, data in rows:
            yield at, unpacked(data)

    def trim(self, offset: int) -> None:
        """Forget batches up to an offset: the history has them."""
        with writing(self.db, self.lock):
            self.db.execute("DELETE FROM batches WHERE offset <= ?", (offset,))

    def unmoved(self) -> int:
        """Readings that the history does not have yet."""
        with self.lock:
            return int(self.db.execute("SELECT coalesce(sum(count), 0) FROM batches").fetchone()[0])

    def size(self) -> int:
        """Bytes on disk, the write-ahead log included."""
        names = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(path.stat().st_size for path in names if path.exists())

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self.db.close()
