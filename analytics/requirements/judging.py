"""How one demand is judged: which assets fail it, the worst first, and a witness for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twinfall.analytics.requirements.moment import Moment, Rows
from twinfall.analytics.requirements.report import Witness


@dataclass(frozen=True, slots=True)
class Judged:
    """`failing` are positions, the worst first; `unclear` those of which it cannot be said.

    `wrong` goes on after "fails for 3 of 12 assets": what is the matter with them.
    """

    failing: Rows
    wrong: str
    witness: Callable[[int], Witness]
    unclear: Rows
    why_unclear: Callable[[int], str]


def unclear_among(moment: Moment, assets: Rows, failing: Rows) -> Rows:
    """Those that seem to be well, and may not be."""
    found = assets[moment.unknown[assets]]
    return np.setdiff1d(found, failing).astype(np.int32)
