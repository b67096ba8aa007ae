"""From places to assets: the worst thing that a fresh reading says, and in which words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.limits import ANY, LEVELS, NANO, NEVER, Ints, Limits
from twinfall.analytics.machines import BEYOND, NO_TIME, Machines
from twinfall.analytics.states import STATES, Reason

Codes = NDArray[np.uint8]

OK, DEGRADED, UNKNOWN, FAILED = range(len(STATES))
"""The higher wins: a fresh reading that says failed counts, whatever other readings lack."""


class Judge:
    """Own states of the assets whose readings are watched."""

    def __init__(self, machines: Machines) -> None:
        self.machines = machines
        self.limits: Limits = machines.limits
        count = len(self.limits.ids)
        self._start = np.searchsorted(self.limits.asset, np.arange(count + 1)).astype(np.int64)

    def codes(self, now: int, assets: Ints | None = None) -> Codes:
        """The codes of these assets, or of all, at `now`."""
        if assets is None:
            assets = np.arange(len(self.limits.ids), dtype=np.int32)
        if not len(assets):
            return np.zeros(0, np.uint8)
        places, first = self._places(assets)
        codes = np.maximum.reduceat(self._by_place(places, now), first).astype(np.uint8)
        heard = ~self.limits.spoken[places] | (self.machines.time[places] != NO_TIME)
        silent = ~np.logical_or.reduceat(heard & self.limits.spoken[places], first)
        silent &= self.limits.stale[assets] != NEVER
        codes[silent] = np.maximum(codes[silent], UNKNOWN)
        return codes

    def conducts(self, assets: Ints | None = None) -> NDArray[np.bool_]:
        """Whether these assets, or all, pass on: what their switch said last."""
        switch = self.limits.switch if assets is None else self.limits.switch[assets]
        found: NDArray[np.bool_] = np.ones(len(switch), np.bool_)
        is_switch = switch >= 0
        found[is_switch] = self.machines.value[switch[is_switch]] > 0
        return found

    def reason(self, asset: int, now: int) -> Reason | None:
        """Why an asset is as its code says; None where it is ok."""
        [code] = self.codes(now, np.array([asset], np.int32))
        if code == OK:
            return None
        places = np.arange(self._start[asset], self._start[asset + 1])
        said = np.flatnonzero(self._by_place(places, now) == code)
        if not len(said):
            return Reason("silent", "no reading has come yet")
        place = int(places[said[0]])
        return self._stale(place) if code == UNKNOWN else self._crossed(place, int(code == FAILED))

    # -- inside ---------------------------------------------------------------------------

    def _by_place(self, places: Ints, now: int) -> Codes:
        beyond = self.machines.beyond(now, places)
        codes: Codes = np.where(beyond[1], FAILED, np.where(beyond[0], DEGRADED, OK)).astype(
            np.uint8
        )
        codes[self._is_stale(places, now)] = UNKNOWN
        return codes

    def _is_stale(self, places: Ints, now: int) -> NDArray[np.bool_]:
        stale = self.limits.stale[self.limits.asset[places]]
        time = self.machines.time[places]
        timed = self.limits.spoken[places] & (stale != NEVER) & (time != NO_TIME)
        found: NDArray[np.bool_] = timed & (time < now - np.where(timed, stale, 0))
        return found

    def _places(self, assets: Ints) -> tuple[Ints, Ints]:
        """The places of these assets one after the other, and where each asset's begin."""
        begin, end = self._start[assets], self._start[assets.astype(np.int64) + 1]
        counts = end - begin
        first = np.concatenate([[0], np.cumsum(counts)[:-1]])
        places = np.arange(int(counts.sum())) + np.repeat(begin - first, counts)
        return places, first

    def _stale(self, place: int) -> Reason:
        limits, time = self.limits, int(self.machines.time[place])
        name = limits.name[place]
        after = int(limits.stale[limits.asset[place]]) / NANO
        what = f"reading of {name}" if name != ANY else "reading"
        message = f"the last {what} is older than {after:g} s"
        return Reason("stale", message, name or None, since=time)

    def _crossed(self, place: int, level: int) -> Reason:
        limits, value = self.limits, float(self.machines.value[place])
        low, high = float(limits.low[level, place]), float(limits.high[level, place])
        above = abs(value - high) <= abs(value - low)
        limit, name, word = high if above else low, limits.name[place], LEVELS[level]
        back = low <= value <= high
        side = "above" if above else "below"
        message = f"{name} is {value:g}, {word} {side} {limit:g}"
        if back:
            message = f"{name} was {side} {limit:g} ({word}) and is not back by the hysteresis yet"
        since = int(self.machines.since[level, place])
        known = self.machines.time[place] != NO_TIME or self.machines.phase[level, place] != BEYOND
        return Reason(
            "limit", message, name, value, limit, since if known and since != NO_TIME else None
        )
