"""Whether a scenario fits a plant: what it names is there, and what it writes could be written."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twinfall.analytics.members import Members, step
from twinfall.analytics.whatif.later import KINDS, Later, When
from twinfall.analytics.whatif.relationships import Relationships
from twinfall.analytics.whatif.scenario import MAX_NAME, Link, Scenario
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.model import Content

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork
    from twinfall.ontology.declarations import Dependencies
    from twinfall.ontology.ontology import Ontology

MAX_COMPARED = 200_000
"""Ids looked at to find what was meant by unknown ones; of a large plant only the first few."""
LAST = 2**63 - 1
"""The last time that has a number in ns."""
MAX_KNOWN = 20
"""Names that a cure lists."""


class Fit:
    """Puts a scenario beside a plant and notes in `members` what does not fit."""

    def __init__(
        self, assets: AssetNetwork, models: tuple[Ontology, Dependencies], members: Members
    ) -> None:
        self.assets = assets
        self.topology = assets.topology
        self.ontology, self.dependencies = models
        self.members = members
        self.known = Relationships(assets.topology, assets.twin_positions)
        self._compared = 0

    def look(self, scenario: Scenario) -> None:
        """Look at every member that names something of the plant."""
        for member in ("fail", "repair"):
            for place, id_ in scenario.listed(member):
                if id_ not in self.assets:
                    self._unknown(id_, place)
        for one in scenario.then:
            self._later(one)
        if scenario.at is not None:
            self._when(scenario.at)
        for place, link in scenario.links("add"):
            self._add(link, place)
        for member in ("change", "remove"):
            for place, link in scenario.links(member):
                self._existing(link, place)
        for id_, said in scenario.set.items():
            self._set(id_, said, f"/set/{step(id_)}")

    def declared(self, link: Link) -> bool:
        """Whether a relationship of this name carries failure where it starts."""
        model = self.model(self.known.position[link.source])
        return link.name in self.dependencies.feeds.get(model, {})

    def model(self, at: int) -> str:
        """The DTMI of the model at a position."""
        return self.topology.models[int(self.topology.model[at])]

    # -- time -----------------------------------------------------------------------------

    def _later(self, later: Later) -> None:
        for kind in KINDS:
            for i, id_ in enumerate(getattr(later, kind)):
                if id_ not in self.assets:
                    self._unknown(id_, f"{later.place}/{kind}/{i}")

    def _when(self, at: When) -> None:
        now = self.assets.now
        if at.time is not None and not now:
            message = "this plant has no clock, since it has no live state"
            self.members.bad("badTime", "/at", message, "a duration, such as PT2H")
        elif not now <= at.moment(now) <= LAST:
            message = "it is over already, or after the year 2261"
            self.members.bad("badTime", "/at", message, "a later time, or a shorter duration")

    # -- relationships --------------------------------------------------------------------

    def _add(self, link: Link, place: str) -> None:
        content = self._relationship(link, place)
        target = self._at(link.target, f"{place}/target")
        if content is None:
            return
        if target is not None and content.target:
            model = self.model(target)
            if not self.ontology.is_a(model, content.target):
                message = f"{link.target[:MAX_NAME]!r} is a {model}, not a {content.target}"
                self.members.bad("notAllowed", f"{place}/target", message)
        self._values(content.properties, link.properties, f"{place}/properties")

    def _existing(self, link: Link, place: str) -> None:
        content = self._relationship(link, place)
        target = self._at(link.target, f"{place}/target")
        if content is None:
            return
        self._values(content.properties, link.properties, f"{place}/properties")
        if target is None or not self.declared(link) or len(self.known.rows(link)):
            return
        ends = f"{link.source[:MAX_NAME]!r} has no {link.name} to {link.target[:MAX_NAME]!r}"
        back = Link(link.target, link.name, link.source)
        turned = self.declared(back) and len(self.known.rows(back))
        cure = "it is the other way round: exchange source and target" if turned else ""
        self.members.bad("unknownRelationship", place, ends, cure)

    def _relationship(self, link: Link, place: str) -> Content | None:
        source = self._at(link.source, f"{place}/source")
        if source is None:
            return None
        model = self.model(source)
        known = self.ontology.interfaces[model].of_kind("Relationship")
        if link.name not in known:
            message = f"{model} has no relationship {link.name[:MAX_NAME]!r}"
            self.members.bad("unknownName", f"{place}/name", message, _cure(link.name, known))
        return known.get(link.name)

    # -- values ---------------------------------------------------------------------------

    def _set(self, id_: str, said: Mapping[str, Any], place: str) -> None:
        at = self._at(id_, place)
        if at is not None:
            contents = self.ontology.interfaces[self.model(at)].contents
            known = {n: c for n, c in contents.items() if c.kind in ("Property", "Telemetry")}
            self._values(known, said, place)

    def _values(self, known: Mapping[str, Content], said: Mapping[str, Any], place: str) -> None:
        for name, value in said.items():
            content, at = known.get(name), f"{place}/{step(name)}"
            if content is None or content.schema is None:
                message = f"there is no {name[:MAX_NAME]!r}"
                self.members.bad("unknownName", at, message, _cure(name, known))
                continue
            for problem in self.ontology.check_value(content.schema, value):
                code, message = problem.code, problem.message
                self.members.bad(code, f"{at}{problem.path}", message, problem.cure)

    # -- twins ----------------------------------------------------------------------------

    def _at(self, id_: str, place: str) -> int | None:
        at = self.known.position.get(id_)
        if at is None:
            self._unknown(id_, place)
        return at

    def _unknown(self, id_: str, place: str) -> None:
        cure = "ids are case-sensitive"
        self._compared += len(self.assets.ids)
        if self._compared <= MAX_COMPARED:
            near = difflib.get_close_matches(id_[:MAX_NAME], self.assets.ids, n=3)
            cure = f"did you mean {', '.join(near)}?" if near else cure
        self.members.bad("unknownTwin", place, f"there is no twin {id_[:MAX_NAME]!r}", cure)


def _cure(name: str, known: Mapping[str, Content]) -> str:
    if not known:
        return "there are none"
    shown = [*known][:MAX_KNOWN]
    more = ", ..." if len(known) > len(shown) else ""
    return did_you_mean(name, known) or f"there are {', '.join(shown)}{more}"
