"""What readings say about limits, for all places at once.

A place is beyond a level when its reading lies outside, and back when one lies inside by the
hysteresis; in between it stays as it was. It counts once it has been outside for the hold time, by
the readings' own times: each place is a pure function of the readings that came, in the order in
which they came, whatever batches they came in and however often anybody looked in between.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.limits import Flags, Floats, Ints, Limits, Nanos

NO_TIME = -(2**63)
WITHIN, OUTSIDE, BEYOND = 0, 1, 2
"""Phases: inside; outside since a time but not yet for the hold time; beyond the limit."""


class Machines:
    """One machine for each place and level. Not safe for threads: the live state guards it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        count = len(limits)
        self.time: Nanos = np.full(count, NO_TIME, np.int64)
        """The newest reading's source time in ns."""
        self.value: Floats = limits.given.copy()
        self.since: Nanos = np.full((2, count), NO_TIME, np.int64)
        """The first reading of the excursion; NO_TIME where the graph's own value says it."""
        self.phase: NDArray[np.uint8] = np.full((2, count), WITHIN, np.uint8)
        for level in (0, 1):
            out, _ = self._sides(level, np.arange(count), limits.given)
            self.phase[level][out] = BEYOND

    def advance(self, place: Ints, times: Nanos, numbers: Floats, *, replaces: bool) -> Ints:
        """Take in readings in order of arrival; the places that moved.

        Only forward in source time: an older reading is left out, one of the same time too unless
        it `replaces`. NaN is a sign of life without a value.
        """
        order = np.argsort(place, kind="stable")
        place, times, numbers = place[order], times[order], numbers[order]
        kept = _forward(place, times, self.time[place], replaces)
        place, times, numbers = place[kept], times[kept], numbers[kept]
        if not len(place):
            return place
        last = np.flatnonzero(np.diff(place, append=-1))
        self.time[place[last]] = times[last]
        valued = ~np.isnan(numbers)
        if valued.any():
            rows = place[valued], times[valued], numbers[valued]
            first = np.flatnonzero(np.diff(rows[0], prepend=-1))
            self._judge(0, rows, first)
            self._judge(1, rows, first)
            end = np.flatnonzero(np.diff(rows[0], append=-1))
            self.value[rows[0][end]] = rows[2][end]
        return place[last]

    def beyond(self, now: int, places: Ints | slice) -> Flags:
        """By level and place, whether the limit counts as crossed at `now`: a reading stands for
        what is until the next one comes.
        """
        seen = np.maximum(self.time[places], now)
        # An excursion outside any clock's reach would overflow: compare ends, not lengths.
        ripe = self.since[:, places] <= seen - self.limits.hold[places]
        phase = self.phase[:, places]
        found: Flags = (phase == BEYOND) | ((phase == OUTSIDE) & ripe)
        return found

    def inherit(self, old: Machines, mine: Ints, theirs: Ints) -> None:
        """Go on where others stood: place `mine[i]` was `theirs[i]`. Where the limits are others
        now, its last value is judged anew.
        """
        spoken = old.time[theirs] != NO_TIME
        mine, theirs = mine[spoken], theirs[spoken]
        self.time[mine] = old.time[theirs]
        self.value[mine] = old.value[theirs]
        new, before = self.limits, old.limits
        same = (new.hysteresis[mine] == before.hysteresis[theirs]) & (
            new.hold[mine] == before.hold[theirs]
        )
        for level in (0, 1):
            kept = same & (new.low[level, mine] == before.low[level, theirs])
            kept &= new.high[level, mine] == before.high[level, theirs]
            self.phase[level, mine[kept]] = old.phase[level, theirs[kept]]
            self.since[level, mine[kept]] = old.since[level, theirs[kept]]
            self._restart(level, mine[~kept])

    def _restart(self, level: int, places: Ints) -> None:
        out, _ = self._sides(level, places, self.value[places])
        self.phase[level, places] = np.where(out, OUTSIDE, WITHIN)
        self.since[level, places] = self.time[places]

    def _sides(self, level: int, place: Ints, numbers: Floats) -> tuple[Flags, Flags]:
        """Outside the limits, and inside by the hysteresis."""
        low, high = self.limits.low[level, place], self.limits.high[level, place]
        by = self.limits.hysteresis[place]
        out = (numbers > high) | (numbers < low)
        return out, (numbers >= low + by) & (numbers <= high - by)

    def _judge(self, level: int, rows: tuple[Ints, Nanos, Floats], first: Ints) -> None:
        """Where the machines of these places stand after all rows, sorted by place.

        Only what came after the last reading inside matters: the first stretch of readings
        outside that lasted the hold time, up to the reading that ended it, is the excursion.
        """
        place, times, numbers = rows
        count = len(place)
        at = np.arange(count)
        places = place[first]
        own = np.repeat(np.arange(len(first)), np.diff(first, append=count))
        out, inside = self._sides(level, place, numbers)
        cleared = np.maximum.reduceat(np.where(inside, at, -1), first)
        after = at > cleared[own]
        phase, since = self.phase[level, places], self.since[level, places]
        fresh = cleared >= 0
        going = (phase == OUTSIDE) & ~fresh  # an excursion from before goes on
        begins = first[own] == at
        was_out = np.where(begins, going[own], np.roll(out, 1))
        starts = out & ~was_out
        began = np.maximum.accumulate(np.where(starts, at, -1))
        earlier = began < first[own]
        start = np.where(earlier, since[own], times[began])
        before = np.roll(start, 1)
        before[first] = since
        hold = self.limits.hold[place]
        lasting = np.where(out, start, before)
        ripe = after & (out | was_out) & (times - lasting >= hold)
        crossed = np.minimum.reduceat(np.where(ripe, at, count), first)
        last = np.append(first[1:], count) - 1
        stays = (phase == BEYOND) & ~fresh
        found = crossed < count
        chosen = np.where(found, crossed, last)
        self.phase[level, places] = np.where(
            stays | found, BEYOND, np.where(out[last], OUTSIDE, WITHIN)
        )
        self.since[level, places] = np.where(stays, since, lasting[chosen])


def _forward(place: Ints, times: Nanos, known: Nanos, replaces: bool) -> Flags:
    """The rows, sorted by place, that are newer than all before them."""
    kept: Flags = times >= known if replaces else times > known
    kept |= known == NO_TIME
    # The running maximum within each place: ranks of times, and places one above the other.
    _, rank = np.unique(times, return_inverse=True)
    height = place.astype(np.int64) * (len(times) + 1) + rank.reshape(-1) + 1
    highest = np.maximum.accumulate(np.where(kept, height, 0))
    before = np.concatenate([[0], highest[:-1]])
    return kept & (height >= before if replaces else height > before)
