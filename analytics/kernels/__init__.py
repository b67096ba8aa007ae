"""Compiled loops over a network's arrays. The only folder that imports numba."""

from __future__ import annotations

from twinfall.analytics.kernels.arrays import (
    BEFORE,
    DOWN_BEFORE,
    MARK,
    RULE,
    SUPPORT,
    TALLY,
    UP,
    Arrays,
    Scratch,
    csr,
)
from twinfall.analytics.kernels.cascade import cascade, count_some
from twinfall.analytics.kernels.grounding import ground, settle
from twinfall.analytics.kernels.marking import clean, prepare
from twinfall.analytics.kernels.telling import follow, tell

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
    "follow",
    "ground",
    "prepare",
    "settle",
    "tell",
]
