"""AssetNetwork: the arrays of one moment of a graph, by twin ids."""

from __future__ import annotations

import copy
import difflib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import count

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics import moments
from twinfall.analytics.bounds import Doubt
from twinfall.analytics.compiling import Compiled, compile_network
from twinfall.analytics.course import Course
from twinfall.analytics.criticality import Criticality
from twinfall.analytics.explaining import AssetImpact
from twinfall.analytics.gathering import NotEvaluated
from twinfall.analytics.going import AnyCourse, GoingOn, Under
from twinfall.analytics.limits import NANO, NEVER
from twinfall.analytics.network import FOREVER, Network
from twinfall.analytics.positions import Positions
from twinfall.analytics.recompiling import Moment, recompiled
from twinfall.analytics.states import STATES, Reason, Standing, State
from twinfall.analytics.wanting import lacks, misses
from twinfall.graph.following import Changes
from twinfall.graph.store import Topology
from twinfall.graph.touched import touched
from twinfall.ontology.declarations import Dependencies
from twinfall.ontology.errors import UnknownTwin
from twinfall.ontology.ontology import Ontology

LAST = 2.0**62 / NANO
"""Seconds: later times have no number in ns."""
MAX_SHOWN = 200
"""Letters of an id that nobody has; ids have fewer."""
MAX_COMPARED = 50_000
"""Twins among which similar ids are looked for."""


