"""What will happen: network arrays and the cascade of failures over them."""

from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.compiling import topology_request
from twinfall.analytics.evolution import Evolution, Moved
from twinfall.analytics.explaining import AssetImpact, Bounds, Impacted, Totals, Wave
from twinfall.analytics.gathering import NotEvaluated
from twinfall.analytics.links import Storages
from twinfall.analytics.nearmisses import NearMiss
from twinfall.analytics.network import Impact, Network
from twinfall.analytics.states import Change, Reason, Standing, State
from twinfall.analytics.warming import warm

__all__ = [
    "AssetImpact",
    "AssetNetwork",
    "Bounds",
    "Change",
    "Evolution",
    "Impact",
    "Impacted",
    "Moved",
    "NearMiss",
    "Network",
    "NotEvaluated",
    "Reason",
    "Standing",
    "State",
    "Storages",
    "Totals",
    "Wave",
    "topology_request",
    "warm",
]
