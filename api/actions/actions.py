"""Actions: the door. Alarms come in, are recorded with their impact, and lead to what the policy
says; people acknowledge, close, command.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from twinfall.api.actions.commands import Commands, Link, Reply
from twinfall.api.actions.courier import ENDLESS, STOP_SECONDS, Courier, Patience, PutOff, Sender
from twinfall.api.actions.keeping import Followed, Standing, differences
from twinfall.api.actions.policy import Event
from twinfall.api.actions.policyfile import PolicyFile
from twinfall.api.actions.responding import (
    Response,
    desired,
    facts_of,
    open_work_order,
    prepare,
    respond,
    show,
)
from twinfall.api.actions.view import View, look
from twinfall.api.networks import Networks
from twinfall.graph.graph import Graph
from twinfall.graph.records import (
    Alarm,
    Asked,
    Change,
    Delivery,
    NewAlarm,
    NewDelivery,
    NewWorkOrder,
    Records,
    Severity,
    WorkOrder,
)
from twinfall.graph.twins import WorkOrderNode
from twinfall.ontology.errors import BadInput, TwinError, Unavailable, UnknownTwin

KEEP_SECONDS = 10.0
"""Between looks whether the records still agree with those who watch."""
LEAST_SECONDS = 0.5
"""Between two such looks, however much happens."""
DAY = 86_400 * 1_000_000_000
KEPT_DELIVERIES, KEPT_ALARMS = 30 * DAY, 400 * DAY
"""How long finished deliveries and cleared alarms are kept, in ns. The audit keeps their lines for
ever."""
MAX_TITLE = 500
SHOWN_AT_START = 500
"""Open work orders put into the graph at the start, in case it is another one by now."""
PRIORITIES = ("low", "normal", "high")
log = logging.getLogger("twinfall.actions")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, on which request."""

    who: str
    request: str = ""


