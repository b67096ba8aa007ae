"""The search for the explanations that fit best: one failure each, then several together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import log

import numpy as np

from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.lasting import lasting
from twinfall.analytics.rootcause.fitting import Fit, fit
from twinfall.analytics.rootcause.seen import (
    FEWEST_FALSE,
    USUAL_MISS,
    Floats,
    Ints,
    Observed,
    Odds,
    Weights,
)
from twinfall.analytics.rootcause.suspects import Counts, Longs, Suspects

RATE = 0.1
"""Failures a year of an asset of which nothing is declared."""
PERIOD = 7 / 365.0
"""Years among whose failures one is looked for."""
RAREST, COMMONEST = 1e-9, 0.5
MISSES = (USUAL_MISS, 0.25, 0.5, 0.75, 0.9, 0.97)
"""Shares of failures that raise no alarm: the usual one, and what it may be instead."""
CAUTION = log(10.0)
"""Each step from the usual share must make what is seen so much likelier."""
BEFOREHAND = 200
"""Assets in order that are assumed to have raised no false alarm, beside those that are there."""
LEAST_TELLING = 4.0
"""An alarm is so much likelier of what is down than of what is up, at the least."""
MAX_TRIED = 300
"""Single failures that are followed in time."""
HOPELESS = log(1e9)
"""What is so much less likely than the best explanation is none."""
DIGITS = 9
"""Of a score: those that agree to here are equal."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """These assets failed by themselves, ascending; `score` is the logarithm of the odds that
    they did against nothing at all, `gain` by how much it beats the best one with a root less.
    """

    roots: tuple[int, ...]
    score: float
    fit: Fit
    gain: float | None = None

    @property
    def likeness(self) -> tuple[object, ...]:
        """Equal for those that nothing seen tells apart: equally likely, they explain the same
        alarms and are contradicted by the silence of as many assets.
        """
        return (
            round(self.score, DIGITS),
            self.fit.explained.tobytes(),
            self.fit.numbers,
            len(self.roots),
        )


class Case:
    """One question: a network, what is down before it, what is seen, what is assumed."""

    def __init__(self, assets: AssetNetwork, observed: Observed, odds: Odds) -> None:
        self.assets = assets
        self.observed = observed
        self.odds = odds
        self.network = lasting(assets)
        self._followed: dict[tuple[int, ...], tuple[Ints, Floats]] = {}

    @cached_property
    def prior(self) -> Floats:
        """Logarithm of the odds that an asset fails by itself in the period, by position."""
        rate = self.assets.compiled.failure_rate
        chance = np.where(np.isnan(rate), RATE, rate) * PERIOD
        chance = np.clip(chance, RAREST, COMMONEST)
        found: Floats = np.log(chance) - np.log1p(-chance)
        return found

    @cached_property
    def suspects(self) -> Suspects:
        """Whose failure alone takes an alarm down."""
        return Suspects(self.network, self.observed)

    def follow(self, roots: tuple[int, ...], weights: Weights) -> Fit:
        """The fit of these failing together, by the cascade that they start."""
        if roots not in self._followed:
            self._followed[roots] = self._cascade(np.array(roots, np.int32))
        down, time = self._followed[roots]
        return fit(self.observed, down, time, weights, self.odds.skew)

    def _cascade(self, roots: Ints) -> tuple[Ints, Floats]:
        """What they take down, themselves included, and when."""
        course = self.assets.course
        found = course.after(roots) if len(course.failed) else self.network.impact(roots)
        shown = found.asset < self.network.visible
        down = np.concatenate([roots, found.asset[shown]])
        return down, np.concatenate([np.zeros(len(roots)), found.time[shown]])


class Singles:
    """Every suspect by itself: its score, as far as it may be among the `wanted` ones that fit
    best. `complete` unless more cascades would have had to be followed than may be.
    """

    def __init__(self, case: Case, wanted: int, weights: Weights) -> None:
        self.case, self.weights = case, weights
        self.complete = True
        self._fits: dict[int, Fit] = {}
        suspects, timed = case.suspects, case.observed.timed
        first, last = suspects.at_once, suspects.counts
        # With nothing known of times, later effects have come or not, whichever fits better. That
        # needs no cascade where all of them are in alarm, or none is, or they come all at once.
        in_alarm = (first.silent == last.silent) & (first.quiet == last.quiet)
        in_alarm |= suspects.once_later & (last.weigh(weights) >= first.weigh(weights))
        self._in_the_end = suspects.all_at_once | ((not timed) & in_alarm)
        silent = (first.alarms == last.alarms) & suspects.straight | suspects.once_later
        self._known = self._in_the_end | ((not timed) & silent)
        self._prior = case.prior[suspects.asset]
        self.score = np.where(self._in_the_end, last.weigh(weights), first.weigh(weights))
        self.score += self._prior
        # At best all of its alarms came in time, and what would go down later has time left.
        at_best = Counts(last.alarms, first.silent, first.quiet).weigh(weights) + self._prior
        rows: Longs = np.arange(len(suspects)) if timed else np.flatnonzero(~self._known)
        self._follow(rows[np.argsort(-at_best[rows], kind="stable")], at_best, wanted)

    def _follow(self, rows: Longs, bound: Floats, wanted: int) -> None:
        """Fit these, the most promising first, until none left can be among the wanted ones."""
        exact = np.ones(len(bound), bool)
        exact[rows] = False
        best = np.sort(self.score[exact])[::-1][:wanted].tolist()
        self.score[rows] = -np.inf
        for tried, row in enumerate(rows.tolist()):
            enough = best[-1] if len(best) == wanted else -np.inf
            if best and bound[row] < max(best[0] - HOPELESS, enough):
                return
            if tried == MAX_TRIED:
                self.complete = False
                return
            self._fits[row] = self.fit(row)
            self.score[row] = self._fits[row].weigh(self.weights) + self._prior[row]
            best = sorted([*best, float(self.score[row])], reverse=True)[:wanted]

    def fit(self, row: int) -> Fit:
        """How one of them fits."""
        case = self.case
        if row in self._fits:
            return self._fits[row]
        if not self._known[row]:
            return case.follow((int(case.suspects.asset[row]),), self.weights)
        down = case.suspects.down(row, at_once=not self._in_the_end[row])
        return fit(case.observed, down, np.zeros(len(down)), self.weights, case.odds.skew)

    def best(self, count: int) -> list[Hypothesis]:
        """So many kinds, the likeliest first, then by position; none that is hopeless."""
        score, asset = np.round(self.score, DIGITS), self.case.suspects.asset
        order = np.lexsort((asset, -score))
        order = order[score[order] >= score.max(initial=-np.inf) - HOPELESS]
        found: list[Hypothesis] = []
        kinds: set[tuple[object, ...]] = set()
        for row in order.tolist():
            if len(kinds) >= count and score[row] < round(found[-1].score, DIGITS):
                break
            one = Hypothesis((int(asset[row]),), float(self.score[row]), self.fit(row))
            found.append(one)
            kinds.add(one.likeness)
        return found


def singles(case: Case, wanted: int) -> Singles:
    """All suspects, judged by the shares of missed and false alarms that are given or that the
    best of them has.
    """
    return Singles(case, wanted, Weights.of(*_shares(case)))


def _shares(case: Case) -> tuple[float, float]:
    """Of missed and of false alarms: those by which the best suspect makes what is seen likeliest.
    More missed ones than usual need a good reason.
    """
    odds = case.odds
    first = FEWEST_FALSE if odds.false is None else odds.false
    misses = [miss for miss in MISSES if 1 - miss > first] if odds.miss is None else [odds.miss]
    if not len(case.suspects):
        return misses[0], first
    found = []
    for step, miss in enumerate(misses):
        alarms, silent, prior = _best(case, Weights.of(miss, first))
        left = len(case.observed.alarm) - alarms
        rest = max(1, case.observed.speaking - alarms - silent)
        likely_false = max(FEWEST_FALSE, left / (rest + BEFOREHAND))
        false = odds.false or min(likely_false, (1 - miss) / LEAST_TELLING)
        likely = alarms * log(1 - miss) + silent * log(miss) + prior - step * CAUTION
        likely += left * log(false) + (rest - left) * log(1 - false)
        found.append((likely, miss, false))
    _, miss, false = max(found)
    return miss, false


def _best(case: Case, weights: Weights) -> tuple[int, int, float]:
    """Alarms explained, silent ones and prior of the best suspect, by all of its effects or by
    those that come at once.
    """
    suspects = case.suspects
    ways = [suspects.counts, suspects.at_once]
    prior = case.prior[suspects.asset]
    scores = [way.weigh(weights) + prior for way in ways]
    way = ways[int(scores[1].max() > scores[0].max())]
    row = int(np.argmax(np.maximum(*scores)))
    return int(way.alarms[row]), int(way.silent[row] + way.quiet[row]), float(prior[row])
