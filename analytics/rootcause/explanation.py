"""Explanations, told by twin ids as far as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import log2

import numpy as np

from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.rootcause.searching import Hypothesis
from twinfall.analytics.rootcause.seen import Ints, Observed

MAX_PATHS = 3
"""Alarms to which an explanation shows the way."""
MAX_COMPARED = 30
"""Explanations that a check is to tell apart."""


@dataclass(frozen=True, slots=True)
class Check:
    """An asset to look at: `bits` (0 to 1) is what knowing whether it is up or down will tell of
    the explanations; `down_if` are the ranks by which it is down, all of them or some.
    """

    id: str
    bits: float
    down_if: tuple[int, ...]


@dataclass(frozen=True)
class Explanation:
    """What may have failed by itself. Those that nothing seen tells apart share a `rank`, from 1.

    `score` is the natural logarithm of its odds against all alarms being false; `probability`
    among all explanations looked at; `gain` by how much several roots beat the best fewer.
    `began` is when they failed, on the clock of the alarms, where alarms have times.
    """

    rank: int
    roots: tuple[str, ...]
    score: float
    probability: float
    gain: float | None
    began: float | None
    check: Check | None
    """What to look at next; the same for all."""
    _hypothesis: Hypothesis = field(repr=False)
    _observed: Observed = field(repr=False)
    _assets: AssetNetwork = field(repr=False)

    @property
    def explained(self) -> tuple[str, ...]:
        """The alarms that it explains, by id."""
        return self._ids(self._observed.alarm[self._hypothesis.fit.explained])

    @property
    def silent(self) -> tuple[str, ...]:
        """Assets that would be down, by id, and are not in alarm though somebody listens; or went
        into alarm at another time.
        """
        return self._ids(self._hypothesis.fit.silent)

    @property
    def unexplained(self) -> tuple[str, ...]:
        """The alarms that are false, if this is what happened, by id."""
        rest = np.ones(len(self._observed.alarm), bool)
        rest[self._hypothesis.fit.explained] = False
        return self._ids(self._observed.alarm[rest])

    @property
    def explained_count(self) -> int:
        """How many alarms it explains."""
        return len(self._hypothesis.fit.explained)

    @property
    def silent_count(self) -> int:
        """How many assets are silent that should not be."""
        return len(self._hypothesis.fit.silent)

    @property
    def unexplained_count(self) -> int:
        """How many alarms it leaves."""
        return len(self._observed.alarm) - self.explained_count

    @cached_property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """From a root along the causes to alarms that it explains: the first to go down, the last
        and one between.
        """
        impact = self._assets.impact(self.roots)
        alarms = self._observed.at[impact.impact.asset] >= 0
        fitting = np.isin(impact.impact.asset, self._hypothesis.fit.down)
        rows = np.flatnonzero(alarms & fitting)
        chosen = np.unique(np.linspace(0, len(rows) - 1, MAX_PATHS).astype(int))
        found = (impact.of(int(impact.impact.asset[rows[at]])) for at in chosen if len(rows))
        return tuple(one.path for one in found if one is not None)

    def _ids(self, positions: Ints) -> tuple[str, ...]:
        return tuple(self._assets.ids[int(position)] for position in positions)


def ranks(ordered: Sequence[Hypothesis]) -> list[int]:
    """From 1, one for each kind."""
    kinds: dict[tuple[object, ...], int] = {}
    return [kinds.setdefault(one.likeness, len(kinds) + 1) for one in ordered]


def next_check(
    assets: AssetNetwork, observed: Observed, ordered: Sequence[Hypothesis], chance: Sequence[float]
) -> Check | None:
    """The asset whose state, once known, says most about which of the first ones it is; of equal
    ones a suspected root, then the first by position. None where no asset says anything.
    """
    some = list(ordered[:MAX_COMPARED])
    if len(some) < 2:
        return None
    weight = np.array(chance[: len(some)])
    weight = weight / weight.sum()
    down = np.concatenate([one.fit.down for one in some])
    asset, at = np.unique(down, return_inverse=True)
    by = np.repeat(weight, [len(one.fit.down) for one in some])
    share = np.bincount(at.reshape(-1), by, minlength=len(asset))
    # Who is in alarm has spoken, who was looked at is known, and a domain cannot be looked at.
    open_ = (observed.at[asset] < 0) & ~observed.quiet[asset] & (asset < assets.twins)
    worth = np.where(open_, _entropy(share), 0.0)
    if not len(worth) or worth.max() <= LEAST_BITS:
        return None
    roots = {root for one in some for root in one.roots}
    best = np.flatnonzero(worth >= worth.max() - LEAST_BITS)
    first = min(best.tolist(), key=lambda row: (int(asset[row]) not in roots, int(asset[row])))
    found = int(asset[first])
    numbers = [n for n, one in zip(ranks(some), some, strict=True) if found in one.fit.down]
    return Check(assets.ids[found], float(worth[first]), tuple(dict.fromkeys(numbers)))


LEAST_BITS = 1e-6


def _entropy(share: np.ndarray) -> np.ndarray:
    """Of a yes or no with this chance, in bits."""
    p = np.clip(share, 1e-12, 1 - 1e-12)
    found: np.ndarray = -(p * np.log(p) + (1 - p) * np.log(1 - p)) * log2(np.e)
    return found