class Actions:
    """Safe from many threads. What is recorded is durable when a call returns; what is to be sent
    is sent by threads of its own, so that nobody waits for a webhook.
    """

    def __init__(
        self,
        records: Records,
        graph: Graph,
        networks: Networks,
        policy: PolicyFile,
        webhook: Sender,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self.records = records
        self.commands = Commands(graph)
        self.policy = policy
        self._graph = graph
        self._networks = networks
        self._now = now
        self._followed: dict[str, Followed] = {}
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="actions", daemon=True)
        senders: dict[str, Sender] = {
            "webhook": webhook,
            "mqtt": self._publish,
            "node": self._show,
            "assess": self._assess,
        }
        self.courier = Courier(records, senders, _patience, now)

    # -- life -----------------------------------------------------------------------------

    def connect(self, link: Link) -> None:
        """Reach the assets over this connection."""
        self.commands.connect(link)

    def start(self) -> None:
        """Go on where the last run stopped."""
        self.courier.start()
        self._keeper.start()

    def stop(self) -> None:
        """Begin nothing more; what is not sent yet is sent after the next start."""
        self._stopping.set()
        self._woken.set()
        self.courier.stop()
        if self._keeper.is_alive():
            self._keeper.join(STOP_SECONDS)
        self.records.close()

    def status(self) -> dict[str, Any]:
        """Gauges: deliveries by state, open alarms and work orders, the policy's problem."""
        return {
            "deliveries": self.records.delivery_counts(),
            "openAlarms": self.records.alarms(Asked(open=True, first=0)).total,
            "openWorkOrders": self.records.work_orders(Asked(open=True, first=0)).total,
            "rules": len(self.policy.current().rules),
            "policyProblem": self.policy.problem or None,
        }

    # -- alarms ---------------------------------------------------------------------------

    def alarm(
        self,
        twin: str,
        source: str,
        severity: Severity,
        onset: int,
        explanation: Mapping[str, Any],
    ) -> str:
        """Record an alarm, its impact and what follows from the policy, in one transaction; its
        id, the same for the same twin, source and onset. Told again, it changes nothing.
        """
        new = NewAlarm(twin, source, severity, onset, explanation)
        if self.records.alarm(new.id) is not None:
            return new.id
        seen = self._seen(new, "raised")
        if seen is not None:
            view = seen[0]
            new = NewAlarm(twin, source, severity, onset, explanation, view.impact, view.affected)
        with self.records.change("raiseAlarm", new.id, who=source) as change:
            alarm, fresh = change.raise_alarm(new)
            if fresh:
                self._answer(change, alarm, "raised", seen)
        return new.id

    def clear(self, id_: str, who: str = "") -> bool:
        """It is over; False where no such alarm is open."""
        alarm = self.records.alarm(id_)
        if alarm is None or alarm.cleared is not None:
            return False
        seen = self._seen(alarm, "cleared")
        with self.records.change("clearAlarm", id_, who=who or alarm.source) as change:
            cleared = change.clear_alarm(id_)
            if cleared is not None:
                self._answer(change, cleared, "cleared", seen)
        return cleared is not None

    def follow(
        self,
        source: str,
        standing: Callable[[], Iterable[Standing]],
        sure: Callable[[Alarm], bool] = lambda _: True,
    ) -> None:
        """Keep the open alarms of a source as it knows them, at the start and from time to time:
        so that none is lost that was told while the disk was full, or just before a crash. What
        it does not name and is not `sure` about stays open.
        """
        self._followed[source] = Followed(standing, sure)

    def look_soon(self) -> None:
        """A followed source knows something new; returns at once."""
        self._woken.set()

    def agree(self) -> None:
        """Raise and clear what the followed sources know otherwise."""
        for source, followed in tuple(self._followed.items()):
            # In this order: an alarm told meanwhile is in the second of them at least.
            there = self.records.open_alarms(source)
            missing, over = differences(there, followed.standing())
            # Raised before cleared: what only got worse stays one incident.
            for one in missing:
                self._raise(one)
            for alarm in filter(followed.sure, over):
                self.clear(alarm.id)

    def _raise(self, one: Standing) -> None:
        onset = one.onset
        if not one.exact and self.records.alarm(one.id) is not None:
            onset = self._now()  # one of that onset was cleared, and it is back
        self.alarm(one.twin, one.source, one.severity, onset, one.explanation)

    def acknowledge(self, id_: str, note: str, caller: Caller) -> Alarm:
        """Somebody has seen the alarm. Raises UnknownName."""
        with self._change("acknowledgeAlarm", id_, caller) as change:
            return change.acknowledge(id_, note)

    # -- work orders ----------------------------------------------------------------------

    def open_work_order(self, twin: str, title: str, priority: str, caller: Caller) -> WorkOrder:
        """Work to be done on a twin. Raises UnknownTwin, BadInput."""
        if not title.strip() or len(title) > MAX_TITLE:
            raise BadInput(f"a title has 1 to {MAX_TITLE} characters", path="title")
        if priority not in PRIORITIES:
            raise BadInput(f"a priority is one of {', '.join(PRIORITIES)}", path="priority")
        if twin not in self._graph.store.nodes([twin]):
            raise UnknownTwin(f"there is no twin {twin[:200]!r}", path=twin[:200])
        with self._change("openWorkOrder", twin, caller) as change:
            return open_work_order(change, NewWorkOrder(uuid.uuid4().hex, twin, title, priority))

    def close_work_order(self, id_: str, note: str, caller: Caller) -> WorkOrder:
        """The work is done. Raises UnknownName."""
        with self._change("closeWorkOrder", id_, caller) as change:
            order = change.close_work_order(id_, note)
            show(change, order, "closed")
            return order

    # -- commands -------------------------------------------------------------------------

    def command(self, twin: str, name: str, payload: Any, seconds: float, caller: Caller) -> Reply:
        """Send a command and wait for its reply; raises as `Commands.order` and `ask`. The audit
        has it before it is sent.
        """
        order = self.commands.order(twin, name, payload)
        with self._change("sendCommand", f"{twin}/{name}", caller) as change:
            change.note(order.topic, payload)
        return self.commands.ask(order, seconds)

    def desire(self, twin: str, name: str, value: Any, caller: Caller) -> Delivery:
        """Wish a value for a writable property. It is published as soon as the broker is there,
        and stands until another wish for it.
        """
        order = self.commands.wish(twin, name, value)
        key = uuid.uuid4().hex
        with self._change("setDesired", f"{twin}/{name}", caller) as change:
            change.send(desired(key, order.topic, value))
            return change.delivery(key)

    def send_again(self, key: str, caller: Caller) -> Delivery:
        """Try a delivery anew that was given up. Raises UnknownName."""
        with self._change("sendAgain", key, caller) as change:
            return change.send_again(key)

    # -- how an alarm is answered ---------------------------------------------------------

    def _change(self, what: str, subject: str, caller: Caller) -> AbstractContextManager[Change]:
        return self.records.change(what, subject, who=caller.who, request=caller.request)

    def _seen(self, alarm: Alarm | NewAlarm, event: Event) -> tuple[View, list[Response]] | None:
        """How the asset stands and which rules act; None while the store is away."""
        try:
            view = look(self._graph, self._networks, alarm.twin)
            facts = facts_of(alarm, event, view)
            rules = [] if view.maintained else self.policy.current().matching(facts)
            return view, prepare(rules, facts, self.commands)
        except Unavailable as error:
            log.warning("alarm %s is answered later: %s", alarm.id, error)
            return None

    def _answer(
        self,
        change: Change,
        alarm: Alarm,
        event: Event,
        seen: tuple[View, list[Response]] | None,
    ) -> None:
        if seen is not None:
            respond(change, alarm, event, *seen)
            return
        key = f"assess-{alarm.id}-{event}"
        told = {"alarm": alarm.id, "event": event}
        change.send(NewDelivery(key, "assess", f"alarm {alarm.id}", told, alarm.id))

    # -- senders --------------------------------------------------------------------------

    def _assess(self, delivery: Delivery) -> str:
        """Answer an alarm that came while the store was away."""
        id_, event = delivery.payload["alarm"], delivery.payload["event"]
        alarm = self.records.alarm(id_)
        if alarm is None:
            return "the alarm is gone"
        seen = self._seen(alarm, event)
        if seen is None:
            raise PutOff("the store is away")
        with self.records.change("assessAlarm", id_, who="outbox") as change:
            if event == "raised":
                alarm = change.assess(id_, dict(seen[0].impact), seen[0].affected)
            respond(change, alarm, event, *seen)
        return f"{seen[0].count} more assets"

    def _publish(self, delivery: Delivery) -> str:
        payload = delivery.payload
        self.commands.publish(delivery.target, payload["body"], retain=payload["retain"])
        return "the broker has it"

    def _show(self, delivery: Delivery) -> str:
        order = self.records.work_order(delivery.payload["workOrder"])
        if order is None:
            return "the work order is gone"
        self._graph.store.put_work_orders([_node(order)])
        return f"beside {order.twin}"

    # -- the keeper -----------------------------------------------------------------------

    def _keep(self) -> None:
        self._guarded(self._show_open)
        while not self._stopping.is_set():
            self._guarded(self.agree)
            self._guarded(self.note_replies)
            self._guarded(self._forget)
            self._stopping.wait(LEAST_SECONDS)
            self._woken.wait(KEEP_SECONDS)
            self._woken.clear()

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except TwinError as error:
            log.warning("the records could not be kept up: %s", error)
        except Exception:  # a worker's loop: it must go on
            log.exception("the records could not be kept up")

    def _show_open(self) -> None:
        orders = self.records.work_orders(Asked(open=True, first=SHOWN_AT_START)).rows
        nodes = [_node(order) for order in orders]
        if nodes:
            self._graph.store.put_work_orders(nodes)

    def note_replies(self) -> None:
        """Note what assets answered to commands of the outbox."""
        for late in self.commands.late_replies():
            with self.records.change("reply", late.topic, who=late.topic) as change:
                change.note_answer(late.correlation, late.topic, late.text)

    def _forget(self) -> None:
        now = self._now()
        self.records.forget(now - KEPT_DELIVERIES, now - KEPT_ALARMS)


def _patience(delivery: Delivery) -> Patience:
    """Our own store and broker are waited for as long as it takes; strangers are not."""
    if delivery.kind in ("node", "assess"):
        return ENDLESS
    if delivery.kind == "mqtt" and delivery.payload["retain"]:
        return ENDLESS
    return Patience()


def _node(order: WorkOrder) -> WorkOrderNode:
    facts: dict[str, str | int | float | bool] = {
        "title": order.title,
        "state": "open" if order.closed is None else "closed",
        "priority": order.priority,
        "openedBy": order.opened_by,
    }
    for name, value in (("alarm", order.alarm), ("incident", order.incident), ("note", order.note)):
        if value is not None:
            facts[name] = value
    return WorkOrderNode(order.id, order.twin, f"{order.id} {order.title}", facts)


__all__ = ["Actions", "Caller"]
