"""The graph as arrays, kept up with the graph and with the live state."""

from __future__ import annotations

import threading
from typing import Any, Protocol, TypeAlias

from twinfall.analytics import AssetNetwork, Standing, topology_request
from twinfall.analytics.limits import Limits, compile_limits
from twinfall.graph.graph import Graph
from twinfall.graph.store import TopologyRequest
from twinfall.graph.twins import Change


class Networks(Protocol):
    """Where the arrays come from."""

    def current(self) -> AssetNetwork:
        """The arrays of a moment not before this call."""
        ...


class States(Protocol):
    """Where own states come from; told what is to be watched."""

    def follow(self, limits: Limits) -> None:
        """Watch these from now on."""
        ...

    def standing(self) -> Standing:
        """All own states, of a moment not before this call."""
        ...

    def now(self) -> int:
        """The time in ns."""
        ...


MAX_FOLLOWED = 10_000
"""Changes that are looked through; after more, the arrays are compiled anew."""
PAGE = 1_000


class LiveNetwork:
    """The arrays of one graph, compiled anew when something that matters to them has changed
    since, under the states that its assets are in.

    Callers that arrive while somebody compiles wait for that and share it if it is new enough.
    """

    def __init__(self, graph: Graph, states: States | None = None) -> None:
        self._graph = graph
        self._states = states
        self._lock = threading.Lock()
        self._made: Made | None = None
        self._under: AssetNetwork | None = None

    def current(self) -> AssetNetwork:
        """The arrays of a moment not before this call."""
        plain = self.compiled()
        if self._states is None:
            return plain
        standing, now = self._states.standing(), self._states.now()
        under = self._under
        if under is None or not _is_same(under, plain, standing, now):
            with self._lock:
                under = self._under
                if under is None or not _is_same(under, plain, standing, now):
                    under = self._under = plain.under(standing, now)
        if under.cursor < plain.cursor:
            under = self._under = under.at(plain.cursor)
        return under

    def compiled(self) -> AssetNetwork:
        """The arrays as if all were well; with the graph's changes, the limits are followed."""
        cursor, revision = self._graph.cursor(), self._graph.revision
        made = self._made
        if made is not None and _is_new_enough(made, cursor, revision):
            return made[2]
        with self._lock:
            made = self._made
            if made is None or not _is_new_enough(made, cursor, revision):
                made = self._made = self._followed(made, cursor, revision) or self._compile()
            return made[2]

    def _followed(self, made: Made | None, cursor: int, revision: int) -> Made | None:
        """The arrays that stand, where no change since touches them; None where one may."""
        if made is None or made[1] != revision or cursor - made[0] > MAX_FOLLOWED:
            return None
        models = self._graph.models
        relevant = Relevant(topology_request(models.ontology, models.dependencies), made[2])
        at = made[0]
        while at < cursor:
            changes = self._graph.changes(at, PAGE)
            if not changes or any(map(relevant.is_touched_by, changes)):
                return None
            at = changes[-1].seq
        return at, revision, made[2].at(at)

    def _compile(self) -> Made:
        revision = self._graph.revision  # first: too old a number only means compiling once more
        models = self._graph.models
        request = topology_request(models.ontology, models.dependencies)
        topology = self._graph.topology(request)
        network = AssetNetwork.compile(topology, models.ontology, models.dependencies)
        if self._states is not None:
            self._states.follow(compile_limits(topology, models.ontology, models.dependencies))
        return topology.cursor, revision, network


class Relevant:
    """Which changes of the graph matter to its arrays: twins that come, go or change their model,
    declared relationships, and values that declarations read.
    """

    def __init__(self, request: TopologyRequest, network: AssetNetwork) -> None:
        self._relationships = frozenset(request.relationships)
        self._properties = frozenset(request.properties)
        self._network = network

    def is_touched_by(self, change: Change) -> bool:
        """Whether the arrays may be others after this change."""
        if change.kind in ("relationshipWritten", "relationshipDeleted"):
            said = change.after or change.before
            return not isinstance(said, dict) or said.get("name") in self._relationships
        if change.kind != "twinWritten" or change.before is None:
            return True
        topology = self._network.topology
        position = self._network.position_of(change.subject)
        if topology.models[int(topology.model[position])] != change.model:
            return True
        return not self._properties.isdisjoint(_changed(change.before, change.after))


def _changed(before: Any, after: Any) -> set[str]:
    """Names of values that differ, those of components included."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return set()
    names = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    below = [_changed(before.get(name) or {}, after.get(name) or {}) for name in names]
    return names.union(*below)


Made: TypeAlias = tuple[int, int, AssetNetwork]
"""Cursor, revision of the models, and the arrays."""


def _is_new_enough(made: Made, cursor: int, revision: int) -> bool:
    return made[0] >= cursor and made[1] == revision


def _is_same(under: AssetNetwork, plain: AssetNetwork, standing: Standing, now: int) -> bool:
    """Whether nothing has changed since, nor time alone has taken anything down."""
    return under.compiled_from(plain) and under.standing is standing and now < under.until
