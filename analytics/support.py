"""Whether assets can hold each other up in a circle.

Where they cannot, counting votes and reaching from sources is exact, and the kernels spare the
derivation of all support at every moment of a cascade.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from twinfall.analytics.feeds import Feeds
from twinfall.analytics.links import Links


def is_cyclic(n: int, feeds: Feeds, links: Links) -> bool:
    """True when support may run in a circle; may be true where it cannot, never the reverse.

    Each asset is two nodes, its conditions outside the carrier it transports (0..n-1) and all of
    them (n..2n-1); each connected part of a carrier is one node more. Reaching within a part is
    exact already, so an asset of one carrier depends on the part, and the part on its conditions.
    """
    begin = [np.arange(n), feeds.provider + n]
    end = [np.arange(n) + n, feeds.consumer[feeds.group]]
    nodes = 2 * n
    several = (links.member & (links.member - 1)) != 0
    for carrier in range(links.carriers):
        arcs = links.carrier == carrier
        if not arcs.any():
            continue
        count, part = _parts(n, links.begin[arcs], links.end[arcs])
        members = np.flatnonzero(links.member >> carrier & 1)
        hub = nodes + part[members]
        needs = (links.source[members] >> carrier & 1) == 0
        begin += [hub[needs], members]
        end += [np.where(several[members], members, members + n)[needs], hub]
        nodes += count
    arcs_begin, arcs_end = np.concatenate(begin), np.concatenate(end)
    if (arcs_begin == arcs_end).any():
        return True
    ones = np.ones(len(arcs_begin), np.int8)
    matrix = coo_array((ones, (arcs_begin, arcs_end)), shape=(nodes, nodes)).tocsr()
    parts, _ = connected_components(matrix, directed=True, connection="strong")
    return bool(parts < nodes)


def _parts(n: int, begin: np.ndarray, end: np.ndarray) -> tuple[int, np.ndarray]:  # type: ignore[type-arg]
    matrix = coo_array((np.ones(len(begin), np.int8), (begin, end)), shape=(n, n)).tocsr()
    count, part = connected_components(matrix, directed=False)
    return int(count), part
