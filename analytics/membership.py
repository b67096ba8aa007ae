"""Which twins' readings belong to an asset: its own, its components', those of twins it contains.

A path names the place of a reading within the asset and is alike for all assets of a model:
"" is the twin, `motor` its component, `contains:Pump` the twin of model Pump that it contains,
`contains:Pump#2` the second of them in order of id, `contains:Pump/motor` a component of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from twinfall.graph.store import Topology

MAX_PARTS = 1_000
"""Addresses of one asset."""
MAX_DEPTH = 4
"""Relationships from the asset to a twin that belongs to it."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A twin that is watched as a whole. `parts` gives each address of it its path."""

    twin: str
    parts: Mapping[str, str] = field(default_factory=dict)

    def places(self) -> Mapping[str, str]:
        """Address to path; the twin itself has the empty one."""
        return self.parts or {self.twin: ""}


def assets(topology: Topology, models: Sequence[str], through: Sequence[str] = ()) -> list[Asset]:
    """The twins of these models as assets, in order of id.

    `models` are DTMIs, descendants included by the caller; `through` names the relationships,
    among those of the topology, whose targets belong to the asset.
    """
    wanted = set(models)
    roots = [
        at
        for at in np.flatnonzero(topology.owner < 0).tolist()
        if topology.models[topology.model[at]] in wanted
    ]
    components = _components(topology)
    return [_asset(topology, root, components, through) for root in roots]


def _asset(
    topology: Topology, root: int, components: Mapping[int, list[int]], through: Sequence[str]
) -> Asset:
    parts: dict[str, str] = {}
    seen = {root}
    edge = {root: ""}
    for _ in range(MAX_DEPTH + 1):
        reached: dict[int, str] = {}
        for at, path in edge.items():
            _add_with_components(topology, parts, (at, path), components)
            for target, step in _related(topology, at, path, through):
                if target not in seen:
                    # Reached in two ways, it keeps the first one's name.
                    reached.setdefault(target, step)
        edge = reached
        seen |= set(edge)
        if not edge or len(parts) >= MAX_PARTS:
            break
    return Asset(topology.ids[root], parts)


def _add_with_components(
    topology: Topology,
    parts: dict[str, str],
    place: tuple[int, str],
    components: Mapping[int, list[int]],
) -> None:
    stack = [place]
    while stack and len(parts) < MAX_PARTS:
        at, path = stack.pop()
        parts[topology.ids[at]] = path
        for inner in components.get(at, ()):
            name = topology.component[inner]
            stack.append((inner, f"{path}/{name}" if path else name))


def _components(topology: Topology) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for at in np.flatnonzero(topology.owner >= 0).tolist():
        found.setdefault(int(topology.owner[at]), []).append(at)
    return found


def _related(
    topology: Topology, at: int, path: str, through: Sequence[str]
) -> list[tuple[int, str]]:
    """The twins that belong to this one, each with its path; numbered where names would clash."""
    found: list[tuple[int, str]] = []
    count: dict[str, int] = {}
    for name in through:
        columns = topology.edges.get(name)
        if columns is None:
            continue
        # Topology lists twins in order of id, so positions sort as ids do.
        for target in np.unique(columns.target[columns.source == at]).tolist():
            model = topology.models[topology.model[target]].partition(";")[0].rpartition(":")[2]
            step = f"{path}/{name}:{model}" if path else f"{name}:{model}"
            count[step] = count.get(step, 0) + 1
            found.append((target, step if count[step] == 1 else f"{step}#{count[step]}"))
    return found
