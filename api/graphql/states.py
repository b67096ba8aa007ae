"""The live state in GraphQL: why an asset is as it is, and the words of people about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from twinfall.analytics import Reason
from twinfall.api.graphql.watches import instant, nanoseconds
from twinfall.api.states import States, Word
from twinfall.graph.statebook import Entry
from twinfall.ontology.errors import Refused, Unavailable

if TYPE_CHECKING:
    from twinfall.api.graphql.roots import Asking

SDL = '''
"""What decides about a state."""
enum StateReasonKind {
  "A reading beyond a declared limit."
  limit
  "A reading older than declared."
  stale
  "No reading yet."
  silent
  "An alarm of the learned watch."
  alarm
  "It is in maintenance: no failure, but it gives nothing to others."
  maintenance
  "A person said so."
  operator
  "What it depends on is down, or may be."
  dependency
  "A declaration that could not be followed."
  notEvaluated
}
"""Why an asset is in its state. `since` is the time of the first reading beyond the limit, of the
last reading that came, or when the person said it.
"""
type StateReason {
  kind: StateReasonKind!
  message: String!
  reading: String
  value: Float
  limit: Float
  since: DateTime
  until: DateTime
  who: String
  note: String
}
"""Optimistic: everything unknown is up. Pessimistic: all that this failure may take along, whatever
of the unknown is up or down.
"""
type ImpactBounds { optimistic: Totals! pessimistic: Totals! }
"""Somebody said how an asset is; `state` null: what was said before is taken back."""
type StateWord {
  twin: ID!
  "maintenance or forced."
  kind: String!
  state: String
  until: DateTime
  who: String!
  at: DateTime!
  note: String
}

extend type Query {
  "What people said of an asset's state, newest first."
  stateHistory(id: ID!, first: Int = 25): [StateWord!]!
}
extend type Mutation {
  "Take an asset out for maintenance, until then or until it is put back; for operators."
  maintenance(id: ID!, on: Boolean!, until: DateTime, note: String): StateWord!
  "Say how an asset is, whatever its readings say; null: as they say again. For operators."
  setState(id: ID!, state: State, note: String): StateWord!
}
'''

MAX_HISTORY = 500
Record = Mapping[str, Any]


def reason(found: Reason | None) -> Record | None:
    """A reason by field names."""
    if found is None:
        return None
    return {
        "kind": found.kind,
        "message": found.message,
        "reading": found.reading,
        "value": found.value,
        "limit": found.limit,
        "since": _time(found.since),
        "until": _time(found.until),
        "who": found.who,
        "note": found.note,
    }


def history(asking: Asking, arguments: Record) -> list[Record]:
    """What was said of one asset."""
    first = max(0, min(int(arguments["first"]), MAX_HISTORY))
    return [_word(entry) for entry in _states(asking).history(arguments["id"])[:first]]


def change(asking: Asking, name: str, arguments: Record) -> Record:
    """Do what one of `MUTATIONS` asks."""
    if not asking.access.operates:
        raise Refused(
            f"role {asking.access.role} cannot say how an asset is",
            cure="use a key with role operator",
        )
    until = arguments.get("until")
    word = Word(
        arguments["id"],
        asking.access.name,
        arguments.get("note") or "",
        None if until is None else nanoseconds(until),
    )
    return _word(MUTATIONS[name](_states(asking), word, arguments))


def _maintenance(states: States, word: Word, arguments: Record) -> Entry:
    return states.maintain(word, arguments["on"])


def _set_state(states: States, word: Word, arguments: Record) -> Entry:
    return states.force(word, arguments.get("state"))


MUTATIONS: Mapping[str, Callable[[States, Word, Record], Entry]] = {
    "maintenance": _maintenance,
    "setState": _set_state,
}
QUERIES: Mapping[str, tuple[str, Callable[[Asking, Record], Any]]] = {
    "stateHistory": ("StateWord", history),
}
"""Root fields, the types of their answers, and who answers."""


def _states(asking: Asking) -> States:
    if asking.states is None:
        raise Unavailable(
            "no states are kept here", cure="ask a running server: `twinfall serve` keeps them"
        )
    return asking.states


def _word(entry: Entry) -> Record:
    return {
        "twin": entry.twin,
        "kind": entry.kind,
        "state": entry.state,
        "until": _time(entry.until),
        "who": entry.who,
        "at": instant(entry.at),
        "note": entry.note or None,
    }


def _time(time: int | None) -> str | None:
    return None if time is None else instant(time)
