"""An undirected graph as arrays: which node is joined to which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from twinfall.analytics.models.cascade import Flags, Ints
from twinfall.ontology.errors import BadInput, Refused

MAX_NODES = 20_000_000
MAX_LINKS = 200_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Wires:
    """Nodes 0..n-1 and their neighbours: neighbour[start[i]:start[i+1]], ascending."""

    start: NDArray[np.int64]
    neighbour: Ints

    @property
    def n(self) -> int:
        """Nodes."""
        return len(self.start) - 1

    @property
    def degree(self) -> Ints:
        """Neighbours of each node."""
        return np.diff(self.start).astype(np.int32)

    @classmethod
    def of(cls, n: int, links: ArrayLike) -> Wires:
        """links: int [m, 2], positions 0..n-1. A pair given twice, in either direction, is one
        link; a link from a node to itself is none.
        """
        ends = link_ends(n, links)
        ends = ends[ends[:, 0] != ends[:, 1]]
        both = np.concatenate([ends, ends[:, ::-1]]).astype(np.int64)
        keys = np.unique(both[:, 0] * n + both[:, 1])
        start = np.searchsorted(keys, np.arange(n + 1, dtype=np.int64) * n)
        neighbour = (keys % n if n else keys).astype(np.int32)
        start.setflags(write=False)
        neighbour.setflags(write=False)
        return cls(start, neighbour)

    def largest_part(self, up: Flags) -> int:
        """Nodes of the largest connected part of what is up."""
        if not up.any():
            return 0
        rows = np.repeat(np.arange(self.n, dtype=np.int32), self.degree)
        kept = up[rows] & up[self.neighbour]
        graph = csr_array(
            (np.ones(int(kept.sum())), (rows[kept], self.neighbour[kept])), (self.n, self.n)
        )
        _, part = connected_components(graph, directed=False)
        return int(np.bincount(part[up]).max())


def link_ends(n: int, links: ArrayLike) -> Ints:
    """int32 [m, 2]; BadInput where an end is not a node."""
    if not 0 <= n <= MAX_NODES:
        raise Refused(f"{n} nodes: at most {MAX_NODES:,}", code="TOO_LARGE", path="n")
    given = np.asarray(links)
    if not given.size:
        return np.zeros((0, 2), np.int32)
    if given.ndim != 2 or given.shape[1] != 2 or not np.issubdtype(given.dtype, np.integer):
        raise BadInput("must be whole numbers of shape [m, 2], two ends each", path="links")
    if len(given) > MAX_LINKS:
        raise Refused(f"{len(given)} links: at most {MAX_LINKS:,}", code="TOO_LARGE", path="links")
    wrong = np.flatnonzero(((given < 0) | (given >= n)).any(axis=1))
    if len(wrong):
        raise BadInput(f"nodes are numbered 0 to {n - 1}", path=f"links[{wrong[0]}]")
    return given.astype(np.int32)
