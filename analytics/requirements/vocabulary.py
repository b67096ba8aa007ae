"""The words that a file of requirements may use: those of the loaded models and declarations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twinfall.ontology.declarations import Dependencies
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.names import Names
from twinfall.ontology.ontology import Ontology

if TYPE_CHECKING:
    from twinfall.analytics.members import Members
    from twinfall.graph.models import Models


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Models by DTMI and by name, declared groups, carriers and services."""

    ontology: Ontology
    dependencies: Dependencies
    names: Names = field(default_factory=Names)

    @classmethod
    def of(cls, models: Models) -> Vocabulary:
        """The words of a compiled model set."""
        return cls(models.ontology, models.dependencies, models.names)

    def dtmi(self, name: str) -> str | None:
        """The model of this DTMI or name."""
        if name in self.ontology.interfaces:
            return name
        found = self.names.dtmi(name)
        return found if found in self.ontology.interfaces else None

    def near_model(self, name: str) -> str:
        """A cure for a model that is not there."""
        known = [self.names.entries.get(d, d) for d in self.ontology.interfaces]
        near = did_you_mean(name, [*known, *self.ontology.interfaces])
        return near or "`twinfall model list` has all"

    def groups(self) -> frozenset[str]:
        """Names of all declared groups."""
        return frozenset(g for named in self.dependencies.groups.values() for g in named)

    def carriers(self) -> frozenset[str]:
        """All carriers that have a source or flow in a network."""
        assets = self.dependencies.assets.values()
        sources = {source.carrier for asset in assets for source in asset.source}
        feeds = (f for named in self.dependencies.feeds.values() for f in named.values())
        return frozenset(sources | {f.carrier for f in feeds if f.mode == "network" and f.carrier})

    def services(self) -> frozenset[str]:
        """All services that somebody gives."""
        return frozenset(s for asset in self.dependencies.assets.values() for s in asset.services)

    def check_service(self, service: str, place: str, members: Members) -> None:
        """Note a service that nobody gives."""
        known = sorted(self.services())
        if service not in known:
            cure = did_you_mean(service, known) or f"declared are {', '.join(known) or 'none'}"
            members.bad("unknownService", place, f"nobody gives the service {service!r}", cure)

    def check_group(self, group: str, place: str, members: Members) -> None:
        """Note a group that nobody declares."""
        known = sorted(self.groups())
        if group in known:
            return
        cure = did_you_mean(group, known) or f"declared are {', '.join(known) or 'none'}"
        message = f"no group is called {group!r}"
        if group in self.carriers():
            message = f"{group!r} is a carrier of a network, which has no feeds to count"
            cure = "ask for singlePointsOfFailure, cutSets or survival"
        members.bad("unknownGroup", place, message, cure)
