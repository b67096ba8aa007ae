"""A network as a graph of networkx, with all that `Network.from_arrays` takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from twinfall.analytics.votes import RULES

if TYPE_CHECKING:
    from twinfall.analytics.feeds import Said
    from twinfall.analytics.network import Network

GROUP = ("consumer", "rule", "k", "min_share", "autonomy", "recharge", "sustain")
FEED = ("group", "share", "priority", "start", "transfer")


def graph_of(network: Network) -> nx.MultiDiGraph:
    """Nodes are positions; seconds throughout.

    Of each node `value`, `source` (carrier bits), `conducts`, `black_start`, `down` (before any
    failure) and, where it stores carriers, `storages` {carrier: (autonomy, recharge)}. Of each
    feed, an edge provider -> consumer, `group`, `share`, `priority`, `start` and `transfer`. Of
    each direction of a connection `carrier`. Of the graph `visible` and `groups`, where
    `groups[g]` has `consumer`, `rule`, `k` (the votes that are needed, of whatever rule counts
    them), `min_share`, `autonomy`, `recharge` and `sustain`. Shares are parts of a `min_share` of
    1; it is 0 in a group that asks for no share and is never evaluated, as with a `k` outside 1 to
    the number of its feeds.
    """
    said = network.feeds.said()
    groups = [dict(zip(GROUP, row, strict=True)) for row in _groups(network, said)]
    graph = nx.MultiDiGraph(visible=network.visible, groups=groups)
    graph.add_nodes_from(enumerate(_nodes(network)))
    graph.add_edges_from(_feeds(network, said))
    links = network.links
    rows = zip(*map(_plain, (links.begin, links.end, links.carrier)), strict=True)
    graph.add_edges_from((begin, end, {"carrier": carrier}) for begin, end, carrier in rows)
    return graph


def _groups(network: Network, said: Said) -> Iterator[tuple[Any, ...]]:
    feeds, ballot = network.feeds, said.ballot
    names = [RULES[code] for code in np.asarray(ballot.rule)]
    shared = np.asarray(ballot.rule) == RULES.index("capacity")
    counted = np.where(shared, 0, np.asarray(ballot.k))
    columns = (ballot.min_share, said.autonomy, said.recharge, feeds.sustain.astype(bool))
    return zip(_plain(feeds.consumer), names, _plain(counted), *map(_plain, columns), strict=True)


def _feeds(network: Network, said: Said) -> Iterator[tuple[int, int, dict[str, Any]]]:
    feeds, ballot = network.feeds, said.ballot
    ends = zip(_plain(feeds.provider), _plain(feeds.consumer[feeds.group]), strict=True)
    columns = (feeds.group, ballot.share, ballot.priority, ballot.start, said.transfer)
    for (provider, consumer), row in zip(
        ends, zip(*map(_plain, columns), strict=True), strict=True
    ):
        yield provider, consumer, dict(zip(FEED, row, strict=True))


def _nodes(network: Network) -> list[dict[str, Any]]:
    links = network.links
    columns = {
        "value": network.value,
        "source": links.source,
        "conducts": links.conducts.astype(bool),
        "black_start": network.feeds.black_start.astype(bool),
        "down": network.baseline,
    }
    rows = zip(*map(_plain, columns.values()), strict=True)
    nodes = [dict(zip(columns, row, strict=True)) for row in rows]
    stored = (links.storages.asset, links.storages.carrier, links.storages.autonomy)
    spots = zip(*map(_plain, (*stored, links.storages.recharges())), strict=True)
    for asset, carrier, autonomy, recharge in spots:
        nodes[asset].setdefault("storages", {})[carrier] = (autonomy, recharge)
    return nodes


def _plain(column: Any) -> list[Any]:
    """As Python's own numbers: other programs write them down."""
    plain: list[Any] = np.asarray(column).tolist()
    return plain
