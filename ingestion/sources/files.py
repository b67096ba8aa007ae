"""Readings in files: CSV and Parquet, in long or in wide form.

Long: columns `twin`, `name`, `value` and `time`, `unit` if need be, a reading a row. Wide: the
first column is the time, each other one a reading named `twin:name`, or `name` of the one twin
given; an empty cell is no reading.
"""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from twinfall.ingestion.decoding.times import NS_LIMIT, BadTime, time_of
from twinfall.ontology.errors import BadInput

MAX_CELL = 1_000_000
ROWS_AT_ONCE = 5_000
MEMORY = "512MB"
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": MEMORY,
    "threads": 1,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_LONG = ("twin", "name", "value", "time")
_STAMPS = ("TIMESTAMP", "DATE")


class Cell(str):
    """A value as the text of a CSV cell: number, boolean or text, as the series has it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One reading of a file. `time` in ns; `fault` says why it is none."""

    line: int
    twin: str
    name: str
    value: Any
    time: int = 0
    unit: str | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class FileForm:
    """What a file does not say itself: the twin of a wide one, and whether times without a zone
    are UTC (otherwise they are refused).
    """

    twin: str = ""
    utc: bool = False


def entries(path: Path, form: FileForm) -> Iterator[Entry]:
    """The readings of a file in its order, read as they are taken. Raises BadInput BAD_FILE."""
    if not path.is_file():
        raise BadInput("there is no such file", code="BAD_FILE", path=str(path))
    rows = _parquet(path) if path.suffix.lower() in (".parquet", ".pq") else _csv(path)
    with closing(rows):
        head = next(rows, None)
        if head is None:
            raise BadInput("the file is empty", code="BAD_FILE", path=str(path))
        columns = _columns([str(name).strip() for name in head[1]], form, path)
        for line, cells in rows:
            yield from columns.read(line, cells)


_Rows = Generator[tuple[int, Sequence[Any]], None, None]


@dataclass(frozen=True, slots=True)
class _Long:
    twin: int
    name: int
    value: int
    time: int
    unit: int | None
    width: int
    utc: bool

    def read(self, line: int, cells: Sequence[Any]) -> Iterator[Entry]:
        if len(cells) != self.width:
            yield _uneven(line, cells, self.width)
            return
        twin, name, value = str(cells[self.twin]), str(cells[self.name]), cells[self.value]
        unit = None if self.unit is None else cells[self.unit] or None
        if value is not None and value != "":
            yield _entry(line, (twin, name), value, cells[self.time], self.utc, unit)


@dataclass(frozen=True, slots=True)
class _Wide:
    keys: list[tuple[str, str]]
    utc: bool

    def read(self, line: int, cells: Sequence[Any]) -> Iterator[Entry]:
        if len(cells) != len(self.keys) + 1:
            yield _uneven(line, cells, len(self.keys) + 1)
            return
        for key, value in zip(self.keys, cells[1:], strict=True):
            if value is not None and value != "":
                yield _entry(line, key, value, cells[0], self.utc)


def _columns(names: list[str], form: FileForm, path: Path) -> _Long | _Wide:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"the column {twice!r} stands twice", code="BAD_FILE", path=str(path))
    if set(_LONG) <= set(names):
        unit = names.index("unit") if "unit" in names else None
        at = [names.index(name) for name in _LONG]
        return _Long(at[0], at[1], at[2], at[3], unit, len(names), form.utc)
    keys = []
    for name in names[1:]:
        twin, colon, reading = name.rpartition(":")
        if not colon and not form.twin:
            raise BadInput(
                f"the column {name!r} names no twin",
                code="BAD_FILE",
                path=str(path),
                cure="name columns `twin:name`, or say which twin the file is of (--twin)",
            )
        keys.append((twin, reading) if colon else (form.twin, name))
    if not keys:
        raise BadInput("no column holds readings", code="BAD_FILE", path=str(path))
    return _Wide(keys, form.utc)


def _uneven(line: int, cells: Sequence[Any], width: int) -> Entry:
    fault = f"{len(cells)} cells where the first line has {width}"
    return Entry(line, "", "", [str(cell) for cell in cells], fault=fault)


def _entry(
    line: int, key: tuple[str, str], value: Any, time: Any, utc: bool, unit: str | None = None
) -> Entry:
    try:
        return Entry(line, *key, value, _instant(time, utc), unit)
    except BadTime as error:
        return Entry(line, *key, value, fault=str(error))


def _instant(time: Any, utc: bool) -> int:
    """A cell as ns: epoch milliseconds, RFC 3339, or a timestamp of Parquet as ns with its zone."""
    if time is None or time == "":
        raise BadTime("has no time, so that playing it again would double it")
    if isinstance(time, _Stamp):
        if not time.zoned and not utc:
            raise BadTime("its time has no zone; is it UTC (--utc)?")
        if not -NS_LIMIT < time.ns < NS_LIMIT:
            raise BadTime("a time must lie between 1677 and 2262")
        return time.ns
    if not isinstance(time, str):
        return time_of(time)
    text = time.strip()
    if text.lstrip("-").isdigit() and len(text) < 20:
        return time_of(int(text))
    try:
        return time_of(text)
    except BadTime:
        return time_of(_with_zone(text, utc))


def _with_zone(text: str, utc: bool) -> str:
    try:
        naive = datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        naive = False
    if naive and not utc:
        raise BadTime(f"{text[:60]!r} has no zone; is it UTC (--utc)?")
    if not naive:
        return text
    return f"{text}Z" if len(text) > len("2026-01-01") else f"{text}T00:00:00Z"


def _csv(path: Path) -> _Rows:
    csv.field_size_limit(MAX_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            for cells in rows:
                if cells:
                    yield rows.line_num, [Cell(cell) for cell in cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"cannot be read: {error}", code="BAD_FILE", path=str(path)) from None


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A timestamp of Parquet."""

    ns: int
    zoned: bool


def _parquet(path: Path) -> _Rows:
    try:
        with duckdb.connect(config=_CONFIG) as db:
            told = db.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
            names, kinds = [row[0] for row in told], [str(row[1]) for row in told]
            yield 1, names
            # Columns get names of ours, so that those of the file stay out of the query's text.
            ours = [f"c{i}" for i in range(len(names))]
            chosen = [
                f"epoch_ns({column}::{'TIMESTAMP' if kind == 'DATE' else kind})"
                if kind.startswith(_STAMPS)
                else column
                for column, kind in zip(ours, kinds, strict=True)
            ]
            query = f"SELECT {', '.join(chosen)} FROM read_parquet(?) AS t({', '.join(ours)})"  # noqa: S608 - no text of the file
            zoned = [_zoned(kind) for kind in kinds]
            found = db.execute(query, [str(path)])
            line = 1
            while rows := found.fetchmany(ROWS_AT_ONCE):
                for cells in rows:
                    line += 1
                    yield line, [_of_parquet(c, z) for c, z in zip(cells, zoned, strict=True)]
    except duckdb.Error as error:
        raise BadInput(f"cannot be read: {error}", code="BAD_FILE", path=str(path)) from None


def _zoned(kind: str) -> bool | None:
    """Whether a column of this kind says its zone; None where it holds no timestamps."""
    return "TIME ZONE" in kind if kind.startswith(_STAMPS) else None


def _of_parquet(cell: Any, zoned: bool | None) -> Any:
    if zoned is not None and cell is not None:
        return _Stamp(int(cell), zoned)
    return float(cell) if type(cell).__name__ == "Decimal" else cell
