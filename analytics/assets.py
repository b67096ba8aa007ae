"""AssetNetwork: the arrays of one moment of a graph, by twin ids."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from typing import Literal

import numpy as np

from twinfall.analytics.compiling import Compiled, NotEvaluated, compile_network
from twinfall.analytics.explaining import AssetImpact
from twinfall.analytics.network import FOREVER, Network
from twinfall.graph.store import Topology
from twinfall.ontology.declarations import Dependencies
from twinfall.ontology.errors import UnknownTwin
from twinfall.ontology.ontology import Ontology

State = Literal["ok", "degraded", "failed", "unknown"]

MAX_COMPARED = 50_000
"""Twins among which similar ids are looked for."""


class AssetNetwork:
    """What depends on what at one moment of the change feed (`cursor`); immutable."""

    def __init__(self, compiled: Compiled, topology: Topology, models: str) -> None:
        self.compiled = compiled
        self.ids: Sequence[str] = topology.ids
        self.cursor = topology.cursor
        self.snapshot = f"{topology.cursor}-{models[:12]}"
        self._position = {id_: i for i, id_ in enumerate(topology.ids)}
        self._unknown = frozenset(row.id for row in compiled.not_evaluated)

    @classmethod
    def compile(
        cls, topology: Topology, ontology: Ontology, dependencies: Dependencies
    ) -> AssetNetwork:
        """Make the arrays; O(twins + relationships)."""
        compiled = compile_network(topology, ontology, dependencies)
        models = hashlib.sha256(f"{ontology.hash}{dependencies.hash}".encode()).hexdigest()
        return cls(compiled, topology, models)

    @property
    def network(self) -> Network:
        """The arrays, positions in the order of `ids`."""
        return self.compiled.network

    @property
    def not_evaluated(self) -> tuple[NotEvaluated, ...]:
        """Twins whose declarations could not be followed fully, with the reason, by id."""
        return self.compiled.not_evaluated

    @property
    def baseline_down(self) -> tuple[str, ...]:
        """What is down before any failure, by id."""
        return tuple(self.ids[int(i)] for i in np.flatnonzero(self.network.baseline))

    def impact(self, failed: Sequence[str], horizon: float | None = None) -> AssetImpact:
        """What the failure of these twins takes along until `horizon` seconds after it.

        Raises UnknownTwin for an id that is not in the graph. Failing what is down already
        changes nothing.
        """
        positions = [self._of(id_) for id_ in failed]
        found = self.network.impact(positions, FOREVER if horizon is None else horizon)
        return AssetImpact(self, found)

    def state(self, id_: str) -> State:
        """The state before any assumed failure."""
        if self.network.baseline[self._of(id_)]:
            return "failed"
        return "unknown" if id_ in self._unknown else "ok"

    def ids_in_state(self, state: State) -> tuple[str, ...]:
        """All twins and components in a state, by id."""
        if state == "failed":
            return self.baseline_down
        if state == "unknown":
            return tuple(sorted(i for i in self._unknown if self.state(i) == "unknown"))
        if state == "degraded":
            return ()  # nothing degrades yet: such groups are listed in `not_evaluated`
        up = np.flatnonzero(~self.network.baseline)
        return tuple(id_ for id_ in (self.ids[int(i)] for i in up) if id_ not in self._unknown)

    def _of(self, id_: str) -> int:
        position = self._position.get(id_)
        if position is None:
            raise UnknownTwin(f"there is no twin {id_!r}", path=id_, cure=self._similar(id_))
        return position

    def _similar(self, id_: str) -> str:
        if len(self.ids) > MAX_COMPARED:
            return "ids are case-sensitive"
        near = difflib.get_close_matches(id_[:128], self.ids, n=3)
        return f"did you mean {', '.join(near)}?" if near else "ids are case-sensitive"
