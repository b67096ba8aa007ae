"""The dependency cascade (docs/cascade.md) as one of the cascade models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from twinfall.analytics.models.cascade import Course, positions
from twinfall.analytics.network import FOREVER, Network

GROUP, NETWORK = 0, 1


@dataclass(frozen=True, eq=False)
class DependencyCascade:
    """A `Network` seen as a cascade model: elements are its assets, what is served is their value.

    A round is one wave at one moment, so that rounds are in order of time as well. Gates take
    part and are never shown.
    """

    network: Network
    horizon: float = FOREVER
    """Seconds after the failure."""

    reasons = ("group lost", "network lost")
    unit = "value"

    @property
    def elements(self) -> int:
        """Assets."""
        return self.network.visible

    @cached_property
    def demand(self) -> float:
        """Value of what is up before any failure."""
        up = ~self.network.baseline[: self.elements]
        return float(self.network.value[: self.elements][up].sum())

    def cascade(self, failed: ArrayLike) -> Course:
        """What goes down after these fail; what was down before takes no part."""
        given = positions(failed, self.elements)
        impact = self.network.impact(given, self.horizon)
        shown = impact.asset < self.elements
        asset, time, wave = impact.asset[shown], impact.time[shown], impact.wave[shown]
        order = np.lexsort((asset, wave, time))
        asset, time, wave = asset[order], time[order], wave[order]
        begins = np.ones(len(asset), bool)
        begins[1:] = (time[1:] != time[:-1]) | (wave[1:] != wave[:-1])
        rounds = np.cumsum(begins).astype(np.int32)
        worth = self.network.value[asset]
        lost = np.bincount(rounds, worth, int(begins.sum()) + 1).astype(np.float64)
        lost[0] = self.network.value[given[~self.network.baseline[given]]].sum()
        shed = np.cumsum(lost)
        group = impact.group[shown][order]
        return Course(
            failed=given,
            element=asset,
            round=rounds,
            reason=np.where(group < 0, NETWORK, GROUP).astype(np.int32),
            served=self.demand - shed,
            shed=shed,
        )
