"""Dead letters in GraphQL: what was refused and why, tried again or thrown away."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twinfall.api.graphql.cursors import checked_first
from twinfall.api.graphql.watches import instant
from twinfall.ontology.errors import BadQuery, Refused, Unavailable

if TYPE_CHECKING:
    from twinfall.api.graphql.roots import Asking
    from twinfall.ingestion.deadletters import DeadLetter
    from twinfall.ingestion.telemetry import Telemetry

SDL = '''
"""A reading, or what should have been one, that was refused: with its bytes as they came."""
type DeadLetter {
  id: ID!
  "When it came."
  at: DateTime!
  "Over which way, such as `http`, `line ns`, `mqtt`, `replay`."
  source: String!
  "The reason: UNKNOWN_TWIN, BAD_VALUE, FUTURE, ..."
  code: String!
  message: String!
  twin: ID
  name: String
  "At most 64 KiB; bytes that are no UTF-8 as \\\\xNN."
  raw: String!
  rawBase64: String!
}
type DeadLetterConnection { totalCount: Int! nodes: [DeadLetter!]! pageInfo: PageInfo! }
type DeadLetterCount { code: String! count: Int! }
"""Readings stored, and readings refused once more: those are dead letters again, with new ids."""
type ReplayResult { stored: Int! refused: Int! }
type DiscardResult { discarded: Int! }

extend type Query {
  "What was refused, the oldest first, of every reason or of one; for operators."
  deadLetters(code: String, first: Int = 25, after: String): DeadLetterConnection!
  "How many dead letters there are, by reason."
  deadLetterCounts: [DeadLetterCount!]!
}
extend type Mutation {
  "Judge these again, as if they had just come."
  replayDeadLetters(ids: [ID!]!): ReplayResult!
  "Throw these away."
  discardDeadLetters(ids: [ID!]!): DiscardResult!
}
'''
MAX_AT_ONCE = 1_000
Record = Mapping[str, Any]


def page(asking: Asking, arguments: Record) -> Record:
    """A page of dead letters."""
    _require_operator(asking, "see what was refused")
    letters = _telemetry(asking).dead_letters
    first, code = checked_first(arguments["first"], pages=True), arguments.get("code")
    rows = letters.page(code, _id(arguments.get("after") or "0", "after"), first + 1)
    counts = letters.count()
    shown = rows[:first]
    return {
        "totalCount": sum(counts.values()) if code is None else counts.get(code, 0),
        "nodes": [_letter(row) for row in shown],
        "pageInfo": {
            "hasNextPage": len(rows) > first,
            "endCursor": str(shown[-1].id) if shown else None,
        },
    }


def counts(asking: Asking, _: Record) -> list[Record]:
    """How many there are, by reason."""
    found = _telemetry(asking).dead_letters.count()
    return [{"code": code, "count": count} for code, count in sorted(found.items())]


def change(asking: Asking, name: str, arguments: Record) -> Record:
    """Do what one of `MUTATIONS` asks."""
    _require_operator(asking, "work with dead letters")
    ids = arguments["ids"]
    if len(ids) > MAX_AT_ONCE:
        raise Refused(
            f"{len(ids)} dead letters at once; at most {MAX_AT_ONCE} are taken", code="TOO_COSTLY"
        )
    return MUTATIONS[name](_telemetry(asking), [_id(one, "ids") for one in ids])


def _replay(telemetry: Telemetry, ids: Sequence[int]) -> Record:
    stored, refused = telemetry.replay(ids)
    return {"stored": stored, "refused": refused}


def _discard(telemetry: Telemetry, ids: Sequence[int]) -> Record:
    return {"discarded": telemetry.dead_letters.discard(ids)}


MUTATIONS: Mapping[str, Callable[[Telemetry, Sequence[int]], Record]] = {
    "replayDeadLetters": _replay,
    "discardDeadLetters": _discard,
}
QUERIES: Mapping[str, tuple[str, Callable[[Asking, Record], Any]]] = {
    "deadLetters": ("DeadLetterConnection", page),
    "deadLetterCounts": ("DeadLetterCount", counts),
}
"""Root fields, the types of their answers, and who answers."""


def _telemetry(asking: Asking) -> Telemetry:
    if asking.telemetry is None:
        raise Unavailable("no readings are kept here", cure="ask a running server")
    return asking.telemetry()


def _require_operator(asking: Asking, what: str) -> None:
    if not asking.access.operates:
        raise Refused(
            f"role {asking.access.role} cannot {what}", cure="use a key with role operator"
        )


def _id(text: str, path: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadQuery(f"{text[:40]!r} is not the id of a dead letter", path=path)
    return int(text)


def _letter(one: DeadLetter) -> Record:
    return {
        "id": str(one.id),
        "at": instant(one.at),
        "source": one.source,
        "code": one.code,
        "message": one.message,
        "twin": one.twin or None,
        "name": one.name or None,
        "raw": one.raw.decode("utf-8", "backslashreplace"),
        "rawBase64": base64.b64encode(one.raw).decode(),
    }
