"""What an asset lacks that is down, or may be, before any question is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinfall.analytics.going import AnyCourse

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork

MAX_NAMED = 10
"""Lost providers that a message names."""


def lacks(assets: AssetNetwork, course: AnyCourse, asset: int) -> str:
    """What the asset at this position lacks, where this course has it down."""
    network = course.network
    arrays, feeds = network.arrays, network.feeds
    for at in range(int(arrays.group_start[asset]), int(arrays.group_start[asset + 1])):
        group = int(arrays.groups[at])
        edges = arrays.in_edges[arrays.in_start[group] : arrays.in_start[group + 1]]
        down = [int(e) for e in edges if course.down[feeds.provider[e]]]
        lost = sorted(int(feeds.provider[e]) for e in down)
        if 0 < feeds.fail_at[group] <= feeds.weight[down].sum():
            name = assets.compiled.group_names[assets.compiled.group_name[group]]
            return _said(name, assets.ids, lost, len(edges))
    member = int(arrays.member[asset])
    carriers = [name for c, name in enumerate(assets.compiled.carriers) if member >> c & 1]
    if carriers:
        return f"no source of {' or '.join(carriers)} reached"
    return "it is only held up by others that it holds up"


def misses(assets: AssetNetwork, course: AnyCourse, group: int) -> str:
    """What is down of a group whose loss degrades."""
    soft = assets.compiled.soft
    start, edges = soft.by_group
    providers = soft.feeds.provider[edges[start[group] : start[group + 1]]]
    lost = sorted(int(p) for p in providers if course.down[p])
    return _said(soft.names[soft.name[group]], assets.ids, lost, len(providers))


def _said(group: str, ids: Sequence[str], lost: Sequence[int], feeds: int) -> str:
    named = ", ".join(ids[p] for p in lost[:MAX_NAMED])
    more = f" and {len(lost) - MAX_NAMED} more" if len(lost) > MAX_NAMED else ""
    return f'its group "{group}" lost {len(lost)} of {feeds}: {named}{more}'
