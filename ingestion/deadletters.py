"""Dead letters: every refused reading with its reason and its bytes as they came."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from twinfall.ingestion.journal import Journal, writing

MAX_PAGE = 1000
_SELECT = "SELECT id, at, source, code, message, twin, name, raw FROM dead_letters"
_PAGE = f"{_SELECT} WHERE id > ? ORDER BY id LIMIT ?"
_PAGE_OF_CODE = f"{_SELECT} WHERE id > ? AND code = ? ORDER BY id LIMIT ?"
_THESE = f"{_SELECT} WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"  # noqa: S608 - no text of a user


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One refused reading. `at` in ns; `raw` is the row or message it came in, cut at 64 KiB."""

    id: int
    at: int
    source: str
    code: str
    message: str
    twin: str
    name: str
    raw: bytes


class DeadLetters:
    """The refused readings of a journal; safe from many threads."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def page(self, code: str | None = None, after: int = 0, first: int = 100) -> list[DeadLetter]:
        """The oldest beyond id `after`, at most `first`."""
        limit = min(first, MAX_PAGE)
        if code is None:
            return self._read(_PAGE, [after, limit])
        return self._read(_PAGE_OF_CODE, [after, code, limit])

    def show(self, ids: Sequence[int]) -> list[DeadLetter]:
        """Those of these that are there."""
        return self._read(_THESE, [json.dumps(list(ids))])

    def count(self) -> dict[str, int]:
        """How many there are, by reason."""
        query = "SELECT code, count(*) FROM dead_letters GROUP BY code ORDER BY code"
        with self._journal.lock:
            return dict(self._journal.db.execute(query).fetchall())

    def discard(self, ids: Sequence[int]) -> int:
        """Forget these; how many there were."""
        gone = 0
        db = self._journal.db
        with writing(db, self._journal.lock):
            for id_ in ids:
                gone += db.execute("DELETE FROM dead_letters WHERE id = ?", (id_,)).rowcount
        return gone

    def _read(self, query: str, values: Sequence[Any]) -> list[DeadLetter]:
        with self._journal.lock:
            rows = self._journal.db.execute(query, values).fetchall()
        return [DeadLetter(*row) for row in rows]
