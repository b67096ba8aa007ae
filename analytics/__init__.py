"""What will happen: network arrays and the cascade of failures over them."""

from twinfall.analytics.assets import AssetNetwork, State
from twinfall.analytics.compiling import NotEvaluated, topology_request
from twinfall.analytics.explaining import AssetImpact, Impacted, NearMiss, Totals, Wave
from twinfall.analytics.links import Storages
from twinfall.analytics.network import Impact, Network, warm

__all__ = [
    "AssetImpact",
    "AssetNetwork",
    "Impact",
    "Impacted",
    "NearMiss",
    "Network",
    "NotEvaluated",
    "State",
    "Storages",
    "Totals",
    "Wave",
    "topology_request",
    "warm",
]
