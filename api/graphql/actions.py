"""Alarms, work orders, commands and the outbox in GraphQL."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from twinfall.api.actions.actions import Actions, Caller
from twinfall.api.graphql.cursors import checked_first
from twinfall.api.graphql.durations import seconds
from twinfall.api.graphql.watches import instant
from twinfall.graph.records import Alarm, Asked, Delivery, Page, WorkOrder
from twinfall.ontology.errors import BadQuery, Refused, Unavailable

if TYPE_CHECKING:
    from twinfall.api.graphql.roots import Asking

SDL = '''
"""How bad an alarm is."""
enum AlarmSeverity { info warning critical }
"""`waiting` goes on being tried; `superseded`: a later one took its place."""
enum OutboxState { waiting done failed expired superseded }

"""An asset that does not do well, since `onset`, by `source`. Alarms that follow from each other
are one incident.
"""
type Alarm {
  id: ID!
  twin: ID!
  "Who raised it: `watch:MODEL` is the learned watch."
  source: String!
  severity: AlarmSeverity!
  onset: DateTime!
  raised: DateTime!
  "Null while it is open."
  cleared: DateTime
  acknowledgedBy: String
  acknowledgedAt: DateTime
  note: String
  "Why it was raised, in the source's own members."
  explanation: JSON!
  "What failed next if the asset failed, when the alarm was raised. Null until it is known."
  impact: JSON
  incident: ID!
}
type AlarmConnection { totalCount: Int! nodes: [Alarm!]! pageInfo: PageInfo! }

"""Work to be done on a twin; in Neo4j a `_WorkOrder` node beside it."""
type WorkOrder {
  id: ID!
  twin: ID!
  title: String!
  "low, normal or high."
  priority: String!
  opened: DateTime!
  openedBy: String!
  "Null while it is open."
  closed: DateTime
  closedBy: String
  note: String
  alarm: ID
  incident: ID
}
type WorkOrderConnection { totalCount: Int! nodes: [WorkOrder!]! pageInfo: PageInfo! }

"""Something on its way out: a webhook, an MQTT message, or (inside) a work order into the graph."""
type OutboxDelivery {
  "The idempotency key that the receiver sees."
  key: ID!
  "webhook, mqtt, node or assess."
  kind: String!
  "Of a URL only scheme, host and port: its path may be a secret."
  target: String!
  state: OutboxState!
  attempts: Int!
  alarm: ID
  created: DateTime!
  "When it is tried next; null when it is finished."
  next: DateTime
  finished: DateTime
  "What came back last."
  answer: String
}
type OutboxConnection { totalCount: Int! nodes: [OutboxDelivery!]! pageInfo: PageInfo! }

"""What an asset answered. `error` is in its own words; `problems` say where the payload is not what
the ontology promises.
"""
type CommandReply { payload: JSON error: String problems: [String!]! }

"""Who did what. `before` and `after` are hashes of what was changed."""
type AuditLine {
  at: DateTime!
  who: String!
  what: String!
  subject: String!
  before: String
  after: String
  request: String
}

extend type Query {
  "Newest first; `open: true` those not cleared."
  alarms(
    open: Boolean, twin: ID, incident: ID, first: Int = 25, after: String
  ): AlarmConnection!
  "Newest first; `open: true` those not closed."
  workOrders(
    open: Boolean, twin: ID, incident: ID, first: Int = 25, after: String
  ): WorkOrderConnection!
  "What is being sent and was sent in the last 30 days, newest first; for operators."
  outbox(state: OutboxState, first: Int = 25, after: String): OutboxConnection!
  "Newest first; for admins."
  audit(first: Int = 25): [AuditLine!]!
}
extend type Mutation {
  acknowledgeAlarm(id: ID!, note: String): Alarm!
  openWorkOrder(twin: ID!, title: String!, priority: String = "normal"): WorkOrder!
  closeWorkOrder(id: ID!, note: String): WorkOrder!
  "Send a command that the model declares, and wait for the asset's reply, up to PT60S."
  sendCommand(twin: ID!, name: String!, payload: JSON, timeout: Duration = "PT10S"): CommandReply!
  "Wish a value for a writable property. It is retained at the broker until another wish."
  setDesired(twin: ID!, name: String!, value: JSON): OutboxDelivery!
  "Try a delivery anew that failed or expired."
  sendAgain(key: ID!): OutboxDelivery!
}
'''

MAX_AUDIT = 500
Record = Mapping[str, Any]


def alarms(asking: Asking, arguments: Record) -> Record:
    """A page of alarms."""
    page = _actions(asking).records.alarms(_asked(arguments))
    return _connection(page, [_alarm(one) for one in page.rows])


def work_orders(asking: Asking, arguments: Record) -> Record:
    """A page of work orders."""
    page = _actions(asking).records.work_orders(_asked(arguments))
    return _connection(page, [_work_order(one) for one in page.rows])


def outbox(asking: Asking, arguments: Record) -> Record:
    """A page of deliveries."""
    _require_operator(asking, "see the outbox")
    records = _actions(asking).records
    first, state = checked_first(arguments["first"], pages=True), arguments.get("state")
    rows = records.deliveries(state, _before(arguments.get("after")), first + 1)
    counts = records.delivery_counts()
    total = sum(counts.values()) if state is None else counts.get(state, 0)
    shown = rows[:first]
    return {
        "totalCount": total,
        "nodes": [_delivery(one) for one in shown],
        "pageInfo": _page_info(len(rows) > first, shown[-1].ix if shown else None),
    }


def audit(asking: Asking, arguments: Record) -> list[Record]:
    """The newest lines of the audit."""
    if not asking.access.writes:
        raise Refused(f"role {asking.access.role} cannot see the audit", cure="use role admin")
    first = min(checked_first(arguments["first"]), MAX_AUDIT)
    return [
        {
            "at": instant(line.at),
            "who": line.who,
            "what": line.what,
            "subject": line.subject,
            "before": line.before,
            "after": line.after,
            "request": line.request or None,
        }
        for line in _actions(asking).records.audit(first=first)
    ]


def change(asking: Asking, name: str, arguments: Record) -> Record:
    """Do what one of `MUTATIONS` asks."""
    _require_operator(asking, "work with alarms, work orders and commands")
    caller = Caller(asking.access.name, asking.request_id)
    return MUTATIONS[name](_actions(asking), arguments, caller)


def _acknowledge(actions: Actions, arguments: Record, caller: Caller) -> Record:
    return _alarm(actions.acknowledge(arguments["id"], arguments.get("note") or "", caller))


def _open(actions: Actions, arguments: Record, caller: Caller) -> Record:
    twin, title, priority = (arguments[name] for name in ("twin", "title", "priority"))
    return _work_order(actions.open_work_order(twin, title, priority or "normal", caller))


def _close(actions: Actions, arguments: Record, caller: Caller) -> Record:
    note = arguments.get("note") or ""
    return _work_order(actions.close_work_order(arguments["id"], note, caller))


def _command(actions: Actions, arguments: Record, caller: Caller) -> Record:
    limit = seconds(arguments.get("timeout") or "PT10S", "timeout")
    payload = arguments.get("payload")
    reply = actions.command(arguments["twin"], arguments["name"], payload, limit, caller)
    return {
        "payload": reply.payload,
        "error": reply.error,
        "problems": [str(problem) for problem in reply.problems],
    }


def _desire(actions: Actions, arguments: Record, caller: Caller) -> Record:
    value = arguments.get("value")
    return _delivery(actions.desire(arguments["twin"], arguments["name"], value, caller))


def _again(actions: Actions, arguments: Record, caller: Caller) -> Record:
    return _delivery(actions.send_again(arguments["key"], caller))


MUTATIONS: Mapping[str, Callable[[Actions, Record, Caller], Record]] = {
    "acknowledgeAlarm": _acknowledge,
    "openWorkOrder": _open,
    "closeWorkOrder": _close,
    "sendCommand": _command,
    "setDesired": _desire,
    "sendAgain": _again,
}
QUERIES: Mapping[str, tuple[str, Callable[[Asking, Record], Any]]] = {
    "alarms": ("AlarmConnection", alarms),
    "workOrders": ("WorkOrderConnection", work_orders),
    "outbox": ("OutboxConnection", outbox),
    "audit": ("AuditLine", audit),
}
"""Root fields, the types of their answers, and who answers."""


def _actions(asking: Asking) -> Actions:
    if asking.actions is None:
        raise Unavailable(
            "no records are kept here", cure="ask a running server: `twinfall serve` keeps them"
        )
    return asking.actions


def _require_operator(asking: Asking, what: str) -> None:
    if not asking.access.operates:
        raise Refused(
            f"role {asking.access.role} cannot {what}", cure="use a key with role operator"
        )


def _asked(arguments: Record) -> Asked:
    return Asked(
        arguments.get("open"),
        arguments.get("twin"),
        arguments.get("incident"),
        _before(arguments.get("after")),
        checked_first(arguments["first"], pages=True),
    )


def _connection(page: Page[Any], rows: list[Record]) -> Record:
    last = page.rows[-1].ix if page.rows else None
    return {"totalCount": page.total, "nodes": rows, "pageInfo": _page_info(page.more, last)}


def _page_info(more: bool, last: int | None) -> Record:
    cursor = None
    if last is not None:
        cursor = base64.urlsafe_b64encode(orjson.dumps(["record", last])).decode().rstrip("=")
    return {"hasNextPage": more, "endCursor": cursor}


def _before(after: str | None) -> int | None:
    if after is None:
        return None
    try:
        found = orjson.loads(base64.urlsafe_b64decode(after[:64] + "=" * (-len(after[:64]) % 4)))
        if found[0] == "record" and type(found[1]) is int and 0 <= found[1] < 2**62:
            return int(found[1])
    except (ValueError, TypeError, LookupError):
        pass
    raise BadQuery("`after` is not a cursor of this list", cure="pass its endCursor")


def _time(time: int | None) -> str | None:
    return None if time is None else instant(time)


def _alarm(one: Alarm) -> Record:
    return {
        "id": one.id,
        "twin": one.twin,
        "source": one.source,
        "severity": one.severity,
        "onset": instant(one.onset),
        "raised": instant(one.raised),
        "cleared": _time(one.cleared),
        "acknowledgedBy": one.acknowledged_by,
        "acknowledgedAt": _time(one.acknowledged_at),
        "note": one.note,
        "explanation": one.explanation,
        "impact": one.impact,
        "incident": one.incident,
    }


def _work_order(one: WorkOrder) -> Record:
    return {
        "id": one.id,
        "twin": one.twin,
        "title": one.title,
        "priority": one.priority,
        "opened": instant(one.opened),
        "openedBy": one.opened_by,
        "closed": _time(one.closed),
        "closedBy": one.closed_by,
        "note": one.note,
        "alarm": one.alarm,
        "incident": one.incident,
    }


def _delivery(one: Delivery) -> Record:
    return {
        "key": one.key,
        "kind": one.kind,
        "target": "/".join(one.target.split("/")[:3]) if one.kind == "webhook" else one.target,
        "state": one.state,
        "attempts": one.attempts,
        "alarm": one.alarm,
        "created": instant(one.created),
        "next": instant(one.next_at) if one.state == "waiting" else None,
        "finished": _time(one.finished),
        "answer": one.answer,
    }
