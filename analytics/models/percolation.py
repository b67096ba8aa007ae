"""How long a graph holds together while its nodes are taken out one after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from twinfall.analytics.kernels.connectivity import growing
from twinfall.analytics.models.cascade import Ints, positions
from twinfall.analytics.models.wires import Wires
from twinfall.ontology.errors import BadInput


def largest_parts(n: int, links: ArrayLike, order: ArrayLike) -> Ints:
    """Nodes in the largest connected part after each node of `order` was taken out, int32 [n].

    links: int [m, 2]. order: every node once. Computed backwards, nodes joining (Newman and Ziff
    2000), in O(m) nearly.
    """
    wires = Wires.of(n, links)
    given = np.asarray(order).reshape(-1)
    if len(given) != n or len(positions(given, n)) != n:
        raise BadInput(f"must have each of the {n} nodes once", path="order")
    joining = growing(wires.start, wires.neighbour, given[::-1].astype(np.int32))
    return np.concatenate([joining[-2::-1], np.zeros(min(n, 1), np.int32)]).astype(np.int32)


def robustness(n: int, links: ArrayLike, order: ArrayLike) -> float:
    """R of Schneider et al. (PNAS 108, 3838, 2011): the mean share of nodes in the largest
    connected part over an attack in this order; 0 to 0.5.
    """
    parts = largest_parts(n, links, order)
    return float(parts.sum(dtype=np.int64) / (n * n)) if n else 0.0
