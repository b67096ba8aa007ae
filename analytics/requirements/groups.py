"""Demands about the groups of an asset: how long it lives without one, how many feeds can go.

A group whose feeds are all the asset's own components (its bearing) is looked at only where it is
named. Groups that degrade their asset count like those that fail it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twinfall.analytics.feeds import Feeds
from twinfall.analytics.requirements.judging import Judged, unclear_among
from twinfall.analytics.requirements.moment import MAX_NAMED, Moment, Rows, several, spoken
from twinfall.analytics.requirements.report import Witness
from twinfall.analytics.requirements.requirement import Autonomy, Margin


@dataclass(frozen=True, slots=True)
class _Group:
    """One group of one asset: providers with their weights."""

    asset: int
    name: str
    autonomy: float
    fail_at: int
    providers: tuple[int, ...]
    weights: tuple[int, ...]

    def margin(self, moment: Moment) -> int:
        """How many more feeds can be lost, whichever; -1 where the group is lost."""
        rows = list(zip(self.providers, self.weights, strict=True))
        lost = sum(weight for provider, weight in rows if moment.down[provider])
        left = sorted((w for p, w in rows if not moment.down[p] and w > 0), reverse=True)
        margin = -1
        for weight in (0, *left):
            lost += weight
            if lost >= self.fail_at:
                return margin
            margin += 1
        return margin

    def gone(self, moment: Moment) -> list[int]:
        """The providers that are down."""
        return [provider for provider in self.providers if moment.down[provider]]


def autonomy(moment: Moment, demand: Autonomy, assets: Rows) -> Judged:
    """So long a life without the group (or any of its groups): what is declared, and no longer
    than what is left where it lives on it already.
    """
    worst: dict[int, tuple[float, _Group]] = {}
    for group in _groups(moment, assets, demand.group):
        left = min(group.autonomy, max(0.0, moment.assets.course.gone_at(group.asset)))
        if group.asset not in worst or left < worst[group.asset][0]:
            worst[group.asset] = (left, group)

    def witness(asset: int) -> Witness:
        if moment.down[asset]:
            return Witness(moment.ids[asset], moment.why_down(asset))
        if asset not in worst:
            return _without(moment, asset, demand.group)
        left, group = worst[asset]
        text = f'it lives {spoken(left)} without its group "{group.name}"'
        if left < group.autonomy:
            text = f"{moment.why_down(asset)}, living on {spoken(group.autonomy)} of autonomy"
        return Witness(moment.ids[asset], text, left)

    short = {asset: left for asset, (left, _) in worst.items() if left < demand.min}
    of = f'the group "{demand.group}"' if demand.group else "one of their groups"
    wrong = f"a life of less than {spoken(demand.min)} without {of}"
    return _judged(moment, assets, (short, worst, demand.group), wrong, witness)


def margin(moment: Moment, demand: Margin, assets: Rows) -> Judged:
    """So many feeds of the group (or of each of its groups) that can still be lost."""
    worst: dict[int, tuple[float, _Group]] = {}
    for group in _groups(moment, assets, demand.group):
        left = group.margin(moment)
        if group.asset not in worst or left < worst[group.asset][0]:
            worst[group.asset] = (left, group)

    def witness(asset: int) -> Witness:
        if moment.down[asset]:
            return Witness(moment.ids[asset], moment.why_down(asset))
        if asset not in worst:
            return _without(moment, asset, demand.group)
        left, group = worst[asset]
        return Witness(moment.ids[asset], _standing(moment, group, int(left)), left)

    short = {asset: left for asset, (left, _) in worst.items() if left < demand.min}
    of = f'the group "{demand.group}"' if demand.group else "one of their groups"
    wrong = f"a margin of less than {several(demand.min, 'feed')} in {of}"
    return _judged(moment, assets, (short, worst, demand.group), wrong, witness)


def _judged(
    moment: Moment,
    assets: Rows,
    found: tuple[dict[int, float], dict[int, tuple[float, _Group]], str | None],
    wrong: str,
    witness: object,
) -> Judged:
    """Down first, then what lacks the group, then by what it has."""
    short, having, named = found
    rank: list[tuple[float, float, int]] = []
    for asset in assets.tolist():
        if moment.down[asset]:
            rank.append((0, 0, asset))
        elif asset not in having and named is not None and not moment.unknown[asset]:
            rank.append((1, 0, asset))
        elif asset in short:
            rank.append((2, short[asset], asset))
    failing = np.array([asset for *_, asset in sorted(rank)], np.int32)
    unclear = unclear_among(moment, assets, failing)
    return Judged(failing, wrong, witness, unclear, moment.why_unknown)  # type: ignore[arg-type]


def _without(moment: Moment, asset: int, group: str | None) -> Witness:
    return Witness(moment.ids[asset], f'it has no feeds in the group "{group}"')


def _standing(moment: Moment, group: _Group, left: int) -> str:
    gone = group.gone(moment)
    named = moment.named(np.array(gone[: MAX_NAMED + 1], np.int32))
    lost = f"{len(gone)} of {len(group.providers)} lost{f': {named}' if gone else ''}"
    if left < 0:
        return f'its group "{group.name}" is lost: {lost}'
    can = f"{several(left, 'more feed')} of" if left else "no more feed of"
    return f'it can lose {can} the group "{group.name}" ({lost})'


# -- which groups ---------------------------------------------------------------------------


def _groups(moment: Moment, assets: Rows, name: str | None) -> Iterator[_Group]:
    """Groups of these assets that can be satisfied: called so, or all but those of own parts."""
    compiled = moment.assets.compiled
    called = [compiled.group_names[n] for n in compiled.group_name]
    soft = [compiled.soft.names[n] for n in compiled.soft.name]
    yield from _groups_in(moment, assets, name, (compiled.network.feeds, called))
    yield from _groups_in(moment, assets, name, (compiled.soft.feeds, soft))


def _groups_in(
    moment: Moment, assets: Rows, name: str | None, named: tuple[Feeds, list[str]]
) -> Iterator[_Group]:
    feeds, names = named
    if not feeds.count:
        return
    asked = np.zeros(len(moment.ids), bool)
    asked[assets] = True
    wanted = asked[feeds.consumer] & (feeds.fail_at > 0)
    wanted &= np.array([name in (None, one) for one in names], bool)
    order = np.argsort(feeds.group, kind="stable")
    starts = np.searchsorted(feeds.group[order], np.arange(feeds.count + 1))
    for group in np.flatnonzero(wanted).tolist():
        edges = order[starts[group] : starts[group + 1]]
        asset = int(feeds.consumer[group])
        providers = feeds.provider[edges]
        own = moment.parts_of(providers, np.full(len(providers), asset, np.int32))
        if name is None and own.all():
            continue
        yield _Group(
            asset,
            names[group],
            float(feeds.autonomy[group]),
            int(feeds.fail_at[group]),
            tuple(providers.tolist()),
            tuple(feeds.weight[edges].tolist()),
        )
