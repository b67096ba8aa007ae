"""From an alarm and its impact to what is done: work orders and deliveries, in one transaction.

What the ontology must be asked about is asked before the transaction; in it, only the records are
written. Every action has a key that follows from incident (or alarm), rule and place in the rule:
whatever happens in between, it is done once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from twinfall.api.actions.commands import Commands
from twinfall.api.actions.policy import (
    Action,
    CallWebhook,
    Event,
    Facts,
    OpenWorkOrder,
    Rule,
    SendCommand,
    filled,
)
from twinfall.api.actions.view import View
from twinfall.graph.records import (
    Alarm,
    Change,
    NewAlarm,
    NewDelivery,
    NewWorkOrder,
    WorkOrder,
)
from twinfall.ontology.errors import TwinError, Unavailable

NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """One action made ready: where it goes and with what, or why it cannot be done."""

    action: Action
    target: str = ""
    payload: Any = None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """A rule that acts, and its steps."""

    rule: Rule
    steps: tuple[Step, ...]


def values_of(alarm: Alarm | NewAlarm, view: View) -> dict[str, str]:
    """What texts of the policy may name."""
    return {
        "twin": alarm.twin,
        "model": view.model,
        "severity": alarm.severity,
        "source": alarm.source,
        "state": view.state,
        "alarm": alarm.id,
        "affected": str(view.count),
    }


def facts_of(alarm: Alarm | NewAlarm, event: Event, view: View) -> Facts:
    """What rules may ask."""
    return Facts(
        event,
        alarm.severity,
        alarm.source,
        view.state,
        view.models,
        view.count,
        view.customers,
        values_of(alarm, view),
    )


def prepare(rules: Sequence[Rule], facts: Facts, commands: Commands) -> list[Response]:
    """Make the steps of these rules ready. Raises Unavailable where the store is away."""
    return [
        Response(rule, tuple(_step(one, facts, commands) for one in rule.actions)) for rule in rules
    ]


def _step(action: Action, facts: Facts, commands: Commands) -> Step:
    if isinstance(action, CallWebhook):
        return Step(action, action.url)
    if isinstance(action, OpenWorkOrder):
        return Step(action, filled(action.title, facts.values))
    twin = filled(action.twin, facts.values)
    try:
        if isinstance(action, SendCommand):
            order = commands.order(twin, action.name, action.payload)
        else:
            order = commands.wish(twin, action.name, action.value)
    except Unavailable as error:
        if error.code == "MQTT_UNAVAILABLE":
            return Step(action, f"{twin}/{action.name}", refusal=str(error))
        raise
    except TwinError as error:
        return Step(action, f"{twin}/{action.name}", refusal=str(error))
    return Step(action, order.topic, order.payload)


def respond(
    change: Change, alarm: Alarm, event: Event, view: View, responses: Sequence[Response]
) -> None:
    """Write down what is to be done."""
    told = told_of(alarm, event, view)
    for response in responses:
        rule = response.rule
        if event == "cleared" and rule.once == "incident" and change.is_open(alarm.incident):
            continue
        scope = alarm.incident if rule.once == "incident" else alarm.id
        order: WorkOrder | None = None
        for n, step in enumerate(response.steps):
            key = _key(scope, rule.name, event, n)
            if isinstance(step.action, OpenWorkOrder):
                order = open_work_order(change, _new_order(key, alarm, rule, step))
                continue
            more = {"rule": rule.name, "workOrder": order.id if order else None}
            _send(change, alarm, step, key, {**told, **more})


def _new_order(key: str, alarm: Alarm, rule: Rule, step: Step) -> NewWorkOrder:
    assert isinstance(step.action, OpenWorkOrder)
    title, priority = step.target.replace("{incident}", alarm.incident), step.action.priority
    made = NewWorkOrder(key, alarm.twin, title, priority, alarm.id, alarm.incident)
    return replace(made, rule=rule.name)


def open_work_order(change: Change, new: NewWorkOrder) -> WorkOrder:
    """A work order, and its place in the graph as soon as the store takes it."""
    order, fresh = change.open_work_order(new)
    if fresh:
        show(change, order, "opened")
    return order


def show(change: Change, order: WorkOrder, event: str) -> None:
    """Have the graph show a work order as it is recorded."""
    key = f"{order.id}-{event}"
    change.send(NewDelivery(key, "node", "graph", {"workOrder": order.ix}, order.alarm))


def _send(change: Change, alarm: Alarm, step: Step, key: str, told: Mapping[str, Any]) -> None:
    action = step.action
    if isinstance(action, CallWebhook):
        change.send(NewDelivery(key, "webhook", step.target, told, alarm.id))
        return
    if isinstance(action, SendCommand):
        body = {"body": {"correlation": key, "payload": step.payload}, "retain": False}
        expires = alarm.raised + round(action.within * NANO)
        new = NewDelivery(key, "mqtt", step.target, body, alarm.id, expires)
    else:
        new = desired(key, step.target, step.payload, alarm.id)
    if step.refusal:
        change.refuse(new, step.refusal)
    else:
        change.send(new)


def desired(key: str, topic: str, value: Any, alarm: str | None = None) -> NewDelivery:
    """A desired value on its way; it takes the place of an older one that still waits."""
    return NewDelivery(key, "mqtt", topic, {"body": value, "retain": True}, alarm, replaces=True)


def told_of(alarm: Alarm, event: Event, view: View) -> dict[str, Any]:
    """What a webhook tells of an alarm."""
    return {
        "type": f"alarm.{event}",
        "alarm": {
            "id": alarm.id,
            "twin": alarm.twin,
            "model": view.model,
            "source": alarm.source,
            "severity": alarm.severity,
            "state": view.state,
            "onset": instant(alarm.onset),
            "raised": instant(alarm.raised),
            "cleared": None if alarm.cleared is None else instant(alarm.cleared),
            "explanation": alarm.explanation,
        },
        "incident": alarm.incident,
        "impact": view.impact,
    }


def instant(time: int) -> str:
    """RFC 3339 in UTC to the millisecond, of a time in ns."""
    moment = datetime.fromtimestamp(time // 1_000_000 / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _key(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]
