"""Cascades by overload: what fails leaves its load to others, and that may be too much for them.

Both models are abstract: load is what the graph's shape makes of it, or a number given for each
node, and knows no physics. They compare structures; they predict no plant.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from twinfall.analytics.kernels.betweenness import betweenness
from twinfall.analytics.models.cascade import (
    TIE,
    Course,
    Flags,
    Floats,
    Ints,
    Record,
    numbers,
    positions,
)
from twinfall.analytics.models.wires import Wires
from twinfall.ontology.errors import BadInput

MAX_EXPONENT = 16.0
"""Of local sharing, either sign: beyond it the strongest neighbour takes all, and sums overflow."""


def overloaded(load: Floats, capacity: Floats, up: Flags) -> Ints:
    """What is up and carries more than it can bear, ascending."""
    return np.flatnonzero(up & (load > capacity + TIE * np.maximum(capacity, 1.0))).astype(np.int32)


class MotterLai:
    """Betweenness as load (Motter and Lai, Phys. Rev. E 66, 065102, 2002).

    The load of a node is how many shortest paths pass through it, ends included (unweighted, each
    pair once, several shortest paths of a pair share). Its capacity is (1 + tolerance) times its
    load before any failure. In each round all loads are computed anew on what is left, and all
    nodes above their capacity fail together. Served: the nodes of the largest connected part;
    `served / n` is the paper's G. A round costs O(n m).
    """

    reasons = ("overload",)
    unit = "nodes"

    def __init__(
        self, n: int, links: ArrayLike, *, tolerance: float, endpoints: bool = True
    ) -> None:
        """links: int [m, 2]. tolerance: share of the load, 0 and above."""
        self.wires = Wires.of(n, links)
        self.endpoints = endpoints
        self.load = self._loads(np.ones(n, bool))
        self.load.setflags(write=False)
        self.capacity: Floats = (1.0 + float(numbers(tolerance, (), "tolerance"))) * self.load
        self.capacity.setflags(write=False)
        self.demand = float(self.wires.largest_part(np.ones(n, bool)))

    @property
    def elements(self) -> int:
        """Nodes."""
        return self.wires.n

    def cascade(self, failed: ArrayLike) -> Course:
        """Rounds until no node is above its capacity."""
        given = positions(failed, self.elements)
        up = np.ones(self.elements, bool)
        up[given] = False
        record = Record(given, *self._served(up))
        while len(over := overloaded(self._loads(up), self.capacity, up)):
            up[over] = False
            record.add(over, *self._served(up))
        return record.course()

    def _loads(self, up: Flags) -> Floats:
        wires = self.wires
        loads: Floats = betweenness(
            wires.start, wires.neighbour, up.astype(np.uint8), self.endpoints
        )
        return loads

    def _served(self, up: Flags) -> tuple[float, float]:
        served = float(self.wires.largest_part(up))
        return served, self.demand - served


class LocalSharing:
    """A failed node leaves its load to its neighbours that work (Wang and Chen 2008; Wei et al.).

    Node i leaves neighbour j the share k_j^exponent / sum over working neighbours u of
    k_u^exponent, where k is the number of neighbours before any failure; exponent 0 shares
    equally. All transfers of a round are added before any node is tested. The load of a node
    without a working neighbour is stranded: it is shed. Load carried and load shed sum to the
    load there was, always.
    """

    reasons = ("overload",)
    unit = "load"

    def __init__(
        self, n: int, links: ArrayLike, load: ArrayLike, capacity: ArrayLike, *, exponent: float = 1
    ) -> None:
        """links: int [m, 2]. load, capacity: float64 [n] in one unit, 0 and above. BadInput where
        a load is above its capacity before any failure.
        """
        self.wires = Wires.of(n, links)
        self.load = numbers(load, (n,), "load")
        self.capacity = numbers(capacity, (n,), "capacity")
        over = overloaded(self.load, self.capacity, np.ones(n, bool))
        if len(over):
            at = over[0]
            raise BadInput(
                f"a load of {self.load[at]:g} is above its capacity {self.capacity[at]:g}",
                path=f"load[{at}]",
                cure="nothing may be overloaded before the first failure",
            )
        power = float(numbers(exponent, (), "exponent", -MAX_EXPONENT))
        if power > MAX_EXPONENT:
            raise BadInput(f"{power:g} must be at most {MAX_EXPONENT:g}", path="exponent")
        self._pull = np.maximum(self.wires.degree, 1).astype(np.float64) ** power
        self.demand = float(self.load.sum())

    @property
    def elements(self) -> int:
        """Nodes."""
        return self.wires.n

    def cascade(self, failed: ArrayLike) -> Course:
        """Rounds until no node is above its capacity."""
        given = positions(failed, self.elements)
        up, load = np.ones(self.elements, bool), self.load.copy()
        stranded = self._fail(given, up, load)
        record = Record(given, float(load.sum()), stranded)
        while len(over := overloaded(load, self.capacity, up)):
            stranded += self._fail(over, up, load)
            record.add(over, float(load.sum()), stranded)
        return record.course()

    def _fail(self, nodes: Ints, up: Flags, load: Floats) -> float:
        """Hand on the load of these, which fail together; returns what is stranded."""
        up[nodes] = False
        leaving = load[nodes]
        load[nodes] = 0.0
        row, other = self._links_of(nodes)
        kept = up[other]
        row, other = row[kept], other[kept]
        strength = self._pull[other]
        total = np.bincount(row, strength, len(nodes))
        np.add.at(load, other, leaving[row] * strength / total[row])
        return float(leaving[total == 0.0].sum())

    def _links_of(self, nodes: Ints) -> tuple[Any, Ints]:
        """For each neighbour of each of these: the position among them, and the neighbour."""
        start, degree = self.wires.start[nodes], self.wires.degree[nodes]
        row = np.repeat(np.arange(len(nodes)), degree)
        first = np.cumsum(degree) - degree
        at = np.repeat(start - first, degree) + np.arange(len(row))
        return row, self.wires.neighbour[at]
