"""The relationships of a topology by their ends, found without a look at each for each question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.whatif.scenario import Link
from twinfall.graph.store import EdgeColumns, Topology

Rows = NDArray[np.int64]


class Relationships:
    """Rows of `topology.edges` by name and ends; those of a name are sorted when first asked."""

    def __init__(self, topology: Topology, position: Mapping[str, int]) -> None:
        self.topology = topology
        self.position = position
        self._sorted: dict[str, tuple[Rows, Rows]] = {}

    def rows(self, link: Link) -> Rows:
        """Those with the name and ends of a link, whose ends are twins."""
        order, keys = self._of_name(link.name)
        key = self._key(self.position[link.source], self.position[link.target])
        first, last = np.searchsorted(keys, [key, key + 1])
        return order[first:last]

    def all_rows(self, links: list[Link]) -> Rows:
        """Those of any of these links, which have one name; ascending."""
        found = [self.rows(link) for link in links]
        return np.unique(np.concatenate([np.zeros(0, np.int64), *found]))

    def _of_name(self, name: str) -> tuple[Rows, Rows]:
        if name not in self._sorted:
            edges: EdgeColumns | None = self.topology.edges.get(name)
            keys = np.zeros(0, np.int64)
            if edges is not None:
                keys = self._key(edges.source.astype(np.int64), edges.target.astype(np.int64))
            order = np.argsort(keys, kind="stable")
            self._sorted[name] = order, keys[order]
        return self._sorted[name]

    def _key(self, source: Any, target: Any) -> Any:
        return source * len(self.topology.ids) + target
