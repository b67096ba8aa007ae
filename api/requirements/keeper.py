"""Keeper: requirements checked again whenever the plant, its state or their file has changed.

Checks run in a thread of their own: changes are gathered for a moment, and a check that took long
rests for several times as long, so that a busy plant is not slowed by being looked at.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twinfall.analytics.requirements import (
    Finding,
    GraphTwins,
    Report,
    Requirements,
    Vocabulary,
    check,
    finding_json,
    read_requirements,
)
from twinfall.graph.records import NewRequirementEvent, Records, RequirementEvent
from twinfall.ontology.errors import TwinError, Unavailable

if TYPE_CHECKING:
    from twinfall.analytics import AssetNetwork
    from twinfall.api.networks import Networks
    from twinfall.api.requirements.file import RequirementsFile, Stamp
    from twinfall.graph.graph import Graph

LOOK_SECONDS = 1.0
"""Between looks whether something has changed."""
REST = 5
"""A check is followed by so many times its own duration of rest."""
RETRY_SECONDS = 10.0
"""Between looks while the store is away."""
STOP_SECONDS = 10.0
Listener = Callable[[RequirementEvent], None]
log = logging.getLogger("twinfall.requirements")


@dataclass(frozen=True, slots=True)
class Kept:
    """What the last check found; `since` (ns) by requirement. `problem`: why there is none."""

    report: Report | None = None
    since: dict[str, int] = field(default_factory=dict)
    events: dict[str, RequirementEvent] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a check was made of."""

    assets: AssetNetwork
    stamp: Stamp
    until: float
    """When (ns) time alone may change a verdict: a skip ends."""


class Keeper:
    """Keeps the requirements of one file on one graph. Safe from many threads."""

    def __init__(
        self,
        file: RequirementsFile,
        graph: Graph,
        networks: Networks,
        records: Records,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self.file = file
        self.kept = Kept()
        self._graph = graph
        self._networks = networks
        self._records = records
        self._now = now
        self._basis: _Basis | None = None
        self._listeners: list[Listener] = []
        self._checking = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    # -- life -----------------------------------------------------------------------------

    def start(self) -> None:
        """Check in the background from now on."""
        self._thread = threading.Thread(target=self._run, name="requirements", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Check nothing any more."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every change of a verdict, once it is recorded, in the checking
        thread; it must be quick. Returns how to stop that.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def current(self) -> Kept:
        """The verdicts on the plant as it is now: checked again if anything has changed."""
        self.look()
        return self.kept

    def events(self, name: str | None, first: int) -> list[RequirementEvent]:
        """Changes of verdicts, newest first, of one requirement or of all."""
        return self._records.requirement_events(name, first)

    # -- checking -------------------------------------------------------------------------

    def look(self) -> bool:
        """Check if anything has changed since the last time; whether it did. Raises Unavailable
        where the store is away.
        """
        with self._checking:
            stamp = self.file.stamp()
            if stamp is None:
                self._basis, self.kept = None, Kept()
                return False
            assets, basis = self._networks.current(), self._basis
            now = self._now()
            if basis and basis.assets is assets and basis.stamp == stamp and now < basis.until:
                return False
            self._check(assets, stamp, now)
            return True

    def _check(self, assets: AssetNetwork, stamp: Stamp, now: int) -> None:
        try:
            text = self.file.read()
            requirements = read_requirements(text, Vocabulary.of(self._graph.models))
            report = check(requirements, assets, now, GraphTwins(self._graph.fetch))
        except Unavailable:
            raise
        except TwinError as error:
            if str(error) != self.kept.problem:
                log.error("the requirements cannot be checked: %s: %s", self.file.path, error)
            self.kept = Kept(problem=str(error))
            self._basis = _Basis(assets, stamp, float("inf"))
            return
        self._keep(report)
        self._basis = _Basis(assets, stamp, _next_skip(requirements, now))

    def _keep(self, report: Report) -> None:
        events = {one.name: one for one in self._records.last_requirement_events()}
        fresh: list[RequirementEvent] = []
        for finding in report.findings:
            last = events.get(finding.requirement.name)
            if last is None or last.verdict != finding.verdict:
                made = self._record(finding, last, report)
                events[made.name] = made
                fresh.append(made)
        names = [finding.requirement.name for finding in report.findings]
        since = {name: events[name].at for name in names}
        self.kept = Kept(report, since, {name: events[name] for name in names})
        for event in fresh:
            self._tell(event)

    def _record(
        self, finding: Finding, last: RequirementEvent | None, report: Report
    ) -> RequirementEvent:
        before = None if last is None else last.verdict
        name = finding.requirement.name
        told = finding_json(finding, report.names)
        new = NewRequirementEvent(name, before, finding.verdict, report.snapshot, told)
        with self._records.change("requirement", name, who="requirements") as change:
            return change.note_verdict(new)

    def _tell(self, event: RequirementEvent) -> None:
        log.info("requirement %r: %s", event.name, event.verdict)
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:  # a stranger's code: the next one must be told all the same
                log.exception("a listener to requirements stumbled")

    def _run(self) -> None:
        rest = 0.0
        while not self._closing.wait(max(LOOK_SECONDS, rest)):
            began = time.monotonic()
            try:
                self.look()
                rest = REST * (time.monotonic() - began)
            except TwinError as error:
                rest = RETRY_SECONDS
                log.warning("the requirements could not be checked: %s", error)
            except Exception:  # a worker's loop: it must go on
                rest = RETRY_SECONDS
                log.exception("the requirements could not be checked")


def _next_skip(requirements: Requirements, now: int) -> float:
    ends = [one.skip.until for one in requirements.items if one.skip and one.skip.until > now]
    return min(ends, default=float("inf"))
