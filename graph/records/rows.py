"""What is recorded: alarms, work orders, deliveries of the outbox, lines of the audit.

Times are nanoseconds since 1970, UTC. `ix` is the order of recording and a page's cursor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least to the worst."""
DeliveryKind = Literal["webhook", "mqtt", "node", "assess"]
DeliveryState = Literal["waiting", "done", "failed", "expired", "superseded"]


def alarm_id(twin: str, source: str, onset: int) -> str:
    """The same for the same twin, source and onset: told twice, an alarm is one alarm."""
    return hashlib.sha256(f"{twin}\n{source}\n{onset}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class NewAlarm:
    """An asset does not do well, says `source`, since `onset`.

    `explanation` is JSON of the source's own. `impact` says what follows, as far as it is known,
    `affected` names those it would take along (a part of them where they are many).
    """

    twin: str
    source: str
    severity: Severity
    onset: int
    explanation: Mapping[str, Any] = field(default_factory=dict)
    impact: Mapping[str, Any] | None = None
    affected: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Follows from twin, source and onset."""
        return alarm_id(self.twin, self.source, self.onset)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A recorded alarm. It is open until it is cleared; alarms of one incident hang together."""

    ix: int
    id: str
    twin: str
    source: str
    severity: Severity
    onset: int
    raised: int
    cleared: int | None
    acknowledged_by: str | None
    acknowledged_at: int | None
    note: str | None
    explanation: Mapping[str, Any]
    impact: Mapping[str, Any] | None
    incident: str


@dataclass(frozen=True, slots=True)
class NewWorkOrder:
    """Work to be done on a twin. The same `key` again is the same work order, and so is another one
    by the same `rule` on the same twin, as long as it is open.
    """

    key: str
    twin: str
    title: str
    priority: str = "normal"
    alarm: str | None = None
    incident: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """A recorded work order; people call it by its `id`, such as `WO-17`."""

    ix: int
    key: str
    twin: str
    title: str
    priority: str
    opened: int
    opened_by: str
    closed: int | None
    closed_by: str | None
    note: str | None
    alarm: str | None
    incident: str | None

    @property
    def id(self) -> str:
        """As people say it."""
        return f"WO-{self.ix}"


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """Something to be sent out. The same `key` again is the same delivery.

    `target` is a URL or a topic. `expires` (ns): not sent any more from then on. With `replaces`
    it takes the place of whatever still waits for the same target.
    """

    key: str
    kind: DeliveryKind
    target: str
    payload: Any
    alarm: str | None = None
    expires: int | None = None
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery of the outbox. `next_at` is when it is tried next, `answer` what came last."""

    ix: int
    key: str
    kind: DeliveryKind
    target: str
    payload: Any
    alarm: str | None
    created: int
    expires: int | None
    state: DeliveryState
    attempts: int
    next_at: int
    finished: int | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class NewRequirementEvent:
    """The verdict on a requirement is another one than before (None: it is judged for the first
    time), on the graph of `snapshot`. `finding` is JSON: the verdict with its witnesses.
    """

    name: str
    before: str | None
    verdict: str
    snapshot: str
    finding: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RequirementEvent:
    """A recorded change of a verdict, `at` (ns)."""

    ix: int
    name: str
    before: str | None
    verdict: str
    at: int
    snapshot: str
    finding: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Who did what. `before` and `after` are hashes of what was changed; `chain` is a hash over
    this line and the one before, so that a changed or missing line shows.
    """

    ix: int
    at: int
    who: str
    what: str
    subject: str
    before: str | None
    after: str | None
    request: str
    chain: str


@dataclass(frozen=True, slots=True)
class SavedScenario:
    """A scenario as JSON text, when it was saved (ns) and by whom."""

    name: str
    scenario: str
    saved: int
    saved_by: str
