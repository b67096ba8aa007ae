"""Assets that a failure left with nothing to spare, and those that it takes down only later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twinfall.analytics.bounds import spans
from twinfall.analytics.network import Impact
from twinfall.analytics.why import Losses


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An asset that stayed up although this failure took feeds of it: after `margin` more lost
    feeds of the group it stands with nothing to spare (0: the next one fails it).

    With a horizon also one that goes down after it, though what it needs is down by then: it lives
    on a buffer, or the loss is on its way. `until` is when it goes down, in seconds after the
    failure.
    """

    id: str
    group: str
    margin: int
    would_fail_if: tuple[str, ...]
    until: float | None = None


def near_misses(losses: Losses) -> Iterator[NearMiss]:
    """Of one impact; by group. O(what goes down and what it feeds)."""
    assets = losses.assets
    network, compiled, ids = assets.network, assets.compiled, assets.ids
    for group in _touched(losses):
        consumer = int(network.feeds.consumer[group])
        fail_at = int(network.feeds.fail_at[group])
        up = not assets.course.down[consumer] and consumer not in losses.row
        hidden = consumer >= assets.visible
        if not up or hidden or consumer in losses.failed or fail_at == 0:
            continue
        edges = network.edges_of(group)
        last = losses.lost(network.feeds, edges, np.inf, np.inf).decisive(fail_at)
        if last:
            name = compiled.group_names[compiled.group_name[group]]
            shown = sorted({losses.shown(p) for p in last})
            yield NearMiss(ids[consumer], name, 0, tuple(ids[p] for p in shown))


def on_borrowed_time(losses: Losses, later: Impact) -> Iterator[NearMiss]:
    """Of `later`, all that the failure takes down in the end, gates left out: what goes down after
    the horizon of `losses`, by the loss of something that is down by then.
    """
    assets = losses.assets
    compiled = assets.compiled
    for row, asset in enumerate(later.asset.tolist()):
        cause, group = int(later.cause[row]), int(later.group[row])
        gone = cause in losses.row or cause in losses.failed or assets.course.down[cause]
        if asset in losses.row or cause < 0 or not gone:
            continue
        if group < 0:
            name = compiled.carriers[-2 - group]
        else:
            name = compiled.group_names[compiled.group_name[group]]
        yield NearMiss(assets.ids[asset], name, 0, (), float(later.time[row]))


def _touched(losses: Losses) -> list[int]:
    """Groups that lost a feed to this failure."""
    arrays = losses.assets.network.arrays
    down = np.concatenate([losses.whole.failed, losses.whole.asset])
    found: list[int] = np.unique(arrays.group[spans(arrays.out_start, down)]).tolist()
    return found
