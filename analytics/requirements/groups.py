"""Demands about the groups of an asset: how long it lives without one, how many feeds can go.

A group whose feeds are all the asset's own components (its bearing) is looked at only where it is
named. Groups that degrade their asset count like those that fail it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twinfall.analytics.feeds import Feeds
from twinfall.analytics.network import FOREVER
from twinfall.analytics.requirements.judging import Judged, unclear_among
from twinfall.analytics.requirements.moment import Flags, Floats, Moment, Rows, several, spoken
from twinfall.analytics.requirements.report import Witness
from twinfall.analytics.requirements.requirement import Autonomy, Margin


@dataclass(frozen=True, slots=True)
class _Side:
    """Groups that fail their consumers, or those that degrade them, with their names."""

    feeds: Feeds
    names: Sequence[str]
    name: Rows

    def called(self, group: int) -> str:
        """The name of a group."""
        return self.names[int(self.name[group])]

    def providers(self, group: int) -> Rows:
        """The providers of a group, ascending."""
        found: Rows = np.sort(self.feeds.provider[self.feeds.group == group])
        return found


@dataclass(frozen=True, slots=True)
class _Worst:
    """Of each asset that has such groups, ascending: the worst of them and its value."""

    asset: Rows
    value: Floats
    group: Rows
    side: Rows
    sides: tuple[_Side, _Side]

    def at(self, asset: int) -> tuple[float, _Side, int] | None:
        """Value, side and group of one asset; None where it has none."""
        row = int(np.searchsorted(self.asset, asset))
        if row == len(self.asset) or self.asset[row] != asset:
            return None
        return float(self.value[row]), self.sides[int(self.side[row])], int(self.group[row])


Value = Callable[[_Side], Floats]
"""Of every group of a side."""


def autonomy(moment: Moment, demand: Autonomy, assets: Rows) -> Judged:
    """So long a life without the group (or any of its groups): what is declared, and no longer
    than what is left where it lives on it already.
    """
    left = _left_to_live(moment)
    worst = _worst(
        moment,
        assets,
        demand.group,
        lambda side: np.minimum(side.feeds.autonomy, left[side.feeds.consumer]),
    )

    def say(asset: int, value: float, side: _Side, group: int) -> str:
        declared = float(side.feeds.autonomy[group])
        if value < declared:
            return f"{moment.why_down(asset)}, living on {spoken(declared)} of autonomy"
        return f'it lives {spoken(value)} without its group "{side.called(group)}"'

    of = f'the group "{demand.group}"' if demand.group else "one of their groups"
    wrong = f"a life of less than {spoken(demand.min)} without {of}"
    return _judged(moment, assets, worst, (demand.min, demand.group, wrong, say))


def margin(moment: Moment, demand: Margin, assets: Rows) -> Judged:
    """So many feeds of the group (or of each of its groups) that can still be lost."""
    worst = _worst(moment, assets, demand.group, lambda side: _margins(moment, side.feeds))

    def say(asset: int, value: float, side: _Side, group: int) -> str:
        providers = side.providers(group)
        gone = providers[moment.down[providers]]
        named = f": {moment.named(gone)}" if len(gone) else ""
        lost = f"{len(gone)} of {len(providers)} lost{named}"
        if value < 0:
            return f'its group "{side.called(group)}" is lost: {lost}'
        can = several(int(value), "more feed") if value else "no more feed"
        return f'it can lose {can} of the group "{side.called(group)}" ({lost})'

    of = f'the group "{demand.group}"' if demand.group else "one of their groups"
    wrong = f"a margin of less than {several(demand.min, 'feed')} in {of}"
    return _judged(moment, assets, worst, (demand.min, demand.group, wrong, say))


def _judged(
    moment: Moment,
    assets: Rows,
    worst: _Worst,
    demand: tuple[float, str | None, str, Callable[[int, float, _Side, int], str]],
) -> Judged:
    """Down first, then what lacks the group that is named, then by what it has."""
    least, named, wrong, say = demand
    down = assets[moment.down[assets]]
    other = assets[~moment.down[assets]]
    lacking = other[:0]
    if named is not None:
        lacking = other[~np.isin(other, worst.asset) & ~moment.unknown[other]]
    short = (worst.value < least) & ~moment.down[worst.asset]
    rank = np.lexsort((worst.asset[short], worst.value[short]))
    failing = np.concatenate([down, lacking, worst.asset[short][rank]]).astype(np.int32)

    def witness(asset: int) -> Witness:
        found = worst.at(asset)
        if moment.down[asset]:
            return Witness(moment.ids[asset], moment.why_down(asset))
        if found is None:
            return Witness(moment.ids[asset], f'it has no feeds in the group "{named}"')
        return Witness(moment.ids[asset], say(asset, *found), found[0])

    drawing = other[:0] if named is not None else np.setdiff1d(_drawing(moment, other), failing)
    unclear = np.union1d(unclear_among(moment, assets, failing), drawing).astype(np.int32)

    def why(asset: int) -> str:
        return moment.why_unknown(asset) if moment.unknown[asset] else _draws(moment, asset)

    return Judged(failing, wrong, witness, unclear, why)


def _drawing(moment: Moment, assets: Rows) -> Rows:
    """Those that hang on a carrier of which they are no source: a carrier is no group, and what an
    asset has of it cannot be said without looking at the network.
    """
    links = moment.assets.network.links
    found: Rows = assets[(links.member[assets] & ~links.source[assets]) != 0]
    return found


def _draws(moment: Moment, asset: int) -> str:
    links, names = moment.assets.network.links, moment.assets.compiled.carriers
    bits = int(links.member[asset] & ~links.source[asset])
    drawn = ", ".join(name for i, name in enumerate(names) if bits >> i & 1)
    return (
        f"it hangs on the network of {drawn}, which is no group: name a group, or require "
        "`survival` or `singlePointsOfFailure`"
    )


# -- which groups, and what they have -------------------------------------------------------


def _worst(moment: Moment, assets: Rows, name: str | None, value: Value) -> _Worst:
    compiled = moment.assets.compiled
    hard = _Side(compiled.network.feeds, compiled.group_names, compiled.group_name)
    sides = (hard, _Side(compiled.soft.feeds, compiled.soft.names, compiled.soft.name))
    asked = np.zeros(len(moment.ids), bool)
    asked[assets] = True
    groups = [np.flatnonzero(_chosen(moment, side, asked, name)) for side in sides]
    asset = np.concatenate([s.feeds.consumer[g] for s, g in zip(sides, groups, strict=True)])
    values = np.concatenate([value(s)[g] for s, g in zip(sides, groups, strict=True)])
    side = np.repeat(np.arange(2, dtype=np.int32), [len(g) for g in groups])
    group = np.concatenate(groups).astype(np.int32)
    order = np.lexsort((group, side, values, asset))
    found, first = np.unique(asset[order], return_index=True)
    kept = order[first]
    return _Worst(found.astype(np.int32), values[kept], group[kept], side[kept], sides)


def _chosen(moment: Moment, side: _Side, asked: Flags, name: str | None) -> Flags:
    """Groups of the assets asked for that can be satisfied, called so or not of own parts only."""
    feeds = side.feeds
    chosen: Flags = asked[feeds.consumer] & (feeds.fail_at > 0)
    if name is not None:
        numbers = [number for number, one in enumerate(side.names) if one == name]
        return chosen & np.isin(side.name, numbers)
    own = moment.parts_of(feeds.provider, feeds.consumer[feeds.group])
    others = np.bincount(feeds.group, weights=~own, minlength=feeds.count)
    return chosen & (others > 0)


def _left_to_live(moment: Moment) -> Floats:
    """Of every position, seconds until it goes down without any further failure; FOREVER."""
    left = np.full(len(moment.ids), FOREVER)
    ahead, now = moment.assets.course.ahead, moment.assets.course.now
    later = ahead.time > now
    asset = ahead.asset[later]
    left[asset] = [moment.assets.course.gone_at(int(one)) for one in asset]
    return left


def _margins(moment: Moment, feeds: Feeds) -> Floats:
    """Of every group, how many more feeds can be lost, whichever: the heaviest go first; -1 where
    it is lost.
    """
    weight = feeds.weight.astype(np.int64)
    up = ~moment.down[feeds.provider] & (weight > 0)
    lost = np.bincount(feeds.group, weights=np.where(up, 0, weight), minlength=feeds.count)
    order = np.lexsort((-weight, feeds.group))[: len(weight)]
    order = order[up[order]]
    group = feeds.group[order]
    total = np.cumsum(weight[order])
    first = np.searchsorted(group, np.arange(feeds.count))
    before = np.concatenate([[0], total])[first]
    holds = lost[group] + total - before[group] < feeds.fail_at[group]
    margin = np.bincount(group, weights=holds, minlength=feeds.count)
    return np.where(lost >= feeds.fail_at, -1.0, margin)
