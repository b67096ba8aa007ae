"""What a failure takes along at least and at worst, when the state of some assets is unknown.

Each unknown asset is up or down; which, nobody knows, nor since when. Whatever it is, the failure
takes along all that is `certain`: what it takes along in the best case and what would be up by then
in the worst one. And what it takes along lies within `possible`: an asset that goes down because of
it in some case is down after it in the worst case, would not be down by then in the best one, and
hangs on a failed asset by a chain of assets that are up now in the best case and go down after it
in the worst. What is down in the worst case for want of unknown assets alone has no such chain, and
is no impact of this failure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.degrading import Degraded, Soft
from twinfall.analytics.going import AnyCourse
from twinfall.analytics.network import FOREVER, Impact, Network

Rows = NDArray[np.int32]


@dataclass(frozen=True)
class Doubt:
    """A failure while some assets are unknown: `impact` is what it takes along where all of them
    are up (`best`), `worst` is where they have been down for ever.
    """

    best: AnyCourse
    worst: AnyCourse
    impact: Impact
    horizon: float

    def certain(self) -> Rows:
        """The assets that the failure takes along whatever the unknown are, in its order."""
        asset = self.impact.asset
        return asset[~self.worst.anyway(self.horizon)[asset]]

    def possible(self) -> Rows:
        """The assets, by position, that the failure may take along."""
        return possible(self.best, self.worst, self.impact, self.horizon)

    def degraded(self, soft: Soft, degraded: Degraded) -> tuple[int, int]:
        """How many assets the failure degrades at least, and may degrade at most, where in the best
        case it degrades these.
        """
        if not len(soft):
            return 0, 0
        best, worst = self.best.anyway(self.horizon), self.worst.anyway(self.horizon)
        after = _worst(self.worst, self.impact, self.horizon)
        sure = ~soft.before(worst)[degraded.group] & ~after[degraded.asset]
        lost = soft.before(after) & ~soft.before(best)
        lost &= soft.fed_by(np.concatenate([self.impact.failed, self.possible()]))
        best[self.impact.failed] = True
        best[self.impact.asset] = True
        consumer = soft.feeds.consumer[lost]
        most = np.union1d(consumer[~best[consumer]], degraded.asset)
        return int(np.count_nonzero(sure)), len(most)


def possible(best: AnyCourse, worst: AnyCourse, impact: Impact, horizon: float) -> Rows:
    """The assets, by position, that a failure may take along; `impact` is what it takes along
    where everything unknown is up (`best`), `worst` is where it has been down for ever.
    """
    # A chain may lead over what goes down after the horizon: a buffer in a circle begins to run
    # before its provider is down.
    among = _worst(worst, impact, FOREVER) & ~best.down
    begun = impact.failed[~best.down[impact.failed]]
    found = reached(best.network, begun, among)
    found &= _worst(worst, impact, horizon) & ~best.anyway(horizon)
    found[begun] = False
    return np.flatnonzero(found).astype(np.int32)


def _worst(worst: AnyCourse, impact: Impact, horizon: float) -> NDArray[np.bool_]:
    """What is down by the horizon in the worst case, the failed ones included."""
    flags = worst.anyway(horizon)
    flags[worst.after(impact.failed, horizon).asset] = True
    flags[impact.asset] = True
    flags[impact.failed] = True
    return flags


def reached(network: Network, begin: Rows, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What can be reached from `begin` by steps from an asset to those it feeds or is connected
    with, within `among`. O(what is reached and its neighbours).
    """
    arrays = network.arrays
    carriers = len(arrays.member_start) - 1
    found = np.zeros(network.n, np.bool_)
    front = np.unique(begin)
    while len(front):
        found[front] = True
        fed = arrays.group[spans(arrays.out_start, front)]
        nearby = [network.feeds.consumer[fed]]
        for carrier in range(carriers):
            nearby.append(arrays.touch[spans(arrays.touch_start, front + carrier * network.n)])
        after = np.unique(np.concatenate(nearby))
        front = after[among[after] & ~found[after]]
    return found


def spans(start: Rows, at: Rows) -> NDArray[np.int64]:
    """The entries start[i]..start[i + 1] - 1 for each i of `at`, one after the other."""
    begin = start[at].astype(np.int64)
    counts = start[at + 1] - begin
    shift = np.repeat(begin - np.cumsum(counts) + counts, counts)
    spans: NDArray[np.int64] = np.arange(int(counts.sum())) + shift
    return spans
