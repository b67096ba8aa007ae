"""The requirements of one service: which file, and the alarms that follow from a broken one."""

from __future__ import annotations

from pathlib import Path

from twinfall.api.actions.actions import Actions
from twinfall.api.actions.keeping import Standing
from twinfall.api.networks import Networks
from twinfall.api.requirements.file import FILE_NAME, RequirementsFile
from twinfall.api.requirements.keeper import Keeper
from twinfall.api.settings import Settings
from twinfall.graph.graph import Graph
from twinfall.graph.records import RequirementEvent, Severity

SOURCE = "requirement"
"""The source of alarms about broken requirements, before the requirement's name."""


def file_of(settings: Settings, folder: Path) -> RequirementsFile:
    """The file that the settings name, else the one in the data folder. Raises BadSettings."""
    named = bool(settings.requirements)
    path = Path(settings.requirements) if named else folder / FILE_NAME
    return RequirementsFile(path, named=named)


def keeper_over(
    settings: Settings, folder: Path, graph: Graph, networks: Networks, actions: Actions
) -> Keeper:
    """The keeper of a service, not started yet. Raises BadSettings for a file that is not there."""
    return Keeper(file_of(settings, folder), graph, networks, actions.records)


def attend_requirements(actions: Actions, keeper: Keeper) -> None:
    """Have a broken requirement raise an alarm on its worst witness, until it holds again, so
    that the policy can say what is done about it.
    """

    def standing() -> list[Standing]:
        found = (_alarm(event) for event in keeper.kept.events.values())
        return [one for one in found if one is not None]

    keeper.watch(lambda _: actions.look_soon())
    # Until the first check nobody knows whether what was broken before the start still is.
    actions.follow(SOURCE, standing, lambda _: keeper.kept.report is not None)


def _alarm(event: RequirementEvent) -> Standing | None:
    if event.verdict != "broken":
        return None
    witnesses = event.finding.get("witnesses", [])
    twin = next((w["id"] for w in witnesses if ":" not in w["id"]), None)
    if twin is None:
        return None  # failure domains alone: no twin to which an alarm could belong
    severity: Severity = "critical" if event.finding.get("severity") == "error" else "warning"
    told = {"requirement": event.name, **event.finding}
    return Standing(twin, f"{SOURCE}:{event.name}", severity, event.at, told)
