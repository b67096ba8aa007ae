"""The table of saved scenarios: by name, as they were written."""

from __future__ import annotations

import sqlite3
from typing import Any

from twinfall.graph.records.rows import SavedScenario
from twinfall.ontology.errors import Refused, UnknownName

MAX_SAVED = 1_000
_COLUMNS = "name, scenario, saved, saved_by"
_PUT = (
    "INSERT INTO scenarios (name, scenario, saved, saved_by) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (name) DO UPDATE SET scenario = excluded.scenario, saved = excluded.saved,"
    " saved_by = excluded.saved_by"
)


def put(db: sqlite3.Connection, made: SavedScenario) -> None:
    """Keep one, in place of the one of this name. Raises Refused where there are too many."""
    (count,) = db.execute("SELECT count(*) FROM scenarios WHERE name <> ?", (made.name,)).fetchone()
    if count >= MAX_SAVED:
        raise Refused(
            f"{MAX_SAVED} scenarios are saved already", code="TOO_LARGE", cure="delete some"
        )
    db.execute(_PUT, (made.name, made.scenario, made.saved, made.saved_by))


def drop(db: sqlite3.Connection, name: str) -> None:
    """Forget one. Raises UnknownName."""
    if not db.execute("DELETE FROM scenarios WHERE name = ?", (name,)).rowcount:
        raise UnknownName(f"no scenario is called {name[:128]!r}")


def every(db: sqlite3.Connection) -> list[SavedScenario]:
    """All, by name."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM scenarios ORDER BY name")  # noqa: S608
    return [_made(row) for row in rows]


def one(db: sqlite3.Connection, name: str) -> SavedScenario:
    """The one of this name. Raises UnknownName."""
    query = f"SELECT {_COLUMNS} FROM scenarios WHERE name = ?"  # noqa: S608
    row = db.execute(query, (name,)).fetchone()
    if row is None:
        raise UnknownName(f"no scenario is called {name[:128]!r}", cure="`scenarios` lists them")
    return _made(row)


def _made(row: tuple[Any, ...]) -> SavedScenario:
    name, scenario, saved, saved_by = row
    return SavedScenario(name, scenario, saved, saved_by)
