"""Demands about single failures: points of failure, survival, how much one takes along.

What is down, or will be without any further failure, withstands nothing: it fails them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from twinfall.analytics.explaining import Totals
from twinfall.analytics.network import FOREVER
from twinfall.analytics.requirements.judging import Judged, unclear_among
from twinfall.analytics.requirements.moment import Floats, Moment, Rows, several, spoken
from twinfall.analytics.requirements.report import MAX_PATHS, Path, Witness
from twinfall.analytics.requirements.requirement import (
    ImpactLimits,
    Limit,
    SinglePoints,
    Survival,
)


def single_points(moment: Moment, demand: SinglePoints, assets: Rows) -> Judged:
    """At most so many single points of failure each."""
    gone, left = assets[moment.lost[assets]], assets[~moment.lost[assets]]
    of, cause = moment.points(left, demand.excepted)
    if demand.within is not None:
        soon = moment.times(of, cause, demand.within) < FOREVER
        of, cause = of[soon], cause[soon]
    count = np.bincount(of, minlength=len(moment.ids))[left]
    over = left[count > demand.max]
    order = np.lexsort((over, -count[count > demand.max]))
    failing = np.concatenate([gone, over[order]]).astype(np.int32)
    allowed = "a single point of failure"
    if demand.max:
        allowed = f"more than {several(demand.max, 'single point')} of failure"

    def witness(asset: int) -> Witness:
        if moment.lost[asset]:
            return Witness(moment.ids[asset], moment.why_down(asset))
        mine = cause[of == asset]
        text = f"{several(len(mine), 'single point')} of failure: {moment.named(mine)}"
        return _by(moment, asset, mine, text, float(len(mine)))

    return _judged(moment, assets, failing, allowed, witness)


def survival(moment: Moment, demand: Survival, assets: Rows) -> Judged:
    """A life of at least so long after any single other failure."""
    gone, left = assets[moment.lost[assets]], assets[~moment.lost[assets]]
    of, cause = moment.points(left, demand.excepted)
    time = moment.times(of, cause)
    short = time < demand.min
    of, cause, time = of[short], cause[short], time[short]
    order = np.lexsort((cause, time, of))
    of, cause, time = of[order], cause[order], time[order]
    over, first = np.unique(of, return_index=True)
    worst = np.lexsort((over, time[first]))
    failing = np.concatenate([gone, over[worst]]).astype(np.int32)

    def witness(asset: int) -> Witness:
        if moment.lost[asset]:
            return Witness(moment.ids[asset], moment.why_down(asset))
        mine = of == asset
        at = float(time[mine][0])
        text = f"it lives {spoken(at)} after {moment.ids[int(cause[mine][0])]} fails"
        return _by(moment, asset, cause[mine], text, at)

    wrong = f"a life of less than {spoken(demand.min)} after a single failure"
    return _judged(moment, assets, failing, wrong, witness)


def impact_limits(moment: Moment, demand: ImpactLimits, assets: Rows) -> Judged:
    """No more than this along with each."""
    totals = _totals_in_the_end(moment, demand, assets)
    if demand.within is not None:
        # In the end more is down than before, but for what goes down anyway and may do so earlier.
        sure = np.array_equal(moment.lost, moment.down)
        over = _excess(demand, totals) > 0 if sure else np.ones(len(assets), bool)
        at = np.flatnonzero(over & ~moment.lost[assets])
        found = moment.each(assets[at], demand.within)
        for row, impact in zip(at.tolist(), found, strict=True):
            totals[:, row] = [_of(limit, impact.totals) for limit in demand.limits]
    excess = _excess(demand, totals)
    over = excess > 0
    worst = np.lexsort((assets[over], *(-totals[::-1, over]), -excess[over]))
    failing = assets[over][worst].astype(np.int32)
    horizon = FOREVER if demand.within is None else demand.within

    def witness(asset: int) -> Witness:
        found = moment.after(asset, horizon, keep=False).totals
        told = [(limit, _of(limit, found)) for limit in demand.limits]
        parts = [_told(limit, value) for limit, value in told if value > limit.max]
        first = next((value for limit, value in told if value > limit.max), None)
        text = f"it takes along {', '.join(parts)}"
        return Witness(moment.ids[asset], text, first, totals=found)

    return _judged(moment, assets, failing, "their failure takes along more than allowed", witness)


def _judged(
    moment: Moment, assets: Rows, failing: Rows, wrong: str, witness: Callable[[int], Witness]
) -> Judged:
    unclear = unclear_among(moment, assets, failing)
    return Judged(failing, wrong, witness, unclear, moment.why_unknown)


def _by(moment: Moment, asset: int, causes: Rows, text: str, value: float) -> Witness:
    shown = [int(one) for one in causes[:MAX_PATHS]]
    paths: list[Path | None] = [moment.path(one, asset) for one in shown]
    return Witness(
        moment.ids[asset],
        text,
        value,
        tuple((moment.ids[one],) for one in shown),
        tuple(path for path in paths if path is not None),
    )


# -- totals ---------------------------------------------------------------------------------


def _totals_in_the_end(moment: Moment, demand: ImpactLimits, assets: Rows) -> Floats:
    """[limits, assets]: of every limited total what each failure takes along in the end."""
    listing = moment.standing.listing()
    size = listing.start[assets + 1] - listing.start[assets]
    within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    taken = listing.asset[np.repeat(listing.start[assets], size) + within]
    found = np.zeros((len(demand.limits), len(assets)))
    some = size > 0
    begin = (np.cumsum(size) - size)[some]
    for row, limit in enumerate(demand.limits):
        if len(taken):
            found[row, some] = np.add.reduceat(_worth(moment, limit)[taken], begin)
    return found


def _worth(moment: Moment, limit: Limit) -> Floats:
    """What each position counts in a total."""
    compiled = moment.assets.compiled
    if limit.service:
        worth = np.zeros(len(moment.ids))
        for name, rows in compiled.services:
            if name == limit.what:
                worth[rows] = 1.0
        return worth
    if limit.what == "assets":
        return np.ones(len(moment.ids))
    return compiled.customers if limit.what == "customers" else compiled.value


def _excess(demand: ImpactLimits, totals: Floats) -> Floats:
    """By how much the worst limit is passed: its share above the limit; 0 where none is."""
    excess = np.zeros(totals.shape[1])
    for limit, total in zip(demand.limits, totals, strict=True):
        share = (total - limit.max) / max(limit.max, 1.0)
        excess = np.maximum(excess, share)
    return excess


def _of(limit: Limit, totals: Totals) -> float:
    if limit.service:
        return float(sum(one.count for one in totals.services if one.name == limit.what))
    return float(getattr(totals, limit.what))


def _told(limit: Limit, value: float) -> str:
    """`812 customers (500 allowed)`."""
    noun = limit.what.removesuffix("s") if value == 1 else limit.what
    shown = f"{value:,.10g} {noun}"
    if limit.service:
        shown = f"{several(int(value), 'asset')} of the service {limit.what}"
    elif limit.what == "value":
        shown = f"a value of {value:,.10g}"
    return f"{shown} ({limit.max:,.10g} allowed)"
