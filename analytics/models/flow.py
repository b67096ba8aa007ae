"""DC power flow: B theta = P on every island, and what an outage does to the flows.

Voltages are taken as 1, losses as none, angles as small. Source of the formulas: Wood,
Wollenberg and Sheble, Power Generation, Operation and Control, chapters on DC power flow and
linear sensitivity factors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from twinfall.analytics.kernels.connectivity import bridges
from twinfall.analytics.kernels.triangular import substitute
from twinfall.analytics.models.cascade import Flags, Floats, Ints, positions
from twinfall.analytics.models.grid import Grid
from twinfall.ontology.errors import BadInput, Refused

MAX_MATRIX_BYTES = 4 * 1024**3
"""Of one PTDF or LODF."""
BLOCK = 64
"""Right-hand sides solved at once."""
RESIDUAL = 1e-6
"""Of the largest injection; a solution that misses by more is none."""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """One balanced solution. island [n]: dense numbers. generation, load: MW [n], after balancing.
    flow: MW [m], 0 for a branch that is out. angle: radians [n], 0 at the first bus of an island.
    """

    island: Ints
    generation: Floats
    load: Floats
    flow: Floats
    angle: Floats


class DCFlow:
    """The flows of one grid. Immutable."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._from, self._to = grid.ends[:, 0], grid.ends[:, 1]

    def state(self, up: ArrayLike | None = None) -> State:
        """Flows with these branches in (bool [m]; all of them without it).

        Every island is balanced for itself: where it generates more than its load, all its
        generators are scaled down to the load; where it generates less, all its loads are scaled
        down. BadInput where an island's equations have no unique solution.
        """
        grid = self.grid
        closed = np.ones(len(grid.ends), bool) if up is None else np.asarray(up, bool)
        if closed.shape != (len(grid.ends),):
            raise BadInput(f"has shape {closed.shape}, not ({len(grid.ends)},)", path="up")
        island, count = self._islands(closed)
        generation, load = _balanced(grid, island, count)
        # A phase shifter drives power round its loop like a pair of injections at its ends.
        driven = np.where(closed, grid.susceptance * grid.shift, 0.0)
        injection = generation - load
        injection += np.bincount(self._from, driven, len(injection))
        injection -= np.bincount(self._to, driven, len(injection))
        solver = _Solver(grid, closed, island)
        angle = solver.angles(injection)
        across = angle[self._from] - angle[self._to] - grid.shift
        flow = np.where(closed, grid.susceptance * across, 0.0)
        return State(island, generation, load, flow, angle)

    def bridges(self) -> Ints:
        """Branches whose outage alone parts an island, ascending."""
        n, m = len(self.grid.buses), len(self.grid.ends)
        both = np.concatenate([self.grid.ends, self.grid.ends[:, ::-1]])
        order = np.argsort(both[:, 0], kind="stable")
        start = np.searchsorted(both[order, 0], np.arange(n + 1)).astype(np.int64)
        link = np.tile(np.arange(m, dtype=np.int32), 2)[order]
        return np.flatnonzero(bridges(start, both[order, 1], link, m)).astype(np.int32)

    def ptdf(self, buses: ArrayLike | None = None) -> Floats:
        """Power transfer distribution factors [m, buses asked for, or all].

        How many MW flow over a branch for 1 MW put in at a bus and taken out at the first bus of
        its island. Refused (TOO_LARGE) above MAX_MATRIX_BYTES: ask for some buses at a time.
        """
        n = len(self.grid.buses)
        chosen = np.arange(n, dtype=np.int32) if buses is None else positions(buses, n)
        return self._transfers(chosen, None)

    def lodf(self, branches: ArrayLike | None = None) -> Floats:
        """Line outage distribution factors [m, branches asked for, or all].

        Which share of the flow over the branch that goes out another one takes over; -1 at itself.
        A bridge leaves no other way, so nothing is defined: its column is NaN, and `state` with
        the branch out has the answer. Refused (TOO_LARGE) above MAX_MATRIX_BYTES.
        """
        m = len(self.grid.ends)
        chosen = np.arange(m, dtype=np.int32) if branches is None else positions(branches, m)
        factors = self._transfers(self._from[chosen], self._to[chosen])
        columns = np.arange(len(chosen))
        own = factors[chosen, columns]
        parted = np.isin(chosen, self.bridges())
        # A bridge's own factor is 1 up to rounding: divided by what is left it would be noise.
        factors /= np.where(parted, 1.0, 1.0 - own)
        factors[chosen, columns] = -1.0
        factors[:, parted] = np.nan
        return factors

    def _transfers(self, begin: Ints, end: Ints | None) -> Floats:
        """Flows [m, len(begin)] for 1 MW from each begin to each end, or the island's first bus."""
        grid, n, m = self.grid, len(self.grid.buses), len(self.grid.ends)
        needed = m * len(begin) * 8
        if needed > MAX_MATRIX_BYTES:
            raise Refused(
                f"{needed:,} bytes: at most {MAX_MATRIX_BYTES:,}",
                code="TOO_LARGE",
                cure="ask for some of them at a time",
            )
        island, _ = self._islands(np.ones(m, bool))
        solver = _Solver(grid, np.ones(m, bool), island)
        flows = np.empty((m, len(begin)))
        for part in _blocks(len(begin)):
            size = part.stop - part.start
            injection = np.zeros((n, size))
            injection[begin[part], np.arange(size)] = 1.0
            if end is not None:
                injection[end[part], np.arange(size)] -= 1.0
            angle = solver.angles(injection)
            flows[:, part] = grid.susceptance[:, None] * (angle[self._from] - angle[self._to])
        return flows

    def _islands(self, closed: Flags) -> tuple[Ints, int]:
        n = len(self.grid.buses)
        ends = self._from[closed], self._to[closed]
        count, island = connected_components(
            csr_array((np.ones(len(ends[0])), ends), (n, n)), directed=False
        )
        return island, count


