"""Cursors: opaque to callers, checked on the way in.

A cursor is the store's tuple (sort values, then ids) with a mark of the order it belongs to.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from twinfall.graph.plan import Sort
from twinfall.graph.values import FieldType
from twinfall.ontology.errors import BadQuery

MAX_FIRST = 500
"""Rows of a page."""
MAX_CURSOR = 4096
"""Characters of a cursor."""
_KINDS: dict[str, type | tuple[type, ...]] = {
    "boolean": bool,
    "integer": int,
    "unsignedLong": int,
    "float": (int, float),
}


def checked_first(first: Any, *, pages: bool = False) -> int:
    """The size of a page, of a list that has `after` or not (`pages`). Raises BadQuery."""
    if not isinstance(first, int) or not 1 <= first <= MAX_FIRST:
        more = pages and isinstance(first, int) and first > MAX_FIRST
        raise BadQuery(
            f"first is {first}, a page has 1 to {MAX_FIRST} rows",
            path="first",
            cure="take the next page with `after`" if more else f"ask for 1 to {MAX_FIRST}",
        )
    return first


def checked_position(after: str | None) -> int:
    """Where a page begins in a list whose cursors are positions. Raises BadQuery."""
    if after is None:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) < 10):
        raise BadQuery("`after` is not a cursor of this list", cure="pass its endCursor")
    return int(after)


def mark(place: str, sort: Sequence[Sort]) -> str:
    """Names an order of rows: of which connection, by which fields."""
    keys = [place, *(f"{s.field.on}.{s.field.name}.{s.descending}" for s in sort)]
    return hashlib.blake2b("\n".join(keys).encode(), digest_size=6).hexdigest()


def encode(cursor: tuple[Any, ...], order: str) -> str:
    """A cursor as callers see it."""
    return base64.urlsafe_b64encode(orjson.dumps([order, *cursor])).decode().rstrip("=")


def decode(text: str, order: str, kinds: Sequence[FieldType]) -> tuple[Any, ...]:
    """The store's tuple. Raises BadQuery where this is no cursor of this order."""
    try:
        if len(text) > MAX_CURSOR:
            raise ValueError
        padded = text + "=" * (-len(text) % 4)
        found = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        raise _foreign() from None
    if not isinstance(found, list) or len(found) != len(kinds) + 1 or found[0] != order:
        raise _foreign()
    values = found[1:]
    if not all(_fits(value, kind) for value, kind in zip(values, kinds, strict=True)):
        raise _foreign()
    return tuple(values)


def _fits(value: Any, kind: FieldType) -> bool:
    if value is None:
        return True
    wanted = _KINDS.get(kind, str)
    return isinstance(value, wanted) and (kind == "boolean" or not isinstance(value, bool))


def _foreign() -> BadQuery:
    return BadQuery(
        "`after` is not a cursor of this connection in this order",
        cure="pass endCursor or an edge's cursor of the same field with the same sort",
    )
