"""The kernels' arrays, made of feeds and links."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics import kernels
from twinfall.analytics.feeds import Feeds, kept
from twinfall.analytics.links import Links, Storages
from twinfall.analytics.support import circling

if TYPE_CHECKING:
    from twinfall.analytics.network import Network


def arrays_of(n: int, feeds: Feeds, links: Links) -> kernels.Arrays:
    """Feeds and links by provider, group, consumer and carrier. O(assets + feeds + links)."""
    circles = circles_of(n, feeds, links)
    return kernels.Arrays(**fed_arrays(n, feeds), **linked_arrays(n, links), **circles)


def fed_arrays(n: int, feeds: Feeds) -> dict[str, Any]:
    """Those that feeds decide."""
    out_start, _ = _grouped(feeds.provider, n)
    in_start, in_edges = _grouped(feeds.group, feeds.count)
    group_start, groups = _grouped(feeds.consumer, n)
    return {
        "provider": feeds.provider,
        "group": feeds.group,
        "transfer": kept(feeds.transfer),
        "out_start": out_start,
        "in_start": in_start,
        "in_edges": in_edges,
        "weight": feeds.weight,
        "rule": feeds.rule,
        "autonomy": kept(feeds.autonomy),
        "sustain": kept(feeds.sustain),
        "group_start": group_start,
        "groups": groups,
        "black_start": feeds.black_start,
    }


def linked_arrays(n: int, links: Links) -> dict[str, Any]:
    """Those that links decide."""
    carriers = links.carriers
    pass_start, pass_to = _grouped(links.carrier * n + links.begin, carriers * n, links.end)
    both = np.concatenate([links.carrier, links.carrier])
    ends = np.concatenate([links.begin, links.end]), np.concatenate([links.end, links.begin])
    touch_start, touch = _grouped(both * n + ends[0], carriers * n, ends[1])
    member_start, members = links.members()
    return {
        "member": links.member,
        "source": links.source,
        "conducts": links.conducts,
        "pass_start": pass_start,
        "pass_end": pass_start[1:],
        "pass_to": pass_to,
        "touch_start": touch_start,
        "touch_end": touch_start[1:],
        "touch": touch,
        "member_start": member_start,
        "member_end": member_start[1:],
        "members": members,
        "storage": links.storages.asset,
        "storage_carrier": links.storages.carrier,
        "storage_autonomy": links.storages.autonomy,
    }


def circles_of(n: int, feeds: Feeds, links: Links) -> dict[str, Any]:
    """Those that feeds and links decide together."""
    circles = circling(n, feeds, links)
    return {"circling": kept(circles), "cyclic": bool(circles.any())}


def _grouped(keys: Any, count: int, values: Any = None) -> tuple[Any, Any]:
    start, order = kernels.csr(np.ascontiguousarray(keys, np.int32), count)
    return start, order if values is None else np.ascontiguousarray(values[order])


def part_of(network: Network, assets: NDArray[np.int32]) -> kernels.Arrays:
    """The arrays of these assets by themselves (ascending positions become 0..n-1). Everything
    that feeds them or is connected with them must be among them.
    """
    n, size = network.n, len(assets)
    place = np.full(n, -1, np.int32)
    place[assets] = np.arange(size, dtype=np.int32)
    feeds, links = network.feeds, network.links
    groups = np.flatnonzero(place[feeds.consumer] >= 0)
    rows = np.flatnonzero(place[feeds.consumer[feeds.group]] >= 0)
    some = feeds.of_groups(groups, rows)
    rule = some.rule.copy()
    rule["consumer"] = place[rule["consumer"]]
    black = feeds.black_start[assets]
    fed = replace(some, provider=place[some.provider], rule=rule, black_start=black)
    arcs = np.flatnonzero(place[links.begin] >= 0)
    stored = np.flatnonzero(place[links.storages.asset] >= 0)
    linked = replace(
        links,
        begin=place[links.begin[arcs]],
        end=place[links.end[arcs]],
        carrier=links.carrier[arcs],
        member=links.member[assets],
        source=links.source[assets],
        conducts=links.conducts[assets],
        storages=Storages(
            place[links.storages.asset[stored]],
            links.storages.carrier[stored],
            links.storages.autonomy[stored],
            links.storages.recharges()[stored],
        ),
    )
    return arrays_of(size, fed, linked)
