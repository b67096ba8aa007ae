"""AssetNetwork: the arrays of one moment of a graph, by twin ids."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.bounds import possible
from twinfall.analytics.compiling import Compiled, NotEvaluated, compile_network
from twinfall.analytics.explaining import AssetImpact
from twinfall.analytics.network import FOREVER, Network
from twinfall.analytics.states import STATES, Reason, Standing, State
from twinfall.analytics.wanting import lacks
from twinfall.graph.store import Topology
from twinfall.ontology.declarations import Dependencies
from twinfall.ontology.errors import UnknownTwin
from twinfall.ontology.ontology import Ontology

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
        standing: Standing | None = None,
        position: dict[str, int] | None = None,
    ) -> None:
        self.compiled = compiled
        self.ids: Sequence[str] = topology.ids
        self.cursor = topology.cursor
        self.standing = standing or Standing()
        self.snapshot = f"{topology.cursor}-{models[:12]}"
        if self.standing.version:
            self.snapshot += f"-{self.standing.version}"
        self._made = topology, models
        self._origin: AssetNetwork = self
        self._position = position or {id_: i for i, id_ in enumerate(topology.ids)}

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

    def under(self, standing: Standing) -> AssetNetwork:
        """The same graph with its assets in these states: what has failed or is in maintenance is
        down before any question, and what it takes along. O(assets + feeds).
        """
        down = self._flags([*standing.failed, *standing.out])
        conducts = self.network.arrays.conducts.astype(bool)
        for id_, on in standing.conducts.items():
            if id_ in self._position:
                conducts[self._position[id_]] = on
        network = self.network.standing(down, conducts)
        compiled = replace(self.compiled, network=network)
        made = AssetNetwork(compiled, *self._made, standing, self._position)
        made._origin = self
        return made

    def but_for(self, *ids: str) -> AssetNetwork:
        """The same moment with these assets themselves in order, so that their failure can be
        assumed.
        """
        standing, asked = self.standing, set(ids)
        failed = tuple(one for one in standing.failed if one not in asked)
        out = tuple(one for one in standing.out if one not in asked)
        if len(failed) == len(standing.failed) and len(out) == len(standing.out):
            return self
        return self._origin.under(replace(standing, failed=failed, out=out))

    def compiled_from(self, other: AssetNetwork) -> bool:
        """Whether this is that graph under some states."""
        return self._origin is other

    @cached_property
    def pessimistic(self) -> Network | None:
        """The network with everything unknown down too; None where nothing is unknown."""
        unknown = self._flags(self.standing.unknown)
        if not unknown.any():
            return None
        return self.network.standing(self.network.down | unknown)

    def impact(self, failed: Sequence[str], horizon: float | None = None) -> AssetImpact:
        """What the failure of these twins takes along until `horizon` seconds after it.

        Raises UnknownTwin for an id that is not in the graph. What failed by itself already
        counts as up before: the answer is what that took along. Failing what is down for want of
        something else changes nothing.
        """
        positions = [self._of(id_) for id_ in failed]
        if self.network.down[positions].any():
            return self.but_for(*failed).impact(failed, horizon)
        limit = FOREVER if horizon is None else horizon
        found = self.network.impact(positions, limit)
        worst = self.pessimistic
        if worst is None:
            return AssetImpact(self, found)
        return AssetImpact(self, found, lambda: possible(self.network, worst, found, limit))

    def state(self, id_: str) -> State:
        """The state before any assumed failure, by the asset itself and what it depends on."""
        return STATES[int(self._states[self._of(id_)])]

    def reason(self, id_: str) -> Reason | None:
        """Why an asset is failed or unknown for something other than its own state; None where it
        is not so.
        """
        at = self._of(id_)
        state = STATES[int(self._states[at])]
        if state == "failed" and not self.network.down[at]:
            return Reason("dependency", lacks(self, self.network, at))
        if state == "unknown" and id_ not in self._said_unknown:
            worst = self.pessimistic
            if worst is not None and worst.baseline[at]:
                return Reason("dependency", f"it may be down: {lacks(self, worst, at)}")
            reasons = "; ".join(row.reason for row in self.not_evaluated if row.id == id_)
            return Reason("notEvaluated", reasons)
        return None

    def ids_in_state(self, state: State) -> tuple[str, ...]:
        """All twins and components in a state, by id."""
        return tuple(self.ids[int(i)] for i in np.flatnonzero(self._states == STATES.index(state)))

    @cached_property
    def _said_unknown(self) -> frozenset[str]:
        return frozenset([*self.standing.unknown, *self.standing.out])

    @cached_property
    def _states(self) -> NDArray[np.uint8]:
        """By position. Down is failed, unless it is meant to be down: in maintenance."""
        states = np.zeros(len(self.ids), np.uint8)
        states[self._flags(self.standing.degraded)] = STATES.index("degraded")
        unknown = self._flags([*(row.id for row in self.not_evaluated), *self.standing.unknown])
        if self.pessimistic is not None:
            unknown |= self.pessimistic.baseline
        states[unknown] = STATES.index("unknown")
        states[self.network.baseline] = STATES.index("failed")
        states[self._flags(self.standing.out)] = STATES.index("unknown")
        return states

    def _flags(self, ids: Iterable[str]) -> NDArray[np.bool_]:
        """The positions of these ids; those that are not in the graph are passed over."""
        flags = np.zeros(len(self.ids), np.bool_)
        positions = (self._position.get(id_) for id_ in ids)
        flags[[at for at in positions if at is not None]] = True
        return flags

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
