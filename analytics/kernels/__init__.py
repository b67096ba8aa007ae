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
from twinfall.analytics.kernels.whole import all_fed, is_without_circles

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
    "all_fed",
    "cascade",
    "clean",
    "count_some",
    "csr",
    "follow",
    "ground",
    "is_without_circles",
    "prepare",
    "settle",
    "tell",
]
