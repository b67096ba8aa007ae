"""Compiled loops over a network's arrays. The only folder that imports numba."""

from __future__ import annotations

from twinfall.analytics.kernels.cascade import (
    BEFORE,
    DOWN_BEFORE,
    MARK,
    RULE,
    SUPPORT,
    TALLY,
    UP,
    Arrays,
    Scratch,
    cascade,
    clean,
    count_some,
    csr,
    ground,
    rows,
    settle,
)

__all__ = [
    "BEFORE",
    "DOWN_BEFORE",
    "MARK",
    "RULE",
    "SUPPORT",
    "TALLY",
    "UP",
    "Arrays",
    "Scratch",
    "cascade",
    "clean",
    "count_some",
    "csr",
    "ground",
    "rows",
    "settle",
]
