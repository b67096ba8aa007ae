"""The graph as arrays, kept up with the graph and with the live state."""

from __future__ import annotations

import threading
from typing import Protocol

from twinfall.analytics import AssetNetwork, Standing, topology_request
from twinfall.analytics.limits import Limits, compile_limits
from twinfall.graph.graph import Graph


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


class LiveNetwork:
    """The arrays of one graph, compiled anew when the graph has moved since, under the states
    that its assets are in.

    Callers that arrive while somebody compiles wait for that and share it if it is new enough.
    """

    def __init__(self, graph: Graph, states: States | None = None) -> None:
        self._graph = graph
        self._states = states
        self._lock = threading.Lock()
        self._made: tuple[int, int, AssetNetwork] | None = None
        self._under: AssetNetwork | None = None

    def current(self) -> AssetNetwork:
        """The arrays of a moment not before this call."""
        plain = self.compiled()
        if self._states is None:
            return plain
        standing, now = self._states.standing(), self._states.now()
        under = self._under
        if under is not None and _is_same(under, plain, standing, now):
            return under
        with self._lock:
            under = self._under
            if under is None or not _is_same(under, plain, standing, now):
                under = self._under = plain.under(standing, now)
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
                made = self._made = self._compile()
            return made[2]

    def _compile(self) -> tuple[int, int, AssetNetwork]:
        revision = self._graph.revision  # first: too old a number only means compiling once more
        models = self._graph.models
        request = topology_request(models.ontology, models.dependencies)
        topology = self._graph.topology(request)
        network = AssetNetwork.compile(topology, models.ontology, models.dependencies)
        if self._states is not None:
            self._states.follow(compile_limits(topology, models.ontology, models.dependencies))
        return topology.cursor, revision, network


def _is_new_enough(made: tuple[int, int, AssetNetwork], cursor: int, revision: int) -> bool:
    return made[0] >= cursor and made[1] == revision


def _is_same(under: AssetNetwork, plain: AssetNetwork, standing: Standing, now: int) -> bool:
    """Whether nothing has changed since, nor time alone has taken anything down."""
    return under.compiled_from(plain) and under.standing is standing and now < under.until
