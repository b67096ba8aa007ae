"""The audit: one line for each change, in the change's own transaction, never altered."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from twinfall.graph.records.rows import AuditLine

MAX_TEXT = 500
_LINE = "SELECT ix, at, who, what, subject, before, after, request, chain FROM audit"
_PAGE = f"{_LINE} WHERE ix < ? ORDER BY ix DESC LIMIT ?"
_ALL = f"{_LINE} ORDER BY ix"
_LAST = "SELECT chain FROM audit ORDER BY ix DESC LIMIT 1"
_ADD = (
    "INSERT INTO audit (at, who, what, subject, before, after, request, chain)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class Deed:
    """Who does what to which subject, and on which request."""

    what: str
    subject: str
    who: str
    request: str = ""


def content_hash(rows: Sequence[Any]) -> str | None:
    """A hash of what stands in these rows; None for none."""
    if not rows:
        return None
    text = orjson.dumps(list(rows), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()


def add_line(
    db: sqlite3.Connection, at: int, deed: Deed, before: Sequence[Any], after: Sequence[Any]
) -> None:
    """Add a line, in the transaction at hand."""
    values = (
        at,
        deed.who[:MAX_TEXT],
        deed.what[:MAX_TEXT],
        deed.subject[:MAX_TEXT],
        content_hash(before),
        content_hash(after),
        deed.request[:MAX_TEXT],
    )
    last = db.execute(_LAST).fetchone()
    db.execute(_ADD, (*values, _chained(last[0] if last else "", values)))


def page(db: sqlite3.Connection, before: int, first: int) -> list[AuditLine]:
    """The newest lines older than `before`."""
    return [AuditLine(*row) for row in db.execute(_PAGE, (before, first))]


def first_broken(db: sqlite3.Connection) -> int | None:
    """The first line that is not as it was written, or stands after a missing one; None where
    all is well.
    """
    return _first_broken(AuditLine(*row) for row in db.execute(_ALL))


def _first_broken(lines: Iterable[AuditLine]) -> int | None:
    chain, ix = "", 0
    for line in lines:
        values = (line.at, line.who, line.what, line.subject, line.before, line.after, line.request)
        if line.ix != ix + 1 or line.chain != _chained(chain, values):
            return line.ix
        chain, ix = line.chain, line.ix
    return None


def _chained(last: str, values: Sequence[Any]) -> str:
    return hashlib.sha256(orjson.dumps([last, *values])).hexdigest()
