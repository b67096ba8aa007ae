"""The actions of one service: records in the data folder, alarms of the learned watch."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from twinfall.analytics.alarms import Alarm
from twinfall.analytics.states import Change, Reason
from twinfall.analytics.watching import Watch
from twinfall.api.actions.actions import Actions
from twinfall.api.actions.keeping import Standing
from twinfall.api.actions.policyfile import FILE_NAME as POLICY_NAME
from twinfall.api.actions.policyfile import PolicyFile
from twinfall.api.actions.webhook import Webhooks
from twinfall.api.networks import Networks
from twinfall.api.settings import Settings
from twinfall.api.states import States
from twinfall.graph.graph import Graph
from twinfall.graph.records import FILE_NAME, Records, Severity, alarm_id
from twinfall.graph.records import Alarm as Recorded

WATCH = "watch"
"""The source of the learned watch's alarms, before the detector's model."""
STATE = "state"
"""The source of the live state's alarms, before the state."""
STATE_GRACE = 120.0
"""Seconds after the start in which a state that was not bad yet clears no alarm: limits that must
be crossed for a while have to see that while again."""
SILENCE_GRACE = 60.0
"""Seconds after the start in which silence is no alarm: it may have been us who did not listen."""


def actions_over(settings: Settings, folder: Path, graph: Graph, networks: Networks) -> Actions:
    """The actions over this graph, not started yet.

    Raises BadSettings for a bad policy or records file.
    """
    policy = policy_of(settings, folder)
    webhooks = Webhooks(settings.webhook_allow, settings.webhook_secret.reveal())
    return Actions(Records(folder / FILE_NAME), graph, networks, policy, webhooks)


def policy_of(settings: Settings, folder: Path) -> PolicyFile:
    """The policy that the settings name, else the one in the data folder. Raises BadSettings."""
    named = bool(settings.policy)
    path = Path(settings.policy) if named else folder / POLICY_NAME
    return PolicyFile(path, settings.webhook_allow, named=named)


def attend(actions: Actions, watch: Watch) -> None:
    """Have the actions hear the learned watch, and agree with it about what stands."""

    def heard(alarm: Alarm) -> None:
        one = _standing(alarm)
        if alarm.state == "CLEARED":
            actions.clear(alarm_id(one.twin, one.source, one.onset))
        else:
            actions.alarm(one.twin, one.source, one.severity, one.onset, one.explanation)

    watch.listen(heard)
    actions.follow(WATCH, lambda: [_standing(alarm) for alarm in watch.standing()])


def attend_states(actions: Actions, states: States) -> None:
    """Have every asset that fails or degrades by itself, or falls silent, raise an alarm."""
    began = time.monotonic()

    def standing() -> list[Standing]:
        young = time.monotonic() - began < SILENCE_GRACE
        now = states.live.standing()
        found = []
        for state, ids in (
            ("failed", now.failed),
            ("degraded", now.degraded),
            ("unknown", now.unknown),
        ):
            for id_ in ids:
                reason = states.live.reason(id_)
                if reason is not None and _alarms(reason, young=young):
                    found.append(_of_state(id_, state, reason))
        return found

    changed: set[str] = set()

    def heard(change: Change) -> None:
        changed.add(change.id)
        actions.look_soon()

    def sure(alarm: Recorded) -> bool:
        return alarm.twin in changed or time.monotonic() - began >= STATE_GRACE

    states.live.listen(heard)
    actions.follow(STATE, standing, sure)


def _alarms(reason: Reason, *, young: bool) -> bool:
    """Whether a reason is one for an alarm of its own: learned alarms are told by the watch."""
    return reason.kind in ("limit", "operator") or (reason.kind == "stale" and not young)


def _of_state(id_: str, state: str, reason: Reason) -> Standing:
    told = {name: value for name, value in asdict(reason).items() if value is not None}
    severity: Severity = "critical" if state == "failed" else "warning"
    onset = reason.since if reason.since is not None else time.time_ns()
    return Standing(id_, f"{STATE}:{state}", severity, onset, told, exact=False)


def _standing(alarm: Alarm) -> Standing:
    return Standing(
        alarm.twin, f"{WATCH}:{alarm.model}", "warning", alarm.onset, explanation(alarm)
    )


def explanation(alarm: Alarm) -> Mapping[str, Any]:
    """Why the watch raised it: the sensors that explain most of it, and whose they are."""
    return {
        "score": alarm.score,
        "suspect": alarm.suspect,
        "detector": alarm.detector,
        "sensors": [
            {
                "twin": one.address,
                "name": one.name,
                "unit": one.unit or None,
                "share": one.share,
                "observed": one.observed,
                "expected": one.expected,
            }
            for one in alarm.symptoms
        ],
    }
