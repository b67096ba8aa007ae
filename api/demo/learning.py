"""The demo's watch learns what is normal for the plant, from its recorded normal run."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import numpy as np

from twinfall.analytics.detectors import Column
from twinfall.analytics.membership import Asset, assets
from twinfall.analytics.training import Trace
from twinfall.api.demo.plant import MODEL, NORMAL, plant_run, plant_variables
from twinfall.graph.store import TopologyRequest

if TYPE_CHECKING:
    from twinfall.api.services import Services
    from twinfall.graph.graph import Graph

THROUGH = ("contains",)
log = logging.getLogger("twinfall.demo")


def learn(services: Services, every: int) -> None:
    """Have the plant watched, sampled every so many ns; learned once, and kept.

    Another sample period is another detector: it is learned anew.
    """
    watch = services.lookout.watch
    plants = plant_assets(services.graph)
    if not plants:
        return
    watch.follow(MODEL, plants)
    known = watch.detectors().get(MODEL)
    if known is None or known.every != every:
        watch.train(MODEL, {plants[0].twin: traces(plants[0], every)}, every=every)
        log.info("the watch learned the plant's normal run")


def plant_assets(graph: Graph) -> list[Asset]:
    """The plants in the graph, each with all it contains."""
    return assets(graph.topology(TopologyRequest(THROUGH)), [MODEL], THROUGH)


def traces(plant: Asset, every: int) -> list[Trace]:
    """The normal run as readings of this plant every so many ns, the last one now. Deleted sensors
    are left out.
    """
    run = plant_run(NORMAL)
    times = (np.arange(1 - len(run), 1, dtype=np.int64) + time.time_ns() // every) * every
    places = plant.places()
    return [
        Trace(Column(places[v.twin], v.name, v.unit), times, run[:, at])
        for at, v in enumerate(plant_variables())
        if v.twin in places
    ]
