"""What an asset lacks that is down, or may be, before any question is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinfall.analytics.course import Course

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork

MAX_NAMED = 10
"""Lost providers that a message names."""


def lacks(assets: AssetNetwork, course: Course, asset: int) -> str:
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
            named = ", ".join(assets.ids[p] for p in lost[:MAX_NAMED])
            more = f" and {len(lost) - MAX_NAMED} more" if len(lost) > MAX_NAMED else ""
            return f'its group "{name}" lost {len(lost)} of {len(edges)}: {named}{more}'
    member = int(arrays.member[asset])
    carriers = [name for c, name in enumerate(assets.compiled.carriers) if member >> c & 1]
    if carriers:
        return f"no source of {' or '.join(carriers)} reached"
    return "it is only held up by others that it holds up"
