"""How much each branch of a network carries when every point draws its own share.

Flows split as current does: in inverse proportion to resistance, with what comes in at a point
equal to what leaves it. For electricity that is the usual linear load flow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Branch = tuple[str, str, str, float]
"""Its name, its two ends, its resistance above 0 in any unit."""


def carried(
    branches: Sequence[Branch], drawn: Mapping[str, float], source: str
) -> dict[str, float]:
    """What flows through each branch, in the unit of `drawn`, positive from first to second end.

    All points must hang together with the source, which supplies what they draw.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import spsolve

    points = sorted({end for _, one, other, _ in branches for end in (one, other)} - {source})
    at = {point: i for i, point in enumerate(points)} | {source: len(points)}
    one = np.array([at[b[1]] for b in branches])
    other = np.array([at[b[2]] for b in branches])
    conductance: NDArray[np.float64] = np.array([1.0 / b[3] for b in branches])
    weights = np.concatenate([conductance, conductance, -conductance, -conductance])
    rows = np.concatenate([one, other, one, other])
    columns = np.concatenate([one, other, other, one])
    size = len(points)
    matrix = coo_array((weights, (rows, columns)), shape=(size + 1, size + 1)).tocsc()
    draw = np.array([-drawn.get(point, 0.0) for point in points])
    potential = np.append(spsolve(matrix[:size, :size], draw), 0.0)
    flow = conductance * (potential[one] - potential[other])
    return {branch[0]: float(value) for branch, value in zip(branches, flow, strict=True)}
