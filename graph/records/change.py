"""One change of the records: all of it, with its line in the audit, or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from twinfall.graph.records import outbox, requirements, scenarios
from twinfall.graph.records.audit import Deed, add_line
from twinfall.graph.records.reading import alarms_where, work_orders_where
from twinfall.graph.records.rows import (
    Alarm,
    Delivery,
    DeliveryState,
    NewAlarm,
    NewDelivery,
    NewRequirementEvent,
    NewWorkOrder,
    RequirementEvent,
    SavedScenario,
    WorkOrder,
)
from twinfall.ontology.errors import UnknownName

MAX_AFFECTED = 1_000
"""Affected assets kept with an alarm, by which later alarms find their incident."""
MAX_NOTE = 2_000
_ADD_ALARM = (
    "INSERT INTO alarms (id, twin, source, severity, onset, raised, explanation, impact, affected,"
    " incident) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INCIDENT = """
SELECT incident FROM alarms
WHERE cleared IS NULL AND (
    twin IN (SELECT value FROM json_each(:near))
    OR EXISTS (SELECT 1 FROM json_each(alarms.affected) WHERE value = :twin)
) ORDER BY ix LIMIT 1
"""
_ADD_ORDER = (
    "INSERT OR IGNORE INTO work_orders"
    " (key, twin, title, priority, opened, opened_by, alarm, incident, rule)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Change:
    """What a change writes. Methods may be called in any number; what changes nothing leaves no
    line in the audit.
    """

    def __init__(self, db: sqlite3.Connection, deed: Deed, now: int) -> None:
        self._db = db
        self._deed = deed
        self.now = now
        self._before: list[Any] = []
        self._after: list[Any] = []
        self.enqueued = False
        """Whether something is to be sent now."""

    def close(self) -> None:
        """Add the line to the audit, if anything changed."""
        if self._before or self._after:
            add_line(self._db, self.now, self._deed, self._before, self._after)

    # -- alarms ---------------------------------------------------------------------------

    def raise_alarm(self, new: NewAlarm) -> tuple[Alarm, bool]:
        """The alarm, and whether it is new. It joins the incident of an open alarm that it is
        a consequence of, or that is a consequence of it.
        """
        known = alarms_where(self._db, "id = ?", (new.id,))
        if known:
            return known[0], False
        row = (new.id, new.twin, new.source, new.severity, new.onset, self.now)
        self._db.execute(
            _ADD_ALARM,
            (
                *row,
                _json(dict(new.explanation)),
                None if new.impact is None else _json(dict(new.impact)),
                _json(list(new.affected[:MAX_AFFECTED])),
                self._incident(new.twin, new.affected) or new.id,
            ),
        )
        made = self._alarm(new.id)
        self._after.append(made)
        return made, True

    def assess(self, id_: str, impact: dict[str, Any], affected: Collection[str]) -> Alarm:
        """Note what follows from an alarm, where that was not known when it was raised."""
        old = self._alarm(id_)
        incident = self._incident(old.twin, affected) or old.incident
        self._db.execute(
            "UPDATE alarms SET impact = ?, affected = ?, incident = ? WHERE id = ?",
            (_json(impact), _json(list(affected)[:MAX_AFFECTED]), incident, id_),
        )
        return self._changed(old)

    def clear_alarm(self, id_: str) -> Alarm | None:
        """It is over; None where there is no such open alarm."""
        found = alarms_where(self._db, "id = ? AND cleared IS NULL", (id_,))
        if not found:
            return None
        # Whom it would take along only matters to alarms that are raised while it is open.
        self._db.execute(
            "UPDATE alarms SET cleared = ?, affected = '[]' WHERE id = ?", (self.now, id_)
        )
        return self._changed(found[0])

    def acknowledge(self, id_: str, note: str) -> Alarm:
        """Somebody has seen it; the first who said so stays. Raises UnknownName."""
        old = self._alarm(id_)
        if old.acknowledged_at is not None:
            return old
        self._db.execute(
            "UPDATE alarms SET acknowledged_by = ?, acknowledged_at = ?, note = ? WHERE id = ?",
            (self._deed.who, self.now, note[:MAX_NOTE] or None, id_),
        )
        return self._changed(old)

    def is_open(self, incident: str) -> bool:
        """Whether an alarm of the incident is still open."""
        query = "SELECT 1 FROM alarms WHERE incident = ? AND cleared IS NULL LIMIT 1"
        return self._db.execute(query, (incident,)).fetchone() is not None

    def _changed(self, old: Alarm) -> Alarm:
        new = self._alarm(old.id)
        self._before.append(old)
        self._after.append(new)
        return new

    def _alarm(self, id_: str) -> Alarm:
        found = alarms_where(self._db, "id = ?", (id_,))
        if not found:
            raise UnknownName(f"there is no alarm {id_[:64]!r}", cure="`alarms` lists them")
        return found[0]

    def _incident(self, twin: str, affected: Collection[str]) -> str | None:
        near = _json([twin, *list(affected)[:MAX_AFFECTED]])
        found = self._db.execute(_INCIDENT, {"near": near, "twin": twin}).fetchone()
        return str(found[0]) if found else None

    # -- work orders ----------------------------------------------------------------------

    def open_work_order(self, new: NewWorkOrder) -> tuple[WorkOrder, bool]:
        """The work order of this key, and whether it is new; an open one of the same rule on the
        same twin stands for it.
        """
        if new.rule is not None:
            known = work_orders_where(
                self._db, "rule = ? AND twin = ? AND closed IS NULL", (new.rule, new.twin), 1
            )
            if known:
                return known[0], False
        row = (new.key, new.twin, new.title, new.priority, self.now, self._deed.who)
        done = self._db.execute(_ADD_ORDER, (*row, new.alarm, new.incident, new.rule))
        found = work_orders_where(self._db, "key = ?", (new.key,))[0]
        if done.rowcount:
            self._after.append(found)
        return found, bool(done.rowcount)

    def close_work_order(self, id_: str, note: str) -> WorkOrder:
        """The work is done; who closed it first stays. Raises UnknownName."""
        old = self._work_order(id_)
        if old.closed is not None:
            return old
        self._db.execute(
            "UPDATE work_orders SET closed = ?, closed_by = ?, note = ? WHERE ix = ?",
            (self.now, self._deed.who, note[:MAX_NOTE] or None, old.ix),
        )
        new = self._work_order(id_)
        self._before.append(old)
        self._after.append(new)
        return new

    def _work_order(self, id_: str) -> WorkOrder:
        number = id_.removeprefix("WO-")
        known = number.isascii() and number.isdigit() and len(number) < 16
        found = work_orders_where(self._db, "ix = ?", (int(number),)) if known else []
        if not found:
            raise UnknownName(
                f"there is no work order {id_[:64]!r}", cure="`workOrders` lists them"
            )
        return found[0]

    # -- deliveries -----------------------------------------------------------------------

    def send(self, new: NewDelivery) -> int | None:
        """Put it into the outbox; its number, None where its key was there."""
        ix = outbox.add(self._db, new, self.now)
        if ix is not None:
            self._after.append(asdict(new))
            self.enqueued = True
        return ix

    def refuse(self, new: NewDelivery, reason: str) -> None:
        """Record that something was to be sent and cannot be."""
        ix = outbox.add(self._db, new, self.now)
        if ix is not None:
            outbox.finish(self._db, ix, "failed", reason, self.now)
            self._after.append([asdict(new), reason])

    def finish(self, delivery: Delivery, state: DeliveryState, answer: str) -> None:
        """A delivery has come to its end."""
        if outbox.finish(self._db, delivery.ix, state, answer, self.now):
            self._before.append(delivery)
            self._after.append([delivery.key, state, answer])

    def note_answer(self, key: str, target: str, answer: str) -> bool:
        """What came back to a command that was sent to `target`; False for an unknown one."""
        done = self._db.execute(
            "UPDATE outbox SET answer = ? WHERE key = ? AND target = ? AND kind = 'mqtt'",
            (answer[: outbox.MAX_ANSWER], key, target),
        )
        if done.rowcount:
            self._after.append([key, answer])
        return bool(done.rowcount)

    def send_again(self, key: str) -> Delivery:
        """Try a delivery anew that was given up. Raises UnknownName."""
        old = self.delivery(key)
        if old.state in ("failed", "expired"):
            outbox.again(self._db, old.ix, self.now)
            self._before.append(old)
            self._after.append([key, "waiting"])
            self.enqueued = True
        return self.delivery(key)

    def delivery(self, key: str) -> Delivery:
        """A delivery by its key. Raises UnknownName."""
        query = f"SELECT {outbox.COLUMNS} FROM outbox WHERE key = ?"  # noqa: S608 - our columns
        found = self._db.execute(query, (key,)).fetchone()
        if found is None:
            raise UnknownName(f"there is no delivery {key[:100]!r}", cure="`outbox` lists them")
        return outbox.delivery(found)

    # -- requirements ---------------------------------------------------------------------

    def note_verdict(self, new: NewRequirementEvent) -> RequirementEvent:
        """The verdict on a requirement has changed."""
        made = requirements.add(self._db, new, self.now)
        self._after.append(made)
        return made

    # -- scenarios ------------------------------------------------------------------------

    def save_scenario(self, name: str, scenario: str) -> SavedScenario:
        """Keep a scenario, in place of the one of this name."""
        made = SavedScenario(name, scenario, self.now, self._deed.who)
        scenarios.put(self._db, made)
        self._after.append(made)
        return made

    def delete_scenario(self, name: str) -> None:
        """Forget a scenario. Raises UnknownName."""
        self._before.append(scenarios.one(self._db, name))
        scenarios.drop(self._db, name)
        self._after.append("deleted")

    # -- what leaves no record of its own -------------------------------------------------

    def note(self, *content: Any) -> None:
        """Something done elsewhere that belongs into the audit, by its content's hash."""
        self._after.extend(content or ["done"])


def _json(value: dict[str, Any] | Sequence[Any]) -> str:
    return orjson.dumps(value).decode()
