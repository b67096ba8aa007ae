"""What a scenario says that changes nothing, or hits nothing: told, and no reason to refuse it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twinfall.analytics.members import Members
from twinfall.analytics.whatif.areas import same_crs
from twinfall.ontology.declarations import Binding
from twinfall.ontology.errors import Problem

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork
    from twinfall.analytics.whatif.fitting import Fit
    from twinfall.analytics.whatif.scenario import Hazard, Link, Scenario

BIND = "declare it as {from: %s, default: V} to have it read"


def warnings(fit: Fit, scenario: Scenario, changed: AssetNetwork, hit: Any) -> tuple[Problem, ...]:
    """In order of the members of the scenario, which fits; `changed` is the plant as it has it,
    `hit` the positions in the area of its hazard. At most MAX_TOLD, and one that counts the rest.
    """
    found = _Warnings(fit, scenario)
    found.fail(changed)
    found.repair()
    found.relationships()
    found.set()
    if scenario.hazard is not None:
        found.hazard(scenario.hazard, changed, hit)
    members = found.members
    more = [Problem("more", f"and {members.more} more warnings")] if members.more else []
    return (*members.problems, *more)


class _Warnings:
    def __init__(self, fit: Fit, scenario: Scenario) -> None:
        self.fit = fit
        self.scenario = scenario
        self.members: Members = scenario.members()

    # -- states ---------------------------------------------------------------------------

    def fail(self, changed: AssetNetwork) -> None:
        failed = {*changed.standing.failed, *changed.standing.out}
        for place, id_ in self.scenario.listed("fail"):
            if id_ in failed:
                message = f"{id_} is down by itself already"
                cure = "the answer is what that takes along, counted from now"
                self.members.bad("alreadyDown", place, message, cure)
            elif changed.course.down[changed.position_of(id_)]:
                message = f"{id_} is down already for want of something else"
                self.members.bad("alreadyDown", place, message, "its failure changes nothing")

    def repair(self) -> None:
        assets = self.fit.assets
        standing = assets.standing
        wrong = {*standing.failed, *standing.out, *standing.unknown, *standing.degraded}
        for place, id_ in self.scenario.listed("repair"):
            if id_ in wrong:
                continue
            down = bool(assets.course.down[assets.position_of(id_)])
            cure = "it is down for want of something else: repair that" if down else ""
            self.members.bad("inOrder", place, f"{id_} is in order by itself", cure)

    # -- edits ----------------------------------------------------------------------------

    def relationships(self) -> None:
        for member in ("add", "change", "remove"):
            for place, link in self.scenario.links(member):
                if not self.fit.declared(link):
                    message = f"{link.name} carries no failure here: nothing changes"
                    cure = f"declare it for {self._model(link.source)} if it does"
                    self.members.bad("carriesNothing", place, message, cure)
                    continue
                if member == "add" and len(self.fit.known.rows(link)):
                    message = f"{link.source} has {link.name} to {link.target} already"
                    cure = "`change` gives it other properties"
                    self.members.bad("alreadyThere", place, message, cure)
                self._properties(link, place)

    def _properties(self, link: Link, place: str) -> None:
        read = self.fit.dependencies.read_of_feed(self._model(link.source), link.name)
        for name in link.properties:
            if name not in read:
                message = f"no declaration reads {name} of {link.name}: it changes nothing"
                self.members.bad("notRead", f"{place}/properties/{name}", message, BIND % name)

    def set(self) -> None:
        dependencies = self.fit.dependencies
        for id_, said in self.scenario.set.items():
            model = self._model(id_)
            asset = dependencies.assets.get(model)
            read, limits = dependencies.read_of(model), asset.limits if asset else {}
            switch = asset.conducts if asset else None
            for name in said:
                follows = isinstance(switch, Binding) and switch.name == name
                if name in read or follows:
                    continue
                message = f"no declaration reads {name} of {id_}: it changes nothing"
                cure = BIND % name
                if name in limits:
                    message = f"limits of {name} are not judged in a scenario: it changes nothing"
                    cure = f"say what comes of it: fail {id_}"
                self.members.bad("notRead", f"/set/{id_}/{name}", message, cure)

    def _model(self, id_: str) -> str:
        return self.fit.model(self.fit.known.position[id_])

    # -- hazards --------------------------------------------------------------------------

    def hazard(self, hazard: Hazard, changed: AssetNetwork, hit: Any) -> None:
        places, topology = changed.compiled.places, changed.topology
        own = np.flatnonzero(topology.owner < 0)
        x, y = places.x[own], places.y[own]
        placed = np.isfinite(x) & np.isfinite(y)
        lost, all_ = int((~placed).sum()), len(own)
        if lost:
            message = f"{lost} of {all_} twins have no location, and cannot be hit"
            self.members.bad(
                "noLocation", "/hazard", message, "declare `location` for their models"
            )
        self._systems(hazard, places.systems)
        if len(hit) or not placed.any():
            return
        extent = tuple(f(a[placed]) for a in (x, y) for f in (np.min, np.max))
        message = (
            f"no asset lies in the polygon, which spans {_span(hazard.area.extent)}; the "
            f"{int(placed.sum())} twins with a location span {_span(extent)}"
        )
        cure = "give the polygon in the coordinates of the assets"
        if _is_degrees(hazard.area.extent) and not _is_degrees(extent):
            cure = "the polygon seems to be in degrees, the assets stand on a plane: " + cure
        self.members.bad("nobodyHit", "/hazard/polygon", message, cure)

    def _systems(self, hazard: Hazard, systems: tuple[str, ...]) -> None:
        named = ", ".join(systems) or "a local plane"
        if hazard.crs and not any(same_crs(hazard.crs, one) for one in systems):
            message = f"the polygon is in {hazard.crs}, the assets are in {named}"
            cure = "coordinates are compared as they stand: convert the polygon"
            self.members.bad("otherCrs", "/hazard/polygon", message, cure)
        elif len(systems) > 1:
            message = f"the assets are in several coordinate systems: {named}"
            cure = "coordinates are compared as they stand: declare one"
            self.members.bad("otherCrs", "/hazard/polygon", message, cure)


def _span(extent: tuple[float, ...]) -> str:
    low_x, high_x, low_y, high_y = extent
    return f"x {low_x:g} to {high_x:g}, y {low_y:g} to {high_y:g}"


def _is_degrees(extent: tuple[float, ...]) -> bool:
    low_x, high_x, low_y, high_y = extent
    return max(-low_x, high_x) <= 180 and max(-low_y, high_y) <= 90
