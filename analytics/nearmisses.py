"""Assets that a failure left with nothing to spare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twinfall.analytics.bounds import spans
from twinfall.analytics.why import Losses


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An asset that stayed up although this failure took feeds of it: after `margin` more lost
    feeds of the group it stands with nothing to spare (0: the next one fails it).
    """

    id: str
    group: str
    margin: int
    would_fail_if: tuple[str, ...]


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


def _touched(losses: Losses) -> list[int]:
    """Groups that lost a feed to this failure."""
    arrays = losses.assets.network.arrays
    down = np.concatenate([losses.whole.failed, losses.whole.asset])
    found: list[int] = np.unique(arrays.group[spans(arrays.out_start, down)]).tolist()
    return found
