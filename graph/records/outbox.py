"""The outbox's table: what is to be sent, in the transaction that decided it.

A delivery waits until it is done or given up; nothing leaves these final states but by a person's
wish (`again`). Attempts are counted before they are made, so that one which ends the process is
counted too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

import orjson

from twinfall.graph.records.rows import Delivery, DeliveryState, NewDelivery

MAX_WAITING = 100_000
"""Beyond it a delivery is recorded as failed at once: nobody could send so many."""
MAX_ANSWER = 2_000
COLUMNS = (
    "ix, key, kind, target, payload, alarm, created, expires, state, attempts, next_at, finished,"
    " answer"
)
_ADD = (
    "INSERT OR IGNORE INTO outbox"
    " (key, kind, target, payload, alarm, created, expires, next_at, state, finished, answer)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_REPLACE = (
    "UPDATE outbox SET state = 'superseded', finished = ?"
    " WHERE state = 'waiting' AND target = ? AND ix < ?"
)
_DUE = f"""
SELECT {COLUMNS} FROM outbox
WHERE state = 'waiting' AND next_at <= ? AND target NOT IN (SELECT value FROM json_each(?))
ORDER BY next_at, ix LIMIT 1
"""  # noqa: S608 - no text of a user
_OLDER = f"""
SELECT {COLUMNS} FROM outbox WHERE state = 'waiting' AND target = ? AND ix < ? AND next_at <= ?
ORDER BY ix LIMIT 1
"""  # noqa: S608
_NEXT = """
SELECT min(next_at) FROM outbox
WHERE state = 'waiting' AND target NOT IN (SELECT value FROM json_each(?))
"""


def add(db: sqlite3.Connection, new: NewDelivery, now: int) -> int | None:
    """Keep a delivery; its number, None where its key is known."""
    waiting = db.execute("SELECT count(*) FROM outbox WHERE state = 'waiting'").fetchone()[0]
    full = waiting >= MAX_WAITING
    payload = orjson.dumps(new.payload).decode()
    row = (new.key, new.kind, new.target, payload, new.alarm, now, new.expires, now)
    last = ("failed", now, "the outbox is full") if full else ("waiting", None, None)
    done = db.execute(_ADD, (*row, *last))
    if done.rowcount == 0:
        return None
    ix = int(done.lastrowid or 0)
    if new.replaces and not full:
        db.execute(_REPLACE, (now, new.target, ix))
    return ix


def due(db: sqlite3.Connection, now: int, busy: Collection[str]) -> Delivery | None:
    """What waits longest past its time, for none of the `busy` targets."""
    found = db.execute(_DUE, (now, orjson.dumps(sorted(busy)).decode())).fetchone()
    if found is None:
        return None
    one = delivery(found)
    # Of what is due for one target the oldest goes first, however often it was put off.
    older = db.execute(_OLDER, (one.target, one.ix, now)).fetchone()
    return delivery(older) if older else one


def next_due(db: sqlite3.Connection, busy: Collection[str]) -> int | None:
    """When the next one is due; None where nothing waits."""
    found = db.execute(_NEXT, (orjson.dumps(sorted(busy)).decode(),)).fetchone()[0]
    return None if found is None else int(found)


def begin(db: sqlite3.Connection, ix: int) -> None:
    """Count an attempt that is about to be made."""
    db.execute(
        "UPDATE outbox SET attempts = attempts + 1 WHERE ix = ? AND state = 'waiting'", (ix,)
    )


def put_off(db: sqlite3.Connection, ix: int, until: int, answer: str) -> None:
    """Wait until then; what was replaced meanwhile stays so."""
    db.execute(
        "UPDATE outbox SET next_at = ?, answer = ? WHERE ix = ? AND state = 'waiting'",
        (until, answer[:MAX_ANSWER], ix),
    )


def finish(db: sqlite3.Connection, ix: int, state: DeliveryState, answer: str, now: int) -> bool:
    """Into a final state; False where it was in one."""
    done = db.execute(
        "UPDATE outbox SET state = ?, answer = ?, finished = ?"
        " WHERE ix = ? AND state IN ('waiting', 'superseded')",
        (state, answer[:MAX_ANSWER], now, ix),
    )
    return done.rowcount == 1


def again(db: sqlite3.Connection, ix: int, now: int) -> None:
    """Send it once more, with all attempts before it."""
    db.execute(
        "UPDATE outbox SET state = 'waiting', attempts = 0, next_at = ?, finished = NULL,"
        " expires = NULL WHERE ix = ? AND state IN ('failed', 'expired')",
        (now, ix),
    )


def forget(db: sqlite3.Connection, before: int, limit: int) -> int:
    """Drop what was finished before then, at most `limit`; how many."""
    done = db.execute(
        "DELETE FROM outbox WHERE ix IN"
        " (SELECT ix FROM outbox WHERE finished < ? ORDER BY finished LIMIT ?)",
        (before, limit),
    )
    return done.rowcount


def delivery(row: tuple[object, ...]) -> Delivery:
    """A row of `COLUMNS`."""
    values = list(row)
    values[4] = orjson.loads(str(values[4]))
    return Delivery(*values)  # type: ignore[arg-type]
