"""What the changes of a scenario take away from the plant as it is, and when.

A plant that has been changed knows nothing of a before: what nothing holds any more is down in it
from the beginning, with no time and its buffers empty. So one asset more, the prop, holds whatever
stands today and is held by nothing in the changed plant. When the scenario happens the prop fails,
and what is then lost falls as behind any other failure: with transfers, buffers and storages.

Where the live state has failures, the plant begins with the scenario, for a prop would feed tanks
that have run for a while: all that is down today is down then, and buffers hold what they do today.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.assembling import arrays_of
from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.feeds import Feeds, sparse
from twinfall.analytics.links import Links, Storages
from twinfall.analytics.moments import Moment
from twinfall.analytics.network import Network
from twinfall.analytics.past import plant_now
from twinfall.analytics.timeline import Events, Timeline

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Propped:
    """A changed plant with a prop, which has the last position; None where it needs none. `before`
    [n] is what is down today. `begun`: of a plant that begins with the scenario, what has failed,
    and what else is down from the start.
    """

    network: Network
    prop: int | None
    before: Flags
    begun: tuple[Ints, Ints] | None = None

    def told(self, found: Timeline, changed: Network) -> Timeline:
        """A timeline of it without the prop, and without what is no news: what is down today is
        part of it only after it has risen.
        """
        down = np.zeros(self.network.n, np.bool_)
        down[found.down] = True
        before = np.append(self.before, False) if self.prop is not None else self.before
        events = found.events
        kept = ~_old(events, before & ~down, before)
        if self.prop is not None:
            kept &= events.asset != self.prop
            down[self.prop] = False
        cause = events.cause[kept]
        told = Events(
            events.asset[kept],
            events.time[kept],
            events.rose[kept],
            events.group[kept],
            np.where(cause >= changed.n, -1, cause).astype(np.int32),
        )
        some = np.flatnonzero((down | before)[: changed.n]).astype(np.int32)
        return replace(found, network=changed, down=some, events=told)


def propped(changed: AssetNetwork, today: AssetNetwork) -> Propped:
    """The changed plant with what it needs to stand as it does today. O(assets + feeds + links)
    where something has failed, or is down in it and not today.
    """
    before = changed.flags(today.baseline_down)
    down = _unheld(changed)
    fallen = down & ~before
    fallen[changed.twins :] = False  # domains fall only by themselves, gates rise by themselves
    groups = _lost(changed, down, before)
    began = len(changed.course.failed) > 0 or today.as_is is not None
    if not (fallen.any() or len(groups) or began):
        return Propped(changed.network, None, before)
    network = changed.network
    n, feeds = network.n, _held(network.feeds, groups, network.n)
    links = _reached(network.links, np.flatnonzero(fallen), n)
    begun = None
    if began:
        feeds, links = _as_full_as_today(feeds, links, changed, today)
        stopped = changed.some_positions(changed.standing.stopped)
        failed = np.setdiff1d(changed.course.failed, stopped).astype(np.int32)
        still = np.flatnonzero(before & changed.course.down)
        begun = failed, np.setdiff1d(still, failed).astype(np.int32)
    worth = np.append(network.value, 0.0)
    made = Network(feeds, links, arrays_of(n + 1, feeds, links), worth, network.visible)
    return Propped(made, n, before, begun)


def _as_full_as_today(
    feeds: Feeds, links: Links, changed: AssetNetwork, today: AssetNetwork
) -> tuple[Feeds, Links]:
    """With buffers that hold no more than they hold today, and never more again."""
    now, network = plant_now(today), today.network
    autonomy, stored = feeds.autonomy.copy(), links.storages.autonomy.copy()
    groups = np.flatnonzero(network.feeds.autonomy > 0)
    keys = zip(network.feeds.consumer[groups].tolist(), _names(today, groups), strict=True)
    left = {key: now.buffer(int(group)) for key, group in zip(keys, groups, strict=True)}
    buffers = np.flatnonzero(autonomy > 0)
    names = zip(feeds.consumer[buffers].tolist(), _names(changed, buffers), strict=True)
    for group, key in zip(buffers.tolist(), names, strict=True):
        autonomy[group] = min(autonomy[group], left.get(key, autonomy[group]))
    spots = network.links.storages
    at = zip(spots.asset.tolist(), (today.compiled.carriers[c] for c in spots.carrier), strict=True)
    holds = {key: now.storage(i) for i, key in enumerate(at)}
    for i, asset in enumerate(links.storages.asset.tolist()):
        key = (asset, changed.compiled.carriers[links.storages.carrier[i]])
        stored[i] = min(stored[i], holds.get(key, stored[i]))
    some, spots = stored > 0, links.storages  # who stores nothing is no source
    storages = Storages(
        spots.asset[some], spots.carrier[some], stored[some], spots.recharges()[some]
    )
    transfer = _on_their_way(feeds, changed, today, now.moment())
    feeds = replace(feeds, autonomy=sparse(autonomy), transfer=sparse(transfer))
    return feeds, replace(links, storages=storages)


def _on_their_way(
    feeds: Feeds, changed: AssetNetwork, today: AssetNetwork, now: Moment
) -> NDArray[np.float64]:
    """How long a loss takes to be felt: of who is down today, what is left of that."""
    transfer, old = feeds.transfer.copy(), today.network.feeds
    down = np.zeros(today.network.n, np.bool_)
    down[now.down] = True
    late = np.flatnonzero((old.transfer > 0) & down[old.provider])
    due = dict(zip(now.coming.tolist(), (now.due - now.now).tolist(), strict=True))
    ahead = (due.get(row, 0.0) for row in late.tolist())
    left = dict(zip(_between(old, today, late), ahead, strict=True))
    rows = np.flatnonzero(transfer > 0) if left else late[:0]
    for row, key in zip(rows.tolist(), _between(feeds, changed, rows), strict=True):
        transfer[row] = min(transfer[row], left.get(key, transfer[row]))
    return transfer


def _between(
    feeds: Feeds, assets: AssetNetwork, rows: NDArray[np.int64]
) -> Iterator[tuple[str, bool, int, str]]:
    """Of feeds, in whatever network: from whom, over a gate or not, to whom, in which group."""
    groups = feeds.group[rows]
    provider, consumer = feeds.provider[rows].tolist(), feeds.consumer[groups].tolist()
    for begin, end, name in zip(provider, consumer, _names(assets, groups), strict=True):
        yield assets.ids[begin], begin >= assets.visible, end, name


def _old(events: Events, raised: Flags, before: Flags) -> Flags:
    """What happens to those that the changes have raised, and the falls of those that have not
    risen since today.
    """
    old: Flags = raised[events.asset]
    asset, first = np.unique(events.asset, return_index=True)
    fell = first[before[asset] & ~events.rose[first]]
    old[fell] = True
    return old


def _unheld(changed: AssetNetwork) -> Flags:
    """What nothing holds in the changed plant, or only a buffer that runs already: without its past
    that is down from the beginning.
    """
    flags: Flags = changed.course.down | changed.network.baseline
    return flags


def _lost(changed: AssetNetwork, down: Flags, before: Flags) -> Ints:
    """Groups of assets up today that are lost in the changed plant, with all that down."""
    feeds = changed.network.feeds
    lost = (feeds.fail_at > 0) & (feeds.lost_with(down) >= feeds.fail_at)
    groups: Ints = np.flatnonzero(lost & ~before[feeds.consumer]).astype(np.int32)
    return groups


def _names(assets: AssetNetwork, groups: NDArray[np.integer]) -> list[str]:
    compiled = assets.compiled
    return [compiled.group_names[name] for name in compiled.group_name[groups].tolist()]


def _held(feeds: Feeds, groups: Ints, prop: int) -> Feeds:
    """The feeds with one by the prop to each of these groups, enough by itself. Without it a group
    is lost as ever: it needs what it needed.
    """
    total = np.bincount(feeds.group, feeds.weight, feeds.count).astype(np.int32)
    rule = feeds.rule.copy()
    need = total[groups] - rule["fail_at"][groups] + 1
    rule["fail_at"][groups] += need
    return replace(
        feeds,
        provider=np.append(feeds.provider, np.full(len(groups), prop, np.int32)),
        group=np.append(feeds.group, groups),
        weight=np.append(feeds.weight, need).astype(np.int32),
        transfer=np.append(feeds.transfer, np.zeros(len(groups))),
        black_start=np.append(feeds.black_start, np.uint8(0)),
        rule=rule,
    )


def _reached(links: Links, assets: NDArray[np.int64], prop: int) -> Links:
    """The links with the prop as a source that reaches each of these assets in all its carriers."""
    rows = [assets[links.member[assets] >> c & 1 == 1] for c in range(links.carriers)]
    ends = np.concatenate(rows) if rows else assets[:0]
    bits = np.bitwise_or.reduce(links.member[assets]) if len(assets) else 0
    kinds = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    return replace(
        links,
        begin=np.append(links.begin, np.full(len(ends), prop)).astype(np.int32),
        end=np.append(links.end, ends).astype(np.int32),
        carrier=np.append(links.carrier, kinds).astype(np.int32),
        member=np.append(links.member, bits).astype(np.int32),
        source=np.append(links.source, bits).astype(np.int32),
        conducts=np.append(links.conducts, np.uint8(1)),
    )