class AssetNetwork:
    """What depends on what at one moment of the change feed (`cursor`), and of the live state
    (`standing`; as compiled, all is well); immutable.
    """

    def __init__(
        self,
        compiled: Compiled,
        topology: Topology,
        models: str,
        under: Under | None = None,
        position: Positions | None = None,
    ) -> None:
        self.compiled = compiled
        self.twins = len(topology.ids)
        """Positions from here on are failure domains, then gates."""
        self.visible = compiled.network.visible
        """Positions from here on are gates, which no answer names."""
        self.ids: Sequence[str] = _ids(topology.ids, compiled)
        self.cursor = topology.cursor
        self.standing = under.standing if under else Standing()
        self.now = under.now if under else 0
        self.moment = under.moment if under else None
        """How a plant stands that has been followed."""
        self.as_is = None if under and under.at_rest else self.moment
        """What the plant has come to, where buffers run or recharge, or losses are on their way."""
        self.snapshot = f"{topology.cursor}-{models[:12]}"
        if self.standing.version:
            self.snapshot += f"-{self.standing.version}"
        self._made = topology, models
        self._origin: AssetNetwork = self
        self._switched: Network | None = None
        self._twin = position or Positions(topology.ids)
        """By id, the position of each twin and component."""
        self._position: Mapping[str, int] = self._twin
        if self.visible > self.twins:
            named = self.ids[self.twins : self.visible]
            self._position = {**self._twin.table(), **dict(zip(named, count(self.twins)))}

    @classmethod
    def compile(
        cls,
        topology: Topology,
        ontology: Ontology,
        dependencies: Dependencies,
        before: AssetNetwork | None = None,
    ) -> AssetNetwork:
        """Make the arrays; O(twins + relationships). What the ones `before` have in common with
        them is shared.
        """
        same = before is not None and before.topology.ids is topology.ids
        position = before._twin if before is not None and same else Positions(topology.ids)
        compiled = compile_network(topology, dependencies, position)
        return cls(compiled, topology, models_hash(ontology, dependencies), None, position)

    def after(
        self,
        topology: Topology,
        ontology: Ontology,
        dependencies: Dependencies,
        changes: Changes,
    ) -> AssetNetwork:
        """The arrays of the `topology` that these changes made of this one's: as `compile` makes
        them, at a cost of what was touched and of copying columns where that can be.
        """
        if models_hash(ontology, dependencies) != self.models:
            return self.compile(topology, ontology, dependencies, self)
        touch = touched(self.topology, topology, changes)
        position = self._twin if touch.splice is None else Positions(topology.ids)
        old, new = Moment(self.topology, self._twin), Moment(topology, position)
        compiled = recompiled(self.compiled, old, new, dependencies, touch)
        if compiled is None:
            return self.compile(topology, ontology, dependencies, self)
        return AssetNetwork(compiled, topology, self.models, None, position)

    @property
    def network(self) -> Network:
        """The arrays, positions in the order of `ids`."""
        return self.compiled.network

    @property
    def declared(self) -> Network:
        """The same with its switches as the graph has them."""
        return self._origin.network

    @property
    def topology(self) -> Topology:
        """What it was compiled from: models, owners and components by position."""
        return self._made[0]

    @property
    def models(self) -> str:
        """Hash of the models and declarations that it was compiled by."""
        return self._made[1]

    @property
    def twin_positions(self) -> Mapping[str, int]:
        """The position of every twin and component; failure domains are not among them."""
        return self._twin

    def __contains__(self, id_: object) -> bool:
        """Whether a twin, component or failure domain has this id."""
        return id_ in self._position

    @property
    def not_evaluated(self) -> tuple[NotEvaluated, ...]:
        """Twins whose declarations could not be followed fully, with the reason, by id."""
        return self.compiled.not_evaluated

    @property
    def baseline_down(self) -> tuple[str, ...]:
        """What is down before any failure, by id."""
        return tuple(self.ids[int(i)] for i in np.flatnonzero(self.course.down[: self.visible]))

    def under(
        self,
        standing: Standing,
        now: int,
        moment: moments.Moment | None = None,
        *,
        at_rest: bool = False,
    ) -> AssetNetwork:
        """The same graph with its assets in these states, seen at `now` (ns): what has failed or
        is in maintenance, and what that took along since then, is down before any question. Or
        what is down in a plant that has come by now to stand as at this `moment`.
        """
        conducts = self.network.arrays.conducts.astype(bool)
        for id_, on in standing.conducts.items():
            if id_ in self._position:
                conducts[self._position[id_]] = on
        compiled = replace(self.compiled, network=self._conducting(conducts))
        made = AssetNetwork(
            compiled, *self._made, Under(standing, now, moment, at_rest), self._twin
        )
        made._origin = self._origin
        return made

    def at(self, cursor: int) -> AssetNetwork:
        """The same at a later moment of the change feed, when nothing that matters to it has
        changed; everything is shared.
        """
        if cursor == self.cursor:
            return self
        made = copy.copy(self)
        made.cursor = cursor
        made._made = replace(self.topology, cursor=cursor), self.models
        made.snapshot = f"{cursor}{self.snapshot.removeprefix(str(self.cursor))}"
        return made

    def _conducting(self, conducts: NDArray[np.bool_]) -> Network:
        """The network with its switches like this; the last one is kept, for few of them move."""
        if np.array_equal(conducts, self.network.arrays.conducts):
            return self.network
        if self._switched is None or not np.array_equal(conducts, self._switched.arrays.conducts):
            self._switched = self.network.conducting(conducts)
        return self._switched

    def but_for(self, *ids: str) -> AssetNetwork:
        """The same moment with these assets themselves in order, so that their failure can be
        assumed; buffers hold what they hold.
        """
        from twinfall.analytics.past import otherwise  # here: it makes networks

        standing = self._but_for(ids)
        if standing is self.standing:
            return self
        return otherwise(self._origin, self, standing, ids).at(self.cursor)

    def afresh(self, *ids: str) -> AssetNetwork:
        """The same states with these assets in order, in a plant that has been through nothing but
        the failures that stand.
        """
        standing = self._but_for(ids)
        if standing is self.standing and self.moment is None:
            return self
        return self._origin.under(standing, self.now).at(self.cursor)

    def _but_for(self, ids: Iterable[str]) -> Standing:
        standing, asked = self.standing, set(ids)
        failed = tuple(one for one in standing.failed if one not in asked)
        out = tuple(one for one in standing.out if one not in asked)
        same = len(failed) == len(standing.failed) and len(out) == len(standing.out)
        return standing if same else replace(standing, failed=failed, out=out)

    def compiled_from(self, other: AssetNetwork) -> bool:
        """Whether this is that graph under some states."""
        return self._origin is other._origin

    @cached_property
    def course(self) -> AnyCourse:
        """What has failed by itself, and what that has taken along and will."""
        course = self._course([*self.standing.failed, *self.standing.out], ())
        if self.as_is is None:
            return course
        return GoingOn(course, self.declared, self.as_is)

    @cached_property
    def worst(self) -> AnyCourse | None:
        """The same if everything unknown has been down for ever; None where nothing is unknown."""
        unknown, best = self.some_positions(self.standing.unknown), self.course
        if not len(unknown):
            return None
        worst = self._course([*self.standing.failed, *self.standing.out], self.standing.unknown)
        return worst if isinstance(best, Course) else best.at_worst(unknown, worst)

    @cached_property
    def until(self) -> int:
        """When time alone takes the next asset down, in ns."""
        ahead = [course.until for course in (self.course, self.worst) if course is not None]
        _, degraded = self._degrading
        ahead.extend(degraded[degraded > self.course.now].tolist())
        return NEVER if min(ahead) >= LAST else int(min(ahead) * NANO) + 1

    def _course(self, failed: Iterable[str], unknown: Iterable[str]) -> Course:
        now = self.now / NANO
        at = {self._position.get(id_, -1): 0.0 for id_ in unknown}
        for id_, fell in self.standing.stopped.items():
            at[self._position.get(id_, -1)] = min(fell / NANO, now)
        for id_ in failed:
            since = self.standing.since.get(id_, 0) / NANO
            at[self._position.get(id_, -1)] = min(since, now)
        at.pop(-1, None)
        positions = np.array(list(at), np.int32)
        return Course(self.network, positions, np.array(list(at.values()), np.float64), now)

    def impact(self, failed: Sequence[str], horizon: float | None = None) -> AssetImpact:
        """What the failure of these twins takes along until `horizon` seconds after it.

        Raises UnknownTwin for an id that is not in the graph. What failed by itself already
        counts as up before: the answer is what that takes along, from now on. Failing what is
        down for want of something else changes nothing.
        """
        positions = np.array([self._of(id_) for id_ in failed], np.int32)
        if self._failed_itself[positions].any():
            return self.but_for(*failed).impact(failed, horizon)
        limit = FOREVER if horizon is None else horizon
        found = self.course.after(positions, limit)
        worst = self.worst
        if worst is None:
            return AssetImpact(self, found, horizon=limit)
        return AssetImpact(self, found, Doubt(self.course, worst, found, limit), limit)

    def state(self, id_: str) -> State:
        """The state before any assumed failure, by the asset itself and what it depends on."""
        return STATES[int(self._states[self._of(id_)])]

    def reason(self, id_: str) -> Reason | None:
        """Why an asset is not ok for something other than its own state; None where it is not
        so.
        """
        at = self._of(id_)
        state = STATES[int(self._states[at])]
        if state == "failed" and not self._failed_itself[at]:
            return Reason("dependency", lacks(self, self.course, at))
        if state == "degraded" and id_ not in self.standing.degraded:
            groups, when = self._degrading
            consumer = self.compiled.soft.feeds.consumer[groups]
            mine = groups[(consumer == at) & (when <= self.course.now)]
            return Reason("dependency", misses(self, self.course, int(mine[0])))
        if state == "unknown" and id_ not in self._said_unknown:
            worst = self.worst
            if worst is not None and worst.down[at]:
                return Reason("dependency", f"it may be down: {lacks(self, worst, at)}")
            reasons = "; ".join(row.reason for row in self.not_evaluated if row.id == id_)
            return Reason("notEvaluated", reasons)
        return None

    def ids_in_state(self, state: State) -> tuple[str, ...]:
        """All twins and components in a state, by id."""
        found = np.flatnonzero(self._states[: self.twins] == STATES.index(state))
        return tuple(self.ids[int(i)] for i in found)

    @cached_property
    def _failed_itself(self) -> NDArray[np.bool_]:
        return self.flags([*self.standing.failed, *self.standing.out])

    @cached_property
    def _said_unknown(self) -> frozenset[str]:
        return frozenset([*self.standing.unknown, *self.standing.out])

    @cached_property
    def _degrading(self) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """The groups whose loss degrades, and when, on the clock of `course`."""
        return self.compiled.soft.along(self.course)

    @cached_property
    def _states(self) -> NDArray[np.uint8]:
        """By position. Down is failed, unless it is meant to be down: in maintenance."""
        states = np.zeros(len(self.ids), np.uint8)
        states[self.flags(self.standing.degraded)] = STATES.index("degraded")
        groups, when = self._degrading
        by_now = groups[when <= self.course.now]
        states[self.compiled.soft.feeds.consumer[by_now]] = STATES.index("degraded")
        unclear = (row.id for row in self.not_evaluated if not row.assumed)
        unknown = self.flags([*unclear, *self.standing.unknown])
        if self.worst is not None:
            unknown |= self.worst.down
        states[unknown] = STATES.index("unknown")
        states[self.course.down] = STATES.index("failed")
        states[self.flags(self.standing.out)] = STATES.index("unknown")
        return states

    def flags(self, ids: Iterable[str]) -> NDArray[np.bool_]:
        """The positions of these ids; those that are not in the graph are passed over."""
        flags = np.zeros(len(self.ids), np.bool_)
        positions = (self._position.get(id_) for id_ in ids)
        flags[[at for at in positions if at is not None]] = True
        return flags

    def some_positions(self, ids: Iterable[str]) -> NDArray[np.int32]:
        """Of these ids, ascending; those that are not in the graph are passed over."""
        found = sorted({self._position.get(id_, -1) for id_ in ids} - {-1})
        return np.array(found, np.int32)

    def find(self, id_: str) -> int:
        """The position of a twin, component or failure domain; -1 where it is not in the graph."""
        return self._position.get(id_, -1)

    def positions(self, ids: Iterable[str]) -> NDArray[np.int32]:
        """Of these ids, ascending, each once; raises UnknownTwin for one that is not there."""
        return np.unique(np.array([self._of(id_) for id_ in ids], np.int32))

    def position_of(self, id_: str) -> int:
        """The position of a twin, component or failure domain. UnknownTwin suggests near ids."""
        return self._of(id_)

    @cached_property
    def criticality(self) -> Criticality:
        """Every single failure, as things stand; made when first asked for."""
        return Criticality(self)

    def _of(self, id_: str) -> int:
        position = self._position.get(id_)
        if position is None:
            shown = id_[:MAX_SHOWN]
            raise UnknownTwin(f"there is no twin {shown!r}", path=shown, cure=self._similar(id_))
        return position

    def _similar(self, id_: str) -> str:
        if len(self.ids) > MAX_COMPARED:
            return "ids are case-sensitive"
        near = difflib.get_close_matches(id_[:128], self.ids, n=3)
        return f"did you mean {', '.join(near)}?" if near else "ids are case-sensitive"


def models_hash(ontology: Ontology, dependencies: Dependencies) -> str:
    """Of all that decides what a topology means."""
    return hashlib.sha256(f"{ontology.hash}{dependencies.hash}".encode()).hexdigest()


def _ids(twins: Sequence[str], compiled: Compiled) -> Sequence[str]:
    """Of every position; a gate is named for whom it stands."""
    if not compiled.domains and not len(compiled.behind):
        return twins
    known = [*twins, *compiled.domains]
    return [*known, *(known[behind] for behind in compiled.behind)]
