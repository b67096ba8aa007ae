"""Many right-hand sides of one sparse factorisation at once, side by side in memory."""

from __future__ import annotations

from typing import Any

from twinfall.analytics.kernels.compiled import compiled, inner


@inner
def _take_off(values: Any, to: int, source: int, factor: float) -> None:
    """Row `to` less `factor` times row `source`."""
    for c in range(values.shape[1]):
        values[to, c] -= factor * values[source, c]


@inner
def _forward(start: Any, row: Any, factor: Any, values: Any) -> None:
    for j in range(len(values)):
        if not values[j].any():
            continue
        for at in range(start[j], start[j + 1]):
            if row[at] != j:
                _take_off(values, row[at], j, factor[at])


@inner
def _backward(start: Any, row: Any, factor: Any, values: Any) -> None:
    for j in range(len(values) - 1, -1, -1):
        for at in range(start[j], start[j + 1]):
            if row[at] == j:
                values[j] /= factor[at]
        for at in range(start[j], start[j + 1]):
            if row[at] != j:
                _take_off(values, row[at], j, factor[at])


@compiled
def substitute(lower: Any, upper: Any, values: Any) -> None:
    """Solve L U x = values in place; float64 [n, questions], rows contiguous.

    lower, upper: (start, row, value) of the columns, as `scipy.sparse.linalg.splu` has them; the
    diagonal of L is 1. Rows of zeros cost nothing on the way forward.
    """
    _forward(lower[0], lower[1], lower[2], values)
    _backward(upper[0], upper[1], upper[2], values)
