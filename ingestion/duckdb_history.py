"""History in DuckDB: columns without keys, a file a month, duplicates removed when read.

Appending is a bulk insert of the batch's columns, ordered by series and time, which is what makes
them small on disk. The journal's offset is written in the same transaction as the readings of each
file, so a batch that spans months and was cut by a crash is completed, never doubled.
"""

from __future__ import annotations

import itertools
import math
import shutil
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from twinfall.ingestion.frame import NO_SEQ, Block
from twinfall.ingestion.history import Points, Window
from twinfall.ingestion.judging import joined
from twinfall.ingestion.windows import summed
from twinfall.ontology.errors import BadSettings, Unavailable

FORMAT = 1
_MEMORY = "512MB"
_THREADS = 2
_TABLES = """
CREATE TABLE IF NOT EXISTS readings (
  series INTEGER NOT NULL, time BIGINT NOT NULL, seq BIGINT, number DOUBLE, text VARCHAR,
  mark UTINYINT NOT NULL, received BIGINT NOT NULL, last BOOLEAN NOT NULL);
CREATE TABLE IF NOT EXISTS latest (
  series INTEGER NOT NULL, time BIGINT NOT NULL, seq BIGINT, number DOUBLE, text VARCHAR,
  mark UTINYINT NOT NULL, received BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS meta (format INTEGER NOT NULL, moved BIGINT NOT NULL);
"""


_APPEND = (
    "INSERT INTO readings SELECT series, time, nullif(seq, -1), number, nullif(text, ''), mark,"
    " received, last FROM incoming",
    # Of one instant the first stays, or the last of those whose source lets the last win.
    """CREATE OR REPLACE TEMP TABLE newest AS SELECT series, max(time) AS time,
    arg_max(seq, rank) AS seq, arg_max(number, rank) AS number, arg_max(text, rank) AS text,
    arg_max(mark, rank) AS mark, arg_max(received, rank) AS received, arg_max(last, rank) AS last
    FROM (SELECT *, (time, seq, CASE WHEN last THEN place ELSE -1 - place END) AS rank
    FROM incoming) GROUP BY series""",
    """DELETE FROM latest USING newest WHERE latest.series = newest.series
    AND (latest.time < newest.time OR (latest.time = newest.time
    AND (coalesce(latest.seq, -1) < newest.seq
    OR (coalesce(latest.seq, -1) = newest.seq AND newest.last))))""",
    "INSERT INTO latest SELECT series, time, nullif(seq, -1), number, nullif(text, ''), mark,"
    " received FROM newest WHERE series NOT IN (SELECT series FROM latest)",
)


