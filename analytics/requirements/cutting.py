"""Demands about failures together: no set of so few assets takes the asset down."""

from __future__ import annotations

import time

import numpy as np

from twinfall.analytics.cutsets import CutSet, Limits
from twinfall.analytics.cutsets import cut_sets as search
from twinfall.analytics.requirements.judging import Judged, unclear_among
from twinfall.analytics.requirements.moment import MAX_NAMED, Flags, Moment, Rows, several
from twinfall.analytics.requirements.report import MAX_PATHS, Path, Witness
from twinfall.analytics.requirements.requirement import CutSets

MAX_TRIED = 500_000
"""Sets of failures that are tried for one report."""
MAX_TRIED_EACH = 100_000
MAX_SECONDS = 60.0
"""For all searches of one report, where sets alone take too long: in large meshes one costs as much
as thousands in a small plant. Nobody waits for longer, and a service has more to do.
"""
TOO_MANY = "there are more sets of failures than were tried; select fewer, or a lower order"
TOO_SLOW = "the search for sets of failures was ended after {:g} s; select fewer, or a lower order"
MAX_SETS = 100
"""Sets found of one asset after which it is not searched on, if they are too many already."""


def cut_sets(moment: Moment, demand: CutSets, assets: Rows) -> Judged:
    """At most so many minimal sets of up to `order` assets that take it down together."""
    gone, left = assets[moment.lost[assets]], assets[~moment.lost[assets]]
    excepted = moment.flags(demand.excepted)
    found: dict[int, list[CutSet]] = {}
    open_: dict[int, str] = {}
    for asset in left.tolist():
        begun = time.monotonic()
        limits = _limits(moment, demand, excepted)
        if limits.tried <= 0 or limits.seconds <= 0:
            open_[asset] = TOO_SLOW.format(MAX_SECONDS) if limits.tried > 0 else TOO_MANY
            continue
        answer = search(moment.assets.network, asset, demand.order, down=moment.lost, limits=limits)
        moment.left()
        moment.tried += answer.tried
        moment.searched += time.monotonic() - begun
        sets = [one for one in answer.sets if _counts(moment, asset, one, excepted)]
        if len(sets) > demand.max:
            found[asset] = sets
        elif not answer.whole:
            slow = moment.searched >= MAX_SECONDS
            open_[asset] = TOO_SLOW.format(MAX_SECONDS) if slow else TOO_MANY
    rank = sorted((len(sets[0].members), -len(sets), asset) for asset, sets in found.items())
    failing = np.array([*gone.tolist(), *(asset for *_, asset in rank)], np.int32)

    def witness(asset: int) -> Witness:
        if moment.lost[asset]:
            return Witness(moment.ids[asset], moment.why_down(asset))
        return _by_sets(moment, asset, found[asset])

    def why(asset: int) -> str:
        if moment.unknown[asset]:
            return moment.why_unknown(asset)
        return open_[asset]

    unclear = np.union1d(unclear_among(moment, assets, failing), np.array([*open_], np.int32))
    allowed = "a set" if not demand.max else f"more than {several(demand.max, 'minimal set')}"
    wrong = f"{allowed} of up to {several(demand.order, 'failure')} that takes it down"
    return Judged(failing, wrong, witness, unclear.astype(np.int32), why)


def _limits(moment: Moment, demand: CutSets, excepted: Flags) -> Limits:
    """Bounded by sets tried first, so that a report is the same on any machine that is not slow;
    where there is a time for the whole, there is no report after it.
    """
    tries = min(MAX_TRIED - moment.tried, MAX_TRIED_EACH)
    seconds = min(moment.left(), MAX_SECONDS - moment.searched)
    return Limits(tries, _enough(demand, excepted), seconds)


def _enough(demand: CutSets, excepted: Flags) -> int:
    """Sets to look for: those that are excepted may come first."""
    return demand.max + (10_000 if excepted.any() else MAX_SETS)


def _counts(moment: Moment, asset: int, one: CutSet, excepted: Flags) -> bool:
    members = np.array(one.members, np.int32)
    own = moment.parts_of(members, np.full(len(members), asset, np.int32))
    return bool((members < moment.visible).all() and not (excepted[members] | own).any())


def _by_sets(moment: Moment, asset: int, sets: list[CutSet]) -> Witness:
    named = [tuple(moment.ids[m] for m in one.members) for one in sets]
    shown = [" + ".join(one) for one in named[:MAX_NAMED]]
    more = f" and {len(named) - len(shown):,} more" if len(named) > len(shown) else ""
    text = f"{several(len(named), 'minimal set')} of failures: {', '.join(shown)}{more}"
    rows = [moment.assets.impact(one).of(asset) for one in named[:MAX_PATHS]]
    paths = tuple(Path(row.path, row.at) for row in rows if row is not None)
    first = tuple(named[:MAX_PATHS])
    return Witness(moment.ids[asset], text, float(len(named)), first, paths)
