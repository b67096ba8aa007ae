"""The compiler's work, done before the first question."""

from __future__ import annotations

import numpy as np

from twinfall.analytics import kernels
from twinfall.analytics.evolution import Evolution
from twinfall.analytics.links import Storages
from twinfall.analytics.network import Network


def warm() -> None:
    """Compile, or load what was compiled, all that a question needs; before the first one."""
    storages = Storages(np.array([1]), np.array([0]), np.array([1.0]))
    network = Network.from_arrays(
        3, [0], [2], group=[0], rule=["all"], autonomy=[1.0], connections=[[0, 1]], carrier=[0],
        source=[1, 0, 0],
        storages=storages,
    )  # fmt: skip
    network.impact([0])
    network.criticality(1.0)
    network.causes()
    network.down([0])
    dead = Network.from_arrays(
        2, [], [], group=[], rule=[], connections=[[0, 1]], carrier=[0], source=[0, 0]
    )
    dead.impact([0])  # what stands before any failure is looked for where not all are fed
    kernels.is_without_circles(network.arrays, network.arrays.circling, np.zeros(1, np.int32), 1)
    plant = Evolution(network)  # the live plant is one
    plant.fail(0, at=1.0)
    plant.buffer(0)
    plant.connect(1, 2, 0)
    plant.disconnect(1, 2, 0)