def month_of(time: int) -> str:
    """The file of an instant in ns."""
    return datetime.fromtimestamp(time // 10**9, UTC).strftime("%Y-%m")


class _File:
    """One month."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.db = duckdb.connect(
                str(path),
                config={
                    "memory_limit": _MEMORY,
                    "threads": _THREADS,
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                    "enable_external_access": False,
                },
            )
            self.db.execute(_TABLES)
            found = self.db.execute("SELECT format, moved FROM meta").fetchall()
            if not found:
                self.db.execute("INSERT INTO meta VALUES (?, 0)", [FORMAT])
                found = [(FORMAT, 0)]
        except duckdb.Error as error:
            raise BadSettings(
                f"the history cannot be opened: {error}",
                path=str(path),
                cure="is another process using it? else restore a backup, or move the file away",
            ) from error
        if found[0][0] > FORMAT:
            self.db.close()
            raise BadSettings("was written by a newer Twinfall", path=str(path), cure="update")
        self.moved = int(found[0][1])


class DuckDBHistory:
    """See HistoryStore."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._files: dict[str, _File] = {}
        for path in sorted(folder.glob("????-??.duckdb")):
            self._files[path.stem] = _File(path)

    def append(self, blocks: Sequence[Block], offset: int) -> None:
        """See HistoryStore."""
        if not blocks or offset <= self.offset():
            return
        whole = joined(blocks)
        last = np.concatenate([np.full(len(b), b.last_wins) for b in blocks])
        received = np.concatenate([np.full(len(b), b.received, np.int64) for b in blocks])
        months = (whole.times // 10**9).astype("datetime64[s]").astype("datetime64[M]")
        # The newest file is always among them, and last: its offset is the history's.
        with self._lock:
            for month in sorted({str(m) for m in np.unique(months)} | self._newest()):
                at = np.flatnonzero(months == np.datetime64(month))
                self._append(month, whole, at, (last, received), offset)

    def _newest(self) -> set[str]:
        return {max(self._files)} if self._files else set()

    def _append(
        self,
        month: str,
        whole: Block,
        at: NDArray[np.int64],
        more: tuple[NDArray[np.bool_], NDArray[np.int64]],
        offset: int,
    ) -> None:
        file = self._file(month)
        if file.moved >= offset:
            return
        at = at[np.lexsort((at, whole.times[at], whole.series[at]))]
        seqs = np.full(len(whole), NO_SEQ, np.int64)
        for i, seq in whole.seqs.items():
            seqs[i] = seq
        texts = np.full(len(whole), None, dtype=object)
        for i, text in whole.texts.items():
            texts[i] = text
        columns: dict[str, NDArray[Any]] = {
            "series": whole.series[at],
            "time": whole.times[at],
            "seq": seqs[at],
            "number": whole.numbers[at],
            "mark": whole.marks[at],
            "received": more[1][at],
            "last": more[0][at],
            "place": at,
        }
        try:
            file.db.execute("BEGIN")
            if len(at):
                self._insert(file, columns, texts[at])
            file.db.execute("UPDATE meta SET moved = ?", [offset])
            file.db.execute("COMMIT")
        except duckdb.Error as error:
            self._undo(file)
            raise Unavailable(
                f"the history cannot be written: {error}", path=str(file.path), cure="free space"
            ) from error
        file.moved = offset

    def _insert(
        self, file: _File, columns: dict[str, NDArray[Any]], texts: NDArray[np.object_]
    ) -> None:
        source = dict(columns)
        filled = [text if text is not None else "" for text in texts]
        source["text"] = np.array(filled, object) if any(filled) else np.zeros(len(filled), "U1")
        file.db.register("incoming", source)
        try:
            for statement in _APPEND:
                file.db.execute(statement)
        finally:
            file.db.unregister("incoming")

    def _undo(self, file: _File) -> None:
        try:
            file.db.execute("ROLLBACK")
        except duckdb.Error:
            return  # a failed commit has rolled back already

    def _file(self, month: str) -> _File:
        if month not in self._files:
            self._files[month] = _File(self._folder / f"{month}.duckdb")
        return self._files[month]

    def offset(self) -> int:
        """See HistoryStore."""
        with self._lock:  # the newest file is written last, with every batch
            return self._files[max(self._files)].moved if self._files else 0

    def raw(self, series: Sequence[int], start: int, end: int) -> list[Block]:
        """Every reading kept of these series in [start, end), duplicates too, in order of arrival
        where it matters: what `summed` turns into points.
        """
        if not len(series) or start >= end:
            return []
        found = []
        wanted = np.asarray(sorted(set(series)), np.int32)
        for file in self._between(start, end):
            cursor = file.db.cursor()
            try:
                cursor.register("wanted", {"series": wanted})
                columns = cursor.execute(
                    "SELECT r.series, time, coalesce(seq, -1) AS seq, number, text, mark, received,"
                    " last FROM readings r SEMI JOIN wanted w ON r.series = w.series"
                    " WHERE time >= ? AND time < ? ORDER BY r.rowid",
                    [start, end],
                ).fetchnumpy()
            except duckdb.Error as error:
                raise Unavailable(f"the history cannot be read: {error}") from error
            finally:
                cursor.close()
            found += _blocks(columns)
        return found

    def within(self, series: Sequence[int], start: int, end: int) -> int:
        """See HistoryStore."""
        if not len(series) or start >= end:
            return 0
        total = 0
        wanted = np.asarray(sorted(set(series)), np.int32)
        for file in self._between(start, end):
            cursor = file.db.cursor()
            try:
                cursor.register("wanted", {"series": wanted})
                row = cursor.execute(
                    "SELECT count(*) FROM readings r SEMI JOIN wanted w ON r.series = w.series"
                    " WHERE time >= ? AND time < ?",
                    [start, end],
                ).fetchone()
            except duckdb.Error as error:
                raise Unavailable(f"the history cannot be read: {error}") from error
            finally:
                cursor.close()
            total += int(row[0]) if row else 0
        return total

    def _between(self, start: int, end: int) -> list[_File]:
        with self._lock:
            first, last = month_of(max(start, -(2**62))), month_of(min(end, 2**62))
            return [file for month, file in sorted(self._files.items()) if first <= month <= last]

    def read(self, window: Window) -> list[Points]:
        """See HistoryStore."""
        return summed(self.raw(window.series, window.start, window.end), window)

    def aggregate(self, window: Window) -> Points:
        """See HistoryStore."""
        from twinfall.ingestion.windows import together

        return together(self.raw(window.series, window.start, window.end), window)

    def last(self, series: Sequence[int] | None = None) -> Block:
        """See HistoryStore."""
        found: list[Block] = []
        with self._lock:
            files = [file for _, file in sorted(self._files.items())]
        for file in files:
            columns = (
                file.db.cursor()
                .execute(
                    "SELECT series, time, coalesce(seq, -1) AS seq, number, text, mark, received,"
                    " false AS last FROM latest"
                )
                .fetchnumpy()
            )
            found += _blocks(columns)
        return joined(found) if found else _empty()

    def count(self) -> int:
        """See HistoryStore."""
        with self._lock:
            files = list(self._files.values())
        total = 0
        for file in files:
            row = file.db.cursor().execute("SELECT count(*) FROM readings").fetchone()
            total += int(row[0]) if row else 0
        return total

    def size(self) -> int:
        """See HistoryStore."""
        return sum(path.stat().st_size for path in self._folder.iterdir())

    def drop_before(self, time: int) -> int:
        """See HistoryStore."""
        gone = 0
        with self._lock:
            for month in sorted(self._files)[:-1]:
                if month >= month_of(time):
                    break
                file = self._files.pop(month)
                row = file.db.execute("SELECT count(*) FROM readings").fetchone()
                gone += int(row[0]) if row else 0
                file.db.close()
                for path in (file.path, file.path.with_name(file.path.name + ".wal")):
                    path.unlink(missing_ok=True)
        return gone

    def snapshot(self, folder: Path) -> None:
        """See HistoryStore."""
        with self._lock:
            for month, file in sorted(self._files.items()):
                file.db.execute("CHECKPOINT")
                shutil.copyfile(file.path, folder / f"{month}.duckdb")

    def close(self) -> None:
        """See HistoryStore."""
        with self._lock:
            for file in self._files.values():
                file.db.close()
            self._files = {}


def _blocks(columns: dict[str, Any]) -> list[Block]:
    """One block for each policy of who wins, so that `summed` can tell."""
    series = np.asarray(columns["series"], np.int32)
    if not len(series):
        return []
    last = np.asarray(columns["last"], np.bool_)
    cuts = [0, *(np.flatnonzero(np.diff(last)) + 1).tolist(), len(series)]
    texts, seqs = columns["text"], np.asarray(columns["seq"], np.int64)
    numbers = np.ma.filled(np.ma.asarray(columns["number"], np.float64), math.nan)
    missing = np.ma.getmaskarray(np.ma.asarray(texts))
    found = []
    for start, end in itertools.pairwise(cuts):
        part = slice(start, end)
        with_text = np.flatnonzero(~missing[part])
        found.append(
            Block(
                series[part],
                np.asarray(columns["time"][part], np.int64),
                int(columns["received"][start]),
                numbers[part],
                np.array(columns["mark"][part], np.uint8),
                {int(i): str(texts[start + int(i)]) for i in with_text},
                {int(i): int(seqs[start + i]) for i in np.flatnonzero(seqs[part] != NO_SEQ)},
                "history",
                bool(last[start]),
            )
        )
    return found


def _empty() -> Block:
    none = np.empty(0, np.int64)
    return Block(none.astype(np.int32), none, 0, none.astype(np.float64), none.astype(np.uint8))
