"""Cascades of overloaded branches by DC power flow: a planning aid, not a protection study.

No voltages, no reactive power, no relay times, no dispatcher: an overloaded branch trips, all of
a round together, and the flows are solved anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from twinfall.analytics.models.cascade import (
    Course,
    Flags,
    Floats,
    Ints,
    Record,
    numbers,
    positions,
)
from twinfall.analytics.models.flow import DCFlow, State
from twinfall.analytics.models.grid import Grid
from twinfall.analytics.models.load import overloaded
from twinfall.ontology.errors import BadInput

SCREENED = 512
"""Outages looked at together."""
MARGIN = 1e-6
"""Share of the capacity below which outage factors are sure that nothing trips."""


@dataclass(frozen=True, slots=True)
class Trip:
    """One branch that tripped: in which round, and the MW it carried against what it can bear."""

    round: int
    branch: str
    flow: float
    capacity: float


class PowerCascade:
    """Elements are the branches of a grid; served is the load that is supplied, in MW.

    After the branches that fail are out, and again in every round: every island is balanced for
    itself (`DCFlow.state`: from the generation and load of the grid, not of the round before), the
    flows are solved, and every branch above its capacity trips. Until none does.
    """

    reasons = ("overload",)
    unit = "MW"

    def __init__(self, grid: Grid, capacity: ArrayLike | None = None) -> None:
        """capacity: MW [m], infinite allowed; the grid's own without it. BadInput where a branch
        is above its capacity before any outage.
        """
        self.grid = grid
        self.dc = DCFlow(grid)
        self.capacity: Floats = grid.capacity
        if capacity is not None:
            given = np.asarray(capacity, np.float64)
            numbers(np.where(np.isposinf(given), 0.0, given), (len(grid.ends),), "capacity")
            self.capacity = given.copy()
        self.base = self.dc.state()
        """Before any outage."""
        self.demand = float(self.base.load.sum())
        over = overloaded(np.abs(self.base.flow), self.capacity, np.ones(self.elements, bool))
        if len(over):
            carried, bears = abs(self.base.flow[over[0]]), self.capacity[over[0]]
            raise BadInput(
                f"{carried:.6g} MW before any outage are above its capacity {bears:.6g} MW, "
                f"and {len(over) - 1} more are so",
                path=grid.branches[over[0]],
                cure="correct the capacities, or take them from the flows (with_margin, --margin)",
            )

    @classmethod
    def with_margin(cls, grid: Grid, tolerance: float, least: float = 10.0) -> PowerCascade:
        """Capacities where nobody gave any: (1 + tolerance) times the flow before any outage, and
        `least` MW at least.
        """
        share, floor = (
            float(numbers(tolerance, (), "tolerance")),
            float(numbers(least, (), "least")),
        )
        flow = np.abs(DCFlow(grid).state().flow)
        return cls(grid, np.maximum((1.0 + share) * flow, floor))

    @property
    def elements(self) -> int:
        """Branches."""
        return len(self.grid.ends)

    def cascade(self, failed: ArrayLike) -> Course:
        """Rounds until no branch is above its capacity."""
        given = positions(failed, self.elements)
        rounds = self._follow(given)
        _, first = next(rounds)
        record = Record(given, *self._served(first))
        for tripped, state in rounds:
            record.add(tripped, *self._served(state))
        return record.course()

    def trips(self, failed: ArrayLike) -> list[Trip]:
        """The same branch by branch: by round, then position."""
        found: list[Trip] = []
        flow: Floats = self.base.flow
        for number, (tripped, state) in enumerate(self._follow(positions(failed, self.elements))):
            if number:
                found += [
                    Trip(number, self.grid.branches[b], float(flow[b]), float(self.capacity[b]))
                    for b in tripped
                ]
            flow = state.flow
        return found

    def risky(self) -> Ints:
        """Branches whose outage alone may trip others or parts an island, ascending: each other
        one's does neither, by the outage factors. At ties a branch is listed.
        """
        base, found = self.base.flow, []
        lowered = (self.capacity - MARGIN * np.maximum(self.capacity, 1.0))[:, None]
        lowered[np.isinf(self.capacity)] = np.inf
        for begin in range(0, self.elements, SCREENED):
            branches = np.arange(begin, min(begin + SCREENED, self.elements), dtype=np.int32)
            after = np.abs(base[:, None] + self.dc.lodf(branches) * base[branches])
            found.append(branches[~(after <= lowered).all(axis=0)])  # NaN is no answer: listed
        return np.concatenate([np.empty(0, np.int32), *found])

    def _follow(self, failed: Ints) -> Iterator[tuple[Ints, State]]:
        """What goes out in each round, and the state after it; the first are those given."""
        closed: Flags = np.ones(self.elements, bool)
        out = failed
        while True:
            closed[out] = False
            state = self.dc.state(closed)
            yield out, state
            out = overloaded(np.abs(state.flow), self.capacity, closed)
            if not len(out):
                return

    def _served(self, state: State) -> tuple[float, float]:
        served = float(state.load.sum())
        return served, self.demand - served
