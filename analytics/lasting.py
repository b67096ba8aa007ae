"""A network as it stands in the end when nothing more happens: what has failed by then is down
before any question.

Questions without times (single points of failure, cut sets) are put to it, so that they are about
the plant as it is and not as if all were well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.network import FOREVER, Network

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork


def lasting(assets: AssetNetwork) -> Network:
    """The network of this moment once all that has failed has taken along what it will."""
    return with_down(assets.network, assets.course.anyway(FOREVER))


def with_down(network: Network, down: NDArray[np.bool_]) -> Network:
    """The same network, over shared arrays, with these down before any failure.

    `down` must be settled: what these take along is among them, and so is what was down before.
    The last one made of a network is kept, with what has been asked of it.
    """
    if np.array_equal(down, network.baseline):
        return network
    last = network.last_lasting
    if last is not None and np.array_equal(last.baseline, down):
        return last
    made = Network(
        network.feeds, network.links, network.arrays, network.value, network.visible, down.copy()
    )
    network.last_lasting = made
    return made