def _blocks(count: int) -> Iterator[slice]:
    return (slice(at, min(at + BLOCK, count)) for at in range(0, count, BLOCK))


def _balanced(grid: Grid, island: Ints, count: int) -> tuple[Floats, Floats]:
    """From what the grid had at first, so that no order of trips matters within an island."""
    made = np.bincount(island, grid.generation, count)
    wanted = np.bincount(island, grid.load, count)
    covered = np.minimum(made, wanted)
    running = np.divide(covered, made, out=np.zeros(count), where=made > 0)
    supplied = np.divide(covered, wanted, out=np.zeros(count), where=wanted > 0)
    return grid.generation * running[island], grid.load * supplied[island]


class _Solver:
    """The factorised equations of all islands at once, the first bus of each left out."""

    def __init__(self, grid: Grid, closed: Flags, island: Ints) -> None:
        n = len(grid.buses)
        free = np.ones(n, bool)
        free[np.unique(island, return_index=True)[1]] = False
        self._free = np.flatnonzero(free)
        begin, end = grid.ends[closed, 0], grid.ends[closed, 1]
        b = grid.susceptance[closed]
        rows = np.concatenate([begin, end, begin, end])
        columns = np.concatenate([begin, end, end, begin])
        matrix = csc_array((np.concatenate([b, b, -b, -b]), (rows, columns)), (n, n))
        self._matrix = matrix[self._free][:, self._free].tocsc()
        self._shape = n
        self._factor: Any = self._factorised() if len(self._free) else None

    def _factorised(self) -> Any:
        try:
            return splu(self._matrix, permc_spec="MMD_AT_PLUS_A")
        except RuntimeError as error:
            raise _unsolvable() from error

    def angles(self, injection: NDArray[np.float64]) -> Floats:
        """Radians for MW, [n] or [n, questions]; 0 at the first bus of each island."""
        angle = np.zeros_like(injection)
        if self._factor is None:
            return angle
        wanted = injection[self._free]
        found = self._factor.solve(wanted) if wanted.ndim == 1 else self._side_by_side(wanted)
        first = (slice(None), 0)[: wanted.ndim]  # one question tells whether the factors are good
        missed = np.abs(self._matrix @ found[first] - wanted[first]).max(initial=0.0)
        if not missed <= RESIDUAL * max(1.0, float(np.abs(wanted[first]).max(initial=0.0))):
            raise _unsolvable()
        angle[self._free] = found
        return angle

    @cached_property
    def _columns(self) -> tuple[Any, Any]:
        parts = (self._factor.L, self._factor.U)
        lower, upper = ((part.indptr, part.indices, part.data) for part in parts)
        return lower, upper

    def _side_by_side(self, wanted: Floats) -> Floats:
        """SuperLU solves one right-hand side after the other, and is slow at it."""
        factor = self._factor
        values = np.empty_like(wanted, order="C")
        values[factor.perm_r] = wanted
        substitute(*self._columns, values)
        solved: Floats = values[factor.perm_c]
        return solved


def _unsolvable() -> BadInput:
    return BadInput(
        "the flows of an island have no unique solution",
        path="susceptance",
        cure="negative reactances that cancel others in a loop are the usual reason",
    )
