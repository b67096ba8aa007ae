"""What will happen: network arrays and the cascade of failures over them."""

from twinfall.analytics.links import Storages
from twinfall.analytics.network import Impact, Network, warm

__all__ = ["Impact", "Network", "Storages", "warm"]
