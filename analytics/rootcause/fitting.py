"""How well one explanation fits what is seen, once it is known what is down by it and when.

Alarms come at the time of the failure that causes them, give or take the skew of clocks. Nobody
knows when the root failed: the moment is taken that makes the most alarms come in time; an alarm
that does not is no effect of it. Where it is not known how long ago it was, buffers may have run
out or not: the moment is taken that fits best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinfall.analytics.rootcause.seen import Floats, Ints, Observed, Weights


@dataclass(frozen=True, slots=True)
class Fit:
    """`down` is what is expected to be down by now, `explained` places of alarms and `silent`
    positions, both ascending; `began` the time of the root's failure where alarms have times.
    """

    down: Ints
    explained: Ints
    silent: Ints
    quiet: int
    began: float | None = None

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Alarms explained, silent ones, ones found in order."""
        return len(self.explained), len(self.silent), self.quiet

    def weigh(self, weights: Weights) -> float:
        """As Counts.weigh, of one."""
        alarms, silent, quiet = self.numbers
        return alarms * weights.alarm + silent * weights.silence + quiet * weights.quiet


def fit(observed: Observed, down: Ints, time: Floats, weights: Weights, skew: float) -> Fit:
    """Of an explanation by which these go `down`, `time` seconds after the root failed."""
    place = observed.at[down]
    in_alarm = place >= 0
    late = np.zeros(len(down), bool)
    began = None
    onset = np.full(len(down), np.nan)
    if in_alarm.any() and np.isfinite(observed.onset).any():
        onset[in_alarm] = observed.onset[place[in_alarm]]
        began, late = _began(onset - time, skew)
    worth = np.where(in_alarm & ~late, weights.alarm, 0.0)
    # One that went off at another time is a failure that was missed, and a false alarm.
    worth += np.where(observed.silent[down] | (in_alarm & late), weights.silence, 0.0)
    worth += np.where(observed.quiet[down], weights.quiet, 0.0)
    by_now = time <= _since(observed, began, time, worth)
    by_now |= np.isfinite(onset) & ~late
    silent = by_now & observed.silent[down]
    return Fit(
        down[by_now],
        np.sort(place[by_now & in_alarm & ~late]),
        np.sort(down[silent | (by_now & in_alarm & late)]),
        int(np.count_nonzero(by_now & observed.quiet[down])),
        began,
    )


def _began(offset: Floats, skew: float) -> tuple[float | None, np.ndarray]:
    """When the root failed, if each alarm says `offset`: the middle of those most agree on; and
    which do not agree. NaN says nothing and agrees.
    """
    known = np.sort(offset[np.isfinite(offset)])
    if not len(known):
        return None, np.zeros(len(offset), bool)
    last = np.searchsorted(known, known + 2 * skew, side="right")
    most = last - np.arange(len(known))
    first = int(np.argmax(most))
    low, high = known[first], known[last[first] - 1]
    return float((low + high) / 2), (offset < low) | (offset > high)


def _since(observed: Observed, began: float | None, time: Floats, worth: Floats) -> float:
    """How many seconds the failure has had to take effect."""
    if observed.horizon is not None:
        return observed.horizon
    if began is not None and observed.now is not None:
        return max(0.0, observed.now - began)
    order = np.argsort(time, kind="stable")
    moments, last = time[order], np.cumsum(worth[order])
    ends = np.append(moments[1:] != moments[:-1], True)
    return float(moments[ends][np.argmax(last[ends])])
