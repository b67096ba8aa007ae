"""The actions of one service: records in the data folder, alarms of the learned watch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinfall.analytics.alarms import Alarm
from twinfall.analytics.watching import Watch
from twinfall.api.actions.actions import Actions, Standing
from twinfall.api.actions.policyfile import FILE_NAME as POLICY_NAME
from twinfall.api.actions.policyfile import PolicyFile
from twinfall.api.actions.webhook import Webhooks
from twinfall.api.networks import Networks
from twinfall.api.settings import Settings
from twinfall.graph.graph import Graph
from twinfall.graph.records import FILE_NAME, Records, alarm_id

WATCH = "watch"
"""The source of the learned watch's alarms, before the detector's model."""


def actions_over(settings: Settings, folder: Path, graph: Graph, networks: Networks) -> Actions:
    """The actions over this graph, not started yet.

    Raises BadSettings for a bad policy or records file.
    """
    named = bool(settings.policy)
    path = Path(settings.policy) if named else folder / POLICY_NAME
    policy = PolicyFile(path, settings.webhook_allow, named=named)
    webhooks = Webhooks(settings.webhook_allow, settings.webhook_secret.reveal())
    return Actions(Records(folder / FILE_NAME), graph, networks, policy, webhooks)


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
