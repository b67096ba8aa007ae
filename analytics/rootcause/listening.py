"""Which assets somebody listens to: their silence says that they are up."""

from __future__ import annotations

import numpy as np

from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.rootcause.seen import Flags
from twinfall.ontology.declarations import Dependencies
from twinfall.ontology.ontology import Ontology


def monitored(assets: AssetNetwork, ontology: Ontology, dependencies: Dependencies) -> Flags:
    """By position, whether it can raise an alarm: its model has telemetry or declared limits, and
    the live state does not call it unknown.
    """
    topology = assets.topology
    can = np.array([_can(model, ontology, dependencies) for model in topology.models], bool)
    flags = np.zeros(len(assets.ids), bool)
    flags[: assets.twins] = can[topology.model]
    unknown = assets.flags([*assets.standing.unknown, *assets.standing.out])
    return flags & ~unknown


def _can(model: str, ontology: Ontology, dependencies: Dependencies) -> bool:
    declared = dependencies.assets.get(model)
    if declared is not None and declared.limits:
        return True
    interface = ontology.interfaces.get(model)
    contents = interface.contents.values() if interface is not None else ()
    return any(content.kind == "Telemetry" for content in contents)
